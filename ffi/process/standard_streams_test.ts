import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { O_APPEND, O_CREAT, O_RDWR } from "../headers/file.ts";
import { quickOnce } from "../../tests/support/wait_until.ts";
import { libc, replaceCalls } from "../libc.ts";
import { allocate, cString } from "../memory.ts";
import { type LineWriter, writeAtOnce } from "./line_writer.ts";
import { LineQueue, QUEUE_OCTETS_MAX, writePatiently, writeWaiting } from "./standard_streams.ts";

// What only these tests call.
const extra = Deno.dlopen("libc.so.6", {
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
}).symbols;
const AF_UNIX = 1, SOCK_STREAM = 1;
const O_NONBLOCK = 0x800;
const SET_PIPE_SIZE = 1031;
const SET_FLAGS = 4;
const PIPE_SIZE = 4096;

/** A small pipe of which the test is the reader. */
class Pipe implements Disposable {
  readonly writer: number;
  #reader: number;

  constructor(flags = 0) {
    const ends = allocate(8);
    assert.equal(extra.pipe2(ends.bytes, 0), 0);
    this.#reader = ends.view.getInt32(0, true);
    this.writer = ends.view.getInt32(4, true);
    assert.equal(extra.fcntl(this.writer, SET_PIPE_SIZE, PIPE_SIZE), PIPE_SIZE);
    assert.equal(extra.fcntl(this.#reader, SET_FLAGS, O_NONBLOCK), 0);
    assert.equal(extra.fcntl(this.writer, SET_FLAGS, flags), 0);
  }

  /** Reads what is there, without waiting. */
  read(): string {
    const buffer = new Uint8Array(1 << 20);
    const count = libc().read(this.#reader, buffer, BigInt(buffer.length));
    return new TextDecoder().decode(buffer.subarray(0, Math.max(0, count)));
  }

  closeReader(): void {
    if (this.#reader >= 0) libc().close(this.#reader);
    this.#reader = -1;
  }

  [Symbol.dispose](): void {
    this.closeReader();
    libc().close(this.writer);
  }
}

const lost = { lostLine: (count: number) => `${count} lost\n` };

/** Reads until the queue has written everything. */
async function drain(pipe: Pipe, queue: LineQueue): Promise<string> {
  let text = "";
  while (!await queue.settled(1)) text += pipe.read();
  return text + pipe.read();
}

for (const flags of [0, O_NONBLOCK]) {
  const kind = flags === 0 ? "blocking" : "non-blocking";

  const writeAndCount = async () => {
    using pipe = new Pipe(flags);
    const queue = new LineQueue(pipe.writer, lost);
    const line = (i: number) => `line ${i} ${"x".repeat(90)}\n`;
    const count = Math.ceil(2 * QUEUE_OCTETS_MAX / line(0).length);
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      queue.write(line(i));
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const took = performance.now() - start;
    assert.equal(await queue.settled(10), false);
    const lines = (await drain(pipe, queue)).split("\n");
    const numbers = lines.map((text) => /^line (\d+) x{90}$/.exec(text)?.[1]).filter((n) =>
      n !== undefined
    );
    const told = lines.map((text) => /^(\d+) lost$/.exec(text)?.[1]).filter((n) => n !== undefined);
    assert.deepEqual(
      numbers.map(Number),
      numbers.map((_, i) => i),
      "the first ones, whole, in order",
    );
    assert.equal(numbers.length + told.map(Number).reduce((a, b) => a + b, 0), count);
    assert.ok(told.length >= 1);
    return took;
  };

  Deno.test(`a ${kind} pipe that nobody reads loses lines and keeps nobody waiting`, async () => {
    await quickOnce(2000, writeAndCount);
  });
}

Deno.test("a reader that is gone is no reason to wait, nor to keep lines", async () => {
  using pipe = new Pipe();
  pipe.closeReader();
  const queue = new LineQueue(pipe.writer, lost);
  for (let i = 0; i < 10; i++) queue.write(`line ${i}\n`);
  assert.equal(await queue.settled(1000), true);
});

Deno.test("in haste as much is written as needs no waiting", () => {
  using pipe = new Pipe();
  const text = new TextEncoder().encode("a".repeat(PIPE_SIZE + 10));
  assert.equal(writeAtOnce(pipe.writer, text), false);
  assert.equal(pipe.read().length, PIPE_SIZE);
  assert.equal(writeAtOnce(pipe.writer, text.subarray(0, 10)), true);
  assert.equal(pipe.read(), "a".repeat(10));
  const queue = new LineQueue(pipe.writer, lost);
  queue.flushNow();
});

Deno.test("what cannot be written has its reason", () => {
  using pipe = new Pipe();
  pipe.closeReader();
  assert.equal(writeWaiting(pipe.writer, new Uint8Array(1)), 32);
  assert.equal(writeWaiting(-1, new Uint8Array(1)), 9);
});

Deno.test("a busy machine has longer to write than a reader who does not read", async () => {
  using pipe = new Pipe();
  const queue = new LineQueue(pipe.writer, lost);
  queue.write("a\n");
  // No time at all: it is the thread pool that is late, for the pipe has room.
  assert.equal(await queue.settled(0), true);
  assert.equal(pipe.read(), "a\n");
  queue.write(`${"x".repeat(PIPE_SIZE + 1)}\n`);
  assert.equal(await queue.settled(50), false);
  await drain(pipe, queue);
});

/** A writer that writes when the test says so, on another thread as it were. */
class SlowWriter implements LineWriter {
  written = "";
  #underWay = "";
  #isFinished = false;
  readonly #isTakenAtTheEnd: boolean;

  constructor(isTakenAtTheEnd: boolean) {
    this.#isTakenAtTheEnd = isTakenAtTheEnd;
  }

  get isBusy(): boolean {
    return this.#underWay !== "";
  }

  take(octets: Uint8Array<ArrayBuffer>): number {
    if (this.isBusy && !this.#isFinished) return 0;
    const text = new TextDecoder().decode(octets);
    if (this.#isFinished) this.written += text;
    else this.#underWay = text;
    return octets.length;
  }

  room(): Promise<boolean> {
    return new Promise(() => {});
  }

  finish(): void {
    if (!this.#isTakenAtTheEnd) this.written += this.#underWay;
    this.#underWay = "";
    this.#isFinished = true;
  }
}

Deno.test("in haste what is under way is finished before the rest, and no line is repeated", () => {
  for (const isTaken of [false, true]) {
    const writer = new SlowWriter(isTaken);
    const queue = new LineQueue(-1, { ...lost, writer });
    for (const line of ["a\n", "b\n", "c\n"]) queue.write(line);
    assert.equal(writer.written, "");
    queue.flushNow();
    queue.flushNow();
    assert.equal(writer.written, isTaken ? "b\nc\n" : "a\nb\nc\n");
  }
});

Deno.test("a pipe and a socket have every line at once, so that haste loses none", () => {
  using pipe = new Pipe();
  const queue = new LineQueue(pipe.writer, lost);
  for (const line of ["a\n", "b\n"]) queue.write(line);
  assert.equal(pipe.read(), "a\nb\n");
  const ends = allocate(8);
  assert.equal(extra.socketpair(AF_UNIX, SOCK_STREAM, 0, ends.bytes), 0);
  const [writer, reader] = [ends.view.getInt32(0, true), ends.view.getInt32(4, true)];
  new LineQueue(writer, lost).write("c\n");
  const buffer = new Uint8Array(10);
  assert.equal(libc().read(reader, buffer, 10n), 2);
  libc().close(writer);
  libc().close(reader);
});

for (const append of [true, false]) {
  Deno.test(`a file has each line once, ${append ? "appended" : "from the start"}, however the thread is late`, async () => {
    const path = cString(`/tmp/ntpsd-lines-${crypto.randomUUID()}`) ?? assert.fail();
    const flags = O_RDWR | O_CREAT | (append ? O_APPEND : 0);
    const fd = libc().open(path, flags, 0o600);
    const read = () => {
      const buffer = new Uint8Array(100);
      const count = libc().pread(fd, buffer, 100n, 0n);
      return new TextDecoder().decode(buffer.subarray(0, Math.max(0, count)));
    };
    let begin: (() => void) | undefined;
    const late = new Promise<void>((resolve) => begin = resolve);
    const undo = replaceCalls({
      here: {},
      background: (name, real) =>
        name !== "write" ? real : async (...args) => {
          await late;
          return await real(...args);
        },
    });
    try {
      const ready = new LineQueue(fd, lost);
      for (const line of ["a\n", "b\n"]) ready.write(line);
      ready.flushNow();
      assert.equal(read(), "a\nb\n");
      begin?.();
      assert.equal(await ready.settled(1000), true);
      assert.equal(read(), "a\nb\n");
    } finally {
      undo();
    }
    const queue = new LineQueue(fd, lost);
    for (const line of ["c\n", "d\n"]) queue.write(line);
    assert.equal(await queue.settled(1000), true);
    assert.equal(read(), "a\nb\nc\nd\n");
    libc().unlink(path);
    libc().close(fd);
  });
}

Deno.test("the last words of a service wait for a reader, not for want of one", () => {
  using pipe = new Pipe();
  const bytes = new Uint8Array(3000).fill(97);
  assert.equal(writePatiently(pipe.writer, { bytes, milliseconds: 1 }), true);
  assert.equal(writePatiently(pipe.writer, { bytes, milliseconds: 1 }), false);
  assert.equal(pipe.read().length, 3000);
  assert.equal(writePatiently(pipe.writer, { bytes, milliseconds: 60_000 }), true);
});
