/**
 * The simulated world: it drives the real engine with simulated clocks, networks and servers.
 *
 * The problem: what matters in a time daemon shows after hours, and depends on faults that do not
 * come when called. The idea: the engine is a function of events, so the world keeps true time,
 * lets things happen in their order (packets that arrive, timers, events of the scenario) and
 * carries out the engine's actions; hours take milliseconds, and a seed repeats them. Between
 * events the clock is advanced by arithmetic and looked at once a simulated second, in its middle
 * (leap seconds and frequency changes fall on whole seconds). Limits: the engine itself takes no
 * time; a timer comes 50 us late.
 *
 * @module
 */
import { assert, unreachable } from "../base/assert.ts";
import { addSeconds, fromUnixNanoseconds, type NtpTimestamp } from "../base/ntp_timestamp.ts";
import { SeededRandom } from "../base/random.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Ppm, Seconds } from "../base/units.ts";
import type {
  ClockReading,
  Event,
  ResolveAction,
  SendAction,
  SetClockAction,
} from "../engine/events.ts";
import { EngineLoop, type EnginePort } from "../engine/perform.ts";
import { Draws, streamSeed } from "./draws.ts";
import type { DrivenEngine, EngineSeed } from "./engine_factory.ts";
import { EventQueue } from "./event_queue.ts";
import { type Exchange, received, sendFailed } from "./exchange.ts";
import { SimulatedKernelClock } from "./kernel_clock.ts";
import { LeapSeconds } from "./leap_seconds.ts";
import { LoopGuard } from "./loop_guard.ts";
import { type Host, SimulatedNetwork } from "./network.ts";
import type { Observer } from "./observer.ts";
import type { ScenarioEvent } from "./scenario/event.ts";
import { MACHINE_ADDRESS, type Scenario } from "./scenario/scenario.ts";
import { Watch } from "./watch.ts";

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

type ScheduledEvent =
  | { readonly kind: "at-server"; readonly host: Host; readonly exchange: Exchange }
  | { readonly kind: "at-machine"; readonly exchange: Exchange; readonly packet: Uint8Array }
  | { readonly kind: "refused"; readonly exchange: Exchange }
  | { readonly kind: "resolved"; readonly incarnation: number; readonly action: ResolveAction }
  | { readonly kind: "scenario-event"; readonly event: ScenarioEvent }
  | { readonly kind: "look" }
  | { readonly kind: "wake"; readonly event: ScenarioEvent & { readonly kind: "suspend" } };

const TIMER_LATENCY = 50e-6;
const RESOLVER_DELAY = 0.02;

