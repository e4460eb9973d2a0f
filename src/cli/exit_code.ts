/**
 * What the program's exit status tells; the numbers above 63 are those of sysexits.h.
 *
 * @module
 */
import { isWritingForbidden } from "../base/forbidden.ts";

/** The exit statuses by meaning. */
export const EXIT = {
  /** Done. */
  done: 0,
  /** The answer is no: no usable response, or the daemon is not synchronised. */
  no: 1,
  /** Wrong usage. */
  usage: 64,
  /** A needed service or library is missing. */
  unavailable: 69,
  /** A bug of ours. */
  bug: 70,
  /** Input or output failed. */
  io: 74,
  /** Try again later. */
  temporary: 75,
  /** The sources tell a time that is beyond a panic threshold. */
  panic: 76,
  /** A permission is missing; the message names it. */
  permission: 77,
  /** The configuration is wrong. */
  config: 78,
} as const;

/** One of the exit statuses. */
export type ExitCode = typeof EXIT[keyof typeof EXIT];

/** Returns with what a command ends that cannot read or write a file, by the name of the error. */
export function exitOfFile(error: { readonly name: string }): ExitCode {
  return isWritingForbidden(error) ? EXIT.permission : EXIT.io;
}
