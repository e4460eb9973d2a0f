/**
 * Makes an ntpsd.toml of the configuration of another time daemon.
 *
 * The problem: a foreign configuration may hold anything, and what comes out must be one that
 * ntpsd accepts. The idea: a dialect drafts, the draft is printed and checked as any configuration
 * is, and what is refused becomes a comment with the reason, until nothing is refused. A source
 * whose key or certificate is refused goes as a whole: it must not be asked without.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import type { ConfigError } from "../config/config_error.ts";
import { parseConfig } from "../config/parse.ts";
import { readChrony } from "./chrony.ts";
import { detectDialect, type Dialect, DIALECTS, FILE_NAMES } from "./detect.ts";
import { Draft, type DraftTable, type ListName } from "./draft.ts";
import { readNtpConf } from "./ntp_conf.ts";
import { readNtpdRs } from "./ntpd_rs.ts";
import { readOpenNtpd } from "./openntpd.ts";
import { type Reader, TEXT_MAX } from "./read_lines.ts";
import { readTimesyncd } from "./timesyncd.ts";
import { writeDraft, writeValue } from "./write.ts";
import { unreachable } from "../base/assert.ts";

/** What to convert. */
export interface Foreign {
  /** The file that the text is from; files that it includes are found from there. */
  readonly file: string;
  /** Its text. */
  readonly text: string;
  /** The format; found out by the words of the text when left out. */
  readonly dialect?: Dialect | undefined;
  /** Reads what it includes. */
  readonly reader: Reader;
}

/** What came of it. */
export interface Converted {
  /** The format. */
  readonly dialect: Dialect;
  /** The configuration for ntpsd. */
  readonly text: string;
  /** How many lines, or parts of them, have no equivalent. */
  readonly remarkCount: number;
}

/** So often a draft is checked. */
const CHECKS_MAX = 50;

/** Returns the configuration for ntpsd, or a sentence that says why there is none. Never throws. */
export function convert(foreign: Foreign): Result<Converted, string> {
  const { length } = foreign.text;
  if (length > TEXT_MAX) {
    return err(
      `${foreign.file} cannot be converted: Wanted at most ${TEXT_MAX} characters, found ${length}`,
    );
  }
  const dialect = foreign.dialect ?? detectDialect(foreign.text, foreign.file);
  if (dialect === undefined) {
    return err(
      `Cannot tell of which program ${foreign.file} is; say so with --from ${DIALECTS.join("|")}`,
    );
  }
  const draft = new Draft();
  const refused = read(draft, { ...foreign, dialect });
  if (refused.length > 0) return err(`${foreign.file}: ${refused[0]?.message}`);
  dropUnusedKeys(draft);
  const wantsProof = dialect === "chrony" && decidesByProof(draft);
  const from = `${foreign.file} (${FILE_NAMES[dialect]})`;
  for (let i = 0; i < CHECKS_MAX; i++) {
    if (wantsProof && !draft.lists.source.some(isAuthenticated)) dropPlainSources(draft);
    const text = writeDraft(draft, from);
    const parsed = parseConfig(text);
    if (parsed.ok) return ok({ dialect, text, remarkCount: countRemarks(draft) });
    const whole = parsed.error.find(({ path }) => path === "");
    if (whole !== undefined) {
      return err(
        `${foreign.file} cannot be converted: what comes of it is refused: ${whole.message}`,
      );
    }
    // From the end, since a table that is removed moves those that follow it in its list.
    const removed = new Set<string>();
    for (const error of parsed.error.toReversed()) {
      const [table = ""] = /^[^.]*/.exec(error.path) ?? [];
      if (!removed.has(table) && removeRefused(draft, error)) removed.add(table);
    }
  }
  return err(`${foreign.file} cannot be converted: what it says contradicts itself`);
}

function read(
  draft: Draft,
  foreign: Foreign & { readonly dialect: Dialect },
): readonly ConfigError[] {
  const { dialect } = foreign;
  switch (dialect) {
    case "chrony":
      readChrony(draft, foreign);
      return [];
    case "ntp":
      readNtpConf(draft, foreign);
      return [];
    case "openntpd":
      readOpenNtpd(draft, foreign);
      return [];
    case "timesyncd":
      readTimesyncd(draft, foreign);
      return [];
    case "ntpd-rs":
      return readNtpdRs(draft, foreign.text);
    default:
      return unreachable(dialect);
  }
}

