/**
 * The daemon: puts engine, clock, sockets, HTTP and signals together, and takes them apart again at the end.
 *
 * What fails at the start but leaves the clock to be kept (HTTP, a state file) is said and gone without; what makes the
 * work impossible or dangerous ends the daemon with a sentence and an exit status. Limits: one daemon a process.
 *
 * @module
 */
import type { Result } from "../base/result.ts";
import { randomSource } from "../system/random.ts";
import type { Config, LogLevel } from "../config/config.ts";
import type { SymmetricKey } from "../config/key_file.ts";
import { describeChanges } from "../config/reload_diff.ts";
import { Engine } from "../engine/engine.ts";
import type { StatusDocument } from "../engine/status/snapshot.ts";
import { formatUtc } from "../base/utc.ts";
import { realtimeNow } from "../../ffi/clock/clock.ts";
import { hasServiceManager } from "../../ffi/process/sd_notify.ts";
import { measureClockPrecision } from "../../ffi/clock/clock.ts";
import { Poller } from "../../ffi/poller.ts";
import { environmentVariable, hostName } from "../../ffi/process/process.ts";
import { filesAnswer, within } from "./files/file_access.ts";
import { DriftStore } from "./files/drift_store.ts";
import { EngineDriver } from "./engine_driver.ts";
import { FunctionStates } from "./observability/function_states.ts";
import { LeapFile } from "./files/leap_file.ts";
import { readInstant } from "../system/local_clock.ts";
import { configureLog, log } from "../system/log.ts";
import type { ExchangeKeysAction } from "../engine/events.ts";
import { Nts } from "./nts/nts.ts";
import { onceConfig, OnceWatch } from "./once.ts";
import { OwnAddresses } from "./own_addresses.ts";
import { claimClock } from "./clock_permission.ts";
import { filterSystemCalls, type Notice } from "./confinement.ts";
import { internalErrorCount } from "./observability/internal_errors.ts";
import { KeyRing } from "./key_ring.ts";
import { eraProblem } from "./nts/release_time.ts";
import { openSecrets } from "../system/secret_files.ts";
import { NtpListeners } from "./ntp_listeners.ts";
import { ServiceNotices } from "./observability/service_notices.ts";
import { StatisticsWriter } from "./observability/statistics.ts";
import { StatusListener } from "./observability/status_listener.ts";

/** The served root dispersion ages by itself in between; this keeps the rest fresh. */
const SERVED_TIME_REFRESH_MILLISECONDS = 1000;

/** Whoever ends a service waits a few seconds at most; a file system or a name that hangs takes longer. */
const END_PATIENCE_MILLISECONDS = 800;

/** After so many of these refreshments, files that could not be used are tried again. */
const FILES_TRIED_EVERY = 60;

/** Why a daemon ended. */
export type DaemonEnd =
  | "told"
  | "clock-not-permitted"
  | "listen-not-permitted"
  | "listen-not-supported"
  | "system"
  | "panic"
  | "no-time";

/** A configuration with the symmetric keys that it names, by number. */
export interface ConfigWithKeys {
  /** Checked already. */
  readonly config: Config;
  /** Empty when the configuration names no file of keys. */
  readonly keys: ReadonlyMap<number, SymmetricKey>;
}

/** What a daemon is started with. */
export interface DaemonOptions extends ConfigWithKeys {
  /** Where the configuration comes from, for the log. */
  readonly configOrigin: string;
  /** The file that it was read from, which is read again at a reload; undefined for the built-in one. */
  readonly configFile: string | undefined;
  /** Remarks on what in it looks like a mistake. */
  readonly notes: readonly Notice[];
  /** What became of the privileges that the process was started with. */
  readonly privileges: readonly Notice[];
  /** Of ntpsd itself, for the log and the status. */
  readonly version: string;
  /** Leaves the clock alone, whatever the configuration says (`-x`). */
  readonly noAdjust: boolean;
  /** Ends when the clock has been set (`--once`). */
  readonly once: boolean;
  /** Overrides the configuration's when given. */
  readonly logLevel: LogLevel | undefined;
  /** Reads the configuration again; the errors are complete lines. */
  readonly reload: () => Result<ConfigWithKeys, readonly string[]>;
  /** Hands signals over, also those that came before. */
  readonly takeSignals: (handle: (signal: Deno.Signal) => void) => void;
}

