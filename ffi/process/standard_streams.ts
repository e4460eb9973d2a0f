/**
 * Standard output and standard error, written so that a slow reader does not stop the program.
 *
 * The problem: a reader that does not read fills a pipe, and then a write waits for ever; a pipe
 * that another program made non-blocking refuses with EAGAIN instead. The idea: lines of the log
 * stand in a bounded line of their own, and a `LineWriter` takes of it what needs no waiting; those
 * for which there is no room are counted, and the count is written in their place. A command, whose
 * whole purpose is its output, waits. Limits: what is still in line when the program ends in haste
 * is written only as far as that needs no waiting.
 *
 * @module
 */
import { ERRNO } from "../errno.ts";
import { PIPE_BUF } from "../headers/file.ts";
import { libc } from "../libc.ts";
import { LIBC_SYMBOLS } from "../libc_symbols.ts";
import { hasRoom, type LineWriter, lineWriter, question, writeAtOnce } from "./line_writer.ts";

/** What a command needs to say something; to open the whole library takes twenty times as long. */
const OUTPUT_SYMBOLS = {
  write: LIBC_SYMBOLS.write,
  poll: LIBC_SYMBOLS.poll,
  __errno_location: LIBC_SYMBOLS.__errno_location,
} as const;

let output: Deno.DynamicLibrary<typeof OUTPUT_SYMBOLS>["symbols"] | undefined;

/** How many octets of lines wait to be written at most. */
export const QUEUE_OCTETS_MAX = 262_144;

const BUSY_PATIENCE_MILLISECONDS = 3000;
/** How long the news of a write may take to come from its thread. */
const LAST_PATIENCE_MILLISECONDS = 100;

/** Lines that wait to be written to a descriptor. */
export class LineQueue {
  readonly #fd: number;
  readonly #lostLine: (count: number) => string;
  #writer: LineWriter | undefined;
  #lines: Uint8Array<ArrayBuffer>[] = [];
  #octets = 0;
  #lost = 0;
  #writing: Promise<void> | undefined;

  /**
   * Writes to `fd`; `lostLine` returns the line that stands for `count` lost ones. `writer` writes,
   * the one that fits `fd` if left out.
   */
  constructor(
    fd: number,
    { lostLine, writer }: {
      readonly lostLine: (count: number) => string;
      readonly writer?: LineWriter;
    },
  ) {
    this.#fd = fd;
    this.#lostLine = lostLine;
    this.#writer = writer;
  }

  /** Adds a line, end of line included, or counts it as lost when there is no room. Never waits. */
  write(line: string): void {
    if (this.#octets >= QUEUE_OCTETS_MAX) {
      this.#lost++;
      return;
    }
    this.#tellLost();
    this.#push(line);
    if (this.#writing === undefined && !this.#put()) this.#writing = this.#writeRest();
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
      if (hasRoom(this.#fd)) continue;
      // full for want of a reader, or by what was just written and is not told yet
      return this.#writerInUse.isBusy && await this.#isWrittenIn(LAST_PATIENCE_MILLISECONDS);
    }
    return true;
  }

  /**
   * Writes what is in line here and now, as far as that needs no waiting. For the last moment of a
   * process.
   */
  flushNow(): void {
    this.#tellLost();
    this.#writerInUse.finish();
    this.#put();
  }

  async #isWrittenIn(milliseconds: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
    return this.#writing === undefined;
  }

  get #writerInUse(): LineWriter {
    return this.#writer ??= lineWriter(this.#fd);
  }

  /** Hands over what is taken now; tells whether nothing is left to do. */
  #put(): boolean {
    const writer = this.#writerInUse;
    for (let line = this.#lines[0]; line !== undefined; line = this.#lines[0]) {
      const taken = writer.take(line);
      if (taken === 0) return false;
      if (taken === undefined) this.#lost++;
      this.#octets -= taken ?? line.length;
      if (taken === undefined || taken === line.length) this.#lines.shift();
      else this.#lines[0] = line.subarray(taken);
    }
    return !writer.isBusy;
  }

  async #writeRest(): Promise<void> {
    for (let isDone = false; !isDone;) {
      const isWhole = await this.#writerInUse.room();
      if (!isWhole) this.#lost++;
      isDone = this.#put();
      if (!isDone || !isWhole || this.#lost === 0) continue;
      this.#tellLost();
      isDone = this.#put();
    }
    this.#writing = undefined;
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
 * Writes all of it, unless the reader takes nothing for so many milliseconds; tells whether it did.
 */
export function writePatiently(
  fd: number,
  { bytes, milliseconds }: {
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly milliseconds: number;
  },
): boolean {
  for (let at = 0; at < bytes.length; at += PIPE_BUF) {
    libc().poll(question(fd).bytes, 1n, milliseconds);
    if (!writeAtOnce(fd, bytes.subarray(at, at + PIPE_BUF))) return false;
  }
  return true;
}

/**
 * Writes all of it, however long the reader takes; undefined when done, else the number of the
 * error.
 */
export function writeWaiting(fd: number, bytes: Uint8Array<ArrayBuffer>): number | undefined {
  output ??= Deno.dlopen("libc.so.6", OUTPUT_SYMBOLS).symbols;
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const put = output.write(fd, rest, BigInt(rest.length));
    const error = put < 0 ? errnoOf(output.__errno_location()) : 0;
    if (error === 0) at += put;
    else if (error === ERRNO.EAGAIN) output.poll(question(fd).bytes, 1n, -1);
    else if (error !== ERRNO.EINTR) return error;
  }
  return undefined;
}

function errnoOf(place: Deno.PointerValue): number {
  return place === null ? ERRNO.EIO : new Deno.UnsafePointerView(place).getInt32();
}
