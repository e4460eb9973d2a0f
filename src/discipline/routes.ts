/**
 * The routes that packets of one source take: which one a delay belongs to.
 *
 * The smallest delay of a route is its floor. A detour lifts it for a time and then the old route
 * comes back, so the routes form a stack: a rise pushes one, a fall takes off those that are too
 * long for what was measured. What was learned of a route that lies below stays while the detour
 * lasts (`ensemble.ts` keeps a bias for each).
 *
 * A rise shows when the last delays all exceed the floor by more than chance allows; a fall shows
 * in a single delay, since no packet is faster than its route.
 *
 * Limits: a change that leaves the sum of both ways as it was does not show. The stack keeps a few
 * routes, the shortest always.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";

/** How many delays are looked at for a floor that has risen. */
const RECENT_MAX = 32;
/** Suffixes of the recent delays that are tested, in samples. */
const RISE_WINDOWS = [3, 4, 6, 8, 12, 16, 24, 32] as const;
/** The logarithm of the probability below which "by chance" is not believed. */
const CHANGE_LOG_PROBABILITY = -20;
/** The same for a route that was left before: that packets return to it is no wonder. */
const RETURN_LOG_PROBABILITY = -6;
/** So many delays may pass until a shorter route has shown its length. */
const FALL_WINDOW = 8;
/** So many delays before a rise say where the floor was. */
const BEFORE_MIN = 3;
/** No way is taken to be wholly without queues: this part of the mean wait remains. */
const LEAN_REST = 0.04;
/** How many routes are kept. */
const ROUTES_MAX = 4;

/** One route: its smallest delay and what that rests on. */
export class Route {
  #smallest: Seconds;
  #count: number;
  /** What both were before the last delays, the newest last. */
  readonly #before: { readonly smallest: Seconds; readonly count: number }[] = [];

  /** Starts with the smallest of `count` delays. */
  constructor(smallest: Seconds, count: number) {
    this.#smallest = smallest;
    this.#count = count;
  }

  /** The smallest delay that was measured. */
  get smallest(): Seconds {
    return this.#smallest;
  }

  /** The number of delays that it rests on. */
  get count(): number {
    return this.#count;
  }

  /**
   * The logarithm of the probability that packets of this route met a smaller delay by chance. The
   * smallest of some time ago counts too: a new route may show by and by.
   */
  chanceOf(delay: Seconds, { wait, noise }: Pick<Waits, "wait" | "noise">): number {
    // how far below what was measured until then it lies, in mean waits
    const chance = (smallest: Seconds, count: number) =>
      logOfChance((smallest - delay) / (wait + 4 * noise), count);
    let least = chance(this.#smallest, this.#count);
    for (const { smallest, count } of this.#before) {
      least = Math.min(least, chance(smallest, count));
    }
    return least;
  }

  /** Takes in a delay. */
  add(delay: Seconds): void {
    this.#before.push({ smallest: this.#smallest, count: this.#count });
    if (this.#before.length > FALL_WINDOW) this.#before.shift();
    this.#count++;
    this.#smallest = Math.min(this.#smallest, delay);
  }

  /** Takes in what was taken for another route. */
  absorb(other: Route): void {
    this.#count += other.count;
    this.#smallest = Math.min(this.#smallest, other.smallest);
  }

  /**
   * The delay of a packet that met no queue, as far as is known: an estimate, below the smallest
   * that was measured.
   */
  floor(waits: Pick<Waits, "wait" | "lean">): Seconds {
    return this.#smallest - minimumMean(this.#count, waits.lean) * waits.wait;
  }
}

/** What a delay showed of the routes. */
export interface RouteChange {
  /**
   * "same": nothing; "longer": a detour; "back": a shorter one that was known; "shorter": a new
   * one.
   */
  readonly kind: "same" | "longer" | "back" | "shorter";
  /** How many samples, the newest included, were taken on the present route already. */
  readonly samples: number;
}

const SAME: RouteChange = { kind: "same", samples: 1 };

/** What the delays of a path vary by without a change of the route. */
export interface Waits {
  /** The mean wait in one direction. */
  readonly wait: Seconds;
  /** From -1, all on the way back, over 0 to 1, all on the way to the server. */
  readonly lean: number;
  /** What timestamps alone add, one standard deviation. */
  readonly noise: Seconds;
}

/** The routes of one source, as a stack of which the last is the present one. */
export class Routes {
  readonly #stack: Route[] = [];
  readonly #recent: Seconds[] = [];

  /** The present route; undefined before the first delay. */
  get present(): Route | undefined {
    return this.#stack[this.#stack.length - 1];
  }

  /** The shortest route that is known, the first of the stack. */
  get shortest(): Route | undefined {
    return this.#stack[0];
  }

  /** Whether a route is on the stack. */
  has(route: Route): boolean {
    return this.#stack.includes(route);
  }

  /** Takes in a delay, and tells what it shows. */
  add(delay: Seconds, waits: Waits): RouteChange {
    const { present: route } = this;
    if (route === undefined) {
      this.#push(new Route(delay, 1), [delay]);
      return SAME;
    }
    const fallen = this.#fall(route, { delay, waits });
    if (fallen !== undefined) return fallen;
    route.add(delay);
    this.#recent.push(delay);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    return this.#congestion(route, waits) ?? this.#rise(route, waits);
  }

  /**
   * Takes back a detour whose smallest delay, now that the waits are known to be longer, may be one
   * of the route below.
   */
  #congestion(route: Route, waits: Waits): RouteChange | undefined {
    const below = this.#stack[this.#stack.length - 2];
    if (below === undefined) return undefined;
    const excess = (route.smallest - below.floor(waits)) / (waits.wait + waits.noise);
    if (logOfChance(excess, route.count) <= RETURN_LOG_PROBABILITY) return undefined;
    this.#stack.pop();
    below.absorb(route);
    return { kind: "back", samples: route.count };
  }

  #fall(route: Route, now: { delay: Seconds; waits: Waits }): RouteChange | undefined {
    const { delay, waits } = now;
    const chance = route.chanceOf(delay, waits);
    const isThere = (other: Route) => other.smallest <= delay + 0.5 * waits.wait + 4 * waits.noise;
    const known = this.#stack.findLastIndex((other) => other !== route && isThere(other));
    if (chance > (known < 0 ? CHANGE_LOG_PROBABILITY : RETURN_LOG_PROBABILITY)) return undefined;
    this.#stack.length = known + 1;
    if (known < 0) {
      this.#push(new Route(delay, 1), [delay]);
      return { kind: "shorter", samples: 1 };
    }
    this.#recent.length = 0;
    this.#recent.push(delay);
    this.present?.add(delay);
    return { kind: "back", samples: 1 };
  }

