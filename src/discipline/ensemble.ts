/**
 * One clock seen through several sources: the filter bank over the samples of the believed ones.
 *
 * Samples of all believed sources go into one filter. So each sample counts by what it is worth,
 * and the clock is followed as closely as if one source were asked that much more often. The error
 * that belongs to a source is its bias, a state of the filter. While samples are few, each new one
 * changes what the earlier ones mean (the floor of the delay was not known), so the filter is
 * rebuilt from all of them; later it only goes forward. It is also rebuilt when a source that had
 * been believed turns out to be false: what it had contributed is gone with it.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import { type ClockEstimate, FilterBank, type UpdateOutcome } from "./filter_bank.ts";
import type { Route } from "./routes.ts";
import { shareBias } from "./shared_bias.ts";
import { isMuchLess, type Sample, type SourceTrack } from "./source_track.ts";

/**
 * While a source has at most so many samples, the filter is rebuilt when their meaning has changed
 * ...
 */
const REPLAY_SAMPLES_MAX = 24;
/** ... that is, when the floor of the delay has moved by this part of the mean wait. */
const REPLAY_FLOOR_PART = 0.1;
/** A sample counts as an outlier beyond this probability. */
const OUTLIER_LIMIT = 0.5;
/** So many outliers in a row show that the clock or the path has changed. */
export const OUTLIER_STREAK = 3;
/** The least and the greatest change of frequency that is then assumed: no oscillator does more. */
const FREQUENCY_CHANGE_MIN = 20e-6;
const FREQUENCY_CHANGE_MAX = 500e-6;
/**
 * So many samples decide whether the prior of the frequency is kept; it has this much credit in log
 * evidence.
 */
const PRIOR_TRIAL_SAMPLES = 8;
const PRIOR_CREDIT = 3;

const NO_OUTCOME: SampleOutcome = {
  deviation: 0,
  miss: 0,
  outlier: 0,
  expectedVariance: 0,
  queueEvidence: 0,
  isChange: false,
};

/** What is known of the frequency before any sample. */
export interface FrequencyPrior {
  /** The rate at which the offset of the free-running clock grows, seconds per second. */
  readonly frequency: number;
  /** The variance of that: 1e-12 is a standard deviation of one part per million. */
  readonly variance: number;
  /**
   * The variance to fall back on when the samples contradict the first one: a drift file may be of
   * another machine. Left out when there is nothing to fall back on.
   */
  readonly fallbackVariance?: number;
}

/** What one source shows of the clock now. */
export interface SourceView {
  /** The offset that the source is expected to show: that of the clock plus the source's bias. */
  readonly offset: Seconds;
  /** Square seconds; the noise of a sample is not in it. */
  readonly variance: number;
}

/** What an update with a sample found. */
export interface SampleOutcome extends UpdateOutcome {
  /**
   * Whether it was the last outlier of a streak that shows a change: the samples before the streak
   * are obsolete.
   */
  readonly isChange: boolean;
}

/** A source in the belief. */
interface Member {
  /** Where the filter keeps the bias of each of its routes; the shortest is always there. */
  readonly slots: Map<Route, number>;
  readonly shortest: Route;
  /** The route of its last sample. */
  route: Route;
  /** The floor of the delay that the samples were judged by. */
  readonly floor: Seconds;
  /** The variance of the bias that it was given. */
  readonly biasVariance: number;
  /** When its last sample was taken; undefined before the first. */
  seenAt: Seconds | undefined;
  /** When its last sample that is no outlier was taken. */
  trustedAt: Seconds;
  /** How many samples in a row were outliers; the sign is that of their deviation. */
  streak: number;
}

/** The filter over a set of sources. */
export class Ensemble {
  readonly #prior: FrequencyPrior;
  readonly #isJoint: boolean;
  #bank: FilterBank | undefined;
  #time: Seconds = 0;
  #trustedAt: Seconds = 0;
  /** No oscillator wanders more than each source shows of it. */
  wanderMax: number = Infinity;
  /** The sources without which others cannot show a change of the clock; none: all are alike. */
  voters: ReadonlySet<SourceTrack> = new Set();
  readonly #members = new Map<SourceTrack, Member>();

  /** Starts without samples; the joint filter notes what each sample showed beside it. */
  constructor(prior: FrequencyPrior, { isJoint = false } = {}) {
    this.#prior = prior;
    this.#isJoint = isJoint;
  }

  /** Whether it has been updated with any sample. */
  get ready(): boolean {
    return this.#bank !== undefined;
  }

  /** When the last sample was taken that is no outlier, of whatever source; a free-running time. */
  get trustedAt(): Seconds {
    return this.#trustedAt;
  }

