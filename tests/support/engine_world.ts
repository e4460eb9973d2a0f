/**
 * The simulated world of tests around one engine: a clock with an oscillator, servers with their
 * ways, key exchanges with certificates, and time that only the test moves.
 *
 * The simulation under src/simulation is the one to judge the discipline by; this one is for tests
 * of the engine's decisions: paths are still, and what a server says is changed from one line of
 * the test to the next. No permission, no real time.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Instant } from "../../src/base/instant.ts";
import { type NtpTimestamp, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { SeededRandom, uniform } from "../../src/base/random.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { Config, SourceConfig } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { EngineOptions } from "../../src/engine/engine_options.ts";
import type {
  Action,
  ActionOf,
  ClockReading,
  Event,
  SendAction,
  SetClockAction,
} from "../../src/engine/events.ts";
import { EngineLoop, type EnginePort } from "../../src/engine/perform.ts";
import type { EngineSnapshot, SourceDocument } from "../../src/engine/status/snapshot.ts";
import { type ExchangeEnd, FakeCertificates } from "./fake_certificates.ts";
import { fakeResponse, type FakeServer, fakeServer } from "./fake_server.ts";
import { TestClock } from "./test_clock.ts";

/** 2026-02-10T00:00:00Z, in seconds since 1900: far from the end of a month. */
export const PLAIN_DAY = 3_979_670_400;

/** What a world is like; everything has a plain default. */
export interface WorldOptions {
  /** TOML; sources are 192.0.2.1 to .3 if left out. */
  readonly config?: string;
  /** True time minus the real-time clock at the start, in seconds. */
  readonly offset?: number;
  /** What the oscillator gains, a fraction. */
  readonly drift?: number;
  /** The true time at the start, in seconds since 1900. */
  readonly start?: number;
  readonly mayAdjust?: boolean;
  readonly ownAddresses?: readonly string[];
  readonly seed?: number;
  readonly more?: Partial<EngineOptions>;
}

/** A response on its way. */
interface Arrival {
  readonly send: SendAction;
  readonly packet: Uint8Array;
  readonly transmitTimestamp: NtpTimestamp;
}

/** Something that happens at a time. */
interface Happening {
  readonly at: number;
  readonly happen: () => void;
}

/** Three servers with numeric addresses. */
export const THREE_SOURCES = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
  .map((address) => `[[source]]\nmode = "server"\naddress = "${address}"\n`).join("");

/** Reads a configuration that has no faults. */
export function configOf(text: string): Config {
  const parsed = parseConfig(text);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.error.map(({ message }) => message).join("; "));
  return parsed.value.config;
}

/** One engine and its world. */
export class EngineWorld {
  readonly engine: Engine;
  /** Everything that the engine wanted, in order. */
  readonly journal: { readonly time: number; readonly action: Action }[] = [];
  /** The commands to the clock. */
  readonly commands: SetClockAction[] = [];
  /** The lines of the log with their levels. */
  readonly logs: string[] = [];
  /** The other actions. */
  actions: Action[] = [];
  /** What the next changes of the clock end with, instead of success. */
  clockFailure: string | undefined;
  /** Whether nothing leaves the machine: no request, no lookup, no key exchange. */
  isOffline = false;
  /** What names stand for; undefined means that there is no such name. */
  resolve: ((host: string) => readonly string[] | "hangs" | undefined) | undefined;
  /** How long a lookup takes, in seconds, and how many are under way at a time. */
  resolver = { seconds: 0.02, places: Infinity };
  /**
   * What a key exchange ends with, after 50 ms; what certificates say if there are any, and nothing
   * else.
   */
  exchange: ((action: ActionOf<"exchange-keys">) => ExchangeEnd | "hangs") | undefined;
  /** The certificates of key exchange servers. */
  readonly certificates = new FakeCertificates();
  /** The rate that the kernel gives instead of the one wanted, in parts per million. */
  kernelFrequency: number | undefined;
  readonly #servers = new Map<string, FakeServer>();
  readonly #clock: TestClock;
  readonly #random = new SeededRandom(99);
  #happenings: Happening[] = [];
  /** How many lookups are under way, and which wait for a place. */
  #lookups = 0;
  readonly #waiting: ActionOf<"resolve">[] = [];
  readonly #loop: EngineLoop;
  /** What the engine wanted since the last call of `handle`. */
  #wanted: Action[] = [];

