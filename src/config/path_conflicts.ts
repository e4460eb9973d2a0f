/**
 * Finds paths of a configuration that get in each other's way.
 *
 * The problem: what the daemon writes, it replaces as a whole, and what makes no sense to it, it
 * sets aside; two files of state at one path destroy each other, and so does a file of state at the
 * path of a key or of the configuration. The idea: every path that is written, with those that come
 * of it, is compared with all that are named. Limits: paths are compared as they are written, less
 * what means nothing (`./`, `//`, `a/../`); links and the working directory are not looked at.
 *
 * @module
 */
import type { Config } from "./config.ts";

/** One path that cannot stay. */
export interface PathConflict {
  /** The key to change. */
  readonly key: string;
  /** A sentence. */
  readonly message: string;
  /** What to do. */
  readonly suggestion: string;
}

/** A path of the configuration. */
interface Place {
  readonly key: string;
  /** As it is written. */
  readonly written: string;
  /** What ntpsd puts behind it for a file of its own; empty for the file itself. */
  readonly end: string;
  readonly use: "written" | "read" | "folder";
}

/**
 * Returns the conflicts between all paths of a configuration, each once; `file` is where it was
 * read from, if it was.
 */
export function pathConflicts(config: Config, file?: string): readonly PathConflict[] {
  const written = writtenPlaces(config);
  const others = readPlaces(config, file);
  const conflicts = new Map<string, PathConflict>();
  const note = (place: Place, other: Place) => {
    const message = describe(place, other);
    if (message === undefined || conflicts.has(place.key)) return;
    conflicts.set(place.key, {
      key: place.key,
      message: `${message}: ${place.written}`,
      suggestion: "each needs a path of its own",
    });
  };
  for (const [i, place] of written.entries()) {
    // Of two that are written the later one is to change.
    for (const other of written.slice(0, i)) if (other.key !== place.key) note(place, other);
    for (const other of others) note(place, other);
  }
  return [...conflicts.values()];
}

function writtenPlaces({ clock, keyset, nts, observability }: Config): readonly Place[] {
  const state: readonly (readonly [key: string, path: string | undefined, ends: string[]])[] = [
    ["clock.drift-file", clock.driftFile, [""]],
    ["keyset.key-storage-path", keyset.keyStoragePath, [""]],
    ["nts.cookie-storage-path", nts.cookieStoragePath, ["", ".time-bound"]],
  ];
  const places = state.flatMap(([key, written, ends]) =>
    written === undefined ? [] : ends.flatMap((end) =>
      // Where a file that makes no sense goes.
      ["", ".damaged"].map((aside): Place => ({
        key,
        written,
        end: end + aside,
        use: "written",
      }))
    )
  );
  const { statisticsPath } = observability;
  if (statisticsPath === undefined) return places;
  const key = "observability.statistics-path";
  return [...places, { key, written: statisticsPath, end: "", use: "folder" }];
}

function readPlaces(config: Config, file: string | undefined): readonly Place[] {
  const named: readonly (readonly [key: string, path: string | undefined])[] = [
    ["", file],
    ["keys.file", config.keysFile],
    ["clock.leap-seconds-file", config.clock.leapSecondsFile],
    ...config.sources.map(({ certificateAuthority }, i) =>
      [`source[${i}].certificate-authority`, certificateAuthority] as const
    ),
    ...config.ntsKeServers.flatMap((server, i) =>
      [
        [`nts-ke-server[${i}].certificate-chain-path`, server.certificateChainPath],
        [`nts-ke-server[${i}].private-key-path`, server.privateKeyPath],
      ] as const
    ),
  ];
  return named.flatMap(([key, written]): readonly Place[] =>
    written === undefined ? [] : [{ key, written, end: "", use: "read" }]
  );
}

/** Says what is wrong with two places, at the first of them; undefined when they go together. */
function describe(place: Place, other: Place): string | undefined {
  const path = `${plainPath(place.written)}${place.end}`;
  const otherPath = `${plainPath(other.written)}${other.end}`;
  const name = other.key === "" ? "the configuration" : other.key;
  const own = place.end === "" ? "" : `ntpsd also writes it with "${place.end}" behind it: `;
  const theirs = other.end === "" ? "" : ` with "${other.end}" behind it, which ntpsd also writes`;
  if (path === otherPath) return `${own}The same path as that of ${name}${theirs}`;
  if (other.use !== "folder" && path.startsWith(`${otherPath}/`)) {
    return `${own}A path below that of ${name}${theirs}, which is a file`;
  }
  if (place.use !== "folder" && otherPath.startsWith(`${path}/`)) {
    return `${own}A file, but the path of ${name} lies below it`;
  }
  return undefined;
}

/** Writes a path without what means nothing in it. */
function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !path.startsWith("/")) parts.push(part);
  }
  return `${path.startsWith("/") ? "/" : ""}${parts.join("/")}`;
}
