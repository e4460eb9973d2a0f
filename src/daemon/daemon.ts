/**
 * The daemon: connects engine, clock, sockets, HTTP and signals, and takes them apart again at the
 * end.
 *
 * The daemon says what fails and goes on without it as long as it can keep the clock (HTTP, a state
 * file); how it is started is in `run_daemon.ts`. Touches the world through its parts alone:
 * services (`services.ts`), the engine's driver, files of state, the service manager. Limits: one
 * daemon a process.
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import type { Config } from "../config/config.ts";
import type { Engine } from "../engine/engine.ts";
import type { StatusDocument } from "../engine/status/snapshot.ts";
import { formatUtc } from "../base/utc.ts";
import { realtimeNow } from "../../ffi/clock/clock.ts";
import { hasServiceManager, isWatchedOver } from "../../ffi/process/sd_notify.ts";
import type { Poller } from "../../ffi/poller.ts";
import type { PollExponent } from "../base/units.ts";
import { hostName } from "../../ffi/process/process.ts";
import { filesAnswer, within } from "./files/file_access.ts";
import { DriftStore } from "./files/drift_store.ts";
import { type DriverHooks, EngineDriver } from "./engine_driver.ts";
import type { FunctionStates } from "./observability/function_states.ts";
import { LeapFile } from "./files/leap_file.ts";
import { readInstant } from "../system/local_clock.ts";
import { log } from "../system/log.ts";
import type { ExchangeKeysAction } from "../engine/events.ts";
import type { Nts } from "./nts/nts.ts";
import { OnceWatch } from "./once.ts";
import { logChanges, readAgain, setUpLog, warnOfOpenSecrets } from "./reload.ts";
import type { OwnAddresses } from "./own_addresses.ts";
import { filterSystemCalls } from "./confinement.ts";
import type { DaemonEnd, DaemonOptions } from "./daemon_options.ts";
import { Control } from "./control/control.ts";
import { internalErrorCount } from "./observability/internal_errors.ts";
import type { KeyRing } from "./key_ring.ts";
import type { NtpListeners } from "./ntp_listeners.ts";
import { ServiceNotices } from "./observability/service_notices.ts";
import { PauseWatch } from "./pause_watch.ts";
import { Services } from "./services.ts";
import { StatisticsStore } from "./observability/statistics_store.ts";
import { StatusListener } from "./observability/status_listener.ts";

/** What is served is refreshed so often; its root dispersion ages by itself in between. */
const TICK_MILLISECONDS = 1000;

/**
 * Service managers wait a few seconds at most for the end; a file system or a name that hangs takes
 * longer.
 */
const END_PATIENCE_MILLISECONDS = 800;

/** Files that could not be used are tried again once in so many ticks. */
const FILES_TRIED_EVERY = 60;

/** What signals mean; others that are caught mean nothing. */
const MEANING: Readonly<Partial<Record<Deno.Signal, "end" | "reload" | "query">>> = {
  SIGTERM: "end",
  SIGINT: "end",
  SIGQUIT: "end",
  SIGHUP: "reload",
  SIGUSR1: "query",
};

/** What a daemon is put together from. */
export interface DaemonParts {
  /** Decides everything. */
  readonly engine: Engine;
  /** The addresses of this machine. */
  readonly addresses: OwnAddresses;
  /** Waits for the sockets of the sources. */
  readonly poller: Poller;
  /** That of the local clock. */
  readonly precision: PollExponent;
  /** Whether the clock may be adjusted. */
  readonly mayAdjust: boolean;
  /** Where time is served. */
  readonly ntp: NtpListeners;
  /** What works and what does not. */
  readonly functions: FunctionStates;
  /** The symmetric keys. */
  readonly keyRing: KeyRing;
  /** Network Time Security, of the client and of the server. */
  readonly nts: Nts;
}

