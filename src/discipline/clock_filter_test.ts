import assert from "node:assert/strict";
import { SeededRandom, uniform } from "../base/random.ts";
import { ClockFilter } from "./clock_filter.ts";
import { shareBias } from "./shared_bias.ts";
import { type Evidence, gaussianEvidence } from "./normal.ts";

type Vector = readonly number[];
type Matrix = readonly Vector[];

const START = { offset: 0.01, offsetVariance: 1e-4, frequency: 2e-5, frequencyVariance: 1e-9 };
const MODEL = { wander: 1e-8, whiteNoise: 1e-9 };
const OUT: Evidence = { logEvidence: 0, slope: 0, remaining: 1 };

/** A bias that has nothing in common with others. */
const own = (variance: number) => ({ ownVariance: variance, shares: [] });

/** Lets a filter take in a Gaussian observation. */
function observe(filter: ClockFilter, slot: number, sample: { value: number; variance: number }) {
  const belief = { mean: filter.expected(slot), variance: filter.expectedVariance(slot) };
  const observation = { mean: sample.value, variance: sample.variance };
  filter.update(slot, gaussianEvidence(observation, belief, OUT));
}

/** The Kalman filter of the textbook for the same model, with whole matrices. */
class PlainKalman {
  x: Vector;
  p: Matrix;

  constructor(biasVariances: Vector, shared: number) {
    this.x = [START.offset, START.frequency, ...biasVariances.map(() => 0)];
    const n = this.x.length;
    const p = Array.from({ length: n }, () => new Array<number>(n).fill(0));
    const diagonal = [START.offsetVariance, START.frequencyVariance, ...biasVariances];
    diagonal.forEach((variance, i) => (p[i] ?? [])[i] = variance);
    (p[2] ?? [])[3] = shared;
    (p[3] ?? [])[2] = shared;
    this.p = p;
  }

  advance(t: number): void {
    const f = identity(this.x.length);
    (f[0] ?? [])[1] = t;
    this.x = times(f, column(this.x)).map((row) => row[0] ?? 0);
    const p = times(times(f, this.p), transpose(f)).map((row) => [...row]);
    const walk = MODEL.wander ** 2;
    const noise = [
      [walk * t ** 3 / 3 + MODEL.whiteNoise ** 2 * t, walk * t ** 2 / 2],
      [walk * t ** 2 / 2, walk * t],
    ];
    this.p = p.map((row, i) => row.map((value, j) => value + (noise[i]?.[j] ?? 0)));
  }

  observe(slot: number, sample: { value: number; variance: number }): void {
    const n = this.x.length;
    const h = [Array.from({ length: n }, (_, i) => i === 0 || i === 2 + slot ? 1 : 0)];
    const ph = times(this.p, transpose(h));
    const s = (times(h, ph)[0]?.[0] ?? 0) + sample.variance;
    const residual = sample.value - (times(h, column(this.x))[0]?.[0] ?? 0);
    this.x = this.x.map((value, i) => value + (ph[i]?.[0] ?? 0) / s * residual);
    const reduction = times(ph, transpose(ph));
    this.p = this.p.map((row, i) => row.map((value, j) => value - (reduction[i]?.[j] ?? 0) / s));
  }
}

function identity(n: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => i === j ? 1 : 0));
}

function column(x: Vector): Matrix {
  return x.map((value) => [value]);
}

function transpose(a: Matrix): Matrix {
  return (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? 0));
}

function times(a: Matrix, b: Matrix): Matrix {
  return a.map((row) =>
    (b[0] ?? []).map((_, j) => row.reduce((sum, value, k) => sum + value * (b[k]?.[j] ?? 0), 0))
  );
}

function assertClose(actual: number, expected: number, relative = 1e-9): void {
  const bound = relative * Math.max(Math.abs(expected), 1e-15);
  assert.ok(Math.abs(actual - expected) <= bound, `${actual} is not ${expected}`);
}