  #rise(route: Route, waits: Waits): RouteChange {
    const { wait, noise, lean } = waits;
    const floor = route.floor(waits);
    for (const window of RISE_WINDOWS) {
      if (window > this.#recent.length || route.count < window + BEFORE_MIN) break;
      const { lowest, mean } = lastOf(this.#recent, window);
      if (lowest <= floor) continue;
      const spread = (mean - lowest) / Math.max(0.5, 2 - minimumMean(window, lean));
      const excess = (lowest - floor) / (Math.max(wait, spread) + noise);
      if (logOfChance(excess, window) > CHANGE_LOG_PROBABILITY) continue;
      this.#push(new Route(lowest, window), this.#recent.slice(-window));
      return { kind: "longer", samples: window };
    }
    return SAME;
  }

  #push(route: Route, recent: readonly Seconds[]): void {
    this.#stack.push(route);
    if (this.#stack.length > ROUTES_MAX) this.#stack.splice(1, 1);
    this.#recent.length = 0;
    this.#recent.push(...recent);
  }
}

/**
 * The logarithm of the probability that the smallest of so many waits (both directions, both
 * exponential) exceeds an excess that is given in mean waits.
 */
function logOfChance(excess: number, count: number): number {
  return excess <= 0 ? 0 : count * (Math.log1p(excess) - excess);
}

/**
 * The mean of the smallest of n excesses, in mean waits: Rayleigh's law, with a fit for few
 * samples, where both ways have queues; that of a single exponential where only one has.
 */
export function minimumMean(count: number, lean: number): number {
  const root = 1 / Math.sqrt(Math.max(1, count));
  const { little, much } = meansOf(lean);
  const both = 1.2533 * root * (1 + 0.6 * root) * Math.sqrt(little * much);
  return Math.min(both, little + much * root * root);
}

/** The standard deviation of the smallest of n excesses, in mean waits. */
export function minimumDeviation(count: number, lean: number): number {
  const root = 1 / Math.sqrt(Math.max(1, count));
  const { little, much } = meansOf(lean);
  const both = 0.655 * root * (1 + 1.15 * root) * Math.sqrt(little * much);
  return Math.min(both, Math.hypot(little, much * root * root));
}

/** The mean waits on the way with the shorter queues and on the other, in their mean. */
function meansOf(lean: number): { readonly little: number; readonly much: number } {
  const part = Math.max(LEAN_REST, 1 - Math.abs(lean));
  return { little: part, much: 2 - part };
}

/** The smallest and the mean of the last `count` delays; there are so many. */
function lastOf(delays: readonly Seconds[], count: number) {
  let lowest = Infinity, sum = 0;
  for (let i = delays.length - count; i < delays.length; i++) {
    const delay = delays[i] ?? NaN;
    lowest = Math.min(lowest, delay);
    sum += delay;
  }
  return { lowest, mean: sum / count };
}
