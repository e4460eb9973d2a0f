/**
 * A world of servers that lie, alone or beside a majority that does not, with a network and a true
 * time under it.
 *
 * A seed gives what the servers are like and what they answer. A second one gives what else
 * happens: up to 40 sources, pools, Network Time Security with its outcomes, reloads, sleep, steps
 * by others, stand-stills, a clock that refuses, sockets that fail. Nothing may throw, nothing may
 * go wrong inside a source's boundary, what is read and wanted holds at any time, sockets and the
 * log grow slowly, and with a majority of honest sources the clock is right a while after the last
 * disturbance, and as right as is said.
 *
 * Limits: the network under the honest is a plain one; cryptography is left out (`engine-life` has
 * it). A world ends after some hundred answers, one of twenty after many more: a life is long only
 * to let the honest win.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KeyExchangeOutcome } from "../../src/nts/key_exchange/outcome.ts";
import { addSeconds } from "../../src/base/ntp_timestamp.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { Config } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { LogLimiter } from "../../src/system/log.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type {
  ActionOf,
  ClockReading,
  Event,
  SendAction,
  SetClockAction,
} from "../../src/engine/events.ts";
import { EngineLoop, type EnginePort } from "../../src/engine/perform.ts";
import { parseLeapTable } from "../../src/engine/leap/leap_table.ts";
import { decodeHeader } from "../../src/protocol/header.ts";
import {
  exchangeCertificate,
  exchangeOutcome,
  unprotectedSessions,
} from "../support/nts_sessions.ts";
import { TestClock } from "../support/test_clock.ts";
import { Draw } from "./draw.ts";
import { lookAtAction, lookAtEngine } from "./engine_checks.ts";
import { makeEngine, readEngine, START } from "./engine_start.ts";
import { leapFile } from "./grammar_texts.ts";
import { HostileServers } from "./hostile_servers.ts";
import { several } from "./mutate.ts";

/** So long a plain world with honest sources lasts: they are asked each 16 s. */
const HONEST_SECONDS = 1500;
/** So many polls, and so many seconds beside them, the honest have after the last disturbance. */
const RECOVERY_POLLS = 40;
const RECOVERY_SECONDS = 60;
/** What honest sources must reach, in spite of all others: their paths have 10 ms. */
const ERROR_MAX = 0.02;
/**
 * So many lines of log there may be in a first hour, which has most of them, and so many more with
 * each disturbance.
 */
const LINES_MAX = 20;
const LINES_PER_SOURCE_MAX = 12;
const LINES_PER_DISTURBANCE_MAX = 4;
/**
 * So many times more where a server may hand out keys again and again, each time for another
 * server.
 */
const LINES_WITH_KEYS = 3;
/** No source needs more sockets at a time. */
const SOCKETS_PER_SOURCE_MAX = 4;
const TURNS_MAX = 20_000;
const SOURCES_MAX = 40;
const OUTSIDER = "203.0.113.1";

interface Arrival {
  readonly at: number;
  readonly event: Event;
}

/** What kind of world it is, as drawn at its beginning. */
interface Plan {
  readonly honest: readonly string[];
  /** The time between requests to them, as a power of two. */
  readonly honestPoll: number;
  readonly isHonestAuthenticated: boolean;
  /** Whether it lasts until the honest have won in any case, and shows all moods. */
  readonly isLong: boolean;
}

/**
 * Runs the world of a seed, in which more happens if there is a second one; throws when something
 * does not hold.
 */
export function runHostileWorld(seed: number, fate?: number): void {
  new HostileWorld(seed, fate).run();
}

class HostileWorld {
  readonly #draw: Draw;
  /** What happens beside the answers; undefined when nothing does. */
  readonly #fate: Draw | undefined;
  readonly #engine: Engine;
  readonly #loop: EngineLoop;
  readonly #servers: HostileServers;
  readonly #plan: Plan;
  readonly #open = new Set<number>();
  readonly #limiter = new LogLimiter();
  /** What was logged. */
  readonly #lines: string[] = [];
  readonly #clock: TestClock;
  #end = 0;
  /** When something happens that is no answer. */
  readonly #disturbances: number[] = [];
  #arrivals: Arrival[] = [];
  #answers = 0;
  #happened = 0;
  #hasEnded = false;

