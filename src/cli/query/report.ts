/**
 * What `ntpsd query` prints.
 *
 * @module
 */
import type { Timestamping } from "../../association/measurement.ts";
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import { formatOffset, formatSeconds } from "../display/quantity.ts";
import { type Paint, plain } from "../display/style.ts";
import { type Column, layOutTable, PAGE_WIDTH } from "../display/table.ts";
import { wrapText } from "../../base/wrap_text.ts";

/** The result for one host, as in the JSON document. */
export interface QueryResult {
  /** The host as written on the command line. */
  readonly name: string;
  /** Numeric, with port; null if the name was not resolved. */
  readonly address: string | null;
  /** Whether the response can be used. */
  readonly ok: boolean;
  /** A sentence if not ok. */
  readonly error: string | null;
  /** 1 to 15. */
  readonly stratum: number | null;
  /** What the server follows, as text. */
  readonly referenceId: string | null;
  /** Whether a leap second is announced. */
  readonly leap: LeapIndicator | null;
  /** Positive when the server is ahead. */
  readonly offsetSeconds: number | null;
  /** The round-trip delay. */
  readonly delaySeconds: number | null;
  /** The server's delay to its reference clock. */
  readonly rootDelaySeconds: number | null;
  /** The server's dispersion to its reference clock. */
  readonly rootDispersionSeconds: number | null;
  /** Half the interval in which the true offset lies, if the server is right. */
  readonly errorBoundSeconds: number | null;
  /** How the response was authenticated. */
  readonly authentication: "none" | "nts";
  /** The number of the AEAD algorithm. */
  readonly aead: number | null;
  /** The worse of the two local timestamps. */
  readonly timestamping: Timestamping | null;
  /** How many responses could be used. */
  readonly samples: number;
  /** What the key exchange told; null without NTS. */
  readonly nts: NtsFacts | null;
}

/** What the key exchange told. */
export interface NtsFacts {
  /** The address of the key exchange server. */
  readonly keyExchange: string;
  /** How many cookies it gave. */
  readonly cookies: number;
  /** The distinguished name in the server's certificate. */
  readonly certificateSubject: string;
  /** RFC 3339, UTC. */
  readonly certificateExpires: string;
}

/** How the results are shown. */
export interface ReportView {
  /** The width of the terminal; undefined if there is none. */
  readonly columns: number | undefined;
  /** What colours the text. */
  readonly paint: Paint;
}

/** Writes the results for a person: all that is known for one host, a table for several. */
export function renderQuery(results: readonly QueryResult[], view: ReportView): string {
  const [only] = results;
  const lines = results.length === 1 && only !== undefined
    ? oneResult(only, view)
    : manyResults(results, view);
  return `${lines.join("\n")}\n`;
}

function oneResult(result: QueryResult, { paint, columns }: ReportView): readonly string[] {
  const title = heading(result);
  if (!result.ok) {
    const line = `${paint("?", "bad")} ${title}: ${plain(result.error ?? "")}`;
    return wrapText(line, { width: columns ?? PAGE_WIDTH, indent: "    " });
  }
  const rows: readonly (readonly [string, string])[] = [
    ["Offset", `${formatOffset(result.offsetSeconds)} ±${formatSeconds(result.errorBoundSeconds)}`],
    ["", direction(result)],
    ["Delay", formatSeconds(result.delaySeconds)],
    ["Stratum", `${result.stratum}, reference ${plain(result.referenceId ?? "-")}`],
    [
      "Root",
      `delay ${formatSeconds(result.rootDelaySeconds)}, dispersion ${
        formatSeconds(result.rootDispersionSeconds)
      }`,
    ],
    ["Leap second", result.leap ?? "-"],
    [
      "Timestamps",
      result.timestamping === "user" ? "by this program" : `by the ${result.timestamping}`,
    ],
    ["Authentication", result.authentication === "nts" ? `NTS, AEAD ${result.aead}` : "none"],
    ...ntsRows(result.nts),
  ];
  return [paint(title, "strong"), ...rows.map(([label, text]) => `  ${label.padEnd(15)} ${text}`)];
}

function ntsRows(nts: NtsFacts | null): readonly (readonly [string, string])[] {
  if (nts === null) return [];
  return [
    ["Key exchange", `${plain(nts.keyExchange)}, ${nts.cookies} cookies`],
    ["Certificate", plain(nts.certificateSubject)],
    ["", `expires ${plain(nts.certificateExpires)}`],
  ];
}

function heading({ name, address }: QueryResult): string {
  return address === null || address === name ? plain(name) : `${plain(name)} (${plain(address)})`;
}

function direction(result: QueryResult): string {
  const offset = result.offsetSeconds ?? 0;
  if (Math.abs(offset) <= (result.errorBoundSeconds ?? 0)) {
    return "this clock agrees within the error";
  }
  return `this clock is ${offset > 0 ? "behind" : "ahead"}`;
}

const COLUMNS: readonly Column[] = [
  { title: "  Host", align: "left", shrinks: true },
  { title: "St", align: "right" },
  { title: "Offset", align: "right" },
  { title: "Delay", align: "right" },
  { title: "Error", align: "right" },
  { title: "Timing", align: "left" },
  { title: "Auth", align: "left" },
  { title: "Reference", align: "left" },
];

function manyResults(results: readonly QueryResult[], view: ReportView): readonly string[] {
  const cells = results.map((result) => [
    `${result.ok ? "*" : "?"} ${plain(result.name)}`,
    result.stratum === null ? "-" : `${result.stratum}`,
    formatOffset(result.offsetSeconds),
    formatSeconds(result.delaySeconds),
    result.ok ? `±${formatSeconds(result.errorBoundSeconds)}` : "-",
    result.timestamping ?? "-",
    result.authentication,
    plain(result.referenceId ?? "-"),
  ]);
  const [titles = "", ...lines] = layOutTable(COLUMNS, cells, { width: view.columns });
  const failures = results.filter((result) => !result.ok).flatMap((result) =>
    wrapText(`? ${heading(result)}: ${plain(result.error ?? "")}`, {
      width: view.columns ?? PAGE_WIDTH,
      indent: "    ",
    })
  );
  return [
    view.paint(titles, "strong"),
    ...lines,
    ...(failures.length === 0 ? [] : ["", ...failures]),
  ];
}
