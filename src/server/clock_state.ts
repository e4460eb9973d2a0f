/**
 * What the server says of its clock: a snapshot of the engine's state, kept as the words of a
 * header.
 *
 * The idea: what is the same in every response is computed once for each batch; only the root
 * dispersion grows with time (RFC 5905 section 11.2).
 *
 * @module
 */
import { type NtpTimestamp, ZERO_TIMESTAMP } from "../base/ntp_timestamp.ts";
import type { MonotonicSeconds, PollExponent, Seconds } from "../base/units.ts";
import { STRATUM_MAX } from "../protocol/header.ts";
import { LEAP } from "../protocol/leap_indicator.ts";
import { referenceIdFromAscii } from "../protocol/reference_id.ts";
import { encodeShort } from "../protocol/short_format.ts";

/** What is known of the clock that is served. */
export interface ServerClockState {
  /** 0 none, 1 insert, 2 delete, 3 unsynchronised; see `LEAP`. */
  readonly leapIndicator: number;
  /** 1 to 15; 16 when unsynchronised. */
  readonly stratum: number;
  /** The precision of the clock as an exponent of two seconds, -32 to 0. */
  readonly precision: PollExponent;
  /** The round trip to the primary source by way of all servers in between; not negative. */
  readonly rootDelay: Seconds;
  /** The root dispersion at `updatedAt`. */
  readonly rootDispersion: Seconds;
  /**
   * Seconds by which the root dispersion grows in a second while nothing is heard; 0 for a clock
   * that is true by definition.
   */
  readonly dispersionRate: number;
  /** 32 bits, see `reference_id.ts`. */
  readonly referenceId: number;
  /** When the clock was last set. */
  readonly referenceTimestamp: NtpTimestamp;
  /** The boot time for which all this holds. */
  readonly updatedAt: MonotonicSeconds;
}

/** Returns the state of a clock without a source: leap indicator 3, no stratum, code INIT. */
export function unsynchronizedClock(precision: PollExponent): ServerClockState {
  return {
    leapIndicator: LEAP.unknown,
    stratum: STRATUM_MAX,
    precision,
    rootDelay: 0,
    rootDispersion: 0,
    dispersionRate: 0,
    referenceId: referenceIdFromAscii("INIT"),
    referenceTimestamp: ZERO_TIMESTAMP,
    updatedAt: 0,
  };
}

/**
 * Returns the state of a clock that is true by definition, for an isolated network
 * (`local-stratum`, `reference-id`). The caller renews it now and then, because its reference
 * timestamp tells how fresh it is.
 */
export function localReferenceClock(
  options: {
    readonly stratum: number;
    readonly referenceId: number;
    readonly precision: PollExponent;
    readonly realtime: NtpTimestamp;
    readonly now: MonotonicSeconds;
  },
): ServerClockState {
  return {
    leapIndicator: LEAP.none,
    stratum: options.stratum,
    precision: options.precision,
    rootDelay: 0,
    rootDispersion: 0,
    dispersionRate: 0,
    referenceId: options.referenceId,
    referenceTimestamp: options.realtime,
    updatedAt: options.now,
  };
}

/** The words of a header that are the same in all responses of a batch. */
export class HeaderTemplate {
  /** Leap indicator, stratum and precision in their places; version, mode and poll are zero. */
  head = 0;
  /** Root delay in the short format. */
  rootDelay = 0;
  /** Root dispersion in the short format, as of the last `age`. */
  rootDispersion = 0;
  /** The reference identifier. */
  referenceId = 0;
  /** The seconds of the reference timestamp. */
  referenceSeconds = 0;
  /** Its fraction. */
  referenceFraction = 0;
  #state: ServerClockState;

  /** Starts with a state. */
  constructor(state: ServerClockState) {
    this.#state = state;
    this.setState(state);
  }

  /** The state that is served. */
  get state(): ServerClockState {
    return this.#state;
  }

  /**
   * Replaces the state; tells whether it is one that can be served. One that makes no sense is not:
   * what is said then is that the clock is not synchronised. A stratum of 16 is 0 on the wire (RFC
   * 5905 section 7.3).
   */
  setState(wanted: ServerClockState): boolean {
    const makesSense = isPlausible(wanted);
    const state = makesSense ? wanted : unsynchronizedClock(this.#state.precision);
    this.#state = state;
    const stratum = state.stratum === STRATUM_MAX ? 0 : state.stratum;
    this.head = (state.leapIndicator << 30) | (stratum << 16) | (state.precision & 0xff);
    this.rootDelay = encodeShort(state.rootDelay);
    this.rootDispersion = encodeShort(state.rootDispersion);
    this.referenceId = state.referenceId;
    this.referenceSeconds = Number(state.referenceTimestamp >> 32n);
    this.referenceFraction = Number(state.referenceTimestamp & 0xffff_ffffn);
    return makesSense;
  }

  /** Brings the root dispersion up to the boot time `now`; once for each batch. */
  age(now: MonotonicSeconds): void {
    const { rootDispersion, dispersionRate, updatedAt } = this.#state;
    const elapsed = Math.max(0, now - updatedAt);
    this.rootDispersion = encodeShort(rootDispersion + dispersionRate * elapsed);
  }
}

/** Whether a state is one that a header can carry and that a client may believe. */
function isPlausible(state: ServerClockState): boolean {
  const { stratum, leapIndicator, precision, rootDelay, rootDispersion, dispersionRate } = state;
  if (!Number.isInteger(stratum) || stratum < 1 || stratum > STRATUM_MAX) return false;
  if (!Number.isInteger(leapIndicator) || leapIndicator < 0 || leapIndicator > 3) return false;
  if (stratum === STRATUM_MAX && leapIndicator !== LEAP.unknown) return false;
  const isPrecise = Number.isInteger(precision) && precision >= -32 && precision <= 0;
  const errors = [rootDelay, rootDispersion, dispersionRate];
  return isPrecise && Number.isFinite(state.updatedAt) &&
    errors.every((error) => Number.isFinite(error) && error >= 0);
}
