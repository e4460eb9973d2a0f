/**
 * The leap seconds of a scenario: what they do to UTC, and what servers announce before them.
 *
 * @module
 */
import type { LeapIndicator } from "../protocol/leap_indicator.ts";
import type { Seconds } from "../base/units.ts";
import type { ScenarioEvent } from "./scenario/event.ts";

/** The leap seconds of one run; all times are seconds since its start. */
export class LeapSeconds {
  readonly #leaps: readonly (ScenarioEvent & { readonly kind: "leap" })[];

  /** Takes the leap seconds out of the events of a scenario. */
  constructor(events: readonly ScenarioEvent[]) {
    this.#leaps = events.filter((event) => event.kind === "leap");
  }

  /** Returns how far leap seconds have moved UTC against the even time scale. */
  shiftAt(time: Seconds): Seconds {
    let shift = 0;
    for (const { at, leap } of this.#leaps) {
      // A deletion leaves out the last second, so it comes one second earlier.
      if (leap === "insert" && time >= at) shift -= 1;
      if (leap === "delete" && time >= at - 1) shift += 1;
    }
    return shift;
  }

  /** Returns the leap second that servers announce. */
  announcedAt(time: Seconds): LeapIndicator {
    const due = this.#leaps.find(({ at, announce }) => time < at && time >= at - announce);
    return due?.leap ?? "none";
  }
}
