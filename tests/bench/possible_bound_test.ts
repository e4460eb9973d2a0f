import assert from "node:assert/strict";
import { Draws } from "../../src/simulation/draws.ts";
import type { Action } from "../../src/engine/events.ts";
import {
  createSimulatedEngine,
  type DrivenEngine,
  type EngineSeed,
} from "../../src/simulation/engine_factory.ts";
import { SimulatedOscillator } from "../../src/simulation/oscillator.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import { ParticleClock, walk } from "./particle_clock.ts";
import { possibleRms, repeatedExchanges, type SentRequest } from "./possible_bound.ts";

const WANDER = 1e-9, NOISE = 1e-3, POLL = 64;

Deno.test("with Gaussian noise the particles know as much as a Kalman filter, within 1 percent", () => {
  const draws = Draws.stream(1, "samples");
  const truth = new SimulatedOscillator({ frequency: 0, wander: WANDER }, Draws.stream(1, "clock"));
  const start = { offset: 0, frequency: 0, wander: WANDER };
  const particles = new ParticleClock({ ...start, particles: 4000, draws: Draws.stream(1, "own") });
  const kalman = new KalmanClock(WANDER);
  let ownSquares = 0, kalmanSquares = 0, apart = 0;
  for (let time = POLL + 0.3; time < 60_000; time += POLL) {
    truth.advance(time);
    const seen = truth.phaseError + NOISE * draws.normal();
    const density = (offset: number) => Math.exp(-0.5 * ((offset - seen) / NOISE) ** 2);
    particles.observe({ time, low: -Infinity, high: Infinity, density });
    kalman.observe(time, seen);
    ownSquares += (particles.offsetAt(time) - truth.phaseError) ** 2;
    kalmanSquares += (kalman.offset - truth.phaseError) ** 2;
    apart += (particles.offsetAt(time) - kalman.offset) ** 2;
  }
  const ratio = Math.sqrt(ownSquares / kalmanSquares);
  assert.ok(Math.abs(ratio - 1) < 0.01, `${ratio}`);
  assert.ok(apart < 0.01 * kalmanSquares, `${apart / kalmanSquares}`);
});

Deno.test("a sample far sharper than the oscillator's walk is followed", () => {
  const truth = new SimulatedOscillator({ frequency: 0, wander: 1e-6 }, Draws.stream(1, "clock"));
  const start = { offset: 0, frequency: 0, wander: 1e-6 };
  const particles = new ParticleClock({ ...start, particles: 500, draws: Draws.stream(1, "own") });
  for (let time = POLL; time < 10_000; time += POLL) {
    truth.advance(time);
    const low = truth.phaseError - 1e-9, high = truth.phaseError + 1e-9;
    particles.observe({ time, low, high, density: () => 1 });
    assert.ok(Math.abs(particles.offsetAt(time) - truth.phaseError) <= 1e-9, `${time}`);
  }
});

Deno.test("what a walk adds is the sum over its steps", () => {
  for (const [from, to] of [[0, 0.5], [0.5, 64.25], [3, 7], [3.75, 1027.875]] as const) {
    let offset = 0, covariance = 0, frequency = 0;
    for (let step = Math.floor(from) + 1; step <= to; step++) {
      offset += (to - step) ** 2;
      covariance += to - step;
      frequency++;
    }
    assert.deepEqual(walk(from, to), { offset, covariance, frequency });
  }
});

Deno.test("a run is repeated with the delays that ntpsd saw", () => {
  const { run, delays } = recordedRun("jitter = '1ms'");
  const repeated = repeatedExchanges(run).map(({ forward, backward }) => forward + backward + 0.02);
  assert.ok(delays.length > 50);
  assert.equal(repeated.length, delays.length);
  for (const [i, delay] of delays.entries()) {
    // the clock is 50 ppm fast in the meantime, and slewed
    assert.ok(Math.abs(delay - (repeated[i] ?? NaN)) < 1e-3 * delay, `${i}: ${delay}`);
  }
});