Deno.test("for Gaussian observations it is exactly the Kalman filter", () => {
  const random = new SeededRandom(11);
  const filter = new ClockFilter(MODEL, START);
  const plain = new PlainKalman([4e-6, 1e-6], 0.8e-6);
  filter.addSource(own(4e-6));
  // the covariance 0.8e-6 with the first, as parts
  filter.addSource({ ownVariance: 1e-6 - 0.8e-6 * 0.2, shares: [0.2] });
  for (let i = 0; i < 200; i++) {
    const elapsed = 1 + 63 * uniform(random);
    const slot = i % 3 === 0 ? 1 : 0;
    const sample = {
      value: 0.01 + 1e-3 * uniform(random),
      variance: 1e-8 + 1e-6 * uniform(random),
    };
    filter.advance(elapsed);
    plain.advance(elapsed);
    observe(filter, slot, sample);
    plain.observe(slot, sample);
  }
  assertClose(filter.offset, plain.x[0] ?? NaN);
  assertClose(filter.frequency, plain.x[1] ?? NaN, 1e-7);
  assertClose(filter.bias(0), plain.x[2] ?? NaN, 1e-7);
  assertClose(filter.bias(1), plain.x[3] ?? NaN, 1e-7);
  assertClose(filter.offsetVariance, plain.p[0]?.[0] ?? NaN, 1e-7);
  assertClose(filter.offsetFrequencyCovariance, plain.p[0]?.[1] ?? NaN, 1e-7);
  assertClose(filter.frequencyVariance, plain.p[1]?.[1] ?? NaN, 1e-7);
  assertClose(filter.biasVariance(1), plain.p[3]?.[3] ?? NaN, 1e-7);
});

Deno.test("one Gaussian observation weighs by the variances", () => {
  const filter = new ClockFilter({ wander: 0, whiteNoise: 0 }, {
    offset: 0,
    offsetVariance: 3,
    frequency: 0,
    frequencyVariance: 1,
  });
  const slot = filter.addSource(own(1));
  observe(filter, slot, { value: 10, variance: 1 });
  // of 10 seconds 3/5 go to the offset, 1/5 to the bias, 1/5 to the noise
  assertClose(filter.offset, 6);
  assertClose(filter.bias(slot), 2);
  assertClose(filter.offsetVariance, 3 - 9 / 5);
  assertClose(filter.biasVariance(slot), 1 - 1 / 5);
  assertClose(filter.expected(slot), 8);
  // 3 + 1 - (3 + 1)²/5
  assertClose(filter.expectedVariance(slot), 4 - 16 / 5);
});

Deno.test("without samples the error grows by drift, wander and white noise", () => {
  const filter = new ClockFilter({ wander: 3e-8, whiteNoise: 2e-9 }, START);
  filter.advance(100);
  assertClose(filter.offset, 0.012);
  assertClose(filter.offsetVariance, 1e-4 + 1e-9 * 1e4 + 9e-16 * 1e6 / 3 + 4e-18 * 100);
  assertClose(filter.frequencyVariance, 1e-9 + 9e-16 * 100);
  assertClose(filter.offsetFrequencyCovariance, 1e-9 * 100 + 9e-16 * 1e4 / 2);
  const halves = new ClockFilter({ wander: 3e-8, whiteNoise: 2e-9 }, START);
  halves.advance(37);
  halves.advance(63);
  assertClose(halves.offsetVariance, filter.offsetVariance);
  filter.advance(0);
  filter.advance(-5);
  assertClose(filter.offset, 0.012);
});

Deno.test("variances stay positive, and no covariance exceeds what they allow", () => {
  const random = new SeededRandom(3);
  const filter = new ClockFilter(MODEL, START);
  for (let i = 0; i < 4; i++) filter.addSource(own(10 ** -(5 + i)));
  for (let i = 0; i < 5000; i++) {
    filter.advance(2 ** (10 * uniform(random) - 2));
    // samples of very unlike quality are what shakes the arithmetic
    const variance = 10 ** -(4 + 14 * uniform(random));
    observe(filter, i % 4, { value: 1e-3 * (uniform(random) - 0.5), variance });
    const { offsetVariance, frequencyVariance, offsetFrequencyCovariance } = filter;
    assert.ok(offsetVariance > 0 && frequencyVariance > 0, `after ${i} samples`);
    assert.ok(offsetFrequencyCovariance ** 2 <= offsetVariance * frequencyVariance);
    for (let slot = 0; slot < 4; slot++) {
      assert.ok(filter.biasVariance(slot) > 0);
      assert.ok(filter.expectedVariance(slot) > 0, `expected of ${slot} after ${i} samples`);
    }
  }
});

Deno.test("a source that is added changes nothing of what is believed", () => {
  const filter = new ClockFilter(MODEL, START);
  const first = filter.addSource(own(1e-6));
  for (let i = 0; i < 20; i++) {
    filter.advance(16);
    observe(filter, first, { value: 0.02, variance: 1e-8 });
  }
  const state = () => [
    filter.offset,
    filter.frequency,
    filter.offsetVariance,
    filter.frequencyVariance,
    filter.offsetFrequencyCovariance,
    filter.bias(first),
    filter.biasVariance(first),
    filter.expectedVariance(first),
  ];
  const before = state();
  const second = filter.addSource(own(4e-6));
  assert.deepEqual(state(), before);
  assert.equal(filter.slots, 2);
  assert.equal(filter.expected(second), filter.offset);
  assertClose(filter.expectedVariance(second), filter.offsetVariance + 4e-6);
});

