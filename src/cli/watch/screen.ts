/**
 * What `ntpsd watch` draws: a pure function of what the daemon says and of what was chosen.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import type { SourceDocument, StatusDocument } from "../../engine/status/snapshot.ts";
import { formatOffset, formatPpm, formatSeconds, formatSpan } from "../display/quantity.ts";
import { type Paint, plain } from "../display/style.ts";
import { detailLines, mainTable, tallyMark } from "../status/sources.ts";
import { stateWords } from "../status/status.ts";
import { wrapText } from "../../base/wrap_text.ts";
import { type OffsetHistory, sourceKey } from "./offset_history.ts";
import type { Key } from "./terminal.ts";

const ORDERS = ["as configured", "by use", "by offset", "by error"] as const;

/** What was chosen. */
export interface Choice {
  /** The order of the sources. */
  readonly order: typeof ORDERS[number];
  /** The source that is marked, by `sourceKey`; the first one if there is none of that key. */
  readonly marked: string | undefined;
  /** Whether all of the marked source is shown, in place of the table. */
  readonly isOpen: boolean;
}

/** Nothing is chosen yet. */
export const NO_CHOICE: Choice = { order: "as configured", marked: undefined, isOpen: false };

/** What is drawn. */
export interface Picture {
  /** What the daemon said last; undefined before that. */
  readonly document: StatusDocument | undefined;
  /** When it said so, in milliseconds since 1970. */
  readonly at: number;
  /** Why it says nothing now; undefined if it does. */
  readonly error: string | undefined;
  /** The last samples of each source. */
  readonly history: OffsetHistory;
  /** What was chosen. */
  readonly choice: Choice;
}

/** Where it is drawn. */
export interface ScreenView {
  /** The width of the terminal. */
  readonly columns: number;
  /** Its height. */
  readonly rows: number;
  /** Whether it shows signs beyond ASCII. */
  readonly isUnicode: boolean;
  /** What colours the text. */
  readonly paint: Paint;
  /** The time of day in milliseconds since 1970. */
  readonly now: number;
}

/** Returns the choice after a key, among these sources. */
export function choose(
  choice: Choice,
  { key, sources }: { readonly key: Key; readonly sources: readonly SourceDocument[] },
): Choice {
  const shown = inOrder(sources, choice.order), row = rowOf(shown, choice);
  const markedAt = (place: number) => shown[place] && sourceKey(shown[place]);
  switch (key) {
    case "up":
      return { ...choice, marked: markedAt(Math.max(0, row - 1)) };
    case "down":
      return { ...choice, marked: markedAt(Math.min(shown.length - 1, row + 1)) };
    case "enter":
      return { ...choice, marked: markedAt(row), isOpen: !choice.isOpen && shown.length > 0 };
    case "back":
      return { ...choice, isOpen: false };
    case "sort": {
      const next = (ORDERS.indexOf(choice.order) + 1) % ORDERS.length;
      return { ...choice, marked: markedAt(row), order: ORDERS[next] ?? choice.order };
    }
    case "quit":
    case "other":
      return choice;
    default:
      return unreachable(key);
  }
}

/** The row of the marked source; the first if it is not there. */
function rowOf(sources: readonly SourceDocument[], { marked }: Choice): number {
  return Math.max(0, sources.findIndex((source) => sourceKey(source) === marked));
}

/** Returns the lines of the screen, at most as many as it has rows. */
export function drawScreen(picture: Picture, view: ScreenView): readonly string[] {
  const { document, at, error, choice } = picture, { paint, now, columns: width } = view;
  const silence = error === undefined ? [] : wrapText(plain(error), { width });
  if (document === undefined) return silence.length === 0 ? ["Asks the daemon"] : silence;
  const keys = `q ends  s sorts (${choice.order})  Enter ${choice.isOpen ? "goes back" : "opens"}`;
  const age = `What is shown is ${formatSpan((now - at) / 1000)} old`;
  const old = error === undefined ? [] : [age, ...silence].map((line) => paint(line, "bad"));
  const foot = [...old, paint(keys, "faint")];
  const head = [...headLines(document, view), ""];
  const room = Math.max(1, view.rows - head.length - foot.length);
  const body = choice.isOpen ? openLines(picture, view) : tableLines(picture, { view, room });
  return [...head, ...body.slice(0, room), ...foot].slice(0, view.rows);
}

function headLines(
  document: StatusDocument,
  { paint, now, columns }: ScreenView,
): readonly string[] {
  const [words, tone] = stateWords(document.state);
  const running = formatSpan((now - Date.parse(document.startedAt)) / 1000);
  const bound = document.errorBoundSeconds;
  const broken = document.functions.filter(({ up }) => !up);
  return [
    `${paint(words, tone)}, stratum ${document.stratum}, running for ${running}`,
    `Offset ${formatOffset(document.offsetSeconds)}  ` +
    `Error ${bound === null ? "-" : `±${formatSeconds(bound)}`}  ` +
    `Frequency ${formatPpm(document.frequencyPpm)}`,
    ...(document.why === "" ? [] : wrapText(plain(document.why), { width: columns })),
    ...broken.flatMap(({ kind, name, reason }) =>
      wrapText(plain(`${kind} ${name}: ${reason}`), { width: columns })
        .map((line) => paint(line, "bad"))
    ),
  ];
}

/** What the other columns need, with the names as short as they get. */
const TABLE_WIDTH = 72;
const SIGNS_MIN = 4;

/** The sources with the marked one among them, as many as there is room for. */
function tableLines(
  { document, history, choice }: Picture,
  { view, room }: { readonly view: ScreenView; readonly room: number },
): readonly string[] {
  const sources = inOrder(document?.sources ?? [], choice.order);
  const signs = { ...view, most: Math.max(SIGNS_MIN, view.columns - TABLE_WIDTH) };
  const [titles = "", ...rows] = mainTable(sources, {
    ...view,
    columns: view.columns - 1,
    more: { title: "History", cells: sources.map((source) => history.signs(source, signs)) },
  });
  const shown = Math.max(1, room - 1);
  const marked = rowOf(sources, choice);
  const first = Math.max(0, Math.min(marked - shown + 1, rows.length - shown));
  const lines = rows.map((row, i) =>
    i === marked ? `${view.paint(">", "strong")}${row}` : ` ${row}`
  );
  return [` ${titles}`, ...lines.slice(first, first + shown)];
}

/** All of the marked source. */
function openLines({ document, choice }: Picture, view: ScreenView): readonly string[] {
  const source = document?.sources.find((each) => sourceKey(each) === choice.marked);
  if (source === undefined) return ["The source is gone"];
  const reason = wrapText(`(${source.status}) ${plain(source.reason)}`, { width: view.columns });
  return [...mainTable([source], view), "", ...reason, ...detailLines([source])];
}

const MARKS = "*+-.~x?";

function inOrder(
  sources: readonly SourceDocument[],
  order: Choice["order"],
): readonly SourceDocument[] {
  const size = (value: number | null) => value === null ? Infinity : Math.abs(value);
  const use = ({ status }: SourceDocument) => MARKS.indexOf(tallyMark(status));
  switch (order) {
    case "as configured":
      return sources;
    case "by use":
      return sources.toSorted((a, b) => use(a) - use(b));
    case "by offset":
      return sources.toSorted((a, b) => compare(size(a.offsetSeconds), size(b.offsetSeconds)));
    case "by error":
      return sources.toSorted((a, b) =>
        compare(size(a.errorBoundSeconds), size(b.errorBoundSeconds))
      );
    default:
      return unreachable(order);
  }
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
