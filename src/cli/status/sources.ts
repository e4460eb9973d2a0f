/**
 * `ntpsd sources`: one row for each source, and why a source is not used.
 *
 * The idea: the first column is the mark that users of ntpq and chronyc know; what does not fit
 * into a row of 80 columns, the reason in a sentence, follows below the table.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import type { SourceDocument } from "../../engine/status/snapshot.ts";
import type { StatusWord } from "../../selection/status.ts";
import { type Command, hasOption, JSON_OPTION } from "../command.ts";
import { showStatus, STATUS_OPTIONS } from "./daemon_status.ts";
import { EXIT } from "../exit_code.ts";
import { formatAge, formatCount, formatOffset, formatSeconds } from "../display/quantity.ts";
import { sourceLabels } from "./source_label.ts";
import { type Paint, painter, plain, type Tone } from "../display/style.ts";
import { type Column, layOutTable, PAGE_WIDTH } from "../display/table.ts";
import { wrapText } from "../../base/wrap_text.ts";

/** The command `sources`. */
export const sourcesCommand: Command = {
  name: "sources",
  summary: "list the sources, and why a source is not used",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  options: {
    ...STATUS_OPTIONS,
    verbose: {
      type: "boolean",
      short: "v",
      doc: "show more of each source, and a legend of the marks",
    },
    json: JSON_OPTION,
  },
  more: `
Marks: * selected, + combined, - agrees but is not needed, . outlier,
       x falseticker, ~ too variable, ? not usable

Exit status: 0 done; 69 the daemon cannot be reached.
`,
  run(args, context) {
    const view = {
      verbose: hasOption(args, "verbose"),
      columns: context.columns,
      paint: painter(context.color),
    };
    return showStatus({ args, context }, ({ sources }) => ({
      text: hasOption(args, "json")
        ? `${JSON.stringify({ sources })}\n`
        : renderSources(sources, view),
      exitCode: EXIT.done,
    }));
  },
};

/** How the sources are shown. */
export interface SourcesView {
  /** Whether everything is told. */
  readonly verbose: boolean;
  /**
   * The width of the terminal; undefined when there is none, and names are then written in full.
   */
  readonly columns: number | undefined;
  /** What colours the text. */
  readonly paint: Paint;
}

