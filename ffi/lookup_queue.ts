/**
 * The line in which names wait to be looked up.
 *
 * The problem: a look-up cannot be cancelled and may hang for half a minute, and only so many can
 * run at once. The idea: who was answered quickly the last time goes first and may use every place,
 * a name that is new leaves one place free, and one that was slow leaves three, so that silent
 * names never keep out those that are known to be answered; within a kind the order is that of
 * asking. Names of one domain are mostly silent together, so new ones of it leave half of the
 * places to others. A name that is asked for twice at a time is looked up once. Limits: at the
 * first round a good name waits behind silent ones of its own domain, or of several others, that
 * were asked for before it.
 *
 * @module
 */

/** A name that took longer is slow. */
const SLOW_MILLISECONDS = 3000;
/** For how many names it is remembered how long they took. */
const REMEMBERED_MAX = 1024;

type Pace = "quick" | "new" | "slow";
const PACES: readonly Pace[] = ["quick", "new", "slow"];

interface Waiting<Value> {
  readonly name: string;
  readonly start: () => Promise<Value>;
  readonly resolve: (value: Promise<Value>) => void;
}

/** Runs look-ups, a bounded number at a time. */
export class LookupQueue<Value> {
  readonly #limits: Readonly<Record<Pace, number>>;
  /** How many new names of one domain may be looked up at a time. */
  readonly #domainLimit: number;
  readonly #now: () => number;
  readonly #newUnderWay = new Set<string>();
  readonly #underWay = new Map<string, Promise<Value>>();
  readonly #lastTook = new Map<string, number>();
  #waiting: Waiting<Value>[] = [];
  #running = 0;

  /** Takes the number of places and a clock in milliseconds. */
  constructor(places: number, now: () => number) {
    this.#limits = { quick: places, new: Math.max(1, places - 1), slow: Math.max(1, places - 3) };
    this.#domainLimit = Math.max(1, places >> 1);
    this.#now = now;
  }

  /** How many names wait for a place. */
  get length(): number {
    return this.#waiting.length;
  }

  /**
   * Looks a name up by `start` when it is its turn, or shares the outcome of the same name that is
   * under way.
   */
  look(name: string, start: () => Promise<Value>): Promise<Value> {
    const same = this.#underWay.get(name);
    if (same !== undefined) return same;
    const { promise, resolve } = Promise.withResolvers<Value>();
    this.#underWay.set(name, promise);
    this.#waiting.push({ name, start, resolve });
    this.#startNext();
    return promise;
  }

  #startNext(): void {
    for (;;) {
      const next = this.#takeNext();
      if (next === undefined) return;
      void this.#run(next);
    }
  }

  async #run({ name, start, resolve }: Waiting<Value>): Promise<void> {
    this.#running++;
    if (this.#paceOf(name) === "new") this.#newUnderWay.add(name);
    const from = this.#now();
    const outcome = start();
    resolve(outcome);
    await outcome.then(() => {}, () => {});
    this.#running--;
    this.#underWay.delete(name);
    this.#newUnderWay.delete(name);
    this.#remember(name, this.#now() - from);
    this.#startNext();
  }

  #takeNext(): Waiting<Value> | undefined {
    for (const pace of PACES) {
      if (this.#running >= this.#limits[pace]) return undefined;
      const index = this.#waiting.findIndex(({ name }) =>
        this.#paceOf(name) === pace && (pace !== "new" || this.#hasDomainRoom(name))
      );
      if (index >= 0) return this.#waiting.splice(index, 1)[0];
    }
    return undefined;
  }

  #paceOf(name: string): Pace {
    const took = this.#lastTook.get(name);
    if (took === undefined) return "new";
    return took > SLOW_MILLISECONDS ? "slow" : "quick";
  }

  #hasDomainRoom(name: string): boolean {
    const domain = domainOf(name);
    const same = [...this.#newUnderWay].filter((other) => domainOf(other) === domain);
    return same.length < this.#domainLimit;
  }

  #remember(name: string, took: number): void {
    this.#lastTook.delete(name);
    this.#lastTook.set(name, took);
    const [oldest] = this.#lastTook.keys();
    if (this.#lastTook.size > REMEMBERED_MAX && oldest !== undefined) {
      this.#lastTook.delete(oldest);
    }
  }
}

/** What follows the first label of a name; the whole of one that has a single label. */
function domainOf(name: string): string {
  return name.slice(name.indexOf(".") + 1).toLowerCase();
}