Deno.test("what a new source says against a known one is taken for bias, not for the clock", () => {
  const filter = new ClockFilter({ wander: 1e-10, whiteNoise: 0 }, START);
  const known = filter.addSource(own(1e-10));
  for (let i = 0; i < 50; i++) {
    filter.advance(16);
    observe(filter, known, { value: 0, variance: 1e-10 });
  }
  const stranger = filter.addSource(own(1e-6));
  for (let i = 0; i < 50; i++) {
    filter.advance(16);
    observe(filter, known, { value: 0, variance: 1e-10 });
    observe(filter, stranger, { value: 1e-3, variance: 1e-10 });
  }
  // biases of 10 us and 1 ms: the clock goes 1 part in 10,000 of the way
  assert.ok(Math.abs(filter.offset) < 1e-6, `${filter.offset}`);
  assertClose(filter.bias(stranger), 1e-3, 1e-3);
});

Deno.test("two sources that share their bias are no better than one", () => {
  const after = (shared: number) => {
    const filter = new ClockFilter({ wander: 1e-10, whiteNoise: 0 }, START);
    filter.addSource(own(1e-6));
    const share = shared / 1e-6;
    filter.addSource({ ownVariance: 1e-6 * (1 - share * share), shares: [share] });
    for (let i = 0; i < 400; i++) {
      filter.advance(16);
      observe(filter, i % 2, { value: 0, variance: 1e-10 });
    }
    return filter.offsetVariance;
  };
  // however many samples: the mean of two biases has the variance (1 + correlation)/2
  assertClose(after(0), 0.5e-6, 0.02);
  assertClose(after(0.8e-6), 0.9e-6, 0.02);
  assertClose(after(0.999e-6), 1e-6, 0.02);
});

Deno.test("steps and doubts change what they say, and nothing else", () => {
  const filter = new ClockFilter(MODEL, START);
  const slot = filter.addSource(own(1e-6));
  filter.shiftOffset(-0.5);
  assertClose(filter.offset, 0.01 - 0.5);
  filter.inflateOffset(1e-5);
  filter.inflateFrequency(3e-9);
  filter.inflateBias(slot, 2e-6);
  assertClose(filter.offsetVariance, 1.1e-4);
  assertClose(filter.frequencyVariance, 4e-9);
  assertClose(filter.biasVariance(slot), 3e-6);
  assert.deepEqual([filter.frequency, filter.bias(slot)], [2e-5, 0]);
});

Deno.test("an offset that is moved against the biases changes nothing that sources show", () => {
  const filter = new ClockFilter(MODEL, START);
  const slots = [1e-6, 4e-6].map((variance) => filter.addSource(own(variance)));
  for (const slot of slots) observe(filter, slot, { value: 0.02 + 1e-3 * slot, variance: 1e-9 });
  const shown = () => slots.map((slot) => [filter.expected(slot), filter.expectedVariance(slot)]);
  const { offset, frequency, offsetVariance } = filter, before = shown();
  filter.shiftAgainstBiases(0.003);
  assertClose(filter.offset, offset + 0.003);
  for (const [i, [mean = NaN, variance]] of shown().entries()) {
    assertClose(mean, before[i]?.[0] ?? NaN);
    assert.equal(variance, before[i]?.[1]);
  }
  assert.deepEqual([filter.frequency, filter.offsetVariance], [frequency, offsetVariance]);
});

Deno.test("a filter that adopts another's belief goes on by itself", () => {
  const one = new ClockFilter(MODEL, START);
  const other = new ClockFilter(MODEL, { ...START, offset: 7, offsetVariance: 9 });
  one.addSource(own(1e-6));
  other.addSource(own(2e-6));
  one.adopt(other);
  assert.deepEqual([one.offset, one.offsetVariance, one.biasVariance(0)], [7, 9, 2e-6]);
  other.shiftOffset(1);
  assert.equal(one.offset, 7);
  other.addSource(own(1e-6));
  assert.throws(() => one.adopt(other), /same sources/);
});

Deno.test("a source that is removed leaves what its samples showed, and room for others", () => {
  const filter = new ClockFilter(MODEL, START);
  const slots = [1e-6, 4e-6, 2e-6].map((variance) => filter.addSource(own(variance)));
  const learn = () => {
    for (let i = 0; i < 30; i++) {
      filter.advance(16);
      observe(filter, i % filter.slots, { value: 0.02 + 1e-4 * (i % 3), variance: 1e-9 });
    }
  };
  learn();
  const clock = () => [
    filter.offset,
    filter.frequency,
    filter.offsetVariance,
    filter.frequencyVariance,
    filter.offsetFrequencyCovariance,
  ];
  const ofLast = () =>
    [filter.slots - 1].flatMap((slot) => [
      filter.bias(slot),
      filter.biasVariance(slot),
      filter.expectedVariance(slot),
    ]);
  const before = [...clock(), ...ofLast()];
  filter.removeSource(slots[1] ?? NaN);
  assert.equal(filter.slots, 2);
  [...clock(), ...ofLast()].forEach((value, i) => assertClose(value, before[i] ?? NaN));
  learn();
  assert.equal(filter.addSource(own(1e-6)), 2);
});

