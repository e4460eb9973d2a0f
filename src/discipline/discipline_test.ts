import assert from "node:assert/strict";
import type { Measurement } from "../association/measurement.ts";
import type { Instant } from "../base/instant.ts";
import { addSeconds, ntpTimestamp } from "../base/ntp_timestamp.ts";
import { SeededRandom, uniform } from "../base/random.ts";
import { Discipline, type SystemEstimate } from "./discipline.ts";

/** A few minutes before the era ends. */
const EPOCH = ntpTimestamp(0xffff_ff00_0000_0000n);
const POLL = 16;
const PPM = 1e-6;

/** What a server and the path to it add. */
interface Server {
  readonly delay: number;
  /** The mean wait in one direction; a hundredth of the delay if left out. */
  readonly wait?: number;
  readonly error?: number;
  readonly stratum?: number;
  readonly referenceId?: number;
  readonly timestamping?: Measurement["timestamping"];
  readonly rootDispersion?: number;
}

/** A local clock with its oscillator and its corrections, and the servers it asks. */
class World {
  readonly discipline: Discipline;
  readonly random = new SeededRandom(4);
  /** True time since the start. */
  truth = 0;
  /** The boot-time clock. */
  monotonic = 500;
  /** The real-time clock less the boot-time clock. */
  ahead = -500;
  /** By how much the oscillator is too fast, a fraction. */
  drift = 0;

  constructor(options: { drift?: number; offset?: number; rate?: number } = {}) {
    this.drift = options.drift ?? 0;
    this.ahead -= options.offset ?? 0;
    const rate = options.rate ?? 0;
    this.discipline = new Discipline({
      now: this.monotonic,
      rate,
      prior: { frequency: rate, variance: (100 * PPM) ** 2 },
      precision: 3e-8,
    });
  }

  get now(): Instant {
    const { monotonic } = this;
    return { monotonic, realtime: addSeconds(EPOCH, monotonic + this.ahead) };
  }

  /** True time minus the real-time clock. */
  get offset(): number {
    return this.truth - this.monotonic - this.ahead;
  }

  /** Lets true time pass. */
  pass(seconds: number): void {
    this.truth += seconds;
    this.monotonic += seconds * (1 + this.drift) * (1 + this.discipline.rate);
  }

  /** Asks a server; `inFlight` happens halfway through the answer's flight. */
  ask(id: number, server: Server, inFlight: () => void = () => {}): void {
    const [there, back] = [this.#way(server), this.#way(server)];
    const originTimestamp = this.now.realtime;
    this.pass(there);
    const receiveTimestamp = addSeconds(EPOCH, this.truth + (server.error ?? 0));
    this.pass(back / 2);
    inFlight();
    this.pass(back / 2);
    this.discipline.observe(id, {
      originTimestamp,
      receiveTimestamp,
      transmitTimestamp: receiveTimestamp,
      destinationTimestamp: this.now.realtime,
      timestamping: server.timestamping ?? "kernel",
      stratum: server.stratum ?? 2,
      leapIndicator: "none",
      referenceId: server.referenceId ?? id,
      precision: -25,
      rootDelay: 0.001,
      rootDispersion: server.rootDispersion ?? 0.0001,
      interleaved: false,
    }, this.now);
  }

  /** Asks every server once every 16 seconds; all are believed but those in `liars`. */
  run(rounds: number, servers: ReadonlyMap<number, Server>, liars: readonly number[] = []): void {
    for (let i = 0; i < rounds; i++) {
      for (const [id, server] of servers) {
        this.pass(POLL / servers.size);
        this.ask(id, server);
        const believed = [...servers.keys()].filter((other) => !liars.includes(other));
        this.discipline.combine(believed, { newest: id, disputed: liars });
      }
    }
  }

  get estimate(): SystemEstimate {
    const estimate = this.discipline.systemAt(this.monotonic);
    assert.ok(estimate !== undefined);
    return estimate;
  }

  /** How far the estimate is from the truth. */
  get error(): number {
    return this.estimate.offset - this.offset;
  }

  #way({ delay, wait = delay / 100 }: Server): number {
    return delay / 2 - wait * Math.log(1 - uniform(this.random));
  }
}

/** A world with servers, which are numbered from 1. */
function worldWith(
  servers: readonly Server[],
  options: { drift?: number; offset?: number; rate?: number } = {},
): { readonly world: World; readonly all: ReadonlyMap<number, Server> } {
  const world = new World(options);
  const all = new Map(servers.map((server, i) => [i + 1, server]));
  for (const id of all.keys()) world.discipline.addSource(id);
  return { world, all };
}

