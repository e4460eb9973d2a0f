/**
 * The simulated world: it drives the real engine with simulated clocks, networks and servers.
 *
 * The problem: what matters in a time daemon shows after hours, and depends on faults that do not come when called. The
 * idea: the engine is a function of events, so the world keeps true time, lets things happen in their order (packets that arrive,
 * timers, faults of the timeline) and carries out the engine's actions; hours take milliseconds, and a seed repeats them.
 * Between events the clock is advanced by arithmetic and looked at once a simulated second, in its middle (leap seconds and
 * frequency changes fall on whole seconds). Limits: the engine itself takes no time; a timer comes 50 us late.
 *
 * @module
 */
import { assert, unreachable } from "../base/assert.ts";
import { addSeconds, fromUnixNanoseconds, type NtpTimestamp } from "../base/ntp_timestamp.ts";
import { type RandomSource, SeededRandom } from "../base/random.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { MonotonicSeconds, Ppm, Seconds } from "../base/units.ts";
import type { LeapIndicator } from "../association/measurement.ts";
import type { Config } from "../config/config.ts";
import type { Action, Event, Instant, SendAction, SetClockAction } from "../engine/events.ts";
import type { EngineSnapshot } from "../engine/status/snapshot.ts";
import { Draws, streamSeed } from "./draws.ts";
import { EventQueue } from "./event_queue.ts";
import { SimulatedKernelClock } from "./kernel_clock.ts";
import { type Host, SimulatedNetwork } from "./network.ts";
import { MACHINE_ADDRESS, type Scenario, type TimelineEvent } from "./scenario.ts";

/** The engine, as far as the world needs it. */
export interface DrivenEngine {
  /** Takes an event and returns what is to be done. */
  handle(event: Event, now: Instant): readonly Action[];
  /** When it wants its next timer event. */
  nextWakeup(): MonotonicSeconds;
  /** Its state for readers. */
  snapshot(now: Instant): EngineSnapshot;
}

/** What an engine is made from. */
export interface EngineSeed {
  /** The configuration of ntpsd. */
  readonly config: Config;
  /** Where it draws from. */
  readonly random: RandomSource;
  /** The moment on its clocks. */
  readonly now: Instant;
  /** The correction that the kernel applies at the start. */
  readonly frequency: Ppm;
  /** The step between two readings of the clock. */
  readonly clockPrecision: Seconds;
  /** The machine's own addresses. */
  readonly ownAddresses: readonly string[];
}

/** What watches a run; all times are seconds since the start. */
export interface Observer {
  /** Is told the state of the clock once a second. */
  sample(time: Seconds, clock: ClockTruth): void;
  /** Is told what the engine says of itself, every ten seconds or more, and after changes of the clock. */
  snapshot(time: Seconds, observed: { snapshot: EngineSnapshot; clock: ClockTruth }): void;
  /** Is told each action. */
  action(time: Seconds, action: Action): void;
  /** Is told when something of the timeline happens. */
  happened(time: Seconds, event: TimelineEvent): void;
}

/** What is true of the simulated clock, which no daemon can know. */
export interface ClockTruth {
  /** What the clock shows more than true time. */
  readonly error: Seconds;
  /** What the clock gains a second now, slews included. */
  readonly rateError: number;
  /** What the oscillator gains without corrections. */
  readonly oscillatorFrequency: Ppm;
  /** The correction that the kernel applies. */
  readonly correction: Ppm;
  /** Whether the kernel calls its clock synchronised. */
  readonly kernelSynchronized: boolean;
  /** The leap second that the kernel has armed. */
  readonly kernelLeap: "none" | "insert" | "delete";
}

/** What a world is made from. */
export interface WorldOptions {
  /** The world to be. */
  readonly scenario: Scenario;
  /** The seed of the run. */
  readonly seed: number;
  /** Makes the engine that is driven. */
  readonly createEngine: (seed: EngineSeed) => DrivenEngine;
  /** Who watches. */
  readonly observer: Observer;
}

interface Exchange {
  readonly send: SendAction;
  readonly transmitTimestamp: NtpTimestamp;
  /** Which life of the daemon asked. */
  readonly life: number;
}

type Occurrence =
  | { readonly kind: "at-server"; readonly host: Host; readonly exchange: Exchange }
  | { readonly kind: "at-machine"; readonly exchange: Exchange; readonly packet: Uint8Array }
  | { readonly kind: "refused"; readonly exchange: Exchange }
  | {
    readonly kind: "resolved";
    readonly life: number;
    readonly lookup: number;
    readonly host: string;
  }
  | { readonly kind: "timeline"; readonly event: TimelineEvent }
  | { readonly kind: "look" }
  | { readonly kind: "wake"; readonly event: TimelineEvent & { readonly kind: "suspend" } };