Deno.test("a prior that is taken away and given anew is as if it had been so from the start", () => {
  const filters = [1e-6, 4e-6].map((variance) => {
    const filter = new ClockFilter(MODEL, START);
    filter.addSource(own(variance));
    filter.addSource(own(1e-6));
    for (let i = 0; i < 20; i++) {
      filter.advance(16);
      observe(filter, i % 2, { value: 0.01 + (i % 2) * 0.001, variance: 1e-8 });
    }
    return filter;
  });
  const [changed, expected] = filters;
  assert.ok(changed !== undefined && expected !== undefined);
  changed.multiplyPrior(0, 4e-6);
  changed.multiplyPrior(0, -1e-6);
  const close = (a: number, b: number) => assert.ok(Math.abs(a / b - 1) < 1e-9, `${a} != ${b}`);
  close(changed.bias(0), expected.bias(0));
  close(changed.bias(1), expected.bias(1));
  close(changed.offset, expected.offset);
  close(changed.frequency, expected.frequency);
  close(changed.biasVariance(0), expected.biasVariance(0));
  close(changed.offsetVariance, expected.offsetVariance);
});

Deno.test("what is expected later is what is expected now and the drift until then", () => {
  const filter = new ClockFilter({ wander: 0, whiteNoise: 0 }, START);
  const slot = filter.addSource(own(1e-6));
  for (let i = 0; i < 20; i++) {
    filter.advance(16);
    observe(filter, slot, { value: 0, variance: 1e-8 });
  }
  const later = filter.expectedVariance(slot, 300);
  filter.advance(300);
  assertClose(filter.expectedVariance(slot), later);
});

Deno.test("a server that admits seconds while its samples are good to nanoseconds costs no digits", () => {
  // what a header can carry: a root dispersion up to 16 s, samples good to 20 ns and better, jumps
  // of years
  for (const bias of [1e-8, 1e-3, 0.3, 4, 16]) {
    for (const noise of [1e-9, 2e-8, 1e-5, 1]) {
      for (const jump of [0, 1, 60, 3e7, 2e9]) {
        const filter = new ClockFilter({ wander: 1e-9, whiteNoise: 1e-10 }, START);
        const slot = filter.addSource(own(bias * bias));
        filter.inflateOffset(jump * jump);
        for (let i = 0; i < 40; i++) {
          filter.advance(16);
          observe(filter, slot, { value: jump, variance: noise * noise });
          const what = `bias ${bias}, noise ${noise}, jump ${jump}, sample ${i}`;
          const variance = filter.expectedVariance(slot);
          assert.ok(variance > 0, what);
          // a sample leaves at most its own variance; beside a jump of years the grain of a double
          // shows
          assert.ok(Math.sqrt(variance) <= noise * 1.001 + 1e-15 * jump, `${what}: ${variance}`);
          assert.ok(Number.isFinite(filter.offset) && filter.frequencyVariance > 0, what);
        }
        if (noise > 1e-5) continue;
        assert.ok(Math.abs(filter.expected(slot) - jump) <= 0.01 * noise + 1e-15 * jump);
      }
    }
  }
});

Deno.test("a source whose relatives are well known by now gets a bias that fits", () => {
  const filter = new ClockFilter({ wander: 1e-10, whiteNoise: 0 }, START);
  const slots = [1e-4, 1e-6, 1e-2, 1e-4].map((variance, i) =>
    filter.addSource(i === 0 ? own(variance) : shareBias(variance, [{ slot: 0, variance: 1e-4 }]))
  );
  const known = filter.addSource(own(1e-16));
  for (let i = 0; i < 500; i++) {
    filter.advance(16);
    observe(filter, i % 2 === 0 ? known : slots[(i >> 1) % 4] ?? 0, {
      value: 1e-3,
      variance: 1e-14,
    });
  }
  // told the covariance that both had at first, the filter would hold a negative variance now
  const added = filter.addSource(shareBias(1e-4, [{ slot: 0, variance: 1e-4 }]));
  assert.ok(filter.expectedVariance(added) > 0);
  assertClose(filter.biasVariance(added), 1e-4 * (1 - 0.8 * 0.8), 1e-3);
});
