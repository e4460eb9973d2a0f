/**
 * The `[limits]` table: what must hold over the measured part, or over the whole run where it says
 * so.
 *
 * @module
 */
import { boolean, duration, integer, list, number, text } from "../../config/field.ts";
import { type Built, optional } from "../../config/key.ts";

/** The keys of `[limits]`. */
export const LIMITS_KEYS = {
  "max-error": optional(duration(), { doc: "The largest error over the measured part." }),
  "rms-error": optional(duration(), {
    doc: "The root mean square of the error over the measured part.",
  }),
  "time-to-1ms": optional(duration(), { doc: "How soon the error stays below 1 ms." }),
  "time-to-100us": optional(duration(), { doc: "How soon the error stays below 100 us." }),
  "steps": optional(integer(0, 1000), { doc: "How many steps there may be in the whole run." }),
  "requests-per-server": optional(integer(0, 1e9), {
    doc: "How many requests each server may get.",
  }),
  "bound-coverage": optional(number(0, 1), {
    doc: "The least part of the measured time that the true error is inside the stated bound.",
  }),
  "median-bound": optional(duration(), { doc: "The median of the stated bound." }),
  "must-not-select": optional(list(text, "a list of names"), {
    default: [],
    doc: "Servers that are never selected nor combined in the whole run.",
  }),
  "must-log": optional(list(text, "a list of texts"), {
    default: [],
    doc: "Texts that the log must contain.",
  }),
  "must-not-log": optional(list(text, "a list of texts"), {
    default: [],
    doc: "Texts that it must not.",
  }),
  "panic": optional(boolean, {
    default: false,
    doc: "Whether the daemon is expected to give up.",
  }),
};

/** What must hold; undefined means no limit. */
export type Limits = Built<typeof LIMITS_KEYS>;
