/**
 * The words that say what became of a source in selection. They are part of the contract with the user.
 *
 * @module
 */

/** Every word for what became of a source. */
export const SOURCE_STATUSES = [
  "selected",
  "combined",
  "candidate",
  "outlier",
  "falseticker",
  "jittery",
  "unreachable",
  "unsynchronized",
  "distant",
  "loop",
  "no-select",
  "kissed",
  "starting",
] as const;

/** What became of a source. */
export type SourceStatus = typeof SOURCE_STATUSES[number];

/** A status, and the sentence with the numbers that decided. */
export interface Verdict {
  /** The word. */
  readonly status: SourceStatus;
  /** The sentence, with the numbers that decided. */
  readonly reason: string;
}
