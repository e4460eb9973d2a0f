/**
 * The status document as Prometheus text (exposition format 0.0.4).
 *
 * The idea: every figure of the status document is a sample; the text is written anew for each
 * scrape, so there is no second set of counters that could disagree with the first. That is also
 * why no client library is used: those keep registries of their own and read process figures that
 * need more permissions. Limits: the number of series is bounded by the configuration (sources,
 * listeners) and by the fixed words for reasons.
 *
 * @module
 */
import { visibleText } from "../../base/visible_text.ts";
import {
  type FunctionDocument,
  type HttpDocument,
  isTimeKnown,
  type NtsKeDocument,
  type ServerDocument,
  type SourceDocument,
  type StatusDocument,
  SYSTEM_STATES,
} from "../../engine/status/snapshot.ts";
import { STATUS_WORDS } from "../../selection/status.ts";

/** The content type of the text. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Figures of the process itself. */
export interface ProcessFigures {
  /** The resident set, in octets. */
  readonly residentBytes: number;
}

/** Writes the metrics, ending with an end of line. */
export function renderMetrics(document: StatusDocument, figures: ProcessFigures): string {
  const families = [
    ...systemFamilies(document),
    ...sourceFamilies(document.sources),
    ...serverFamilies(document.servers),
    ...ntsKeFamilies(document.ntsKe),
    ...httpFamilies(document.http),
    ...functionFamilies(document.functions),
    gauge("process_resident_memory_bytes", "Resident memory in bytes", [
      sample(figures.residentBytes),
    ]),
  ];
  return families.map(renderFamily).join("");
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly samples: readonly Sample[];
}

function systemFamilies(document: StatusDocument): readonly Family[] {
  const states = SYSTEM_STATES.map((state) => sample(state === document.state ? 1 : 0, { state }));
  return [
    gauge("ntpsd_build_info", "Version of ntpsd", [sample(1, { version: document.version })]),
    gauge("ntpsd_start_time_seconds", "Start of the daemon, Unix time", time(document.startedAt)),
    gauge("ntpsd_state", "State of the clock, 1 for the current one", states),
    gauge("ntpsd_synchronized", "Whether the error of the clock is known and bounded", [
      sample(isTimeKnown(document.state) ? 1 : 0),
    ]),
    gauge("ntpsd_adjusting", "Whether ntpsd adjusts the clock", [
      sample(document.adjusting ? 1 : 0),
    ]),
    gauge("ntpsd_stratum", "Stratum of this machine", value(document.stratum)),
    gauge(
      "ntpsd_reference_time_seconds",
      "Last update of the clock, Unix time",
      time(document.referenceTime),
    ),
    ...accuracyFamilies(document),
    ...eventFamilies(document),
  ];
}

function accuracyFamilies(document: StatusDocument): readonly Family[] {
  return [
    gauge(
      "ntpsd_offset_seconds",
      "Offset of the sources to the clock, positive when they are ahead",
      value(document.offsetSeconds),
    ),
    gauge(
      "ntpsd_error_bound_seconds",
      "Largest possible error of the clock",
      value(document.errorBoundSeconds),
    ),
    gauge("ntpsd_frequency_ppm", "Frequency correction of the clock", value(document.frequencyPpm)),
    gauge("ntpsd_skew_ppm", "Uncertainty of the frequency correction", value(document.skewPpm)),
    gauge(
      "ntpsd_root_delay_seconds",
      "Round-trip delay to the reference clock",
      value(document.rootDelaySeconds),
    ),
    gauge(
      "ntpsd_root_dispersion_seconds",
      "Dispersion to the reference clock",
      value(document.rootDispersionSeconds),
    ),
    gauge(
      "ntpsd_update_interval_seconds",
      "Time between updates of the clock",
      value(document.updateIntervalSeconds),
    ),
  ];
}

