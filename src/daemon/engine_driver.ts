/**
 * Drives the engine in the real world: waits, reads, hands events in, carries actions out.
 *
 * One loop waits for sockets and for the engine's next deadline; what comes from elsewhere (names, keys, signals) is handed in
 * by `deliver` from its own callback and only wakes the loop, so that it looks at the deadline again. Limits: the engine's
 * work is short (microseconds), so nothing is ever queued in front of it.
 *
 * @module
 */
import { err, ok } from "../base/result.ts";
import type { Seconds } from "../base/units.ts";
import type { Engine } from "../engine/engine.ts";
import type { Action, Event } from "../engine/events.ts";
import { ClockWatch } from "../../ffi/clock/clock_watch.ts";
import { boottimeNow } from "../../ffi/clock/clock.ts";
import type { Poller, ReadyDescriptor } from "../../ffi/poller.ts";
import { resolveName } from "../../ffi/resolver.ts";
import { KernelClockPort } from "../system/kernel_clock.ts";
import { readInstant, SleepDetector } from "../system/local_clock.ts";
import { log, LogLimiter } from "../system/log.ts";
import { RequestSockets } from "../system/request_sockets.ts";

/** The loop looks around at least this often, to notice that the machine slept. */
const WAIT_MAX: Seconds = 30;

/** What the driver hands over to others. */
export interface DriverHooks {
  /** Saves the frequency. */
  saveDrift(drift: { readonly frequency: number; readonly skew: number }): void;
  /** Starts a key exchange; its outcome comes back by `deliver`. */
  exchangeKeys(action: Extract<Action, { type: "exchange-keys" }>): void;
  /** Verifies certificates again; the outcome comes back by `deliver`. */
  verifyCertificates(action: Extract<Action, { type: "verify-certificates" }>): void;
  /** Saves a time that has certainly passed, in Unix seconds. */
  saveTimeBound(bound: number): void;
  /** Saves keys and cookies that this run does not use any more, for the run after a crash. */
  saveSessions(sessions: Extract<Action, { type: "save-sessions" }>["sessions"]): void;
  /** Is called when the clock was stepped, by us or by others. */
  clockStepped(): void;
  /** Ends the daemon, because going on would be wrong. */
  panic(message: string): void;
  /** Is called after each event, when the state may have changed. */
  changed(): void;
}

/** So many different lines of one source there are in an hour, and few beyond that: the members of a large pool have one each. */
const SOURCE_KINDS_MAX = 64;

/** The engine, as far as the driver needs it. */
export type DrivenEngine = Pick<Engine, "handle" | "nextWakeup">;

/** The clock that is set; the kernel's unless a test says otherwise. */
export type ClockPort = Pick<KernelClockPort, "set">;

/** Runs one engine. */
export class EngineDriver {
  readonly #engine: DrivenEngine;
  readonly #poller: Poller;
  readonly #sockets: RequestSockets;
  readonly #hooks: DriverHooks;
  readonly #sleep = new SleepDetector();
  readonly #limiter = new LogLimiter();
  /** Names and servers change as others like, so each source has a share of the log, by its address in the configuration. */
  readonly #sourceLimiters = new Map<string, LogLimiter>();
  readonly #kernel: ClockPort;
  #watch: ClockWatch | undefined;
  #isRunning = false;
  #stopped = false;

