/**
 * ntpd.conf(5) of OpenNTPD.
 *
 * @module
 */
import { NTP_PORT } from "../base/ports.ts";
import { addServers, UNKNOWN_NAME, wholeNumber } from "./shared_directives.ts";
import type { Draft } from "./draft.ts";
import { Files, type Line, type Reader } from "./read_lines.ts";

/** Words without equivalent, and why. */
const REASONS: Readonly<Record<string, string>> = {
  constraint: 'HTTPS servers are not asked for the time: a source with mode = "nts" cannot lie ' +
    "unnoticed either",
  constraints: 'HTTPS servers are not asked for the time: a source with mode = "nts" cannot lie ' +
    "unnoticed either",
  sensor: "ntpsd does not use time sensors: name a server",
  query: "the system chooses the source address of requests",
};

/** Drafts what an ntpd.conf says. */
export function readOpenNtpd(
  draft: Draft,
  { file, text, reader }: { readonly file: string; readonly text: string; readonly reader: Reader },
): void {
  const addresses: string[] = [];
  new Files({
    draft,
    reader,
    isComment: /#.*$/,
    take: (line) => take(line, { draft, addresses }),
  }).each(file, text);
  if (addresses.length === 0) return;
  const isAll = addresses.includes("*");
  addServers(draft, {
    addresses: isAll ? [] : addresses,
    port: NTP_PORT,
    allow: undefined,
    deny: [],
    rateLimit: undefined,
  });
}

function take(
  line: Line,
  { draft, addresses }: { readonly draft: Draft; readonly addresses: string[] },
): void {
  const [first = "", second] = line.rest;
  if (line.word === "server" || line.word === "servers") {
    return source(draft, line);
  }
  if (line.word === "listen" && first === "on" && second !== undefined) {
    addresses.push(second);
    if (line.rest.length > 2) draft.without(line, "routing tables are not chosen by ntpsd");
    return;
  }
  const reason = Object.hasOwn(REASONS, line.word) ? REASONS[line.word] : undefined;
  draft.without(line, reason ?? UNKNOWN_NAME);
}

/** Adds a source: `servers` uses all addresses of the name. */
function source(draft: Draft, line: Line): void {
  const [host = "", ...options] = line.rest;
  const isPool = line.word === "servers";
  const table = draft.add("source", { mode: isPool ? "pool" : "server", address: host });
  const weight = options.indexOf("weight");
  if (weight >= 0 && wholeNumber(options[weight + 1]) !== 1) {
    const text = `weight ${options[weight + 1] ?? ""}`;
    table.remarks.push({
      place: { ...line, text },
      reason: "sources are weighted by their errors",
    });
  }
  if (options.includes("trusted")) {
    const reason = "it meant that no constraint is needed, and there are none here";
    table.remarks.push({ place: { ...line, text: "trusted" }, reason });
  }
}
