/**
 * Finds paths of a configuration that get in each other's way.
 *
 * The problem: what the daemon writes, it replaces as a whole, and what makes no sense to it, it
 * sets aside; two files of state at one path destroy each other, and so does a file of state at the
 * path of a key or of the configuration. The idea: every path that is written, with those that come
 * of it, is compared with all others. Limits: paths are compared as they are written, less what
 * means nothing (`./`, `//`, `a/../`); links and the working directory are not looked at.
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import { damagedPath } from "../base/damaged_path.ts";
import type { NamedPath } from "./named_path.ts";

/** One path that cannot stay. */
export interface PathConflict {
  /** The key to change. */
  readonly key: string;
  /** A sentence. */
  readonly message: string;
  /** What to do. */
  readonly suggestion: string;
}

/** A file or directory that a path stands for. */
interface Place {
  readonly key: string;
  /** As it is written. */
  readonly written: string;
  /** What ntpsd puts behind it for a file of its own; empty for the file itself. */
  readonly end: string;
  readonly isFolder: boolean;
}

/**
 * Returns the conflicts between all paths of a configuration, each once; `files` are those that it
 * was read from.
 */
export function pathConflicts(
  paths: readonly NamedPath[],
  files: readonly string[] = [],
): readonly PathConflict[] {
  const written = writtenPlaces(paths);
  const others = readPlaces(paths, files);
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

/** Returns what ntpsd writes; first the files that are no secret, last the directories. */
function writtenPlaces(paths: readonly NamedPath[]): readonly Place[] {
  const rank = ({ use }: NamedPath) => use.kind === "folder" ? 2 : use.isSecret ? 1 : 0;
  return paths.toSorted((a, b) => rank(a) - rank(b)).flatMap(({ key, path, use }) => {
    const place = { key, written: path, isFolder: use.kind === "folder" };
    switch (use.kind) {
      case "read":
        return [];
      case "folder":
        return [{ ...place, end: "" }];
      case "state":
        return ["", ...use.suffixes].flatMap((end) =>
          [end, damagedPath(end)].map((end) => ({ ...place, end }))
        );
      default:
        return unreachable(use);
    }
  });
}

function readPlaces(paths: readonly NamedPath[], files: readonly string[]): readonly Place[] {
  const read = paths.filter(({ use }) => use.kind === "read");
  const named = [...files.map((path) => ({ key: "", path })), ...read];
  return named.map(({ key, path }) => ({ key, written: path, end: "", isFolder: false }));
}

/** Says what is wrong with two places, at the first of them; undefined when they go together. */
function describe(place: Place, other: Place): string | undefined {
  const path = `${plainPath(place.written)}${place.end}`;
  const otherPath = `${plainPath(other.written)}${other.end}`;
  const name = other.key === "" ? "the configuration" : other.key;
  const own = place.end === "" ? "" : `ntpsd also writes it with "${place.end}" behind it: `;
  const theirs = other.end === "" ? "" : ` with "${other.end}" behind it, which ntpsd also writes`;
  if (path === otherPath) return `${own}The same path as that of ${name}${theirs}`;
  if (!other.isFolder && path.startsWith(`${otherPath}/`)) {
    return `${own}A path below that of ${name}${theirs}, which is a file`;
  }
  if (!place.isFolder && otherPath.startsWith(`${path}/`)) {
    return `${own}A file, but the path of ${name} lies below it`;
  }
  return undefined;
}

/** Writes a path without what means nothing in it. */
export function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !path.startsWith("/")) parts.push(part);
  }
  return `${path.startsWith("/") ? "/" : ""}${parts.join("/")}`;
}
