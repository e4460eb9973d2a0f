/**
 * Worlds in which some sources are authenticated and others are not.
 *
 * Limits: scenarios take the packets of Network Time Security off; what is tried is the rank that
 * authenticated sources have, which stays.
 *
 * @module
 */
import type { Dice } from "../dice.ts";
import {
  choosePolls,
  internetPath,
  intervals,
  milliseconds,
  ORDINARY_POLLS,
  ordinaryClock,
  type Plan,
  serverEvent,
  serverName,
  servers,
  settled,
  wandered,
} from "../plan.ts";
import type { TomlTable } from "../toml.ts";

/** Servers without authentication, perhaps most of all, agree on another time. */
export function plainAgainstAuthenticated(dice: Dice): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const proven = dice.integer([2, 4]), plain = dice.integer([1, 6]);
  const offset = dice.signed([0.1, 60]);
  const at = settled(polls), end = at + intervals(polls, dice.integer([10, 40]));
  const liars = Array.from({ length: plain }, (_, i) => serverName(proven + i));
  const isLater = dice.chance(0.6);
  return {
    description: `${plain} plain servers agree on ${milliseconds(offset)} against ${proven} that ` +
      `are authenticated${isLater ? `, from ${at} s to ${end} s` : ""}`,
    polls,
    clock: ordinaryClock(dice),
    sources: sources(proven, plain),
    servers: servers(proven + plain, () => internetPath(dice))
      .map((server, i) => i < proven || isLater ? server : { ...server, offset }),
    events: isLater
      ? [
        ...liars.map((name) => serverEvent(at, name, { offset })),
        ...liars.map((name) => serverEvent(end, name, { offset: 0 })),
      ]
      : [],
    measureFrom: at,
    duration: end + intervals(polls, 50),
  };
}

/** The authenticated servers are silent for a while; the others are right. */
export function authenticatedSilence(dice: Dice): Plan {
  const polls = choosePolls(dice, ORDINARY_POLLS);
  const proven = dice.integer([1, 3]), plain = dice.integer([1, 4]);
  const at = settled(polls), end = at + intervals(polls, dice.integer([5, 30]));
  const clock = ordinaryClock(dice);
  const error = 2 * wandered(clock, end - at);
  return {
    description: `${proven} authenticated servers are silent from ${at} s to ${end} s, ` +
      `${plain} others are not`,
    polls,
    clock,
    sources: sources(proven, plain),
    servers: servers(proven + plain, () => internetPath(dice)),
    events: ["server-dies", "server-returns"].flatMap((kind, i): readonly TomlTable[] =>
      Array.from({ length: proven }, (_, server) => ({
        at: i === 0 ? at : end,
        kind,
        server: serverName(server),
      }))
    ),
    limit: { rms: error, max: error },
    measureFrom: at,
    duration: end + intervals(polls, 60),
  };
}

/** The first of the servers are authenticated. */
function sources(proven: number, plain: number): readonly TomlTable[] {
  return Array.from({ length: proven + plain }, (_, i) => ({
    mode: i < proven ? "nts" : "server",
    address: serverName(i),
    iburst: true,
  }));
}