const TIMER_LATENCY = 50e-6;
const RESOLVER_DELAY = 0.02;
/** The engine is asked for its state so many times in a run, but not more often than every ten seconds. */
const SNAPSHOTS_WANTED = 4000, SNAPSHOT_INTERVAL_MIN = 10;
const FIRST_HOUR = 3600;
/** More events than this in one simulated second are a loop. */
const EVENTS_PER_SECOND_MAX = 20_000;

/** One run of one scenario from one seed. */
export class World {
  readonly #scenario: Scenario;
  readonly #seed: number;
  readonly #createEngine: (seed: EngineSeed) => DrivenEngine;
  readonly #observer: Observer;
  readonly #clock: SimulatedKernelClock;
  readonly #network: SimulatedNetwork;
  readonly #queue = new EventQueue<Occurrence>();
  readonly #start: NtpTimestamp;
  readonly #leaps: readonly (TimelineEvent & { readonly kind: "leap" })[];
  readonly #openRequests = new Set<number>();
  readonly #replies: Event[] = [];
  #engine: DrivenEngine;
  #life = 0;
  #time = 0;
  #nextSample = 0.5;
  readonly #snapshotInterval: number;
  #nextSnapshot = 0;
  #wakeTime = 0;
  #isAsleep = false;
  #drift: { readonly frequency: Ppm; readonly skew: Ppm } | undefined;
  #panic: string | undefined;
  #busySecond = 0;
  #busyCount = 0;

  /** Makes the world as it is before the daemon starts. */
  constructor(options: WorldOptions) {
    const { scenario, seed } = options;
    this.#scenario = scenario;
    this.#seed = seed;
    this.#createEngine = options.createEngine;
    this.#observer = options.observer;
    this.#start = fromUnixNanoseconds(scenario.start);
    const draws = Draws.stream(seed, "oscillator");
    this.#clock = new SimulatedKernelClock(scenario.machine, { start: scenario.start, draws });
    this.#network = new SimulatedNetwork(scenario, seed);
    this.#drift = scenario.machine.driftFile;
    this.#leaps = scenario.timeline.filter((event) => event.kind === "leap");
    const interval = Math.round(scenario.duration / SNAPSHOTS_WANTED);
    this.#snapshotInterval = Math.max(SNAPSHOT_INTERVAL_MIN, interval);
    for (const { at } of scenario.checks) this.#queue.push(at, { kind: "look" });
    for (const event of scenario.timeline) this.#queue.push(event.at, { kind: "timeline", event });
    this.#engine = this.#newEngine();
  }

