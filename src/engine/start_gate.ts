/**
 * Holds the first decision back until every configured source has had its chance.
 *
 * The first server that answers may be the wrong one, and believing it may step the clock onto a lie. So at the start, and
 * after the clock was changed by others, nothing is decided until each source has answered a few times or has missed as many
 * requests; but not for ever, since a name may never resolve.
 *
 * @module
 */
import type { MonotonicSeconds, Seconds } from "../base/units.ts";

/** A source has had its chance with so many samples ... */
const SAMPLES = 2;
/** ... or so many unanswered requests in a row. */
const MISSED = 3;
/** After this time the others go ahead. */
const PATIENCE: Seconds = 16;

/** How far a source has come. */
export interface SourceProgress {
  /** Since the gate was closed. */
  readonly samples: number;
  /** Requests in a row, the last ones. */
  readonly unanswered: number;
}

/** Opens once, until it is closed again. */
export class StartGate {
  #since: MonotonicSeconds;
  #open = false;

  /** Starts closed, and patience begins to run. */
  constructor(now: MonotonicSeconds) {
    this.#since = now;
  }

  /** Whether decisions may be made. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Looks whether decisions may be made; `wanted` is how many sources there should be. */
  check(
    sources: readonly SourceProgress[],
    context: { readonly wanted: number; readonly now: MonotonicSeconds },
  ): boolean {
    if (this.#open) return true;
    const ready = sources.filter(({ samples, unanswered }) =>
      samples >= SAMPLES || (samples === 0 && unanswered >= MISSED)
    );
    const all = ready.length >= Math.max(context.wanted, sources.length);
    const overdue = context.now - this.#since >= PATIENCE;
    this.#open = (all || overdue) && ready.some(({ samples }) => samples >= SAMPLES);
    return this.#open;
  }

  /** Closes the gate: what was known of the clock is void. */
  close(now: MonotonicSeconds): void {
    this.#open = false;
    this.#since = now;
  }
}
