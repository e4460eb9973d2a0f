/**
 * The lines of the log that tell of one configured source.
 *
 * @module
 */
import type { LogAction } from "./events.ts";

/** Makes lines that name a source. */
export class SourceLog {
  readonly #source: string;

  /** Takes the address of the source as it is configured. */
  constructor(source: string) {
    this.#source = source;
  }

  /** Makes a line; `text` is a predicate, such as "no longer uses 192.0.2.1:123". */
  line(level: LogAction["level"], text: string): LogAction {
    const source = this.#source;
    return { type: "log", level, message: `Source ${source} ${text}`, source };
  }
}
