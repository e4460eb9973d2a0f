import assert from "node:assert/strict";
import type { Instant } from "../../base/instant.ts";
import { ntpTimestamp } from "../../base/ntp_timestamp.ts";
import { err, ok } from "../../base/result.ts";
import { parseConfig } from "../../config/parse.ts";
import { Discipline, type SystemEstimate } from "../../discipline/discipline.ts";
import { ClockControl, type SteeringContext } from "./clock_control.ts";
import type { Action, KernelStatus, SetClockAction } from "../events.ts";

const STATUS: KernelStatus = {
  synchronized: true,
  leap: "none",
  maxError: 0.01,
  estimatedError: 0.001,
  taiOffset: undefined,
};

const LIMITS = `
[synchronization]
step-threshold = "128ms"
step-limit = 3
single-step-panic-threshold = "1000s"
[clock]
max-frequency-ppm = 500
max-slew-ppm = 50000
`;

function at(monotonic: number): Instant {
  return { monotonic, realtime: ntpTimestamp(BigInt(Math.round(monotonic)) << 32n) };
}

function context(monotonic: number): SteeringContext {
  return { now: at(monotonic), pollInterval: 64, uncertainty: 1e-5, status: STATUS };
}

function estimate(offset: number, frequencyPpm = 0): SystemEstimate {
  return {
    offset,
    offsetVariance: 1e-10,
    frequency: frequencyPpm * 1e-6,
    frequencyVariance: 1e-14,
    likelyFrequencyVariance: 1e-14,
    likelyWanderVariance: 1e-18,
    age: 0,
    doubt: 0,
  };
}

function makeControl(mayAdjust = true): { control: ClockControl; discipline: Discipline } {
  const config = parseConfig(LIMITS);
  assert.ok(config.ok);
  const { synchronization, clock } = config.value.config;
  const prior = { frequency: 0, variance: 1e-8 };
  const discipline = new Discipline({ now: 0, rate: 0, prior, precision: 1e-8 });
  return {
    discipline,
    control: new ClockControl({ discipline, synchronization, clock, mayAdjust }),
  };
}

/** The one command among the actions. */
function commandOf(actions: readonly Action[]): SetClockAction {
  const commands = actions.filter((action) => action.type === "set-clock");
  assert.equal(commands.length, 1);
  assert.ok(commands[0] !== undefined);
  return commands[0];
}

function logsOf(actions: readonly Action[]): readonly string[] {
  return actions.flatMap((action) =>
    action.type === "log" ? `${action.level}: ${action.message}` : []
  );
}

