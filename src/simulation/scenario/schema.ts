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
  "name": required(text, { doc: "What the scenario is called." }),
  "description": optional(text, { default: "", otherwise: "empty", doc: "What it shows." }),
  "duration": required(duration(1), { doc: "How long it runs." }),
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
      "What holds for every server that does not say otherwise, and for sources that no server " +
      "is written for.",
  }),
  "server": optional(sections(table(SERVER_KEYS), "name"), {
    otherwise: "",
    doc: "The servers of the simulated world.",
  }),
  "event": optional(sections(table(EVENT_KEYS), "at"), {
    otherwise: "",
    doc: "What happens when.",
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
    doc: "What must hold; the command ends with 1 if it does not.",
  }),
  "check": optional(sections(table(CHECK_KEYS), "at"), {
    otherwise: "",
    doc: "What must hold at one moment.",
  }),
};

/** Reads a whole scenario, before defaults and rules across keys. */
export const SCENARIO_SCHEMA: Field<RawScenario> = table(KEYS);

/** The scenario as it is read. */
export type RawScenario = Row<typeof KEYS>;
