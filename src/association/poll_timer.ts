/**
 * When an association asks next.
 *
 * The problem: many clients that ask by the same rhythm hit a server at once, and a rhythm that can
 * be foretold helps an attacker who wants to forge a response; yet a server must never be asked
 * more often than agreed. The idea: every interval is 2^poll seconds and up to 3.5 percent longer,
 * by chance; the first one after a burst or at a longer interval is drawn from a whole period, so
 * that a fleet that starts at one moment is spread evenly. At the start and when the engine has
 * lost its footing a burst of eight requests with growing gaps brings a first offset at once and a
 * first frequency soon. Limits: who decides on the poll interval is the discipline; here it is kept
 * between the configured limits and above what a server has demanded by a RATE kiss lately.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { type RandomSource, uniform } from "../base/random.ts";
import type { MonotonicSeconds, PollExponent, Seconds } from "../base/units.ts";
import type { PollLimits } from "./config.ts";

/** The gaps between the eight requests of a burst. */
const BURST_GAPS: readonly Seconds[] = [2, 2, 2, 4, 8, 16, 32];

/**
 * No RATE kiss raises the poll exponent above this, or an observer of a request could silence us
 * (17 minutes).
 */
const RATE_POLL_MAX: PollExponent = 10;

/**
 * So many responses in a row without another RATE kiss, and the server is asked a step more often
 * again.
 */
const RELENT_RESPONSES = 8;

/** How much longer than 2^poll an interval may be by chance. */
const INTERVAL_SPREAD = 0.035;

/** The first requests of all sources are spread over this time. */
const START_SPREAD: Seconds = 0.1;

/** Two requests to one server are never closer, save across a restart. */
const GAP_MIN: Seconds = 2;

/**
 * Bursts are this many shortest poll intervals apart, and never closer than `BURST_INTERVAL_MIN`.
 */
const BURST_INTERVAL_POLLS = 4;
const BURST_INTERVAL_MIN: Seconds = 64;

/**
 * After a lost request the next one is not a long interval away: this exponent, if the limits and
 * the server allow.
 */
const RETRY_POLL: PollExponent = 6;

/** So many requests in a row may be lost by chance; after each more one waits twice as long. */
const QUICK_RETRIES = 3;

/**
 * A request that has not left the machine costs no server anything, and the next one may: it is so
 * far away at most.
 */
const LOCAL_RETRY: Seconds = 15;

/**
 * However often the network changes, a server that requests have left for is asked no sooner than
 * so.
 */
const AGAIN_GAP: Seconds = 16;

/**
 * The first request after the network has changed may be lost (a port of a switch forwards nothing
 * for half a minute), or refused because the keys are of the past: so long after it, and after the
 * next ones in vain, another one is due, however long the interval has become.
 */
const AGAIN_RETRY_GAPS: readonly Seconds[] = [AGAIN_GAP, 32, 64];

/** When the network is there again, a fleet spreads its requests over this time. */
export const RETURN_SPREAD: Seconds = 5;

/** The rhythm of one association. */
export class PollTimer {
  readonly #random: RandomSource;
  #limits: PollLimits;
  #wanted: PollExponent;
  /** The least that a server has demanded; undefined when it has not. */
  #demanded: PollExponent | undefined = undefined;
  #responsesSinceDemand = 0;
  #due: MonotonicSeconds = Infinity;
  #sentAt: MonotonicSeconds = -Infinity;
  /** What chance adds to the running interval, as a factor. */
  #stretch = 1;
  /** Whether the interval after the last burst was drawn from a whole period. */
  #hasPhase = true;
  #burstGapsLeft = 0;
  #burstAt: MonotonicSeconds = -Infinity;
  #againRetriesLeft = 0;

  /** Makes a timer by which nothing is due until it is started. */
  constructor(options: {
    readonly limits: PollLimits;
    readonly initial: PollExponent;
    readonly random: RandomSource;
  }) {
    assert(options.limits.min <= options.limits.max, "The poll limits are in order");
    this.#limits = options.limits;
    this.#random = options.random;
    this.#wanted = this.#clamp(options.initial);
  }

