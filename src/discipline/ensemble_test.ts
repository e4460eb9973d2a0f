import assert from "node:assert/strict";
import { present } from "../base/assert.ts";
import { SeededRandom, uniform } from "../base/random.ts";
import { Ensemble, type FrequencyPrior } from "./ensemble.ts";
import type { UpdateOutcome } from "./filter_bank.ts";
import { SourceTrack } from "./source_track.ts";

const PRIOR: FrequencyPrior = { frequency: 0, variance: 1e-8 };
const POLL = 16;

/** A server behind a path, seen from a free-running clock that gains `frequency` on it. */
class Path {
  readonly track = new SourceTrack(1e-7);
  readonly random: SeededRandom;
  /** What it adds to every offset. */
  bias = 0;
  floor: number;
  /** The mean wait in one direction. */
  wait: number;
  /** Added to the forward path by a longer route. */
  detour = 0;

  constructor(
    options: { floor: number; wait?: number; bias?: number; seed?: number; reference?: number },
  ) {
    this.track.reference = options.reference ?? 0;
    this.floor = options.floor;
    this.wait = options.wait ?? options.floor / 100;
    this.bias = options.bias ?? 0;
    this.random = new SeededRandom(options.seed ?? 1);
  }

  /** Takes a sample at a time when the clock's offset is `truth`. */
  sample(time: number, truth: number) {
    const there = this.#wait() + this.detour;
    const back = this.#wait();
    const offset = truth + this.bias + 0.5 * (there - back);
    const sample = this.track.add(time, offset, this.floor + there + back);
    this.track.setBias(0);
    return sample;
  }

  #wait(): number {
    return -this.wait * Math.log(1 - uniform(this.random));
  }
}

/** An ensemble that follows paths in turn. */
class World {
  readonly ensemble: Ensemble;
  time = 0;
  /** The true offset. */
  truth = 0;
  frequency = 0;
  outcome: UpdateOutcome | undefined;

  constructor(prior = PRIOR) {
    this.ensemble = new Ensemble(prior);
  }

  /** Asks all paths once every 16 seconds. */
  run(rounds: number, paths: readonly Path[]): void {
    for (let i = 0; i < rounds; i++) {
      for (const path of paths) {
        this.time += POLL / paths.length;
        this.truth += this.frequency * POLL / paths.length;
        this.outcome = this.ensemble.observe(path.track, path.sample(this.time, this.truth));
      }
    }
  }

  get estimate() {
    const estimate = this.ensemble.estimateAt(this.time);
    assert.ok(estimate !== undefined);
    return estimate;
  }

  /** How far the belief is from the truth. */
  get error(): number {
    return this.estimate.offset - this.truth;
  }
}

Deno.test("nothing is known before the first sample", () => {
  const ensemble = new Ensemble(PRIOR);
  const { track } = new Path({ floor: 0.02 });
  assert.equal(ensemble.ready, false);
  assert.equal(ensemble.estimateAt(0), undefined);
  assert.equal(ensemble.viewAt(track, 0), undefined);
  ensemble.shift(1);
  ensemble.rebuild([track]);
  assert.deepEqual([ensemble.ready, ensemble.size, ensemble.has(track)], [false, 0, false]);
});

Deno.test("offset and frequency are found from one source", () => {
  const world = new World();
  const path = new Path({ floor: 0.02 });
  world.frequency = 30e-6;
  world.truth = 0.05;
  world.run(60, [path]);
  // the waits are 200 us on the mean
  assert.ok(Math.abs(world.error) < 5e-5, `offset ${world.error}`);
  assert.ok(Math.abs(world.estimate.frequency - 30e-6) < 2e-7, `${world.estimate.frequency}`);
  const view = world.ensemble.viewAt(path.track, world.time);
  assert.ok(view !== undefined && view.variance < 1e-8);
  // what asymmetry may add stays: 5 percent of 20 ms
  assert.ok(world.estimate.offsetVariance > 0.8e-6);
});

