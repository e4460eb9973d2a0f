/**
 * The parts that worlds of all kinds are made of: servers, paths, clocks, polls and spans of time.
 *
 * @module
 */
import type { Dice } from "./dice.ts";
import type { TomlTable } from "./toml.ts";

/** What a kind says of a world; the rest is the same for all. */
export interface Plan {
  /** What happens, in a sentence without a full stop. */
  readonly description: string;
  readonly polls: Polls;
  readonly clock: TomlTable;
  readonly servers: readonly TomlTable[];
  /** The sources of ntpsd; one without authentication for each server when left out. */
  readonly sources?: readonly TomlTable[];
  readonly events?: readonly TomlTable[];
  /** When the measured part begins, in seconds. */
  readonly measureFrom: number;
  readonly duration: number;
  /** True time at the start, where it matters. */
  readonly start?: Date;
  /** The `[synchronization]` of ntpsd's configuration. */
  readonly synchronization?: TomlTable;
  /** What the bound is told, in ppm, where the oscillator does more than the default. */
  readonly maxClockErrorPpm?: number;
  /** Errors that no client can avoid; where the reference does better, that is luck. */
  readonly limit?: Limit;
  /** Whether a majority of the servers keeps the time and what it states; else no bound is judged. */
  readonly isHonest?: boolean;
}

/** Errors up to these are not lost. */
export interface Limit {
  readonly rms: number;
  readonly max: number;
}

/** The shortest and the longest poll interval, as exponents of two seconds. */
export interface Polls {
  readonly min: number;
  readonly max: number;
}

/** Fixed polls in most worlds, else a span of two to four steps. */
export function choosePolls(dice: Dice, [least, most]: readonly [number, number]): Polls {
  const min = dice.integer([least, most]);
  if (dice.chance(0.7)) return { min, max: min };
  return { min, max: Math.min(most + 1, min + dice.integer([2, 4])) };
}

/** So many of the longest intervals, in whole seconds. */
export function intervals(polls: Polls, count: number): number {
  return Math.round(count * 2 ** polls.max);
}

/** When a clock with these polls has settled: the path and the frequency are known. */
export function settled(polls: Polls): number {
  return Math.max(600, 64 * 2 ** polls.min + 16 * 2 ** polls.max);
}

/** The least and the largest poll of worlds that are not about polls. */
export const ORDINARY_POLLS: readonly [number, number] = [4, 9];

/** An ordinary clock, some way off. */
export function ordinaryClock(dice: Dice): TomlTable {
  return {
    "offset": dice.signed([1e-3, 0.5]),
    "frequency-ppm": dice.signed([1, 100]),
    "wander": dice.log([3e-10, 3e-9]),
  };
}

/** A path over the Internet: 1 to 60 ms, queues of some percent of that. */
export function internetPath(dice: Dice): TomlTable {
  const delay = dice.log([1e-3, 0.06]);
  return { delay, jitter: share(delay, dice.log([0.01, 0.15])) };
}

/** A path on a local network. */
export function lanPath(dice: Dice): TomlTable {
  const delay = dice.log([5e-5, 5e-4]);
  return { delay, jitter: share(delay, dice.log([0.03, 0.3])) };
}

/** An error of so many seconds that nothing shows. */
export function unseen(error: number): Limit {
  return { rms: Math.abs(error), max: Math.abs(error) };
}

/** One standard deviation of what a clock that is left alone wanders off by in some time. */
export function wandered(clock: TomlTable, seconds: number): number {
  return Number(clock["wander"]) * seconds ** 1.5 / Math.sqrt(3);
}

/** Servers `a`, `b`, ... each with a path of its own. */
export function servers(count: number, path: () => TomlTable): readonly TomlTable[] {
  return Array.from({ length: count }, (_, i) => ({ name: serverName(i), ...path() }));
}

/** The name of a server by its place. */
export function serverName(index: number): string {
  return String.fromCharCode(97 + index);
}

/** An event of a server. */
export function serverEvent(at: number, server: string, change: TomlTable): TomlTable {
  return { at: Math.round(at), kind: "server-change", server, ...change };
}

/** Milliseconds as text. */
export function milliseconds(seconds: number): string {
  return `${Number((seconds * 1e3).toPrecision(3))} ms`;
}

/** A part of a number, with three digits. */
export function share(whole: number, part: number): number {
  return Number((whole * part).toPrecision(3));
}
