/**
 * Worlds in which several things come together: paths of some kind, a clock of some kind, and
 * disturbances at random times, each with some intervals to itself.
 *
 * @module
 */
import type { Dice } from "../dice.ts";
import { intervals, type Plan, serverEvent, wandered } from "../plan.ts";
import type { TomlTable } from "../toml.ts";
import { bursts, congestion, loss, lte, oneSided, queues, satellite, wifi } from "./paths.ts";

/** Longest intervals that an event has to itself, and that it lasts at most. */
const SLOT = 30, LENGTH_MAX = 15;

interface Disturbance {
  readonly events: readonly TomlTable[];
  /** An error that it brings, whatever the client does. */
  readonly error: number;
}

/** Paths of any kind, a swinging or wandering clock, and one to three faults. */
export function mixed(dice: Dice): Plan {
  const base = dice.of(bursts, congestion, loss, lte, oneSided, queues, satellite, wifi)(dice);
  const clock = { ...base.clock, ...oscillator(dice) };
  const disturbances = Array.from({ length: dice.integer([1, 3]) }, (_, i) => {
    const from = base.measureFrom + intervals(base.polls, SLOT * i + 1);
    const to = from + intervals(base.polls, dice.integer([1, LENGTH_MAX]));
    return disturbance(dice, { base: { ...base, clock }, from, to });
  });
  const error = Math.max(0, ...disturbances.map((one) => one.error));
  return {
    ...base,
    description: `${base.description}, and more`,
    clock,
    events: disturbances.flatMap(({ events }) => events),
    limit: {
      rms: Math.max(error, base.limit?.rms ?? 0),
      max: Math.max(error, base.limit?.max ?? 0),
    },
    duration: base.measureFrom + intervals(base.polls, SLOT * (disturbances.length + 1)),
  };
}

function oscillator(dice: Dice): TomlTable {
  return dice.of<TomlTable>(
    {},
    { wander: dice.log([1e-10, 3e-8]) },
    { temperature: { "amplitude-ppm": dice.log([0.05, 5]), "period": dice.log([600, 86_400]) } },
  );
}

function disturbance(
  dice: Dice,
  { base, from, to }: { base: Plan; from: number; to: number },
): Disturbance {
  const outage = (): Disturbance => ({
    events: [{ at: from, kind: "network-down" }, { at: to, kind: "network-up" }],
    error: 2 * wandered(base.clock, to - from),
  });
  const step = (): Disturbance => ({
    events: [{ "at": from, "kind": "oscillator-step", "frequency-ppm": dice.signed([0.1, 5]) }],
    error: 0,
  });
  const falseTime = (): Disturbance => {
    const offset = dice.signed([0.01, 10]);
    return {
      events: [serverEvent(from, "a", { offset }), serverEvent(to, "a", { offset: 0 })],
      error: 0,
    };
  };
  const death = (): Disturbance => ({
    events: [
      { at: from, kind: "server-dies", server: "a" },
      { at: to, kind: "server-returns", server: "a" },
    ],
    error: 2 * wandered(base.clock, to - from),
  });
  // Of one or two servers none may lie: nobody could tell.
  return base.servers.length >= 3
    ? dice.of(outage, step, falseTime, death)()
    : dice.of(outage, step)();
}
