/**
 * The filter over all believed sources, which steers the clock: who is in it, and when it is made
 * anew.
 *
 * It remembers nothing that the sources in use contradict, and stays where most of them can be
 * right. When it leaves that place, when a source turned out false, when most contradict what it
 * remembers, or when one wanders much more than was known, it is made anew from the kept samples of
 * the sources in use; but where these lie outside themselves, the offset alone is moved, and where
 * their claims barely touch, it stays.
 * Limits: it decides nothing about sources, selection does; a source that left without being false
 * leaves what its samples showed.
 *
 * @module
 */
import { assert, present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { PossibleRange } from "../selection/intersection.ts";
import { apartness, contradicting, isExpected, type SeenBias } from "./contradiction.ts";
import { Ensemble, type FrequencyPrior, type SourceView } from "./ensemble.ts";
import type { ClockEstimate } from "./filter_bank.ts";
import { doubtOf, type Misses, type Shift, speakFor } from "./misses.ts";
import { learnServerWander } from "./server_wander.ts";
import type { SourceTrack } from "./source_track.ts";

/** The joint filter follows so many sources, the best; more cost time and add next to nothing. */
const MEMBERS_MAX = 32;
/** One of them makes room for a better one when it has fallen this far behind. */
const RANK_MAX = 64;
/** The joint filter believes in at most so many times the wander that sources show. */
const WANDER_MARGIN = 10;
/** How far servers wander is looked at after so many samples of each. */
const WANDER_SAMPLES = 8;

/** A source that is followed, in the joint filter or not. */
export interface FollowedSource {
  /** Its samples. */
  readonly track: SourceTrack;
  /** The filter of this source alone. */
  alone: Ensemble;
  /** The mean square of the last samples' distances from the estimate. */
  jitterSquare: number;
  /** Whether its last sample was an outlier. */
  isOutlier: boolean;
  /** How far its newest samples lay from what its own filter expected. */
  readonly misses: Misses;
  /** The last change that its own filter has followed; undefined when there was none. */
  changed: Shift | undefined;
  /** Whether it has jumped since it was in the joint filter. */
  hasJumped: boolean;
  /**
   * How many samples there are since it began to show another time while it was not in the joint
   * filter. Infinity when it did not: all samples count.
   */
  sinceChange: number;
}

/** What a decision says of the sources. */
export interface BeliefInSources {
  /** The source of the newest sample; undefined when there is none. */
  readonly newest?: number | undefined;
  /** Those of the believed sources that outvote the others; none if left out. */
  readonly trusted?: readonly number[];
  /** The sources that selection has found false or cast off. */
  readonly disputed: readonly number[];
  /** Where most sources allow the offset to be at a free-running time; anywhere if left out. */
  readonly possible?: PossibleRange & { readonly time: Seconds } | undefined;
}

/** The joint filter and its members. */
export class JointFilter {
  readonly #sources: ReadonlyMap<number, FollowedSource>;
  #ensemble: Ensemble;
  readonly #members = new Set<number>();
  /** The sources that have a vote on what the others show: the trusted ones, or all believed. */
  #voters: readonly number[] = [];
  #mustRenew = false;
  /** Whether the newest update has made it anew. */
  #isRenewed = false;
  /** How many samples came in since it was looked how far the servers wander. */
  #sinceWander = 0;

  /** Starts without members. `sources` are all that are followed, kept by the caller. */
  constructor(sources: ReadonlyMap<number, FollowedSource>, prior: FrequencyPrior) {
    this.#sources = sources;
    this.#ensemble = newEnsemble(prior);
  }

  /** Whether a source is in it. */
  has(id: number): boolean {
    return this.#members.has(id);
  }

  /** Whether no source is in it. */
  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** When the last sample was taken that is no outlier, of whatever source; a free-running time. */
  get trustedAt(): Seconds {
    return this.#ensemble.trustedAt;
  }

  /** Returns the estimate at a free-running time; undefined before the first sample. */
  estimateAt(time: Seconds): ClockEstimate | undefined {
    return this.#ensemble.estimateAt(time);
  }

  /** Returns what a source is expected to show; undefined if it is not in the filter. */
  viewAt(track: SourceTrack, time: Seconds): SourceView | undefined {
    return this.#ensemble.viewAt(track, time);
  }

  /**
   * How much more than its variance says the estimate may be off at a free-running time: because
   * the last samples of sources with a vote contradict it and nothing has explained them yet, or
   * because no sample has confirmed the prior of the frequency.
   */
  doubtAt(time: Seconds): Seconds {
    const sources = this.#voters.flatMap((id) => this.#sources.get(id) ?? []);
    const doubts = sources.flatMap((doubting) => {
      const shift = this.#unexplained(doubting, time);
      if (shift === undefined) return [];
      const witnesses = sources.filter((other) => other !== doubting).map(({ misses }) => misses);
      return doubtOf(shift, { time, witnesses });
    });
    return Math.max(this.#ensemble.doubtAt(time), ...doubts);
  }

  /**
   * The change of the clock that would explain what a source shows: by its last sample, or, when
   * its own filter has followed a change that this one has not, by that.
   */
  #unexplained(source: FollowedSource, time: Seconds): Shift | undefined {
    if (source.isOutlier) return source.misses.shift;
    const { track, alone, changed } = source;
    const shown = alone.viewAt(track, time), known = this.#ensemble.viewAt(track, time);
    if (changed === undefined || shown === undefined || known === undefined) return undefined;
    const miss = shown.offset - known.offset;
    const isExplained = isExpected({ bias: miss, variance: shown.variance + known.variance });
    return isExplained ? undefined : { ...changed, miss };
  }

  /** Moves the estimate, when the clock itself was stepped. */
  shift(by: Seconds): void {
    this.#ensemble.shift(by);
  }

  /** Forgets all; the sources come in again with their samples. */
  restart(prior: FrequencyPrior): void {
    this.#ensemble = newEnsemble(prior);
    this.#members.clear();
  }

  /** Makes the filter anew from the samples of its members but one. */
  restartWithout(id: number, prior: FrequencyPrior): void {
    this.#members.delete(id);
    this.#ensemble = newEnsemble(prior);
    this.#ensemble.rebuild(this.#tracks(this.#members));
  }

  /** Removes a source; what its samples showed of the clock stays. */
  leave(id: number): void {
    this.#members.delete(id);
    const track = this.#sources.get(id)?.track;
    if (track !== undefined) this.#ensemble.remove(track);
  }

  /** Lets the next estimate be made anew from the sources in use then. */
  renewSoon(): void {
    this.#mustRenew = true;
  }

  /**
   * Updates the filter with the newest sample, if it is one of a source that is believed, or makes
   * it anew; returns whether there is news for the clock. `believed` has the best first.
   */
  follow(believed: readonly number[], options: BeliefInSources): boolean {
    const { trusted = [] } = options;
    this.#voters = trusted.length > 0 ? believed.filter((id) => trusted.includes(id)) : believed;
    this.#ensemble.voters = new Set(this.#tracks(this.#voters));
    this.#ensemble.wanderMax = this.#wanderMax(believed);
    const { possible } = options;
    const before = this.#mayStay(possible);
    this.#isRenewed = false;
    const isNews = this.#update(believed, options);
    if (possible !== undefined && this.#isRenewed) this.#stayAt(before, possible.time);
    return this.#holdWithin(possible) || isNews;
  }

  #update(believed: readonly number[], options: BeliefInSources): boolean {
    const { newest } = options;
    if (this.#isObsolete(believed, options)) {
      this.#renew(believed);
      return true;
    }
    if (newest === undefined || !believed.includes(newest)) return false;
    if (this.#isStranger(newest)) return false;
    if (this.#isLoneOutlier(newest) || !this.#admit(newest, believed)) return true;
    const { track } = present(this.#sources.get(newest), "A believed source is known");
    this.#ensemble.observe(track, present(track.samples.at(-1), "A believed source has samples"));
    const agreeing = this.#contradicting();
    if (agreeing !== undefined) this.#renew(agreeing);
    else if (this.#learnWander()) this.#renew(believed, "wander");
    return true;
  }

  /** Tells whether what the filter remembers is worth nothing now. */
  #isObsolete(believed: readonly number[], { disputed }: BeliefInSources): boolean {
    const hasJumped = (id: number) => this.#sources.get(id)?.hasJumped === true;
    return !this.#ensemble.ready || this.#mustRenew || disputed.some((id) => this.has(id)) ||
      (believed.length > 0 && believed.every(hasJumped));
  }

  /**
   * Makes the filter anew from the samples of the sources in use, and of no other. How far servers
   * wander was learned beside other sources then, unless only that has changed.
   */
  #renew(believed: readonly number[], changed: "sources" | "wander" = "sources"): void {
    this.#mustRenew = false;
    this.#isRenewed = true;
    this.#members.clear();
    for (const id of believed.slice(0, MEMBERS_MAX)) this.#members.add(id);
    this.#noteApart();
    for (const id of believed) this.#noteJoined(id);
    for (const { track } of this.#sources.values()) track.forgetBeside();
    const tracks = this.#tracks(this.#members);
    assert(tracks.length <= MEMBERS_MAX, "The joint filter has room for its members");
    if (changed === "sources") { for (const track of tracks) track.serverWander = 0; }
    this.#ensemble.rebuild(tracks);
    if (changed === "sources" && this.#learnFrom(tracks)) this.#ensemble.rebuild(tracks);
  }

  /** Looks now and then how far the servers wander; returns whether it must be made anew for it. */
  #learnWander(): boolean {
    if (++this.#sinceWander < WANDER_SAMPLES * this.#members.size) return false;
    this.#sinceWander = 0;
    return this.#learnFrom(this.#tracks(this.#members));
  }

  #learnFrom(tracks: readonly SourceTrack[]): boolean {
    return learnServerWander(tracks, this.#ensemble.voters);
  }

  /**
   * Returns the sources with a vote that agree with one another against the filter, if they are
   * most.
   */
  #contradicting(): readonly number[] | undefined {
    const seen: (SeenBias & { readonly id: number })[] = [];
    for (const id of this.#voters) {
      const track = this.#sources.get(id)?.track;
      const one = track && this.#ensemble.biasOf(track);
      if (one !== undefined) seen.push({ id, bias: one.bias, variance: one.variance });
    }
    return contradicting(seen)?.map(({ id }) => id);
  }

  /**
   * Tells whether the last sample of a source was an outlier, and those of the others with a vote
   * speak against a change of the clock that it may show.
   */
  #isLoneOutlier(id: number): boolean {
    const source = this.#sources.get(id);
    if (source?.isOutlier !== true) return false;
    const witnesses = this.#voters.flatMap((voter) =>
      voter === id ? [] : this.#sources.get(voter)?.misses ?? []
    );
    const hasVote = this.#voters.includes(id);
    return !speakFor(source.misses.shift, { witnesses, hasVote });
  }

  /**
   * Tells whether a source without a vote shows another time than its path explains. It would lead
   * the filter to where those with a vote contradict it, again and again, so it stays out.
   */
  #isStranger(id: number): boolean {
    const source = this.#sources.get(id);
    if (source === undefined || this.has(id) || this.#voters.includes(id)) return false;
    const { track, alone } = source;
    const time = present(track.samples.at(-1), "A believed source has samples").time;
    const shown = alone.viewAt(track, time), known = this.#ensemble.estimateAt(time);
    if (shown === undefined || known === undefined) return false;
    const variance = shown.variance + known.offsetVariance + track.biasVariance +
      track.wanderedVariance;
    return !isExpected({ bias: shown.offset - known.offset, variance });
  }

  /**
   * Tells whether a source is in the filter, after adding it if there is room, or if a member is
   * much worse.
   */
  #admit(id: number, believed: readonly number[]): boolean {
    if (this.has(id)) return true;
    if (this.#members.size >= MEMBERS_MAX) {
      const rank = (member: number) => (believed.indexOf(member) + 1 || Infinity) - 1;
      const worst = [...this.#members].reduce((a, b) => rank(b) > rank(a) ? b : a);
      if (rank(id) >= MEMBERS_MAX || rank(worst) < RANK_MAX) return false;
      this.leave(worst);
    }
    this.#members.add(id);
    assert(this.#members.size <= MEMBERS_MAX, "The joint filter has room for its members");
    this.#noteJoined(id);
    return true;
  }

  /**
   * What sources show of the oscillator's wander contains their own: the filter does not believe in
   * much more than the middle one of them shows.
   */
  #wanderMax(believed: readonly number[]): number {
    if (believed.length < 2) return Infinity;
    const shown = believed.map((id) =>
      this.#sources.get(id)?.alone.likelyWanderVariance ?? Infinity
    );
    shown.sort((a, b) => a - b);
    return WANDER_MARGIN * Math.sqrt(shown[shown.length >> 1] ?? Infinity);
  }

  /**
   * Brings the estimate back to where most sources can be right. Where all with a vote lie there,
   * the filter remembers something wrong, and is made anew from them. Where some lie elsewhere,
   * they would lead it away again, and samples do not tell how much of an offset is bias: then the
   * offset is moved, and the frequency stays.
   */
  #holdWithin(possible: BeliefInSources["possible"]): boolean {
    if (possible === undefined) return false;
    const { low, high, time } = possible;
    const toRange = (offset: Seconds = low) => Math.min(high, Math.max(low, offset)) - offset;
    const correction = () => toRange(this.#ensemble.estimateAt(time)?.offset);
    if (correction() === 0) return false;
    const areVotersInside = this.#voters.every((id) => {
      const source = this.#sources.get(id);
      return toRange(source?.alone.viewAt(source.track, time)?.offset) === 0;
    });
    if (areVotersInside) this.#renew(this.#voters);
    this.#move(correction());
    return true;
  }

  /**
   * Returns the offset that stays when the filter is made anew: where claims barely touch, it is
   * chance which sources are left, and they do not tell where in between the time is.
   */
  #mayStay(possible: BeliefInSources["possible"]): Seconds | undefined {
    if (possible?.isTouch !== true || this.#mustRenew) return undefined;
    return this.#ensemble.estimateAt(possible.time)?.offset;
  }

  /** Takes back by how much making it anew has moved the estimate. */
  #stayAt(before: Seconds | undefined, time: Seconds): void {
    const offset = this.#ensemble.estimateAt(time)?.offset;
    if (before !== undefined && offset !== undefined) this.#move(before - offset);
  }

  #move(by: Seconds): void {
    this.#ensemble.shiftAgainstBiases(by);
    for (const { track } of this.#sources.values()) track.shiftBeside(-by);
  }

  /**
   * Notes how far each member stands apart: the filter must not begin in between. One without a
   * vote that does so stays out.
   */
  #noteApart(): void {
    const members = [...this.#members].flatMap((id) => {
      const source = this.#sources.get(id);
      return source === undefined ? [] : [{ ...source, id, hasVote: this.#voters.includes(id) }];
    });
    const time = Math.max(...members.map(({ track }) => track.samples.at(-1)?.time ?? -Infinity));
    const seen = members.flatMap(({ id, track, alone, hasVote }) => {
      const shown = alone.viewAt(track, time);
      const variance = track.biasVariance + (shown?.variance ?? 0);
      return shown === undefined ? [] : [{ id, track, hasVote, bias: shown.offset, variance }];
    });
    const apart = apartness(seen, seen.filter(({ hasVote }) => hasVote));
    for (const [i, { id, track, hasVote }] of seen.entries()) {
      track.apartVariance = apart[i] ?? 0;
      if (track.apartVariance > 0 && !hasVote) this.#members.delete(id);
    }
  }

  #noteJoined(id: number): void {
    const source = this.#sources.get(id);
    if (source === undefined) return;
    source.hasJumped = false;
    // otherwise the filter would begin with its samples from before the change
    source.track.keepNewest(source.sinceChange);
    source.sinceChange = Infinity;
  }

  #tracks(ids: Iterable<number>): SourceTrack[] {
    const tracks: SourceTrack[] = [];
    for (const id of ids) {
      const source = this.#sources.get(id);
      if (source !== undefined) tracks.push(source.track);
    }
    return tracks;
  }
}

function newEnsemble(prior: FrequencyPrior): Ensemble {
  return new Ensemble(prior, { isJoint: true });
}
