/**
 * What happened in a run, in sentences with times: what the summary tells and the plot marks.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { Action } from "../engine/events.ts";
import type { EngineSnapshot, SourceDocument, SystemState } from "../engine/status/snapshot.ts";
import type { ScenarioEvent } from "./scenario/event.ts";
import type { Scenario } from "./scenario/scenario.ts";
import type { ClockTruth, Observer } from "./observer.ts";

/** One sentence of the timeline. */
export interface TimelineEntry {
  /** When, from the start. */
  readonly time: Seconds;
  /** What made it: the world, or ntpsd. */
  readonly kind: "world" | "state" | "selection" | "step" | "source" | "log";
  /** The sentence. */
  readonly text: string;
}

/** More lines than this are counted only: a scenario may be long, and a source may come and go. */
const LINES_MAX = 400;
/** Status words that a reader wants to hear of when a source comes to them. */
const NEWS: ReadonlySet<string> = new Set([
  "falseticker",
  "unreachable",
  "unsynchronized",
  "distant",
  "loop",
  "kissed",
]);

/** Writes down what happens in one run. */
export class Timeline implements Observer {
  readonly #names: SourceNames;
  readonly #lines: TimelineEntry[] = [];
  readonly #statuses = new Map<string, string>();
  #dropped = 0;
  #state: SystemState | undefined;
  #selection = "";
  #last: EngineSnapshot | undefined;
  /** Whether the daemon has exited, after which it says nothing of its state. */
  #hasExited = false;

  /** Names servers as the scenario does. */
  constructor(scenario: Scenario) {
    this.#names = new SourceNames(scenario);
  }

  /** What happened, in order. */
  get lines(): readonly TimelineEntry[] {
    return this.#lines;
  }

  /** How many lines were left out because there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  /** What the engine last said of itself. */
  get last(): EngineSnapshot | undefined {
    return this.#last;
  }

  sample(): void {}

  snapshot(time: Seconds, { snapshot }: { snapshot: EngineSnapshot; clock: ClockTruth }): void {
    this.#last = snapshot;
    if (this.#hasExited) return;
    if (snapshot.state !== this.#state) {
      const reason = snapshot.why === "" ? "" : ` (${snapshot.why})`;
      this.#tell(time, { kind: "state", text: `state: ${snapshot.state}${reason}` });
      this.#state = snapshot.state;
    }
    const selection = snapshot.sources.filter(isUsed).map((s) => this.#names.of(s))
      .toSorted().join(", ");
    if (selection !== this.#selection) {
      const text = selection === "" ? "no source is used any more" : `uses ${selection}`;
      this.#tell(time, { kind: "selection", text });
      this.#selection = selection;
    }
    for (const source of snapshot.sources) this.#tellSource(time, source);
  }

  action(time: Seconds, action: Action): void {
    if (action.type === "set-clock" && action.step !== 0) {
      this.#tell(time, { kind: "step", text: `steps the clock by ${formatSeconds(action.step)}` });
    }
    const isGrave = action.type === "log" &&
      (action.level === "warning" || action.level === "error");
    if (isGrave) this.#tell(time, { kind: "log", text: `${action.level}: ${action.message}` });
    if (action.type === "panic") {
      this.#tell(time, { kind: "log", text: `ntpsd exits: ${action.message}` });
      this.#hasExited = true;
    }
  }

  happened(time: Seconds, event: ScenarioEvent): void {
    this.#tell(time, { kind: "world", text: event.label });
  }

  #tellSource(time: Seconds, source: SourceDocument): void {
    const name = this.#names.of(source);
    const before = this.#statuses.get(name);
    if (before === source.status) return;
    this.#statuses.set(name, source.status);
    if (!NEWS.has(source.status)) return;
    const reason = source.reason === "" ? "" : `: ${source.reason}`;
    this.#tell(time, { kind: "source", text: `${name} is ${source.status}${reason}` });
  }

  #tell(time: Seconds, line: Omit<TimelineEntry, "time">): void {
    if (this.#lines.length < LINES_MAX) this.#lines.push({ time, ...line });
    else this.#dropped++;
  }
}

/** Tells whether a source has a say in the clock. */
export function isUsed(source: SourceDocument): boolean {
  return source.status === "selected" || source.status === "combined";
}

/** Names sources as the scenario names the servers at their addresses. */
export class SourceNames {
  readonly #names: Map<string, string>;

  /** Takes the names of the scenario. */
  constructor(scenario: Scenario) {
    this.#names = new Map(scenario.servers.map(({ address, name }) => [address, name]));
  }

  /** Returns the name of the server at a source's address, or the source's own name. */
  of(source: SourceDocument): string {
    const { address } = source;
    if (address === null) return source.name;
    const known = this.#names.get(address);
    if (known !== undefined) return known;
    // The address may come with a port; found once, it is kept.
    const bare = address.replace(/^\[?(.*?)\]?(:\d+)?$/, "$1");
    const name = this.#names.get(bare) ?? source.name;
    this.#names.set(address, name);
    return name;
  }
}

/** Writes a time difference in the unit that suits it: `1.23 us`, `-0.5 s`. */
export function formatSeconds(seconds: Seconds): string {
  const size = Math.abs(seconds);
  const units = [["s", 1], ["ms", 1e-3], ["us", 1e-6], ["ns", 1e-9]] as const;
  const [unit, factor] = units.find(([, one]) => size >= one) ?? units[size === 0 ? 0 : 3];
  return `${Number((seconds / factor).toPrecision(3))} ${unit}`;
}
