/**
 * Random worlds by their numbers, as scenarios that `ntpsd simulate` runs.
 *
 * The idea: the last two digits of a number choose the kind of the world, the whole number all that
 * is random in it, so any hundred numbers in a row from a multiple of it hold every kind. The kinds
 * of the beginning come three times in a hundred numbers; those that were added later have the last
 * numbers of a hundred, so that the others keep their worlds. Limits: numbers belong to a state of
 * the source, as a kind that is changed changes its worlds.
 *
 * @module
 */
import { Dice } from "./dice.ts";
import { authenticatedSilence, plainAgainstAuthenticated } from "./kinds/authenticated.ts";
import * as machine from "./kinds/machine.ts";
import { mixed } from "./kinds/mixed.ts";
import * as paths from "./kinds/paths.ts";
import * as routes from "./kinds/routes.ts";
import * as timeServers from "./kinds/servers.ts";
import { type Limit, type Plan, unseen } from "./plan.ts";
import { type TomlTable, writeToml } from "./toml.ts";

/** Makes the worlds of one kind. */
type Kind = (dice: Dice) => Plan;

/** The kinds in the order of the last two digits, from 0 on and again and again. */
const KINDS: readonly (readonly [name: string, kind: Kind])[] = [
  ["route-and-back", routes.routeAndBack],
  ["route-and-back-twice", routes.routeAndBackTwice],
  ["route-one-way", routes.routeOneWay],
  ["route-at-start", routes.routeAtStart],
  ["servers-wander", timeServers.serversWander],
  ["one-drifts", timeServers.oneDrifts],
  ["one-lies-slowly", timeServers.oneLiesSlowly],
  ["partial-majority", timeServers.partialMajority],
  ["server-steps", timeServers.serverSteps],
  ["put-right", timeServers.putRight],
  ["coarse-servers", timeServers.coarseServers],
  ["queues", paths.queues],
  ["normal-jitter", paths.normalJitter],
  ["one-sided", paths.oneSided],
  ["bursts", paths.bursts],
  ["wifi", paths.wifi],
  ["lte", paths.lte],
  ["satellite", paths.satellite],
  ["congestion", paths.congestion],
  ["loss", paths.loss],
  ["temperature", machine.temperature],
  ["oscillator-steps", machine.oscillatorSteps],
  ["wander", machine.wander],
  ["outage", machine.outage],
  ["pause", machine.pause],
  ["leap", machine.leap],
  ["cold-start", machine.coldStart],
  ["short-polls", machine.shortPolls],
  ["long-polls", machine.longPolls],
  ["mixed", mixed],
];

/** The kinds of the last numbers of a hundred. */
const LAST_KINDS: typeof KINDS = [
  ["plain-against-authenticated", plainAgainstAuthenticated],
  ["plain-against-authenticated", plainAgainstAuthenticated],
  ["plain-against-authenticated", plainAgainstAuthenticated],
  ["authenticated-silence", authenticatedSilence],
  ["authenticated-silence", authenticatedSilence],
];

/** The names of all kinds. */
export const KIND_NAMES: readonly string[] = [
  ...new Set([...KINDS, ...LAST_KINDS].map(([name]) => name)),
];

/** A world as it is run and printed. */
export interface NumberedWorld {
  readonly number: number;
  readonly kind: string;
  /** The scenario as TOML. */
  readonly text: string;
  /** Errors that no client can avoid. */
  readonly limit: Limit;
  /** Whether the stated bound is judged. */
  readonly isHonest: boolean;
}

/** The kind of a world; numbers beyond the list begin it again. */
export function kindOf(number: number): string {
  return entryOf(number)[0];
}

/** Returns `count` numbers, from `from` on, of one kind or of all. */
export function worldNumbers(
  from: number,
  { count, kind }: { count: number; kind: string | undefined },
): readonly number[] {
  const numbers: number[] = [];
  for (let number = from; numbers.length < count; number++) {
    if (kind === undefined || kindOf(number) === kind) numbers.push(number);
  }
  return numbers;
}

/** Makes the world of a number. */
export function makeWorld(number: number): NumberedWorld {
  const [kind, make] = entryOf(number);
  const plan = make(new Dice(number));
  const { start, synchronization, sources, maxClockErrorPpm } = plan;
  const document: TomlTable = {
    "name": `${kind}-${number}`,
    "description": `${plan.description}.`,
    "duration": Math.ceil(plan.duration),
    "measure-from": Math.ceil(plan.measureFrom),
    "seed": number,
    "start": start,
    "clock": plan.clock,
    "ntpsd": {
      "source-defaults": {
        "poll-interval-limits": { min: plan.polls.min, max: plan.polls.max },
        "initial-poll-interval": plan.polls.min,
      },
      ...(synchronization === undefined ? {} : { synchronization }),
      ...(maxClockErrorPpm === undefined
        ? {}
        : { clock: { "max-clock-error-ppm": maxClockErrorPpm } }),
      ...(sources === undefined ? {} : { source: sources }),
    },
    "server": plan.servers,
    "event": plan.events ?? [],
  };
  const { limit = unseen(0), isHonest = true } = plan;
  return { number, kind, text: writeToml(document), limit, isHonest };
}

function entryOf(number: number): (typeof KINDS)[number] {
  const digits = number % 100;
  const entry = LAST_KINDS[digits - (100 - LAST_KINDS.length)] ??
    KINDS[digits % KINDS.length] ?? KINDS[0];
  if (entry === undefined) throw new Error("There are no kinds");
  return entry;
}
