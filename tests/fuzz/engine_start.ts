/**
 * An engine for the targets that need one: made of any configuration, with real cryptography, and
 * read as a whole.
 *
 * @module
 */
import assert from "node:assert/strict";
import { macProtection } from "../../src/association/mac_protection.ts";
import type { Instant } from "../../src/base/instant.ts";
import { type NtpTimestamp, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { type RandomSource, SeededRandom } from "../../src/base/random.ts";
import { renderSources } from "../../src/cli/status/sources.ts";
import { renderStatus } from "../../src/cli/status/status.ts";
import { painter } from "../../src/cli/display/style.ts";
import type { Config } from "../../src/config/config.ts";
import { macKey } from "../../src/crypto/mac.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { renderMetrics } from "../../src/daemon/observability/metrics.ts";
import { exampleStatus } from "../support/status_example.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { StatusDocument } from "../../src/engine/status/snapshot.ts";
import type { Protections } from "../../src/engine/sources/source_set.ts";
import { SessionProtection } from "../../src/nts/client/session_protection.ts";
import { TestClock } from "../support/test_clock.ts";
import { lookAtEngine, lookAtJson } from "./engine_checks.ts";

/** 2026-06-30T20:00:00Z, hours before a leap second could be; in seconds since 1900. */
export const START: NtpTimestamp = ntpTimestamp(3_991_838_400n << 32n);

/** The symmetric key that every number stands for. */
export const KEY = (() => {
  const key = macKey("AES128", new Uint8Array(16).fill(7));
  assert.ok(key.ok);
  return key.value;
})();

/** Makes an engine that has not begun. */
export function makeEngine(
  config: Config,
  options: {
    readonly now: Instant;
    readonly random?: RandomSource;
    readonly mayAdjust?: boolean;
    readonly clockIsTrusted?: boolean;
    readonly frequency?: number;
    readonly protections?: Protections;
  },
): Engine {
  const random = options.random ?? new SeededRandom(1);
  const protections: Protections = {
    startSession: (outcome, start) =>
      SessionProtection.fromExchange(outcome, { aead: portableAead, random, ...start }),
    withKey: (id) => macProtection(id, KEY),
  };
  return new Engine({
    config,
    random,
    now: options.now,
    mayAdjust: options.mayAdjust ?? true,
    frequency: options.frequency ?? 0,
    clockPrecision: 3e-8,
    ownAddresses: ["203.0.113.1"],
    protections: options.protections ?? protections,
    certificateTime: { clockIsTrusted: options.clockIsTrusted ?? true, lowerBounds: [1.7e9] },
  });
}

/** Lets an engine begin, and end. */
export function startEngine(config: Config): void {
  const clock = new TestClock({ start: START });
  const engine = makeEngine(config, { now: clock.now });
  engine.handle({ type: "start" }, clock.now);
  for (let i = 0; i < 3; i++) {
    clock.passTo(clock.time + Math.min(10, engine.nextWakeup() - clock.monotonic));
    engine.handle({ type: "timer" }, clock.now);
  }
  readEngine(engine, clock.now);
  engine.handle({ type: "stop" }, clock.now);
}

/**
 * Reads all that can be read of an engine: nothing went wrong inside, numbers are numbers, all of
 * it can be shown and served.
 */
export function readEngine(engine: Engine, now: Instant): void {
  const snapshot = lookAtEngine(engine, now);
  lookAtJson(snapshot);
  lookAtTexts(exampleStatus(snapshot));
}

/** Throws when what people and programs are shown of a document has words that are none. */
function lookAtTexts(document: StatusDocument): void {
  const view = { now: 1.8e12, paint: painter(false), verbose: true, columns: 80 };
  const texts = [
    renderStatus(document, view),
    renderSources(document.sources, view),
    renderMetrics(document, { residentBytes: 1 }),
  ];
  for (const text of texts) {
    const odd = /^.*\b(NaN|undefined|Infinity|null|\[object)\b.*$/m.exec(text);
    assert.equal(odd, null, odd?.[0]);
  }
}