Deno.test("a belief is carried forward by its frequency, and grows uncertain", () => {
  const world = new World();
  const path = new Path({ floor: 0.02 });
  world.frequency = 30e-6;
  world.run(60, [path]);
  const now = world.estimate;
  const later = world.ensemble.estimateAt(world.time + 1000);
  assert.ok(later !== undefined);
  assert.ok(Math.abs(later.offset - now.offset - 1000 * now.frequency) < 1e-12);
  const expected = now.offsetVariance + 2000 * now.covariance + 1e6 * now.frequencyVariance +
    now.wanderVariance * 1e9 / 3;
  assert.ok(Math.abs(later.offsetVariance / expected - 1) < 1e-9);
  assert.ok(later.frequencyVariance > now.frequencyVariance);
});

Deno.test("a belief that only went forward is that of all samples at once, while the floor stays", () => {
  const make = () => {
    const paths = [new Path({ floor: 0.02 }), new Path({ floor: 0.01, seed: 2 })];
    // the paths are known well already
    for (const { track, floor, wait } of paths) {
      for (let i = 0; i < 20_000; i++) track.delays.add(floor + (i % 2 === 0 ? 0 : 4 * wait));
    }
    return paths;
  };
  const paths = make();
  const world = new World();
  world.frequency = 5e-6;
  world.run(40, paths);
  const forward = world.estimate;
  const anew = new Ensemble(PRIOR);
  anew.rebuild(paths.map(({ track }) => track));
  const together = anew.estimateAt(world.time);
  assert.ok(together !== undefined);
  const deviation = Math.sqrt(together.offsetVariance);
  assert.ok(Math.abs(forward.offset - together.offset) < 0.02 * deviation);
  assert.ok(Math.abs(Math.sqrt(forward.offsetVariance) / deviation - 1) < 0.02);
  const skew = Math.sqrt(together.frequencyVariance);
  assert.ok(Math.abs(forward.frequency - together.frequency) < 0.1 * skew);
});

Deno.test("a far source that comes does not move a clock that a near one keeps", () => {
  const world = new World();
  const near = new Path({ floor: 0.001 });
  // off by 1.5 of the 5 ms that such a path is commonly off
  const far = new Path({ floor: 0.1, bias: 7.5e-3, seed: 2 });
  world.run(60, [near]);
  world.run(60, [near, far]);
  assert.ok(Math.abs(world.error) < 2e-5, `${world.error}`);
  assert.deepEqual([world.ensemble.size, world.ensemble.has(far.track)], [2, true]);
});

Deno.test("the clock keeps its course when a source goes", () => {
  const world = new World();
  const staying = new Path({ floor: 0.02, bias: 1e-3 });
  const leaving = new Path({ floor: 0.02, bias: -1e-3, seed: 2 });
  world.run(60, [staying, leaving]);
  const before = world.estimate.offset;
  world.run(200, [staying]);
  // the two are 2 ms apart
  assert.ok(Math.abs(world.estimate.offset - before) < 1e-4, `${world.estimate.offset - before}`);
});

Deno.test("sources with one reference count as hardly more than one", () => {
  const varianceOf = (...references: readonly number[]) => {
    const world = new World();
    const paths = references.map((reference, i) =>
      new Path({ floor: 0.02, seed: i + 1, reference })
    );
    world.run(80, paths);
    return world.estimate.offsetVariance;
  };
  const ratio = varianceOf(7, 7) / varianceOf(7, 8);
  // the mean of two biases has the variance (1 + correlation)/2: 0.9 against 0.5
  assert.ok(Math.abs(ratio - 1.8) < 0.15, `${ratio}`);
});

Deno.test("sources with one reference and unlike paths share what the shorter one can be off", () => {
  const near = { floor: 0.001, reference: 7 };
  const far = { floor: 0.1, seed: 2, reference: 7 };
  for (const [first, second] of [[near, far], [far, near]] as const) {
    const world = new World();
    world.run(80, [new Path(first), new Path(second)]);
    const { offsetVariance } = world.estimate;
    // 5 percent of 1 ms: the far one says nothing of the bias that the near one has
    assert.ok(offsetVariance > 0.8 * (5e-5) ** 2 && offsetVariance < 1.1 * (5e-5) ** 2);
    assert.ok(Math.abs(world.error) < 5e-5, `${world.error}`);
  }
});

