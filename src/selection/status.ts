/**
 * The words that say what became of a source in selection. They are part of the contract with the
 * user.
 *
 * @module
 */

/** Every word for what became of a source. */
export const STATUS_WORDS = [
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

/** What became of a source, in a word. */
export type StatusWord = typeof STATUS_WORDS[number];

/** What became of a source, and why. */
export interface SourceStatus {
  /** The word. */
  readonly status: StatusWord;
  /** The sentence, with the numbers that decided. */
  readonly reason: string;
}
