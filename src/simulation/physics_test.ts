/** The simulated physics against closed forms. */
import assert from "node:assert/strict";
import { Draws, streamSeed } from "./draws.ts";
import { type OscillatorModel, SimulatedOscillator } from "./oscillator.ts";
import { type DelayModel, drawDelay, drawLoss } from "./delay.ts";

const QUIET: OscillatorModel = { frequency: 0, wander: 0 };
const PATH: DelayModel = { delay: 0.01, jitter: 0.001, distribution: "none", shape: 1.5, loss: 0 };

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) };
}

function near(actual: number, expected: number, relative: number): void {
  const message = `Wanted ${expected} within ${relative * 100} percent and found ${actual}`;
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), message);
}

Deno.test("normal draws have mean 0, variance 1 and the kurtosis 3", () => {
  const draws = Draws.stream(1, "test");
  const values = Array.from({ length: 200_000 }, () => draws.normal());
  const { mean, variance } = moments(values);
  assert.ok(Math.abs(mean) < 0.01);
  near(variance, 1, 0.015);
  near(moments(values.map((value) => value ** 2)).variance, 2, 0.05);
});

Deno.test("exponential draws have mean J and variance J squared", () => {
  const draws = Draws.stream(2, "test");
  const { mean, variance } = moments(
    Array.from({ length: 200_000 }, () => draws.exponential(0.003)),
  );
  near(mean, 0.003, 0.01);
  near(variance, 0.003 ** 2, 0.03);
});

Deno.test("Lomax draws have the closed form's mean, median and tail", () => {
  const draws = Draws.stream(3, "test");
  // Shape 3 has a variance: mean^2 times shape / (shape - 2) = 3.
  const mild = moments(Array.from({ length: 400_000 }, () => draws.lomax(0.001, 3)));
  near(mild.mean, 0.001, 0.015);
  near(mild.variance, 3e-6, 0.15);
  // Shape 1.5 and mean 1 ms: scale 0.5 ms; P(X > x) = (1 + x / scale)^-1.5.
  const heavy = Array.from({ length: 400_000 }, () => draws.lomax(0.001, 1.5)).sort((a, b) =>
    a - b
  );
  near(heavy[200_000] ?? 0, 0.0005 * (2 ** (1 / 1.5) - 1), 0.02);
  const tail = heavy.filter((value) => value > 0.01).length / heavy.length;
  near(tail, 21 ** -1.5, 0.05);
});

Deno.test("a path gives its floor, its queue and its losses", () => {
  const draws = Draws.stream(4, "test");
  assert.equal(drawDelay(PATH, draws, { time: 0, burst: 1 }), 0.01);
  const queued = { ...PATH, distribution: "exponential" } as const;
  near(
    moments(Array.from({ length: 100_000 }, () => drawDelay(queued, draws, { time: 0, burst: 1 })))
      .mean,
    0.011,
    0.005,
  );
  const busy = { ...queued, congestion: { factor: 10, period: 86_400 } };
  const atNoon = Array.from(
    { length: 100_000 },
    () => drawDelay(busy, draws, { time: 21_600, burst: 1 }),
  );
  near(moments(atNoon).mean, 0.02, 0.01);
  const lossy = { ...PATH, loss: 0.2 };
  const lost =
    Array.from({ length: 100_000 }, () => drawLoss(lossy, draws)).filter((x) => x).length;
  near(lost, 20_000, 0.03);
});

Deno.test("a constant frequency error adds up exactly, however time is cut", () => {
  const whole = new SimulatedOscillator({ ...QUIET, frequency: 50 }, Draws.stream(5, "a"));
  assert.ok(Math.abs(whole.advance(200_000) - 10) < 1e-10);
  const cut = new SimulatedOscillator({ frequency: 50, wander: 1e-9 }, Draws.stream(5, "a"));
  const uncut = new SimulatedOscillator({ frequency: 50, wander: 1e-9 }, Draws.stream(5, "a"));
  for (let t = 0; t <= 5000; t += 0.37) cut.advance(t);
  cut.advance(5000);
  uncut.advance(5000);
  assert.ok(Math.abs(cut.phaseError - uncut.phaseError) < 1e-12);
  assert.equal(cut.relativeFrequency, uncut.relativeFrequency);
});

Deno.test("random-walk wander: frequency variance W^2 n, phase variance W^2 (n-1)n(2n-1)/6", () => {
  const wander = 1e-9, n = 1000;
  const runs = Array.from({ length: 4000 }, (_, seed) => {
    const oscillator = new SimulatedOscillator({ ...QUIET, wander }, Draws.stream(seed, "walk"));
    oscillator.advance(n);
    return oscillator;
  });
  near(moments(runs.map((run) => run.relativeFrequency)).variance, wander ** 2 * n, 0.1);
  // The phase after n seconds is the sum over i < n of the frequency after i steps: sum of k^2 for
  // k < n.
  const expected = wander ** 2 * (n - 1) * n * (2 * n - 1) / 6;
  near(moments(runs.map((run) => run.phaseError)).variance, expected, 0.1);
});

Deno.test("a temperature swing integrates to its closed form", () => {
  const temperature = { amplitude: 3, period: 3600 };
  const oscillator = new SimulatedOscillator({ ...QUIET, temperature }, Draws.stream(6, "t"));
  oscillator.advance(1800);
  // The integral of A sin over half a period is A times period / pi.
  near(oscillator.phaseError, 3e-6 * 3600 / Math.PI, 1e-6);
  oscillator.advance(3600);
  assert.ok(Math.abs(oscillator.phaseError) < 1e-12);
});

Deno.test("ageing and steps of the frequency last", () => {
  const oscillator = new SimulatedOscillator(
    { ...QUIET, agingPpmPerDay: 1 },
    Draws.stream(7, "t"),
  );
  oscillator.advance(86_400);
  near(oscillator.phaseError, 1e-6 * 86_400 / 2, 1e-4);
  oscillator.stepFrequency(2);
  near(oscillator.advance(86_401), 3e-6, 1e-4);
});

Deno.test("streams of different parts and seeds differ, and one stream repeats itself", () => {
  const seeds = new Set<number>();
  for (let seed = 0; seed < 1000; seed++) {
    for (const part of ["oscillator", "server 1 forward", "server 1 backward"]) {
      seeds.add(streamSeed(seed, part));
    }
  }
  assert.equal(seeds.size, 3000);
  assert.equal(Draws.stream(9, "x").uniform(), Draws.stream(9, "x").uniform());
});

Deno.test("the two directions of a path are independent: the offset's variance is J^2 / 2", () => {
  const offsets: number[] = [], excesses: number[] = [];
  for (let seed = 1; seed <= 20; seed++) {
    const forward = Draws.stream(seed, "a forward"), backward = Draws.stream(seed, "a backward");
    for (let i = 0; i < 10_000; i++) {
      const out = forward.exponential(1), back = backward.exponential(1);
      offsets.push((out - back) / 2);
      excesses.push(out + back);
    }
  }
  near(moments(offsets).variance, 0.5, 0.015);
  near(moments(excesses).variance, 2, 0.015);
  assert.ok(Math.abs(moments(offsets).mean) < 0.005);
  // Given the excess e, the offset is uniform on +-e/2: its variance is e^2 / 12.
  const scaled = offsets.map((offset, i) => offset / (excesses[i] ?? 1));
  near(moments(scaled).variance, 1 / 12, 0.01);
});
