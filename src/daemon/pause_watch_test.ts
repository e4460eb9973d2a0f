import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { PATIENCE_MS, waitUntil } from "../../tests/support/wait_until.ts";
import { PauseWatch } from "./pause_watch.ts";

/** A machine whose clocks are set by hand. */
class Machine {
  hardware: number | undefined = 1000;
  realtime = 1000;
  reads = 0;
  readonly paused: number[] = [];
  readonly watch = new PauseWatch((seconds) => this.paused.push(seconds), {
    read: () => {
      this.reads++;
      return Promise.resolve(this.hardware === undefined ? undefined : `${this.hardware}\n`);
    },
    now: () => BigInt(this.realtime) * 1_000_000_000n,
  });

  /** Lets two seconds pass, and waits until the clocks were compared. */
  async look(): Promise<void> {
    const before = this.reads;
    this.watch.tick();
    this.watch.tick();
    await waitUntil(() => this.reads > before, { timeoutMs: PATIENCE_MS, what: () => "a look" });
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.realtime += 2;
    if (this.hardware !== undefined) this.hardware += 2;
  }
}

Deno.test("a machine that stood still learns for how long from its hardware clock", async () => {
  const machine = new Machine();
  await machine.look();
  assert.deepEqual(machine.paused, []);
  machine.hardware = (machine.hardware ?? 0) + 3600;
  await machine.look();
  await machine.look();
  assert.deepEqual(machine.paused, [3600]);
});

Deno.test("a step of the clock is no time that it stood still", async () => {
  const machine = new Machine();
  await machine.look();
  machine.realtime -= 500;
  machine.watch.clockStepped();
  await machine.look();
  assert.deepEqual(machine.paused, []);
});

Deno.test("a hardware clock that cannot be read is left alone for a minute", async () => {
  const machine = new Machine();
  machine.hardware = undefined;
  await machine.look();
  for (let i = 0; i < 50; i++) machine.watch.tick();
  assert.equal(machine.reads, 1);
  for (let i = 0; i < 20; i++) machine.watch.tick();
  assert.equal(machine.reads, 2);
});

Deno.test("a hardware clock that jumps all the time is no witness", async () => {
  const machine = new Machine();
  for (let i = 0; i < 100; i++) {
    machine.hardware = (machine.hardware ?? 0) + 10;
    await machine.look();
  }
  assert.equal(machine.paused.length, 60);
  for (let i = 0; i < 3600; i++) machine.watch.tick();
  await new Promise((resolve) => setTimeout(resolve, 0));
  machine.hardware = (machine.hardware ?? 0) + 10;
  await machine.look();
  await machine.look();
  assert.ok(machine.paused.length > 60);
});