Deno.test("a longer route goes into the bias of its source, the clock is not moved", () => {
  for (const detour of [0.005, 0.02, 0.06]) {
    const world = new World();
    const path = new Path({ floor: 0.02 });
    world.run(100, [path]);
    const before = world.estimate.offset;
    path.detour = detour;
    world.run(60, [path]);
    const moved = world.estimate.offset - before;
    // the samples show half of the detour
    assert.ok(Math.abs(moved) < 0.05 * detour, `moved by ${moved} for ${detour}`);
    const view = world.ensemble.viewAt(path.track, world.time);
    assert.ok(view !== undefined && Math.abs(view.offset - before - detour / 2) < 0.1 * detour);
    // and its direction is unknown
    assert.ok(world.estimate.offsetVariance < 4e-6);
  }
});

Deno.test("one outlier has no pull, however large it is", () => {
  for (const outlier of [0.005, 0.3, -1000]) {
    const world = new World();
    const path = new Path({ floor: 0.02 });
    world.run(60, [path]);
    const before = world.estimate;
    path.bias = outlier;
    world.run(1, [path]);
    assert.ok((world.outcome?.outlier ?? 0) > 0.9, `${outlier} s: ${world.outcome?.outlier}`);
    path.bias = 0;
    const moved = Math.abs(world.estimate.offset - before.offset);
    assert.ok(moved < 1e-4, `${outlier} s moved the clock by ${moved}`);
    world.run(3, [path]);
    assert.ok((world.outcome?.outlier ?? 1) < 0.5);
  }
});

Deno.test("a jump of the clock is followed when three samples of its only source have shown it", () => {
  const world = new World();
  const path = new Path({ floor: 0.02 });
  world.run(60, [path]);
  world.truth += 0.1;
  world.run(3, [path]);
  assert.ok(Math.abs(world.error + 0.1) < 1e-3, "so far they may be outliers");
  world.run(1, [path]);
  assert.ok(Math.abs(world.error) < 5e-3, `error ${world.error}`);
  world.run(20, [path]);
  assert.ok(Math.abs(world.error) < 2e-4, `error ${world.error}`);
});

Deno.test("what most sources show together is the clock's, what one shows is its own", () => {
  const world = new World();
  const paths = [1, 2, 3].map((seed) => new Path({ floor: 0.02, seed }));
  world.run(60, paths);
  const [odd] = paths;
  assert.ok(odd !== undefined);
  odd.bias = 0.1;
  world.run(20, paths);
  assert.ok(Math.abs(world.error) < 1e-3, `one jumped: ${world.error}`);
  const view = world.ensemble.viewAt(odd.track, world.time);
  assert.ok(view !== undefined && Math.abs(view.offset - 0.1) < 1e-3, `${view?.offset}`);
  world.truth -= 0.2;
  world.run(20, paths);
  assert.ok(Math.abs(world.error) < 1e-3, `all jumped: ${world.error}`);
});

Deno.test("a far source with long queues is no witness against a near one that sees less", () => {
  const world = new World();
  const near = new Path({ floor: 0.002, wait: 2e-5 });
  const far = [2, 3].map((seed) => new Path({ floor: 0.02, wait: 2e-3, seed }));
  world.run(100, [near, ...far]);
  const before = world.error;
  world.truth += 4e-4;
  world.run(6, [near, ...far]);
  assert.ok(Math.abs(world.error - before) < 1e-4, `it is off by ${world.error - before}`);
  // but where the far ones would see it and do not, it is the near one that has changed
  near.bias += 0.02;
  world.run(6, [near, ...far]);
  assert.ok(Math.abs(world.error - before) < 2e-3, `the near one led by ${world.error - before}`);
});

Deno.test("a frequency that jumped by much is followed", () => {
  const world = new World();
  const path = new Path({ floor: 0.001 });
  world.run(100, [path]);
  world.frequency = 40e-6;
  world.run(40, [path]);
  assert.ok(Math.abs(world.error) < 5e-5, `${world.error}`);
  assert.ok(Math.abs(world.estimate.frequency - 40e-6) < 1e-6, `${world.estimate.frequency}`);
});

