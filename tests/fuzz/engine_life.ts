/**
 * The engine under fuzz, event by event: servers that lie, names that change, key exchanges that
 * end in any way, a clock that refuses, sleep, steps by others, new configurations, in any order.
 *
 * An input is a life: each choice is the next event. What a daemon would never do is not done
 * (answer a command to the clock or a key exchange twice, let the boot-time clock run backward);
 * what may come late (answers, lookups and keys for sources that are gone) comes late.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KeyExchangeOutcome } from "../../src/nts/key_exchange/outcome.ts";
import { addSeconds } from "../../src/base/ntp_timestamp.ts";
import { randomBytes, uniform } from "../../src/base/random.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { Config } from "../../src/config/config.ts";
import { builtinConfig } from "../../src/config/builtin.ts";
import { parseConfig } from "../../src/config/parse.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { ClockReading, Event, SendAction, SetClockAction } from "../../src/engine/events.ts";
import { EngineLoop, type EnginePort } from "../../src/engine/perform.ts";
import { parseLeapTable } from "../../src/engine/leap/leap_table.ts";
import { concatBytes } from "../../src/base/bytes.ts";
import { exchangeCertificate, exchangeOutcome } from "../support/nts_sessions.ts";
import { TestClock } from "../support/test_clock.ts";
import { Choices } from "./choices.ts";
import { lookAtAction } from "./engine_checks.ts";
import { KEY, makeEngine, readEngine, START } from "./engine_start.ts";
import { packet, responseTo, rest } from "./grammar_packets.ts";
import { leapFile } from "./grammar_texts.ts";
import { below, between, chance, mutate, pick, several } from "./mutate.ts";
import { makeCookie, makeKeys, makeServer } from "./full_server.ts";

const EVENTS_MAX = 400;
const WAITING_MAX = 64;
/** So often a timer may be due again at once. */
const TIMERS_MAX = 100;
const ADDRESSES = [
  "192.0.2.1",
  "192.0.2.2",
  "2001:db8::1",
  "203.0.113.1",
  "0.0.0.0",
  "224.0.0.1",
  "::",
  "no address",
] as const;
const SOURCES = [
  'mode = "server"\naddress = "192.0.2.1"\ninterleaved = true',
  'mode = "server"\naddress = "192.0.2.2"\nkey = 1',
  'mode = "server"\naddress = "a.example"\niburst = false\npoll-interval-limits = { min = 0, max = 3 }',
  'mode = "pool"\naddress = "pool.example"\ncount = 3\nignore = ["192.0.2.9"]',
  'mode = "nts"\naddress = "nts.example"',
  'mode = "nts"\naddress = "192.0.2.3"\naead-algorithms = [17, 15]',
  'mode = "nts-pool"\naddress = "pool.nts.example"\ncount = 2',
  'mode = "server"\naddress = "192.0.2.4"\nprefer = true\ntrust = true',
  'mode = "server"\naddress = "192.0.2.5"\nno-select = true',
  'mode = "nts"\naddress = "192.0.2.6"',
] as const;
const SETTINGS = [
  "minimum-agreeing-sources = 1",
  "local-stratum = 10",
  'authentication = "ignore"',
  'authentication = "require"',
  'single-step-panic-threshold = "1000s"',
  "step-limit = 3",
] as const;

/** Lives a life; throws when something does not hold. */
export function runFuzzedEngine(octets: Uint8Array): void {
  new FuzzedEngine(new Choices(octets)).run();
}

class FuzzedEngine {
  readonly #choices: Choices;
  readonly #engine: Engine;
  readonly #loop: EngineLoop;
  readonly #server = makeServer("open");
  readonly #clock = new TestClock({ start: START });
  #sent: SendAction[] = [];
  #lookups: number[] = [];
  #exchanging: number[] = [];
  #verifying: number[] = [];
  #open = new Set<number>();
  #hasPanicked = false;