/** One run of one scenario from one seed. */
export class World {
  readonly #scenario: Scenario;
  readonly #seed: number;
  readonly #createEngine: (seed: EngineSeed) => DrivenEngine;
  readonly #observer: Observer;
  readonly #clock: SimulatedKernelClock;
  readonly #network: SimulatedNetwork;
  readonly #queue = new EventQueue<ScheduledEvent>();
  readonly #start: NtpTimestamp;
  readonly #leaps: LeapSeconds;
  readonly #openRequests = new Map<number, Exchange>();
  readonly #watch: Watch;
  readonly #guard = new LoopGuard();
  #engine: DrivenEngine;
  #loop: EngineLoop;
  /** Whether the event that is under way has changed the clock. */
  #wasClockSet = false;
  #incarnation = 0;
  #time = 0;
  #wakeTime = 0;
  #isAsleep = false;
  #drift: { readonly frequency: Ppm; readonly skew: Ppm } | undefined;
  #panic: string | undefined;

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
    this.#leaps = new LeapSeconds(scenario.events);
    this.#watch = new Watch({
      clock: this.#clock,
      leaps: this.#leaps,
      observer: options.observer,
      duration: scenario.duration,
    });
    for (const { at } of scenario.checks) this.#queue.push(at, { kind: "look" });
    for (const event of scenario.events) {
      this.#queue.push(event.at, { kind: "scenario-event", event });
    }
    this.#engine = this.#newEngine();
    this.#loop = new EngineLoop(this.#engine, this.#port());
  }

  /** Runs the scenario to its end, or to a panic of the daemon; returns its sentence then. */
  run(): string | undefined {
    this.#begin();
    while (this.#panic === undefined) {
      const due = Math.min(this.#queue.nextTime, this.#isAsleep ? Infinity : this.#wakeTime);
      if (due > this.#scenario.duration) break;
      this.#guard.count(due);
      this.#passTo(due);
      if (this.#queue.nextTime <= due) this.#takeScheduled();
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
      random: new SeededRandom(streamSeed(this.#seed, `engine ${this.#incarnation}`)),
      now: this.#clock.now,
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

  #planWakeup(): void {
    const wait = (this.#engine.nextWakeup() - this.#clock.monotonic) / (1 + this.#clock.rateError);
    this.#wakeTime = this.#time + Math.max(0, wait) + TIMER_LATENCY;
  }

  /** Lets time pass, and shows the clock on the way. */
  #passTo(time: Seconds): void {
    for (;;) {
      const at = this.#watch.takeSampleTime(time);
      if (at === undefined) break;
      if (this.#isAsleep) continue;
      this.#clock.advance(at);
      this.#time = at;
      this.#watch.sample(at, this.#engine);
    }
    if (!this.#isAsleep) this.#clock.advance(time);
    this.#time = time;
  }

  #deliver(event: Event): void {
    this.#loop.deliver(event);
  }

  #port(): EnginePort {
    const incarnation = this.#incarnation;
    return {
      now: () => this.#clock.now,
      observe: (action) => this.#observer.action(this.#time, action),
      send: (action) => this.#send(action),
      close: (request) => void this.#openRequests.delete(request),
      resolve: (action) =>
        this.#queue.push(this.#time + RESOLVER_DELAY, { kind: "resolved", incarnation, action }),
      setClock: (action) => this.#setClock(action),
      saveDrift: ({ frequency, skew }) => this.#drift = { frequency, skew },
      exchangeKeys: ({ association }) => {
        const result = err("Key exchange is not simulated");
        this.#deliver({ type: "keys-exchanged", association, result });
      },
      panic: (message) => this.#panic = message,
      verifyCertificates: () => {},
      saveTimeBound: () => {},
      saveSessions: () => {},
      log: () => {},
      settled: () => this.#settled(),
    };
  }

  /**
   * Shows the engine after a change of the clock and its `clock-set` event. The state between the
   * two is never shown: in the daemon, too, one loop does both before any request for the status is
   * answered.
   */
  #settled(): void {
    if (!this.#wasClockSet) return;
    this.#wasClockSet = false;
    this.#watch.afterCommand(this.#time, this.#engine);
  }

  #setClock(action: SetClockAction): Result<ClockReading, string> {
    this.#wasClockSet = true;
    const frequency = this.#clock.setFrequency(action.frequency);
    if (action.step !== 0) this.#clock.step(action.step);
    this.#clock.setStatus(action.status);
    return ok({ frequency, step: action.step });
  }

  #send(action: SendAction): void {
    const exchange: Exchange = { send: action, transmitTimestamp: this.#clock.realtime };
    this.#openRequests.set(action.request, exchange);
    if (!this.#network.isUp) {
      const failure = { reason: "Network is unreachable", isLocal: true };
      return this.#deliver(sendFailed(exchange, failure));
    }
    const host = this.#network.at(action.destination.address);
    if (host === undefined) return;
    const delay = this.#network.travel(host, { direction: "forward", time: this.#time });
    if (delay === undefined) return;
    this.#queue.push(this.#time + delay, { kind: "at-server", host, exchange });
  }

  #takeScheduled(): void {
    const scheduled = this.#queue.pop();
    assert(scheduled !== undefined, "An event is due and there is none");
    switch (scheduled.kind) {
      case "at-server":
        return this.#atServer(scheduled.host, scheduled.exchange);
      case "at-machine":
        return this.#atMachine(scheduled.exchange, scheduled.packet);
      case "refused":
        return this.#refused(scheduled.exchange);
      case "resolved":
        return this.#resolved(scheduled.incarnation, scheduled.action);
      case "scenario-event":
        return this.#scenarioEvent(scheduled.event);
      case "look":
        return this.#watch.showEngine(this.#time, this.#engine);
      case "wake":
        return this.#wake(scheduled.event);
      default:
        return unreachable(scheduled);
    }
  }

  #atServer(host: Host, exchange: Exchange): void {
    const timestamp = addSeconds(this.#start, this.#time + this.#leaps.shiftAt(this.#time));
    const arrivals = this.#network.serve(host, {
      request: exchange.send.packet,
      time: this.#time,
      timestamp,
      announced: this.#leaps.announcedAt(this.#time),
    });
    for (const { at, packet } of arrivals) {
      this.#queue.push(
        at,
        packet === "refused"
          ? { kind: "refused", exchange }
          : { kind: "at-machine", exchange, packet },
      );
    }
  }

  /** Whether the incarnation that sent the request still runs, and waits for a response. */
  #isAwaited(exchange: Exchange): boolean {
    return !this.#isAsleep && this.#network.isUp &&
      this.#openRequests.get(exchange.send.request) === exchange;
  }

  #refused(exchange: Exchange): void {
    if (!this.#isAwaited(exchange)) return;
    this.#deliver(sendFailed(exchange, { reason: "Connection refused", isLocal: false }));
  }

  #atMachine(exchange: Exchange, packet: Uint8Array): void {
    if (!this.#isAwaited(exchange)) return;
    const { timestamping } = this.#scenario.machine;
    this.#deliver(received(exchange, { packet, timestamp: this.#clock.realtime, timestamping }));
  }

  #resolved(incarnation: number, { lookup, host }: ResolveAction): void {
    if (incarnation !== this.#incarnation || this.#isAsleep) return;
    this.#deliver({ type: "resolved", lookup, result: this.#network.resolve(host) });
  }

  #scenarioEvent(event: ScenarioEvent): void {
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

  #wake(event: ScenarioEvent & { readonly kind: "suspend" }): void {
    this.#isAsleep = false;
    this.#clock.sleep(this.#time, event.error);
    this.#deliver({ type: "resumed", asleep: event.duration + event.error });
  }

  #restart(): void {
    this.#deliver({ type: "stop" });
    this.#incarnation += 1;
    this.#openRequests.clear();
    this.#engine = this.#newEngine();
    this.#loop = new EngineLoop(this.#engine, this.#port());
    this.#begin();
  }
}
