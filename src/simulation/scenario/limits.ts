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
  "max-error": optional(duration(), { doc: "The largest allowed error in the measured part." }),
  "rms-error": optional(duration(), {
    doc: "The largest allowed RMS error in the measured part.",
  }),
  "time-to-1ms": optional(duration(), {
    doc: "The latest time from which the error stays below 1 ms.",
  }),
  "time-to-100us": optional(duration(), {
    doc: "The latest time from which the error stays below 100 us.",
  }),
  "steps": optional(integer(0, 1000), { doc: "The largest number of steps in the whole run." }),
  "requests-per-server": optional(integer(0, 1e9), {
    doc: "The largest number of requests to each server.",
  }),
  "bound-coverage": optional(number(0, 1), {
    doc: "The smallest fraction of the measured time in which the true error is within the bound.",
  }),
  "median-bound": optional(duration(), { doc: "The largest allowed median of the stated bound." }),
  "must-not-select": optional(list(text, "a list of names"), {
    default: [],
    doc: "Servers that must never be selected or combined.",
  }),
  "must-log": optional(list(text, "a list of texts"), {
    default: [],
    doc: "Texts that the log must contain.",
  }),
  "must-not-log": optional(list(text, "a list of texts"), {
    default: [],
    doc: "Texts that the log must not contain.",
  }),
  "panic": optional(boolean, {
    default: false,
    doc: "Whether ntpsd is expected to exit because a panic threshold is exceeded.",
  }),
};

/** What must hold; undefined means no limit. */
export type Limits = Built<typeof LIMITS_KEYS>;
