import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import { LineQueue, QUEUE_OCTETS_MAX, writeAtOnce, writeWaiting } from "./standard_streams.ts";

// What only these tests call.
const extra = Deno.dlopen("libc.so.6", {
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
}).symbols;
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

const lost = (count: number) => `${count} lost\n`;

/** Reads until the queue has written everything. */
async function drain(pipe: Pipe, queue: LineQueue): Promise<string> {
  let text = "";
  while (!await queue.settled(1)) text += pipe.read();
  return text + pipe.read();
}

for (const flags of [0, O_NONBLOCK]) {
  const kind = flags === 0 ? "blocking" : "non-blocking";

  Deno.test(`a ${kind} pipe that nobody reads loses lines and keeps nobody waiting`, async () => {
    using pipe = new Pipe(flags);
    const queue = new LineQueue(pipe.writer, lost);
    const line = (i: number) => `line ${i} ${"x".repeat(90)}\n`;
    const count = Math.ceil(2 * QUEUE_OCTETS_MAX / line(0).length);
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      queue.write(line(i));
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.ok(performance.now() - start < 2000);
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
