/**
 * Keeps the drift file: read once at the start, written when the engine says so and at the end.
 *
 * @module
 */
import type { ClockConfig } from "../config/config.ts";
import { log } from "./log.ts";
import type { StateFile } from "./state_file.ts";
import {
  type Drift,
  driftFile,
  readDriftFile,
  tryDriftFile,
  writeDriftFile,
} from "./state_files.ts";

/** The drift file of a daemon, if it has one. */
export class DriftStore {
  #config: ClockConfig;
  #file: StateFile | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  /** Touches no file yet. */
  constructor(config: ClockConfig) {
    this.#config = config;
    this.#file = config.driftFile === undefined ? undefined : driftFile(config.driftFile);
  }

  /** Reads the file; what is wrong with it is logged. */
  read(): Drift | undefined {
    if (this.#file === undefined) return undefined;
    const { drift, problem } = readDriftFile(this.#file, this.#config.maxFrequency);
    if (problem !== undefined) log.warning(problem);
    return drift;
  }

  /** Says early, as the user that will write it, when the file cannot be written. */
  check(): void {
    if (this.#file === undefined) return;
    const tried = tryDriftFile(this.#file.path);
    if (!tried.ok) log.warning(`The drift of the clock will not be kept: ${tried.error}`);
    this.#failed = !tried.ok;
  }

  /** Writes to the file of a changed configuration from now on; what it holds is known better by now. */
  follow(config: ClockConfig): void {
    const isMoved = config.driftFile !== this.#config.driftFile;
    this.#config = config;
    if (!isMoved) return;
    this.#file = config.driftFile === undefined ? undefined : driftFile(config.driftFile);
    this.#failed = false;
    this.read();
    this.check();
  }

  /** Writes the file, one writing after the other; a failure is logged once, until it works again. */
  write(drift: Drift): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#writing = this.#writing.then(async () => {
      const written = await writeDriftFile(file, drift);
      if (!written.ok && !this.#failed) log.warning(written.error);
      this.#failed = !written.ok;
    });
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }
}
