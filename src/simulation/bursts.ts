/**
 * Queues that last: spells of congestion on one direction of a path.
 *
 * The problem: draws that are independent of each other say nothing about packets that leave while
 * one and the same queue stands. The idea: a path is calm or congested, by turns, for times that
 * are drawn from exponential distributions; all packets of a spell meet a longer queue. Limits: two
 * states only; a spell does not fade in or out.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { Draws } from "./draws.ts";

/** What spells of congestion are like. */
export interface BurstModel {
  /** What the jitter is multiplied by during a spell. */
  readonly factor: number;
  /** How long a spell lasts on the average. */
  readonly length: Seconds;
  /** The mean time between two spells. */
  readonly gap: Seconds;
}

/** The spells of one direction of one path. Time only goes forward. */
export class Bursts {
  readonly #draws: Draws;
  #isCongested = false;
  /** When the present state ends. */
  #until: Seconds = 0;

  /** Starts with calm; the end of it is drawn when it is first asked for. */
  constructor(draws: Draws) {
    this.#draws = draws;
  }

  /** Returns what the jitter is multiplied by at `time`; 1 for a path without spells. */
  factorAt(model: BurstModel | undefined, time: Seconds): number {
    if (model === undefined) return 1;
    if (this.#until === 0) this.#until = this.#draws.exponential(model.gap);
    while (this.#until <= time) {
      this.#isCongested = !this.#isCongested;
      this.#until += this.#draws.exponential(this.#isCongested ? model.length : model.gap);
    }
    return this.#isCongested ? model.factor : 1;
  }
}
