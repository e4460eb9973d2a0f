/**
 * Carries out what the engine wants, in one order for the daemon, the simulator and the tests.
 *
 * The problem: some actions are answered at once (a change of the clock, a request that cannot be
 * sent). If each answer were handed in before the next action is carried out, what the engine does
 * about the answer would overtake what it had wanted before: a request would be closed before it is
 * sent, and its socket never after. The idea: the actions of one event are carried out in their
 * order, all of them; then the events that came up meanwhile are handed in, in their order. An
 * answer to a change of the clock carries the moment of the change, whatever was done after it.
 * Limits: one engine; what takes longer (names, keys, packets) comes back as an event of its own.
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import type { Result } from "../base/result.ts";
import type {
  Action,
  ActionOf,
  ClockReading,
  Event,
  Instant,
  RequestId,
  SendAction,
  SetClockAction,
} from "./events.ts";

/**
 * The world as the engine changes it. Each member may call `EngineLoop.deliver`: the event waits
 * for the end of the actions.
 */
export interface EnginePort {
  /** Reads both clocks. */
  now(): Instant;
  /** Sends a request from a socket of its own; a failure comes back as an event. */
  send(action: SendAction): void;
  /** Closes the socket of a request; one that is not open is no fault. */
  close(request: RequestId): void;
  /** Looks a name up; the outcome comes back as an event. */
  resolve(action: ActionOf<"resolve">): void;
  /** Changes the clock, and says what is in force then; the loop makes the event of it. */
  setClock(action: SetClockAction): Result<ClockReading, string>;
  /** Keeps the frequency for the next start. */
  saveDrift(action: ActionOf<"save-drift">): void;
  /** Starts a key exchange; the outcome comes back as an event. */
  exchangeKeys(action: ActionOf<"exchange-keys">): void;
  /** Verifies certificates again; the outcome comes back as an event. */
  verifyCertificates(action: ActionOf<"verify-certificates">): void;
  /** Keeps keys and cookies for the run after a crash. */
  saveSessions(action: ActionOf<"save-sessions">): void;
  /** Keeps a time that has certainly passed. */
  saveTimeBound(action: ActionOf<"save-time-bound">): void;
  /** Tells the administrator something. */
  log(action: ActionOf<"log">): void;
  /** Ends the daemon, because going on would be wrong. */
  panic(message: string): void;
  /** Is told each action before it is carried out. */
  observe?(action: Action): void;
  /** Is called when an event and all that came of it is done. */
  settled?(): void;
}

/** Hands events to an engine and carries its actions out. */
export class EngineLoop {
  readonly #engine: { handle(event: Event, now: Instant): readonly Action[] };
  readonly #port: EnginePort;
  /** Events in their order; one without a moment happens when it is handed in. */
  readonly #waiting: { readonly event: Event; readonly now: Instant | undefined }[] = [];
  #isBusy = false;
  #isStopped = false;

  /** Does nothing until the first event. */
  constructor(
    engine: { handle(event: Event, now: Instant): readonly Action[] },
    port: EnginePort,
  ) {
    this.#engine = engine;
    this.#port = port;
  }

  /** Whether the engine was stopped, and all that came of it is done. */
  get isOver(): boolean {
    return this.#isStopped && !this.#isBusy;
  }

  /**
   * Hands an event in, at once or after the actions that are under way; nothing comes after the
   * end.
   */
  deliver(event: Event): void {
    if (this.isOver) return;
    this.#waiting.push({ event, now: undefined });
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#handle(next.event, next.now ?? this.#port.now());
      }
    } finally {
      this.#isBusy = false;
    }
    this.#port.settled?.();
  }

  #handle(event: Event, now: Instant): void {
    this.#isStopped ||= event.type === "stop";
    for (const action of this.#engine.handle(event, now)) {
      this.#port.observe?.(action);
      this.#perform(action);
    }
  }

  #perform(action: Action): void {
    switch (action.type) {
      case "send":
        return this.#port.send(action);
      case "close":
        return this.#port.close(action.request);
      case "resolve":
        return this.#port.resolve(action);
      case "set-clock":
        return this.#setClock(action);
      case "save-drift":
        return this.#port.saveDrift(action);
      case "exchange-keys":
        return this.#port.exchangeKeys(action);
      case "verify-certificates":
        return this.#port.verifyCertificates(action);
      case "save-sessions":
        return this.#port.saveSessions(action);
      case "save-time-bound":
        return this.#port.saveTimeBound(action);
      case "log":
        return this.#port.log(action);
      case "panic":
        return this.#port.panic(action.message);
      default:
        return unreachable(action);
    }
  }

  #setClock(action: SetClockAction): void {
    const result = this.#port.setClock(action);
    this.#waiting.push({ event: { type: "clock-set", result }, now: this.#port.now() });
  }
}
