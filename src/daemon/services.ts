/**
 * What the daemon serves to others: time (NTP), keys for Network Time Security (NTS-KE) and its
 * status (HTTP).
 *
 * All three are configured together and one configuration after the other, however quickly reloads
 * follow, because a port is free only when its old listener is gone. What cannot be opened is tried
 * again about once a second. Limits: what each of them serves is its own business; this is their
 * order.
 *
 * @module
 */
import type { Config } from "../config/config.ts";
import type { StatusDocument } from "../engine/status/snapshot.ts";
import type { ServedTime } from "../engine/status/served_time.ts";
import type { Instant } from "../base/instant.ts";
import type { MacResponder } from "../server/authentication.ts";
import { readInstant } from "../system/local_clock.ts";
import { log } from "../system/log.ts";
import type { Control } from "./control/control.ts";
import type { NtpListeners } from "./ntp_listeners.ts";
import type { NtsKeListeners } from "./nts/ke_listeners.ts";
import type { Nts } from "./nts/nts.ts";
import type { FunctionStates } from "./observability/function_states.ts";
import type { StatusListener } from "./observability/status_listener.ts";

/** The listeners for NTP, as the daemon uses them. */
type Ntp = Pick<NtpListeners, keyof NtpListeners>;

/** What services are put together from. */
export interface ServiceParts {
  /** Serves the time. */
  readonly ntp: Ntp;
  /** Exchanges keys. */
  readonly nts: Pick<Nts, "configure" | "stop"> & {
    readonly listeners: Pick<NtsKeListeners, "documents" | "responder">;
  };
  /** Serves the status. */
  readonly http: Pick<StatusListener, keyof StatusListener>;
  /** Answers monitoring protocols. */
  readonly control: Pick<Control, keyof Control>;
  /** Knows which of them work. */
  readonly functions: Pick<FunctionStates, "documents">;
  /** Signs and checks with the symmetric keys in force. */
  readonly keys: MacResponder;
  /** Returns what can be served as time. */
  readonly servedTime: (now: Instant) => ServedTime;
  /** Does what must not wait for long, while a server is busy. */
  readonly onBusy: () => void;
}

/** The services of one daemon. */
export class Services {
  /** The listeners for NTP. */
  readonly ntp: Ntp;
  readonly #parts: ServiceParts;
  #configuring: Promise<void> = Promise.resolve();

  /** Nothing is opened before `configure`. */
  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.ntp = parts.ntp;
  }

  /**
   * Brings all listeners up to a configuration; a fault is logged and keeps no later configuration
   * from being applied.
   */
  configure(config: Config): Promise<void> {
    this.#configuring = this.#configuring.then(() => this.#apply(config)).catch((error) =>
      log.error(`Not all of the configuration could be applied: ${error}`)
    );
    return this.#configuring;
  }

  /**
   * Tries again what could not be opened, and serves the time of this moment; to be called about
   * once a second.
   */
  retry(): void {
    this.#parts.http.retry();
    this.#parts.control.retry();
    this.ntp.retry();
    this.refresh();
  }

  /** Serves what the engine says of the clock now. */
  refresh(): void {
    if (!this.ntp.isServing) return;
    const now = readInstant();
    this.ntp.update(this.#parts.servedTime(now), now);
  }

  /** Whether time or keys are served. */
  get isServing(): boolean {
    return this.#parts.functions.documents().some(({ kind, up }) =>
      up && (kind === "server" || kind === "nts-ke-server")
    );
  }

  /** Describes the services for status. */
  documents(): Pick<StatusDocument, "servers" | "ntsKe" | "http" | "functions"> {
    const { nts, http, functions } = this.#parts;
    return {
      servers: this.ntp.documents(),
      ntsKe: nts.listeners.documents(),
      http: http.document(),
      functions: functions.documents(),
    };
  }

  /** Closes all listeners; those for keys last, since the others answer with their keys. */
  async stop(): Promise<void> {
    this.#parts.control.stop();
    await this.#parts.http.stop();
    await this.#configuring;
    await this.ntp.stop();
    await this.#parts.nts.stop();
  }

  async #apply(config: Config): Promise<void> {
    const { http, control, nts, keys, onBusy } = this.#parts;
    control.configure(config);
    await http.configure(config.observability.listen);
    await nts.configure(config);
    await this.ntp.configure(config.servers, {
      synchronization: config.synchronization,
      authentication: { keys, nts: nts.listeners.responder },
      control: (request, client) => control.answer(request, client),
      onBusy,
    });
    this.refresh();
  }
}