  /** How many sources are in the filter, those included that give no samples any more. */
  get size(): number {
    return this.#members.size;
  }

  /** Whether samples of this source are in the belief. */
  has(track: SourceTrack): boolean {
    return this.#members.has(track);
  }

  /** Updates the filter with the newest sample of a source, which is already in its track. */
  observe(track: SourceTrack, sample: Sample): SampleOutcome {
    if (this.#bank === undefined || this.#mustRebuild(track)) {
      const tracks = new Set(this.#members.keys()).add(track);
      const previous = track.samples.length > REPLAY_SAMPLES_MAX ? this.#bank : undefined;
      return this.#replay([...tracks], { about: track, previous });
    }
    if (!this.#members.has(track)) this.#addSource(this.#bank, track);
    const outcome = this.#step(this.#bank, track, sample);
    return { ...outcome, isChange: this.#judge(this.#bank, track, outcome) };
  }

  /** Rebuilds the filter from all samples of these sources, and of no other. */
  rebuild(tracks: readonly SourceTrack[]): void {
    this.#replay(tracks, { previous: this.#bank });
  }

  /**
   * The bias that the belief gives a source now (positive when the source is ahead of it), and the
   * variance that was expected of it. Undefined if the source is not in it.
   */
  biasOf(track: SourceTrack): { readonly bias: Seconds; readonly variance: number } | undefined {
    const member = this.#members.get(track);
    const slot = member?.slots.get(member.route);
    if (this.#bank === undefined || member === undefined || slot === undefined) return undefined;
    const bias = this.#bank.bias(slot);
    return {
      bias,
      variance: member.biasVariance + track.wanderedVariance +
        track.detourVariance(member.route, member.shortest),
    };
  }

  /** Removes a source; what its samples showed of the clock stays. */
  remove(track: SourceTrack): void {
    const member = this.#members.get(track);
    if (member === undefined) return;
    for (const route of [...member.slots.keys()]) this.#removeRoute(member, route);
    this.#members.delete(track);
  }

  #removeRoute(member: Member, route: Route): void {
    const slot = present(member.slots.get(route), "A route that is removed was added");
    member.slots.delete(route);
    this.#bank?.removeSource(slot);
    for (const { slots } of this.#members.values()) {
      for (const [other, at] of slots) if (at > slot) slots.set(other, at - 1);
    }
  }

  /**
   * Moves the belief about the offset, when the clock itself was stepped; the tracks are moved by
   * their owner.
   */
  shift(by: Seconds): void {
    this.#bank?.shiftOffset(by);
  }

  /** Returns the belief about the clock at a time; undefined before the first sample. */
  estimateAt(time: Seconds): ClockEstimate | undefined {
    const now = this.#bank?.estimate;
    if (now === undefined) return undefined;
    const dt = time - this.#time;
    const ahead = Math.max(0, dt);
    return {
      ...now,
      offset: now.offset + dt * now.frequency,
      offsetVariance: offsetVarianceAt(now, ahead),
      frequencyVariance: now.frequencyVariance + now.wanderVariance * ahead,
      covariance: now.covariance + ahead * now.frequencyVariance,
    };
  }

  /** The wander that the samples show, as a variance per second; undefined before the first. */
  get likelyWanderVariance(): number | undefined {
    return this.#bank?.estimate.likelyWanderVariance;
  }

  /**
   * Returns what a source is expected to show at a time, or undefined if it is not in the belief.
   */
  viewAt(track: SourceTrack, time: Seconds): SourceView | undefined {
    const member = this.#members.get(track);
    const slot = member?.slots.get(member.route);
    if (this.#bank === undefined || slot === undefined) return undefined;
    const dt = time - this.#time;
    const { frequency, wanderVariance } = this.#bank.estimate;
    const ahead = Math.max(0, dt);
    const { offset, variance } = this.#bank.view(slot, ahead);
    return {
      offset: offset + (dt - ahead) * frequency,
      variance: variance + walked(wanderVariance, ahead),
    };
  }

  /**
   * Tells whether the filter must be rebuilt: the samples of a young source have got another
   * meaning, or the root dispersion of a server has shrunk much.
   */
  #mustRebuild(track: SourceTrack): boolean {
    const member = this.#members.get(track);
    if (member !== undefined) {
      if (this.#areMostShorter()) return true;
      if (isMuchLess(track.biasVariance, member.biasVariance)) return true;
    }
    const young = Math.min(track.samples.length, member?.shortest.count ?? Infinity);
    if (young > REPLAY_SAMPLES_MAX) return false;
    if (member === undefined) return true;
    const onTrial = this.#prior.fallbackVariance !== undefined;
    if (onTrial && track.samples.length <= PRIOR_TRIAL_SAMPLES) return true;
    const moved = Math.abs(track.delays.floorOf(member.shortest) - member.floor);
    return moved > REPLAY_FLOOR_PART * track.delays.meanWait;
  }

  /**
   * Tells whether most sources have got a route that is shorter than all before: then what the
   * longer ones taught was believed too firmly. One among many is told by the others.
   */
  #areMostShorter(): boolean {
    let shorter = 0;
    for (const [track, { shortest }] of this.#members) {
      if (track.delays.shortestRoute !== shortest) shorter++;
    }
    return 2 * shorter > this.#members.size;
  }

  /** Rebuilds the filter; of two priors of the frequency it takes the one with more evidence. */
  #replay(
    tracks: readonly SourceTrack[],
    options: { readonly about?: SourceTrack; readonly previous?: FilterBank | undefined },
  ): SampleOutcome {
    const { variance, fallbackVariance } = this.#prior;
    const outcome = this.#replayWith(variance, tracks, options);
    if (fallbackVariance === undefined || this.#bank === undefined) return outcome;
    const believed = this.#bank.logEvidence + PRIOR_CREDIT;
    const fallback = this.#replayWith(fallbackVariance, tracks, options);
    if (this.#bank.logEvidence > believed) return fallback;
    return this.#replayWith(variance, tracks, options);
  }

  #replayWith(
    frequencyVariance: number,
    tracks: readonly SourceTrack[],
    options: { readonly about?: SourceTrack; readonly previous?: FilterBank | undefined },
  ): SampleOutcome {
    const samples = tracks.flatMap((track) => track.samples.map((sample) => ({ track, sample })));
    samples.sort((a, b) => a.sample.time - b.sample.time);
    let outcome = NO_OUTCOME;
    // what one without a vote showed before must not be where the filter begins
    const start = Math.max(0, samples.findIndex(({ track }) => this.voters.has(track)));
    const first = samples[start];
    this.#members.clear();
    this.#bank = undefined;
    if (first === undefined) return outcome;
    const bank = this.#start({ ...first, frequencyVariance, previous: options.previous });
    for (const track of tracks) if (track.samples.length > 0) this.#addSource(bank, track);
    for (const { track, sample } of samples.slice(start)) {
      const result = this.#step(bank, track, sample);
      const isChange = this.#judge(bank, track, result);
      if (track === options.about) outcome = { ...result, isChange };
    }
    return outcome;
  }

  #start(from: {
    readonly track: SourceTrack;
    readonly sample: Sample;
    readonly frequencyVariance: number;
    readonly previous: FilterBank | undefined;
  }): FilterBank {
    const { sample, track } = from;
    const bank = new FilterBank({
      offset: sample.offset,
      offsetVariance: 0.25 * sample.delay * sample.delay + track.biasVariance + 1e-12,
      frequency: this.#prior.frequency,
      frequencyVariance: from.frequencyVariance,
    }, from.previous);
    this.#bank = bank;
    this.#time = sample.time;
    this.#trustedAt = sample.time;
    return bank;
  }

  #addSource(bank: FilterBank, track: SourceTrack): void {
    const related = [...this.#members].flatMap(([other, { slots, shortest, biasVariance }]) =>
      other.reference !== 0 && other.reference === track.reference
        ? [{
          slot: present(slots.get(shortest), "The shortest route is kept"),
          variance: biasVariance,
        }]
        : []
    );
    const shortest = present(track.delays.shortestRoute, "A source in the belief was measured");
    const slot = bank.addSource(shareBias(track.biasVariance + track.wanderedVariance, related));
    this.#members.set(track, {
      slots: new Map([[shortest, slot]]),
      shortest,
      route: shortest,
      floor: track.delays.floorOf(shortest),
      biasVariance: track.biasVariance,
      seenAt: undefined,
      trustedAt: this.#time,
      streak: 0,
    });
  }

  #step(bank: FilterBank, track: SourceTrack, sample: Sample): UpdateOutcome {
    const elapsed = sample.time - this.#time;
    if (elapsed > 0) {
      bank.advance(elapsed);
      this.#time = sample.time;
    }
    const slot = this.#slotOf(bank, { track, route: sample.route });
    this.#wander(bank, { track, slot, time: sample.time, elapsed: Math.max(0, elapsed) });
    // a sample of an earlier time (interleaved mode) is carried forward to where the belief is
    const late = Math.min(0, elapsed) * bank.estimate.frequency;
    const seen = late === 0 ? sample : { ...sample, offset: sample.offset - late };
    const outcome = bank.update(slot, track.observation(seen), this.wanderMax);
    if (this.#isJoint) {
      const isOutlier = outcome.outlier > OUTLIER_LIMIT;
      sample.beside = isOutlier ? undefined : seen.offset - bank.estimate.offset;
    }
    return outcome;
  }

  /**
   * Lets the bias of a source wander: that of the path by the time since the last sample of any
   * source, that of the server since its own.
   */
  #wander(
    bank: FilterBank,
    to: { track: SourceTrack; slot: number; time: Seconds; elapsed: Seconds },
  ): void {
    const { track, slot, time, elapsed } = to;
    const member = this.#member(track);
    const unseen = Math.max(0, time - (member.seenAt ?? time));
    member.seenAt = time;
    bank.inflateBias(slot, track.biasWander * elapsed + track.serverWander * unseen);
  }

  /** Returns where the bias of a route is, and makes room for it when it is a new one. */
  #slotOf(
    bank: FilterBank,
    { track, route }: { readonly track: SourceTrack; readonly route: Route },
  ): number {
    const member = this.#member(track);
    if (route !== member.route) {
      for (const other of [...member.slots.keys()]) {
        const isKept = other === route || other === member.shortest || track.delays.isKnown(other);
        if (!isKept) this.#removeRoute(member, other);
      }
      member.route = route;
      member.streak = 0;
    }
    const known = member.slots.get(route);
    if (known !== undefined) return known;
    const shares: number[] = [];
    shares[present(member.slots.get(member.shortest), "The shortest route is kept")] = 1;
    const slot = bank.addSource({
      shares,
      ownVariance: track.detourVariance(route, member.shortest),
    });
    member.slots.set(route, slot);
    return slot;
  }

  /**
   * Admits a change of the clock or of the path after a streak of outliers; returns whether it did.
   */
  #judge(bank: FilterBank, track: SourceTrack, outcome: UpdateOutcome): boolean {
    const member = this.#member(track);
    const direction = Math.sign(outcome.deviation);
    if (outcome.outlier < OUTLIER_LIMIT) {
      member.streak = 0;
      member.trustedAt = this.#time;
      this.#trustedAt = this.#time;
      return false;
    }
    member.streak = Math.sign(member.streak) === direction ? member.streak + direction : direction;
    if (Math.abs(member.streak) < OUTLIER_STREAK) return false;
    member.streak = 0;
    const others = this.#othersWithVote(track);
    const agreeing = others.filter((other) => other.streak * direction > 0).length;
    const variance = outcome.miss * outcome.miss;
    if (others.length > 0 && 2 * agreeing < others.length) {
      bank.inflateBias(
        present(member.slots.get(member.route), "The present route is kept"),
        variance,
      );
    } else {
      const drift = Math.abs(outcome.miss) / Math.max(1, this.#time - member.trustedAt);
      // faster than any oscillator: the clock was set, and runs as it did
      const isStep = drift > FREQUENCY_CHANGE_MAX;
      const change = isStep ? FREQUENCY_CHANGE_MIN : Math.max(FREQUENCY_CHANGE_MIN, drift);
      bank.admitChange(variance, change * change);
    }
    return true;
  }

  /**
   * The members that must agree before a source shows a change of the clock: a source without a
   * vote needs those that have one, any other all.
   */
  #othersWithVote(track: SourceTrack): readonly Member[] {
    const others = [...this.#members].filter(([other]) => other !== track);
    const voting = others.filter(([other]) => this.voters.has(other));
    return (this.voters.has(track) || voting.length === 0 ? others : voting)
      .map(([, member]) => member);
  }

  #member(track: SourceTrack): Member {
    return present(this.#members.get(track), "A sample belongs to a source of the ensemble");
  }
}

/**
 * The variance of the offset `ahead` seconds from now without a sample; a sum of terms none of
 * which is negative.
 */
function offsetVarianceAt(now: ClockEstimate, ahead: Seconds): number {
  const { offsetVariance, frequencyVariance, covariance } = now;
  if (!(frequencyVariance > 0)) return offsetVariance + walked(now.wanderVariance, ahead);
  // what the frequency explains of the offset, and what it does not
  const slope = covariance / frequencyVariance;
  const unexplained = Math.max(0, offsetVariance - slope * covariance);
  return unexplained + (ahead + slope) ** 2 * frequencyVariance +
    walked(now.wanderVariance, ahead);
}

/** What the walk of the frequency adds to the variance of the offset. */
function walked(wanderVariance: number, ahead: Seconds): number {
  return wanderVariance * ahead * ahead * ahead / 3;
}
