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
import type { OffsetHistory } from "./offset_history.ts";
import type { Key } from "./terminal.ts";

const ORDERS = ["as configured", "by use", "by offset", "by error"] as const;

/** What was chosen. */
export interface Choice {
  /** The order of the sources. */
  readonly order: typeof ORDERS[number];
  /** The row that is marked, from 0. */
  readonly row: number;
  /** Whether all of the marked source is shown, in place of the table. */
  readonly isOpen: boolean;
}

/** Nothing is chosen yet. */
export const NO_CHOICE: Choice = { order: "as configured", row: 0, isOpen: false };

/** What is drawn. */
export interface Picture {
  /** What the daemon said last; undefined before that. */
  readonly document: StatusDocument | undefined;
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

/** Returns the choice after a key; `count` is how many sources there are. */
export function choose(
  choice: Choice,
  { key, count }: { readonly key: Key; readonly count: number },
): Choice {
  const row = Math.max(0, Math.min(choice.row, count - 1));
  switch (key) {
    case "up":
      return { ...choice, row: Math.max(0, row - 1) };
    case "down":
      return { ...choice, row: Math.max(0, Math.min(count - 1, row + 1)) };
    case "enter":
      return { ...choice, row, isOpen: !choice.isOpen && count > 0 };
    case "back":
      return { ...choice, row, isOpen: false };
    case "sort": {
      const next = (ORDERS.indexOf(choice.order) + 1) % ORDERS.length;
      return { ...choice, row, order: ORDERS[next] ?? choice.order };
    }
    case "quit":
    case "other":
      return choice;
    default:
      return unreachable(key);
  }
}

/** Returns the lines of the screen, at most as many as it has rows. */
export function drawScreen(picture: Picture, view: ScreenView): readonly string[] {
  const { document, error, choice } = picture;
  const keys = `q ends  s sorts (${choice.order})  Enter ${choice.isOpen ? "goes back" : "opens"}`;
  const foot = [view.paint(error === undefined ? keys : plain(error), error ? "bad" : "faint")];
  if (document === undefined) return [error === undefined ? "Asks the daemon" : plain(error)];
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
  const marked = Math.min(choice.row, rows.length - 1);
  const first = Math.max(0, Math.min(marked - shown + 1, rows.length - shown));
  const lines = rows.map((row, i) =>
    i === marked ? `${view.paint(">", "strong")}${row}` : ` ${row}`
  );
  return [` ${titles}`, ...lines.slice(first, first + shown)];
}

/** All of the marked source. */
function openLines({ document, choice }: Picture, view: ScreenView): readonly string[] {
  const source = inOrder(document?.sources ?? [], choice.order)[choice.row];
  if (source === undefined) return [];
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
