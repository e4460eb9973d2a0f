/**
 * A little world around one engine: a clock with an oscillator, servers with their ways, and time that only the test moves.
 *
 * The simulation under src/simulation is the one to judge the discipline by; this one is for tests of the engine's decisions:
 * paths are still, and what a server says is changed from one line of the test to the next. No permission, no real time.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KeysExchangedEvent } from "../../src/association/events.ts";
import type { Instant } from "../../src/base/instant.ts";
import { addSeconds, type NtpTimestamp, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
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
import { decodeHeader, emptyHeader, encodeHeader, LEAP } from "../../src/protocol/header.ts";
import { referenceIdOfAddress } from "../../src/protocol/reference_id.ts";

/** 2026-02-10T00:00:00Z, in seconds since 1900: far from the end of a month. */
export const PLAIN_DAY = 3_979_670_400;

/** What a server does; tests change it as they go. */
export interface FakeServer {
  /** What its clock shows more than true time, in seconds. */
  error: number;
  /** The round trip, in seconds; both directions take half. */
  delay: number;
  /** Whether requests are lost. */
  isSilent: boolean;
  /** Whether requests cannot leave the machine for want of a route. */
  hasNoRoute: boolean;
  /** The version of its answers. */
  version: number;
  /** What follows the header. */
  tail: Uint8Array;
  /** Whether answers do not repeat the number of the request. */
  badOrigin: boolean;
  stratum: number;
  leap: keyof typeof LEAP;
  rootDelay: number;
  rootDispersion: number;
  referenceId: number;
  /** An exponent of two seconds. */
  precision: number;
  /** Whether timestamps are cut to that precision. */
  isCoarse: boolean;
  /** What the round trip takes longer each time: drawn from 0 to so much, and all of it on the way back. */
  queue: number;
}

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

/** An answer on its way. */
interface Answer {
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
  /** Everything that the engine wanted, in order, one line each. */
  readonly journal: string[] = [];
  /** The commands to the clock. */
  readonly commands: SetClockAction[] = [];
  /** The lines of the log with their levels. */
  readonly logs: string[] = [];
  /** The other actions. */
  readonly actions: Action[] = [];
  /** True time since the start. */
  time = 0;
  /** What the next changes of the clock end with, instead of success. */
  clockFailure: string | undefined;
  /** Whether nothing leaves the machine: no request, no lookup, no key exchange. */
  isOffline = false;
  /** What names stand for; undefined means that there is no such name. */
  resolve: ((host: string) => readonly string[] | "hangs" | undefined) | undefined;
  /** What a key exchange ends with, after 50 ms. */
  exchange:
    | ((
      action: ActionOf<"exchange-keys">,
    ) => Omit<KeysExchangedEvent, "type" | "association"> | "hangs")
    | undefined;
  /** What the oscillator gains, a fraction. */
  drift: number;
  /** The rate that the kernel gives instead of the one wanted, in parts per million. */
  kernelFrequency: number | undefined;
  readonly #servers = new Map<string, FakeServer>();
  readonly #start: NtpTimestamp;
  readonly #random = new SeededRandom(99);
  #rate = 0;
  #monotonic = 1000;
  #ahead: number;
  #happenings: Happening[] = [];
  readonly #loop: EngineLoop;
  /** What the engine wanted since the last call of `handle`. */
  #wanted: Action[] = [];

