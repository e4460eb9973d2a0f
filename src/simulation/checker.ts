/**
 * Checks a run. It knows nothing of how the world is made and sees only what an observer sees, so
 * that an error of the simulator does not excuse one of the engine.
 *
 * The idea: the limits of the scenario, and a few rules that hold in every world: the clock is
 * stepped only as often as the configuration allows, the correction stays within its limits, the
 * kernel is not called synchronised while ntpsd is not, and no server is asked more than a burst's
 * worth in a few seconds.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { Action } from "../engine/events.ts";
import type { EngineSnapshot } from "../engine/status/snapshot.ts";
import type { Check } from "./scenario/check.ts";
import type { ScenarioEvent } from "./scenario/event.ts";
import type { Limits } from "./scenario/limits.ts";
import type { Scenario } from "./scenario/scenario.ts";
import type { RunFigures } from "./statistics.ts";
import { formatSeconds, isUsed, SourceNames } from "./timeline.ts";
import type { ClockTruth, Observer } from "./observer.ts";

/** Something that should not have happened. */
export interface Violation {
  /** When; undefined for the run as a whole. */
  readonly time: Seconds | undefined;
  /** What was wanted and what was found. */
  readonly message: string;
}

/**
 * No more than so many requests to one server in so many seconds, unless a poll interval that is
 * configured wants more.
 */
const BURST_MAX = 12, BURST_WINDOW = 16;
/** One kind of violation is told so many times. */
const REPEATS_MAX = 3;

/** Watches one run. */
export class Checker implements Observer {
  readonly #scenario: Scenario;
  readonly #names: SourceNames;
  readonly #addresses: ReadonlyMap<string, string>;
  readonly #pending: Check[];
  readonly #violations: Violation[] = [];
  readonly #repeats = new Map<string, number>();
  readonly #recentRequests = new Map<string, Seconds[]>();
  /** When the daemon began; until its first command the kernel is as its predecessor left it. */
  #startedAt = 0;
  #hasCommanded = false;
  readonly #logged = new Set<string>();
  #steps = 0;
  #stepsAllowed: number;
  readonly #burstMax: number;