Deno.test("a drift file of another machine is given up, a right one is kept", () => {
  const run = (frequency: number) => {
    const prior = { frequency: 0, variance: 1e-12, fallbackVariance: 4e-8 };
    const world = new World(prior);
    world.frequency = frequency;
    world.run(8, [new Path({ floor: 0.001 })]);
    return world.estimate;
  };
  const wrong = run(150e-6);
  assert.ok(Math.abs(wrong.frequency - 150e-6) < 1e-6, `${wrong.frequency}`);
  const right = run(0.5e-6);
  assert.ok(Math.abs(right.frequency - 0.5e-6) < 0.3e-6, `${right.frequency}`);
  assert.ok(right.frequencyVariance < 1e-12);
});

Deno.test("a belief that is made anew has nothing of the sources that are left out", () => {
  const world = new World();
  const good = new Path({ floor: 0.02 });
  const liar = new Path({ floor: 0.02, bias: 2e-3, seed: 2 });
  world.run(40, [good, liar]);
  assert.ok(world.error > 5e-4, "the mean of both");
  world.ensemble.rebuild([good.track]);
  assert.deepEqual([world.ensemble.size, world.ensemble.has(liar.track)], [1, false]);
  assert.ok(Math.abs(world.error) < 1e-4, `${world.error}`);
});

Deno.test("a source that is removed leaves what its samples showed of the clock", () => {
  const world = new World();
  const paths = [1, 2, 3].map((seed) => new Path({ floor: 0.02, seed, reference: 7 }));
  world.run(60, paths);
  const before = world.estimate;
  const [first, ...rest] = paths;
  assert.ok(first !== undefined);
  world.ensemble.remove(first.track);
  world.ensemble.remove(first.track);
  assert.deepEqual([world.ensemble.size, world.ensemble.has(first.track)], [2, false]);
  assert.ok(Math.abs(world.estimate.offset - before.offset) < 1e-12);
  assert.ok(Math.abs(world.estimate.offsetVariance / before.offsetVariance - 1) < 1e-9);
  world.frequency = 1e-6;
  world.run(100, [...rest, new Path({ floor: 0.02, seed: 4, reference: 7 })]);
  assert.equal(world.ensemble.size, 3);
  assert.ok(Math.abs(world.error) < 1e-4, `${world.error}`);
});

Deno.test("a step moves the belief along", () => {
  const world = new World();
  const path = new Path({ floor: 0.02 });
  world.frequency = 1e-5;
  world.run(40, [path]);
  const before = world.estimate;
  world.ensemble.shift(-0.5);
  path.track.shift(-0.5);
  world.truth -= 0.5;
  assert.ok(Math.abs(world.estimate.offset - before.offset + 0.5) < 1e-12);
  assert.equal(world.estimate.frequency, before.frequency);
  world.run(40, [path]);
  assert.ok(Math.abs(world.error) < 1e-4, `${world.error}`);
});

Deno.test("a sample of an earlier time is carried forward to where the belief is", () => {
  const world = new World();
  const path = new Path({ floor: 0.001 });
  const other = new Path({ floor: 0.001, seed: 2 });
  world.frequency = 100e-6;
  world.run(60, [path, other]);
  // interleaved mode tells of the exchange before: 16 s, in which the clock lost 1.6 ms
  const late = path.sample(world.time - 16, world.truth - 1.6e-3);
  const outcome = world.ensemble.observe(path.track, late);
  assert.ok(outcome.outlier < 0.1, `${outcome.outlier}`);
  assert.ok(Math.abs(outcome.miss) < 1e-4, `${outcome.miss}`);
  assert.ok(Math.abs(world.error) < 5e-5);
});

Deno.test("a detour and the way back leave the clock where it was, however long the detour lasts", () => {
  for (const rounds of [6, 20, 31, 200]) {
    const path = new Path({ floor: 0.02, wait: 1e-4 });
    const world = new World();
    world.run(200, [path]);
    path.detour = 0.02;
    world.run(rounds, [path]);
    assert.ok(Math.abs(world.error) < 1e-4, `on the detour: ${world.error}`);
    path.detour = 0;
    world.run(20, [path]);
    assert.ok(Math.abs(world.error) < 1e-4, `after ${rounds}: ${world.error}`);
    const bias = world.ensemble.biasOf(path.track);
    assert.ok(bias !== undefined && Math.abs(bias.bias) < 1e-4);
  }
});

