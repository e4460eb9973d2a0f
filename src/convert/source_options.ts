/**
 * The options of a line that names a source, in chrony and ntpd alike: words, and words with a
 * value behind them.
 *
 * @module
 */
import { ipFamily } from "../base/ip_address.ts";
import type { Draft, DraftTable } from "./draft.ts";
import {
  hostWithPort,
  pollExponent,
  pollLimits,
  tellLimited,
  wholeNumber,
  withoutOptions,
} from "./shared_directives.ts";
import { NTS_KE_PORT } from "../base/ports.ts";
import type { Line } from "./read_lines.ts";

/** Options with a value that have no equivalent. */
const WITH_VALUE = new Set(
  ("presend polltarget minsamples maxsamples maxdelay mindelay maxdelayratio maxdelaydevratio" +
    " maxdelayquant minstratum version offset asymmetry filter extfield maxunreach ttl mode" +
    " subtype unit path ppspath flag1 flag2 flag3 flag4 time1 time2 refid stratum baud cert bias" +
    " certset holdover")
    .split(" "),
);
/** Options that ntpsd obeys without being told. */
const SILENT = new Set(["iburst", "dynamic"]);

/** What the options of a source say. */
export interface SourceOptions {
  /** Those with a value, by name. */
  readonly values: ReadonlyMap<string, string>;
  /** Those without a value. */
  readonly flags: ReadonlySet<string>;
  /** All that have no equivalent, as they are written. */
  readonly others: readonly string[];
}

const VALUES = new Set(["port", "ntsport", "minpoll", "maxpoll", "key", "maxsources", "ca"]);
const FLAGS = new Set(["nts", "prefer", "noselect", "trust", "require", "xleave", "true"]);

/** Takes options apart. */
export function readOptions(words: readonly string[]): SourceOptions {
  const values = new Map<string, string>(), flags = new Set<string>(), others: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = (words[i] ?? "").toLowerCase();
    const value = words[i + 1] ?? "";
    if (VALUES.has(word)) {
      values.set(word, value);
      i++;
    } else if (WITH_VALUE.has(word)) {
      if (word === "certset") values.set(word, value);
      else others.push(`${word} ${value}`.trim());
      i++;
    } else if (FLAGS.has(word)) flags.add(word);
    else if (!SILENT.has(word) && word !== "") others.push(words[i] ?? "");
  }
  return { values, flags, others };
}

/** Adds a source; returns its table. */
export function addSource(
  draft: Draft,
  line: Line,
  { host, isPool, options, authority }: {
    readonly host: string;
    readonly isPool: boolean;
    readonly options: SourceOptions;
    readonly authority: string | undefined;
  },
): DraftTable {
  const { values, flags } = options;
  const isNts = flags.has("nts");
  const limits = pollLimits(
    pollExponent(values.get("minpoll")),
    pollExponent(values.get("maxpoll")),
  );
  const count = isPool ? countOf(values.get("maxsources")) : undefined;
  const table = draft.add("source", {
    mode: isNts ? isPool ? "nts-pool" : "nts" : isPool ? "pool" : "server",
    address: hostWithPort(host, {
      port: values.get(isNts ? "ntsport" : "port"),
      usual: isNts ? NTS_KE_PORT : undefined,
    }),
    count,
    "certificate-authority": isNts ? values.get("ca") ?? authority : undefined,
    prefer: flags.has("prefer") && !flags.has("noselect") || undefined,
    trust: flags.has("trust") || flags.has("true") || undefined,
    require: flags.has("require") && !flags.has("noselect") || undefined,
    "no-select": flags.has("noselect") || undefined,
    key: isNts ? undefined : keyOf(values.get("key")),
    "poll-interval-limits": limits,
    interleaved: flags.has("xleave") || undefined,
  });
  const leftOver = isNts && values.has("port") ? [`port ${values.get("port")}`] : [];
  // what is of one family anyway needs no word for it
  const others = options.others.filter((option) =>
    ipFamily(host) === undefined || !/^(-|ipv)[46]$/i.test(option)
  );
  withoutOptions(table, line, [...others, ...leftOver]);
  tellLimited(table, { name: "minpoll", text: values.get("minpoll"), used: limits?.min });
  tellLimited(table, { name: "maxpoll", text: values.get("maxpoll"), used: limits?.max });
  if (isPool) {
    tellLimited(table, { name: "maxsources", text: values.get("maxsources"), used: count });
  }
  return table;
}

/** A key is never lost: what is no number stays as it is, and the source is not used. */
function keyOf(text: string | undefined): number | string | undefined {
  return text === undefined ? undefined : wholeNumber(text) ?? text;
}

function countOf(text: string | undefined): number | undefined {
  const count = wholeNumber(text);
  return count === undefined ? undefined : Math.max(1, Math.min(64, count));
}