function eventFamilies(document: StatusDocument): readonly Family[] {
  return [
    counter(
      "ntpsd_hardware_timestamp_fallbacks_total",
      "Fallbacks from hardware to kernel timestamps, by reason; not-offered, not-enabled and clock-closed count checks of an interface",
      byReason(document.hardwareTimestampFallbacks, {}),
    ),
    counter("ntpsd_internal_errors_total", "Errors of ntpsd itself that ended one of its tasks", [
      sample(document.internalErrors),
    ]),
    counter("ntpsd_steps_total", "Steps of the clock", value(document.steps.count)),
    counter(
      "ntpsd_stepped_seconds_total",
      "Sum of the sizes of all steps of the clock",
      value(document.steps.accumulatedSeconds),
    ),
  ];
}

/**
 * A figure of each source: its name, what it is, and how it is got out of the document; null for
 * none.
 */
type SourceFigure = readonly [
  name: string,
  help: string,
  figure: (source: SourceDocument) => number | null,
];

const SOURCE_GAUGES: readonly SourceFigure[] = [
  [
    "reach_ratio",
    "Share of the last eight requests that were answered",
    (source) => bitCount(source.reach) / 8,
  ],
  ["stratum", "Stratum of the source", (source) => source.stratum],
  ["poll_seconds", "Interval between requests", (source) => source.pollSeconds],
  [
    "last_response_age_seconds",
    "Time since the last response",
    (source) => source.lastReplySecondsAgo,
  ],
  [
    "offset_seconds",
    "Offset of the source to the clock, positive when it is ahead",
    (source) => source.offsetSeconds,
  ],
  ["delay_seconds", "Round-trip delay", (source) => source.delaySeconds],
  ["dispersion_seconds", "Dispersion", (source) => source.dispersionSeconds],
  ["jitter_seconds", "Jitter", (source) => source.jitterSeconds],
  [
    "error_bound_seconds",
    "Half the interval in which the true offset lies",
    (source) => source.errorBoundSeconds,
  ],
  ["nts_cookies", "NTS cookies left", ({ nts }) => nts?.cookies ?? null],
  [
    "nts_provisional",
    "Whether the dates of the certificate are unchecked, because the time is not known yet",
    ({ nts }) => nts === null ? null : nts.provisional ? 1 : 0,
  ],
];

const SOURCE_COUNTERS: readonly SourceFigure[] = [
  ["requests_total", "Requests sent", (source) => source.sent],
  ["responses_total", "Responses received", (source) => source.received],
  ["send_failures_total", "Requests that could not be sent", (source) => source.sendFailures],
];

function sourceFamilies(sources: readonly SourceDocument[]): readonly Family[] {
  const each = (figure: SourceFigure[2]) =>
    sources.flatMap((source) => {
      const value = figure(source);
      return value === null ? [] : [sample(value, sourceLabels(source))];
    });
  const reasons = (counts: (source: SourceDocument) => Readonly<Record<string, number>>) =>
    sources.flatMap((source) => byReason(counts(source), sourceLabels(source)));
  const statuses = sources.flatMap((source) =>
    STATUS_WORDS.map((status) =>
      sample(status === source.status ? 1 : 0, { ...sourceLabels(source), status })
    )
  );
  return [
    gauge(
      "ntpsd_source_status",
      "Status of the source in selection, 1 for the current one",
      statuses,
    ),
    ...SOURCE_GAUGES.map(([name, help, of]) => gauge(`ntpsd_source_${name}`, help, each(of))),
    ...SOURCE_COUNTERS.map(([name, help, of]) => counter(`ntpsd_source_${name}`, help, each(of))),
    counter(
      "ntpsd_source_dropped_total",
      "Packets not used, by reason",
      reasons(({ dropped }) => dropped),
    ),
    counter(
      "ntpsd_source_nts_failures_total",
      "Failures of NTS, by reason",
      reasons(({ nts }) => nts?.failures ?? {}),
    ),
  ];
}

