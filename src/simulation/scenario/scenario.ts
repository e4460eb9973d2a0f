/**
 * What a simulated world is made of: a machine with its clock, servers with theirs, the paths
 * between, and what happens when.
 *
 * Everything here is validated and complete; `parse.ts` makes it from TOML. What each member of a
 * table means stands beside its key, in the file of the table.
 *
 * @module
 */
import type { UnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { Seconds } from "../../base/units.ts";
import type { Config } from "../../config/config.ts";
import type { Check } from "./check.ts";
import type { MachineModel } from "./clock.ts";
import type { ScenarioEvent } from "./event.ts";
import type { Limits } from "./limits.ts";
import type { ServerModel } from "./server.ts";

/** A whole simulated world, and what is expected of ntpsd in it. */
export interface Scenario {
  /** What it is called. */
  readonly name: string;
  /** What it shows, for a reader. */
  readonly description: string;
  /** How long it lasts. */
  readonly duration: Seconds;
  /** Errors before this are not counted in the statistics. */
  readonly measureFrom: Seconds;
  /** The seed of the first run, unless another is asked for. */
  readonly seed: number;
  /** True time at the start. */
  readonly start: UnixNanoseconds;
  /** The machine that ntpsd runs on. */
  readonly machine: MachineModel;
  /** All servers of the world. */
  readonly servers: readonly ServerModel[];
  /** What happens, in the order of time. */
  readonly events: readonly ScenarioEvent[];
  /** The configuration of ntpsd. */
  readonly config: Config;
  /** What must hold. */
  readonly limits: Limits;
  /** What must hold at single moments. */
  readonly checks: readonly Check[];
  /**
   * What a reader of the results should know, such as sources that were replaced by simulated ones.
   */
  readonly notes: readonly string[];
}

/** The address of the simulated machine itself. */
export const MACHINE_ADDRESS = "198.51.100.1";