/** Writes the table of sources for a person. */
export function renderSources(sources: readonly SourceDocument[], view: SourcesView): string {
  if (sources.length === 0) return "No sources are configured\n";
  const lines = [
    ...mainTable(sources, view),
    ...unusedLines(sources, view),
    ...(view.verbose
      ? ["", ...detailTable(sources, view), ...detailLines(sources), "", ...LEGEND]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** Returns the mark of a status: that of chronyc where it has one, that of ntpq elsewhere. */
export function tallyMark(status: StatusWord): string {
  switch (status) {
    case "selected":
      return "*";
    case "combined":
      return "+";
    case "candidate":
      return "-";
    case "outlier":
      return ".";
    case "falseticker":
      return "x";
    case "jittery":
      return "~";
    case "unreachable":
    case "unsynchronized":
    case "distant":
    case "loop":
    case "no-select":
    case "kissed":
    case "starting":
      return "?";
    default:
      return unreachable(status);
  }
}

const MAIN_COLUMNS: readonly Column[] = [
  { title: "  Source", align: "left", shrinks: true },
  { title: "St", align: "right" },
  { title: "Poll", align: "right" },
  { title: "Reach", align: "right" },
  { title: "Last", align: "right" },
  { title: "Offset", align: "right" },
  { title: "Delay", align: "right" },
  { title: "Error", align: "right" },
];

/** How the table of sources is shown. */
export interface TableView extends Pick<SourcesView, "columns" | "paint"> {
  /** One more column, if there is one. */
  readonly more?: { readonly title: string; readonly cells: readonly string[] };
}

/** Writes one row for each source, below the titles. */
export function mainTable(
  sources: readonly SourceDocument[],
  { columns, paint, more }: TableView,
): readonly string[] {
  const labels = sourceLabels(sources);
  const cells = sources.map((source, i) => [
    `${tallyMark(source.status)} ${labels[i] ?? ""}`,
    source.stratum === null ? "-" : `${source.stratum}`,
    formatAge(source.pollSeconds),
    source.reach.toString(8),
    formatAge(source.lastReplySecondsAgo),
    formatOffset(source.offsetSeconds),
    formatSeconds(source.delaySeconds),
    source.errorBoundSeconds === null ? "-" : `±${formatSeconds(source.errorBoundSeconds)}`,
    more?.cells[i] ?? "",
  ]);
  const last: readonly Column[] = more === undefined ? [] : [{ title: more.title, align: "left" }];
  const wanted = [...MAIN_COLUMNS, ...last];
  const [titles = "", ...lines] = layOutTable(wanted, cells, { width: columns });
  return [
    paint(titles, "strong"),
    ...lines.map((line, i) => paintMark(line, { status: sources[i]?.status, paint })),
  ];
}

/** Tells of every source that is not in use why it is not. */
function unusedLines(sources: readonly SourceDocument[], view: SourcesView): readonly string[] {
  const labels = sourceLabels(sources);
  const unused = sources.map((source, i) => ({ ...source, label: labels[i] ?? "" }))
    .filter((source) => !isUsed(source.status) && source.reason !== "");
  if (unused.length === 0) return [];
  const width = Math.max(40, view.columns ?? PAGE_WIDTH);
  const lines = unused.flatMap((source) => {
    const text = `${tallyMark(source.status)} ${source.label} (${source.status}): ${
      plain(source.reason)
    }`;
    const [first = "", ...rest] = wrapText(text, { width, indent: "    " });
    return [paintMark(first, { status: source.status, paint: view.paint }), ...rest];
  });
  return ["", ...lines];
}

const DETAIL_COLUMNS: readonly Column[] = [
  { title: "  Source", align: "left", shrinks: true },
  { title: "Reference", align: "left" },
  { title: "Auth", align: "left" },
  { title: "Timing", align: "left" },
  { title: "Jitter", align: "right" },
  { title: "Disp", align: "right" },
  { title: "Sent", align: "right" },
  { title: "Recv", align: "right" },
];

function detailTable(sources: readonly SourceDocument[], view: SourcesView): readonly string[] {
  const labels = sourceLabels(sources);
  const cells = sources.map((source, i) => [
    `${tallyMark(source.status)} ${labels[i] ?? ""}`,
    plain(source.referenceId ?? "-"),
    plain(source.authentication),
    plain(source.timestamping ?? "-"),
    formatSeconds(source.jitterSeconds),
    formatSeconds(source.dispersionSeconds),
    formatCount(source.sent),
    formatCount(source.received),
  ]);
  const [titles = "", ...lines] = layOutTable(DETAIL_COLUMNS, cells, { width: view.columns });
  return [
    view.paint(titles, "strong"),
    ...lines.map((line, i) => paintMark(line, { status: sources[i]?.status, paint: view.paint })),
  ];
}

/** Tells what has no column: addresses, what was dropped, and the state of NTS. */
export function detailLines(sources: readonly SourceDocument[]): readonly string[] {
  const labels = sourceLabels(sources);
  const blocks = sources.map((source, i) => {
    const facts = [
      `${plain(source.mode)}, ${
        source.address === null ? "no address yet" : plain(source.address)
      }`,
      ...ntsFacts(source),
      ...countList("dropped", source.dropped),
      ...(source.sendFailures > 0
        ? [`could not be sent: ${formatCount(source.sendFailures)} requests`]
        : []),
    ];
    return [
      `${tallyMark(source.status)} ${labels[i] ?? ""}`,
      ...facts.map((fact) => `    ${fact}`),
    ];
  });
  return ["", ...blocks.flat()];
}

function ntsFacts({ nts }: SourceDocument): readonly string[] {
  if (nts === null) return [];
  const exchange = nts.lastKeyExchange === null
    ? (nts.aead === null ? "no key exchange yet" : "keys of an earlier run")
    : `last key exchange ${plain(nts.lastKeyExchange)}`;
  const aead = nts.aead === null ? "" : `, AEAD ${nts.aead}`;
  const provisional = nts.provisional
    ? ["NTS: provisional, the certificate's dates wait for the right time"]
    : [];
  return [
    `NTS: ${nts.cookies} cookies${aead}, ${exchange}`,
    ...provisional,
    ...countList("NTS failures", nts.failures),
  ];
}

function countList(label: string, counts: Readonly<Record<string, number>>): readonly string[] {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  if (entries.length === 0) return [];
  const list = entries.map(([reason, count]) => `${plain(reason)} ${formatCount(count)}`);
  return [`${label}: ${list.join(", ")}`];
}

const LEGEND: readonly string[] = [
  "Marks      * selected, + combined, - agrees but is not needed, . outlier,",
  "           x falseticker, ~ too variable, ? not usable",
  "St         stratum: 1 has a reference clock, 2 is synchronised to a 1, and so on",
  "Poll       the time between requests",
  "Reach      the last eight requests in octal, newest last; 377: all had responses",
  "Last       the time since the last response",
  "Offset     how far the source is ahead of this clock (+) or behind it (-)",
  "Delay      the round trip to the source and back, without queues",
  "Error      half the interval in which the true offset must lie",
  "Reference  the reference ID: where the source gets its time",
  "Auth       what authenticates its responses: nts, mac (a symmetric key) or none",
  "Timing     what took the timestamps on this side: hardware (the network",
  "           interface), kernel, or user (this program, the least exact)",
  "Jitter     how far single measurements usually lie from the estimate",
  "Disp       the standard deviation of the estimated offset",
  "Sent       the requests sent",
  "Recv       the packets received, dropped ones included",
];

function isUsed(status: StatusWord): boolean {
  return status === "selected" || status === "combined";
}

function paintMark(
  line: string,
  { status, paint }: { readonly status: StatusWord | undefined; readonly paint: Paint },
): string {
  return status === undefined ? line : paint(line.slice(0, 1), tone(status)) + line.slice(1);
}

function tone(status: StatusWord): Tone {
  if (isUsed(status)) return "good";
  if (status === "falseticker" || status === "unreachable" || status === "kissed") return "bad";
  return status === "candidate" ? "faint" : "warning";
}