  constructor(options: WorldOptions = {}) {
    this.#start = ntpTimestamp(BigInt(options.start ?? PLAIN_DAY + 43_200) << 32n);
    this.drift = options.drift ?? 0;
    this.#ahead = -this.#monotonic - (options.offset ?? 0);
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

  /** The moment, as the local clocks tell it. */
  get now(): Instant {
    return {
      monotonic: this.#monotonic,
      realtime: addSeconds(this.#start, this.#monotonic + this.#ahead),
    };
  }

  /** True time minus the real-time clock. */
  get offset(): number {
    return this.time - this.#monotonic - this.#ahead;
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
    const server: FakeServer = {
      error: 0,
      delay: 0.01,
      isSilent: false,
      hasNoRoute: false,
      version: 4,
      tail: new Uint8Array(0),
      badOrigin: false,
      stratum: 2,
      leap: "none",
      rootDelay: 0.002,
      rootDispersion: 0.001,
      referenceId: referenceIdOfAddress(address) ?? 0,
      precision: -25,
      isCoarse: false,
      queue: 0,
    };
    this.#servers.set(address, server);
    return server;
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
      this.#pass(next - this.time);
      if (first !== undefined && first.at <= this.time) {
        this.#happenings.shift();
        first.happen();
      } else if (due <= this.time) this.handle({ type: "timer" });
      else return;
    }
    assert.fail(`still busy at ${this.time} s`);
  }

  /** Lets time pass in which the engine is not asked, as for a process that is stopped; what arrives meanwhile waits. */
  halt(seconds: number): void {
    this.#pass(seconds);
  }

  /** Lets somebody else step the real-time clock. */
  stepFromOutside(by: number): void {
    this.#ahead += by;
  }

  /** Lets the machine sleep: both of its clocks are put forward by what its battery-backed clock says. */
  sleep(seconds: number): void {
    this.time += seconds;
    this.#monotonic += seconds;
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
    return this.time + (monotonic - this.#monotonic) / this.#speed + 1e-9;
  }

  get #speed(): number {
    return (1 + this.drift) * (1 + this.#rate);
  }

  #pass(seconds: number): void {
    if (!(seconds > 0)) return;
    this.time += seconds;
    this.#monotonic += seconds * this.#speed;
  }

  #port(): EnginePort {
    const keep = (action: Action) => void this.actions.push(action);
    return {
      now: () => this.now,
      observe: (action) => {
        this.journal.push(`${this.time.toFixed(6)} ${textOf(action)}`);
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
      verifyCertificates: keep,
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
    this.#rate = frequency * 1e-6;
    this.#ahead += action.step;
    return ok({ frequency, step: action.step });
  }

  /** Lets something happen after so many seconds. */
  later(seconds: number, happen: () => void): void {
    this.#happenings.push({ at: this.time + seconds, happen });
    this.#happenings.sort((a, b) => a.at - b.at);
  }

  #resolve({ lookup, host }: ActionOf<"resolve">): void {
    const found = this.isOffline ? undefined : this.resolve?.(host);
    if (found === "hangs") return;
    const result = found === undefined ? err(`Name not known: ${host}`) : ok(found);
    this.later(0.02, () => this.handle({ type: "resolved", lookup, result }));
  }

  #exchange(action: ActionOf<"exchange-keys">): void {
    const { association } = action;
    const outcome = this.isOffline
      ? { result: err("No route to host"), reason: "connection-refused", isLocal: true }
      : this.exchange?.(action);
    if (outcome === undefined || outcome === "hangs") return;
    this.later(0.05, () => this.handle({ type: "keys-exchanged", association, ...outcome }));
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
    const request = decodeHeader(send.packet);
    assert.ok(request.ok);
    const exact = addSeconds(this.#start, this.time + server.delay / 2 + server.error);
    const grain = server.isCoarse ? BigInt(2 ** (32 + server.precision)) : 1n;
    const at = ntpTimestamp(exact - exact % grain);
    const header = encodeHeader({
      ...emptyHeader(server.version, 4),
      leapIndicator: LEAP[server.leap],
      stratum: server.stratum,
      precision: server.precision,
      rootDelay: server.rootDelay,
      rootDispersion: server.rootDispersion,
      referenceId: server.referenceId,
      referenceTimestamp: addSeconds(at, -10),
      originTimestamp: server.badOrigin ? at : request.value.transmitTimestamp,
      receiveTimestamp: at,
      transmitTimestamp: at,
    });
    const packet = new Uint8Array([...header, ...server.tail]);
    const transmitTimestamp = this.now.realtime;
    const away = server.delay + server.queue * uniform(this.#random);
    this.later(away, () => this.#deliver({ send, packet, transmitTimestamp }));
  }

  #deliver(arrival: Answer): void {
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