  /** Runs the scenario to its end, or to a panic of the daemon; returns its sentence then. */
  run(): string | undefined {
    this.#begin();
    while (this.#panic === undefined) {
      const due = Math.min(this.#queue.nextTime, this.#isAsleep ? Infinity : this.#wakeTime);
      if (due > this.#scenario.duration) break;
      this.#guardAgainstLoops(due);
      this.#passTo(due);
      if (this.#queue.nextTime <= due) this.#occur();
      else this.#deliver({ type: "timer" });
      this.#planWakeup();
    }
    if (this.#panic === undefined) this.#passTo(this.#scenario.duration);
    return this.#panic;
  }

  /** How many requests reached or would have reached each server, by its name. */
  requests(): Readonly<Record<string, number>> {
    const servers = [...this.#network.hosts()].map((host) => host.server);
    return Object.fromEntries(servers.map((server) => [server.model.name, server.requests]));
  }

  #newEngine(): DrivenEngine {
    return this.#createEngine({
      config: this.#scenario.config,
      random: new SeededRandom(streamSeed(this.#seed, `engine ${this.#life}`)),
      now: this.#now(),
      frequency: this.#clock.correction,
      clockPrecision: Math.max(1e-9, this.#scenario.machine.precision),
      ownAddresses: [MACHINE_ADDRESS],
    });
  }

  #begin(): void {
    if (this.#drift !== undefined) this.#deliver({ type: "drift-loaded", ...this.#drift });
    this.#deliver({ type: "start" });
    this.#planWakeup();
  }

  #guardAgainstLoops(due: Seconds): void {
    const second = Math.floor(due);
    this.#busyCount = second === this.#busySecond ? this.#busyCount + 1 : 0;
    this.#busySecond = second;
    assert(
      this.#busyCount < EVENTS_PER_SECOND_MAX,
      `The engine made ${EVENTS_PER_SECOND_MAX} events within second ${second} of the simulation`,
    );
  }

  #planWakeup(): void {
    const wait = (this.#engine.nextWakeup() - this.#clock.monotonic) / (1 + this.#clock.rateError);
    this.#wakeTime = this.#time + Math.max(0, wait) + TIMER_LATENCY;
  }

  /** Lets time pass, and looks at the clock on the way. */
  #passTo(time: Seconds): void {
    while (this.#nextSample <= time) {
      if (!this.#isAsleep) this.#sample(this.#nextSample);
      this.#nextSample += 1;
    }
    if (!this.#isAsleep) this.#clock.advance(time);
    this.#time = time;
  }

  #sample(time: Seconds): void {
    this.#clock.advance(time);
    this.#time = time;
    this.#observer.sample(time, this.#truth());
    if (time < this.#nextSnapshot) return;
    this.#nextSnapshot = time + this.#snapshotInterval;
    this.#observeEngine();
  }

  #observeEngine(): void {
    const snapshot = this.#engine.snapshot(this.#now());
    this.#observer.snapshot(this.#time, { snapshot, clock: this.#truth() });
  }

  #truth(): ClockTruth {
    const status = this.#clock.status;
    return {
      error: this.#clock.error - this.#leapShift(this.#time),
      rateError: this.#clock.rateError,
      oscillatorFrequency: this.#clock.oscillatorFrequency,
      correction: this.#clock.correction,
      kernelSynchronized: status.synchronized,
      kernelLeap: status.leap,
    };
  }

  #now(): Instant {
    return { monotonic: this.#clock.monotonic, realtime: this.#clock.realtime };
  }

  /** How far leap seconds have moved UTC against the even time scale. */
  #leapShift(time: Seconds): Seconds {
    let shift = 0;
    for (const { at, leap } of this.#leaps) {
      // A deletion leaves out the last second, so it comes one second earlier.
      if (leap === "insert" && time >= at) shift -= 1;
      if (leap === "delete" && time >= at - 1) shift += 1;
    }
    return shift;
  }

  /** The leap second that servers announce at `time`. */
  #announced(time: Seconds): LeapIndicator {
    const due = this.#leaps.find(({ at, announce }) => time < at && time >= at - announce);
    return due?.leap ?? "none";
  }

  #deliver(event: Event): void {
    this.#handle(event);
    for (let reply = this.#replies.shift(); reply !== undefined; reply = this.#replies.shift()) {
      this.#handle(reply);
    }
  }