function assertPpm(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} ppm instead of ${expected}`);
}

Deno.test("a small offset is slewed over half a poll interval, on top of the frequency", () => {
  const { control } = makeControl();
  const command = commandOf(control.update(estimate(320e-6, -20), context(100)));
  // 320 us in 32 s
  assertPpm(command.frequency, -10);
  assert.deepEqual([command.step, command.status], [0, STATUS]);
  assert.equal(control.nextWakeup(), 132);
  assert.deepEqual(control.steps, { count: 0, accumulatedSeconds: 0 });
});

Deno.test("when the slew is done the clock goes on at its frequency alone", () => {
  const { control } = makeControl();
  control.update(estimate(320e-6, -20), context(100));
  assert.deepEqual(control.handleTimer(estimate(1e-4, -20), context(131.9)), []);
  const command = commandOf(control.handleTimer(estimate(1e-8, -20), context(132)));
  assertPpm(command.frequency, -20);
  // what the kernel says of our error is refreshed every 64 s
  assert.equal(control.nextWakeup(), 196);
  assertPpm(commandOf(control.handleTimer(estimate(0, -20), context(196))).frequency, -20);
});

Deno.test("at the start an offset is removed in a hurry, until the clock is known to be right or a minute is over", () => {
  const isHurried = (control: ClockControl, now: number) =>
    commandOf(control.update(estimate(5e-3), context(now))).frequency > 1000;
  const young = makeControl().control;
  // nearly nothing is left, but little is known of it, or of the frequency
  young.update(estimate(1e-5), { ...context(100), uncertainty: 1e-3 });
  young.update({ ...estimate(1e-5), frequencyVariance: 1e-9 }, context(101));
  assert.ok(isHurried(young, 110));
  assert.ok(!isHurried(young, 161));
  const right = makeControl().control;
  right.update(estimate(1e-5), context(100));
  assert.ok(!isHurried(right, 110));
  right.restart();
  assert.ok(isHurried(right, 500));
});

Deno.test("what a late timer slewed too far is taken out again", () => {
  const { control } = makeControl();
  control.update(estimate(0.09), context(100));
  assert.equal(control.nextWakeup(), 101.8);
  const command = commandOf(control.handleTimer(estimate(-1e-3), context(101.82)));
  assert.ok(command.frequency < 0, `${command.frequency}`);
});

Deno.test("a large offset is stepped in the first updates, and said so", () => {
  const { control } = makeControl();
  const actions = control.update(estimate(-0.2, 5), context(100));
  const command = commandOf(actions);
  assert.equal(command.step, -0.2);
  assertPpm(command.frequency, 5);
  assert.deepEqual(logsOf(actions), ["warning: The clock is stepped by -0.200000 s"]);
  assert.deepEqual(control.steps, { count: 1, accumulatedSeconds: 0.2 });
});

Deno.test("later it is slewed, as fast as the limit allows", () => {
  const { control } = makeControl();
  for (let i = 0; i < 3; i++) control.update(estimate(0), context(100 + i));
  const actions = control.update(estimate(-10), context(200));
  const command = commandOf(actions);
  assert.equal(command.step, 0);
  assert.deepEqual(logsOf(actions), [
    "warning: The clock is 10.000 s ahead of what the sources agree on; step-limit allows no further step, " +
    "and slewing takes at least 200 s",
  ]);
  assertPpm(command.frequency, -50_000);
  // 200 s at that rate, but the status is refreshed in between
  assert.equal(control.nextWakeup(), 264);
  assert.deepEqual(logsOf(control.update(estimate(-9), context(220))), [], "it is told once");
});

Deno.test("an offset beyond the panic threshold ends the daemon, and the clock is not touched", () => {
  const { control } = makeControl();
  control.update(estimate(0.01, 5), context(100));
  const [command, panic, ...others] = control.update(estimate(2000, 400), context(200));
  assert.ok(command?.type === "set-clock" && others.length === 0);
  assertPpm(command.frequency, 5);
  assert.deepEqual([command.step, command.status.synchronized], [0, false]);
  assert.ok(panic?.type === "panic");
  assert.match(
    panic.message,
    /^The clock is 2000\.000 s behind .* beyond the single-step-panic-threshold of 1000 s;/,
  );
  assert.deepEqual(control.finalCommand(estimate(2000, 400), STATUS), [], "nothing of it is kept");
  assert.deepEqual(control.steps, { count: 0, accumulatedSeconds: 0 });
});

Deno.test("a frequency beyond the limit is clamped, and told once until it is over, then if it lasts", () => {
  const { control } = makeControl();
  const notice =
    "warning: The clock needs a correction of 700.0 ppm, more than max-frequency-ppm = 500 allows: " +
    "it will drift";
  const first = control.update(estimate(0, 700), context(100));
  assert.deepEqual(logsOf(first), [notice]);
  assertPpm(commandOf(first).frequency, 500);
  assert.deepEqual(logsOf(control.update(estimate(0, 700), context(116))), []);
  const good = control.update(estimate(0, -499), context(132));
  assert.deepEqual(logsOf(good), []);
  assertPpm(commandOf(good).frequency, -499);
  assert.deepEqual(logsOf(control.update(estimate(0, 700), context(148))), []);
  assert.deepEqual(logsOf(control.update(estimate(0, 700), context(208))), [notice]);
});

Deno.test("the discipline follows what the kernel really did", () => {
  const { control, discipline } = makeControl();
  control.update(estimate(320e-6), context(100));
  assert.deepEqual(control.commandDone(ok({ frequency: 9.9, step: 0 }), at(100)), []);
  assertPpm(discipline.rate * 1e6, 9.9);
  control.update(estimate(320e-6), context(110));
  const actions = control.commandDone(ok({ frequency: 500, step: 0 }), at(110));
  assert.deepEqual(logsOf(actions), [
    "warning: The kernel runs the clock at 500.000 ppm instead of 5.333 ppm",
  ]);
  assertPpm(discipline.rate * 1e6, 500);
});

Deno.test("a command that failed leaves the account of the clock as it was", () => {
  const { control, discipline } = makeControl();
  control.update(estimate(320e-6), context(100));
  const actions = control.commandDone(err("clock_adjtime: EPERM"), at(100));
  assert.deepEqual(logsOf(actions), [
    "error: The clock could not be changed: clock_adjtime: EPERM",
  ]);
  assert.equal(discipline.rate, 0);
});

Deno.test("a clock that may not be adjusted is never commanded", () => {
  const { control } = makeControl(false);
  assert.equal(control.mayAdjust, false);
  assert.deepEqual(control.announce(STATUS, at(100)), []);
  const actions = control.update(estimate(5000), context(100));
  assert.ok(actions.every(({ type }) => type === "log"));
  assert.deepEqual(control.handleTimer(estimate(1), context(1000)), []);
  assert.deepEqual(control.finalCommand(estimate(1, 20), STATUS), []);
  assert.equal(control.nextWakeup(), Infinity);
});

Deno.test("the kernel hears of us at once, and is left at the best frequency when we end", () => {
  const { control } = makeControl();
  assert.deepEqual(control.announce(STATUS, at(100)), [
    { type: "set-clock", frequency: 0, step: 0, status: STATUS },
  ]);
  assert.deepEqual(control.finalCommand(undefined, STATUS), []);
  const command = commandOf(control.finalCommand(estimate(0.05, 20), STATUS));
  assertPpm(command.frequency, 20);
  assert.equal(command.step, 0);
});

Deno.test("without an estimate a timer keeps the rate and tells the status", () => {
  const { control, discipline } = makeControl();
  control.announce(STATUS, at(100));
  discipline.rateChanged(100, 12e-6);
  const command = commandOf(control.handleTimer(undefined, context(164)));
  assertPpm(command.frequency, 12);
});

Deno.test("after a disturbance steps are allowed as at the start, and the slew is over", () => {
  const { control } = makeControl();
  for (let i = 0; i < 3; i++) control.update(estimate(0), context(100 + i));
  control.update(estimate(1e-4), context(110));
  control.restart();
  // only the refresh is left
  assert.equal(control.nextWakeup(), 174);
  assert.equal(commandOf(control.update(estimate(7), context(120))).step, 7);
});

Deno.test("changed limits hold from the next decision on", () => {
  const { control } = makeControl();
  const config = parseConfig(
    `[synchronization]\nstep-threshold = "1s"\n[clock]\nmax-slew-ppm = 1000`,
  );
  assert.ok(config.ok);
  control.reconfigure(config.value.config.synchronization, config.value.config.clock);
  const command = commandOf(control.update(estimate(0.5), context(100)));
  assert.equal(command.step, 0);
  assertPpm(command.frequency, 1000);
});

Deno.test("an offset that crosses the threshold with every answer is told in pairs, seldom", () => {
  const { control } = makeControl(false);
  const lines: string[] = [];
  for (let t = 0; t < 3600; t += 16) {
    lines.push(...logsOf(control.update(estimate(t % 32 === 0 ? -0.2 : -0.1), context(t))));
  }
  assert.deepEqual(lines, [
    "warning: The clock is 0.200 s ahead of what the sources agree on, and is not adjusted",
    "info: The clock is near the right time again: 0.100 s ahead of what the sources agree on",
  ]);
});
