/**
 * Hostile worlds for the engine: servers that say whatever a header can carry, alone or beside three honest ones.
 *
 * A seed gives a world: what each hostile server draws from, and then every answer. Nothing may throw, nothing may go wrong inside
 * a source's boundary, everything can be read at any time, commands to the clock are numbers, the log grows slowly, and with three
 * honest sources the clock is right in the end, and as right as is said. Limits: the network under the honest three is a plain one.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Instant } from "../../src/base/instant.ts";
import { addSeconds, type NtpTimestamp, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { ok } from "../../src/base/result.ts";
import { SeededRandom, uniform } from "../../src/base/random.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { Action, Event, SendAction } from "../../src/engine/events.ts";
import { decodeHeader, emptyHeader, encodeHeader } from "../../src/protocol/header.ts";
import { runEngineLife } from "./engine_life.ts";
import { readEngine, START } from "./engine_start.ts";
import { below, noise } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

const HONEST_SECONDS = 1500;
/** What three honest sources must reach, in spite of all others: their paths have 10 ms. */
const ERROR_MAX = 0.02;
/** What a server may do with all its answers for a while, and take back again. */
const MOODS = ["good", "silent", "kiss", "garbled", "unsynchronized", "distant", "false"] as const;
/** So many lines of log there may be in a first hour, which has most of them. */
const LINES_MAX = 20;
const LINES_PER_SOURCE_MAX = 12;
const KISSES = ["RATE", "DENY", "RSTR", "NTSN", "INIT", "STEP", "XXXX"] as const;
const JUMPS = [1e-6, 1e-3, 0.2, 10, 3600, 86_400 * 400, 2 ** 31, 2 ** 32, 2 ** 33] as const;

/** What one hostile server draws its answers from. */
interface Manners {
  readonly delay: readonly [number, number];
  readonly rootDelayMax: number;
  readonly rootDispersionMax: number;
  readonly precision: readonly [number, number];
  readonly jump: number;
  readonly jumpProbability: number;
  /** How often each field of a header is drawn from all that it can carry. */
  readonly oddity: number;
  readonly holdMax: number;
  /** What it is in turn, each for so many requests; nothing when it is as the rest says. */
  readonly moods: readonly (typeof MOODS[number])[];
  readonly moodRequests: number;
}

interface Arrival {
  readonly at: number;
  readonly event: Event & { readonly type: "datagram" };
}

/** Runs the world of a seed; throws when something does not hold. */
export function runHostileWorld(seed: number): void {
  new HostileWorld(seed).run();
}

/** The targets that drive a whole engine. */
export const ENGINE_TARGETS: readonly FuzzTarget[] = [
  {
    name: "engine",
    oracle:
      "no internal error, all numbers are numbers, no stratum beyond 15, the log grows slowly; with three honest servers beside the liars " +
      "the clock is right in the end, and as right as is said",
    isStateful: true,
    budget: 30,
    // worlds that once ended the program, and one in which it served stratum 16
    seeds: ["00000001", "00000004", "00000008", "00000009", "0000000b", "00000011"],
    generate: (random) => noise(random, 4),
    run: (octets) => runHostileWorld(seedOf(octets)),
  },
  {
    name: "engine-life",
    oracle:
      "no internal error, all numbers are numbers, no stratum beyond 15, every socket is given back",
    isStateful: true,
    budget: 60,
    seeds: ["0102030405060708".repeat(20)],
    generate: (random) => noise(random, below(random, 2000)),
    run: runEngineLife,
  },
];

/** Four octets are a number; any others are hashed (FNV-1a). */
function seedOf(octets: Uint8Array): number {
  const start = octets.length === 4 ? 0 : 0x811c_9dc5;
  return octets.reduce(
    (seed, octet) =>
      octets.length === 4 ? seed * 256 + octet : Math.imul(seed ^ octet, 0x0100_0193) >>> 0,
    start,
  );
}

