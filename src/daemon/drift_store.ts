/**
 * Keeps the drift file: read once at the start, written when the engine says so and at the end.
 *
 * @module
 */
import type { ClockConfig } from "../config/config.ts";
import { log } from "./log.ts";
import { type Drift, readDriftFile, tryDriftFile, writeDriftFile } from "./state_files.ts";

/** The drift file of a daemon, if it has one. */
export class DriftStore {
  readonly #config: ClockConfig;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  /** Touches no file yet; `config` stays the one in force until the daemon ends. */
  constructor(config: ClockConfig) {
    this.#config = config;
  }

  /** Reads the file; what is wrong with it is logged. */
  read(): Drift | undefined {
    const { driftFile, maxFrequency } = this.#config;
    if (driftFile === undefined) return undefined;
    const { drift, problem } = readDriftFile(driftFile, maxFrequency);
    if (problem !== undefined) log.warning(problem);
    return drift;
  }

  /** Says early, as the user that will write it, when the file cannot be written. */
  check(): void {
    const path = this.#config.driftFile;
    if (path === undefined) return;
    const tried = tryDriftFile(path);
    if (!tried.ok) log.warning(`The drift of the clock will not be kept: ${tried.error}`);
    this.#failed = !tried.ok;
  }

  /** Writes the file, one writing after the other; a failure is logged once, until it works again. */
  write(drift: Drift): void {
    const path = this.#config.driftFile;
    if (path === undefined) return;
    this.#writing = this.#writing.then(async () => {
      const written = await writeDriftFile(path, drift);
      if (!written.ok && !this.#failed) log.warning(written.error);
      this.#failed = !written.ok;
    });
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }
}
