/**
 * What is fuzzed, in one shape: octets come in, a target does something with them, and throws when
 * something does not hold.
 *
 * The idea: an input is octets in any case, so that one corpus, one way to change inputs and one
 * command to repeat a failure serve all targets. A decoder reads them as they are; a target with a
 * life of its own (an association, a server with its tables) reads them as choices of what happens
 * next. Besides changing what is known, every target can make inputs that are nearly right, because
 * noise rarely comes past the first test of a format. Limits: what is sent over a real network
 * comes from the input, when it arrives does not.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import type { RandomSource } from "../../src/base/random.ts";

/** One thing to be fuzzed. */
export interface FuzzTarget {
  /** The word for it, also of its folder in the corpus. */
  readonly name: string;
  /** What must hold beside that nothing is thrown. */
  readonly oracle: string;
  /** Whether what one input does depends on many steps; such targets are slower. */
  readonly isStateful?: boolean;
  /** Inputs to start from, as hexadecimal. */
  readonly seeds: readonly string[];
  /** Makes an input that is right, or nearly so. */
  readonly generate: (random: RandomSource) => Uint8Array;
  /** Takes an input; throws when something does not hold. */
  readonly run: (octets: Bytes) => void | Promise<void>;
  /** Gives back what `run` opened. */
  readonly close?: () => Promise<void>;
  /** How many inputs are tried in the tests, where seconds matter. */
  readonly budget: number;
}
