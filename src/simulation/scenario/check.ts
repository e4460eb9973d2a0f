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
  "at": required(duration(), {
    doc: "The time from the start; checked before an event of the same time.",
  }),
  "state": optional(oneOrMore(word(SYSTEM_STATES)), {
    default: [],
    otherwise: "any",
    doc: "The expected state, or the states that are allowed.",
  }),
  "sources": optional(mapOf(oneOrMore(word(STATUS_WORDS))), {
    default: {},
    otherwise: "any",
    doc: "The expected status of a source, or those allowed, by the name of its server.",
  }),
  "max-error": optional(duration(), {
    otherwise: "any",
    doc: "The largest allowed error of the clock.",
  }),
  "max-frequency-error-ppm": optional(number(0, 1e6), {
    otherwise: "any",
    doc: "The largest allowed error of the rate of the clock, slews included.",
  }),
  "leap": optional(leapIndicator, {
    otherwise: "any",
    doc: "The leap indicator that ntpsd states.",
  }),
  "kernel-synchronized": optional(boolean, {
    otherwise: "any",
    doc: "Whether the kernel regards its clock as synchronised.",
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