/** A daemon that has what it needs. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #engine: Engine;
  readonly #addresses: OwnAddresses;
  /** The listeners that the engine knows to be closed. */
  #closed: readonly string[] = [];
  readonly #poller: Poller;
  readonly #driver: EngineDriver;
  readonly #services: Services;
  readonly #keyRing: KeyRing;
  readonly #nts: Nts;
  readonly #statistics: StatisticsStore;
  readonly #drift: DriftStore;
  readonly #leaps: LeapFile;
  readonly #functions: FunctionStates;
  readonly #notices: ServiceNotices;
  readonly #pauses = new PauseWatch((missing) =>
    this.#driver.deliver({ type: "standstill-suspected", missing })
  );
  readonly #isManaged = hasServiceManager();
  readonly #once: OnceWatch | undefined;
  readonly #startedAt = formatUtc(realtimeNow());
  #config: Config;
  #ticks = 0;
  #reloading: Promise<void> = Promise.resolve();
  #end: DaemonEnd = "told";

  /** Puts the rest together; nothing runs yet. */
  constructor(options: DaemonOptions, parts: DaemonParts) {
    this.#options = options;
    this.#config = options.config;
    this.#engine = parts.engine;
    this.#addresses = parts.addresses;
    this.#poller = parts.poller;
    this.#functions = parts.functions;
    this.#keyRing = parts.keyRing;
    this.#nts = parts.nts;
    const { observability } = options.config;
    this.#statistics = new StatisticsStore(observability.statisticsPath, {
      functions: parts.functions,
      now: realtimeNow,
    });
    this.#drift = new DriftStore(options.config.clock, parts.functions);
    this.#leaps = new LeapFile(parts.functions);
    this.#notices = new ServiceNotices({
      waitsForTime: observability.readyWhenSynchronized,
      isWatched: isWatchedOver(),
    });
    this.#services = new Services({
      ...parts,
      http: new StatusListener({
        names: () => [...ownNames(), ...this.#config.observability.hosts],
        status: () => this.status(),
      }, parts.functions),
      control: new Control({
        ...parts,
        status: () => this.status(),
        watcher: {
          watch: (fd, onReady) => this.#driver.watch(fd, onReady),
          unwatch: (fd) => this.#driver.unwatch(fd),
        },
      }),
      keys: parts.keyRing.responder,
      servedTime: (now) => parts.engine.servedTime(now),
      onBusy: () => this.#driver.runDue(),
    });
    this.#once = options.once ? new OnceWatch() : undefined;
    this.#driver = new EngineDriver({
      engine: parts.engine,
      poller: parts.poller,
      hooks: this.#hooks(),
    });
  }

  /** What the driver asks of the daemon. */
  #hooks(): DriverHooks {
    return {
      saveDrift: (drift) => this.#drift.write(drift),
      exchangeKeys: (action) => void this.#exchangeKeys(action),
      verifyCertificates: (action) => this.#driver.deliver(this.#nts.client.verify(action)),
      saveTimeBound: ({ bound }) => this.#nts.store.saveBound(bound),
      saveSessions: ({ sessions }) => void this.#nts.store.save(sessions),
      clockStepped: () => {
        this.#pauses.clockStepped();
        this.#services.ntp.clockStepped();
      },
      panic: (message) => this.#panic(message),
      changed: () => this.#changed(),
    };
  }

  /** Runs until it is told to end; returns why it ended. */
  async run(): Promise<DaemonEnd> {
    if (this.#once === undefined) await this.#services.configure(this.#config);
    const end = this.#nothingToDo();
    if (end !== undefined) return await this.#giveUp(end);
    const { clock, nts } = this.#config;
    const hasDrift = await filesAnswer([clock.driftFile]);
    const drift = hasDrift ? this.#drift.read() : undefined;
    filterSystemCalls(this.#config);
    if (hasDrift) this.#drift.check();
    if (await filesAnswer([nts.cookieStoragePath])) this.#nts.store.load();
    this.#options.takeSignals((signal) => this.#meetSignal(signal));
    const refresh = setInterval(() => this.#tick(), TICK_MILLISECONDS);
    const timeout = this.#once?.start({
      panic: () => this.#engine.panicInWaiting,
      stop: (end) => this.#stop(end),
    });
    if (drift !== undefined) this.#driver.deliver({ type: "drift-loaded", ...drift });
    this.#leaps.start(this.#config.clock.leapSecondsFile, (event) => this.#driver.deliver(event));
    this.#statistics.prepare();
    this.#tellServiceManager();
    await this.#driver.run();
    this.#notices.stopping();
    clearTimeout(timeout);
    clearInterval(refresh);
    this.#leaps.stop();
    const isOrderly = await within(END_PATIENCE_MILLISECONDS, this.#shutDown());
    if (!isOrderly) log.warning("Some work did not end in time and is abandoned");
    log.info(this.#end === "told" ? "ntpsd exits on request" : "ntpsd exits");
    return this.#end;
  }

  /** Closes all and writes what is left; takes as long as files and connections take. */
  async #shutDown(): Promise<void> {
    await this.#services.stop();
    await this.#drift.settled();
    await this.#statistics.settled();
    this.#poller.close();
  }

  /** What is done about once a second. */
  #tick(): void {
    this.#pauses.tick();
    this.#services.retry();
    this.#nts.tick(() => this.#engine.snapshot(readInstant()));
    if (this.#nts.isSavingDue()) this.#driver.deliver({ type: "save-sessions" });
    this.#followAddresses();
    this.#tellServiceManager();
    if (++this.#ticks % FILES_TRIED_EVERY !== 0) return;
    void filesAnswer([this.#config.clock.driftFile]).then((doAnswer) => {
      if (doAnswer) this.#drift.retry();
    });
    this.#statistics.prepare();
  }

  /** The status is a long document, made only where there is a service manager. */
  #tellServiceManager(): void {
    if (!this.#isManaged) return;
    this.#notices.update(this.status(), readInstant().monotonic);
  }

  /**
   * Returns why there will never be anything to do: no clock to keep, and no listener may be
   * opened; else undefined.
   */
  #nothingToDo(): DaemonEnd | undefined {
    if (this.#options.once || this.#config.sources.length > 0) return undefined;
    return this.#services.isServing ? undefined : this.#services.ntp.neverOpens;
  }

  async #giveUp(end: DaemonEnd): Promise<DaemonEnd> {
    log.error(
      "There is no [[source]] and no server can be opened: ntpsd has nothing to do and exits",
    );
    await within(END_PATIENCE_MILLISECONDS, this.#shutDown());
    return end;
  }

  /** Returns the status document of this moment. */
  status(): StatusDocument {
    return {
      version: this.#options.version,
      startedAt: this.#startedAt,
      ...this.#engine.snapshot(readInstant()),
      ...this.#services.documents(),
      hardwareTimestampFallbacks: this.#driver.hardwareFallbacks,
      internalErrors: internalErrorCount(),
    };
  }

  #followAddresses(): void {
    const { closed } = this.#services.ntp;
    if (closed.join() !== this.#closed.join()) {
      this.#closed = closed;
      this.#driver.deliver({ type: "own-addresses", closed });
    }
    const change = this.#addresses.look();
    if (change === undefined) return;
    log.debug("The network has changed: all sources are polled now");
    this.#driver.deliver(change);
  }

  #changed(): void {
    this.#services.refresh();
    this.#statistics.observe(() => this.#engine.snapshot(readInstant()));
    this.#once?.look(() => this.#engine.snapshot(readInstant()), (end) => this.#stop(end));
  }

  async #exchangeKeys(action: ExchangeKeysAction): Promise<void> {
    this.#driver.deliver(await this.#nts.client.exchange(action));
  }

  #stop(end: DaemonEnd): void {
    this.#end = end;
    this.#nts.keep(this.#engine.sessions());
    this.#driver.stop();
  }

  #panic(message: string): void {
    log.error(`ntpsd exits and leaves the clock as it is: ${message}`);
    this.#stop("panic");
  }

  #meetSignal(signal: Deno.Signal): void {
    const meaning = MEANING[signal] ?? "none";
    switch (meaning) {
      case "end":
        return this.#stop("told");
      case "reload":
        this.#reloading = this.#reloading.then(() => this.#reload());
        return;
      case "query":
        log.info("All sources are polled now, on request");
        return this.#driver.deliver({ type: "network-changed" });
      case "none":
        return log.warning(`${signal} was received and ignored`);
      default:
        return unreachable(meaning);
    }
  }

  /**
   * Reads the configuration and what it names again; one after the other, however quickly signals
   * follow.
   */
  async #reload(): Promise<void> {
    const before = this.#config;
    const read = await readAgain(this.#options, { before, functions: this.#functions });
    if (read === undefined) return;
    const { config, keys } = read;
    this.#config = config;
    warnOfOpenSecrets(config);
    for (const error of this.#keyRing.load(keys)) log.warning(error);
    logChanges(before, config, this.#options);
    setUpLog(this.#options, config);
    this.#statistics.follow(config.observability.statisticsPath);
    if (await filesAnswer([config.clock.driftFile])) this.#drift.follow(config.clock);
    if (this.#once === undefined) void this.#services.configure(config);
    this.#leaps.follow(config.clock.leapSecondsFile, (event) => this.#driver.deliver(event));
    this.#driver.deliver({ type: "reconfigure", config });
  }
}

/** The name of this machine, if it has one. */
function ownNames(): readonly string[] {
  const host = hostName();
  return host.ok ? [host.value] : [];
}
