/**
 * The keys of a scenario file: those of its top here, those of each table in a file of its own.
 *
 * @module
 */
import { duration, integer, text } from "../../config/field.ts";
import { type Field, optional, required, type Row } from "../../config/key.ts";
import { sections, table } from "../../config/table_field.ts";
import { CHECK_KEYS } from "./check.ts";
import { CLOCK_KEYS } from "./clock.ts";
import { EVENT_KEYS } from "./event.ts";
import { anyTable, date } from "./fields.ts";
import { LIMITS_KEYS } from "./limits.ts";
import { SERVER_DEFAULTS_KEYS, SERVER_KEYS } from "./server.ts";

/** The keys at the top that say something of the whole run. */
export const RUN_KEYS = {
  "name": required(text, { doc: "The name of the scenario." }),
  "description": optional(text, {
    default: "",
    otherwise: "empty",
    doc: "What the scenario shows.",
  }),
  "duration": required(duration(1), { doc: "The simulated time that it runs." }),
  "measure-from": optional(duration(), {
    otherwise: "a quarter of the duration",
    doc: "When the statistics begin.",
  }),
  "seed": optional(integer(0, 0xffff_ffff), {
    default: 1,
    doc: "The seed, unless another one is given on the command line.",
  }),
  "start": optional(date, {
    default: 1_772_323_200_000_000_000n,
    doc: "True time at the start.",
  }),
};

const KEYS = {
  ...RUN_KEYS,
  "clock": optional(table(CLOCK_KEYS), { otherwise: "", doc: "The clock of the machine." }),
  "server-defaults": optional(table(SERVER_DEFAULTS_KEYS), {
    otherwise: "",
    doc:
      "The properties of every server that does not state others, and of the servers of sources " +
      "without a `[[server]]`.",
  }),
  "server": optional(sections(table(SERVER_KEYS), "name"), {
    otherwise: "",
    doc: "The servers of the simulated world.",
  }),
  "event": optional(sections(table(EVENT_KEYS), "at"), {
    otherwise: "",
    doc: "Events, each at a time from the start.",
  }),
  "configuration": optional(text, {
    doc: "A configuration file of ntpsd, relative to the scenario file, instead of `[ntpsd]`.",
  }),
  "ntpsd": optional(anyTable(), {
    otherwise: "one source for each server",
    doc: "A configuration of ntpsd, as in its own file.",
  }),
  "limits": optional(table(LIMITS_KEYS), {
    otherwise: "",
    doc: "Limits for the run; if one is broken, the command exits with 1.",
  }),
  "check": optional(sections(table(CHECK_KEYS), "at"), {
    otherwise: "",
    doc: "Conditions at one moment.",
  }),
};

/** Reads a whole scenario, before defaults and rules across keys. */
export const SCENARIO_SCHEMA: Field<RawScenario> = table(KEYS);

/** The scenario as it is read. */
export type RawScenario = Row<typeof KEYS>;
