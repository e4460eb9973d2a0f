/**
 * Starting with a clock that may be wrong: certificates need the time, and the time needs
 * certificates (RFC 8915 section 8.5).
 *
 * The idea: until the clock is believed, a certificate whose only fault is that our clock is
 * outside its dates is accepted provisionally. The time of such sources is measured and used for
 * nothing else. When enough independent sources agree, and their common time lies inside the
 * validity of each one's certificates, that time is confirmed; the caller verifies the chains again
 * at that time, in full, before the state becomes synchronised. Sources whose certificates are not
 * valid at that time are refused.
 *
 * Why this is safe. A certificate that has expired is worth nothing to an attacker without its
 * private key. An attacker who stole the keys of one server, or found them in an old backup, can
 * answer for that server alone: the name, the issuer and the signature are checked as ever. To make
 * us believe a wrong time takes so many stolen keys of different servers that they are the
 * quorum and the majority of all that answer, each with a certificate valid at that same wrong
 * time, and a place on the path to each of them. The time must also not lie before a bound that
 * is known to have passed: the time at which this program was built, and one kept on disk, hours
 * before the last time at which the clock was synchronised. So no certificate that ended before the
 * machine was last in order can ever be used, and time can be set back no further than that.
 * Sessions that were resumed with saved cookies need no certificate at all; they vote like others,
 * since their keys come from an exchange that was verified, and whose public key that was is saved
 * with them.
 *
 * What is left: a machine that was never synchronised has only the build time as its bound; and the
 * quorum is as good as the independence of the configured servers. Sources with one host or one
 * public key have one vote together, however many certificates there are for it. `strict` switches
 * all of this off. A clock that is kept (the kernel does not report TIME_ERROR) and that is not
 * more than a day beyond the bound on disk is believed from the start.
 *
 * Limits: the caller forgets those it gives up.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { Seconds, UnixSeconds } from "../../base/units.ts";
import type { CertificateDatePolicy } from "../../nts/key_exchange/date_policy.ts";
import { countParties } from "./parties.ts";

/** What a source rests on. */
export interface BootstrapSource {
  /** The host of the key exchange, in one spelling; sources of one host have one vote. */
  readonly host: string;
  /** What tells its public key from others; left out where that is not known. */
  readonly key?: string | undefined;
  /** From when to when the whole chain is valid; undefined when resumed. */
  readonly certificate: {
    readonly notBefore: UnixSeconds;
    readonly notAfter: UnixSeconds;
  } | undefined;
}

/**
 * A measurement: how far ahead of the local clock the source is, and the most by which that may be
 * wrong.
 */
export interface BootstrapMeasurement {
  /** Positive when the source is ahead. */
  readonly offset: Seconds;
  /** Half the length of the interval of correctness; not negative. */
  readonly error: Seconds;
}

/** Why a source has no say. */
export type BootstrapRejection =
  | "outside-own-certificate"
  | "before-lower-bound"
  | "disagrees-with-the-quorum";

/** How far the matter is. */
export type QuorumOutcome =
  | {
    /** The clock is believed, or strictness asks for it to be treated so. */
    readonly kind: "not-needed";
  }
  | {
    /** Too few sources agree. */
    readonly kind: "provisional";
    readonly agreeing: number;
    readonly needed: number;
    readonly refused: ReadonlyMap<number, BootstrapRejection>;
  }
  | {
    /**
     * So many agree that their time counts: verify the chains of `sources` at the new time, then
     * call `confirm`.
     */
    readonly kind: "agreed";
    /** Add this to the local clock. */
    readonly offset: Seconds;
    readonly sources: readonly number[];
    readonly refused: ReadonlyMap<number, BootstrapRejection>;
  };

/** What is known at the start. */
export interface BootstrapOptions {
  /** Whether the dates of certificates are always believed. */
  readonly strict: boolean;
  /** Whether the clock can be believed. */
  readonly clockIsTrusted: boolean;
  /** How many independent sources must agree, at least 1. */
  readonly quorum: number;
  /** Times that have certainly passed: that of the build, that kept on disk. */
  readonly lowerBounds: readonly UnixSeconds[];
}

/**
 * Times that differ by no more than this, and what they may be wrong by, are the same where dates
 * are judged.
 */
const SAME_TIME: Seconds = 60;

interface Member {
  readonly id: number;
  readonly source: BootstrapSource;
  measurement: BootstrapMeasurement | undefined;
}

/** Decides when a time that rests on provisional certificates is good enough to be used. */
export class TimeBootstrap {
  #quorum: number;
  readonly #members = new Map<number, Member>();
  readonly #isStrict: boolean;
  #needed: boolean;
  #lowerBound: UnixSeconds;

  /** Starts; nothing is needed of it when strict, or when the clock is trusted. */
  constructor(options: BootstrapOptions) {
    this.#quorum = options.quorum;
    this.setQuorum(options.quorum);
    this.#isStrict = options.strict;
    this.#needed = !options.strict && !options.clockIsTrusted;
    this.#lowerBound = Math.max(0, ...options.lowerBounds);
  }

  /** Takes over how many independent sources must agree, at least 1. */
  setQuorum(quorum: number): void {
    assert(quorum >= 1, "At least one source must agree");
    this.#quorum = quorum;
  }

  /** Whether certificates are accepted provisionally now. */
  get isProvisional(): boolean {
    return this.#needed;
  }

  /** The latest time that has certainly passed. */
  get lowerBound(): UnixSeconds {
    return this.#lowerBound;
  }

