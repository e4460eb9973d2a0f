/**
 * Starts a daemon: takes the clock over, puts the parts together, and runs it.
 *
 * What makes the work impossible or dangerous ends the start with a sentence and an exit status;
 * what is wrong beside that is said in the log.
 *
 * @module
 */
import { measureClockPrecision, realtimeNow } from "../../ffi/clock/clock.ts";
import { Poller } from "../../ffi/poller.ts";
import { fromNanoseconds } from "../base/nanoseconds.ts";
import { Engine } from "../engine/engine.ts";
import { readInstant } from "../system/local_clock.ts";
import { log } from "../system/log.ts";
import { randomSource } from "../system/random.ts";
import { claimClock, type ClockPermission } from "./clock_permission.ts";
import { Daemon, type DaemonParts } from "./daemon.ts";
import type { ConfigWithKeys, DaemonEnd, DaemonOptions } from "./daemon_options.ts";
import { KeyRing } from "./key_ring.ts";
import { NtpListeners } from "./ntp_listeners.ts";
import { Nts } from "./nts/nts.ts";
import { eraError } from "./nts/release_time.ts";
import { FunctionStates } from "./observability/function_states.ts";
import { OwnAddresses } from "./own_addresses.ts";
import { effectiveConfig, setUpLog, warnOfOpenSecrets } from "./reload.ts";

/** Runs a daemon until it is told to end; returns why it ended. */
export async function runDaemon(options: DaemonOptions): Promise<DaemonEnd> {
  beginLog(options);
  const config = effectiveConfig(options.config, options);
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
  const parts = makeParts({ config, keys: options.keys }, clock.value);
  const daemon = new Daemon({ ...options, config }, { ...parts, poller: poller.value });
  return await daemon.run();
}

/** Says what starts, and what in the configuration and of the machine is remarkable. */
function beginLog(options: DaemonOptions): void {
  setUpLog(options, options.config);
  log.info(`ntpsd ${options.version} starts with ${options.configOrigin}`);
  for (const { level, text } of [...options.notes, ...options.privileges]) log[level](text);
  warnOfOpenSecrets(options.config);
  const error = eraError(fromNanoseconds(realtimeNow()));
  if (error !== undefined) log.warning(error);
}

/** Makes the parts that know each other before the daemon is there. */
function makeParts(
  { config, keys }: ConfigWithKeys,
  { mayAdjust, notAdjustedReason, frequency }: ClockPermission,
): Omit<DaemonParts, "poller"> {
  const functions = new FunctionStates();
  const nts = new Nts(config, functions);
  const precision = measureClockPrecision();
  const keyRing = new KeyRing();
  for (const error of keyRing.load(keys)) log.warning(error);
  const addresses = new OwnAddresses();
  const engine = new Engine({
    config,
    random: randomSource,
    now: readInstant(),
    mayAdjust,
    notAdjustedReason,
    frequency,
    clockPrecision: 2 ** precision,
    ownAddresses: addresses.read() ?? [],
    protections: { ...nts.client.protections, withKey: (id) => keyRing.protection(id) },
    certificateTime: nts.client.certificateTime,
  });
  return {
    engine,
    addresses,
    precision,
    mayAdjust,
    ntp: new NtpListeners(precision, functions),
    functions,
    keyRing,
    nts,
  };
}
