/**
 * What must hold of an engine at any moment, whatever its servers say: of its state for readers, of
 * the time that it serves, of what it wants done.
 *
 * The idea: one list for all targets that drive an engine. Messages are made when something fails,
 * because these checks run after every few events. Limits: whether the clock is right is for the
 * world to know.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Instant } from "../../src/base/instant.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Action, KernelStatus } from "../../src/engine/events.ts";
import {
  type EngineSnapshot,
  isTimeKnown,
  type SourceDocument,
} from "../../src/engine/status/snapshot.ts";
import type { ServedTime } from "../../src/engine/status/served_time.ts";

/** More than a source with all reasons and a long sentence needs in JSON. */
const SOURCE_LENGTH_MAX = 4000;
/** No text for people is longer. */
const TEXT_LENGTH_MAX = 2000;
/**
 * What the rate of a clock can be changed by: what max-frequency-ppm and max-slew-ppm allow at the
 * most.
 */
const FREQUENCY_MAX = 500 + 100_000;
/** Sums of the same numbers in another order. */
const ROUNDING = 1e-9;
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

/** Looks at what readers and clients of an engine are told at a moment, and returns the former. */
export function lookAtEngine(engine: Engine, now: Instant): EngineSnapshot {
  const snapshot = engine.snapshot(now);
  lookInto(snapshot, "status");
  lookAtSystem(snapshot);
  for (const source of snapshot.sources) lookAtSource(source);
  lookAtServed(engine.servedTime(now), snapshot);
  assert.ok(!Number.isNaN(engine.nextWakeup()), "a wake-up that is no time");
  return snapshot;
}

/**
 * Looks at a document as a program gets it: nothing is lost on the way through JSON, and it does
 * not grow without bound.
 */
export function lookAtJson(snapshot: EngineSnapshot): void {
  const text = JSON.stringify(snapshot);
  assert.deepEqual(JSON.parse(text), snapshot, "JSON says something else");
  assert.ok(text.length < SOURCE_LENGTH_MAX * (1 + snapshot.sources.length), `${text.length}`);
}

/** Looks at something that is to be done. */
export function lookAtAction(action: Action): void {
  switch (action.type) {
    case "send":
      return check(action.packet.length >= 48 && action.packet.length <= 1280, action);
    case "log":
    case "panic":
      return lookAtText(action.message, action.type);
    case "set-clock":
      check(Number.isFinite(action.step), action);
      // that of no comparison holds for what is no number
      check(Math.abs(action.frequency) <= FREQUENCY_MAX, action);
      return lookAtKernelStatus(action.status);
    case "save-drift":
      return check(Math.abs(action.frequency) <= FREQUENCY_MAX && isLength(action.skew), action);
    case "save-time-bound":
      return check(Number.isInteger(action.bound) && action.bound > 0, action);
    case "verify-certificates":
      return check(Number.isFinite(action.at), action);
    case "close":
    case "resolve":
    case "exchange-keys":
    case "save-sessions":
  }
}

function lookAtKernelStatus(status: KernelStatus): void {
  const { synchronized, maxError, estimatedError, leap } = status;
  check(isLength(maxError) && isLength(estimatedError), status);
  check(!synchronized || maxError <= 1.5, status);
  check(synchronized || leap === "unknown", status);
}

function lookAtSystem(snapshot: EngineSnapshot): void {
  const { state, stratum, leap, referenceId, why: reason, sources, errorBoundSeconds } = snapshot;
  const { rootDelaySeconds, rootDispersionSeconds, updateIntervalSeconds, steps } = snapshot;
  const isKnown = isTimeKnown(state), isLocal = isKnown && errorBoundSeconds === null;
  check(Number.isInteger(stratum) && stratum >= 1 && stratum <= 16, snapshot);
  check(isLength(rootDelaySeconds) && isLength(rootDispersionSeconds), snapshot);
  check(errorBoundSeconds === null || errorBoundSeconds >= 0, snapshot);
  check((snapshot.skewPpm ?? 0) >= 0, snapshot);
  check(isKnown === (stratum < 16), snapshot);
  check(isKnown || (leap === "unknown" && referenceId === "INIT"), snapshot);
  check(state === "synchronized" ? isLocal === (reason !== "") : reason.length > 0, snapshot);
  lookAtText(reason, "why", 0);
  lookAtText(referenceId, "reference");
  const followed = sources.filter(({ status }) => status === "selected");
  check(followed.length <= 1, snapshot);
  check(isLocal || state !== "synchronized" || followed.length === 1, snapshot);
  if (isKnown && !isLocal) {
    const bound = rootDelaySeconds / 2 + rootDispersionSeconds;
    check(Math.abs((errorBoundSeconds ?? NaN) - bound) <= ROUNDING, snapshot);
    check((errorBoundSeconds ?? NaN) <= 1.5, snapshot);
  }
  check(updateIntervalSeconds === null || isPollInterval(updateIntervalSeconds), snapshot);
  check(Number.isInteger(steps.count) && steps.count >= 0 && steps.accumulatedSeconds >= 0, steps);
  const { referenceTime } = snapshot;
  check(referenceTime === null || Number.isFinite(Date.parse(referenceTime)), snapshot);
}