  constructor(seed: number, fate: number | undefined) {
    this.#draw = new Draw(seed);
    this.#fate = fate === undefined ? undefined : new Draw(fate);
    this.#servers = new HostileServers(this.#draw);
    const hasHonest = this.#draw.chance(0.5);
    this.#clock = new TestClock({ start: START, offset: this.#draw.signed(1e-4, 10), drift: 2e-5 });
    const few = 1 + this.#draw.integer(hasHonest ? 2 : 4);
    const isMany = this.#happens(0.2);
    const honest = hasHonest ? isMany ? 3 + this.#below(10) : 3 : 0;
    const hostile = isMany ? 1 + this.#below(hasHonest ? honest - 1 : SOURCES_MAX) : few;
    for (let i = 1; i <= hostile; i++) this.#servers.add(`198.51.100.${i}`);
    const isLong = this.#fate === undefined || (!isMany && this.#happens(0.05));
    this.#plan = {
      honest: several(honest, (i) => `192.0.2.${i + 1}`),
      honestPoll: isLong ? 4 : Math.min(this.#below(6), this.#below(6)),
      isHonestAuthenticated: this.#happens(0.3),
      isLong,
    };
    this.#engine = makeEngine(this.#config(), {
      random: this.#draw.random,
      now: this.#clock.now,
      mayAdjust: this.#draw.chance(0.8) || hasHonest,
      clockIsTrusted: hasHonest || !this.#happens(0.3),
      protections: unprotectedSessions(this.#draw.random),
    });
    this.#loop = new EngineLoop(this.#engine, this.#port());
  }

  run(): void {
    const { honest } = this.#plan;
    this.#handle({ type: "start" });
    const answersMax = this.#schedule();
    for (
      let turn = 0;
      turn < TURNS_MAX && this.#clock.time < this.#end && !this.#hasEnded;
      turn++
    ) {
      if (this.#answers >= answersMax) break;
      this.#turn();
      if (this.#draw.chance(this.#fate === undefined ? 0.2 : 0.1)) this.#look();
    }
    if (this.#hasEnded) return;
    readEngine(this.#engine, this.#clock.now);
    const lines = this.#lines.length, sources = honest.length + this.#servers.addresses.length;
    const perSource = LINES_PER_SOURCE_MAX + LINES_PER_DISTURBANCE_MAX * this.#disturbances.length;
    const most = (LINES_MAX + perSource * sources) *
      (this.#fate === undefined ? 1 : LINES_WITH_KEYS);
    if (lines > most) {
      assert.fail(`${lines} lines in ${this.#clock.time} s: ${this.#lines.join(", ")}`);
    }
    if (honest.length > 0) this.#lookAtHonest();
    this.#handle({ type: "stop" });
    assert.equal(this.#open.size, 0, "with the end every socket goes");
  }

  #turn(): void {
    const arrival = this.#arrivals[0];
    const disturbance = this.#disturbances[this.#happened] ?? Infinity;
    const due = this.#clock.time + Math.max(0, this.#engine.nextWakeup() - this.#clock.monotonic) +
      1e-9;
    this.#clock.passTo(Math.min(this.#end, due, disturbance, arrival?.at ?? Infinity));
    if (disturbance <= this.#clock.time) {
      this.#happened++;
      return this.#disturb();
    }
    if (arrival === undefined || arrival.at > this.#clock.time) {
      return this.#handle({ type: "timer" });
    }
    this.#arrivals.shift();
    this.#answers++;
    this.#handle(arrival.event);
  }

  /** Everything can be read and holds. */
  #look(): void {
    const { sources } = lookAtEngine(this.#engine, this.#clock.now);
    const most = SOCKETS_PER_SOURCE_MAX * sources.length;
    assert.ok(this.#open.size <= most, `${this.#open.size} sockets are open`);
  }

  #lookAtHonest(): void {
    const error = this.#clock.offset;
    assert.ok(Math.abs(error) < ERROR_MAX, `The clock is off by ${error} s`);
    const { errorBoundSeconds, state, why: reason } = this.#engine.snapshot(this.#clock.now);
    assert.equal(state, "synchronized", reason);
    assert.ok(errorBoundSeconds !== null);
    assert.ok(Math.abs(error) <= errorBoundSeconds, `${error} s, stated ${errorBoundSeconds} s`);
  }

  /**
   * Draws what happens when, and how long it all lasts; returns after how many answers a world
   * without honest servers ends.
   */
  #schedule(): number {
    const { honest, honestPoll, isLong } = this.#plan;
    const hasHonest = honest.length > 0;
    const recovery = isLong ? HONEST_SECONDS : RECOVERY_SECONDS + RECOVERY_POLLS * 2 ** honestPoll;
    const alone = () => isLong && this.#servers.areMoody ? 3600 : 20 + this.#draw.integer(800);
    this.#end = hasHonest ? recovery : alone();
    if (this.#fate === undefined) return Infinity;
    const span = hasHonest ? recovery / 2 : this.#end;
    for (let i = Math.min(this.#below(6), this.#below(8)); i > 0; i--) {
      this.#disturbances.push(this.#fate.uniform() * span);
    }
    this.#disturbances.sort((a, b) => a - b);
    if (hasHonest) this.#end += this.#disturbances.at(-1) ?? 0;
    return isLong || hasHonest ? Infinity : this.#fate.between(4, 200);
  }

  /** Something that is no answer: of the world, of the administrator, of the network. */
  #disturb(): void {
    const fate = this.#fate ?? this.#draw;
    const hasHonest = this.#plan.honest.length > 0;
    switch (this.#below(hasHonest ? 7 : 11)) {
      case 0: // another program sets the clock
        this.#clock.step(fate.signed(1e-6, hasHonest ? 100 : 1e9));
        return this.#handle({ type: "timer" });
      case 1: {
        const asleep = fate.between(1e-3, hasHonest ? 3600 : 1e7);
        this.#clock.sleep(asleep);
        this.#end += asleep;
        return this.#handle({ type: "resumed", asleep });
      }
      case 2:
        return this.#handle({ type: "network-changed" });
      case 3:
        return this.#handle({ type: "own-addresses", addresses: [OUTSIDER, this.#someone()] });
      case 4:
        return this.#handle({ type: "save-sessions" });
      case 5:
        return this.#standStill(fate.between(3, 900));
      case 6:
      case 7:
        return this.#handle({ type: "reconfigure", config: this.#config() });
      case 8: {
        const skew = fate.between(1e-9, 1e6);
        return this.#handle({ type: "drift-loaded", frequency: fate.signed(1e-6, 500), skew });
      }
      case 9: {
        const table = parseLeapTable(leapFile(fate.random));
        return this.#handle({ type: "leap-table", table: table.ok ? table.value : undefined });
      }
      default: // an answer that nobody asked for any more
        this.#arrivals.push(...this.#arrivals);
        this.#arrivals.sort((a, b) => a.at - b.at);
    }
  }

  /** The machine stands still, or somebody sets its hardware clock: in one world only the one. */
  #standStill(missing: number): void {
    if (this.#plan.honestPoll % 2 === 0) {
      this.#clock.standStill(missing);
      this.#end += missing;
    }
    const grain = this.#fate?.uniform() ?? 0;
    this.#handle({ type: "standstill-suspected", missing: missing + grain });
  }

  #handle(event: Event): void {
    this.#loop.deliver(event);
  }

  #port(): EnginePort {
    return {
      now: () => this.#clock.now,
      observe: lookAtAction,
      send: (action) => {
        assert.ok(!this.#open.has(action.request), "each request has a number of its own");
        this.#open.add(action.request);
        this.#answer(action);
      },
      close: (request) => void this.#open.delete(request),
      resolve: ({ lookup }) => this.#resolve(lookup),
      exchangeKeys: (action) => this.#exchange(action),
      verifyCertificates: (action) => this.#verify(action),
      setClock: (action) => this.#setClock(action),
      log: (action) => this.#log(action),
      panic: (message) => {
        if (this.#plan.honest.length > 0) assert.fail(`Panic: ${message}`);
        this.#hasEnded = true;
      },
      saveDrift: () => {},
      saveSessions: () => {},
      saveTimeBound: () => {},
    };
  }

  #verify({ certificates }: ActionOf<"verify-certificates">): void {
    const results = certificates.map(({ association }) => ({
      association,
      reason: this.#isWicked(0.3) ? "certificate has expired" : undefined,
    }));
    this.#later(0.01, { type: "certificates-verified", results });
  }

  /** What is logged is limited as by the daemon. */
  #log({ level, message }: ActionOf<"log">): void {
    if (level === "debug") return;
    const line = this.#limiter.pass(message, { now: this.#clock.monotonic });
    if (line !== undefined) this.#lines.push(line);
  }

  #setClock({ frequency, step }: SetClockAction): Result<ClockReading, string> {
    if (this.#isWicked(0.05)) return err("clock_adjtime: EPERM");
    return ok(this.#clock.set({ frequency, step }));
  }

  #answer(send: SendAction): void {
    const { association, request, destination } = send;
    if (this.#isWicked(0.02)) {
      const isLocal = this.#happens(0.5);
      const failure = { association, request, reason: "EHOSTUNREACH", isLocal } as const;
      return this.#later(1e-3, { type: "send-failed", ...failure });
    }
    const header = decodeHeader(send.packet);
    assert.ok(header.ok);
    const answer = this.#servers.answer(destination.address, {
      origin: header.value.transmitTimestamp,
      sentAt: this.#clock.trueTime(),
    });
    if (answer === undefined) return;
    const { packet, delay } = answer;
    const transmitTimestamp = this.#clock.now.realtime;
    this.#later(delay, {
      type: "datagram",
      association,
      request,
      packet,
      transmitTimestamp,
      transmitTimestamping: "kernel",
      // the local clock may run differently until then; these paths are short
      receiveTimestamp: addSeconds(transmitTimestamp, delay * this.#clock.speed),
      receiveTimestamping: "kernel",
    });
  }

  #resolve(lookup: number): void {
    const { addresses } = this.#servers;
    const some = addresses.filter(() => this.#happens(0.8));
    const result = some.length === 0 ? err("no such name") : ok(some);
    this.#later(0.01, { type: "resolved", lookup, result });
  }

  #exchange({ association, host, dates }: ActionOf<"exchange-keys">): void {
    const [kind, number] = host.split(".");
    const isHonest = kind === "honest";
    const isRefused = !isHonest && this.#happens(0.3);
    const peer = isHonest ? `192.0.2.${number}` : this.#someone();
    const result = isRefused
      ? err("certificate has expired")
      : ok(this.#outcome(host, peer, dates?.outside === "accept-provisionally"));
    this.#later(0.1, {
      type: "keys-exchanged",
      association,
      result,
      ...(isRefused ? { reason: "tls", isLocal: this.#happens(0.2) } : {}),
    });
  }

  #outcome(host: string, peerAddress: string, mayBeProvisional: boolean): KeyExchangeOutcome {
    const isOdd = host.startsWith("hostile") && this.#happens(0.5);
    const begin = 1.7e9 + (isOdd ? (this.#fate ?? this.#draw).signed(1, 1e9) : 0);
    return exchangeOutcome({
      cookies: several(isOdd ? this.#below(9) : 8, () => new Uint8Array(100)),
      ntpServer: isOdd && this.#happens(0.3) ? this.#someone() : undefined,
      ntpPort: isOdd && this.#happens(0.3) ? 1 + this.#below(65_535) : 123,
      peerAddress,
      provisional: mayBeProvisional && isOdd && this.#happens(0.5)
        ? "certificate-expired"
        : undefined,
      certificate: exchangeCertificate({
        notBefore: begin,
        notAfter: begin + 2e8,
        identity: isOdd ? "the same" : host,
        host,
      }),
    });
  }

  #config(): Config {
    const { honest, isHonestAuthenticated } = this.#plan;
    const { addresses } = this.#servers;
    const some = addresses.filter(() => this.#happened === 0 || this.#happens(0.7));
    // without a source there is no configuration
    const hostile = some.length > 0 ? some : addresses;
    const total = honest.length + hostile.length;
    const isPool = this.#happens(0.2);
    const parsed = parseConfig([
      ...honest.map((address) =>
        this.#source(isHonestAuthenticated ? `honest.${address.split(".").at(-1)}` : address, true)
      ),
      ...(isPool
        ? [this.#source("pool.example", false, hostile.length)]
        : hostile.map((address) => {
          // whoever holds a key is believed, so that none of the liars may beside honest ones
          const isNts = honest.length === 0 && this.#happens(0.3);
          return this.#source(isNts ? `hostile.${address.split(".").at(-1)}` : address, false);
        })),
    ].join(""));
    assert.ok(parsed.ok, JSON.stringify(parsed));
    const { config } = parsed.value;
    const quorum = honest.length === 3 ? 3 : Math.floor(total / 2) + 1;
    const words = ["mix", "prefer", "ignore", "require"] as const;
    const fit = honest.length === 0 || isHonestAuthenticated ? words.length : words.length - 1;
    return {
      ...config,
      synchronization: {
        ...config.synchronization,
        minimumAgreeingSources: honest.length > 0 ? quorum : 1,
        localStratum: this.#draw.chance(0.2) ? 10 : undefined,
        ...(this.#happens(0.2) ? { authentication: words[this.#below(fit)] ?? "mix" } : {}),
      },
    };
  }

  #source(address: string, isHonest: boolean, count = 1): string {
    const { honest, honestPoll, isLong } = this.#plan;
    const hasHonest = honest.length > 0;
    const drawn = this.#draw.integer(7);
    // beside honest ones more answers of the others would only take longer
    const min = isHonest
      ? honestPoll
      : hasHonest && !isLong
      ? Math.max(drawn, honestPoll - 1)
      : drawn;
    const max = min + (isHonest ? 2 : this.#draw.integer(5));
    const iburst = this.#draw.chance(0.7);
    const mode = count > 1 ? "pool" : address.startsWith("h") ? "nts" : "server";
    const interleaved = !isHonest && this.#draw.chance(0.3);
    return `[[source]]\nmode = "${mode}"\naddress = "${address}"\n` +
      (mode === "pool" ? `count = ${Math.min(16, count)}\n` : "") +
      `iburst = ${iburst}\ninitial-poll-interval = ${min}\n` +
      `poll-interval-limits = { min = ${min}, max = ${max} }\n` +
      (mode === "nts" ? "" : `interleaved = ${interleaved}\n`);
  }

  #later(seconds: number, event: Event): void {
    this.#arrivals.push({ at: this.#clock.time + seconds, event });
    this.#arrivals.sort((a, b) => a.at - b.at);
  }

  /** One of the servers that are not honest. */
  #someone(): string {
    return (this.#fate ?? this.#draw).pick(this.#servers.addresses);
  }

  /** Whether something happens that does in no world without a fate. */
  #happens(probability: number): boolean {
    return this.#fate?.chance(probability) ?? false;
  }

  /** The same, of what would keep honest servers from being right in the end. */
  #isWicked(probability: number): boolean {
    const isOver = this.#happened >= this.#disturbances.length;
    return !(this.#plan.honest.length > 0 && isOver) && this.#happens(probability);
  }

  #below(limit: number): number {
    return this.#fate?.integer(limit) ?? 0;
  }
}
