/**
 * What the scripts of all shells are made of.
 *
 * @module
 */
import type { Option } from "../command.ts";

/** What a shell proposes: files, or some words; nothing if there are none. */
export type Proposals = "files" | readonly string[];

/** A command as a shell completes it. */
export interface Completed {
  /** Its name. */
  readonly name: string;
  /** One line for shells that show it. */
  readonly summary: string;
  /** What is proposed for its operands. */
  readonly proposals: Proposals;
  /** Its options by their long names, those of every command among them. */
  readonly options: readonly (readonly [name: string, option: Option])[];
}

/** Returns the forms in which an option is written: `-c`, `--config`. */
export function formsOf(name: string, { short }: Option): readonly string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}

/**
 * Returns what is proposed where one of `words` is wanted, or else what the line of usage shows:
 * `FILE`, `SCENARIO.toml`.
 */
export function proposalsFor(words: readonly string[] | undefined, usage = ""): Proposals {
  if (words !== undefined) return words;
  return /FILE|\.toml/.test(usage) ? "files" : [];
}
