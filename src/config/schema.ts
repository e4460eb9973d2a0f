/**
 * The whole configuration: its sections, each of which has its keys in a file of `sections/`.
 *
 * From here come the reading of a file, the configuration that the program uses, the messages, the
 * reference, the differences of a reload, and the completion of shells. A new key is written in the
 * file of its section and nowhere else.
 *
 * @module
 */
import type { Config } from "./config.ts";
import { builtName, type Field, type Keys, type Row } from "./key.ts";
import { CLOCK } from "./sections/clock.ts";
import { CONTROL } from "./sections/control.ts";
import { KEYSET, SYMMETRIC_KEYS } from "./sections/keys.ts";
import { INCLUDE } from "./sections/include.ts";
import { NTS } from "./sections/nts.ts";
import { NTS_KE_SERVERS } from "./sections/nts_ke_server.ts";
import { OBSERVABILITY } from "./sections/observability.ts";
import { SOURCE_DEFAULTS } from "./sections/poll_interval.ts";
import { SECURITY } from "./sections/security.ts";
import { SERVERS } from "./sections/server.ts";
import { SOURCES } from "./sections/source.ts";
import { SYNCHRONIZATION } from "./sections/synchronization.ts";
import { table } from "./table_field.ts";

const KEYS = {
  "source-defaults": SOURCE_DEFAULTS,
  "source": SOURCES,
  "server": SERVERS,
  "nts-ke-server": NTS_KE_SERVERS,
  "keyset": KEYSET,
  "keys": SYMMETRIC_KEYS,
  "synchronization": SYNCHRONIZATION,
  "clock": CLOCK,
  "nts": NTS,
  "observability": OBSERVABILITY,
  "control": CONTROL,
  "security": SECURITY,
};

/** The keys that stand before all sections. */
const FILE_KEYS = { include: INCLUDE };

/** Reads the whole configuration, before defaults and rules across keys. */
export const SCHEMA: Field<RawConfig> = table({ ...KEYS, ...FILE_KEYS });

/** The sections as they are read, and what stands before them. */
export type RawConfig = Row<typeof KEYS & typeof FILE_KEYS>;

/** One section of the schema. */
export interface Section {
  /** Its name. */
  readonly name: string;
  /** As it stands in the file: `[clock]`, `[[source]]`. */
  readonly heading: string;
  /** What it is for. */
  readonly doc: string;
  /** Its keys by name. */
  readonly keys: Keys;
  /** Of sections of which there may be many: the key that tells them apart. */
  readonly identity: string | undefined;
}

/** The sections in the order of the reference. */
export const SECTIONS: readonly Section[] = Object.entries(KEYS).map(([name, { doc, field }]) => ({
  name,
  heading: field.identity === undefined ? `[${name}]` : `[[${name}]]`,
  doc,
  keys: field.keys ?? {},
  identity: field.identity,
}));

/** The keys that stand before all sections, as a section that has no name and no heading. */
export const BEFORE_SECTIONS: Section = {
  name: "",
  heading: "",
  doc: "What stands before the first section:",
  keys: FILE_KEYS,
  identity: undefined,
};

/** Returns what the program uses of a section: a record, or a list of them. */
export function sectionOf(config: Config, name: string): unknown {
  if (name === "keys") return { file: config.keysFile };
  const members: Readonly<Record<string, unknown>> = { ...config };
  return members[builtName(name)] ?? members[`${builtName(name)}s`];
}
