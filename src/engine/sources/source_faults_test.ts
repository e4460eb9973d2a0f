/**
 * What goes wrong inside ntpsd with one source stays with it: faults are put into the program, and
 * the clock stays right.
 */
import assert from "node:assert/strict";
import { EngineWorld } from "../../../tests/support/engine_world.ts";
import { Association } from "../../association/association.ts";
import { SourceGroup } from "../../association/source_group.ts";
import { Discipline } from "../../discipline/discipline.ts";
import { FilterBank } from "../../discipline/filter_bank.ts";
import { SourceFaults } from "./source_faults.ts";

type Method = (...args: never[]) => unknown;

/** Runs something while a method of the program is another one. */
function withMethod(
  prototype: object,
  replaced: { readonly name: string; readonly by: (original: Method) => Method },
  run: () => void,
): void {
  const methods = prototype as Record<string, Method>;
  const original = methods[replaced.name];
  assert.ok(original !== undefined);
  methods[replaced.name] = replaced.by(original);
  try {
    run();
  } finally {
    methods[replaced.name] = original;
  }
}

/** Fails in every n-th call that the test picks. */
function failing(isBad: (self: unknown, call: number, args: readonly unknown[]) => boolean) {
  let calls = 0;
  return (original: Method): Method =>
    function (this: unknown, ...args: never[]) {
      if (isBad(this, ++calls, args)) throw new TypeError("injected");
      return original.apply(this, args);
    };
}

function dropped(world: EngineWorld): number {
  return world.snapshot.sources.reduce(
    (sum, source) => sum + (source.dropped["internal-error"] ?? 0),
    0,
  );
}

/** The clock is right, one line tells of each bad source, and everything can be read. */
function assertRight(world: EngineWorld, what: string): void {
  assert.ok(Math.abs(world.offset) < 1e-3, `${what}: ${world.offset}`);
  assert.equal(world.snapshot.state, "synchronized", what);
  assert.ok(world.engine.servedTime(world.now).synchronized, what);
  const told = world.logs.filter((line) => line.includes("a bug in ntpsd"));
  assert.ok(told.length >= 1 && told.length <= 3, `${what}: ${told.join("\n")}`);
  assert.ok(told.every((line) => line.startsWith("error: Source ") && line.includes("injected")));
  assert.ok(dropped(world) > 0, what);
}

function worldOfThree(): EngineWorld {
  const world = new EngineWorld({ offset: 0.02, drift: 1e-5 });
  world.start().run(300);
  return world;
}

Deno.test("a source whose packets, timers or measurements fail is dropped, and the others keep the clock", () => {
  const bad = (self: unknown) =>
    self instanceof Association && self.address.address === "192.0.2.2";
  const faults: readonly (readonly [object, string, ReturnType<typeof failing>])[] = [
    [Association.prototype, "handleDatagram", failing((self) => bad(self))],
    [Association.prototype, "handleTimer", failing((self) => bad(self))],
    [SourceGroup.prototype, "handleDatagram", failing((_, call) => call % 3 === 0)],
    [Discipline.prototype, "observe", failing((_, __, [id]) => id === 2)],
    [Discipline.prototype, "combine", failing((_, call) => call % 5 === 0)],
    [FilterBank.prototype, "update", failing((_, call) => call % 97 === 0)],
    [FilterBank.prototype, "advance", failing((_, call) => call % 61 === 0)],
  ];
  for (const [prototype, name, by] of faults) {
    const world = worldOfThree();
    withMethod(prototype, { name, by }, () => world.run(1500));
    world.run(8000);
    assertRight(world, name);
  }
});

Deno.test("numbers that are none never reach the clock", () => {
  const world = worldOfThree();
  let calls = 0;
  const spoil = (original: Method) =>
    function (this: FilterBank, ...args: never[]) {
      const outcome = original.apply(this, args);
      if (++calls % 50 === 0) this.shiftOffset(NaN);
      return outcome;
    };
  withMethod(
    FilterBank.prototype,
    { name: "update", by: spoil },
    () => world.run(2000),
  );
  world.run(8000);
  assert.ok(Math.abs(world.offset) < 1e-3, `${world.offset}`);
  assert.ok(world.commands.every(({ frequency, step }) => Number.isFinite(frequency + step)));
  assert.ok(dropped(world) > 0);
});

Deno.test("a source that fails again and again is left out for an hour, with a reason", () => {
  const world = worldOfThree();
  const by = failing((_, __, [id]) => id === 2);
  withMethod(
    Discipline.prototype,
    { name: "observe", by },
    () => {
      world.run(1000);
      const source = world.source("192.0.2.2");
      assert.equal(source.status, "distant");
      assert.equal(
        source.reason,
        "Left out for an hour: handling it failed 3 times inside ntpsd (internal-error)",
      );
      assert.equal(source.dropped["internal-error"], 3);
    },
  );
  world.run(8000);
  assert.ok(["selected", "combined"].includes(world.source("192.0.2.2").status));
});

Deno.test("faults are told once for each source, and one hour apart they do not add up", () => {
  const faults = new SourceFaults();
  const fail = (key: number, now: number) =>
    faults.guard({ key, name: `s${key}`, now }, {
      run: () => {
        throw new RangeError("odd");
      },
    });
  assert.match(JSON.stringify(fail(1, 0)), /Source s1: a bug in ntpsd.*RangeError: odd/);
  assert.deepEqual(fail(1, 4000), []);
  assert.deepEqual(fail(1, 8000), []);
  assert.deepEqual([faults.count(1), faults.isLeftOut(1, 8000)], [3, false]);
  fail(1, 8100);
  fail(1, 8200);
  assert.deepEqual([faults.isLeftOut(1, 8300), faults.isLeftOut(1, 12_000)], [true, false]);
  assert.equal(fail(2, 0).length, 1);
  faults.forget(1);
  assert.equal(faults.count(1), 0);
  const both = faults.guard({ key: 3, name: "s3", now: 0 }, {
    run: () => {
      throw new Error("first");
    },
    recover: () => {
      throw new Error("second");
    },
  });
  assert.deepEqual([both.length, faults.count(3)], [1, 2]);
});