  /** When to ask; Infinity when stopped. */
  get due(): MonotonicSeconds {
    return this.#due;
  }

  /** The poll exponent in force. */
  get poll(): PollExponent {
    return Math.max(this.#wanted, this.#demanded ?? -Infinity);
  }

  /** Whether requests of a burst are still to come. */
  get inBurst(): boolean {
    return this.#burstGapsLeft > 0;
  }

  /** Whether a burst is running of which requests were sent already. */
  get isBurstUnderWay(): boolean {
    return this.inBurst && this.#burstGapsLeft < BURST_GAPS.length;
  }

  /** Makes the first request due, spread a little by chance; the first of a burst if so wanted. */
  start(now: MonotonicSeconds, burst: boolean): void {
    this.#due = now + START_SPREAD * uniform(this.#random);
    if (burst) this.#beginBurst(now);
  }

  /** Nothing is due any more. */
  stop(): void {
    this.#due = Infinity;
    this.#burstGapsLeft = 0;
  }

  /** A request was sent: the next one is due a gap or an interval later. */
  noteSent(now: MonotonicSeconds): void {
    assert(now >= this.#sentAt, "Requests are sent in order");
    this.#sentAt = now;
    this.#stretch = 1 + INTERVAL_SPREAD * uniform(this.#random);
    const gap = BURST_GAPS[BURST_GAPS.length - this.#burstGapsLeft];
    if (gap === undefined) {
      if (!this.#hasPhase) this.#drawPhase();
      this.#due = now + this.#interval();
    } else {
      this.#hasPhase = false;
      this.#burstGapsLeft--;
      this.#due = now + Math.min(gap * this.#stretch, this.#interval());
    }
    assert(this.#due > now, "The next request is later than this one");
  }

  /**
   * Takes the interval that the discipline wants; it holds for the running interval too, save in a
   * burst.
   */
  setPoll(exponent: PollExponent): void {
    const before = this.poll;
    this.#wanted = this.#clamp(exponent);
    if (this.poll > before) this.#drawPhase();
    this.#reschedule();
  }

  /** Takes other limits, because the configuration has changed. */
  setLimits(limits: PollLimits): void {
    assert(limits.min <= limits.max, "The poll limits are in order");
    this.#limits = limits;
    this.setPoll(this.#wanted);
  }

  /**
   * A RATE kiss came: asks less often from now on, up to `RATE_POLL_MAX` (RFC 5905 section 7.4).
   */
  slowDown(packetPoll: number): void {
    const raised = Math.max(this.poll + 1, packetPoll);
    this.#demanded = Math.max(this.#demanded ?? 0, Math.min(RATE_POLL_MAX, raised));
    this.#responsesSinceDemand = 0;
    this.endBurst();
    this.#reschedule();
  }

  /**
   * A proper response came. A demand is eased step by step while nothing but responses come, since
   * the kiss may have been forged by an observer of an earlier request, or drawn by requests in our
   * name; a server that means it says so again.
   */
  noteResponse(): void {
    this.#againRetriesLeft = 0;
    if (this.#demanded === undefined || ++this.#responsesSinceDemand < RELENT_RESPONSES) return;
    this.#responsesSinceDemand = 0;
    this.#demanded = this.#demanded > this.#limits.min ? this.#demanded - 1 : undefined;
  }

  /**
   * Begins a burst unless one is running or was begun a short while ago; tells whether it did. What
   * befalls a whole fleet, such as a resume, is spread over some seconds.
   */
  requestBurst(now: MonotonicSeconds, begin: "at-once" | "spread" = "at-once"): boolean {
    const apart = Math.max(BURST_INTERVAL_MIN, BURST_INTERVAL_POLLS * 2 ** this.#limits.min);
    if (this.#due === Infinity || this.inBurst || now - this.#burstAt < apart) return false;
    this.#beginBurst(now);
    this.requestSoon(begin === "at-once" ? now : now + RETURN_SPREAD * uniform(this.#random));
    return true;
  }

  /**
   * A request brought no response, the last of so many in a row: the next one is due soon, so that
   * one loss is no long silence and a death shows early.
   */
  retrySoon(unanswered: number): void {
    if (this.#due === Infinity || this.inBurst) return;
    const soon = RETRY_POLL + Math.max(0, unanswered - QUICK_RETRIES);
    const poll = Math.max(this.#limits.min, Math.min(soon, this.poll), this.#demanded ?? 0);
    this.#due = Math.min(this.#due, this.#sentAt + 2 ** poll * Math.max(1, this.#stretch));
  }

  /**
   * A request has not left the machine: the next one is due soon, since waiting spares no server.
   */
  retryLocally(now: MonotonicSeconds): void {
    if (this.#due === Infinity) return;
    this.#due = Math.min(this.#due, now + LOCAL_RETRY * this.#stretch);
  }

  /**
   * Makes the next request due within seconds because there may be a way to the server now, but not
   * at once after one that has left.
   */
  askAgain(now: MonotonicSeconds, newest: "has-left" | "has-not-left"): void {
    if (this.#due === Infinity || (this.inBurst && !this.isBurstUnderWay)) return;
    this.#againRetriesLeft = AGAIN_RETRY_GAPS.length;
    const polite = this.#demanded === undefined ? AGAIN_GAP : 2 ** this.#demanded;
    const soon = now + RETURN_SPREAD * uniform(this.#random);
    const apart = newest === "has-left" ? polite : GAP_MIN;
    this.#due = Math.min(this.#due, Math.max(soon, this.#sentAt + apart));
  }

  /**
   * A request brought no response: if it was one of the first since `askAgain`, the next one is due
   * soon.
   */
  retryAgain(): void {
    const gap = AGAIN_RETRY_GAPS[AGAIN_RETRY_GAPS.length - this.#againRetriesLeft];
    if (gap === undefined || this.#due === Infinity || this.inBurst) return;
    this.#againRetriesLeft--;
    const polite = this.#demanded === undefined ? gap : Math.max(gap, 2 ** this.#demanded);
    this.#due = Math.min(this.#due, this.#sentAt + polite * Math.max(1, this.#stretch));
  }

  /** Makes the next request due at a time, or earlier. */
  requestBy(at: MonotonicSeconds): void {
    if (this.#due !== Infinity) {
      this.#due = Math.min(this.#due, Math.max(at, this.#sentAt + GAP_MIN));
    }
  }

  /** The rest of the burst is left out. */
  endBurst(): void {
    if (!this.inBurst) return;
    this.#burstGapsLeft = 0;
    this.#reschedule();
  }

  /** A burst without a response is left out, and does not stand in the way of the next one. */
  abandonBurst(): void {
    if (!this.inBurst) return;
    this.endBurst();
    this.#burstAt = -Infinity;
    this.retryAgain();
  }

  /** Makes the next request due as soon as manners allow. */
  requestSoon(now: MonotonicSeconds): void {
    if (this.#due === Infinity) return;
    this.#due = Math.min(this.#due, Math.max(now, this.#sentAt + GAP_MIN));
  }

  /**
   * Draws the running interval from a whole period, so that hosts that began together come at any
   * moment of it from then on: after a burst, and whenever a longer period leaves a part of itself
   * empty.
   */
  #drawPhase(): void {
    this.#hasPhase = true;
    this.#stretch = this.#stretchMin + uniform(this.#random);
  }

  #beginBurst(now: MonotonicSeconds): void {
    assert(!this.inBurst, "One burst runs at a time");
    this.#burstGapsLeft = BURST_GAPS.length;
    this.#burstAt = now;
  }

  #reschedule(): void {
    if (this.#due === Infinity || this.#sentAt === -Infinity || this.inBurst) return;
    this.#due = this.#sentAt + this.#interval();
  }

  /** Half an interval is long enough where the server may be asked twice as often. */
  get #stretchMin(): number {
    return this.#demanded === undefined && this.poll > this.#limits.min ? 0.5 : 1;
  }

  #interval(): Seconds {
    return 2 ** this.poll * Math.max(this.#stretchMin, this.#stretch);
  }

  #clamp(exponent: PollExponent): PollExponent {
    assert(Number.isFinite(exponent), "A poll exponent is a number");
    return Math.max(this.#limits.min, Math.min(this.#limits.max, Math.round(exponent)));
  }
}
