/**
 * Worlds in which the route to a server changes.
 *
 * @module
 */
import type { Dice } from "../dice.ts";
import {
  choosePolls,
  intervals,
  type Limit,
  milliseconds,
  ORDINARY_POLLS,
  ordinaryClock,
  type Plan,
  serverEvent,
  serverName,
  servers,
  settled,
  share,
  unseen,
} from "../plan.ts";
import type { TomlTable } from "../toml.ts";

type Route = { readonly forward: TomlTable; readonly backward: TomlTable };

interface Routes {
  /** The way that is usual, and the other one. */
  readonly usual: Route;
  readonly other: Route;
  readonly words: string;
  /**
   * What a single server does not show: half of what the other route is shorter by on one way, as
   * the shortest route passes for the even one.
   */
  readonly limit: Limit;
}

/** A detour: the route changes for some time and comes back. */
export function routeAndBack(dice: Dice): Plan {
  return detours(dice, 1);
}

/** Two detours in a row, of different lengths. */
export function routeAndBackTwice(dice: Dice): Plan {
  return detours(dice, 2);
}

/** The route becomes shorter or longer for good, and was or is asymmetric. */
export function routeOneWay(dice: Dice): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const { usual, other, words, limit } = routes(dice);
  const becomesUsual = dice.chance(0.5);
  const [before, after] = becomesUsual ? [other, usual] : [usual, other];
  const at = settled(polls);
  return {
    description: `The route changes for good, ${becomesUsual ? "from" : "to"} ${words}`,
    polls,
    clock: ordinaryClock(dice),
    ...withRoute(dice, { route: before, limit }),
    events: [serverEvent(at, "a", after)],
    measureFrom: at + (becomesUsual ? intervals(polls, 16) : 0),
    duration: at + intervals(polls, 100),
  };
}

/** The route changes, and perhaps back, before the clock has settled. */
export function routeAtStart(dice: Dice): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const { usual, other, words, limit } = routes(dice);
  const at = dice.log([5, 24 * 2 ** polls.min]);
  const back = at + dice.log([5, 24 * 2 ** polls.min]);
  const startsOnOther = dice.chance(0.5);
  const measureFrom = Math.max(settled(polls), back + intervals(polls, 16));
  return {
    description: `The route changes during the start, ${
      startsOnOther ? "from" : "to and from"
    } ${words}`,
    polls,
    clock: ordinaryClock(dice),
    ...withRoute(dice, { route: startsOnOther ? other : usual, limit }),
    events: startsOnOther ? [serverEvent(at, "a", usual)] : [
      serverEvent(at, "a", other),
      serverEvent(back, "a", usual),
    ],
    measureFrom,
    duration: measureFrom + intervals(polls, 80),
  };
}

function detours(dice: Dice, count: number): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const first = routes(dice);
  const events: TomlTable[] = [];
  const start = settled(polls);
  let at = start;
  for (let i = 0; i < count; i++) {
    const other = i === 0 ? first.other : another(first, dice);
    events.push(serverEvent(at, "a", other));
    at += intervals(polls, dice.integer([4, 40]));
    events.push(serverEvent(at, "a", first.usual));
    at += intervals(polls, dice.integer([4, 40]));
  }
  return {
    description: `${count === 1 ? "A detour" : "Two detours in a row"}, ${first.words}`,
    polls,
    clock: ordinaryClock(dice),
    ...withRoute(dice, { route: first.usual, limit: first.limit }),
    events,
    measureFrom: start,
    duration: at + intervals(polls, 60),
  };
}

/** The usual route is even; the other is longer or shorter by up to 50 ms, on one way or both. */
function routes(dice: Dice): Routes {
  const change = dice.log([1e-3, 0.05]);
  const isLonger = dice.chance(0.6);
  const floor = dice.log([2e-3, 0.04]) + (isLonger ? 0 : change);
  const delay = Number(floor.toPrecision(4));
  const jitter = share(Math.min(delay, change), dice.log([0.02, 0.3]));
  const ways = dice.of("forward", "backward", "both");
  const moved = Number((isLonger ? delay + change : delay - change).toPrecision(4));
  const way = (isMoved: boolean): TomlTable => ({ delay: isMoved ? moved : delay, jitter });
  return {
    usual: { forward: way(false), backward: way(false) },
    other: { forward: way(ways !== "backward"), backward: way(ways !== "forward") },
    words: `${milliseconds(change)} ${isLonger ? "longer" : "shorter"}, ${ways} way${
      ways === "both" ? "s" : ""
    }`,
    limit: unseen(isLonger || ways === "both" ? 0 : change / 2),
  };
}

/** A detour of half the size in the same directions. */
function another({ usual, other }: Routes, dice: Dice): Route {
  const part = dice.log([0.3, 1.5]);
  const way = (from: TomlTable, to: TomlTable): TomlTable => {
    const base = Number(from["delay"]), jump = Number(to["delay"]) - base;
    return { ...from, delay: Number(Math.max(1e-4, base + part * jump).toPrecision(4)) };
  };
  return {
    forward: way(usual.forward, other.forward),
    backward: way(usual.backward, other.backward),
  };
}

/** Mostly one server, whose route changes; else others that keep theirs, which show the change. */
function withRoute(
  dice: Dice,
  { route, limit }: { route: Route; limit: Limit },
): Pick<Plan, "servers" | "limit"> {
  const count = dice.of(1, 1, 1, 2, 3);
  const jitter = Number(route.forward["jitter"]);
  const others = servers(count - 1, () => {
    const delay = Number((5 * jitter + dice.log([2e-3, 0.04])).toPrecision(3));
    return { delay, jitter };
  });
  return {
    servers: [
      { name: "a", ...route },
      ...others.map((server, i) => ({ ...server, name: serverName(i + 1) })),
    ],
    limit: count === 1 ? limit : unseen(0),
  };
}
