/**
 * The listener for the status over HTTP as the daemon keeps it: opened as configured, and tried
 * again while it cannot be.
 *
 * @module
 */
import { present } from "../../base/assert.ts";
import { formatSocketAddress, parseSocketAddress } from "../../base/socket_address.ts";
import type { HttpDocument, StatusDocument } from "../../engine/status/snapshot.ts";
import type { FunctionStates } from "./function_states.ts";
import { type HttpListener, startHttpServer } from "./http.ts";

/** What the listener serves. */
export interface StatusSource {
  /**
   * Returns the names under which it may be asked on loopback, beside those that are always
   * allowed.
   */
  names(): readonly string[];
  /** Makes the status document of this moment. */
  status(): StatusDocument;
}

/** Keeps one listener, or none. */
export class StatusListener {
  readonly #source: StatusSource;
  readonly #functions: FunctionStates;
  #place: string | undefined;
  #server: HttpListener | undefined;

  /** Nothing is opened before `configure`. */
  constructor(source: StatusSource, functions: FunctionStates) {
    this.#source = source;
    this.#functions = functions;
  }

  /** Listens at another place, or not at all; the old listener is gone when this resolves. */
  async configure(place: string | undefined): Promise<void> {
    if (place !== this.#place) {
      // Nothing is opened before the old port is free.
      this.#place = undefined;
      await this.#server?.stop();
      this.#server = undefined;
    }
    this.#place = place;
    this.#functions.keepOnly("http", place === undefined ? [] : [place]);
    this.retry();
  }

  /** Tries again if it could not be opened; to be called about once a second. */
  retry(): void {
    const place = this.#place;
    if (place === undefined || this.#server !== undefined) return;
    const listen = present(parseSocketAddress(place), "The configuration was checked");
    const started = startHttpServer({
      listen,
      names: () => this.#source.names(),
      status: () => this.#source.status(),
    });
    const id = { kind: "http", name: place } as const;
    if (!started.ok) return this.#functions.down(id, started.error);
    this.#server = started.value;
    this.#functions.up(id);
  }

  /** What was done so far; null when it does not listen. */
  document(): HttpDocument | null {
    if (this.#server === undefined) return null;
    const { listen, ...counts } = this.#server.status();
    return { listen: formatSocketAddress(listen), ...counts };
  }

  /** Ends all connections and waits until nothing runs any more. */
  async stop(): Promise<void> {
    this.#place = undefined;
    await this.#server?.stop();
    this.#server = undefined;
  }
}
