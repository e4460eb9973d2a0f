/**
 * The engine with its driver and key exchanges in the process of the test: for what must be told
 * the daemon before it starts.
 *
 * Limits: it measures only, and serves nothing.
 *
 * @module
 */
import { Poller } from "../../ffi/poller.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { EngineDriver } from "../../src/daemon/engine_driver.ts";
import { readInstant } from "../../src/system/local_clock.ts";
import { configureLog } from "../../src/system/log.ts";
import { NtsKeClient } from "../../src/daemon/nts/ke_client.ts";
import { TlsContexts } from "../../src/daemon/nts/tls_contexts.ts";
import { SessionStore } from "../../src/daemon/nts/cookie_file.ts";
import { randomSource } from "../../src/system/random.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { EngineSnapshot } from "../../src/engine/status/snapshot.ts";
import type { CertificateTime } from "../../src/engine/authenticated_time/clock_trust.ts";
import { waitUntil } from "./wait_until.ts";

/** An engine at work. */
export class EngineInProcess implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #driver: EngineDriver;
  readonly #poller: Poller;
  readonly #client: NtsKeClient;
  readonly #store: SessionStore;
  readonly #running: Promise<void>;
  readonly #lines: string[];

  private constructor(parts: {
    readonly engine: Engine;
    readonly driver: EngineDriver;
    readonly poller: Poller;
    readonly client: NtsKeClient;
    readonly store: SessionStore;
    readonly lines: string[];
  }) {
    this.#engine = parts.engine;
    this.#driver = parts.driver;
    this.#poller = parts.poller;
    this.#client = parts.client;
    this.#store = parts.store;
    this.#lines = parts.lines;
    this.#running = parts.driver.run();
  }

  /** Starts an engine with a configuration, and with what it is to know of the clock. */
  static start(
    options: { readonly config: string; readonly cookies: string; readonly known: CertificateTime },
  ): EngineInProcess {
    const lines: string[] = [];
    configureLog({ level: "debug", journal: false, write: (line) => lines.push(line) });
    const loaded = parseConfig(options.config);
    const poller = Poller.open();
    if (!loaded.ok || !poller.ok) throw new Error(`It cannot start: ${JSON.stringify(loaded)}`);
    const store = new SessionStore(options.cookies);
    const client = new NtsKeClient(new TlsContexts(), store);
    const engine = new Engine({
      config: loaded.value.config,
      random: randomSource,
      now: readInstant(),
      mayAdjust: false,
      frequency: 0,
      clockPrecision: 2 ** -24,
      ownAddresses: [],
      protections: client.protections,
      certificateTime: options.known,
    });
    const driver: EngineDriver = new EngineDriver({
      engine,
      poller: poller.value,
      hooks: {
        saveDrift: () => {},
        exchangeKeys: (action) => {
          void client.exchange(action).then((event) => driver.deliver(event));
        },
        verifyCertificates: (action) => driver.deliver(client.verify(action)),
        saveTimeBound: ({ bound }) => store.saveBound(bound),
        saveSessions: ({ sessions }) => void store.save(sessions),
        clockStepped: () => {},
        panic: (message) => lines.push(message),
        changed: () => {},
      },
    });
    return new EngineInProcess({ engine, driver, poller: poller.value, client, store, lines });
  }

  /** What it logged. */
  get log(): string {
    return this.#lines.join("\n");
  }

  /** Waits until its state is as wanted. */
  waitForStatus(wanted: (status: EngineSnapshot) => boolean): Promise<EngineSnapshot> {
    return waitUntil(() => {
      const status = this.#engine.snapshot(readInstant());
      return wanted(status) ? status : undefined;
    }, {
      timeoutMs: 60_000,
      everyMs: 100,
      what: () =>
        `the wanted status; last was ${
          JSON.stringify(this.#engine.snapshot(readInstant()), null, 1)
        }\n${this.log}`,
    });
  }

  /** Ends it, and waits until all is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    const sessions = this.#engine.sessions();
    this.#driver.stop();
    await this.#running;
    this.#poller.close();
    this.#client.abort();
    await this.#store.save(sessions);
    await this.#store.settled();
  }
}
