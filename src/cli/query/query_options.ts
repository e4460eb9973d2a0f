/**
 * What is asked of the command `query`.
 *
 * @module
 */

/**
 * Names and key exchanges take more than one round trip, so without `--timeout` they are given this
 * many seconds.
 */
export const PREPARATION_TIMEOUT = 5;

/** What is asked on the command line. */
export interface QueryOptions {
  /** `HOST[:PORT]` as written. */
  readonly hosts: readonly string[];
  /** Whether answers are authenticated by NTS. */
  readonly nts: boolean;
  /** A file with certificates to trust beside the system's. */
  readonly authority: string | undefined;
  /** How many answers to take from each host; the one with the shortest delay counts. */
  readonly samples: number;
  /** How long to wait for each answer, in seconds. */
  readonly timeout: number;
  /** How long a look-up of a name may take, and how long an exchange of keys, in seconds. */
  readonly preparationTimeout: number;
  /** The only family to use; both if undefined. */
  readonly family: "ipv4" | "ipv6" | undefined;
  /** Whether the results are printed as JSON. */
  readonly json: boolean;
}
