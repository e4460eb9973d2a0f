/**
 * Drives the engine in the real world: waits, reads, hands events in, and is the port through which
 * actions are carried out.
 *
 * One loop waits for sockets and for the engine's next deadline; what comes from elsewhere (names,
 * keys, signals) is handed in by `deliver` from its own callback and only wakes the loop, so that
 * it looks at the deadline again. The order of actions is that of `EngineLoop`. Limits: the
 * engine's work is short (microseconds), so nothing is ever queued in front of it.
 *
 * @module
 */
import { err, ok } from "../base/result.ts";
import type { Seconds } from "../base/units.ts";
import type { Engine } from "../engine/engine.ts";
import type { ActionOf, Event, SendAction, SetClockAction } from "../engine/events.ts";
import { EngineLoop, type EnginePort } from "../engine/perform.ts";
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
export interface DriverHooks extends
  Pick<
    EnginePort,
    "saveDrift" | "exchangeKeys" | "verifyCertificates" | "saveSessions" | "saveTimeBound" | "panic"
  > {
  /** Is called when the clock was stepped, by us or by others. */
  clockStepped(): void;
  /** Is called after each event, when the state may have changed. */
  changed(): void;
}

/**
 * So many different lines of one source there are in an hour, and few beyond that: the members of a
 * large pool have one each.
 */
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
  /**
   * Names and servers change as others like, so each source has a share of the log, by its address
   * in the configuration.
   */
  readonly #sourceLimiters = new Map<string, LogLimiter>();
  readonly #kernel: ClockPort;
  readonly #loop: EngineLoop;
  #watch: ClockWatch | undefined;
  /** What else is read in the loop, by descriptor. */
  readonly #watched = new Map<number, () => void>();
  #isRunning = false;
  #isStopping = false;

  /**
   * Watches for clock changes by others where the kernel can tell; the poller stays its owner's to
   * close.
   */
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
    this.#loop = new EngineLoop(options.engine, this.#port());
    const watch = ClockWatch.open();
    if (watch.ok && this.#poller.add(watch.value.fd).ok) this.#watch = watch.value;
  }

  /** How often the kernel's timestamps were used in place of an interface's, by reason. */
  get hardwareFallbacks(): Readonly<Record<string, number>> {
    return this.#sockets.hardwareFallbacks;
  }

  /**
   * Has `onReady` called in the loop when a descriptor can be read; false if that is not possible.
   */
  watch(fd: number, onReady: () => void): boolean {
    if (!this.#poller.add(fd).ok) return false;
    this.#watched.set(fd, onReady);
    return true;
  }

  /** Leaves a descriptor alone again; to be called before it is closed. */
  unwatch(fd: number): void {
    if (this.#watched.delete(fd)) this.#poller.remove(fd);
  }

  /** Hands an event in from outside the loop. */
  deliver(event: Event): void {
    if (this.#loop.isOver) return;
    this.#loop.deliver(event);
    if (!this.#loop.isOver) this.#poller.wake();
  }

  /** Runs until `stop`. */
  async run(): Promise<void> {
    this.#loop.deliver({ type: "start" });
    this.#isRunning = true;
    while (!this.#loop.isOver) {
      const wait = Math.min(WAIT_MAX, this.#engine.nextWakeup() - readInstant().monotonic);
      const ready = await this.#poller.wait(Math.max(0, wait));
      if (this.#loop.isOver) return;
      this.#noticeSleep();
      this.#read(ready.ok ? ready.value : []);
      if (readInstant().monotonic >= this.#engine.nextWakeup() || this.#watch !== undefined) {
        this.#loop.deliver({ type: "timer" });
      }
    }
  }

  /**
   * Does what is due already, for a busy server that lets the loop wait for longer than the engine
   * may.
   */
  runDue(): void {
    if (!this.#isRunning || this.#loop.isOver) return;
    this.#read(this.#poller.peek());
    if (boottimeNow() >= this.#engine.nextWakeup()) this.#loop.deliver({ type: "timer" });
  }

  /** Ends the loop: what the engine wants at the end is done, and the sockets are closed. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#loop.deliver({ type: "stop" });
  }

  #port(): EnginePort {
    return {
      ...this.#hooks,
      now: readInstant,
      send: (action) => this.#send(action),
      close: (request) => this.#sockets.close(request),
      resolve: (action) => void this.#resolve(action),
      setClock: (action) => this.#setClock(action),
      log: (action) => this.#log(action),
      settled: () => this.#settled(),
    };
  }

  #settled(): void {
    if (this.#loop.isOver) {
      this.#sockets.closeAll();
      this.#watch?.close();
      this.#poller.wake();
    }
    this.#hooks.changed();
  }

  #read(ready: readonly ReadyDescriptor[]): void {
    for (const descriptor of ready) {
      const onReady = this.#watched.get(descriptor.fd);
      if (onReady !== undefined) onReady();
      else if (descriptor.fd === this.#watch?.fd) this.#noticeStep(this.#watch);
      else this.#sockets.read(descriptor, (event) => this.#loop.deliver(event));
    }
  }

  #noticeSleep(): void {
    const asleep = this.#sleep.check();
    if (asleep > 0) this.#loop.deliver({ type: "resumed", asleep });
  }

  /** Our own steps are told by the kernel too, but only when they are made already. */
  #clockStepped(): void {
    this.#sockets.clockStepped();
    this.#hooks.clockStepped();
  }

  #noticeStep(watch: ClockWatch): void {
    if (watch.wasSet()) this.#clockStepped();
  }

  #send(action: SendAction): void {
    const failure = this.#sockets.send(action);
    if (failure !== undefined) this.#loop.deliver(failure);
  }

  #setClock(action: SetClockAction): ReturnType<ClockPort["set"]> {
    const result = this.#kernel.set(action, (message) => this.#warn(message));
    if (action.step !== 0) this.#clockStepped();
    return result;
  }

  #warn(message: string): void {
    this.#log({ type: "log", level: "warning", message });
  }

  #log(action: ActionOf<"log">): void {
    const limiter = this.#limiterOf(action.source);
    const passed = limiter.pass(action.message, { now: readInstant().monotonic });
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

  async #resolve({ lookup, host }: ActionOf<"resolve">): Promise<void> {
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