  /** Prepares to judge a run of the scenario. */
  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#names = new SourceNames(scenario);
    this.#addresses = new Map(scenario.servers.map(({ address, name }) => [address, name]));
    this.#pending = scenario.checks.toSorted((a, b) => a.at - b.at);
    this.#stepsAllowed = stepsPerIncarnation(scenario);
    this.#burstMax = burstMax(scenario);
  }

  sample(): void {}

  action(time: Seconds, action: Action): void {
    if (action.type === "send") this.#countRequest(time, action.destination.address);
    if (action.type === "log") this.#checkLog(time, action.message);
    if (action.type !== "set-clock") return;
    this.#hasCommanded ||= time > this.#startedAt;
    const { maxFrequency, maxSlew } = this.#scenario.config.clock;
    const most = maxFrequency + maxSlew + 1e-6;
    if (!(Math.abs(action.frequency) <= most)) {
      const message = `Wanted a correction of at most ${
        most.toFixed(0)
      } ppm, found ${action.frequency}`;
      this.#violate("frequency", { time, message });
    }
    if (action.step === 0) return;
    this.#steps++;
    if (this.#steps > this.#stepsAllowed) {
      const message = `Wanted at most ${this.#stepsAllowed} steps, found one more of ${
        formatSeconds(action.step)
      }`;
      this.#violate("steps", { time, message });
    }
  }

  snapshot(time: Seconds, observed: { snapshot: EngineSnapshot; clock: ClockTruth }): void {
    this.#checkSelection(time, observed.snapshot);
    const isGood = observed.snapshot.state === "synchronized" ||
      observed.snapshot.state === "holdover";
    const isLocal = this.#scenario.config.synchronization.localStratum !== undefined;
    const isInherited = !this.#hasCommanded;
    if (observed.clock.kernelSynchronized && !isGood && !isLocal && !isInherited) {
      const message = `The kernel is told synchronised in the state ${observed.snapshot.state}`;
      this.#violate("kernel", { time, message });
    }
    for (let check = this.#pending[0]; check !== undefined && check.at <= time;) {
      this.#check(time, { check, ...observed });
      this.#pending.shift();
      check = this.#pending[0];
    }
  }

  happened(time: Seconds, event: ScenarioEvent): void {
    if (event.kind === "restart") {
      this.#startedAt = time;
      this.#hasCommanded = false;
    }
    // A restart and a change of the clock from outside renew the steps.
    const renews = ["restart", "suspend", "clock-step", "leap"].includes(event.kind);
    if (renews) this.#stepsAllowed += stepsPerIncarnation(this.#scenario);
  }

  /**
   * Ends the watch; `panic` is the sentence with which ntpsd exited, if it did. Returns all
   * that was wrong.
   */
  finish(
    figures: RunFigures,
    { panic, requests }: { panic: string | undefined; requests: Readonly<Record<string, number>> },
  ): readonly Violation[] {
    const { limits } = this.#scenario;
    if (panic !== undefined && !limits.panic) {
      this.#violate("panic", { message: `ntpsd exited: ${panic}` });
    }
    if (panic === undefined && limits.panic) {
      this.#violate("panic", { message: "Wanted ntpsd to exit with a panic, and it did not" });
    }
    if (panic === undefined && this.#pending.length > 0) {
      this.#violate("checks", { message: `${this.#pending.length} checks are after the end` });
    }
    for (const part of limits.mustLog) {
      if (!this.#logged.has(part)) {
        this.#violate(part, { message: `Wanted a log line with "${part}"` });
      }
    }
    const shortcomings = compareFigures(limits, figures).concat(compareRequests(limits, requests));
    for (const message of shortcomings) this.#violations.push({ time: undefined, message });
    return this.#violations;
  }

  #violate(kind: string, { time, message }: { time?: Seconds; message: string }): void {
    const repeats = (this.#repeats.get(kind) ?? 0) + 1;
    this.#repeats.set(kind, repeats);
    if (repeats <= REPEATS_MAX) this.#violations.push({ time, message });
  }

  #checkLog(time: Seconds, message: string): void {
    const { mustLog, mustNotLog } = this.#scenario.limits;
    for (const part of mustLog) if (message.includes(part)) this.#logged.add(part);
    for (const part of mustNotLog) {
      if (message.includes(part)) this.#violate(part, { time, message: `Logs: ${message}` });
    }
  }

  #countRequest(time: Seconds, address: string): void {
    const recent = (this.#recentRequests.get(address) ?? []).filter((t) => time - t < BURST_WINDOW);
    recent.push(time);
    this.#recentRequests.set(address, recent);
    if (recent.length > this.#burstMax) {
      const name = this.#addresses.get(address) ?? address;
      const message = `Asked ${name} ${recent.length} times within ${BURST_WINDOW} s`;
      this.#violate(`burst ${address}`, { time, message });
    }
  }

  #checkSelection(time: Seconds, snapshot: EngineSnapshot): void {
    const { mustNotSelect } = this.#scenario.limits;
    if (mustNotSelect.length === 0) return;
    for (const source of snapshot.sources) {
      const name = this.#names.of(source);
      if (!isUsed(source) || !mustNotSelect.includes(name)) continue;
      this.#violate(`selection ${name}`, { time, message: `Uses ${name}, which it must not` });
    }
  }

  #check(
    time: Seconds,
    { check, snapshot, clock }: { check: Check; snapshot: EngineSnapshot; clock: ClockTruth },
  ): void {
    const messages = [
      ...compareState(check, snapshot),
      ...this.#compareSources(check, snapshot),
      ...compareClock(check, clock),
    ];
    for (const message of messages) this.#violations.push({ time, message });
  }

  #compareSources({ sources }: Check, snapshot: EngineSnapshot): string[] {
    return Object.entries(sources).flatMap(([name, statuses]) => {
      const source = snapshot.sources.find((entry) => this.#names.of(entry) === name);
      if (source !== undefined && statuses.includes(source.status)) return [];
      const found = source === undefined ? "no such source" : `${source.status}: ${source.reason}`;
      return [`Wanted ${name} to be ${statuses.join(" or ")}, found ${found}`];
    });
  }
}

