/**
 * timesyncd.conf(5) of systemd.
 *
 * @module
 */
import { parseDuration } from "../config/duration.ts";
import { NOT_UNDERSTOOD, pollLimits, UNKNOWN_NAME } from "./shared_directives.ts";
import type { Draft, Place } from "./draft.ts";
import { LINE_MAX, LINE_TOO_LONG } from "./read_lines.ts";

const BY_ITSELF = "ntpsd decides this by itself";
const REASONS: Readonly<Record<string, string>> = {
  connectionretrysec: BY_ITSELF,
  saveintervalsec: "ntpsd keeps no time on disk: it uses the real-time clock of the machine",
};

/** Drafts what a timesyncd.conf says. */
export function readTimesyncd(
  draft: Draft,
  { file, text }: { readonly file: string; readonly text: string },
): void {
  const names: Record<string, string[]> = { ntp: [], fallbackntp: [] };
  const polls: Record<string, number | undefined> = {};
  for (const [i, whole] of text.split(/\r?\n/).entries()) {
    const said = whole.trim();
    if (said === "" || /^[#;[]/.test(said)) continue;
    const place: Place = { file, line: i + 1, text: said };
    if (said.length > LINE_MAX) {
      draft.without(place, LINE_TOO_LONG);
      continue;
    }
    const [, key = "", value = ""] = /^([^=]*?)\s*=\s*(.*)$/.exec(said) ?? [];
    const word = key.toLowerCase();
    const list = Object.hasOwn(names, word) ? names[word] : undefined;
    // An empty list removes what was named before.
    if (list !== undefined && value === "") list.length = 0;
    else if (list !== undefined) list.push(...value.split(/\s+/));
    else if (word === "pollintervalminsec" || word === "pollintervalmaxsec") {
      polls[word] = exponentOf(value);
      const used = polls[word];
      if (used === undefined) draft.without(place, NOT_UNDERSTOOD);
      else if (2 ** used !== secondsOf(value)) draft.without(place, `${2 ** used} s are written`);
    } else if (word === "rootdistancemaxsec") {
      if (!draft.set("synchronization.max-distance", secondsOf(value))) {
        draft.without(place, NOT_UNDERSTOOD);
      }
    } else {
      const reason = Object.hasOwn(REASONS, word) ? REASONS[word] : undefined;
      draft.without(place, reason ?? UNKNOWN_NAME);
    }
  }
  addSources(draft, names);
  const limits = pollLimits(polls["pollintervalminsec"], polls["pollintervalmaxsec"]);
  if (limits !== undefined) draft.set("source-defaults.poll-interval-limits", limits);
}

function addSources(draft: Draft, names: Readonly<Record<string, readonly string[]>>): void {
  const { ntp = [], fallbackntp = [] } = names;
  for (const address of ntp.length > 0 ? ntp : fallbackntp) {
    draft.add("source", { mode: "server", address });
  }
  if (ntp.length > 0 && fallbackntp.length > 0) {
    const reason = `FallbackNTP=${fallbackntp.join(" ")}: ntpsd uses all sources at once; ` +
      "add these if they are to be used too";
    draft.remarks.push({ reason });
  }
  if (ntp.length === 0 && fallbackntp.length === 0) {
    const reason = "No server is named: systemd uses those of the network or its own; name some " +
      "in [[source]] sections";
    draft.remarks.push({ reason });
  }
}

/** Returns the exponent of two seconds nearest to a time span such as `34min 8s`. */
function exponentOf(text: string): number | undefined {
  const seconds = secondsOf(text);
  if (seconds === undefined || !(seconds > 0)) return undefined;
  return Math.max(0, Math.min(17, Math.round(Math.log2(seconds))));
}

function secondsOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : parseDuration(text.replaceAll(/\s+/g, ""));
}
