/**
 * What an oscillator does to the frequency of a clock, that of the machine or of a server: their
 * common keys.
 *
 * @module
 */
import { duration, number } from "../../config/field.ts";
import { completeIfWhole, optional, required } from "../../config/key.ts";
import { table } from "../../config/table_field.ts";

const TEMPERATURE_KEYS = {
  "amplitude-ppm": required(number(0, 1000), { doc: "How far the frequency swings to each side." }),
  "period": required(duration(1), { doc: "How long one swing takes." }),
};

/** The keys of an oscillator. */
export const OSCILLATOR_KEYS = {
  "wander": optional(number(0, 1e-3), {
    default: 0,
    doc: "The standard deviation of the random step of the frequency in each second, as a ratio.",
  }),
  "temperature": optional(table(TEMPERATURE_KEYS), {
    build: (row) => completeIfWhole(TEMPERATURE_KEYS, row),
    doc: "A sinusoidal swing of the frequency.",
  }),
  "aging-ppm-per-day": optional(number(-100, 100), {
    default: 0,
    doc: "A steady change of the frequency.",
  }),
};
