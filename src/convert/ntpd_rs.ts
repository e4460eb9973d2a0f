/**
 * ntp.toml of ntpd-rs, whose keys ntpsd has as well wherever they mean the same.
 *
 * The idea: all is taken over; what ntpsd does not know is replaced by a comment when the draft is
 * checked (`convert.ts`).
 *
 * @module
 */
import type { ConfigError } from "../config/config_error.ts";
import { isTable } from "../config/config_path.ts";
import { readToml } from "../config/toml.ts";
import { STATE } from "./shared_directives.ts";
import type { Draft, ListName, Value } from "./draft.ts";

/** Keys that lead to places of ntpd-rs itself. */
const OWN_PLACES: Readonly<Record<string, string>> = {
  "key-storage-path": `${STATE}/keys`,
  "drift-file": `${STATE}/drift`,
};

/** Drafts what an ntp.toml says; returns what is wrong with it if it is not TOML. */
export function readNtpdRs(draft: Draft, text: string): readonly ConfigError[] {
  const read = readToml(text);
  if (!read.ok) return read.error;
  for (const [name, section] of Object.entries(read.value)) {
    if (Object.hasOwn(draft.lists, name) && Array.isArray(section)) {
      for (const row of section) if (isTable(row)) draft.add(name as ListName, valuesOf(row));
    } else if (isTable(section)) {
      for (const [key, value] of Object.entries(valuesOf(section))) {
        draft.section(name).values.set(key, value);
      }
    } else {
      draft.remarks.push({ reason: `${name}: ntpsd has no such section` });
    }
  }
  return [];
}

function valuesOf(row: Readonly<Record<string, unknown>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [
      key,
      Object.hasOwn(OWN_PLACES, key) ? OWN_PLACES[key] ?? "" : valueOf(value),
    ]),
  );
}

/** Returns a value as it is; a date, which no key has, becomes text. */
function valueOf(value: unknown): Value {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return value;
  }
  if (Array.isArray(value)) return value.map(valueOf);
  if (!isTable(value)) return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, valueOf(part)]));
}
