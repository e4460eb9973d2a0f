/**
 * Tells of which program a configuration is, by its words.
 *
 * @module
 */
import { readToml } from "../config/toml.ts";

/** The formats that can be converted. */
export const DIALECTS = ["chrony", "ntp", "openntpd", "timesyncd", "ntpd-rs"] as const;

/** One of the formats. */
export type Dialect = typeof DIALECTS[number];

/** What files of a format are called. */
export const FILE_NAMES: Readonly<Record<Dialect, string>> = {
  chrony: "chrony.conf",
  ntp: "ntp.conf",
  openntpd: "ntpd.conf of OpenNTPD",
  timesyncd: "timesyncd.conf",
  "ntpd-rs": "ntp.toml of ntpd-rs",
};

/** Words with which a line begins in one format only. */
const WORDS: readonly (readonly [Dialect, ReadonlySet<string>])[] = [
  [
    "chrony",
    wordSet(
      "makestep rtcsync allow deny keyfile leapsectz leapseclist logdir log ntsdumpdir confdir sourcedir include" +
        " bindcmdaddress cmdport cmdallow cmddeny maxupdateskew local minsources authselectmode hwtimestamp" +
        " maxslewrate maxdistance maxchange commandkey generatecommandkey stratumweight initstepslew" +
        " ntsservercert ntsserverkey ntstrustedcerts ratelimit clientloglimit noclientlog port bindaddress" +
        " bindacqaddress user lock_all sched_priority smoothtime leapsecmode combinelimit dumpdir dumponexit" +
        " rtconutc rtcfile mailonchange logchange logbanner manual acquisitionport corrtimeratio",
    ),
  ],
  [
    "ntp",
    wordSet(
      "restrict tos tinker statistics filegen statsdir fudge keys trustedkey requestkey controlkey" +
        " leapfile limit disable enable interface nic includefile broadcast broadcastclient multicastclient manycastclient" +
        " manycastserver crypto keysdir autokey logconfig mru monitor setvar unpeer discard nts" +
        " rlimit leapsmearinterval",
    ),
  ],
  ["openntpd", wordSet("servers listen constraint constraints sensor query")],
];
/** Keys that ntpd-rs has and ntpsd has not. */
const NTPD_RS =
  /^\s*(algorithm|observation-path|observation-permissions|metrics-exporter-listen|enable-srv-resolution|rate-limiting-cutoff-ms|rate-limiting-cache-size|warn-on-jump|enforcement)\b|^\s*\[synchronization\.algorithm\]|^\s*mode\s*=\s*"(sock|pps)"/m;
const SOURCE = /^\s*(server|pool|peer|refclock)\s+\S/;

/**
 * Returns the format of a text; undefined if it is none of these, TOML of ntpsd for instance.
 * `file` decides where the words do not.
 */
export function detectDialect(text: string, file = ""): Dialect | undefined {
  const lines = text.split(/\r?\n/).slice(0, 20_000);
  if (lines.some((line) => /^\s*\[Time\]\s*$/.test(line))) return "timesyncd";
  if (lines.some((line) => /^\s*\[\[?[a-z-]+\]?\]/.test(line))) {
    return NTPD_RS.test(text) && readToml(text).ok ? "ntpd-rs" : undefined;
  }
  const counts = WORDS.map(([dialect, words]) => ({
    dialect,
    count: lines.filter((line) => begins(line, words)).length,
  }));
  const most = counts.reduce((best, each) => each.count > best.count ? each : best);
  if (most.count > 0) return most.dialect;
  if (!lines.some((line) => SOURCE.test(line))) return undefined;
  return /(^|\/)ntp\.conf$/.test(file)
    ? "ntp"
    : /(^|\/)ntpd\.conf$/.test(file)
    ? "openntpd"
    : "chrony";
}

/** Whether a line is a directive with one of the words: it has no sign of TOML behind the word. */
function begins(line: string, words: ReadonlySet<string>): boolean {
  const [, word = ""] = /^\s*([a-z_]+)(?![\w-])(?!\s*[=.])/i.exec(line) ?? [];
  return words.has(word.toLowerCase());
}

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(" "));
}
