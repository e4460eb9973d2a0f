/**
 * What is asked of the daemon on the command line.
 *
 * @module
 */
import type { LogLevel } from "../../config/config.ts";

/** What the administrator asks of the daemon on the command line. */
export interface RunOptions {
  /** The configuration file, if one is named. */
  readonly config: string | undefined;
  /** Never touch the clock, whatever the configuration says. */
  readonly noAdjust: boolean;
  /** Set the clock once, then end. */
  readonly once: boolean;
  /** Overrides the configuration's log level. */
  readonly logLevel: LogLevel | undefined;
}