Deno.test("nothing is known before the first sample", () => {
  const { world } = worldWith([{ delay: 0.01 }]);
  assert.equal(world.discipline.systemAt(500), undefined);
  assert.equal(world.discipline.sourceAt(1, 500), undefined);
  assert.equal(world.discipline.sourceAt(9, 500), undefined);
  assert.equal(world.discipline.distanceTo(1, 500), undefined);
});

Deno.test("offset and frequency have the signs of the contract", () => {
  // a clock that is 50 ms behind and loses 30 ppm must go forward and be made faster
  const { world, all } = worldWith([{ delay: 0.01 }], { drift: -30 * PPM, offset: 0.05 });
  world.run(60, all);
  assert.ok(world.offset > 0.05);
  assert.ok(Math.abs(world.error) < 5e-5, `${world.error}`);
  assert.ok(Math.abs(world.estimate.frequency - 30 * PPM) < 0.5 * PPM);
  const source = world.discipline.sourceAt(1, world.monotonic);
  assert.ok(source !== undefined);
  assert.ok(Math.abs(source.offset - world.offset) < 5e-5);
  assert.ok(source.delay >= 0.01 && source.delay < 0.0102, `${source.delay}`);
  assert.ok(source.sampleError > 3e-5 && source.sampleError < 2e-4, `${source.sampleError}`);
  assert.ok(source.jitter > 1e-5 && source.jitter < 2e-4, `${source.jitter}`);
  assert.equal(source.isOutlier, false);
  assert.equal(source.samples, 60);
});

Deno.test("what the kernel corrects already at the start is part of the frequency", () => {
  const { world, all } = worldWith([{ delay: 0.01 }], { drift: -80 * PPM, rate: 80 * PPM });
  world.run(60, all);
  assert.ok(Math.abs(world.offset) < 1e-4, "the clock keeps time as it is");
  assert.ok(Math.abs(world.estimate.frequency - 80 * PPM) < 0.5 * PPM);
});

Deno.test("a slew, however fast, moves the offset by what it is, and never the frequency", () => {
  const { world, all } = worldWith([{ delay: 0.01 }], { drift: -30 * PPM, offset: 0.2 });
  world.run(60, all);
  const before = world.estimate;
  const at = world.offset;
  world.discipline.rateChanged(world.monotonic, 0.05);
  world.pass(1);
  world.run(1, all);
  world.pass(1);
  world.discipline.rateChanged(world.monotonic, 30 * PPM);
  assert.ok(world.offset < at - 0.85, "the slew was as fast as that");
  assert.ok(Math.abs(world.error) < 1e-4, `${world.error}`);
  assert.ok(Math.abs(world.estimate.frequency - before.frequency) < 0.2 * PPM);
  world.run(20, all);
  assert.ok(Math.abs(world.error) < 1e-4, `${world.error}`);
  assert.ok(Math.abs(world.estimate.frequency - 30 * PPM) < 0.3 * PPM);
});

Deno.test("a sample is right although the rate changed while it was under way", () => {
  const server = { delay: 0.2, wait: 1e-5 };
  const { world, all } = worldWith([server], { drift: -30 * PPM });
  world.run(60, all);
  world.pass(POLL);
  // 50 ms at a rate of -10 percent: 5 ms of slew between the two ends of the exchange
  world.ask(1, server, () => world.discipline.rateChanged(world.monotonic, -0.1));
  const source = world.discipline.sourceAt(1, world.monotonic);
  assert.equal(source?.isOutlier, false);
  assert.ok(Math.abs((source?.offset ?? NaN) - world.offset) < 1e-4);
});

Deno.test("a step by us moves everything along", () => {
  const { world, all } = worldWith([{ delay: 0.01 }, { delay: 0.02 }], { offset: 3, drift: PPM });
  world.run(30, all);
  const before = world.estimate;
  const step = before.offset;
  world.ahead += step;
  world.discipline.stepped(step);
  assert.ok(Math.abs(world.estimate.offset) < 1e-9);
  assert.equal(world.estimate.frequency, before.frequency);
  for (const id of all.keys()) {
    const source = world.discipline.sourceAt(id, world.monotonic);
    assert.ok(Math.abs(source?.offset ?? NaN) < 1e-3);
    assert.equal(source?.samples, 30);
  }
  world.run(1, all);
  for (const id of all.keys()) {
    assert.equal(world.discipline.sourceAt(id, world.monotonic)?.isOutlier, false);
  }
  assert.ok(Math.abs(world.error) < 5e-4, `${world.error}`);
});

