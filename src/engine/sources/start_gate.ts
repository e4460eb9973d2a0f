/**
 * Holds the first decision back until every source that can still answer soon has had its chance.
 *
 * The first server that answers may be the wrong one, and believing it may step the clock onto a
 * lie. So at the start, and after the clock was changed by others, nothing is decided until each
 * source has answered a few times or has missed as many requests. The idea: what is waited for is
 * what is under way, a lookup, a key exchange or a request, and each of them only for as long as it
 * usually takes; a source that has failed, has no address, denies or is not asked again for a while
 * is not waited for. Once several others have answered, a name that is still being looked up, or
 * stands in the queue for that, is not either: a hundred names that hang must not delay three good
 * servers. Limits: a source that needs longer than that has no say in the first decision.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";

/** A source has had its chance with so many samples ... */
const SAMPLES = 2;
/** ... or so many unanswered requests in a row. */
const MISSED = 3;
/** A lookup or a key exchange that takes longer than this is not waited for ... */
const PREPARATION_PATIENCE: Seconds = 8;
/** ... and a lookup no longer than this when so many servers have had their chance. */
const LOOKUP_PATIENCE: Seconds = 2;
const SEVERAL = 3;
/** After this time the others go ahead, whatever is under way. */
const PATIENCE: Seconds = 16;

/** How far a server that is asked has come. */
export interface ServerProgress {
  /** Since the gate was closed. */
  readonly samples: number;
  /** Requests in a row, the last ones. */
  readonly unanswered: number;
  /** Whether the newest request failed, or the server denies service. */
  readonly hasFailed: boolean;
  /** When it is asked next. */
  readonly nextRequestAt: MonotonicSeconds;
}

/** A source that has no server yet, or fewer than wanted, looks a name up or exchanges keys. */
export interface Preparation {
  /** When that began. */
  readonly since: MonotonicSeconds;
  /** Whether the source can outvote others, so that their number is no reason to go ahead. */
  readonly canOutvote: boolean;
}

/** What the decision depends on. */
export interface StartProgress {
  /** All servers that are asked. */
  readonly servers: readonly ServerProgress[];
  /** What brings further servers, but for what has failed before. */
  readonly preparations: readonly Preparation[];
}

/** Opens once, until it is closed again. */
export class StartGate {
  /**
   * When the first source had answered; before that no source is waited for, since none may be able
   * to.
   */
  #since: MonotonicSeconds | undefined;
  #open = false;
  #nextCheckAt: MonotonicSeconds = Infinity;

  /** Whether decisions may be made. */
  get isOpen(): boolean {
    return this.#open;
  }

  /**
   * When `check` may find it open without any event; Infinity when only an event can open it, or
   * when it is open.
   */
  get nextCheckAt(): MonotonicSeconds {
    return this.#open ? Infinity : this.#nextCheckAt;
  }

  /** Looks whether decisions may be made; to be called when there is an answer. */
  check(progress: StartProgress, now: MonotonicSeconds): boolean {
    if (this.#open) return true;
    this.#since ??= now;
    const end = this.#since + PATIENCE;
    const ready = progress.servers.filter(({ samples }) => samples >= SAMPLES).length;
    const ends = [
      ...progress.servers.filter((server) => isAwaited(server, end)).map(() => end),
      ...progress.preparations.map((each) => Math.min(end, each.since + patience(each, ready))),
    ].filter((at) => at > now);
    this.#open = ready > 0 && ends.length === 0;
    this.#nextCheckAt = ready > 0 ? Math.max(...ends) : Infinity;
    assert(this.#open || this.#nextCheckAt > now, "A closed gate is looked at again later");
    return this.#open;
  }

  /** Closes the gate: what was known of the clock is void. */
  close(): void {
    this.#open = false;
    this.#since = undefined;
    this.#nextCheckAt = Infinity;
  }
}

/** For how long a source is given time to find a server while so many others are ready. */
function patience({ canOutvote }: Preparation, ready: number): Seconds {
  return ready >= SEVERAL && !canOutvote ? LOOKUP_PATIENCE : PREPARATION_PATIENCE;
}

/** Tells whether a server may still bring a sample that is worth waiting for. */
function isAwaited(server: ServerProgress, end: MonotonicSeconds): boolean {
  return server.samples < SAMPLES && server.unanswered < MISSED && !server.hasFailed &&
    (server.nextRequestAt < end || server.unanswered > 0);
}
