/**
 * The `[[check]]` tables: what must hold at one moment.
 *
 * @module
 */
import { boolean, duration, number, word } from "../../config/field.ts";
import { type Built, completeIfWhole, optional, required, type Row } from "../../config/key.ts";
import { SYSTEM_STATES } from "../../engine/status/snapshot.ts";
import { STATUS_WORDS } from "../../selection/status.ts";
import { leapIndicator, mapOf, oneOrMore } from "./fields.ts";

/** The keys of `[[check]]`. */
export const CHECK_KEYS = {
  "at": required(duration(), { doc: "When, from the start; before an event of the same moment." }),
  "state": optional(oneOrMore(word(SYSTEM_STATES)), {
    default: [],
    otherwise: "any",
    doc: "The state of the system, or several.",
  }),
  "sources": optional(mapOf(oneOrMore(word(STATUS_WORDS))), {
    default: {},
    otherwise: "any",
    doc: "The status of a source, or several, by the server's name.",
  }),
  "max-error": optional(duration(), {
    otherwise: "any",
    doc: "The largest error of the clock at that moment.",
  }),
  "max-frequency-error-ppm": optional(number(0, 1e6), {
    otherwise: "any",
    doc: "The largest error of the clock's rate at that moment, slews included.",
  }),
  "leap": optional(leapIndicator, {
    otherwise: "any",
    doc: "The leap indicator that ntpsd states.",
  }),
  "kernel-synchronized": optional(boolean, {
    otherwise: "any",
    doc: "What the kernel says of its clock.",
  }),
};

/** What must hold at one moment; undefined means anything. */
export type Check = Built<typeof CHECK_KEYS>;

/** Builds the checks in their order; one with an error is missing. */
export function buildChecks(
  rows: readonly (Row<typeof CHECK_KEYS> | undefined)[],
): readonly Check[] {
  return rows.flatMap((row) => completeIfWhole(CHECK_KEYS, row) ?? []);
}