Deno.test("a falseticker leaves nothing behind in the estimate", () => {
  const { world, all } = worldWith([
    { delay: 0.01 },
    { delay: 0.01 },
    { delay: 0.01, error: 0.002 },
  ]);
  world.run(10, all);
  assert.ok(world.error > 3e-4, "it was believed at first");
  world.run(1, all, [3]);
  assert.ok(Math.abs(world.error) < 1e-4, `${world.error}`);
  assert.equal(world.discipline.distanceTo(3, world.monotonic), undefined);
  const alone = world.discipline.sourceAt(3, world.monotonic);
  assert.ok(Math.abs((alone?.offset ?? NaN) - world.offset - 0.002) < 1e-4);
});

Deno.test("a source that is not believed has no say", () => {
  const { world, all } = worldWith([{ delay: 0.01 }, { delay: 0.01, error: 0.5 }]);
  for (let i = 0; i < 20; i++) {
    for (const [id, server] of all) {
      world.pass(8);
      world.ask(id, server);
      world.discipline.combine([1], { newest: id, disputed: [] });
    }
  }
  assert.ok(Math.abs(world.error) < 5e-4, `${world.error}`);
});

Deno.test("a filter that begins among sources that disagree begins with most of them, not in between", () => {
  const wrong = { delay: 0.02, error: 0.006 };
  const { world, all } = worldWith([wrong, wrong, ...Array(3).fill({ delay: 0.02 })]);
  world.run(30, all);
  world.discipline.forgetOthers();
  world.run(1, all);
  assert.ok(Math.abs(world.error) < 5e-4, `${world.error}`);
});

Deno.test("the joint estimate stays where most sources can be right", () => {
  const errorWith = (room: number) => {
    const { world, all } = worldWith([{ delay: 0.01 }, { delay: 0.001 }]);
    world.run(60, all);
    let worst = 0;
    for (let i = 0; i < 60; i++) {
      for (const [id, server] of all) {
        world.pass(8);
        // the nearer one runs away by 200 ppm
        world.ask(id, id === 1 ? server : { ...server, error: 200 * PPM * 16 * i });
        const { monotonic: at } = world;
        const middle = world.discipline.sourceAt(1, at)?.offset ?? 0;
        const possible = { low: middle - room, high: middle + room, at };
        world.discipline.combine([1, 2], { newest: id, disputed: [], possible });
        worst = Math.max(worst, Math.abs(world.error));
      }
    }
    return worst;
  };
  assert.ok(errorWith(Infinity) > 0.006, `${errorWith(Infinity)}`);
  assert.ok(errorWith(0.005) < 0.006, `${errorWith(0.005)}`);
});

Deno.test("a joint estimate that is kept in between sources that disagree has a steady frequency", () => {
  const { world, all } = worldWith([0.006, 0.006, -0.006].map((error) => ({ delay: 0.01, error })));
  world.run(60, all);
  const frequencies: number[] = [];
  for (let i = 0; i < 60; i++) {
    for (const [id, server] of all) {
      world.pass(5);
      world.ask(id, server);
      const { monotonic: at } = world;
      const middle = world.offset, possible = { low: middle - 0.001, high: middle + 0.001, at };
      world.discipline.combine([1, 2, 3], { newest: id, disputed: [], possible });
      assert.ok(Math.abs(world.error) < 0.0011, `${world.error}`);
      frequencies.push(world.estimate.frequency);
    }
  }
  const spread = Math.max(...frequencies) - Math.min(...frequencies);
  assert.ok(spread < 0.2 * PPM, `${spread}`);
});

Deno.test("a lone source that jumps leaves no bias behind, where the range goes with it", () => {
  const { world, all } = worldWith([{ delay: 0.0014, wait: 2e-5 }]);
  const follow = (error: number) => {
    for (let i = 0; i < 20; i++) {
      for (const [id, server] of all) {
        world.pass(128);
        world.ask(id, { ...server, error });
        // at first its samples differ too much for it to be used
        if (i < 5) continue;
        const { monotonic: at } = world;
        const middle = world.discipline.sourceAt(1, at)?.offset ?? 0;
        const possible = { low: middle - 0.001, high: middle + 0.001, at };
        world.discipline.combine([1], { newest: id, disputed: [], possible });
      }
    }
    assert.ok(Math.abs(world.error - error) < 1e-4, `${error}: ${world.error}`);
  };
  for (const error of [0, 2.33, 0]) follow(error);
});

