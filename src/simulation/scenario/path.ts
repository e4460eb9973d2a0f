/**
 * The network path to a server: its keys, and what of it is meant for which direction.
 *
 * @module
 */
import { duration, number, word } from "../../config/field.ts";
import {
  type Built,
  completeIfWhole,
  completeWritten,
  optional,
  required,
  type Row,
} from "../../config/key.ts";
import { table } from "../../config/table_field.ts";
import { signedDuration } from "./fields.ts";

const CONGESTION_KEYS = {
  "factor": required(number(1, 10_000), {
    doc: "What the jitter is multiplied by at the worst hour.",
  }),
  "period": required(duration(1), { doc: "The length of the cycle, such as a day." }),
};

const BURST_KEYS = {
  "factor": required(number(1, 10_000), {
    doc: "What the jitter is multiplied by during a spell.",
  }),
  "length": required(duration(1), { doc: "How long a spell lasts on the average." }),
  "gap": required(duration(1), { doc: "The mean time between two spells." }),
};

/** The keys of one direction. */
export const DIRECTION_KEYS = {
  "delay": optional(duration(), {
    default: 0.01,
    doc: "The fixed part of the delay in one direction.",
  }),
  "jitter": optional(duration(), {
    default: 0.001,
    doc: "The mean of the queueing delay in one direction (with `normal`, its standard deviation).",
  }),
  "distribution": optional(word(["none", "exponential", "lomax", "normal"]), {
    default: "exponential",
    doc: "How the queueing delay is distributed.",
  }),
  "shape": optional(number(1.01, 100), {
    default: 1.5,
    doc: "The shape of the Lomax distribution.",
  }),
  "loss": optional(number(0, 1), { default: 0, doc: "The fraction of the packets that is lost." }),
  "congestion": optional(table(CONGESTION_KEYS), {
    build: (row) => completeIfWhole(CONGESTION_KEYS, row),
    doc: "Jitter that rises and falls with the hours: it is multiplied by " +
      "`1 + (factor - 1) max(0, sin(2 pi t / period))`.",
  }),
  "bursts": optional(table(BURST_KEYS), {
    build: (row) => completeIfWhole(BURST_KEYS, row),
    doc: "Spells of congestion at random times, independent for each direction.",
  }),
};

/** The keys of both directions. */
export const PATH_KEYS = {
  ...DIRECTION_KEYS,
  "asymmetry": optional(signedDuration, {
    otherwise: "0",
    doc:
      "How much longer the delay to the server is than the delay back; `delay` is then the mean " +
      "of both.",
  }),
  "forward": optional(table(DIRECTION_KEYS), {
    otherwise: "",
    doc: "Keys that differ on the way to the server.",
  }),
  "backward": optional(table(DIRECTION_KEYS), {
    otherwise: "",
    doc: "Keys that differ on the way back.",
  }),
};

/** One direction of a path. */
export type DirectionModel = Built<typeof DIRECTION_KEYS>;

/** What is said of the directions of a path; nothing of one means that it stays as it is. */
export interface PathChange {
  /** The way to the server. */
  readonly forward?: Partial<DirectionModel>;
  /** The way back. */
  readonly backward?: Partial<DirectionModel>;
}

/** Returns what a table says of the directions, and nothing that it does not say. */
export function pathChange(row: Partial<Row<typeof PATH_KEYS>>): PathChange {
  const { asymmetry } = row;
  const common = completeWritten(DIRECTION_KEYS, row);
  const mean = DIRECTION_KEYS.delay.build(row.delay);
  const shifted = (half: number) =>
    asymmetry === undefined ? common : { ...common, delay: Math.max(0, mean + half * asymmetry) };
  const forward = { ...shifted(0.5), ...completeWritten(DIRECTION_KEYS, row.forward) };
  const backward = { ...shifted(-0.5), ...completeWritten(DIRECTION_KEYS, row.backward) };
  return {
    ...(Object.keys(forward).length === 0 ? {} : { forward }),
    ...(Object.keys(backward).length === 0 ? {} : { backward }),
  };
}
