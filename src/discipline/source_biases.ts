/**
 * What each source adds to every offset that it shows: a bias for each of its routes, kept in the
 * filter bank.
 *
 * The bias of the shortest route is the base. A longer route is that and something more, of which
 * only the size is known. When a route turns up that is shorter than all, either may be the even
 * one: the old one, if the new one is shorter on one way; or the new one, if the old one had been
 * longer on one way. Nothing that a source alone shows can tell. Beside others both routes show
 * their biases, and the more likely ones decide which route is the base. The prior of a bias is a
 * factor of the belief, so it can be taken away and given to another without making the filter
 * anew.
 *
 * Limits: a few sources with large biases of their own tell little; then the more likely of two
 * explanations is sometimes the wrong one.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { FilterBank } from "./filter_bank.ts";
import type { Route } from "./routes.ts";
import { shareBias } from "./shared_bias.ts";
import type { SourceTrack } from "./source_track.ts";

/** A shorter route has shown its bias after so many samples. */
const BASE_SAMPLES_MIN = 4;

/** The biases of one source. */
export interface RouteBiases {
  /** The route whose bias the others rest on. */
  readonly base: Route;
  /** Whether the base has been changed: the samples before have been judged by another one. */
  readonly isRebased: boolean;
  /** The route of its last sample. */
  readonly route: Route;
  /** The floor of the delay that the samples were judged by. */
  readonly floor: Seconds;
  /** The variance that the bias of the base was given. */
  readonly variance: number;
}

interface Member extends RouteBiases {
  /** Where the bank keeps the bias of each route; the base is always there. */
  readonly slots: Map<Route, number>;
  base: Route;
  isRebased: boolean;
  route: Route;
  floor: Seconds;
  variance: number;
  /** What was added to the variance since. */
  added: number;
  /** When its last sample was taken; undefined before the first. */
  seenAt: Seconds | undefined;
}

/** The biases of all sources in a filter bank. */
export class SourceBiases {
  readonly #bank: FilterBank;
  readonly #members = new Map<SourceTrack, Member>();

  /** Starts without sources. */
  constructor(bank: FilterBank) {
    this.#bank = bank;
  }

  /** How many sources there are, those included that give no samples any more. */
  get size(): number {
    return this.#members.size;
  }

  /** The sources, in the order in which they were added. */
  get tracks(): readonly SourceTrack[] {
    return [...this.#members.keys()];
  }

  /** What is kept of a source; undefined if it is not in the bank. */
  of(track: SourceTrack): RouteBiases | undefined {
    return this.#members.get(track);
  }

  /** The slot of the route that a source's last sample took; undefined if it is not in the bank. */
  slotOf(track: SourceTrack): number | undefined {
    const member = this.#members.get(track);
    return member?.slots.get(member.route);
  }

  /** Adds a source; those with the same reference share a part of their biases. */
  add(track: SourceTrack): void {
    const related = [...this.#members].flatMap(([other, member]) =>
      other.reference !== 0 && other.reference === track.reference
        ? [{ slot: slotIn(member, member.base), variance: member.variance }]
        : []
    );
    const base = present(track.delays.shortestRoute, "A source in the belief was measured");
    const added = track.wanderedVariance + track.apartVariance;
    const bias = shareBias(track.biasVariance + added, related);
    this.#members.set(track, {
      slots: new Map([[base, this.#bank.addSource(bias)]]),
      base,
      isRebased: false,
      route: base,
      floor: track.delays.floorOf(base),
      variance: track.biasVariance,
      added,
      seenAt: undefined,
    });
  }

  /** Removes a source; what its samples showed of the clock stays. */
  remove(track: SourceTrack): void {
    const member = this.#members.get(track);
    if (member === undefined) return;
    for (const route of [...member.slots.keys()]) this.#removeRoute(member, route);
    this.#members.delete(track);
  }

  /**
   * Takes note of the route of a sample, and makes room for its bias when it is a new one; returns
   * whether it is another one than before.
   */
  take(track: SourceTrack, route: Route): boolean {
    const member = this.#member(track);
    const isOther = route !== member.route;
    if (isOther) {
      for (const other of [...member.slots.keys()]) {
        const isKept = other === route || other === member.base || track.delays.isKnown(other);
        if (!isKept) this.#removeRoute(member, other);
      }
      member.route = route;
    }
    if (!member.slots.has(route)) {
      const shares: number[] = [];
      shares[slotIn(member, member.base)] = 1;
      const ownVariance = track.detourVariance(route, member.base);
      member.slots.set(route, this.#bank.addSource({ shares, ownVariance }));
    }
    return isOther;
  }

  /**
   * Lets the bias of a source wander: that of the path by the time since the last sample of any
   * source, that of the server since its own.
   */
  wander(track: SourceTrack, { time, elapsed }: { time: Seconds; elapsed: Seconds }): void {
    const member = this.#member(track);
    const unseen = Math.max(0, time - (member.seenAt ?? time));
    member.seenAt = time;
    this.admitChange(track, track.biasWander * elapsed + track.serverWander * unseen);
  }

  /** Admits that the bias of a source's present route may have changed by so much. */
  admitChange(track: SourceTrack, variance: number): void {
    const member = this.#member(track);
    this.#bank.inflateBias(slotIn(member, member.route), variance);
    if (member.route === member.base) member.added += variance;
  }

  /**
   * Makes the present route of a source the base when it is shorter than all and that explains
   * better what both have shown beside the other sources.
   */
  chooseBase(track: SourceTrack): void {
    const member = this.#member(track);
    const { route, base } = member;
    if (route === base || route !== track.delays.shortestRoute) return;
    if (route.count < BASE_SAMPLES_MIN) return;
    const from = { slot: slotIn(member, base), variance: member.variance + member.added };
    const to = { slot: slotIn(member, route), variance: track.biasVariance };
    if (this.#bank.priorEvidence(from, to) < 0) return;
    this.#bank.changePrior(from, to);
    member.base = route;
    member.isRebased = true;
    member.floor = track.delays.floorOf(route);
    member.variance = to.variance;
    member.added = 0;
  }

  /**
   * Tells whether most sources have got a route that is shorter than all before: then what the
   * longer ones taught was believed too firmly, and there are no others that tell.
   */
  get areMostShorter(): boolean {
    let shorter = 0;
    for (const [track, { base }] of this.#members) {
      if (track.delays.shortestRoute !== base) shorter++;
    }
    return 2 * shorter > this.#members.size;
  }

  #removeRoute(member: Member, route: Route): void {
    const slot = slotIn(member, route);
    member.slots.delete(route);
    this.#bank.removeSource(slot);
    for (const { slots } of this.#members.values()) {
      for (const [other, at] of slots) if (at > slot) slots.set(other, at - 1);
    }
  }

  #member(track: SourceTrack): Member {
    return present(this.#members.get(track), "A sample belongs to a source of the bank");
  }
}

function slotIn({ slots }: Member, route: Route): number {
  return present(slots.get(route), "The base and the present route have a slot");
}
