/**
 * Keeps the drift file: read once at the start, written when the engine says so and at the end.
 *
 * @module
 */
import type { ClockConfig } from "../../config/config.ts";
import type { Result } from "../../base/result.ts";
import { FunctionStates } from "../observability/function_states.ts";
import { log } from "../../system/log.ts";
import type { StateFile } from "./state_file.ts";
import type { Drift } from "../../system/drift_text.ts";
import { driftFile, readDriftFile, writeDriftFile } from "./drift_file.ts";

/** The drift file of a daemon, if it has one. */
export class DriftStore {
  #config: ClockConfig;
  #file: StateFile | undefined;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;
  /** What could not be written. */
  #unsaved: Drift | undefined;
  readonly #functions: FunctionStates;

  /** Touches no file yet. */
  constructor(config: ClockConfig, functions: FunctionStates = new FunctionStates()) {
    this.#functions = functions;
    this.#config = config;
    this.#file = config.driftFile === undefined ? undefined : driftFile(config.driftFile);
  }

  /** Reads the file; what is wrong with it is logged. */
  read(): Drift | undefined {
    if (this.#file === undefined) return undefined;
    const { drift, error } = readDriftFile(this.#file, this.#config.maxFrequency);
    if (error !== undefined) log.warning(error);
    return drift;
  }

  /** Says early, as the user that will write it, when the file cannot be written. */
  check(): void {
    if (this.#file !== undefined) this.#tell(this.#file.path, this.#file.tryWriting());
  }

  /** Tries again if it could not be written; to be called now and then. */
  retry(): void {
    if (!this.#hasFailed) return;
    if (this.#unsaved === undefined) this.check();
    else this.write(this.#unsaved);
  }

  /**
   * Writes to the file of a changed configuration from now on; what it holds is known better by
   * now.
   */
  follow(config: ClockConfig): void {
    const isMoved = config.driftFile !== this.#config.driftFile;
    this.#config = config;
    if (!isMoved) return;
    this.#file = config.driftFile === undefined ? undefined : driftFile(config.driftFile);
    this.#hasFailed = false;
    this.#unsaved = undefined;
    this.#functions.keepOnly("drift-file", []);
    this.read();
    this.check();
  }

  /** Writes the file, one writing after the other. */
  write(drift: Drift): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#writing = this.#writing.then(async () => {
      const written = await writeDriftFile(file, drift);
      if (file !== this.#file) return;
      this.#unsaved = written.ok ? undefined : drift;
      this.#tell(file.path, written);
    });
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  #tell(name: string, written: Result<void, string>): void {
    const id = { kind: "drift-file", name } as const;
    this.#hasFailed = !written.ok;
    if (written.ok) return this.#functions.up(id);
    this.#functions.down(id, `The drift of the clock is not kept: ${written.error}`);
  }
}
