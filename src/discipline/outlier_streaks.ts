/**
 * What several outliers in a row show: that the clock has changed, or the path of their source.
 *
 * One outlier is a lie and has no pull. Three of one source in a row, on one side, mean that the
 * world is another one. If it was the clock, all other sources show the same; if most do not, it
 * was the path. Only those others can tell whose samples are precise enough to show a difference of
 * that size: a far source with long queues is no witness against a near one that sees microseconds.
 * Where none can, an oscillator that has stepped is more likely than a path that changed and kept
 * its delay. Limits: a single precise source whose clock is set by little is followed.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { UpdateOutcome } from "./filter_bank.ts";
import type { SourceTrack } from "./source_track.ts";

/** A sample counts as an outlier beyond this probability. */
const OUTLIER_LIMIT = 0.5;
/** So many outliers in a row show that the clock or the path has changed. */
export const OUTLIER_STREAK = 3;
/** The least and the greatest change of frequency that is then assumed: no oscillator does more. */
const FREQUENCY_CHANGE_MIN = 20e-6;
const FREQUENCY_CHANGE_MAX = 500e-6;

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
  /** When its last sample that is no outlier was taken. */
  trustedAt: Seconds;
}

/** The streaks of all sources in a filter. */
export class OutlierStreaks {
  readonly #streaks = new Map<SourceTrack, Streak>();

  /** Adds a source, which is taken to have been believed until this time. */
  add(track: SourceTrack, trustedAt: Seconds): void {
    this.#streaks.set(track, { length: 0, trustedAt });
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
    if (!isOutlier(outcome)) {
      streak.length = 0;
      streak.trustedAt = time;
      return undefined;
    }
    const direction = Math.sign(outcome.deviation);
    streak.length = Math.sign(streak.length) === direction ? streak.length + direction : direction;
    if (Math.abs(streak.length) < OUTLIER_STREAK) return undefined;
    streak.length = 0;
    const variance = outcome.miss * outcome.miss;
    if (!this.#agree(track, { outcome, voters })) return { kind: "path", variance };
    const drift = Math.abs(outcome.miss) / Math.max(1, time - streak.trustedAt);
    // faster than any oscillator: the clock was set, and runs as it did
    const isStep = drift > FREQUENCY_CHANGE_MAX;
    const change = isStep ? FREQUENCY_CHANGE_MIN : Math.max(FREQUENCY_CHANGE_MIN, drift);
    return { kind: "clock", offsetVariance: variance, frequencyVariance: change * change };
  }

  /**
   * Tells whether at least half of the other sources that would see such a change do see it. A
   * source without a vote needs those that have one.
   */
  #agree(
    track: SourceTrack,
    { outcome: { deviation, miss }, voters }: {
      readonly outcome: UpdateOutcome;
      readonly voters: ReadonlySet<SourceTrack>;
    },
  ): boolean {
    const others = [...this.#streaks].filter(([other]) => other !== track);
    const voting = others.filter(([other]) => voters.has(other));
    const hasVote = voters.has(track) || voting.length === 0;
    const witnesses = (hasVote ? others : voting).filter(([other]) => isWitness(other, miss));
    if (witnesses.length === 0) return hasVote;
    const agreeing = witnesses.filter(([, { length }]) => length * deviation > 0);
    return 2 * agreeing.length >= witnesses.length;
  }

  #streak(track: SourceTrack): Streak {
    return present(this.#streaks.get(track), "A sample belongs to a source of the filter");
  }
}

/** Tells whether an update found that the sample is an outlier. */
export function isOutlier({ outlier }: UpdateOutcome): boolean {
  return outlier > OUTLIER_LIMIT;
}

/** Tells whether the samples of a source are precise enough to show a change of this size. */
export function isWitness(track: SourceTrack, miss: Seconds): boolean {
  return track.delays.sampleError < Math.abs(miss);
}
