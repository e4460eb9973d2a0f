/**
 * Standard output and standard error, written so that a slow reader does not stop the program.
 *
 * The problem: a reader that does not read fills a pipe, and then a write waits for ever; a pipe
 * that another program made non-blocking refuses with EAGAIN instead. The idea: lines of the log
 * stand in a bounded line of their own and are written on the thread pool; those for which there is
 * no room are counted, and the count is written in their place. A command, whose whole purpose is
 * its output, waits. Limits: what is still in line when the program ends in haste is written only
 * as far as that needs no waiting.
 *
 * @module
 */
import { callHere, inBackground } from "../background.ts";
import { ERRNO } from "../errno.ts";
import { PIPE_BUF } from "../headers/file.ts";
import { POLLERR, POLLFD, POLLNVAL, POLLOUT } from "../headers/readiness.ts";
import { libc } from "../libc.ts";
import { allocate, type Memory } from "../memory.ts";

/** How many octets of lines wait to be written at most. */
export const QUEUE_OCTETS_MAX = 262_144;

const CHUNK = 65_536;
const LOOK_AGAIN_MILLISECONDS = 1000;
const BUSY_PATIENCE_MILLISECONDS = 3000;
/** How long the news of a write may take to come from its thread. */
const LAST_PATIENCE_MILLISECONDS = 100;

/** Lines that wait to be written to a descriptor, in the background. */
export class LineQueue {
  readonly #fd: number;
  readonly #lostLine: (count: number) => string;
  #lines: Uint8Array<ArrayBuffer>[] = [];
  #octets = 0;
  #lost = 0;
  #writing: Promise<void> | undefined;

  /** Writes to `fd`; `lostLine` is the line that stands for `count` lost ones. */
  constructor(fd: number, lostLine: (count: number) => string) {
    this.#fd = fd;
    this.#lostLine = lostLine;
  }

  /** Adds a line, end of line included, or counts it as lost when there is no room. Never waits. */
  write(line: string): void {
    if (this.#octets >= QUEUE_OCTETS_MAX) {
      this.#lost++;
      return;
    }
    this.#tellLost();
    this.#push(line);
    this.#writing ??= this.#writeAll();
  }

  /**
   * Waits until all is written; tells whether it is. A reader who does not read is given so many
   * milliseconds. While there is room to write, it is a busy machine that is late, and that has a
   * few seconds.
   */
  async settled(milliseconds: number): Promise<boolean> {
    const giveUp = performance.now() + BUSY_PATIENCE_MILLISECONDS;
    while (this.#writing !== undefined) {
      if (await this.#isWrittenIn(milliseconds)) return true;
      if (performance.now() > giveUp) return false;
      // without room: full for want of a reader, or by what was just written and is not told yet
      if (look(this.#fd) !== POLLOUT) return await this.#isWrittenIn(LAST_PATIENCE_MILLISECONDS);
    }
    return true;
  }

  /**
   * Writes what is in line here and now, as far as that needs no waiting. For the last moment of a
   * process.
   */
  flushNow(): void {
    this.#tellLost();
    for (const line of this.#lines) if (!writeAtOnce(this.#fd, line)) return;
    this.#lines = [];
    this.#octets = 0;
  }

  async #isWrittenIn(milliseconds: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
    return this.#writing === undefined;
  }

  async #writeAll(): Promise<void> {
    while (this.#lines.length > 0) {
      const chunk = this.#takeChunk();
      const lines = chunk.filter((octet) => octet === 0x0a).length;
      if (!await writeInBackground(this.#fd, chunk)) this.#lost += lines;
      else if (this.#lines.length === 0) this.#tellLost();
    }
    this.#writing = undefined;
  }

  #takeChunk(): Uint8Array<ArrayBuffer> {
    let count = 0, length = 0;
    for (const line of this.#lines) {
      if (count > 0 && length + line.length > CHUNK) break;
      count++;
      length += line.length;
    }
    const chunk = new Uint8Array(length);
    let at = 0;
    for (const line of this.#lines.splice(0, count)) {
      chunk.set(line, at);
      at += line.length;
    }
    this.#octets -= length;
    return chunk;
  }

  #tellLost(): void {
    if (this.#lost === 0) return;
    const line = this.#lostLine(this.#lost);
    this.#lost = 0;
    this.#push(line);
  }

  #push(line: string): void {
    const octets = new TextEncoder().encode(line);
    this.#lines.push(octets);
    this.#octets += octets.length;
  }
}

/**
 * Writes as much as needs no waiting (PIPE_BUF octets where a pipe says that it has room, pipe(7));
 * tells whether that was all.
 */
export function writeAtOnce(fd: number, bytes: Uint8Array<ArrayBuffer>): boolean {
  for (let at = 0; at < bytes.length; at += PIPE_BUF) {
    const part = bytes.subarray(at, at + PIPE_BUF);
    if (look(fd) !== POLLOUT) return false;
    if (callHere("write", [fd, part, BigInt(part.length)]) < part.length) return false;
  }
  return true;
}

/**
 * Writes all of it, however long the reader takes; undefined when done, else the number of the
 * error.
 */
export function writeWaiting(fd: number, bytes: Uint8Array<ArrayBuffer>): number | undefined {
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const put = callHere("write", [fd, rest, BigInt(rest.length)]);
    if (put >= 0) at += put;
    else if (put === -ERRNO.EAGAIN) libc().poll(question(fd).bytes, 1n, -1);
    else if (put !== -ERRNO.EINTR) return -put;
  }
  return undefined;
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
    if ((events & POLLOUT) !== 0) continue;
    await inBackground("log", "poll", [question(fd).bytes, 1n, LOOK_AGAIN_MILLISECONDS]);
  }
  return true;
}

/** What poll(2) says of a descriptor at this moment. */
function look(fd: number): number {
  const asked = question(fd);
  return libc().poll(asked.bytes, 1n, 0) > 0 ? asked.view.getInt16(POLLFD.revents, true) : 0;
}

/** A `struct pollfd` that asks for room to write. */
function question(fd: number): Memory {
  const memory = allocate(POLLFD.sizeof);
  memory.view.setInt32(POLLFD.fd, fd, true);
  memory.view.setInt16(POLLFD.events, POLLOUT, true);
  return memory;
}
