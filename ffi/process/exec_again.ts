/**
 * Starts this program again in the place of this process, with the same command line and the same
 * process number.
 *
 * The problem: capabilities, the bounding set and no_new_privs belong to a thread, and the runtime
 * has made its threads before the first line of ours is run. The idea: the main thread gives its
 * rights up, then execs the program that it is; the kernel ends all other threads, and every thread
 * of the new program descends from the one that has given up. Whether the new program was started
 * like that it learns from a variable with its own process number, which no other process can
 * inherit by mistake. Limits: needs /proc; descriptors are closed unless they were held for it
 * (`ffi/file/held_files.ts`).
 *
 * @module
 */
import type { Result } from "../../src/base/result.ts";
import { failed, type OsError } from "../errno.ts";
import { executablePath, readFile } from "../file/files.ts";
import { closeOthersOnExec } from "../file/held_files.ts";
import { lastErrno, libc } from "../libc.ts";
import { allocate, cString } from "../memory.ts";
import { environmentVariable, processId } from "./process.ts";

const MARK = "NTPSD_STARTED_AGAIN";
const COMMAND_LINE_MAX = 4 << 20;
const THROUGH_PROC = "/proc/self/exe";

/** The command line of this process: its words, each closed by a zero octet. */
export type CommandLine = Uint8Array;

/** Reads the command line of this process; without it the program cannot be started again. */
export function readCommandLine(): Result<CommandLine, OsError> {
  return readFile("/proc/self/cmdline", COMMAND_LINE_MAX);
}

/**
 * Starts the program again with a message for the new one; returns only when that fails, with
 * nothing changed but the environment.
 */
export function executeAgain(words: CommandLine, message: string): OsError {
  setVariable(MARK, `${processId()} ${message}`);
  closeOthersOnExec();
  const block = argumentBlock(words);
  // The real path first, for the name that `ps` shows; a program whose file was replaced is still
  // there under the other.
  const path = executablePath();
  if (path.ok) libc().execv(cString(path.value) ?? new Uint8Array(1), block);
  libc().execv(cString(THROUGH_PROC) ?? new Uint8Array(1), block);
  const code = lastErrno();
  libc().unsetenv(cString(MARK) ?? new Uint8Array(1));
  const hint =
    "Something (AppArmor, SELinux, the mode of the file) keeps ntpsd from starting itself";
  return failed({ call: "execv", what: "start this program again", code, hint }).error;
}

/** Returns the message if this process was started by `executeAgain`; undefined if not. */
export function startedAgain(): string | undefined {
  const text = environmentVariable(MARK);
  const own = `${processId()} `;
  return text?.startsWith(own) ? text.slice(own.length) : undefined;
}

function setVariable(name: string, value: string): void {
  const key = cString(name), text = cString(value);
  if (key !== undefined && text !== undefined) libc().setenv(key, text, 1);
}

/** Lays out pointers and words in one block of memory, which the call keeps alive as a whole. */
function argumentBlock(words: CommandLine): Uint8Array<ArrayBuffer> {
  const starts = wordStarts(words);
  const head = 8 * (starts.length + 1);
  const block = allocate(head + words.length + 1);
  block.bytes.set(words, head);
  for (const [i, start] of starts.entries()) {
    block.view.setBigUint64(8 * i, block.address + BigInt(head + start), true);
  }
  return block.bytes;
}

function wordStarts(words: CommandLine): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; at < words.length; at = words.indexOf(0, at) + 1) {
    starts.push(at);
    if (words.indexOf(0, at) < 0) break;
  }
  return starts;
}
