/**
 * `ntpsd status`: how the clock stands, for a person or as JSON.
 *
 * @module
 */
import {
  isTimeKnown,
  type ServerDocument,
  type StatusDocument,
  type SystemState,
} from "../../engine/status/snapshot.ts";
import { unreachable } from "../../base/assert.ts";
import { totalOf } from "../../base/reason_counter.ts";
import { type Command, hasOption, JSON_OPTION } from "../command.ts";
import { showStatus, STATUS_OPTIONS } from "./daemon_status.ts";
import { EXIT } from "../exit_code.ts";
import {
  formatCount,
  formatOffset,
  formatPpm,
  formatSeconds,
  formatSpan,
} from "../display/quantity.ts";
import { type Paint, painter, plain, type Tone } from "../display/style.ts";
import { type Column, layOutTable, PAGE_WIDTH } from "../display/table.ts";
import { wrapText } from "../../base/wrap_text.ts";

/** The command `status`. */
export const statusCommand: Command = {
  name: "status",
  summary: "show the state of the clock",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  options: {
    ...STATUS_OPTIONS,
    verbose: {
      type: "boolean",
      short: "v",
      doc: "add busiest clients (client-table = true) and timestamp fall-backs",
    },
    json: JSON_OPTION,
  },
  more: `
An offset is positive when the servers are ahead of this clock. The error bound
is the most by which this clock can be wrong if the servers are right.

Exit status: 0 synchronised, in holdover or monitoring; 1 not synchronised;
69 the daemon cannot be reached.
`,
  run(args, context) {
    const view = {
      now: Date.now(),
      paint: painter(context.color),
      verbose: hasOption(args, "verbose"),
    };
    return showStatus({ args, context }, (document) => ({
      text: hasOption(args, "json")
        ? `${JSON.stringify(document)}\n`
        : renderStatus(document, view),
      exitCode: isTimeKnown(document.state) ? EXIT.done : EXIT.no,
    }));
  },
};

/** What the rendering depends on beside the document. */
export interface StatusView {
  /** The time of day in milliseconds since 1970, for ages. */
  readonly now: number;
  /** What colours the text. */
  readonly paint: Paint;
  /** Whether the busiest clients and the reasons for other timestamps are listed. */
  readonly verbose: boolean;
}