Deno.test("twice as many particles know as much, within 2 percent over some runs", () => {
  let few = 0, many = 0;
  for (const seed of [1, 2, 3, 4, 5]) {
    const { run } = recordedRun("jitter = '1ms'", seed);
    few += possibleRms(run, 600_000) ** 2;
    many += possibleRms(run, 1_200_000) ** 2;
  }
  assert.ok(many > 0 && Math.abs(Math.sqrt(few / many) - 1) < 0.02, `${few} ${many}`);
});

Deno.test("a lost packet tells nothing, and heavy tails are known", () => {
  const { run, delays } = recordedRun("jitter = '1ms'\nloss = 0.3\ndistribution = 'lomax'");
  assert.ok(delays.length < 0.7 * run.requests.length);
  assert.equal(repeatedExchanges(run).length, delays.length);
  const rms = possibleRms(run);
  assert.ok(rms > 0 && rms < 100e-6, `${rms}`);
});

/** Runs ntpsd for a while with one server, and records the delays that it saw. */
function recordedRun(path: string, seed = 7) {
  const parsed = parseScenario(`
name = "recorded"
description = "Recorded."
duration = 6000
measure-from = 1000
clock = { offset = "0ms", frequency-ppm = 50, wander = 1e-9 }
[[server]]
name = "good"
delay = "10ms"
${path}
[ntpsd.source-defaults]
poll-interval-limits = { min = 6, max = 6 }
`);
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  const requests: SentRequest[] = [];
  const delays: number[] = [];
  const scenario = parsed.value;
  const observer = {
    sample() {},
    snapshot() {},
    happened() {},
    action(time: number, action: Action) {
      if (action.type !== "send") return;
      requests.push({ time, address: action.destination.address });
    },
  };
  const createEngine = (made: EngineSeed) => recording(createSimulatedEngine(made), delays);
  runScenario(scenario, { seed, createEngine, observer });
  return { run: { scenario, seed, requests }, delays };
}

/** An engine whose delays are recorded. */
function recording(engine: DrivenEngine, delays: number[]): DrivenEngine {
  return {
    handle(event, now) {
      if (event.type === "datagram") {
        const server = new DataView(event.packet.buffer, event.packet.byteOffset);
        const residence = server.getBigUint64(40) - server.getBigUint64(32);
        const round = event.receiveTimestamp - event.transmitTimestamp;
        delays.push(Number(round - residence) / 2 ** 32);
      }
      return engine.handle(event, now);
    },
    nextWakeup: () => engine.nextWakeup(),
    snapshot: (now) => engine.snapshot(now),
  };
}

/** The textbook's filter for offset and frequency; it begins with the truth, which is 0. */
class KalmanClock {
  offset = 0;
  #frequency = 0;
  #time = 0;
  #p00 = 0;
  #p01 = 0;
  #p11 = 0;
  readonly #square: number;

  constructor(wander: number) {
    this.#square = wander ** 2;
  }

  observe(time: number, seen: number): void {
    const elapsed = time - this.#time;
    const noise = walk(this.#time, time);
    this.#time = time;
    this.offset += elapsed * this.#frequency;
    this.#p00 += 2 * elapsed * this.#p01 + elapsed ** 2 * this.#p11 + this.#square * noise.offset;
    this.#p01 += elapsed * this.#p11 + this.#square * noise.covariance;
    this.#p11 += this.#square * noise.frequency;
    const total = this.#p00 + NOISE ** 2;
    const k0 = this.#p00 / total, k1 = this.#p01 / total;
    const innovation = seen - this.offset;
    this.offset += k0 * innovation;
    this.#frequency += k1 * innovation;
    this.#p11 -= k1 * this.#p01;
    this.#p01 -= k0 * this.#p01;
    this.#p00 -= k0 * this.#p00;
  }
}