  constructor(options: WorldOptions = {}) {
    const start = ntpTimestamp(BigInt(options.start ?? PLAIN_DAY + 43_200) << 32n);
    const { offset = 0, drift = 0 } = options;
    this.#clock = new TestClock({ start, offset, drift });
    this.engine = new Engine({
      config: configOf(options.config ?? THREE_SOURCES),
      random: new SeededRandom(options.seed ?? 1),
      now: this.now,
      mayAdjust: options.mayAdjust ?? true,
      frequency: 0,
      clockPrecision: 3e-8,
      ownAddresses: options.ownAddresses ?? [],
      ...options.more,
    });
    this.#loop = new EngineLoop(this.engine, this.#port());
  }

  /** True time since the start. */
  get time(): number {
    return this.#clock.time;
  }

  /** The moment, as the local clocks tell it. */
  get now(): Instant {
    return this.#clock.now;
  }

  /** True time minus the real-time clock. */
  get offset(): number {
    return this.#clock.offset;
  }

  /** What the oscillator gains, a fraction. */
  get drift(): number {
    return this.#clock.drift;
  }

  set drift(fraction: number) {
    this.#clock.drift = fraction;
  }

  /** What the engine shows to readers. */
  get snapshot(): EngineSnapshot {
    return this.engine.snapshot(this.now);
  }

  /** The row of a source in the snapshot. */
  source(name: string): SourceDocument {
    const found = this.snapshot.sources.find((source) => source.name === name);
    assert.ok(found !== undefined, `no source ${name}`);
    return found;
  }

  /** The server at an address; it comes into being when it is first spoken of. */
  server(address: string): FakeServer {
    const known = this.#servers.get(address);
    if (known !== undefined) return known;
    const server = fakeServer(address);
    this.#servers.set(address, server);
    return server;
  }

  /** Takes out the journal, one line each. */
  takeJournal(): readonly string[] {
    return this.journal.splice(0).map(({ time, action }) => `${time.toFixed(6)} ${textOf(action)}`);
  }

  /** What the engine wanted of a kind, as far as `actions` has it. */
  wanted<Type extends Action["type"]>(type: Type): readonly ActionOf<Type>[] {
    return this.actions.filter((action) => action.type === type) as ActionOf<Type>[];
  }

  /** The same, each once: what was taken is in `actions` no more. */
  take<Type extends Action["type"]>(type: Type): readonly ActionOf<Type>[] {
    const found = this.wanted(type);
    this.actions = this.actions.filter((action) => action.type !== type);
    return found;
  }

  /** The sentence with which the engine gave up; undefined when it has not. */
  get panic(): string | undefined {
    return this.wanted("panic")[0]?.message;
  }

  /** The steps of the clock so far. */
  get steps(): readonly number[] {
    return this.commands.map(({ step }) => step).filter((step) => step !== 0);
  }

  /** The statuses of some sources, each once. */
  statuses(names: readonly string[]): readonly string[] {
    return [...new Set(names.map((name) => this.source(name).status))].toSorted();
  }

  /** Lets the engine begin. */
  start(): this {
    this.handle({ type: "start" });
    return this;
  }

  /** Lets the world go on for so many seconds. */
  run(seconds: number): void {
    const end = this.time + seconds;
    for (let turn = 0; turn < 200_000; turn++) {
      const first = this.#happenings[0];
      const due = Math.max(this.time, this.#trueTimeOf(this.engine.nextWakeup()));
      const next = Math.min(end, due, first?.at ?? Infinity);
      this.#clock.passTo(next);
      if (first !== undefined && first.at <= this.time) {
        this.#happenings.shift();
        first.happen();
      } else if (due <= this.time) this.handle({ type: "timer" });
      else if (this.time >= end) return;
    }
    assert.fail(`still busy at ${this.time} s`);
  }

  /**
   * Lets time pass in which the engine is not asked, as for a process that is stopped; what arrives
   * meanwhile waits.
   */
  halt(seconds: number): void {
    this.#clock.passTo(this.time + seconds);
  }

  /** Lets another program step the real-time clock. */
  stepFromOutside(by: number): void {
    this.#clock.step(by);
  }

  /**
   * Lets the machine sleep: both of its clocks are put forward by what its battery-backed clock
   * says.
   */
  sleep(seconds: number): void {
    this.#clock.sleep(seconds);
    this.handle({ type: "resumed", asleep: seconds });
  }

  /** Hands an event in, and does what the engine wants; returns that. */
  handle(event: Event): readonly Action[] {
    this.#wanted = [];
    this.#loop.deliver(event);
    return this.#wanted;
  }

  #trueTimeOf(monotonic: number): number {
    // a hair later, so that rounding does not bring the timer too early
    return this.time + (monotonic - this.#clock.monotonic) / this.#clock.speed + 1e-9;
  }

  #port(): EnginePort {
    const keep = (action: Action) => void this.actions.push(action);
    return {
      now: () => this.now,
      observe: (action) => {
        this.journal.push({ time: this.time, action });
        this.#wanted.push(action);
      },
      send: (action) => this.#send(action),
      close: (request) => keep({ type: "close", request }),
      resolve: (action) => this.resolve === undefined ? keep(action) : this.#resolve(action),
      setClock: (action) => this.#setClock(action),
      saveDrift: keep,
      exchangeKeys: (action) => {
        keep(action);
        this.#exchange(action);
      },
      verifyCertificates: (action) => {
        keep(action);
        this.#verify(action);
      },
      saveSessions: keep,
      saveTimeBound: keep,
      log: ({ level, message }) => void this.logs.push(`${level}: ${message}`),
      panic: (message) => keep({ type: "panic", message }),
    };
  }

