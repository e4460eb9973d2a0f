/**
 * How well the clock could be known in a scenario with the very packets that ntpsd exchanged, by an
 * estimator that is told what no daemon can know.
 *
 * The idea: oscillator and paths draw from streams of their own, so a run is repeated from its seed
 * and the moments at which ntpsd sent. A particle filter (`particle_clock.ts`) takes in all
 * samples. It is told the wander of the oscillator, the floor of each direction of each path, the
 * law and the mean of the waits, which servers are wrong (they are left out), and the clock at the
 * start. Its error is measured as ntpsd's is: in the middle of each simulated second, by samples
 * that have arrived. It corrects no clock, so it has no lag.
 *
 * Limits: exponential and Lomax waits; an oscillator that only wanders; servers that are right or
 * wrong by an offset; paths that stay the same.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PPM } from "../../src/base/units.ts";
import type { DelayModel } from "../../src/simulation/delay.ts";
import { Draws } from "../../src/simulation/draws.ts";
import { SimulatedNetwork } from "../../src/simulation/network.ts";
import { SimulatedOscillator } from "../../src/simulation/oscillator.ts";
import type { Scenario } from "../../src/simulation/scenario/scenario.ts";
import { ParticleClock, type Sample } from "./particle_clock.ts";

/** A request of ntpsd. */
export interface SentRequest {
  /** When it left, in seconds since the start. */
  readonly time: number;
  /** The server's address. */
  readonly address: string;
}

/** A run that is repeated. */
export interface RepeatedRun {
  /** Its world. */
  readonly scenario: Scenario;
  /** Its seed. */
  readonly seed: number;
  /** What ntpsd sent, in the order of time. */
  readonly requests: readonly SentRequest[];
}

/** A request and its response. */
export interface RepeatedExchange {
  /** When the response came, in seconds since the start. */
  readonly time: number;
  /** What the request waited in queues. */
  readonly forward: number;
  /** What the response waited. */
  readonly backward: number;
  /** How the paths are. */
  readonly path: { readonly forward: DelayModel; readonly backward: DelayModel };
}

/**
 * How many offsets are drawn in a run, and the least number of particles: twice as many change the
 * RMS error over a dozen seeds by less than one percent.
 */
const DRAWN = 1_250_000, PARTICLES_MIN = 2000;

/** Returns the RMS error, in seconds, of the estimator that knows all but the clock. */
export function possibleRms(run: RepeatedRun, drawn: number = DRAWN): number {
  const { scenario, seed } = run;
  const { machine } = scenario;
  const exchanges = repeatedExchanges(run);
  const particles = Math.max(PARTICLES_MIN, Math.round(drawn / exchanges.length));
  const truth = new SimulatedOscillator(machine, Draws.stream(seed, "oscillator"));
  const filter = new ParticleClock({
    offset: 0,
    frequency: machine.frequency * PPM,
    wander: machine.wander,
    particles,
    draws: Draws.stream(seed, "particles"),
  });
  let look = 0.5, sum = 0, count = 0;
  const lookUntil = (end: number): void => {
    for (; look <= end; look++) {
      truth.advance(look);
      if (look < scenario.measureFrom) continue;
      sum += (filter.offsetAt(look) - truth.phaseError) ** 2;
      count++;
    }
  };
  for (const exchange of exchanges) {
    if (exchange.time > scenario.duration) break;
    lookUntil(exchange.time);
    truth.advance(exchange.time);
    filter.observe(sampleOf(exchange, truth.phaseError));
  }
  lookUntil(scenario.duration);
  return Math.sqrt(sum / count);
}

/** Returns the exchanges with servers that are right, in the order in which responses come. */
export function repeatedExchanges({ scenario, seed, requests }: RepeatedRun): RepeatedExchange[] {
  const network = new SimulatedNetwork(scenario, seed);
  const exchanges: RepeatedExchange[] = [];
  for (const { time, address } of requests) {
    const host = network.at(address);
    if (host === undefined) continue;
    const path = host.server.model;
    const out = network.travel(host, { direction: "forward", time });
    if (out === undefined) continue;
    const leaves = time + out + path.turnaround;
    const back = network.travel(host, { direction: "backward", time: leaves });
    if (back === undefined || path.offset !== 0) continue;
    exchanges.push({
      time: leaves + back,
      forward: out - path.forward.delay,
      backward: back - path.backward.delay,
      path,
    });
  }
  return exchanges.sort((a, b) => a.time - b.time);
}

/** What an exchange says of an offset that is `truth`, which bounds it by each wait. */
function sampleOf({ time, forward, backward, path }: RepeatedExchange, truth: number): Sample {
  const low = truth - forward, high = truth + backward;
  const out = waitDensity(path.forward), back = waitDensity(path.backward);
  return { time, low, high, density: (offset) => out(offset - low) * back(high - offset) };
}

/** Returns the density of the waits in one direction, up to a factor. */
function waitDensity({ distribution, jitter, shape }: DelayModel): (wait: number) => number {
  if (distribution === "exponential") return (wait) => Math.exp(-wait / jitter);
  assert(distribution === "lomax", `The density of waits of the kind ${distribution} is not known`);
  const scale = jitter * (shape - 1);
  return (wait) => (1 + wait / scale) ** (-shape - 1);
}