  #handle(event: Event): void {
    let changed = false;
    for (const action of this.#engine.handle(event, this.#now())) {
      this.#observer.action(this.#time, action);
      this.#perform(action);
      changed ||= action.type === "set-clock";
    }
    // In a long run not each command is worth a look; at the start each one is.
    const isDue = this.#time < FIRST_HOUR ||
      this.#time > this.#nextSnapshot - this.#snapshotInterval / 2;
    if (changed && isDue) this.#observeEngine();
  }

  #perform(action: Action): void {
    switch (action.type) {
      case "send":
        return this.#send(action);
      case "close":
        this.#openRequests.delete(action.request);
        return;
      case "resolve":
        return this.#queue.push(this.#time + RESOLVER_DELAY, {
          kind: "resolved",
          life: this.#life,
          lookup: action.lookup,
          host: action.host,
        });
      case "set-clock":
        return this.#setClock(action);
      case "save-drift":
        this.#drift = { frequency: action.frequency, skew: action.skew };
        return;
      case "exchange-keys":
        this.#replies.push({
          type: "keys-exchanged",
          association: action.association,
          result: err("Key exchange is not simulated"),
        });
        return;
      case "panic":
        this.#panic = action.message;
        return;
      case "verify-certificates":
      case "save-time-bound":
      case "save-sessions":
      case "log":
        return;
      default:
        return unreachable(action);
    }
  }

  #setClock(action: SetClockAction): void {
    const frequency = this.#clock.setFrequency(action.frequency);
    if (action.step !== 0) this.#clock.step(action.step);
    this.#clock.setStatus(action.status);
    this.#replies.push({ type: "clock-set", result: ok({ frequency, step: action.step }) });
  }

  #send(action: SendAction): void {
    const exchange = {
      send: action,
      transmitTimestamp: this.#clock.realtime,
      life: this.#life,
    };
    this.#openRequests.add(action.request);
    if (!this.#network.isUp) {
      this.#replies.push(sendFailed(action, { reason: "Network is unreachable", isLocal: true }));
      return;
    }
    const host = this.#network.at(action.destination.address);
    if (host === undefined) return;
    const delay = this.#network.travel(host, { direction: "forward", time: this.#time });
    if (delay === undefined) return;
    this.#queue.push(this.#time + delay, { kind: "at-server", host, exchange });
  }

  #occur(): void {
    const occurrence = this.#queue.pop();
    assert(occurrence !== undefined, "An occurrence is due and there is none");
    switch (occurrence.kind) {
      case "at-server":
        return this.#atServer(occurrence.host, occurrence.exchange);
      case "at-machine":
        return this.#atMachine(occurrence.exchange, occurrence.packet);
      case "refused":
        if (!this.#isAwaited(occurrence.exchange)) return;
        return this.#deliver(
          sendFailed(occurrence.exchange.send, { reason: "Connection refused", isLocal: false }),
        );
      case "resolved":
        return this.#resolved(occurrence);
      case "timeline":
        return this.#timeline(occurrence.event);
      case "look":
        return this.#observeEngine();
      case "wake":
        return this.#wake(occurrence.event);
      default:
        return unreachable(occurrence);
    }
  }

  #atServer(host: Host, exchange: Exchange): void {
    const timestamp = addSeconds(this.#start, this.#time + this.#leapShift(this.#time));
    const now = { time: this.#time, timestamp };
    const answer = host.server.answer(exchange.send.packet, now, this.#announced(this.#time));
    const leaves = this.#time + host.server.model.turnaround;
    const delay = this.#network.travel(host, { direction: "backward", time: leaves });
    if (answer === undefined) {
      const { alive, refuses } = host.server.model;
      if (!alive && refuses && delay !== undefined) {
        this.#queue.push(leaves + delay, { kind: "refused", exchange });
      }
      return;
    }
    const forged = host.server.forge(answer, host.adversary);
    if (forged !== undefined) {
      this.#queue.push(this.#time, { kind: "at-machine", exchange, packet: forged });
    }
    if (delay === undefined) return;
    this.#queue.push(leaves + delay, { kind: "at-machine", exchange, packet: answer });
  }

  #isAwaited(exchange: Exchange): boolean {
    return !this.#isAsleep && this.#network.isUp && exchange.life === this.#life &&
      this.#openRequests.has(exchange.send.request);
  }

  #atMachine(exchange: Exchange, packet: Uint8Array): void {
    if (!this.#isAwaited(exchange)) return;
    const { timestamping } = this.#scenario.machine;
    this.#deliver({
      type: "datagram",
      association: exchange.send.association,
      request: exchange.send.request,
      packet,
      transmitTimestamp: exchange.transmitTimestamp,
      transmitTimestamping: timestamping,
      receiveTimestamp: this.#clock.realtime,
      receiveTimestamping: timestamping,
    });
  }

  #resolved({ life, lookup, host }: { life: number; lookup: number; host: string }): void {
    if (life !== this.#life || this.#isAsleep) return;
    const result: Result<readonly string[], string> = this.#network.resolve(host);
    this.#deliver({ type: "resolved", lookup, result });
  }

  #timeline(event: TimelineEvent): void {
    if (this.#isAsleep && event.kind !== "server-change" && event.kind !== "leap") {
      assert(false, `The machine sleeps when "${event.kind}" is due`);
    }
    this.#observer.happened(this.#time, event);
    switch (event.kind) {
      case "server-change":
        for (const server of this.#network.named(event.servers)) {
          server.change(event.change, this.#time);
        }
        return;
      case "suspend":
        this.#isAsleep = true;
        return this.#queue.push(event.at + event.duration, { kind: "wake", event });
      case "clock-step":
        return this.#clock.step(event.step);
      case "clock-frequency":
        this.#clock.setFrequency(event.frequency);
        return;
      case "oscillator-step":
        return this.#clock.stepOscillator(event.frequency);
      case "network-down":
      case "network-up":
        this.#network.isUp = event.kind === "network-up";
        if (this.#network.isUp && !this.#isAsleep) this.#deliver({ type: "network-changed" });
        return;
      case "restart":
        return this.#restart();
      case "leap":
        return;
      default:
        return unreachable(event);
    }
  }

  #wake(event: TimelineEvent & { readonly kind: "suspend" }): void {
    this.#isAsleep = false;
    this.#clock.sleep(this.#time, event.error);
    this.#deliver({ type: "resumed", asleep: event.duration + event.error });
  }

  #restart(): void {
    this.#deliver({ type: "stop" });
    this.#life += 1;
    this.#openRequests.clear();
    this.#replies.length = 0;
    this.#engine = this.#newEngine();
    this.#begin();
  }
}

function sendFailed(
  action: SendAction,
  failure: { readonly reason: string; readonly isLocal: boolean },
): Event {
  const { association, request } = action;
  return { type: "send-failed", association, request, ...failure };
}
