/**
 * Worlds in which the clocks of servers are the matter.
 *
 * @module
 */
import type { Dice } from "../dice.ts";
import {
  choosePolls,
  internetPath,
  intervals,
  lanPath,
  milliseconds,
  ORDINARY_POLLS,
  ordinaryClock,
  type Plan,
  serverEvent,
  serverName,
  servers,
  settled,
} from "../plan.ts";
import type { TomlTable } from "../toml.ts";

/** All servers wander against each other. */
export function serversWander(dice: Dice): Plan {
  const polls = choosePolls(dice, [4, 8]);
  const count = dice.integer([1, 7]);
  const wander = dice.log([1e-10, 1e-8]);
  return {
    description: `${count} servers wander by ${wander}`,
    polls,
    clock: ordinaryClock(dice),
    servers: servers(count, () => ({ ...internetPath(dice), wander })),
    isHonest: false,
    measureFrom: settled(polls),
    duration: settled(polls) + intervals(polls, 150),
  };
}

/** One of several servers drifts away for good. */
export function oneDrifts(dice: Dice): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const count = dice.integer([3, 6]);
  const drift = dice.signed([0.02, 5]);
  const all = servers(count, () => internetPath(dice));
  return {
    description: `One of ${count} servers drifts by ${drift} ppm`,
    polls,
    clock: ordinaryClock(dice),
    servers: all.map((server, i) => i === 0 ? { ...server, "frequency-ppm": drift } : server),
    measureFrom: settled(polls),
    duration: settled(polls) + intervals(polls, 130),
  };
}

/** One of several servers is right until it begins to drift, and is put right perhaps. */
export function oneLiesSlowly(dice: Dice): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const count = dice.integer([3, 6]);
  const drift = dice.signed([0.05, 50]);
  const at = settled(polls), end = at + intervals(polls, dice.integer([20, 100]));
  const isPutRight = dice.chance(0.5);
  return {
    description: `One of ${count} servers lies slowly, by ${drift} ppm from ${at} s on${
      isPutRight ? `, and stops at ${end} s` : ""
    }`,
    polls,
    clock: ordinaryClock(dice),
    servers: servers(count, () => internetPath(dice)),
    events: [
      serverEvent(at, "a", { "frequency-ppm": drift }),
      ...(isPutRight ? [serverEvent(end, "a", { "frequency-ppm": 0 })] : []),
    ],
    measureFrom: at,
    duration: end + intervals(polls, 60),
  };
}

/** A minority agrees on another time. */
export function partialMajority(dice: Dice): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const count = dice.integer([3, 9]);
  const wrong = dice.integer([1, Math.floor((count - 1) / 2)]);
  const offset = dice.signed([1e-3, 0.05]);
  const isLater = dice.chance(0.3);
  const at = settled(polls);
  const all = servers(count, () => internetPath(dice));
  return {
    description: `${wrong} of ${count} servers agree on ${milliseconds(offset)}${
      isLater ? ` from ${at} s on` : ""
    }`,
    polls,
    clock: ordinaryClock(dice),
    servers: isLater ? all : all.map((server, i) => i < wrong ? { ...server, offset } : server),
    events: isLater
      ? Array.from({ length: wrong }, (_, i) => serverEvent(at, serverName(i), { offset }))
      : [],
    measureFrom: at,
    duration: at + intervals(polls, 100),
  };
}

/** Servers of a minority step, each at its time, and some are put right. */
export function serverSteps(dice: Dice): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const count = dice.integer([3, 9]);
  const wrong = dice.integer([1, Math.floor((count - 1) / 2)]);
  const start = settled(polls);
  const events = Array.from({ length: wrong }, (_, i) => {
    const at = start + intervals(polls, dice.integer([0, 40]));
    const step = serverEvent(at, serverName(i), { offset: dice.signed([0.01, 600]) });
    const end = at + intervals(polls, dice.integer([3, 40]));
    return dice.chance(0.6) ? [step, serverEvent(end, serverName(i), { offset: 0 })] : [step];
  });
  return {
    description: `${wrong} of ${count} servers step`,
    polls,
    clock: ordinaryClock(dice),
    servers: servers(count, () => internetPath(dice)),
    events: events.flat(),
    measureFrom: start,
    duration: start + intervals(polls, 100),
  };
}

/** All servers were wrong by the same, from the start or for a while, and are put right. */
export function putRight(dice: Dice): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const count = dice.of(1, 1, 1, 2, 3);
  const offset = dice.signed([0.1, 600]);
  const isFromStart = dice.chance(0.5);
  const wrongFrom = settled(polls);
  const at = wrongFrom + intervals(polls, dice.integer([10, 60]));
  const all = servers(count, () => internetPath(dice));
  const change = (time: number, to: number): readonly TomlTable[] =>
    all.map((_, i) => serverEvent(time, serverName(i), { offset: to }));
  const maySteps = dice.chance(0.5);
  // Without steps an offset goes at 8 percent of the time.
  const slew = maySteps ? 0 : Math.ceil(Math.abs(offset) / 0.08);
  const measureFrom = at + intervals(polls, 30) + slew;
  return {
    description: `${
      count === 1 ? "The only server is" : `All ${count} servers are`
    } wrong by ${offset} s${isFromStart ? "" : " for a while"} and put right${
      maySteps ? "; the clock may be stepped" : ""
    }`,
    polls,
    clock: ordinaryClock(dice),
    servers: isFromStart ? all.map((server) => ({ ...server, offset })) : all,
    events: [...(isFromStart ? [] : change(wrongFrom, offset)), ...change(at, 0)],
    measureFrom,
    duration: measureFrom + intervals(polls, 60),
    synchronization: maySteps ? { "step-limit": -1 } : {},
  };
}

/** Servers whose clocks are coarse; the bits below their precision are random. */
export function coarseServers(dice: Dice): Plan {
  const polls = choosePolls(dice, [3, 8]);
  const count = dice.integer([1, 4]);
  const precision = dice.integer([-20, -7]);
  return {
    description: `${count} servers with a precision of 2^${precision} s`,
    polls,
    clock: ordinaryClock(dice),
    servers: servers(count, () => ({
      ...(dice.chance(0.5) ? lanPath(dice) : internetPath(dice)),
      precision,
    })),
    measureFrom: settled(polls),
    duration: settled(polls) + intervals(polls, 160),
  };
}
