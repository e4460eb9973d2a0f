/**
 * The `[clock]` table: the machine that ntpsd runs on.
 *
 * @module
 */
import { duration, number, word } from "../../config/field.ts";
import { type Built, completeIfWhole, optional, required } from "../../config/key.ts";
import { table } from "../../config/table_field.ts";
import { ppm, signedDuration } from "./fields.ts";
import { OSCILLATOR_KEYS } from "./oscillator.ts";

const DRIFT_FILE_KEYS = {
  "frequency-ppm": required(ppm, { doc: "The frequency that the file holds." }),
  "skew-ppm": optional(number(0, 1000), { default: 1, doc: "Its uncertainty." }),
};

/** The keys of `[clock]`. */
export const CLOCK_KEYS = {
  "offset": optional(signedDuration, {
    default: 0.1,
    doc: "How far the clock is ahead of true time at the start.",
  }),
  "frequency-ppm": optional(ppm, {
    default: 50,
    doc: "The frequency error of the oscillator at the start.",
  }),
  ...OSCILLATOR_KEYS,
  "precision": optional(duration(), {
    default: 0,
    doc: "The step between two readings of the clock.",
  }),
  "timestamp-noise": optional(duration(), {
    default: 0,
    doc: "The mean of an exponential delay between each packet and its timestamp on this machine.",
  }),
  "timestamping": optional(word(["hardware", "kernel", "user"]), {
    default: "kernel",
    doc: "The kind of timestamps that ntpsd is told of.",
  }),
  "drift-file": optional(table(DRIFT_FILE_KEYS), {
    build: (row) => completeIfWhole(DRIFT_FILE_KEYS, row),
    doc: "The content of the drift file at the start.",
  }),
};

/** The machine that ntpsd runs on. */
export type MachineModel = Built<typeof CLOCK_KEYS>;
