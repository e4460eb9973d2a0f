/**
 * What several outliers in a row show: that the clock has changed, or the path of their source.
 *
 * One outlier is a lie and has no pull. Three of one source in a row, on one side, mean that the
 * world is another one. If it was the clock, the samples of all other sources are more likely with
 * that change than without it; if not, it was the path. A far source with long queues tells nothing
 * of a change by microseconds that a near one sees. Where none tells, an oscillator that has
 * stepped is more likely than a path that changed and kept its delay. Limits: a single precise
 * source whose clock is set by little is followed.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { UpdateOutcome } from "./filter_bank.ts";
import {
  frequencyChangeOf,
  isOutlier,
  Misses,
  OUTLIER_STREAK,
  type Shift,
  speakFor,
} from "./misses.ts";
import type { SourceTrack } from "./source_track.ts";

/** What a streak shows, and the variances by which the belief is to be freed. */
export type ShownChange =
  | { readonly kind: "path"; readonly variance: number }
  | {
    readonly kind: "clock";
    readonly offsetVariance: number;
    readonly frequencyVariance: number;
  };

/** How believable the last samples of a source were. */
interface Streak {
  /** How many samples in a row were outliers; the sign is that of their deviation. */
  length: number;
  readonly misses: Misses;
}

/** The streaks of all sources in a filter. */
export class OutlierStreaks {
  readonly #streaks = new Map<SourceTrack, Streak>();

  /** Adds a source, which is taken to have been believed until this time. */
  add(track: SourceTrack, trustedAt: Seconds): void {
    this.#streaks.set(track, { length: 0, misses: new Misses(track, trustedAt) });
  }

  /** Removes a source. */
  remove(track: SourceTrack): void {
    this.#streaks.delete(track);
  }

  /** Ends the streak of a source: its samples come by another route now. */
  end(track: SourceTrack): void {
    this.#streak(track).length = 0;
  }

  /**
   * Takes in what the update with a sample of a source found at a time; returns what the streak
   * that it ends shows. `voters` are the sources without which others cannot show a change of the
   * clock; none: all are alike.
   */
  take(
    track: SourceTrack,
    { outcome, time, voters }: {
      readonly outcome: UpdateOutcome;
      readonly time: Seconds;
      readonly voters: ReadonlySet<SourceTrack>;
    },
  ): ShownChange | undefined {
    const streak = this.#streak(track);
    streak.misses.take(outcome, time);
    if (!isOutlier(outcome)) {
      streak.length = 0;
      return undefined;
    }
    const direction = Math.sign(outcome.deviation);
    streak.length = Math.sign(streak.length) === direction ? streak.length + direction : direction;
    if (Math.abs(streak.length) < OUTLIER_STREAK) return undefined;
    streak.length = 0;
    const { shift } = streak.misses;
    const variance = shift.miss * shift.miss;
    if (!this.#agree(track, { shift, voters })) return { kind: "path", variance };
    const change = frequencyChangeOf(shift);
    return { kind: "clock", offsetVariance: variance, frequencyVariance: change * change };
  }

  /** Tells whether the samples of the others rather speak for a change of the clock. */
  #agree(
    track: SourceTrack,
    { shift, voters }: { readonly shift: Shift; readonly voters: ReadonlySet<SourceTrack> },
  ): boolean {
    const others = [...this.#streaks].filter(([other]) => other !== track);
    const voting = others.filter(([other]) => voters.has(other));
    const hasVote = voters.has(track) || voting.length === 0;
    const witnesses = (hasVote ? others : voting).map(([, { misses }]) => misses);
    return speakFor(shift, { witnesses, hasVote });
  }

  #streak(track: SourceTrack): Streak {
    return present(this.#streaks.get(track), "A sample belongs to a source of the filter");
  }
}
