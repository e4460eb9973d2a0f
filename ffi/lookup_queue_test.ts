import assert from "node:assert/strict";
import { LookupQueue } from "./lookup_queue.ts";

/** A resolver whose answers come when the test says so. */
class Resolver {
  now = 0;
  readonly started: string[] = [];
  readonly queue = new LookupQueue<string>(8, () => this.now);
  readonly #pending = new Map<string, (value: string) => void>();

  ask(name: string): Promise<string> {
    return this.queue.look(name, () => {
      this.started.push(name);
      return new Promise((resolve) => this.#pending.set(name, resolve));
    });
  }

  async answer(name: string, after = 0): Promise<void> {
    this.now += after;
    this.#pending.get(name)?.(`address of ${name}`);
    this.#pending.delete(name);
    // Everything that follows from the answer happens in microtasks.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

const silent = (i: number) => `silent-${i}`;

Deno.test("of a hundred silent names a few are under way, and a known one comes in between", async () => {
  const resolver = new Resolver();
  void resolver.ask("good");
  await resolver.answer("good", 10);
  for (let i = 0; i < 100; i++) void resolver.ask(silent(i));
  assert.equal(resolver.started.length, 1 + 7);
  const good = resolver.ask("good");
  assert.equal(resolver.started.at(-1), "good");
  await resolver.answer("good", 10);
  assert.equal(await good, "address of good");
  assert.equal(resolver.queue.length, 93);
});

Deno.test("silent names of one domain do not keep a new name of another waiting", async () => {
  const resolver = new Resolver();
  for (let i = 0; i < 20; i++) void resolver.ask(`${silent(i)}.example.org`);
  assert.equal(resolver.started.length, 4);
  const good = resolver.ask("good.example.net");
  assert.equal(resolver.started.at(-1), "good.example.net");
  await resolver.answer("good.example.net");
  assert.equal(await good, "address of good.example.net");
  await resolver.answer(`${silent(0)}.example.org`);
  assert.deepEqual(resolver.started.slice(5), [`${silent(4)}.example.org`]);
});

Deno.test("names that were slow leave room for new ones", async () => {
  const resolver = new Resolver();
  for (let i = 0; i < 7; i++) void resolver.ask(silent(i));
  resolver.now += 10_000;
  for (let i = 0; i < 7; i++) await resolver.answer(silent(i));
  for (let i = 0; i < 7; i++) void resolver.ask(silent(i));
  assert.equal(resolver.started.length, 7 + 5);
  void resolver.ask("new-1");
  void resolver.ask("new-2");
  assert.deepEqual(resolver.started.slice(-2), ["new-1", "new-2"]);
  // The slow ones come too, when there is room.
  await resolver.answer("new-1");
  await resolver.answer("new-2");
  await resolver.answer(silent(0));
  assert.equal(resolver.started.length, 7 + 5 + 2 + 1);
});

Deno.test("a name is looked up once for all who ask at a time, and again afterwards", async () => {
  const resolver = new Resolver();
  const asked = Array.from({ length: 40 }, () => resolver.ask("pool"));
  assert.deepEqual(resolver.started, ["pool"]);
  await resolver.answer("pool");
  assert.deepEqual(new Set(await Promise.all(asked)), new Set(["address of pool"]));
  void resolver.ask("pool");
  assert.equal(resolver.started.length, 2);
});

Deno.test("a look-up that fails gives its place back", async () => {
  const queue = new LookupQueue<string>(1, () => 0);
  for (let i = 0; i < 3; i++) {
    await assert.rejects(queue.look(silent(i), () => Promise.reject(new Error("no"))));
  }
  assert.equal(await queue.look("good", () => Promise.resolve("here")), "here");
});
