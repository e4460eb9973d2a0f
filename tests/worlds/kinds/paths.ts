/**
 * Worlds in which the queues of the paths are the matter.
 *
 * @module
 */
import type { Dice } from "../dice.ts";
import {
  choosePolls,
  internetPath,
  intervals,
  lanPath,
  type Limit,
  milliseconds,
  ordinaryClock,
  type Plan,
  type Polls,
  servers,
  settled,
  share,
  unseen,
} from "../plan.ts";
import type { TomlTable } from "../toml.ts";

interface Setting {
  readonly description: string;
  readonly polls: Polls;
  readonly servers: readonly TomlTable[];
  readonly samples?: number;
  readonly limit?: Limit;
}

/** Queues of some distribution on one to four paths. */
export function queues(dice: Dice): Plan {
  const count = dice.integer([1, 4]);
  const distribution = dice.of("exponential", "lomax", "normal");
  const shape = dice.log([1.2, 3]);
  const path = (): TomlTable => ({
    ...(dice.chance(0.3) ? lanPath(dice) : internetPath(dice)),
    distribution,
    ...(distribution === "lomax" ? { shape } : {}),
  });
  return steady(dice, {
    description: `${count} servers, ${distribution} queues`,
    polls: choosePolls(dice, [3, 9]),
    servers: servers(count, path),
  });
}

/** Normal jitter of some milliseconds. */
export function normalJitter(dice: Dice): Plan {
  const jitter = dice.log([5e-4, 4e-3]);
  return steady(dice, {
    description: `Normal jitter of ${milliseconds(jitter)}`,
    polls: choosePolls(dice, [4, 8]),
    servers: servers(dice.of(1, 1, 3), () => ({
      delay: dice.log([0.02, 0.06]),
      jitter,
      distribution: "normal",
    })),
  });
}

/** Queues on one of the two ways only. */
export function oneSided(dice: Dice): Plan {
  const way = dice.of("forward", "backward");
  const other = way === "forward" ? "backward" : "forward";
  return steady(dice, {
    description: `Queues on the way ${way} only`,
    polls: choosePolls(dice, [4, 9]),
    servers: servers(dice.of(1, 1, 2, 3), () => {
      const { delay, jitter } = internetPath(dice);
      const tail = dice.of<TomlTable>({ distribution: "exponential" }, {
        distribution: "lomax",
        shape: dice.log([1.3, 2.5]),
      });
      return {
        delay,
        [way]: { jitter, ...tail },
        [other]: { jitter: share(Number(jitter), 0.01) },
      };
    }),
  });
}

/** Spells of congestion that last longer than the poll interval, or not. */
export function bursts(dice: Dice): Plan {
  const length = dice.log([2, 2000]);
  const spell = {
    factor: dice.log([3, 100]),
    length,
    gap: Number((length * dice.log([1, 30])).toPrecision(3)),
  };
  return steady(dice, {
    description: `Spells of congestion of ${length} s`,
    polls: choosePolls(dice, [4, 9]),
    servers: servers(dice.integer([1, 4]), () => ({ ...internetPath(dice), bursts: spell })),
  });
}

/** A wireless network at home: a short path with long tails, losses and spells. */
export function wifi(dice: Dice): Plan {
  return steady(dice, {
    description: "A wireless network",
    polls: choosePolls(dice, [4, 8]),
    servers: servers(dice.integer([1, 4]), () => ({
      delay: dice.log([1.5e-3, 0.03]),
      jitter: dice.log([5e-4, 5e-3]),
      distribution: "lomax",
      shape: dice.log([1.2, 2]),
      loss: dice.log([0.005, 0.1]),
      bursts: { factor: dice.log([3, 30]), length: dice.log([1, 60]), gap: dice.log([30, 600]) },
    })),
  });
}

/** A mobile network: the way to the server waits for its turn. */
export function lte(dice: Dice): Plan {
  const there = dice.log([0.015, 0.03]), back = dice.log([0.01, 0.025]);
  return steady(dice, {
    description: "A mobile network",
    polls: choosePolls(dice, [5, 9]),
    // The two ways differ by the same for all servers, so nothing shows it.
    limit: unseen((there - back) / 2),
    servers: servers(dice.integer([1, 4]), () => ({
      forward: { delay: there, jitter: dice.log([5e-3, 0.02]) },
      backward: { delay: back, jitter: dice.log([1e-3, 5e-3]) },
      loss: dice.log([0.001, 0.05]),
      bursts: { factor: dice.log([2, 10]), length: dice.log([5, 300]), gap: dice.log([60, 3600]) },
    })),
  });
}

/** A satellite: a round trip of 600 ms. */
export function satellite(dice: Dice): Plan {
  return steady(dice, {
    description: "A satellite, 600 ms there and back",
    polls: choosePolls(dice, [5, 9]),
    servers: servers(dice.integer([1, 4]), () => ({
      delay: dice.log([0.28, 0.32]),
      jitter: dice.log([2e-3, 0.03]),
      loss: dice.log([0.001, 0.1]),
    })),
  });
}

/** Queues that grow by day. */
export function congestion(dice: Dice): Plan {
  const polls = choosePolls(dice, [6, 9]);
  const period = dice.of(86_400, intervals(polls, 100));
  const factor = dice.log([3, 100]);
  return steady(dice, {
    description: `Queues grow to ${factor} times every ${period} s`,
    polls,
    servers: servers(dice.integer([1, 4]), () => ({
      ...internetPath(dice),
      congestion: { factor, period },
    })),
    samples: 160,
  });
}

/** Up to half of the packets are lost on each way. */
export function loss(dice: Dice): Plan {
  const lost = dice.log([0.02, 0.5]);
  return steady(dice, {
    description: `${share(lost, 100)} percent of the packets are lost on each way`,
    polls: choosePolls(dice, [4, 8]),
    servers: servers(dice.integer([1, 4]), () => ({ ...internetPath(dice), loss: lost })),
    samples: 160,
  });
}

function steady(dice: Dice, setting: Setting): Plan {
  const { polls } = setting;
  const measureFrom = settled(polls);
  return {
    description: setting.description,
    polls,
    clock: ordinaryClock(dice),
    servers: setting.servers,
    limit: setting.limit ?? unseen(0),
    measureFrom,
    duration: measureFrom + intervals(polls, setting.samples ?? 120),
  };
}