  /** Watches for clock changes by others where the kernel can tell; the poller stays its owner's to close. */
  constructor(options: {
    readonly engine: DrivenEngine;
    readonly poller: Poller;
    readonly hooks: DriverHooks;
    readonly kernel?: ClockPort;
  }) {
    this.#engine = options.engine;
    this.#kernel = options.kernel ?? new KernelClockPort();
    this.#poller = options.poller;
    this.#hooks = options.hooks;
    this.#sockets = new RequestSockets(options.poller);
    const watch = ClockWatch.open();
    if (watch.ok && this.#poller.add(watch.value.fd).ok) this.#watch = watch.value;
  }

  /** Hands an event in from outside the loop. */
  deliver(event: Event): void {
    if (this.#stopped) return;
    this.#handle(event);
    this.#poller.wake();
  }

  /** Runs until `stop`. */
  async run(): Promise<void> {
    this.#handle({ type: "start" });
    this.#isRunning = true;
    while (!this.#stopped) {
      const wait = Math.min(WAIT_MAX, this.#engine.nextWakeup() - readInstant().monotonic);
      const ready = await this.#poller.wait(Math.max(0, wait));
      if (this.#stopped) return;
      this.#noticeSleep();
      this.#read(ready.ok ? ready.value : []);
      if (readInstant().monotonic >= this.#engine.nextWakeup() || this.#watch !== undefined) {
        this.#handle({ type: "timer" });
      }
    }
  }

  /** Does what is due already, for a busy server that lets the loop wait for longer than the engine may. */
  runDue(): void {
    if (!this.#isRunning || this.#stopped) return;
    this.#read(this.#poller.peek());
    if (boottimeNow() >= this.#engine.nextWakeup()) this.#handle({ type: "timer" });
  }

  /** Ends the loop: the engine says its last words, and the sockets are closed. */
  stop(): void {
    if (this.#stopped) return;
    this.#handle({ type: "stop" });
    this.#stopped = true;
    this.#sockets.closeAll();
    this.#watch?.close();
    this.#poller.wake();
  }

  #read(ready: readonly ReadyDescriptor[]): void {
    for (const descriptor of ready) {
      if (descriptor.fd === this.#watch?.fd) this.#noticeStep(this.#watch);
      else this.#sockets.read(descriptor, (event) => this.#handle(event));
    }
  }

  #noticeSleep(): void {
    const asleep = this.#sleep.check();
    if (asleep > 0) this.#handle({ type: "resumed", asleep });
  }

  /** Our own steps are told by the kernel too, but only when they are made already. */
  #clockStepped(): void {
    this.#sockets.clockStepped();
    this.#hooks.clockStepped();
  }

  #noticeStep(watch: ClockWatch): void {
    if (watch.wasSet()) this.#clockStepped();
  }

  #handle(event: Event): void {
    for (const action of this.#engine.handle(event, readInstant())) this.#perform(action);
    this.#hooks.changed();
  }

  #perform(action: Action): void {
    switch (action.type) {
      case "send": {
        const failure = this.#sockets.send(action);
        if (failure !== undefined) queueMicrotask(() => this.deliver(failure));
        return;
      }
      case "close":
        return this.#sockets.close(action.request);
      case "resolve":
        void this.#resolve(action.lookup, action.host);
        return;
      case "set-clock": {
        const result = this.#kernel.set(action, (message) => this.#warn(message));
        if (action.step !== 0) this.#clockStepped();
        return this.#handle({ type: "clock-set", result });
      }
      case "save-drift":
        return this.#hooks.saveDrift(action);
      case "exchange-keys":
        return this.#hooks.exchangeKeys(action);
      case "verify-certificates":
        return this.#hooks.verifyCertificates(action);
      case "save-time-bound":
        return this.#hooks.saveTimeBound(action.bound);
      case "save-sessions":
        return this.#hooks.saveSessions(action.sessions);
      case "log":
        return this.#log(action);
      case "panic":
        return this.#hooks.panic(action.message);
    }
  }

  #warn(message: string): void {
    this.#log({ type: "log", level: "warning", message });
  }

  #log(action: Extract<Action, { type: "log" }>): void {
    const limiter = this.#limiterOf(action.source);
    const passed = limiter.pass(action.message, action.message, readInstant().monotonic);
    if (passed !== undefined) log[action.level](passed);
  }

  #limiterOf(source: string | undefined): LogLimiter {
    if (source === undefined) return this.#limiter;
    const known = this.#sourceLimiters.get(source);
    if (known !== undefined) return known;
    const limiter = new LogLimiter(SOURCE_KINDS_MAX);
    this.#sourceLimiters.set(source, limiter);
    return limiter;
  }

  async #resolve(lookup: number, host: string): Promise<void> {
    const result = await resolveName(host, { port: 0 });
    this.deliver({
      type: "resolved",
      lookup,
      result: result.ok
        ? ok(
          result.value.map((found) =>
            found.scopeId === undefined ? found.address : `${found.address}%${found.scopeId}`
          ),
        )
        : err(result.error.message),
    });
  }
}