  /** Tells how the dates of certificates are to be judged in a key exchange that starts now. */
  datePolicy(now: UnixSeconds): CertificateDatePolicy {
    const outside = this.#needed ? "accept-provisionally" : "refuse";
    return { now, outside, lowerBound: this.#lowerBound };
  }

  /**
   * Takes a source after its key exchange, or its resumption, whether its certificate was
   * provisional or not.
   */
  add(id: number, source: BootstrapSource): void {
    this.#members.set(id, { id, source, measurement: undefined });
  }

  /** Takes the newest authentic measurement of a source. */
  measured(id: number, measurement: BootstrapMeasurement): void {
    assert(measurement.error >= 0, "An error bound is not negative");
    const member = this.#members.get(id);
    if (member !== undefined) member.measurement = measurement;
  }

  /** Forgets a source. */
  remove(id: number): void {
    this.#members.delete(id);
  }

  /**
   * Looks for a quorum in what is known; `now` is the local clock, by which all offsets are told
   * (RFC 8915 section 8.5).
   */
  findQuorum(now: UnixSeconds): QuorumOutcome {
    if (!this.#needed) return { kind: "not-needed" };
    const { consistent, refused } = this.#votes(now);
    const best = largestAgreement(consistent, (offset) => this.#isPossible(now + offset));
    const agreeing = best === undefined ? 0 : votesOf(best.votes);
    const majority = 2 * agreeing > votesOf(consistent);
    if (best === undefined || agreeing < this.#quorum || !majority) {
      const needed = Math.max(this.#quorum, Math.floor(votesOf(consistent) / 2) + 1);
      return { kind: "provisional", agreeing, needed, refused };
    }
    const offset = (best.low + best.high) / 2;
    const sources: number[] = [];
    for (const vote of consistent) {
      if (!best.votes.includes(vote)) refused.set(vote.id, "disagrees-with-the-quorum");
      else if (isValidAt(vote.source, now + offset)) sources.push(vote.id);
      else refused.set(vote.id, "outside-own-certificate");
    }
    if (votesOf(consistent.filter((vote) => sources.includes(vote.id))) < this.#quorum) {
      return { kind: "provisional", agreeing, needed: this.#quorum, refused };
    }
    return { kind: "agreed", offset, sources, refused };
  }

  /**
   * Ends the provisional time: the chains of a quorum were verified again at the new time, or the
   * time was found otherwise. From now on dates are believed. A time that has just been found
   * bounds nothing yet.
   */
  confirm(): void {
    assert(this.#needed, "Only a provisional time is confirmed");
    this.#needed = false;
    this.#members.clear();
  }

  /**
   * Begins again, unless strictness forbids it: dates are not believed any more until a quorum
   * confirms a time.
   */
  reopen(): void {
    this.#needed = !this.#isStrict;
  }

  /** Raises the bound: so late it certainly is. Save `lowerBound` from time to time. */
  passed(time: UnixSeconds): void {
    assert(!this.#needed, "A provisional time bounds nothing");
    this.#lowerBound = Math.max(this.#lowerBound, Math.floor(time));
  }

  /** Takes the votes of all that are measured, and tells apart those that contradict themselves. */
  #votes(now: UnixSeconds) {
    const refused = new Map<number, BootstrapRejection>();
    const consistent: Vote[] = [];
    for (const member of this.#members.values()) {
      if (member.measurement === undefined) continue;
      const vote = { ...member, ...intervalOf(member.measurement) };
      const rejection = this.#inconsistency(vote, now);
      if (rejection === undefined) consistent.push(vote);
      else refused.set(member.id, rejection);
    }
    return { consistent, refused };
  }

  #inconsistency(vote: Vote, now: UnixSeconds): BootstrapRejection | undefined {
    if (!this.#isPossible(now + vote.high)) return "before-lower-bound";
    const { certificate } = vote.source;
    if (certificate === undefined) return undefined;
    const outside = now + vote.high < certificate.notBefore ||
      now + vote.low > certificate.notAfter;
    return outside ? "outside-own-certificate" : undefined;
  }

  #isPossible(time: UnixSeconds): boolean {
    return time >= this.#lowerBound;
  }
}

/** Finds the sources that tell another time than the one that is `offset` ahead of the clock. */
export function disagreeing(
  evidence: ReadonlyMap<number, BootstrapMeasurement>,
  offset: Seconds,
): ReadonlyMap<number, BootstrapRejection> {
  const others = [...evidence].filter(([, told]) =>
    !(Math.abs(told.offset - offset) <= told.error + SAME_TIME)
  );
  return new Map(others.map(([id]) => [id, "disagrees-with-the-quorum"]));
}

interface Vote extends Member {
  readonly low: Seconds;
  readonly high: Seconds;
}

interface Agreement {
  readonly low: Seconds;
  readonly high: Seconds;
  readonly votes: readonly Vote[];
}

function intervalOf(measurement: BootstrapMeasurement): { low: Seconds; high: Seconds } {
  const { offset, error } = measurement;
  return { low: offset - error, high: offset + error };
}

function isValidAt(source: BootstrapSource, time: UnixSeconds): boolean {
  const { certificate } = source;
  return certificate === undefined ||
    time >= certificate.notBefore && time <= certificate.notAfter;
}

function votesOf(votes: readonly Vote[]): number {
  return countParties(
    votes.map(({ source: { host, key } }) => ({ host, key })),
  );
}

/**
 * Finds the point that lies in the intervals of the most independent sources, and what they have in
 * common.
 */
function largestAgreement(
  votes: readonly Vote[],
  isPossible: (offset: Seconds) => boolean,
): Agreement | undefined {
  let best: Agreement | undefined;
  for (const { low } of votes) {
    const together = votes.filter((vote) => vote.low <= low && low <= vote.high);
    const high = Math.min(...together.map((vote) => vote.high));
    if (!isPossible((low + high) / 2)) continue;
    const count = best === undefined ? 0 : votesOf(best.votes);
    if (votesOf(together) > count) best = { low, high, votes: together };
  }
  return best;
}
