/**
 * Ways of writing lines to a descriptor that never make the caller wait.
 *
 * The problem: what is written on another thread is lost when the process ends before that thread
 * has begun, and nothing tells whether it has; what is written here waits for a slow reader, and to
 * make the descriptor non-blocking would change it for every program that shares it. The idea: a
 * socket takes what it has room for if one call asks for that (MSG_DONTWAIT), a pipe or a terminal
 * can be opened once more for ntpsd alone, and that is non-blocking; so nothing is ever under way.
 * A file has no such means. It is written on the thread pool, and its position tells at a hasty end
 * whether that was done. Limits: a pipe or terminal of another user cannot be opened again; it is
 * written like a file, has no position, and what is under way to it is given a moment.
 *
 * @module
 */
import { callHere, inBackground } from "../background.ts";
import { ERRNO } from "../errno.ts";
import {
  AT_EMPTY_PATH,
  F_DUPFD_CLOEXEC,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_WRONLY,
  PIPE_BUF,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  SEEK_CUR,
  STATX,
  STATX_BASIC_STATS,
} from "../headers/file.ts";
import { POLLERR, POLLFD, POLLNVAL, POLLOUT } from "../headers/readiness.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL } from "../headers/socket.ts";
import { lastErrno, libc } from "../libc.ts";
import { allocate, cString, type Memory } from "../memory.ts";

/** How long is waited for room before it is looked for again. */
const LOOK_AGAIN_MILLISECONDS = 1000;
/** The pause when a descriptor says that it has room and takes nothing all the same. */
const REFUSED_PAUSE_MICROSECONDS = 100_000;
/** How long a write that is under way at a hasty end has to begin. */
const LAST_MOMENT_MICROSECONDS = 50_000;

/** Writes lines without making the caller wait. */
export interface LineWriter {
  /**
   * Takes the beginning of some octets, or all of them, and returns how many; 0 when there is no
   * room now, undefined when they cannot be written.
   */
  take(octets: Uint8Array<ArrayBuffer>): number | undefined;
  /** Whether something was taken that is not written yet. */
  readonly isBusy: boolean;
  /** Waits until there may be room; false when what was taken last could not be written whole. */
  room(): Promise<boolean>;
  /**
   * Writes here and now what was taken and is not written, as far as that needs no waiting; from
   * then on all is written so, for the last moment of a process.
   */
  finish(): void;
}

/** Returns the way of writing that fits a descriptor. */
export function lineWriter(fd: number): LineWriter {
  const kind = kindOf(fd);
  if (kind === S_IFSOCK) return new PromptWriter(fd, (octets) => sendNow(fd, octets));
  const own = kind === S_IFIFO || kind === S_IFCHR ? openAgain(fd) : -1;
  if (own < 0) return new BackgroundWriter(fd, kind === S_IFREG);
  return new PromptWriter(own, (octets) => callHere("write", [own, octets, BigInt(octets.length)]));
}

/** Calls what never waits. */
class PromptWriter implements LineWriter {
  readonly isBusy = false;
  /** How often nothing was taken, in a row. */
  #refusals = 0;
  readonly #fd: number;
  readonly #put: (octets: Uint8Array<ArrayBuffer>) => number;

  /** `put` returns how many octets it wrote, or the negative number of its error. */
  constructor(fd: number, put: (octets: Uint8Array<ArrayBuffer>) => number) {
    this.#fd = fd;
    this.#put = put;
  }

  take(octets: Uint8Array<ArrayBuffer>): number | undefined {
    const put = this.#put(octets.subarray(0, PIPE_BUF));
    this.#refusals = put > 0 ? 0 : this.#refusals + 1;
    if (put >= 0) return put;
    return put === -ERRNO.EAGAIN || put === -ERRNO.EINTR ? 0 : undefined;
  }