Deno.test("an offset that is moved against the biases stays, and is held against no source", () => {
  const paths = [0.006, -0.006].map((bias, seed) => {
    const path = new Path({ floor: 0.01, wait: 1e-4, seed });
    path.bias = bias;
    return path;
  });
  const world = new World();
  world.run(60, paths);
  const biases = () => paths.map(({ track }) => world.ensemble.biasOf(track)?.bias ?? NaN);
  const before = biases(), { error } = world;
  world.ensemble.shiftAgainstBiases(0.002);
  world.run(60, paths);
  assert.ok(Math.abs(world.error - error - 0.002) < 1e-4, `from ${error} to ${world.error}`);
  for (const [i, bias] of biases().entries()) {
    assert.ok(Math.abs(bias - (before[i] ?? NaN)) < 1e-4, `from ${before[i]} to ${bias}`);
  }
});

Deno.test("a route that is shorter than all takes back what the longer one taught", () => {
  const path = new Path({ floor: 0.02, wait: 1e-4 });
  path.detour = 0.02;
  const world = new World();
  world.run(200, [path]);
  assert.ok(Math.abs(world.error) > 9e-3, "nothing shows that it is asymmetric");
  path.detour = 0;
  world.run(20, [path]);
  assert.ok(Math.abs(world.error) < 1e-3, `${world.error}`);
});

Deno.test("the others tell which of two routes is the even one, and which is longer or shorter", () => {
  // the route becomes 4 ms shorter, from 2 ms of bias to none, or from none to -2 ms
  for (const bias of [0.002, 0]) {
    const world = new World();
    const near = new Path({ floor: 0.008, wait: 5e-5, seed: 1 });
    near.detour = 0.004;
    near.bias = bias - 0.002;
    const others = [0.012, 0.014].map((floor, i) => new Path({ floor, wait: 5e-5, seed: 2 + i }));
    world.run(40, [near, ...others]);
    const before = world.error;
    near.detour = 0;
    world.run(40, [near, ...others]);
    if (bias === 0) {
      assert.ok(Math.abs(world.error - before) < 5e-5, `moved from ${before} to ${world.error}`);
    } else {
      assert.ok(before > 5e-4, `the nearest had led the clock away by ${before}`);
      assert.ok(Math.abs(world.error) < 2e-4, `it is off by ${world.error} still`);
    }
  }
});

Deno.test("detours of several sources that come and go in any order leave no bias in another's place", () => {
  const paths = [1, 2, 3].map((seed) => new Path({ floor: 0.02, wait: 1e-4, seed }));
  const world = new World();
  world.run(100, paths);
  const rows = [[2, 0, 0], [2, 3, 0], [5, 3, 0], [5, 3, 4], [0, 3, 4], [0, 6, 4], [0, 0, 4], [
    0,
    0,
    0,
  ]];
  for (const [at, row] of rows.entries()) {
    for (const [i, path] of paths.entries()) {
      const before = path.detour;
      path.detour = (row[i] ?? 0) / 100;
      if (path.detour === before) continue;
      world.run(1, paths);
    }
    for (const [i, path] of paths.entries()) {
      if (row[i] !== rows[at - 1]?.[i]) continue;
      const view = world.ensemble.viewAt(path.track, world.time)?.offset ?? NaN;
      const shown = world.truth + 0.5 * path.detour;
      assert.ok(Math.abs(view - shown) < 3e-4, `${row} of ${i}: ${view} for ${shown}`);
    }
    world.run(30, paths);
    assert.ok(Math.abs(world.error) < 1e-4, `${row}: ${world.error}`);
  }
  world.ensemble.remove(present(paths[1], "There are three").track);
  world.run(20, paths.filter((_, i) => i !== 1));
  assert.ok(Math.abs(world.error) < 1e-4, `after one left: ${world.error}`);
});