Deno.test("an outlier of one source alone does not reach the clock", () => {
  const { world, all } = worldWith([{ delay: 0.01 }, { delay: 0.01 }, { delay: 0.01 }]);
  world.run(60, all);
  world.pass(5);
  world.ask(2, { delay: 0.01, error: 0.3 });
  const before = world.estimate;
  world.discipline.combine([1, 2, 3], { newest: 2, disputed: [] });
  assert.equal(world.discipline.sourceAt(2, world.monotonic)?.isOutlier, true);
  assert.deepEqual(world.estimate, before);
});

Deno.test("a source that is removed leaves what its samples showed, and does not move the clock", () => {
  const { world, all } = worldWith([{ delay: 0.01, error: 2e-4 }, { delay: 0.01, error: -2e-4 }]);
  world.run(60, all);
  const before = world.estimate.offset;
  world.discipline.removeSource(2);
  assert.equal(world.discipline.sourceAt(2, world.monotonic), undefined);
  assert.equal(world.estimate.offset, before);
  world.run(60, new Map([...all].filter(([id]) => id === 1)));
  assert.ok(Math.abs(world.estimate.offset - before) < 1e-4);
});

Deno.test("two sources with one reference count as hardly more than one", () => {
  const varianceOf = (referenceIds: readonly number[], stratum: number) => {
    const servers = referenceIds.map((referenceId) => ({ delay: 0.05, referenceId, stratum }));
    const { world, all } = worldWith(servers);
    world.run(60, all);
    return world.estimate.offsetVariance;
  };
  const apart = varianceOf([7, 8], 2);
  // 0.9 against 0.5 of the variance of one bias
  const ratio = varianceOf([7, 7], 2) / apart;
  assert.ok(Math.abs(ratio - 1.8) < 0.2, `${ratio}`);
  // at stratum 1 the reference is a kind of clock: two GPS receivers are two
  assert.ok(Math.abs(varianceOf([7, 7], 1) / apart - 1) < 0.05);
});

Deno.test("a server that was unsure of itself at first counts fully when it is sure", () => {
  const { world, all } = worldWith([{ delay: 0.01 }]);
  const unsure = new Map([[1, { delay: 0.01, rootDispersion: 1.2 }]]);
  world.run(40, unsure);
  assert.ok(world.estimate.offsetVariance > 0.2 ** 2);
  const { frequency } = world.estimate;
  world.run(1, all);
  // 5 percent of the delay
  assert.ok(world.estimate.offsetVariance < (6e-4) ** 2);
  assert.ok(Math.abs(world.error) < 5e-4, `${world.error}`);
  assert.ok(Math.abs(world.estimate.frequency - frequency) < 1 * PPM);
});

Deno.test("timestamps by a program are trusted less than those of the kernel", () => {
  const uncertaintyOf = (timestamping: Measurement["timestamping"]) => {
    const { world, all } = worldWith([{ delay: 1e-4, timestamping }]);
    world.run(30, all);
    return world.discipline.sourceAt(1, world.monotonic)?.uncertainty ?? NaN;
  };
  assert.ok(uncertaintyOf("user") > 3 * uncertaintyOf("kernel"));
  assert.ok(uncertaintyOf("kernel") >= 0.99 * uncertaintyOf("hardware"));
});

Deno.test("after a change from outside the samples are void and the frequency is a prior", () => {
  const { world, all } = worldWith([{ delay: 0.01 }], { drift: -30 * PPM });
  world.run(60, all);
  world.ahead += 100;
  world.discipline.restart(world.monotonic, (5 * PPM) ** 2);
  assert.equal(world.discipline.systemAt(world.monotonic), undefined);
  assert.equal(world.discipline.sourceAt(1, world.monotonic), undefined);
  world.run(2, all);
  assert.ok(Math.abs(world.error) < 5e-4, `${world.error}`);
  assert.ok(Math.abs(world.estimate.frequency - 30 * PPM) < 5 * PPM);
  assert.ok(world.estimate.frequencyVariance < (8 * PPM) ** 2);
});

