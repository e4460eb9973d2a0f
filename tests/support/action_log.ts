/**
 * Every action of a run as text, to compare two runs octet by octet.
 *
 * @module
 */
import { toHex } from "../../src/base/bytes.ts";
import type { Seconds } from "../../src/base/units.ts";
import type { Action } from "../../src/engine/events.ts";
import type { Observer } from "../../src/simulation/observer.ts";

/** Writes down the actions of one run. */
export class ActionLog implements Observer {
  readonly #lines: string[] = [];

  /** One line for each action. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  sample(): void {}

  snapshot(): void {}

  action(time: Seconds, action: Action): void {
    this.#lines.push(`${time} ${JSON.stringify(action, plain)}`);
  }

  happened(): void {}
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  return typeof value === "bigint" ? value.toString() : value;
}
