import assert from "node:assert/strict";
import { SeededRandom, uniform } from "../base/random.ts";
import { FilterBank } from "./filter_bank.ts";
import type { Observation } from "./mixture.ts";

const START = { offset: 0, offsetVariance: 1e-4, frequency: 0, frequencyVariance: 1e-8 };
/** Biases are of no interest in most of these tests. */
const NO_BIAS = { ownVariance: 1e-18, shares: [] };

/** A sample that met waits of `half` seconds more than none. */
function sample(offset: number, half = 1e-6): Observation {
  return {
    interval: { low: offset - half, high: offset + half, tilt: 0, softness: 1e-7 },
    spread: 1e-6,
    noiseVariance: 1e-12,
    queueProbability: 0.95,
  };
}

function normal(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
}

/** A clock whose frequency walks, sampled every 16 seconds. */
class World {
  offset = 0;
  frequency = 1e-6;
  readonly bank = new FilterBank(START);
  readonly slot = this.bank.addSource(NO_BIAS);
  readonly random = new SeededRandom(8);

  run(samples: number, wander: number, wanderMax = Infinity): void {
    for (let i = 0; i < samples; i++) {
      for (let second = 0; second < 16; second++) {
        this.offset += this.frequency;
        this.frequency += wander * normal(this.random);
      }
      this.bank.advance(16);
      this.bank.update(
        this.slot,
        sample(this.offset + 2e-6 * (uniform(this.random) - 0.5)),
        wanderMax,
      );
    }
  }

  /** The root of the mean square wander that is believed in. */
  get wander(): number {
    return Math.sqrt(this.bank.estimate.wanderVariance);
  }
}

Deno.test("the wander of the oscillator is learned, and unlearned", () => {
  const world = new World();
  world.run(300, 1e-10);
  assert.ok(world.wander < 2e-8, `calm: ${world.wander}`);
  world.run(100, 1e-7);
  assert.ok(world.wander > 5e-8 && world.wander < 2e-7, `restless: ${world.wander}`);
  world.run(300, 1e-10);
  assert.ok(world.wander < 2e-8, `calm again: ${world.wander}`);
});

Deno.test("more wander than others show is believed with reluctance", () => {
  const likely = (wanderMax?: number) => {
    const world = new World();
    world.run(200, 3e-9, wanderMax);
    return Math.sqrt(world.bank.estimate.likelyWanderVariance);
  };
  const free = likely(), held = likely(1e-9);
  assert.ok(free > 2e-9 && held < 0.5 * free, `${free} ${held}`);
});

Deno.test("offset and frequency are found, and the errors are as large as is said", () => {
  const world = new World();
  let offsets = 0, frequencies = 0;
  world.run(50, 1e-9);
  for (let i = 0; i < 400; i++) {
    world.run(1, 1e-9);
    const { offset, frequency, offsetVariance, frequencyVariance } = world.bank.estimate;
    offsets += (offset - world.offset) ** 2 / offsetVariance / 400;
    frequencies += (frequency - world.frequency) ** 2 / frequencyVariance / 400;
  }
  // squares of errors in standard deviations; 1 is honest
  assert.ok(offsets > 0.4 && offsets < 1.6, `offset ${offsets}`);
  assert.ok(frequencies > 0.2 && frequencies < 1.8, `frequency ${frequencies}`);
});

Deno.test("what the frequency's error most likely is is honest, at short intervals and at long ones", () => {
  for (const interval of [16, 64, 1024]) {
    // samples every 16 s do not tell whether the frequency walks by 1e-10 or by 1e-9
    for (const wander of interval < 1024 ? [1e-9, 1e-8] : [1e-10, 1e-9, 1e-8]) {
      const random = new SeededRandom(interval + 3);
      const bank = new FilterBank(START);
      const slot = bank.addSource(NO_BIAS);
      const walk = wander * Math.sqrt(interval);
      let offset = 0, frequency = 1e-6, square = 0, stated = 0;
      for (let i = 0; i < 700; i++) {
        const before = frequency;
        frequency += walk * normal(random);
        offset += interval * (0.5 * (before + frequency) + walk / Math.sqrt(12) * normal(random));
        bank.advance(interval);
        // a sample that waited as little or as much as another
        const half = -1e-4 * Math.log(1 - uniform(random));
        const middle = offset + half * (2 * uniform(random) - 1);
        bank.update(slot, {
          interval: { low: middle - half, high: middle + half, tilt: 0, softness: 1e-6 },
          spread: 1e-4,
          noiseVariance: 1e-8,
          queueProbability: 0.95,
        });
        if (i < 100) continue;
        square += (bank.estimate.frequency - frequency) ** 2;
        stated += bank.estimate.likelyFrequencyVariance;
      }
      const ratio = Math.sqrt(stated / square);
      assert.ok(ratio > 0.5 && ratio < 2, `every ${interval} s, wander ${wander}: ${ratio}`);
    }
  }
});