function lookAtSource(source: SourceDocument): void {
  const { dropped, stratum, reach, sent, received, reason } = source;
  assert.equal(dropped["internal-error"], undefined, reason);
  check(!reason.includes("internal-error"), source);
  check(stratum === null || (Number.isInteger(stratum) && stratum >= 1 && stratum <= 16), source);
  check(Number.isInteger(reach) && reach >= 0 && reach <= 255, source);
  check(isPollInterval(source.pollSeconds), source);
  check(Number.isInteger(sent) && sent >= 0 && Number.isInteger(received), source);
  for (const count of Object.values(dropped)) check(Number.isInteger(count) && count > 0, source);
  for (
    const length of [
      source.delaySeconds,
      source.dispersionSeconds,
      source.jitterSeconds,
      source.errorBoundSeconds,
      source.lastReplySecondsAgo,
    ]
  ) check(length === null || isLength(length), source);
  const { delaySeconds, dispersionSeconds, errorBoundSeconds } = source;
  if (errorBoundSeconds !== null && delaySeconds !== null && dispersionSeconds !== null) {
    check(errorBoundSeconds >= delaySeconds / 2 - ROUNDING, source);
    check(errorBoundSeconds >= dispersionSeconds, source);
  }
  // whoever is followed has been measured
  const isFollowed = source.status === "selected" || source.status === "combined";
  check(!isFollowed || (source.offsetSeconds !== null && errorBoundSeconds !== null), source);
  lookAtText(reason, "reason");
  if (source.referenceId !== null) lookAtText(source.referenceId, "reference");
}

function lookAtServed(served: ServedTime, snapshot: EngineSnapshot): void {
  const isLocal = snapshot.errorBoundSeconds === null;
  check(served.synchronized === (isTimeKnown(snapshot.state) && !isLocal), snapshot);
  if (!served.synchronized) return;
  const { stratum, rootDelay, rootDispersion, dispersionRate, leapIndicator } = served;
  lookInto(served, "served");
  check(stratum >= 1 && stratum <= 15 && stratum === snapshot.stratum, snapshot);
  check(rootDelay >= 0 && rootDispersion >= 0 && dispersionRate > 0, snapshot);
  check(leapIndicator >= 0 && leapIndicator <= 3, snapshot);
}

/**
 * Throws when a number in a document is not one, or something is left out that JSON would not
 * carry.
 */
function lookInto(value: unknown, path: string): void {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) assert.fail(`${path} is ${value}`);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    if (typeof part === "number" ? !Number.isFinite(part) : typeof part === "object") {
      lookInto(part, `${path}.${key}`);
    }
  }
}

function lookAtText(text: string, what: string, least = 1): void {
  const isFit = text.length >= least && text.length < TEXT_LENGTH_MAX && !UNSAFE.test(text);
  if (!isFit) assert.fail(`${what}: ${JSON.stringify(text)}`);
}

function isLength(value: number): boolean {
  return value >= 0 && value < Infinity;
}

function isPollInterval(seconds: number): boolean {
  return Number.isInteger(Math.log2(seconds)) && seconds >= 1 && seconds <= 2 ** 17;
}

function check(holds: boolean, about: unknown): void {
  if (holds) return;
  const text = JSON.stringify(about, (_, value) => {
    if (typeof value === "bigint") return String(value);
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  });
  assert.fail(`It does not hold of ${text}`);
}
