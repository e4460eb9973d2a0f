/**
 * Tells how worlds went: a row for each kind, a line for each world in which ntpsd loses.
 *
 * @module
 */
import { median } from "../../src/simulation/statistics.ts";
import type { WorldOutcome } from "./judge.ts";

const COLUMNS = [
  ["kind", -22],
  ["worlds", 6],
  ["lost", 5],
  ["RMS (us)", 9],
  ["reference", 9],
  ["ratio", 6],
  ["worst", 7],
  ["lost", 5],
  ["max (us)", 9],
  ["reference", 9],
  ["ratio", 6],
  ["worst", 7],
  ["lost", 5],
  ["ppm", 7],
  ["ref.", 7],
  ["bound/err", 9],
  ["worst", 6],
  ["broken", 6],
] as const;

/** Returns the table: medians over the worlds of each kind, worst ratios, numbers of losses. */
export function kindTable(outcomes: readonly WorldOutcome[]): string {
  const kinds = new Map<string, WorldOutcome[]>();
  for (const outcome of outcomes) {
    const same = kinds.get(outcome.kind) ?? [];
    kinds.set(outcome.kind, same);
    same.push(outcome);
  }
  const rows = [...kinds].map(([kind, same]) => row(kind, same));
  if (kinds.size > 1) rows.push(row("all", outcomes));
  return [line(COLUMNS.map(([title]) => title)), ...rows].join("\n");
}

/** Returns a line for each world in which ntpsd loses, the worst first. */
export function lossLines(outcomes: readonly WorldOutcome[]): readonly string[] {
  return outcomes.filter(({ losses }) => losses.length > 0)
    .toSorted((a, b) => severity(b) - severity(a)).map((outcome) => {
      const { number, kind, own, reference, bound, losses } = outcome;
      return `${String(number).padStart(7)} ${kind.padEnd(22)} ${losses.join(", ").padEnd(16)} ` +
        `RMS ${microseconds(own.rms)} / ${microseconds(reference.rms)} us, ` +
        `max ${microseconds(own.max)} / ${microseconds(reference.max)} us, ` +
        `bound broken ${bound.violations} of ${bound.looks}, ${bound.worst.toFixed(2)} times`;
    });
}

/** By how many times the worst loss is one. */
function severity({ losses, own, reference, bound }: WorldOutcome): number {
  return Math.max(
    losses.includes("panic") ? Infinity : 0,
    losses.includes("rms") ? own.rms / reference.rms : 0,
    losses.includes("max") ? own.max / reference.max : 0,
    losses.includes("bound") ? bound.worst : 0,
  );
}

function row(kind: string, outcomes: readonly WorldOutcome[]): string {
  const middle = (of: (outcome: WorldOutcome) => number): number => median(outcomes.map(of));
  const worst = (of: (outcome: WorldOutcome) => number): number => Math.max(...outcomes.map(of));
  const lost = (what: "rms" | "max" | "bound"): string =>
    String(outcomes.filter(({ losses }) => losses.includes(what)).length);
  const rmsRatio = ({ own, reference }: WorldOutcome): number => own.rms / reference.rms;
  const maxRatio = ({ own, reference }: WorldOutcome): number => own.max / reference.max;
  return line([
    kind,
    String(outcomes.length),
    String(outcomes.filter(({ losses }) => losses.length > 0).length),
    microseconds(middle(({ own }) => own.rms)),
    microseconds(middle(({ reference }) => reference.rms)),
    middle(rmsRatio).toFixed(2),
    worst(rmsRatio).toFixed(2),
    lost("rms"),
    microseconds(middle(({ own }) => own.max)),
    microseconds(middle(({ reference }) => reference.max)),
    middle(maxRatio).toFixed(2),
    worst(maxRatio).toFixed(2),
    lost("max"),
    (middle(({ own }) => own.rate) * 1e6).toPrecision(2),
    (middle(({ reference }) => reference.rate) * 1e6).toPrecision(2),
    middle(({ medianBoundSeconds, own }) => (medianBoundSeconds ?? 0) / own.rms).toFixed(0),
    worst(({ bound }) => bound.worst).toFixed(2),
    lost("bound"),
  ]);
}

function line(cells: readonly string[]): string {
  return COLUMNS.map(([, width], i) => {
    const cell = cells[i] ?? "";
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  }).join(" ");
}

function microseconds(seconds: number): string {
  const value = seconds * 1e6;
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