Deno.test("a frequency that was hardly known is no better known after a change from outside", () => {
  const { world, all } = worldWith([{ delay: 0.01 }]);
  world.run(1, all);
  world.discipline.restart(world.monotonic, (5 * PPM) ** 2);
  world.run(1, all);
  assert.ok(world.estimate.frequencyVariance > (90 * PPM) ** 2);
});

Deno.test("a drift file that comes before the sources is used by all filters", () => {
  const world = new World({ drift: -30 * PPM });
  world.discipline.setPrior({ frequency: 30 * PPM, variance: PPM ** 2 });
  world.discipline.addSource(1);
  const all = new Map([[1, { delay: 0.01 }]]);
  world.run(2, all);
  assert.ok(Math.abs(world.estimate.frequency - 30 * PPM) < 2 * PPM);
  assert.ok(world.estimate.frequencyVariance < (2 * PPM) ** 2);
  const source = world.discipline.sourceAt(1, world.monotonic);
  assert.ok((source?.frequencyVariance ?? NaN) < (2 * PPM) ** 2, `${source?.frequencyVariance}`);
});

Deno.test("a source is compared with all together, and tells how surely", () => {
  const { world, all } = worldWith([{ delay: 0.01, error: 3e-4 }, { delay: 0.01 }]);
  world.run(60, all);
  const distance = world.discipline.distanceTo(1, world.monotonic);
  assert.ok(distance !== undefined);
  // what source 1 is expected to show is the truth and its own error
  assert.ok(Math.abs(distance.offset - world.offset - 3e-4) < 5e-5, `${distance.offset}`);
  assert.ok(distance.variance < (5e-5) ** 2);
});

Deno.test("any number of sources is taken: the best of them steer, the others are followed alone", () => {
  const world = new World({ drift: 20 * PPM, offset: 0.01 });
  const ids = Array.from({ length: 80 }, (_, i) => i + 1);
  for (const id of ids) world.discipline.addSource(id);
  for (let round = 0; round < 3; round++) {
    for (const id of ids) {
      world.ask(id, { delay: 0.02 });
      // the order of the best changes from one measurement to the next
      const best = ids.map((_, i) => ids[(i + round + id) % ids.length] ?? 0);
      world.discipline.combine(best, { newest: id, disputed: [] });
      world.pass(0.1);
    }
  }
  const estimate = world.discipline.systemAt(world.monotonic);
  assert.ok(estimate !== undefined && Math.abs(estimate.offset - world.offset) < 2e-3);
  for (const id of ids) assert.ok(world.discipline.sourceAt(id, world.monotonic) !== undefined);
});

Deno.test("sources that are replaced again and again do not add up", () => {
  const world = new World();
  for (let id = 1; id <= 100; id++) {
    world.discipline.addSource(id);
    for (let i = 0; i < 2; i++) {
      world.ask(id, { delay: 0.02 });
      world.discipline.combine([id], { newest: id, disputed: [] });
      world.pass(POLL);
    }
    const distance = world.discipline.distanceTo(id, world.monotonic);
    assert.ok(distance !== undefined && distance.variance > 0, `source ${id} has no say`);
    world.discipline.removeSource(id);
    assert.equal(world.discipline.distanceTo(id, world.monotonic), undefined);
  }
});

Deno.test("a server that admits seconds is measured like any other, alone and beside good ones", () => {
  for (const rootDispersion of [0.3, 1, 4, 8, 15.9]) {
    for (const delay of [1e-6, 1e-4, 0.02]) {
      const world = new World({ drift: 20 * PPM });
      for (const id of [1, 2]) world.discipline.addSource(id);
      for (let i = 0; i < 60; i++) {
        world.ask(1, { delay, wait: 1e-6, rootDispersion });
        world.discipline.combine([1, 2], { newest: 1, disputed: [] });
        world.ask(2, { delay: 0.02 });
        world.discipline.combine([1, 2], { newest: 2, disputed: [] });
        world.pass(POLL);
      }
      const what = `${rootDispersion} s at ${delay} s`;
      for (const id of [1, 2]) {
        const source = world.discipline.sourceAt(id, world.monotonic);
        assert.ok(source !== undefined, what);
        assert.ok(Object.values(source).every((value) => !Number.isNaN(value)), what);
        assert.ok(Math.abs(source.offset - world.offset) < 1e-3, `${what}: ${source.offset}`);
        assert.ok(source.uncertainty > 0 && source.uncertainty < 0.05, what);
      }
      const system = world.discipline.systemAt(world.monotonic);
      assert.ok(system !== undefined && system.offsetVariance > 0, what);
    }
  }
});