  #setClock(action: SetClockAction): Result<ClockReading, string> {
    this.commands.push(action);
    if (this.clockFailure !== undefined) return err(this.clockFailure);
    const frequency = this.kernelFrequency ?? action.frequency;
    return ok(this.#clock.set({ frequency, step: action.step }));
  }

  /** Lets something happen after so many seconds. */
  later(seconds: number, happen: () => void): void {
    this.#happenings.push({ at: this.time + seconds, happen });
    this.#happenings.sort((a, b) => a.at - b.at);
  }

  #resolve({ lookup, host }: ActionOf<"resolve">): void {
    if (this.#lookups >= this.resolver.places) {
      this.#waiting.push({ type: "resolve", lookup, host });
      return;
    }
    const found = this.isOffline ? undefined : this.resolve?.(host);
    this.#lookups++;
    if (found === "hangs") return;
    const result = found === undefined ? err(`Name not known: ${host}`) : ok(found);
    this.later(this.resolver.seconds, () => {
      this.#lookups--;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#resolve(next);
      this.handle({ type: "resolved", lookup, result });
    });
  }

  #exchange(action: ActionOf<"exchange-keys">): void {
    const { association } = action;
    const outcome = this.isOffline
      ? { result: err("No route to host"), reason: "connection-refused", isLocal: true }
      : this.exchange !== undefined
      ? this.exchange(action)
      : this.certificates.issued.size > 0
      ? this.certificates.exchange(action)
      : undefined;
    if (outcome === undefined || outcome === "hangs") return;
    this.later(0.05, () => this.handle({ type: "keys-exchanged", association, ...outcome }));
  }

  #verify(action: ActionOf<"verify-certificates">): void {
    if (this.certificates.issued.size === 0) return;
    const results = this.certificates.verify(action);
    this.later(0.05, () => this.handle({ type: "certificates-verified", results }));
  }

  #send(send: SendAction): void {
    if (this.isOffline || this.server(send.destination.address).hasNoRoute) {
      const { association, request } = send;
      const reason = "Network is unreachable";
      this.later(
        0,
        () => this.handle({ type: "send-failed", association, request, reason, isLocal: true }),
      );
      return;
    }
    const server = this.server(send.destination.address);
    if (server.isSilent) return;
    const time = this.#clock.trueTime(server.delay / 2 + server.error);
    const packet = fakeResponse(server, { request: send.packet, time });
    const transmitTimestamp = this.now.realtime;
    const away = server.delay + server.queue * uniform(this.#random);
    this.later(away, () => this.#deliver({ send, packet, transmitTimestamp }));
  }

  #deliver(arrival: Arrival): void {
    const { association, request } = arrival.send;
    this.handle({
      type: "datagram",
      association,
      request,
      packet: arrival.packet,
      transmitTimestamp: arrival.transmitTimestamp,
      transmitTimestamping: "kernel",
      receiveTimestamp: this.now.realtime,
      receiveTimestamping: "kernel",
    });
  }
}

/** A source as the configuration has it. */
export function sourceConfig(address: string, more = ""): SourceConfig {
  const [source] = configOf(`[[source]]\nmode = "server"\naddress = "${address}"\n${more}`).sources;
  assert.ok(source !== undefined);
  return source;
}

function textOf(action: Action): string {
  return JSON.stringify(action, (_, value) => {
    if (typeof value === "bigint") return value.toString(16);
    return value instanceof Uint8Array ? value.toHex() : value;
  });
}
