/**
 * Draws a run as SVG: the clock's error and the oscillator's frequency over time, with what
 * happened marked.
 *
 * The idea: two panels over one axis of time. The upper one shows the band between the least and
 * the greatest error of each slice and the bound that ntpsd stated; its scale is the error after
 * the start-up, so that the start does not flatten the rest (what goes beyond is cut off at the
 * edge). The lower one shows the oscillator's true frequency beside what ntpsd believes. Colours
 * come with the SVG, for light and dark surroundings.
 *
 * @module
 */
// @ts-types="@types/d3-array"
import { quantile, ticks } from "d3-array";
// @ts-types="@types/d3-shape"
import { area, line } from "d3-shape";
import { type Seconds, SECONDS_PER_DAY } from "../base/units.ts";
import { formatElapsed } from "./date.ts";
import { median } from "./statistics.ts";
import { formatSeconds, type TimelineEntry } from "./timeline.ts";
import type { TracePoint } from "./trace.ts";

/** What is drawn. */
export interface PlotInput {
  /** The heading. */
  readonly title: string;
  /** A line below it. */
  readonly subtitle: string;
  /** The length of the axis of time. */
  readonly duration: Seconds;
  /** The course of the run. */
  readonly points: readonly TracePoint[];
  /** What happened. */
  readonly timeline: readonly TimelineEntry[];
}

const WIDTH = 960, LEFT = 84, RIGHT = 24;
const ERROR_PANEL = { top: 92, height: 240 };
const FREQUENCY_PANEL = { top: 372, height: 150 };
const LEGEND_TOP = 568, LEGEND_ROW = 18;
/** Numbers of marks that stand closer than this are put below each other. */
const MARK_ROOM = 16;
/** More marks than this would hide the curves. */
const MARKS_MAX = 24;

