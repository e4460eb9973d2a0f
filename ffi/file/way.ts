/**
 * The way to a path: all folders and links that the kernel passes when it opens it.
 *
 * The problem: whether a user may open a file, or another user's link leads there, is decided on
 * the whole way, and the folders above the target of a link are not in the path. The idea: the path
 * is walked name by name, as the kernel does. Limits: what changes meanwhile is not noticed.
 *
 * @module
 */
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  PATH_MAX,
  S_IFLNK,
  S_IFMT,
  STATX,
  STATX_BASIC_STATS,
} from "../headers/file.ts";
import { libc } from "../libc.ts";
import { allocate, cString } from "../memory.ts";

/** A place on the way. */
export interface WayPoint {
  /** Its path, without links in it. */
  readonly place: string;
  /** Whose link it is; undefined where it is none, or not there. */
  readonly linkOwner: number | undefined;
}

/** As many as the kernel follows. */
const LINKS_MAX = 40;

/**
 * Returns all places on the way to a path, from the root on, with the path's own end; undefined if
 * there are more links than the kernel follows.
 */
export function wayTo(path: string): readonly WayPoint[] | undefined {
  const rest = path.split("/");
  if (!path.startsWith("/")) rest.unshift(...(linkTarget("/proc/self/cwd") ?? "").split("/"));
  const way: WayPoint[] = [{ place: "/", linkOwner: undefined }];
  let place = "", links = 0;
  while (rest.length > 0) {
    const name = rest.shift() ?? "";
    if (name === "" || name === ".") continue;
    const here = `${place}/${name}`, link = linkAt(here);
    way.push({ place: here, linkOwner: link?.uid });
    if (link === undefined) {
      place = here;
      continue;
    }
    if (++links > LINKS_MAX) return undefined;
    if (link.target.startsWith("/")) place = "";
    rest.unshift(...link.target.split("/"));
  }
  return way;
}

/** Returns where a link leads; undefined if it is none. */
export function linkTarget(path: string): string | undefined {
  const target = new Uint8Array(PATH_MAX);
  const name = cString(path) ?? new Uint8Array(1);
  const length = libc().readlink(name, target, BigInt(PATH_MAX));
  return length < 0 ? undefined : new TextDecoder().decode(target.subarray(0, length));
}

/** Reads a link, and whose it is; undefined where there is none. */
function linkAt(path: string): { readonly uid: number; readonly target: string } | undefined {
  const { view, bytes } = allocate(STATX.sizeof);
  const name = cString(path) ?? new Uint8Array(1);
  if (libc().statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, bytes) !== 0) {
    return undefined;
  }
  if ((view.getUint16(STATX.stx_mode, true) & S_IFMT) !== S_IFLNK) return undefined;
  const uid = view.getUint32(STATX.stx_uid, true), target = linkTarget(path);
  return target === undefined ? undefined : { uid, target };
}