/** Runs until it is told to end; returns why it ended. */
export async function runDaemon(options: DaemonOptions): Promise<DaemonEnd> {
  setUpLog(options, options.config);
  log.info(`ntpsd ${options.version} starts with ${options.configOrigin}`);
  for (const { level, text } of [...options.notes, ...options.privileges]) log[level](text);
  tellOpenSecrets(options.config);
  const problem = eraProblem(Number(realtimeNow()) / 1e9);
  if (problem !== undefined) log.warning(problem);
  const config = options.once ? onceConfig(options.config, options) : options.config;
  const functions = new FunctionStates();
  const nts = new Nts(config, functions);
  const clock = claimClock(config.clock, options);
  if (!clock.ok) {
    log.error(clock.error);
    return "clock-not-permitted";
  }
  log[clock.value.level](clock.value.notice);
  const poller = Poller.open();
  if (!poller.ok) {
    log.error(poller.error.message);
    return "system";
  }
  const precision = measureClockPrecision();
  const keyRing = new KeyRing();
  for (const problem of keyRing.load(options.keys)) log.warning(problem);
  const addresses = new OwnAddresses();
  const engine = new Engine({
    config,
    random: randomSource,
    now: readInstant(),
    mayAdjust: clock.value.mayAdjust,
    whyMeasuring: clock.value.whyMeasuring,
    frequency: clock.value.frequency,
    clockPrecision: 2 ** precision,
    ownAddresses: addresses.read() ?? [],
    protections: { ...nts.client.protections, withKey: (id) => keyRing.protection(id) },
    certificateTime: nts.client.certificateTime,
  });
  const listeners = new NtpListeners(precision, functions);
  const daemon = new Daemon({ ...options, config }, {
    engine,
    addresses,
    poller: poller.value,
    listeners,
    functions,
    keyRing,
    nts,
  });
  return await daemon.run();
}

/** What a daemon is put together from. */
interface Parts {
  readonly engine: Engine;
  readonly addresses: OwnAddresses;
  readonly poller: Poller;
  readonly listeners: NtpListeners;
  readonly functions: FunctionStates;
  readonly keyRing: KeyRing;
  readonly nts: Nts;
}

/** A daemon that has what it needs. */
class Daemon {
  readonly #options: DaemonOptions;
  readonly #engine: Engine;
  readonly #addresses: OwnAddresses;
  /** The listeners that the engine knows to be closed. */
  #closed: readonly string[] = [];
  readonly #poller: Poller;
  readonly #driver: EngineDriver;
  readonly #listeners: NtpListeners;
  readonly #keyRing: KeyRing;
  readonly #nts: Nts;
  #statistics: StatisticsWriter | undefined;
  readonly #drift: DriftStore;
  readonly #leaps: LeapFile;
  readonly #notices: ServiceNotices;
  readonly #isManaged = hasServiceManager();
  readonly #http: StatusListener;
  readonly #functions: FunctionStates;
  readonly #once: OnceWatch | undefined;
  readonly #startedAt = formatUtc(realtimeNow());
  #config: Config;
  #ticks = 0;
  #reloading: Promise<void> = Promise.resolve();
  #configuring: Promise<void> = Promise.resolve();
  #end: DaemonEnd = "told";