/** Whether a chronyd with these sources lets no plain source decide. */
function decidesByProof(draft: Draft): boolean {
  const mode = draft.sections.get("synchronization")?.values.get("authentication");
  return mode === "require" || mode !== "ignore" && draft.lists.source.some(isAuthenticated);
}

function isAuthenticated({ values }: DraftTable): boolean {
  return values.has("key") || String(values.get("mode")).startsWith("nts");
}

/** Sources that were never to decide do not when the others are left out: they go as well. */
function dropPlainSources(draft: Draft): void {
  const reason = "no authenticated source is left, and this one would decide alone";
  const plain = draft.lists.source.filter(({ values }) => values.get("no-select") !== true);
  for (const table of plain) {
    removeTable(draft, { list: "source", index: draft.lists.source.indexOf(table), reason });
  }
}

/** A missing file of keys keeps ntpsd from starting: it is named where a key may be used. */
function dropUnusedKeys(draft: Draft): void {
  const isUsed = draft.lists.source.some(({ values }) => values.has("key"));
  const file = draft.sections.get("keys")?.values.get("file");
  if (isUsed || draft.lists.server.length > 0 || file === undefined) return;
  draft.sections.delete("keys");
  const reason = `[keys] file = ${writeValue(file)} is left out: no source uses a key`;
  draft.remarks.push({ reason });
}

/**
 * Keys without which a table is left out as a whole: it would be another one, or open to others.
 */
const VITAL: Readonly<Record<ListName, readonly string[]>> = {
  source: ["mode", "address", "key", "certificate-authority", "aead-algorithms"],
  server: ["listen", "allowlist", "denylist", "require-nts"],
  "nts-ke-server": ["listen", "certificate-chain-path", "private-key-path"],
};

/** Replaces what an error is about by a comment; tells whether a whole table went. */
function removeRefused(draft: Draft, error: ConfigError): boolean {
  const [, name = "", index, key] = /^([^.[]*)(?:\[(\d+)\])?(?:\.([^.[]*))?/.exec(error.path) ?? [];
  const { message, suggestion } = error;
  const reason = suggestion === undefined ? message : `${message} (${suggestion})`;
  if (index !== undefined && Object.hasOwn(draft.lists, name)) {
    return removeFromList(draft, name as ListName, { index: Number(index), key, reason });
  }
  const table = draft.sections.get(name);
  if (table !== undefined && key !== undefined && removeKey(table, { key, reason })) {
    if (table.values.size > 0) return false;
    draft.remarks.push(...table.remarks);
  } else draft.remarks.push({ reason: `[${name}]: ${reason}` });
  draft.sections.delete(name);
  return true;
}

function removeFromList(
  draft: Draft,
  list: ListName,
  { index, key, reason }: {
    readonly index: number;
    readonly key: string | undefined;
    readonly reason: string;
  },
): boolean {
  const table = draft.lists[list][index];
  if (table === undefined) return true;
  const isVital = key === undefined || VITAL[list].includes(key);
  if (!isVital && removeKey(table, { key, reason })) return false;
  removeTable(draft, { list, index, reason });
  return true;
}

function removeTable(
  draft: Draft,
  { list, index, reason }: {
    readonly list: ListName;
    readonly index: number;
    readonly reason: string;
  },
): void {
  const [table] = draft.lists[list].splice(index, 1);
  if (table === undefined) return;
  const written = [...table.values].map(([name, value]) => `${name} = ${writeValue(value)}`);
  draft.remarks.push(...table.remarks, { reason: `[[${list}]] ${written.join(", ")}: ${reason}` });
}

function removeKey(
  table: DraftTable,
  { key, reason }: { readonly key: string; readonly reason: string },
): boolean {
  const value = table.values.get(key);
  if (value === undefined) return false;
  table.values.delete(key);
  table.remarks.push({ reason: `${key} = ${writeValue(value)}: ${reason}` });
  return true;
}

function countRemarks(draft: Draft): number {
  const tables = [...Object.values(draft.lists).flat(), ...draft.sections.values()];
  return draft.remarks.length + tables.reduce((sum, { remarks }) => sum + remarks.length, 0);
}