function serverFamilies(servers: readonly ServerDocument[]): readonly Family[] {
  const each = (figure: (server: ServerDocument) => number) =>
    servers.map((server) => sample(figure(server), { listen: server.listen }));
  const dropped = servers.flatMap(({ dropped, listen }) => byReason(dropped, { listen }));
  return [
    counter("ntpsd_server_requests_total", "Packets received", each(({ received }) => received)),
    counter(
      "ntpsd_server_answered_total",
      "Requests answered with the time",
      each(({ answered }) => answered),
    ),
    counter(
      "ntpsd_server_denied_total",
      "Requests refused by access lists",
      each(({ denied }) => denied),
    ),
    counter(
      "ntpsd_server_rate_limited_total",
      "Requests over the rate limit",
      each(({ rateLimited }) => rateLimited),
    ),
    counter("ntpsd_server_dropped_total", "Packets dropped, by reason", dropped),
    counter(
      "ntpsd_server_kisses_total",
      "Kiss-o'-death packets sent (DENY, RATE, NTSN)",
      each(({ kisses }) => kisses),
    ),
    counter(
      "ntpsd_server_control_answered_total",
      "Requests of the control protocol (mode 6) answered",
      each(({ controlAnswered }) => controlAnswered),
    ),
    counter(
      "ntpsd_server_interleaved_total",
      "Requests answered in interleaved mode",
      each(({ interleaved }) => interleaved),
    ),
    counter(
      "ntpsd_server_nts_answered_total",
      "Requests with NTS answered",
      each(({ nts }) => nts.answered),
    ),
    counter(
      "ntpsd_server_nts_naks_total",
      "Requests with NTS refused by a NAK",
      each(({ nts }) => nts.naks),
    ),
  ];
}

function ntsKeFamilies(listeners: readonly NtsKeDocument[]): readonly Family[] {
  const each = (figure: (listener: NtsKeDocument) => number) =>
    listeners.map((listener) => sample(figure(listener), { listen: listener.listen }));
  const failed = listeners.flatMap(({ failed, listen }) => byReason(failed, { listen }));
  return [
    counter(
      "ntpsd_nts_ke_accepted_total",
      "Connections accepted for key exchange",
      each(({ accepted }) => accepted),
    ),
    counter(
      "ntpsd_nts_ke_completed_total",
      "Key exchanges completed",
      each(({ completed }) => completed),
    ),
    counter("ntpsd_nts_ke_failed_total", "Key exchanges failed, by reason", failed),
  ];
}

function functionFamilies(functions: readonly FunctionDocument[]): readonly Family[] {
  const states = functions.map(({ kind, name, up }) =>
    sample(up ? 1 : 0, { function: kind, name })
  );
  return [gauge("ntpsd_function_up", "Whether a configured function works", states)];
}

function httpFamilies(listener: HttpDocument | null): readonly Family[] {
  if (listener === null) return [];
  const { listen, accepted, completed, failed, open } = listener;
  return [
    counter("ntpsd_http_accepted_total", "HTTP connections accepted", [
      sample(accepted, { listen }),
    ]),
    counter("ntpsd_http_completed_total", "HTTP requests served", [
      sample(completed, { listen }),
    ]),
    counter(
      "ntpsd_http_failed_total",
      "HTTP connections that ended without a useful response, by reason",
      byReason(failed, { listen }),
    ),
    gauge("ntpsd_http_open", "HTTP connections open", [sample(open, { listen })]),
  ];
}

/** Members of one pool share a name, so the address belongs to the labels too. */
function sourceLabels(source: SourceDocument): Readonly<Record<string, string>> {
  return { source: source.name, address: source.address ?? "" };
}

function byReason(
  counts: Readonly<Record<string, number>>,
  labels: Readonly<Record<string, string>>,
): readonly Sample[] {
  return Object.entries(counts).map(([reason, count]) => sample(count, { ...labels, reason }));
}

function sample(value: number, labels: Readonly<Record<string, string>> = {}): Sample {
  return { labels, value };
}

/** The one sample of a figure; none as long as it is unknown. */
function value(number: number | null): readonly Sample[] {
  return number === null ? [] : [sample(number)];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: "gauge", help, samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: "counter", help, samples };
}

function time(rfc3339: string | null): readonly Sample[] {
  const milliseconds = rfc3339 === null ? NaN : Date.parse(rfc3339);
  return Number.isNaN(milliseconds) ? [] : [sample(milliseconds / 1000)];
}

/** Writes a family; one without samples is left out. */
function renderFamily({ name, type, help, samples }: Family): string {
  if (samples.length === 0) return "";
  const lines = samples.map(({ labels, value }) => `${name}${renderLabels(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  const visible = value.split("\n").map(visibleText).join("\n");
  return visible.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits & 0xff; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
