/**
 * Whether an authenticated time may correct, at once and any way, what was followed for want of it.
 *
 * The problem: one authenticated source, or none, may have led the clock away with the help of
 * forged ones before the others came, and the panic thresholds that hold later than at the start
 * would end the daemon when these correct it. The idea: the first time that is vouched for is a
 * start. Where others may set the clock (`authentication = "prefer"`) each return of such a time is
 * one. Limits: elsewhere, once a time was vouched for, the thresholds hold for whatever comes after
 * a while without.
 *
 * @module
 */
import type { AuthenticationMode } from "../../selection/selection_options.ts";

/** Follows whether the time that the clock follows is vouched for. */
export class ProvenCorrection {
  #wasVouchedFor: boolean | undefined;
  #hasBeenVouchedFor = false;

  /**
   * Looks at a time that is about to be followed; tells whether it may correct what was followed
   * before.
   */
  look(isVouchedFor: boolean, authentication: AuthenticationMode): boolean {
    const wasUnproven = this.#wasVouchedFor === false;
    const mayCorrect = authentication === "prefer" || !this.#hasBeenVouchedFor;
    this.#wasVouchedFor = isVouchedFor;
    this.#hasBeenVouchedFor ||= isVouchedFor;
    return isVouchedFor && wasUnproven && mayCorrect;
  }
}