  constructor(choices: Choices) {
    this.#choices = choices;
    this.#engine = makeEngine(this.#config(), {
      now: this.#clock.now,
      random: choices,
      mayAdjust: this.#chance(0.9),
      clockIsTrusted: this.#chance(0.5),
      frequency: this.#chance(0.9) ? 0 : (uniform(choices) - 0.5) * 1000,
    });
    this.#loop = new EngineLoop(this.#engine, this.#port());
  }

  run(): void {
    this.#handle({ type: "start" });
    for (let i = 0; i < EVENTS_MAX && !this.#choices.isOver && !this.#hasPanicked; i++) {
      this.#next();
      if (this.#chance(0.1)) readEngine(this.#engine, this.#clock.now);
    }
    readEngine(this.#engine, this.#clock.now);
    this.#engine.sessions();
    this.#handle({ type: "stop" });
    assert.equal(this.#open.size, 0, "with the end every socket goes");
  }

  #next(): void {
    if (this.#lookups.length > 0 && this.#chance(0.5)) return this.#resolve();
    if (this.#exchanging.length > 0 && this.#chance(0.5)) return this.#exchange();
    if (this.#verifying.length > 0 && this.#chance(0.5)) return this.#verify();
    const kind = below(this.#choices, 24);
    if (kind < 12) return this.#answer();
    if (kind < 16) return this.#wait();
    switch (kind) {
      case 16:
        return this.#resolve();
      case 17:
        return this.#exchange();
      case 18:
        return this.#fail();
      case 19:
        return this.#disturb();
      case 20:
        return this.#handle({ type: "reconfigure", config: this.#config() });
      case 21:
        return this.#verify();
      case 22:
        return this.#handle({ type: "save-sessions" });
      default:
        return this.#handle({ type: "network-changed" });
    }
  }

  #wait(): void {
    const due = this.#engine.nextWakeup() - this.#clock.monotonic;
    const patience = this.#chance(0.05) ? between(this.#choices, 1, 1e6) : 100;
    this.#clock.monotonic += Math.max(0, Math.min(due, patience));
    for (let i = 0; i < TIMERS_MAX; i++) {
      this.#handle({ type: "timer" });
      if (this.#engine.nextWakeup() > this.#clock.monotonic) return;
    }
    assert.fail("timers move on");
  }

  /**
   * Hands in an answer to a request, mostly the newest: an honest one, a lie, or something else.
   */
  #answer(): void {
    const [newest] = this.#sent.slice(-1);
    const send = this.#chance(0.9) ? newest : this.#pickOf(this.#sent);
    if (send === undefined) return this.#wait();
    const transmitTimestamp = this.#clock.now.realtime;
    const delay = this.#chance(0.9) ? 0.01 : between(this.#choices, 1e-9, 5);
    this.#clock.monotonic += delay;
    const receiveTimestamp = this.#clock.now.realtime;
    this.#handle({
      type: "datagram",
      association: send.association,
      request: send.request,
      packet: this.#packetFor(send, delay),
      transmitTimestamp: this.#chance(0.98) ? transmitTimestamp : addSeconds(START, 0),
      transmitTimestamping: pick(this.#choices, ["user", "kernel", "hardware"]),
      receiveTimestamp,
      receiveTimestamping: pick(this.#choices, ["user", "kernel", "hardware"]),
    });
  }

  #packetFor(send: SendAction, delay: number): Uint8Array {
    const at = addSeconds(this.#clock.now.realtime, -delay / 2);
    const genuine = () => {
      const time = [Number(at >> 32n), Number(at & 0xffff_ffffn)] as const;
      this.#server.time = time;
      this.#server.now = this.#clock.monotonic;
      return this.#server.askOne(send.packet, { received: time }) ?? new Uint8Array(48);
    };
    switch (below(this.#choices, 6)) {
      case 0:
        return responseTo(send.packet, this.#choices, at);
      case 1: {
        const forged = responseTo(send.packet, this.#choices, at);
        const keyId = Uint8Array.of(0, 0, 0, 1);
        return concatBytes(forged, keyId, KEY.compute(forged));
      }
      case 2:
        return mutate(this.#choices, [genuine(), responseTo(send.packet, this.#choices, at)]);
      case 3:
        return this.#chance(0.5)
          ? packet(this.#choices)
          : concatBytes(responseTo(send.packet, this.#choices, at), rest(this.#choices));
      default:
        return genuine();
    }
  }

  #resolve(): void {
    const lookup = this.#take(this.#lookups) ?? 1;
    const count = below(this.#choices, this.#chance(0.05) ? 300 : 5);
    const addresses = several(
      count,
      (i) => i < 3 ? pick(this.#choices, ADDRESSES) : `198.51.100.${i % 256}`,
    );
    const result: Result<readonly string[], string> = this.#chance(0.8)
      ? ok(addresses)
      : err("no such name");
    this.#handle({ type: "resolved", lookup, result });
  }

  #exchange(): void {
    const association = this.#exchanging.pop();
    if (association === undefined) return this.#wait();
    const result = this.#chance(0.8) ? ok(this.#outcome()) : err("connection refused");
    const reason = this.#chance(0.5) ? undefined : pick(this.#choices, ["closed-early", "timeout"]);
    this.#handle({
      type: "keys-exchanged",
      association,
      result,
      ...(result.ok ? {} : { reason, isLocal: this.#chance(0.3) }),
    });
  }

  #outcome(): KeyExchangeOutcome {
    const aeadId = pick(this.#choices, [15, 30, 17, 16] as const);
    const keys = makeKeys(aeadId, [below(this.#choices, 256), below(this.#choices, 256)]);
    const other = makeKeys(aeadId, [1, 2]);
    const cookies = several(
      below(this.#choices, 9),
      () => this.#chance(0.8) ? makeCookie(aeadId, keys) : randomBytes(this.#choices, 100),
    );
    const isOdd = this.#chance(0.2);
    const begin = 1.78e9 + between(this.#choices, 1, 1e9) * (isOdd ? 1 : -1);
    return exchangeOutcome({
      aeadId,
      keys,
      alternativeKeys: this.#chance(0.2) ? other : undefined,
      cookies,
      ntpServer: this.#chance(0.7) ? undefined : pick(this.#choices, [...ADDRESSES, "b.example"]),
      ntpPort: this.#chance(0.7) ? 123 : below(this.#choices, 65_535) + 1,
      peerAddress: this.#chance(0.9) ? "192.0.2.7" : pick(this.#choices, ADDRESSES),
      provisional: this.#chance(0.3) ? "certificate-expired" : undefined,
      certificate: exchangeCertificate({
        leaf: { subject: "CN=nts.example", notAfter: 1.8e9 },
        notBefore: begin,
        notAfter: isOdd ? begin + between(this.#choices, 1, 1e9) : 1.8e9,
        identity: pick(this.#choices, ["a", "b", "c"]),
      }),
    });
  }

  #fail(): void {
    const send = this.#pickOf(this.#sent);
    if (send === undefined) return this.#wait();
    const { association, request } = send;
    const isLocal = this.#chance(0.5);
    this.#handle({ type: "send-failed", association, request, reason: "EHOSTUNREACH", isLocal });
  }

  #disturb(): void {
    const some = between(this.#choices, 1e-6, 1e9);
    switch (below(this.#choices, 6)) {
      case 0: // another program sets the clock
        this.#clock.step(this.#chance(0.5) ? some : -some);
        return this.#handle({ type: "timer" });
      case 1:
        this.#clock.monotonic += some;
        return this.#handle({ type: "resumed", asleep: some });
      case 2: {
        const table = parseLeapTable(leapFile(this.#choices));
        return this.#handle({ type: "leap-table", table: table.ok ? table.value : undefined });
      }
      case 3: {
        const addresses = [pick(this.#choices, ADDRESSES)];
        return this.#handle({ type: "own-addresses", addresses });
      }
      default: {
        const frequency = (uniform(this.#choices) - 0.5) * 1000;
        return this.#handle({ type: "drift-loaded", frequency, skew: Math.min(1e6, some) });
      }
    }
  }

  #verify(): void {
    const results = this.#verifying.splice(0).map((association) => ({
      association,
      reason: this.#chance(0.3) ? "certificate has expired" : undefined,
    }));
    this.#handle({ type: "certificates-verified", results });
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
        push(this.#sent, action);
      },
      close: (request) => this.#close(request),
      resolve: ({ lookup }) => push(this.#lookups, lookup),
      exchangeKeys: ({ association }) => push(this.#exchanging, association),
      verifyCertificates: ({ certificates }) => {
        for (const { association } of certificates) push(this.#verifying, association);
      },
      setClock: (action) => this.#setClock(action),
      panic: () => this.#hasPanicked = true,
      log: () => {},
      saveDrift: () => {},
      saveSessions: () => {},
      saveTimeBound: () => {},
    };
  }

  #close(closed: number): void {
    this.#open.delete(closed);
    // An answer may come when nobody waits for it any more.
    if (this.#chance(0.05)) return;
    this.#sent = this.#sent.filter(({ request }) => request !== closed);
  }

  #setClock({ frequency, step }: SetClockAction): Result<ClockReading, string> {
    if (this.#chance(0.05)) return err("clock_adjtime: EPERM");
    return ok(this.#clock.set({ frequency, step }));
  }

  #config(): Config {
    const sources = SOURCES.filter(() => this.#chance(0.35));
    const settings = SETTINGS.filter(() => this.#chance(0.15));
    const text = `${sources.map((lines) => `[[source]]\n${lines}\n`).join("")}[synchronization]\n${
      settings.join("\n")
    }\n[keys]\nfile = "/keys"\n`;
    const parsed = parseConfig(text);
    // With no source but one that is never followed a configuration is refused.
    return parsed.ok ? parsed.value.config : builtinConfig();
  }

  #chance(probability: number): boolean {
    return chance(this.#choices, probability);
  }

  #pickOf<Value>(values: readonly Value[]): Value | undefined {
    return values.length === 0 ? undefined : pick(this.#choices, values);
  }

  /** Takes the newest out, mostly; else leaves it for a second time. */
  #take<Value>(values: Value[]): Value | undefined {
    return this.#chance(0.9) ? values.pop() : values.at(-1);
  }
}

function push<Value>(values: Value[], value: Value): void {
  values.push(value);
  if (values.length > WAITING_MAX) values.shift();
}
