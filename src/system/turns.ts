/**
 * Turns for work that strangers cause: so much in a row, then everything else runs.
 *
 * The problem: the runtime hands over all that is ready at once. When hundreds of connections come,
 * speak and fail in one moment, they are accepted and served one after the other without a pause,
 * and a client that asks for the time waits until the last is done. The idea: such work is done in
 * pieces, which are given to one place. As long as few were done in a row and took less than the
 * budget the next is done at once; else it waits for a pause, which is a timer, because the runtime
 * looks at its sockets and threads when it is about to sleep. What has waited comes before what has
 * not.
 *
 * Limits: a piece is not interrupted, so a pause comes late by the longest of them. All pieces
 * together get some two thirds of the thread.
 *
 * @module
 */

/** What the turns go by. */
export interface TurnOptions {
  /** How long work in a row may last, in milliseconds. */
  readonly budgetMs?: number;
  /** How many pieces there may be in a row. */
  readonly pieces?: number;
  /** Tells the time, in milliseconds of any clock that does not go back. */
  readonly now?: () => number;
  /** Calls back when everything else has run. */
  readonly pause?: (resume: () => void) => void;
}

/** A few handshakes. */
const BUDGET_MS = 2;
/**
 * The budget does not see what a piece leaves behind (closing, calls that wait and fail), a tenth
 * of a millisecond and more.
 */
const PIECES = 16;

/** Shares a thread between pieces of work and everything else. */
export class Turns {
  readonly #budgetMs: number;
  readonly #pieces: number;
  readonly #now: () => number;
  readonly #pause: (resume: () => void) => void;
  /** From the first piece after a pause to the next pause, at which `over` resolves. */
  #row: { readonly since: number; pieces: number; readonly over: Promise<void> } | undefined;

  /** Makes turns, by the clock and the timers of the runtime unless others are given. */
  constructor(options: TurnOptions = {}) {
    this.#budgetMs = options.budgetMs ?? BUDGET_MS;
    this.#pieces = options.pieces ?? PIECES;
    this.#now = options.now ?? (() => performance.now());
    this.#pause = options.pause ?? ((resume) => void setTimeout(resume, 0));
  }

  /** Does a piece of work, at once or when it is its turn, and returns what it returned. */
  async do<Value>(work: () => Value): Promise<Value> {
    for (;;) {
      const row = this.#row ??= this.#begin();
      const isOver = row.pieces >= this.#pieces || this.#now() - row.since >= this.#budgetMs;
      if (isOver) await row.over;
      else {
        row.pieces++;
        return work();
      }
    }
  }

  /** Waits for the pause that is due, if any, so that nothing of the turns is left. */
  async rest(): Promise<void> {
    await this.#row?.over;
  }

  #begin() {
    const over = Promise.withResolvers<void>();
    this.#pause(() => {
      this.#row = undefined;
      over.resolve();
    });
    return { since: this.#now(), pieces: 0, over: over.promise };
  }
}

/** The turns of all connections from outside, on whatever listener. */
export const connectionTurns: Turns = new Turns();