Deno.test("an outlier has no pull, however large it is, and is found to be one", () => {
  for (const error of [1e-4, 1e-2, 1, 100, -1e-2, -100]) {
    const world = new World();
    world.run(100, 1e-10);
    const before = world.bank.estimate;
    const outcome = world.bank.update(world.slot, sample(world.offset + error));
    const after = world.bank.estimate;
    assert.ok(outcome.outlier > 0.99, `${error} s: ${outcome.outlier}`);
    assert.equal(Math.sign(outcome.deviation), Math.sign(error));
    assert.ok(Math.abs(outcome.miss - error) < 1e-5, `${error} s: miss ${outcome.miss}`);
    const pull = Math.abs(after.offset - before.offset) / Math.sqrt(before.offsetVariance);
    assert.ok(pull < 0.1, `${error} s pulls by ${pull} standard deviations`);
    const turn = Math.abs(after.frequency - before.frequency);
    assert.ok(turn < 0.1 * Math.sqrt(before.frequencyVariance), `${error} s turns by ${turn}`);
  }
});

Deno.test("a good sample is no outlier, and makes the belief narrower", () => {
  const world = new World();
  world.run(20, 1e-10);
  world.bank.advance(16);
  const before = world.bank.estimate;
  const outcome = world.bank.update(world.slot, sample(before.offset, 2e-7));
  assert.ok(outcome.outlier < 0.01);
  assert.ok(Math.abs(outcome.miss) < 1e-12);
  assert.ok(Math.abs(outcome.deviation) < 0.2);
  assert.ok(world.bank.estimate.offsetVariance < before.offsetVariance);
});

Deno.test("a sample that waited long says nothing inside of its interval, but excludes the outside", () => {
  const shift = (low: number, high: number) => {
    const bank = new FilterBank({ ...START, offsetVariance: 1e-12, frequencyVariance: 1e-18 });
    const interval = { low, high, tilt: 0, softness: 1e-9 };
    bank.update(bank.addSource(NO_BIAS), {
      ...sample(0),
      interval,
      noiseVariance: 1,
      queueProbability: 1 - 1e-9,
    });
    return bank.estimate.offset;
  };
  // one standard deviation is 1 us; a Kalman filter would be pulled to the middle of the interval
  assert.ok(Math.abs(shift(-10e-6, 1e-2)) < 1e-9, "the middle is 5 ms away");
  // a half normal has its mean at sqrt(2/pi) standard deviations
  assert.ok(Math.abs(shift(0, 1e-3) - Math.sqrt(2 / Math.PI) * 1e-6) < 5e-9);
});

Deno.test("the outcome says which explanation predicts a sample better", () => {
  const evidence = (offset: number) => {
    const bank = new FilterBank({ ...START, offsetVariance: 1e-14, frequencyVariance: 1e-18 });
    // queues allow half a microsecond, noise some ten
    const observation = { ...sample(offset, 5e-7), noiseVariance: 1e-10 };
    return bank.update(bank.addSource(NO_BIAS), observation).queueEvidence;
  };
  assert.ok(evidence(0) > 2, `${evidence(0)}`);
  assert.ok(evidence(5e-6) < -2, `${evidence(5e-6)}`);
});

Deno.test("what a source shows is the clock's offset and its own bias", () => {
  const bank = new FilterBank(START);
  const slot = bank.addSource({ ownVariance: 1e-6, shares: [] });
  assert.deepEqual(bank.view(slot).offset, 0);
  assert.ok(Math.abs(bank.view(slot).variance - (1e-4 + 1e-6)) < 1e-15);
  for (let i = 0; i < 100; i++) {
    bank.advance(16);
    bank.update(slot, sample(5e-3));
  }
  assert.ok(Math.abs(bank.view(slot).offset - 5e-3) < 1e-6);
  // the sum is well known, but not its parts
  assert.ok(bank.view(slot).variance < 1e-12);
  assert.ok(bank.estimate.offsetVariance > 0.9e-6);
});

Deno.test("a step moves the belief along, and nothing else", () => {
  const world = new World();
  world.run(30, 1e-9);
  const before = world.bank.estimate;
  world.bank.shiftOffset(-0.25);
  const after = world.bank.estimate;
  assert.ok(Math.abs(after.offset - (before.offset - 0.25)) < 1e-12);
  assert.equal(after.frequency, before.frequency);
  assert.ok(Math.abs(after.offsetVariance / before.offsetVariance - 1) < 1e-6);
});

Deno.test("a bank that is made anew takes over half of what was known of the wander", () => {
  const world = new World();
  world.run(200, 1e-7);
  const updated = new FilterBank(START, world.bank);
  const fresh = new FilterBank(START);
  const wanderOf = (bank: FilterBank) => Math.sqrt(bank.estimate.wanderVariance);
  assert.ok(Math.abs(wanderOf(fresh) / 5.14e-8 - 1) < 0.01, `${wanderOf(fresh)}`);
  assert.ok(wanderOf(updated) > 1.5 * wanderOf(fresh), `${wanderOf(updated)}`);
  assert.ok(wanderOf(updated) < world.wander * 1.5);
});