function compareState({ state, leap }: Check, snapshot: EngineSnapshot): string[] {
  const messages: string[] = [];
  if (state.length > 0 && !state.includes(snapshot.state)) {
    const found = `${snapshot.state}: ${snapshot.why}`;
    messages.push(`Wanted the state ${state.join(" or ")}, found ${found}`);
  }
  if (leap !== undefined && snapshot.leap !== leap) {
    messages.push(`Wanted the leap indicator ${leap}, found ${snapshot.leap}`);
  }
  return messages;
}

function compareClock(check: Check, clock: ClockTruth): string[] {
  const { maxError, maxFrequencyError, kernelSynchronized } = check;
  const messages: string[] = [];
  const error = Math.abs(clock.error), ppm = Math.abs(clock.rateError) * 1e6;
  if (maxError !== undefined && !(error <= maxError)) {
    const most = formatSeconds(maxError);
    messages.push(`Wanted an error of at most ${most}, found ${formatSeconds(error)}`);
  }
  if (maxFrequencyError !== undefined && !(ppm <= maxFrequencyError)) {
    messages.push(`Wanted a rate within ${maxFrequencyError} ppm, found ${ppm} ppm`);
  }
  if (kernelSynchronized !== undefined && clock.kernelSynchronized !== kernelSynchronized) {
    const word = kernelSynchronized ? "synchronised" : "unsynchronised";
    messages.push(`Wanted the kernel's clock to be ${word}, found it is not`);
  }
  return messages;
}

/**
 * Intervals are shortened by chance, a little; each request may be repeated when a burst begins
 * with it.
 */
function burstMax({ config }: Scenario): number {
  const fastest = Math.min(4, ...config.sources.map(({ pollIntervalLimits: { min } }) => min));
  return Math.max(BURST_MAX, Math.ceil(1.25 * BURST_WINDOW / 2 ** fastest) + 1);
}

function stepsPerIncarnation(scenario: Scenario): number {
  const limit = scenario.config.synchronization.stepLimit;
  return limit < 0 ? Infinity : limit;
}

function compareFigures(limits: Limits, figures: RunFigures): string[] {
  const messages: string[] = [];
  const atMost = (
    name: string,
    pair: { limit: number | undefined; found: number | null },
  ): void => {
    const { limit, found } = pair;
    if (limit === undefined || (found !== null && found <= limit)) return;
    const text = found === null ? "never" : name === "steps" ? String(found) : formatSeconds(found);
    const bound = name === "steps" ? String(limit) : formatSeconds(limit);
    messages.push(`Wanted ${name} of at most ${bound}, found ${text}`);
  };
  // A run that ended before anything was measured is an exit, which is a fault of its own.
  atMost("an error", { limit: limits.maxError, found: figures.maxErrorSeconds ?? 0 });
  atMost("an RMS error", { limit: limits.rmsError, found: figures.rmsErrorSeconds ?? 0 });
  atMost("a time to 1 ms", { limit: limits.timeTo1ms, found: figures.timeTo1msSeconds });
  atMost("a time to 100 us", { limit: limits.timeTo100us, found: figures.timeTo100usSeconds });
  atMost("steps", { limit: limits.steps, found: figures.steps });
  atMost("a median bound", { limit: limits.medianBound, found: figures.medianBoundSeconds });
  const { boundCoverage } = limits;
  if (boundCoverage !== undefined && !((figures.boundCoverage ?? 0) >= boundCoverage)) {
    messages.push(
      `Wanted the error inside the stated bound for ${boundCoverage} of the time, found ${figures.boundCoverage}`,
    );
  }
  return messages;
}

function compareRequests(limits: Limits, requests: Readonly<Record<string, number>>): string[] {
  const limit = limits.requestsPerServer;
  if (limit === undefined) return [];
  return Object.entries(requests).filter(([, count]) => count > limit)
    .map(([name, count]) => `Wanted at most ${limit} requests to ${name}, found ${count}`);
}