class HostileWorld {
  readonly #random: SeededRandom;
  readonly #engine: Engine;
  readonly #manners = new Map<string, Manners>();
  readonly #hasHonest: boolean;
  readonly #shift = new Map<string, number>();
  readonly #requests = new Map<string, number>();
  /** What was logged. */
  readonly #lines: string[] = [];
  #time = 0;
  #monotonic = 1000;
  #ahead: number;
  #rate = 0;
  #arrivals: Arrival[] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#hasHonest = this.#chance(0.5);
    this.#ahead = -1000 - this.#signed(1e-4, 10);
    const hostile = 1 + this.#integer(this.#hasHonest ? 2 : 4);
    const honest = this.#hasHonest ? ["192.0.2.1", "192.0.2.2", "192.0.2.3"] : [];
    const wrong = Array.from({ length: hostile }, (_, i) => `198.51.100.${i + 1}`);
    for (const address of wrong) this.#manners.set(address, this.#drawManners());
    const parsed = parseConfig(
      [...honest, ...wrong].map((address) => this.#source(address)).join(""),
    );
    assert.ok(parsed.ok, JSON.stringify(parsed));
    const config = parsed.value.config;
    this.#engine = new Engine({
      config: {
        ...config,
        synchronization: {
          ...config.synchronization,
          minimumAgreeingSources: this.#hasHonest ? 3 : 1,
          localStratum: this.#chance(0.2) ? 10 : undefined,
        },
      },
      random: this.#random,
      now: this.#now,
      mayAdjust: this.#chance(0.8) || this.#hasHonest,
      frequency: 0,
      clockPrecision: 3e-8,
      ownAddresses: ["203.0.113.1"],
    });
  }

  run(): void {
    this.#handle({ type: "start" });
    const isMoody = [...this.#manners.values()].some(({ moods }) => moods.length > 0);
    const end = this.#hasHonest ? HONEST_SECONDS : isMoody ? 3600 : 20 + this.#integer(800);
    for (let turn = 0; turn < 20_000 && this.#time < end; turn++) {
      const arrival = this.#arrivals[0];
      const due = this.#time + Math.max(0, this.#engine.nextWakeup() - this.#monotonic) + 1e-9;
      this.#pass(Math.min(end, due, arrival?.at ?? Infinity) - this.#time);
      if (arrival !== undefined && arrival.at <= this.#time) {
        this.#arrivals.shift();
        this.#handle(arrival.event);
      } else this.#handle({ type: "timer" });
      if (this.#chance(0.2)) this.#look();
    }
    readEngine(this.#engine, this.#now);
    const lines = this.#lines.length, most = LINES_MAX + LINES_PER_SOURCE_MAX * this.#manners.size;
    assert.ok(lines <= most, `${lines} lines in ${this.#time} s: ${this.#lines.join(", ")}`);
    if (this.#hasHonest) this.#lookAtHonest();
    this.#handle({ type: "stop" });
  }

  /** Everything can be read, and nothing went wrong inside. */
  #look(): void {
    const snapshot = this.#engine.snapshot(this.#now);
    for (const source of snapshot.sources) {
      assert.equal(source.dropped["internal-error"], undefined, JSON.stringify(source));
      for (const [key, value] of Object.entries(source)) {
        if (typeof value === "number") assert.ok(Number.isFinite(value), `${key} is ${value}`);
      }
    }
    const served = this.#engine.servedTime(this.#now);
    if (!served.synchronized) return;
    assert.ok(served.stratum >= 1 && served.stratum <= 15, `stratum ${served.stratum}`);
    assert.ok(served.rootDelay >= 0 && served.rootDispersion >= 0, JSON.stringify(snapshot));
  }

  #lookAtHonest(): void {
    const error = this.#time - this.#monotonic - this.#ahead;
    assert.ok(Math.abs(error) < ERROR_MAX, `The clock is off by ${error} s`);
    const { errorBoundSeconds, state } = this.#engine.snapshot(this.#now);
    assert.equal(state, "synchronized");
    assert.ok(errorBoundSeconds !== null);
    assert.ok(Math.abs(error) <= errorBoundSeconds, `${error} s, stated ${errorBoundSeconds} s`);
  }

  get #now(): Instant {
    const realtime = addSeconds(START, this.#monotonic + this.#ahead);
    return { monotonic: this.#monotonic, realtime };
  }

  #pass(seconds: number): void {
    if (!(seconds > 0)) return;
    this.#time += seconds;
    this.#monotonic += seconds * (1 + 2e-5) * (1 + this.#rate);
  }

  #handle(event: Event): void {
    for (const action of this.#engine.handle(event, this.#now)) this.#do(action);
  }

  #do(action: Action): void {
    if (action.type === "send") return this.#answer(action);
    if (action.type === "log" && action.level !== "debug") this.#lines.push(action.message);
    if (action.type !== "set-clock") return;
    const { frequency, step, status } = action;
    assert.ok(Number.isFinite(frequency) && Number.isFinite(step), JSON.stringify(action));
    assert.ok(status.maxError >= 0 && status.estimatedError >= 0, JSON.stringify(action));
    this.#rate = frequency * 1e-6;
    this.#ahead += step;
    this.#handle({ type: "clock-set", result: ok({ frequency, step }) });
  }

  #answer(send: SendAction): void {
    const { address } = send.destination;
    const manners = this.#manners.get(address);
    const [least, most] = manners?.delay ?? [0.0099, 0.0101];
    const delay = least * (most / least) ** uniform(this.#random);
    if (manners !== undefined && this.#chance(0.02)) return;
    const mood = manners === undefined ? "good" : this.#moodOf(address, manners);
    if (mood === "silent") return;
    const request = decodeHeader(send.packet);
    assert.ok(request.ok);
    const origin = request.value.transmitTimestamp;
    const packet = manners === undefined || manners.moods.length > 0
      ? this.#moodyAnswer(mood, origin, delay)
      : this.#hostileAnswer(address, { origin, delay, manners });
    const transmitTimestamp = this.#now.realtime;
    this.#arrivals.push({
      at: this.#time + delay,
      event: {
        type: "datagram",
        association: send.association,
        request: send.request,
        packet,
        transmitTimestamp,
        transmitTimestamping: "kernel",
        // the local clock may run differently until then; these paths are short
        receiveTimestamp: addSeconds(transmitTimestamp, delay * (1 + 2e-5) * (1 + this.#rate)),
        receiveTimestamping: "kernel",
      },
    });
    this.#arrivals.sort((a, b) => a.at - b.at);
  }

  /** Which of its moods a server is in at this request. */
  #moodOf(address: string, { moods, moodRequests }: Manners): typeof MOODS[number] {
    const requests = this.#requests.get(address) ?? 0;
    this.#requests.set(address, requests + 1);
    return moods[Math.floor(requests / moodRequests) % moods.length] ?? "good";
  }

  /** Answers honestly, apart from a mood. */
  #moodyAnswer(mood: typeof MOODS[number], origin: NtpTimestamp, delay: number): Uint8Array {
    const at = addSeconds(START, this.#time + delay / 2 + (mood === "false" ? 3 : 0));
    return encodeHeader({
      ...emptyHeader(4, mood === "garbled" ? 5 : 4),
      leapIndicator: mood === "unsynchronized" ? 3 : 0,
      stratum: mood === "kiss" ? 0 : 2,
      precision: -24,
      rootDelay: 0.001,
      rootDispersion: mood === "distant" ? 15 : 0.001,
      referenceId: mood === "kiss" ? wordOf(this.#pick(KISSES)) : 0x0a00_0001,
      referenceTimestamp: addSeconds(at, -16),
      originTimestamp: origin,
      receiveTimestamp: at,
      transmitTimestamp: at,
    });
  }

  #hostileAnswer(
    address: string,
    about: { readonly origin: NtpTimestamp; readonly delay: number; readonly manners: Manners },
  ): Uint8Array {
    const { origin, delay, manners } = about;
    if (this.#chance(manners.jumpProbability)) {
      this.#shift.set(address, this.#signed(1e-6, manners.jump));
    }
    const shift = this.#shift.get(address) ?? 0;
    const odd = () => this.#chance(manners.oddity);
    const held = uniform(this.#random) * (odd() ? 1.2 * delay : manners.holdMax * delay);
    const at = addSeconds(START, this.#time + (delay - held) / 2 + shift);
    const kiss = odd() && this.#chance(0.3);
    return encodeHeader({
      ...emptyHeader(
        odd() ? this.#integer(8) : 4,
        odd() && this.#chance(0.3) ? this.#integer(8) : 4,
      ),
      leapIndicator: odd() ? this.#integer(4) : 0,
      stratum: kiss ? 0 : odd() ? this.#integer(256) : 1 + this.#integer(15),
      poll: this.#integer(256) - 128,
      precision: odd()
        ? this.#integer(256) - 128
        : manners.precision[0] + this.#integer(manners.precision[1] - manners.precision[0] + 1),
      rootDelay: uniform(this.#random) * (odd() ? 65_535 : manners.rootDelayMax),
      rootDispersion: uniform(this.#random) * (odd() ? 65_535 : manners.rootDispersionMax),
      referenceId: kiss ? wordOf(this.#pick(KISSES)) : this.#integer(odd() ? 2 ** 32 : 3),
      referenceTimestamp: odd()
        ? ntpTimestamp(0n)
        : addSeconds(at, this.#signed(1e-3, odd() ? 2 ** 31 : 1) - 1),
      originTimestamp: odd() && this.#chance(0.1) ? at : origin,
      receiveTimestamp: odd() && this.#chance(0.1) ? ntpTimestamp(0n) : at,
      transmitTimestamp: addSeconds(at, odd() && this.#chance(0.3) ? -held : held),
    });
  }

  #drawManners(): Manners {
    const least = this.#between(1e-6, 1), most = least * this.#between(1.0001, 1000);
    const coarse = -this.#integer(33);
    return {
      delay: [least, Math.min(2, most)],
      rootDelayMax: this.#chance(0.5) ? this.#between(1e-6, 16) : 0,
      rootDispersionMax: this.#chance(0.7) ? this.#between(1e-5, 16) : 0,
      precision: this.#chance(0.5) ? [-32, 0] : [coarse, coarse],
      jump: this.#pick(JUMPS),
      jumpProbability: this.#chance(0.5) ? this.#between(1e-3, 1) : 0,
      oddity: this.#chance(0.5) ? this.#between(1e-3, 0.5) : 0,
      holdMax: uniform(this.#random),
      moods: this.#chance(0.3)
        ? Array.from({ length: 2 + this.#integer(2) }, () => this.#pick(MOODS))
        : [],
      moodRequests: 1 + this.#integer(12),
    };
  }

  #source(address: string): string {
    const min = this.#integer(7);
    const limits = address.startsWith("198")
      ? `{ min = ${min}, max = ${Math.min(17, min + this.#integer(5))} }`
      : "{ min = 4, max = 6 }";
    const initial = address.startsWith("198") ? min : 4;
    return `[[source]]\nmode = "server"\naddress = "${address}"\niburst = ${this.#chance(0.7)}\n` +
      `poll-interval-limits = ${limits}\ninitial-poll-interval = ${initial}\n` +
      `interleaved = ${address.startsWith("198") && this.#chance(0.3)}\n`;
  }

  #chance(probability: number): boolean {
    return uniform(this.#random) < probability;
  }

  #integer(below: number): number {
    return Math.floor(uniform(this.#random) * below);
  }

  #pick<Value>(values: readonly Value[]): Value {
    const value = values[this.#integer(values.length)];
    assert.ok(value !== undefined);
    return value;
  }

  /** Evenly over the logarithms. */
  #between(least: number, most: number): number {
    return least * (Math.max(least, most) / least) ** uniform(this.#random);
  }

  #signed(least: number, most: number): number {
    return this.#chance(0.5) ? -this.#between(least, most) : this.#between(least, most);
  }
}

function wordOf(text: string): number {
  return [...text].reduce((word, letter) => word * 256 + letter.charCodeAt(0), 0);
}