  constructor(options: DaemonOptions, parts: Parts) {
    this.#options = options;
    this.#config = options.config;
    this.#engine = parts.engine;
    this.#addresses = parts.addresses;
    this.#poller = parts.poller;
    this.#listeners = parts.listeners;
    this.#functions = parts.functions;
    this.#keyRing = parts.keyRing;
    this.#nts = parts.nts;
    this.#statistics = statisticsWriter(options.config);
    this.#drift = new DriftStore(options.config.clock, parts.functions);
    this.#leaps = new LeapFile(parts.functions);
    this.#notices = new ServiceNotices(options.config.observability.readyWhenSynchronized);
    this.#http = new StatusListener({
      names: () => [...ownNames(), ...this.#config.observability.hosts],
      status: () => this.status(),
    }, parts.functions);
    this.#once = options.once ? new OnceWatch() : undefined;
    this.#driver = new EngineDriver({
      engine: parts.engine,
      poller: parts.poller,
      hooks: {
        saveDrift: (drift) => this.#drift.write(drift),
        exchangeKeys: (action) => void this.#exchangeKeys(action),
        verifyCertificates: (action) => this.#driver.deliver(this.#nts.client.verify(action)),
        saveTimeBound: ({ bound }) => this.#nts.client.saveBound(bound),
        saveSessions: ({ sessions }) => this.#nts.client.saveSessions(sessions),
        clockStepped: () => this.#listeners.clockStepped(),
        panic: (message) => this.#panic(message),
        changed: () => this.#changed(),
      },
    });
  }

  async run(): Promise<DaemonEnd> {
    if (this.#once === undefined) {
      await this.#configureServers();
    }
    const end = this.#nothingToDo();
    if (end !== undefined) return await this.#giveUp(end);
    const { clock, nts } = this.#config;
    const hasDrift = await filesAnswer([clock.driftFile]);
    const drift = hasDrift ? this.#drift.read() : undefined;
    filterSystemCalls(this.#config);
    if (hasDrift) this.#drift.check();
    if (await filesAnswer([nts.cookieStoragePath])) this.#nts.loadSessions();
    this.#options.takeSignals((signal) => this.#meetSignal(signal));
    const refresh = setInterval(() => this.#tick(), SERVED_TIME_REFRESH_MILLISECONDS);
    const timeout = this.#once?.start(
      () => this.#engine.snapshot(readInstant()).why,
      (end) => this.#stop(end),
    );
    if (drift !== undefined) this.#driver.deliver({ type: "drift-loaded", ...drift });
    this.#leaps.start(this.#config.clock.leapSecondsFile, (event) => this.#driver.deliver(event));
    this.#prepareStatistics();
    this.#tellServiceManager();
    await this.#driver.run();
    this.#notices.stopping();
    clearTimeout(timeout);
    clearInterval(refresh);
    this.#leaps.stop();
    const isOrderly = await within(END_PATIENCE_MILLISECONDS, this.#wind());
    if (!isOrderly) log.warning("Something under way does not come to its end and is given up");
    log.info(this.#end === "told" ? "ntpsd ends as told" : "ntpsd ends");
    return this.#end;
  }

  /** Closes and writes what is left, at its own pace. */
  async #wind(): Promise<void> {
    await this.#http.stop();
    await this.#configuring;
    await this.#listeners.stop();
    await this.#nts.stop();
    await this.#drift.settled();
    await this.#statistics?.settled();
    this.#poller.close();
  }

  /** What is done about once a second. */
  #tick(): void {
    this.#http.retry();
    this.#listeners.retry();
    this.#refreshServers();
    this.#nts.tick(() => this.#engine.snapshot(readInstant()));
    if (this.#nts.isSavingDue()) this.#driver.deliver({ type: "save-sessions" });
    this.#followAddresses();
    this.#tellServiceManager();
    if (++this.#ticks % FILES_TRIED_EVERY !== 0) return;
    void filesAnswer([this.#config.clock.driftFile]).then((isResponse) => {
      if (isResponse) this.#drift.retry();
    });
    this.#prepareStatistics();
  }

  /** The status is a long document, and made only if there is somebody to be told. */
  #tellServiceManager(): void {
    if (!this.#isManaged) return;
    this.#notices.update(this.status(), readInstant().monotonic);
  }

  /** Tells why there is nothing to do, if that is so and will stay so: no clock to keep, and no listener may be opened. */
  #nothingToDo(): DaemonEnd | undefined {
    if (this.#options.once || this.#config.sources.length > 0) return undefined;
    const isServing = this.#functions.documents().some(({ kind, up }) =>
      up && (kind === "server" || kind === "nts-ke-server")
    );
    return isServing ? undefined : this.#listeners.neverOpens;
  }

  async #giveUp(end: DaemonEnd): Promise<DaemonEnd> {
    log.error(
      "There is no [[source]] and no server can be opened: ntpsd has nothing to do and ends",
    );
    await within(END_PATIENCE_MILLISECONDS, this.#wind());
    return end;
  }

  status(): StatusDocument {
    return {
      version: this.#options.version,
      startedAt: this.#startedAt,
      ...this.#engine.snapshot(readInstant()),
      servers: this.#listeners.documents(),
      ntsKe: this.#nts.listeners.documents(),
      http: this.#http.document(),
      functions: this.#functions.documents(),
      internalErrors: internalErrorCount(),
    };
  }

  /** Brings the listeners up to the configuration; one after the other, however quickly reloads follow. */
  #configureServers(): Promise<void> {
    // Whatever goes wrong with one configuration must not keep the next one from being applied.
    this.#configuring = this.#configuring.then(() => this.#applyServers()).catch((error) =>
      log.error(`Not all of the configuration could be applied: ${error}`)
    );
    return this.#configuring;
  }

  async #applyServers(): Promise<void> {
    const { servers, synchronization } = this.#config;
    await this.#http.configure(this.#config.observability.listen);
    await this.#nts.configure(this.#config);
    await this.#listeners.configure(servers, {
      synchronization,
      authentication: { keys: this.#keyRing.responder, nts: this.#nts.listeners.responder },
      onBusy: () => this.#driver.runDue(),
    });
    this.#refreshServers();
  }

  #refreshServers(): void {
    if (!this.#listeners.isServing) return;
    const now = readInstant();
    this.#listeners.update(this.#engine.servedTime(now), now);
  }

  #followAddresses(): void {
    const { closed } = this.#listeners;
    if (closed.join() !== this.#closed.join()) {
      this.#closed = closed;
      this.#driver.deliver({ type: "own-addresses", closed });
    }
    const change = this.#addresses.look();
    if (change === undefined) return;
    log.debug("The network has changed: the sources are asked now");
    this.#driver.deliver(change);
  }

  #changed(): void {
    this.#refreshServers();
    this.#writeStatistics();
    this.#once?.look(() => this.#engine.snapshot(readInstant()), (end) => this.#stop(end));
  }

  #writeStatistics(): void {
    if (this.#statistics === undefined) return;
    this.#statistics.observe(this.#engine.snapshot(readInstant()), realtimeNow());
    this.#tellStatistics(this.#statistics);
  }

  #prepareStatistics(): void {
    if (this.#statistics === undefined) return;
    this.#statistics.prepare(realtimeNow());
    this.#tellStatistics(this.#statistics);
  }

  #tellStatistics({ directory, problem }: StatisticsWriter): void {
    const id = { kind: "statistics", name: directory } as const;
    if (problem === undefined) this.#functions.up(id);
    else this.#functions.down(id, problem);
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
    log.error(`ntpsd ends, and leaves the clock as it is: ${message}`);
    this.#stop("panic");
  }

  #meetSignal(signal: Deno.Signal): void {
    switch (signal) {
      case "SIGTERM":
      case "SIGINT":
      case "SIGQUIT":
        return this.#stop("told");
      case "SIGHUP":
        this.#reloading = this.#reloading.then(() => this.#reload());
        return;
      case "SIGUSR1":
        log.info("The sources are asked now, as told");
        return this.#driver.deliver({ type: "network-changed" });
      default:
        log.warning(`${signal} was received, which means nothing to ntpsd`);
    }
  }

  /** Reads the configuration and what it names again; one after the other, however quickly signals follow. */
  async #reload(): Promise<void> {
    const { keysFile } = this.#config;
    if (!await filesAnswer([this.#options.configFile, keysFile])) return;
    const loaded = this.#options.reload();
    if (!loaded.ok) {
      log.error("The configuration has errors, and the old one stays in force:");
      for (const line of loaded.error) log.error(line);
      return;
    }
    const before = this.#config;
    const { keys, config: read } = loaded.value;
    const config = this.#once === undefined ? read : onceConfig(read, this.#options);
    this.#config = config;
    tellOpenSecrets(config);
    for (const problem of this.#keyRing.load(keys)) log.warning(problem);
    const changes = describeChanges(before, config, overriddenKeys(this.#options));
    log.info(
      changes.length === 0 ? "Nothing in the configuration changes" : "The configuration changes:",
    );
    for (const line of changes) log.info(line);
    setUpLog(this.#options, config);
    if (before.observability.statisticsPath !== config.observability.statisticsPath) {
      this.#statistics = statisticsWriter(config);
      this.#functions.keepOnly("statistics", []);
      this.#prepareStatistics();
    }
    if (await filesAnswer([config.clock.driftFile])) this.#drift.follow(config.clock);
    if (this.#once === undefined) void this.#configureServers();
    this.#leaps.follow(config.clock.leapSecondsFile, (event) => this.#driver.deliver(event));
    this.#driver.deliver({ type: "reconfigure", config });
  }
}

function overriddenKeys({ logLevel, noAdjust }: DaemonOptions): readonly string[] {
  return [
    ...(logLevel === undefined ? [] : ["observability.log-level"]),
    ...(noAdjust ? ["clock.adjust"] : []),
  ];
}

function tellOpenSecrets(config: Config): void {
  for (const { message } of openSecrets(config)) log.warning(message);
}

function setUpLog(options: DaemonOptions, config: Config): void {
  const level = options.logLevel ?? config.observability.logLevel;
  configureLog({ level, journal: environmentVariable("JOURNAL_STREAM") !== undefined });
}

/** The name of this machine, if it has one. */
function ownNames(): readonly string[] {
  const host = hostName();
  return host.ok ? [host.value] : [];
}

function statisticsWriter(config: Config): StatisticsWriter | undefined {
  const path = config.observability.statisticsPath;
  return path === undefined ? undefined : new StatisticsWriter(path);
}
