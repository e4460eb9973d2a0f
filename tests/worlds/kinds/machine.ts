/**
 * Worlds in which the machine is the matter: its oscillator, its sleep, its network, its polls.
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
  ordinaryClock,
  type Plan,
  type Polls,
  servers,
  settled,
  unseen,
  wandered,
} from "../plan.ts";
import type { TomlTable } from "../toml.ts";

/** The room's temperature swings the frequency. */
export function temperature(dice: Dice): Plan {
  const polls = choosePolls(dice, [3, 9]);
  const swing = { "amplitude-ppm": dice.log([0.05, 10]), "period": dice.log([600, 86_400]) };
  return steady(dice, {
    description: `The frequency swings by ${swing["amplitude-ppm"]} ppm in ${swing.period} s`,
    polls,
    clock: { ...ordinaryClock(dice), temperature: swing },
  });
}

/** The oscillator steps by 1 to 10 ppm, once or more. */
export function oscillatorSteps(dice: Dice): Plan {
  const polls = choosePolls(dice, [3, 9]);
  const start = settled(polls);
  const events = Array.from({ length: dice.integer([1, 3]) }, (_, i) => ({
    "at": start + intervals(polls, 40 * i + dice.integer([1, 39])),
    "kind": "oscillator-step",
    "frequency-ppm": dice.signed([0.3, STEP_MAX_PPM]),
  }));
  const description = "The oscillator steps";
  return steady(dice, { description, polls, events, maxClockErrorPpm: STEP_MAX_PPM });
}

/** The oscillator wanders little or much. */
export function wander(dice: Dice): Plan {
  const steps = dice.log([1e-10, 1e-7]);
  return steady(dice, {
    description: `The oscillator wanders by ${steps}`,
    polls: choosePolls(dice, [3, 9]),
    clock: { ...ordinaryClock(dice), wander: steps },
  });
}

/** The network is away for minutes to days. */
export function outage(dice: Dice): Plan {
  const polls = choosePolls(dice, [4, 9]);
  const down = settled(polls) + intervals(polls, dice.integer([0, 40]));
  const away = dice.log([60, 200_000]);
  const up = Math.round(down + away);
  const clock = ordinaryClock(dice);
  return steady(dice, {
    clock,
    limit: unseen(2 * wandered(clock, away)),
    description: `The network is away from ${down} to ${up} s`,
    polls,
    events: [{ at: down, kind: "network-down" }, { at: up, kind: "network-up" }],
    duration: up + intervals(polls, 60),
  });
}

/** The machine is paused, and the clock put forward by nearly the right time. */
export function pause(dice: Dice): Plan {
  const polls = choosePolls(dice, [4, 8]);
  const start = settled(polls);
  const events = Array.from({ length: dice.integer([1, 3]) }, (_, i) => {
    const duration = dice.log([2, 20 * 2 ** polls.max]);
    return {
      at: start + intervals(polls, 45 * i + 1),
      kind: "suspend",
      duration,
      error: dice.chance(0.3) ? 0 : dice.signed([1e-4, Math.min(1, duration / 2)]),
    };
  });
  const errors = events.map(({ error }) => Math.abs(error));
  const squares = errors.reduce((sum, error) => sum + error * error, 0);
  const limit = {
    rms: Math.sqrt(squares * PAUSE_PATIENCE / intervals(polls, 160)),
    max: 1.01 * Math.max(...errors),
  };
  return steady(dice, { description: "The machine is paused", polls, events, limit });
}

/** A leap second comes. */
export function leap(dice: Dice): Plan {
  const polls = choosePolls(dice, [4, 8]);
  const lead = settled(polls) + intervals(polls, dice.integer([2, 40]));
  const way = dice.of("insert", "delete");
  return steady(dice, {
    description: `A leap second: ${way}`,
    polls,
    events: [{ at: lead, kind: "leap", leap: way }],
    start: new Date(Date.UTC(2026, dice.of(6, 12), 1) - lead * 1000),
    serverCount: dice.integer([2, 5]),
  });
}

/** A cold start, far off in time and frequency: the errors count soon. */
export function coldStart(dice: Dice): Plan {
  const polls = choosePolls(dice, [4, 8]);
  return steady(dice, {
    description: "A cold start",
    polls,
    clock: {
      "offset": dice.signed([0.1, 10]),
      "frequency-ppm": dice.signed([50, 450]),
      "wander": dice.log([3e-10, 3e-9]),
    },
    measureFrom: 60 + 12 * 2 ** polls.min,
    duration: 60 + 120 * 2 ** polls.min,
  });
}

/** Polls of a few seconds, on a local network mostly. */
export function shortPolls(dice: Dice): Plan {
  const min = dice.integer([0, 3]);
  const polls = { min, max: dice.of(min, min, min + 3) };
  const duration = settled(polls) + Math.max(1200, intervals(polls, 160));
  return steady(dice, { description: "Short polls", polls, path: lanPath, duration });
}

/** Polls of hours and days. */
export function longPolls(dice: Dice): Plan {
  const max = dice.of(10, 10, 10, 11, 11, 12, 13, 14, 15, 16, 17);
  const polls = { min: Math.max(4, max - dice.integer([0, 6])), max };
  const samples = Math.min(100, 6e5 / 2 ** max);
  const measureFrom = 16 * 2 ** polls.min + intervals(polls, samples / 4);
  return steady(dice, {
    description: "Long polls",
    polls,
    clock: { ...ordinaryClock(dice), wander: dice.log([1e-10, 1e-9]) },
    path: internetPath,
    measureFrom,
    duration: measureFrom + intervals(polls, samples),
  });
}

/** What an oscillator may step by; the bound is told. */
const STEP_MAX_PPM = 10;

/** A burst of four requests shows what a pause has done; so long an error may stay. */
const PAUSE_PATIENCE = 8;

interface Setting {
  readonly description: string;
  readonly polls: Polls;
  readonly clock?: TomlTable;
  readonly path?: (dice: Dice) => TomlTable;
  readonly serverCount?: number;
  readonly events?: readonly TomlTable[];
  readonly start?: Date;
  readonly limit?: Limit;
  readonly maxClockErrorPpm?: number;
  readonly measureFrom?: number;
  readonly duration?: number;
}

function steady(dice: Dice, setting: Setting): Plan {
  const { polls, path = dice.chance(0.3) ? lanPath : internetPath } = setting;
  const measureFrom = setting.measureFrom ?? settled(polls);
  return {
    description: setting.description,
    polls,
    clock: setting.clock ?? ordinaryClock(dice),
    servers: servers(setting.serverCount ?? dice.of(1, 1, 2, 3, 4), () => path(dice)),
    events: setting.events ?? [],
    limit: setting.limit ?? unseen(0),
    ...(setting.start === undefined ? {} : { start: setting.start }),
    ...(setting.maxClockErrorPpm === undefined
      ? {}
      : { maxClockErrorPpm: setting.maxClockErrorPpm }),
    measureFrom,
    duration: setting.duration ?? measureFrom + intervals(polls, 160),
  };
}
