/**
 * What can be done about a lower bound of the time that is wrong.
 *
 * The bound of the release is right. One that this run or an earlier one has found rests on
 * sources, which may have lied; it goes away with the run, or with the file that keeps it.
 *
 * @module
 */
import type { UnixSeconds } from "../../base/units.ts";
import type { Config } from "../../config/config.ts";
import { timeBoundPath } from "./time_bound.ts";

/** Knows where the bound comes from and where it is kept. */
export class BoundAdvice {
  readonly #kept: UnixSeconds | undefined;
  #path: string | undefined;
  #hasRaised = false;

  /** `kept` is the bound that was found on disk. */
  constructor(config: Pick<Config, "nts">, kept: UnixSeconds | undefined) {
    this.#kept = kept;
    this.#path = timeBoundPath(config.nts.cookieStoragePath);
  }

  /** Takes over where the bound is kept. */
  reconfigure(config: Pick<Config, "nts">): void {
    this.#path = timeBoundPath(config.nts.cookieStoragePath);
  }

  /** Notes that this run has found a bound. */
  raised(): void {
    this.#hasRaised = true;
  }

  /** Returns the end of a sentence that tells of a bound; empty for that of the release. */
  adviceOn(bound: UnixSeconds): string {
    if (!this.#hasRaised && this.#kept !== bound) return "";
    return this.#path === undefined
      ? "; if that is wrong, restart ntpsd"
      : `; if that is wrong, stop ntpsd, remove ${this.#path} and start ntpsd again`;
  }
}
