/**
 * Network Time Security of the daemon, client and server, as the daemon holds it.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import type { Config } from "../../config/config.ts";
import type { EngineSnapshot } from "../../engine/status/snapshot.ts";
import type { SessionState } from "../../nts/client/session.ts";
import { FunctionStates } from "../observability/function_states.ts";
import { NtsKeClient } from "./ke_client.ts";
import { TlsContexts } from "./tls_contexts.ts";
import { NtsKeListeners } from "./ke_listeners.ts";
import { SessionStore } from "./cookie_file.ts";

/** What the service looks at to see whether the clock is right. */
export type ClockView = Pick<EngineSnapshot, "state" | "offsetSeconds">;

/** Keys are looked at once in so many calls of `tick`, which come about once a second. */
const TICKS_BETWEEN_LOOKS = 10;

/**
 * Keys are saved when sources have been measured, and once an hour from then on: cookies of servers
 * grow old within days.
 */
const FIRST_SAVE_SECONDS = 120;
const SAVE_SECONDS = 3600;

/** Both sides of Network Time Security. */
export class Nts {
  /** The client's side. */
  readonly client: NtsKeClient;
  /** The server's side. */
  readonly listeners: NtsKeListeners;
  /** What the client keeps over a restart. */
  readonly store: SessionStore;
  readonly #contexts = new TlsContexts();
  #ticks = 0;
  #seconds = 0;
  #lastSessions: ReadonlyMap<string, SessionState> = new Map();

  /** Looks at the kernel's clock, so it is to be made before the clock is taken over. */
  constructor(config: Config, functions: FunctionStates = new FunctionStates()) {
    this.store = new SessionStore(config.nts.cookieStoragePath);
    this.client = new NtsKeClient(this.#contexts, this.store);
    this.listeners = new NtsKeListeners(this.#contexts, functions);
  }

  /** Follows a configuration: listeners, keys, certificates, trust. */
  async configure(config: Config): Promise<void> {
    this.store.follow(config.nts.cookieStoragePath);
    this.#contexts.forgetTrust();
    await this.listeners.configure(config);
  }

  /**
   * Tries again what could not be started, and rotates keys when it is time and the clock is right;
   * called about once a second.
   */
  tick(look: () => ClockView): void {
    this.listeners.retry();
    if (this.listeners.responder === undefined) return;
    if (this.#ticks++ % TICKS_BETWEEN_LOOKS !== 0) return;
    const { state, offsetSeconds } = look();
    switch (state) {
      case "synchronized":
      case "holdover":
        return this.listeners.clockIsBelieved(0);
      case "monitoring":
        return this.listeners.clockIsBelieved(offsetSeconds ?? 0);
      case "starting":
      case "unsynchronized":
        return;
      default:
        return unreachable(state);
    }
  }

  /**
   * Tells whether keys and cookies are to be saved for the run after a crash; called about once a
   * second.
   */
  isSavingDue(): boolean {
    const sinceFirst = ++this.#seconds - FIRST_SAVE_SECONDS;
    return this.store.keepsAnything && sinceFirst >= 0 && sinceFirst % SAVE_SECONDS === 0;
  }

  /** Takes the keys that a restart should not lose; called before the engine lets them go. */
  keep(sessions: ReadonlyMap<string, SessionState>): void {
    if (sessions.size > 0) this.#lastSessions = sessions;
  }

  /**
   * Ends both sides and saves what was kept; to be called when no listener for NTP is open any
   * more.
   */
  async stop(): Promise<void> {
    this.client.abort();
    await this.store.save(this.#lastSessions);
    await this.store.settled();
    await this.listeners.stop();
  }
}