/** Writes the status document for a person. */
export function renderStatus(document: StatusDocument, view: StatusView): string {
  const { now, verbose } = view;
  const running = formatSpan((now - Date.parse(document.startedAt)) / 1000);
  const lines = [
    `ntpsd ${plain(document.version)}, running for ${running}`,
    "",
    ...rows(document, view).flatMap(([label, text]) => rowLines(label, text)),
    ...document.servers.flatMap((server) => ["", ...serverLines(server, verbose)]),
    ...document.ntsKe.flatMap((listener) => [
      "",
      `Key exchange on ${plain(listener.listen)}`,
      `  ${formatCount(listener.accepted)} connections, ${
        formatCount(listener.completed)
      } completed`,
      ...reasons("failed", listener.failed),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

const LABEL_WIDTH = 17;

function rowLines(label: string, text: string): readonly string[] {
  const indent = " ".repeat(LABEL_WIDTH);
  return wrapText(label.padEnd(LABEL_WIDTH) + text, { width: PAGE_WIDTH, indent });
}

type Rows = readonly (readonly [string, string])[];

function rows(document: StatusDocument, view: StatusView): Rows {
  const { paint } = view;
  const [words, tone] = stateWords(document.state);
  // nothing is known of the way to a reference clock, which is not the same as none
  const isUnknown = document.errorBoundSeconds === null && !isTimeKnown(document.state);
  const reason: Rows = document.why === "" ? [] : [["Why", plain(document.why)]];
  return [
    ["State", paint(words, tone)],
    ...reason,
    ["Clock", clockWords(document)],
    ["Sources", sourceWords(document)],
    ...errorRows(document, view),
    ...ntsRow(document),
    ["Stratum", `${document.stratum}`],
    ["Reference", referenceWords(document, view)],
    ["Offset", formatOffset(document.offsetSeconds)],
    [
      "Error bound",
      document.errorBoundSeconds === null ? "-" : `±${formatSeconds(document.errorBoundSeconds)}`,
    ],
    ["Frequency", frequencyWords(document)],
    ["Root delay", formatSeconds(isUnknown ? null : document.rootDelaySeconds)],
    ["Root dispersion", formatSeconds(isUnknown ? null : document.rootDispersionSeconds)],
    ["Update interval", formatSeconds(document.updateIntervalSeconds)],
    ["Leap second", leapWords(document.leap)],
    ["Steps", stepWords(document)],
    ...(view.verbose ? timestampRow(document) : []),
  ];
}

/** What is configured and does not work. */
function errorRows(document: StatusDocument, { paint }: StatusView): Rows {
  const { functions, internalErrors } = document;
  const rows = functions.filter(({ up }) => !up).map(({ kind, name, reason }) =>
    ["Not working", paint(plain(`${kind} ${name}: ${reason}`), "bad")] as const
  );
  if (!(internalErrors > 0)) return rows;
  const count = `${internalErrors}, please report what the log says of them`;
  return [...rows, ["Errors of ntpsd", paint(count, "bad")]];
}

/** Returns the words for a state, and what they are about. */
export function stateWords(state: SystemState): readonly [string, Tone] {
  switch (state) {
    case "synchronized":
      return ["synchronised", "good"];
    case "starting":
      return ["starting", "warning"];
    case "holdover":
      return ["holdover: running on without sources", "warning"];
    case "monitoring":
      return ["monitoring: measuring only", "warning"];
    case "unsynchronized":
      return ["not synchronised", "bad"];
    default:
      return unreachable(state);
  }
}

function clockWords({ adjusting }: StatusDocument): string {
  return adjusting ? "adjusted by ntpsd" : "left alone by ntpsd";
}

function sourceWords({ sources }: StatusDocument): string {
  const agreeing = sources.filter(({ status }) => status === "selected" || status === "combined");
  const lead = sources.find(({ status }) => status === "selected");
  const following = lead === undefined ? "" : `, led by ${plain(lead.name)}`;
  return `${agreeing.length} of ${sources.length} in use${following}`;
}

function ntsRow({ sources }: StatusDocument): Rows {
  const secured = sources.flatMap(({ nts }) => nts ?? []);
  if (secured.length === 0) return [];
  const withKeys = secured.filter(({ aead }) => aead !== null).length;
  const provisional = secured.filter((nts) => nts.provisional).length;
  const waiting = provisional === 0 ? "" : `, ${provisional} provisional`;
  return [["NTS", `${withKeys} of ${secured.length} with keys${waiting}`]];
}

function referenceWords(document: StatusDocument, { now }: StatusView): string {
  // What is served while the time is not known, INIT, names no reference.
  const id = isTimeKnown(document.state) ? plain(document.referenceId) || "-" : undefined;
  if (document.referenceTime === null) return id ?? "-";
  const age = `${formatSpan((now - Date.parse(document.referenceTime)) / 1000)} ago`;
  return id === undefined ? `none now, the last update was ${age}` : `${id}, last update ${age}`;
}

function frequencyWords({ frequencyPpm, skewPpm }: StatusDocument): string {
  // zero without a skew has not been measured
  if (skewPpm === null && frequencyPpm === 0) return "-";
  const skew = skewPpm === null ? "" : ` (±${skewPpm.toFixed(3)} ppm)`;
  return `${formatPpm(frequencyPpm)}${skew}`;
}

function leapWords(leap: StatusDocument["leap"]): string {
  switch (leap) {
    case "none":
      return "none announced";
    case "insert":
      return "one is inserted at the end of the day (UTC)";
    case "delete":
      return "one is left out at the end of the day (UTC)";
    case "unknown":
      return "unknown";
    default:
      return unreachable(leap);
  }
}

function stepWords({ steps }: StatusDocument): string {
  if (steps.count === 0) return "none";
  return `${steps.count}, together ${formatSeconds(steps.accumulatedSeconds)}`;
}

/** Why the timestamps of the kernel are used in place of the network interface's. */
function timestampRow({ hardwareTimestampFallbacks }: StatusDocument): Rows {
  const counts = reasonCounts(hardwareTimestampFallbacks);
  return counts === undefined
    ? []
    : [["Timestamps", `kernel in place of hardware timestamps, by reason: ${counts}`]];
}

function serverLines(server: ServerDocument, verbose: boolean): readonly string[] {
  const counts = [
    `${formatCount(server.received)} requests`,
    `${formatCount(server.answered)} answered`,
    ...(server.denied > 0 ? [`${formatCount(server.denied)} denied`] : []),
    ...(server.rateLimited > 0 ? [`${formatCount(server.rateLimited)} over the rate limit`] : []),
  ];
  const kinds = [
    ...(server.interleaved > 0
      ? [`${formatCount(server.interleaved)} answered in interleaved mode`]
      : []),
    ...(server.kisses > 0 ? [`${formatCount(server.kisses)} kisses`] : []),
    ...(server.controlAnswered > 0
      ? [`${formatCount(server.controlAnswered)} control requests (mode 6) answered`]
      : []),
  ];
  const { answered, naks } = server.nts;
  const nts = answered + naks === 0
    ? []
    : [`  NTS: ${formatCount(answered)} answered, ${formatCount(naks)} refused (NAK)`];
  return [
    `Server on ${plain(server.listen)}`,
    `  ${counts.join(", ")}`,
    ...(kinds.length === 0 ? [] : [`  ${kinds.join(", ")}`]),
    ...nts,
    ...reasons("dropped", server.dropped),
    ...(verbose ? clientLines(server) : []),
  ];
}

/** The busiest clients; a count that may be too high says by how much. */
function clientLines({ clients = [] }: ServerDocument): readonly string[] {
  if (clients.length === 0) return [];
  const rows = clients.map(({ prefix, requests, error }) => [
    plain(prefix),
    formatCount(requests),
    error === 0 ? "" : `at least ${formatCount(requests - error)}`,
  ]);
  return ["", ...layOutTable(CLIENT_COLUMNS, rows).map((line) => `  ${line}`)];
}

const CLIENT_COLUMNS: readonly Column[] = [
  { title: "Busiest clients", align: "left" },
  { title: "Requests", align: "right" },
  { title: "", align: "left" },
];

function reasons(word: string, counts: Readonly<Record<string, number>>): readonly string[] {
  const list = reasonCounts(counts);
  if (list === undefined) return [];
  const lines = wrapText(`${formatCount(totalOf(counts))} ${word}: ${list}`, {
    width: 78,
    indent: "  ",
  });
  return lines.map((line) => `  ${line}`);
}

/** Lists counts by reason; undefined when nothing was counted. */
function reasonCounts(counts: Readonly<Record<string, number>>): string | undefined {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  if (entries.length === 0) return undefined;
  return entries.map(([reason, count]) => `${plain(reason)} ${formatCount(count)}`).join(", ");
}