  async room(): Promise<boolean> {
    await waitForRoom(this.#fd);
    if (this.#refusals > 1) await inBackground("log", "usleep", [REFUSED_PAUSE_MICROSECONDS]);
    return true;
  }

  finish(): void {}
}

/** Writes on the thread pool, one piece at a time. */
class BackgroundWriter implements LineWriter {
  readonly #fd: number;
  /** A second number of the same, for the thread pool. */
  readonly #copy: number;
  readonly #hasPosition: boolean;
  #underWay: { readonly octets: Uint8Array<ArrayBuffer>; readonly from: bigint } | undefined;
  #writing: Promise<boolean> | undefined;
  #isFinished = false;

  constructor(fd: number, hasPosition: boolean) {
    this.#fd = fd;
    this.#copy = libc().fcntl(fd, F_DUPFD_CLOEXEC, 0n);
    this.#hasPosition = hasPosition;
  }

  get isBusy(): boolean {
    return this.#underWay !== undefined;
  }

  take(octets: Uint8Array<ArrayBuffer>): number | undefined {
    if (this.#isFinished) return writeAtOnce(this.#fd, octets) ? octets.length : 0;
    if (this.#copy < 0) return undefined;
    if (this.#underWay !== undefined) return 0;
    this.#underWay = { octets, from: this.#position() };
    this.#writing = this.#write(octets);
    return octets.length;
  }

  async room(): Promise<boolean> {
    return await this.#writing ?? true;
  }

  finish(): void {
    const underWay = this.#underWay;
    if (this.#isFinished || underWay === undefined) return;
    this.#isFinished = true;
    libc().usleep(LAST_MOMENT_MICROSECONDS);
    // A write that begins from now on fails, and one that has begun moves the position.
    libc().close(this.#copy);
    const isTaken = !this.#hasPosition || this.#position() !== underWay.from;
    if (!isTaken) writeAtOnce(this.#fd, underWay.octets);
  }

  #position(): bigint {
    return this.#hasPosition ? BigInt(libc().lseek(this.#fd, 0n, SEEK_CUR)) : 0n;
  }

  async #write(octets: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const isWritten = await writeInBackground(this.#copy, octets);
    this.#underWay = undefined;
    return isWritten;
  }
}

/**
 * Writes as much as needs no waiting (PIPE_BUF octets where a pipe says that it has room, pipe(7));
 * tells whether that was all.
 */
export function writeAtOnce(fd: number, bytes: Uint8Array<ArrayBuffer>): boolean {
  for (let at = 0; at < bytes.length; at += PIPE_BUF) {
    const part = bytes.subarray(at, at + PIPE_BUF);
    if (!hasRoom(fd)) return false;
    if (callHere("write", [fd, part, BigInt(part.length)]) < part.length) return false;
  }
  return true;
}

/** Tells whether a descriptor takes more at this moment. */
export function hasRoom(fd: number): boolean {
  return look(fd) === POLLOUT;
}

function sendNow(fd: number, octets: Uint8Array<ArrayBuffer>): number {
  const sent = libc().send(fd, octets, BigInt(octets.length), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? -lastErrno() : sent;
}

/** Returns the kind of file behind a descriptor, as in the mode of statx(2); 0 if it has none. */
function kindOf(fd: number): number {
  const { bytes, view } = allocate(STATX.sizeof);
  const path = new Uint8Array(1);
  const isKnown = libc().statx(fd, path, AT_EMPTY_PATH, STATX_BASIC_STATS, bytes) === 0;
  return isKnown ? view.getUint16(STATX.stx_mode, true) & S_IFMT : 0;
}

/** Opens what a descriptor leads to once more, so that writing to it does not wait; -1 if not. */
function openAgain(fd: number): number {
  const path = cString(`/proc/self/fd/${fd}`);
  const flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  return path === undefined ? -1 : libc().open(path, flags, 0);
}

/** Writes all of it on the thread pool; false when that is not possible. */
async function writeInBackground(fd: number, chunk: Uint8Array<ArrayBuffer>): Promise<boolean> {
  for (let at = 0, refused = 0; at < chunk.length;) {
    const rest = chunk.subarray(at);
    const put = await inBackground("log", "write", [fd, rest, BigInt(rest.length)]);
    if (put > 0) {
      at += put;
      refused = 0;
      continue;
    }
    const events = look(fd);
    if ((events & (POLLERR | POLLNVAL)) !== 0) return false;
    // Writable and yet refused: a full disk, or another writer who was faster.
    if ((events & POLLOUT) !== 0 && ++refused > 1) return false;
    if ((events & POLLOUT) === 0) await waitForRoom(fd);
  }
  return true;
}

async function waitForRoom(fd: number): Promise<void> {
  await inBackground("log", "poll", [question(fd).bytes, 1n, LOOK_AGAIN_MILLISECONDS]);
}

/** What poll(2) says of a descriptor at this moment. */
function look(fd: number): number {
  const asked = question(fd);
  return libc().poll(asked.bytes, 1n, 0) > 0 ? asked.view.getInt16(POLLFD.revents, true) : 0;
}

/** A `struct pollfd` that asks for room to write. */
export function question(fd: number): Memory {
  const memory = allocate(POLLFD.sizeof);
  memory.view.setInt32(POLLFD.fd, fd, true);
  memory.view.setInt16(POLLFD.events, POLLOUT, true);
  return memory;
}