/** Returns the whole SVG document. */
export function plotRun(input: PlotInput): string {
  const marks = chooseMarks(input.timeline);
  const height = LEGEND_TOP + 24 + LEGEND_ROW * Math.ceil(marks.length / 2);
  const x = linear([0, input.duration], [LEFT, WIDTH - RIGHT]);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" ` +
    `height="${height}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escape(input.title)}</title>`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${height}"/>`,
    `<text x="${LEFT}" y="26" class="title">${escape(input.title)}</text>`,
    `<text x="${LEFT}" y="46" class="faint">${escape(input.subtitle)}</text>`,
    errorPanel(input, x),
    frequencyPanel(input, x),
    timeAxis(input.duration, x),
    ...drawMarks(marks, x),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

type Scale = (value: number) => number;

function linear(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const factor = (range[1] - range[0]) / (domain[1] - domain[0]);
  return (value) => range[0] + (value - domain[0]) * factor;
}

function errorPanel({ points }: PlotInput, x: Scale): string {
  const limit = errorLimit(points);
  const { unit, factor } = errorUnit(limit);
  const { top, height } = ERROR_PANEL;
  const scale = linear([-limit, limit], [top + height, top]);
  const y = (value: number): number => scale(Math.max(-limit, Math.min(limit, value)));
  const band = area<TracePoint>().x((p) => x(p.time)).y0((p) => y(p.errorMin)).y1((p) =>
    y(p.errorMax)
  );
  const isSeen = (p: TracePoint): boolean => p.bound !== undefined && p.bound <= limit;
  const upper = line<TracePoint>().defined(isSeen).x((p) => x(p.time)).y((p) => y(p.bound ?? 0));
  const lower = line<TracePoint>().defined(isSeen).x((p) => x(p.time)).y((p) => y(-(p.bound ?? 0)));
  const bounds = points.flatMap((p) => p.bound === undefined ? [] : [p.bound]);
  const typical = median(bounds);
  const beyond = typical > limit ? `, beyond the scale` : "";
  const boundKey = bounds.length === 0
    ? "none"
    : `${formatSeconds(typical)} in the middle${beyond}`;
  return [
    ...grid({ domain: [-limit, limit], y, factor, title: `error of the clock (${unit})`, top }),
    `<path class="bound" d="${round(upper(points))}"/>`,
    `<path class="bound" d="${round(lower(points))}"/>`,
    `<path class="error" d="${round(band(points))}"/>`,
    key({ x: 480, y: top - 8, kind: "error", text: "error" }),
    key({ x: 560, y: top - 8, kind: "bound", text: `stated bound (${boundKey})` }),
  ].join("\n");
}

function frequencyPanel({ points }: PlotInput, x: Scale): string {
  const { top, height } = FREQUENCY_PANEL;
  const estimated = points.filter((p) => p.estimatedFrequency !== undefined);
  const values = points.map((p) => p.oscillatorFrequency)
    .concat(settled(estimated).map((p) => p.estimatedFrequency ?? 0));
  const least = values.length === 0 ? -1 : values.reduce((a, b) => Math.min(a, b));
  const most = values.length === 0 ? 1 : values.reduce((a, b) => Math.max(a, b));
  const margin = Math.max(0.05 * (most - least), 0.005);
  const domain = [least - margin, most + margin] as const;
  const scale = linear(domain, [top + height, top]);
  const y = (value: number): number => scale(Math.max(domain[0], Math.min(domain[1], value)));
  const truth = line<TracePoint>().x((p) => x(p.time)).y((p) => y(p.oscillatorFrequency));
  const belief = line<TracePoint>().x((p) => x(p.time)).y((p) => y(p.estimatedFrequency ?? 0));
  return [
    ...grid({ domain, y, factor: 1, title: "frequency of the oscillator (ppm)", top }),
    `<path class="truth" d="${round(truth(points))}"/>`,
    `<path class="belief" d="${round(belief(estimated))}"/>`,
    key({ x: 480, y: top - 8, kind: "truth", text: "true" }),
    key({ x: 560, y: top - 8, kind: "belief", text: "as ntpsd sees it" }),
  ].join("\n");
}

function key({ x, y, kind, text }: { x: number; y: number; kind: string; text: string }): string {
  return `<path class="${kind}" d="M${x},${y - 4}h18"${
    kind === "error" ? ' stroke-width="4"' : ""
  }/>` +
    `<text x="${x + 24}" y="${y}" class="faint">${text}</text>`;
}

function grid(panel: {
  domain: readonly [number, number];
  y: Scale;
  factor: number;
  title: string;
  top: number;
}): string[] {
  const [low, high] = panel.domain;
  const lines = ticks(low / panel.factor, high / panel.factor, 6).map((value) => {
    const y = panel.y(value * panel.factor).toFixed(1);
    return `<path class="grid" d="M${LEFT},${y}H${WIDTH - RIGHT}"/>` +
      `<text x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end" class="faint">${
        number(value)
      }</text>`;
  });
  return [`<text x="${LEFT}" y="${panel.top - 8}">${panel.title}</text>`, ...lines];
}

function timeAxis(duration: Seconds, x: Scale): string {
  const units = [["days", SECONDS_PER_DAY], ["hours", 3600], ["minutes", 60], [
    "seconds",
    1,
  ]] as const;
  const [unit, size] = units.find(([, seconds]) => duration >= 3 * seconds) ?? units[3];
  const bottom = FREQUENCY_PANEL.top + FREQUENCY_PANEL.height;
  const labels = ticks(0, duration / size, 10).map((value) => {
    const at = x(value * size).toFixed(1);
    return `<text x="${at}" y="${bottom + 18}" text-anchor="middle" class="faint">${
      number(value)
    }</text>`;
  });
  const name = `<text x="${WIDTH - RIGHT}" y="${
    bottom + 34
  }" text-anchor="end" class="faint">${unit}</text>`;
  return [...labels, name].join("\n");
}

/** The world's events first; then steps and changes of state, as long as there is room. */
function chooseMarks(timeline: readonly TimelineEntry[]): readonly TimelineEntry[] {
  const ranked = (["world", "step", "state", "selection"] as const)
    .flatMap((kind) => timeline.filter((entry) => entry.kind === kind));
  return ranked.slice(0, MARKS_MAX).toSorted((a, b) => a.time - b.time);
}

function drawMarks(marks: readonly TimelineEntry[], x: Scale): readonly string[] {
  let left = -Infinity, level = 0;
  return marks.map((mark, i) => {
    const at = x(mark.time);
    level = at - left < MARK_ROOM ? level + 1 : 0;
    left = at;
    return drawMark(mark, { number: i + 1, at, level });
  });
}

function drawMark(
  mark: TimelineEntry,
  { number: index, at, level }: { number: number; at: number; level: number },
): string {
  const bottom = FREQUENCY_PANEL.top + FREQUENCY_PANEL.height;
  const kind = mark.kind === "world" ? "world" : "own";
  const column = (index - 1) % 2, row = Math.floor((index - 1) / 2);
  const textX = LEFT + column * (WIDTH - LEFT - RIGHT) / 2;
  const textY = LEGEND_TOP + 20 + row * LEGEND_ROW;
  const label = `${formatElapsed(mark.time)} ${mark.text}`;
  const short = label.length > 66 ? `${label.slice(0, 64)}…` : label;
  return `<path class="mark ${kind}" d="M${at.toFixed(1)},${ERROR_PANEL.top}V${bottom}"/>` +
    `<text x="${at.toFixed(1)}" y="${ERROR_PANEL.top + 10 + 12 * (level % 18)}" dx="3" ` +
    `class="${kind}">${index}</text>` +
    `<text x="${textX}" y="${textY}" class="${kind}">${index}  ${escape(short)}</text>`;
}

/** The points after the first tenth, or all when there are few. */
function settled(points: readonly TracePoint[]): readonly TracePoint[] {
  return points.length < 20 ? points : points.slice(Math.ceil(points.length / 10));
}

/** What the upper panel shows to each side: nearly the greatest error after the start-up. */
function errorLimit(points: readonly TracePoint[]): Seconds {
  const sizes = settled(points).map((p) => Math.max(-p.errorMin, p.errorMax));
  return Math.max(1e-7, 1.2 * (quantile(sizes, 0.998) ?? 0));
}

function errorUnit(limit: Seconds): { unit: string; factor: number } {
  if (limit >= 1) return { unit: "s", factor: 1 };
  if (limit >= 1e-3) return { unit: "ms", factor: 1e-3 };
  return limit >= 1e-6 ? { unit: "us", factor: 1e-6 } : { unit: "ns", factor: 1e-9 };
}

function number(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** Shortens the coordinates of a path to a tenth of a pixel. */
function round(path: string | null): string {
  return (path ?? "").replaceAll(/-?\d+\.\d+/g, (digits) => Number(digits).toFixed(1));
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const STYLE = `<style>
  .page { fill: #fff } text { fill: #222 } .title { font-size: 16px; font-weight: bold }
  text.faint { fill: #666 } path { fill: none; stroke-width: 1 } .grid { stroke: #ddd }
  .error { fill: #1f6fb2; stroke: #1f6fb2 } .bound { stroke: #c77700; stroke-dasharray: 4 3 }
  .truth { stroke: #999; stroke-width: 2 } .belief { stroke: #1f6fb2 }
  .mark { stroke-dasharray: 2 3 } .mark.world { stroke: #b3261e } .mark.own { stroke: #4d7c0f }
  text.world { fill: #b3261e } text.own { fill: #4d7c0f }
  @media (prefers-color-scheme: dark) {
    .page { fill: #16181c } text { fill: #e6e6e6 } text.faint { fill: #9aa0a6 } .grid { stroke: #33373d }
  }
</style>`;
