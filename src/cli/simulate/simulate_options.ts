/**
 * What is asked of the simulator on the command line.
 *
 * @module
 */

/** What is asked of the simulator on the command line. */
export interface SimulateOptions {
  /** The scenario file. */
  readonly file: string;
  /** Overrides the scenario's seed. */
  readonly seed: number | undefined;
  /** How many runs, each with the next seed. */
  readonly runs: number;
  /** Whether to print one JSON document. */
  readonly json: boolean;
  /** Where the first run is drawn as SVG. */
  readonly plot: string | undefined;
}
