/**
 * Code measures: how large files and functions are, and how much of it breaks the house rules.
 *
 * @module
 */
import { houseOffences, projectFacts } from "./house_rules.ts";
import { ROOT } from "./project.ts";
import { isProduct } from "./use_rules.ts";

/** Folders of the core whose machines keep state. */
const STATEFUL = /^src\/(association|selection|discipline|engine|nts)\//;
/** A function that is longer should be two. */
const LONG = 25;

/** Where the measures stand, from the root. */
export const CONTRIBUTING = "CONTRIBUTING.md";

const HEADING = "## Code measures\n";
const ROW = /^\| ([^|]+?) +\| ([^|]+?) +\| ([^|]+?) +\|$/gm;

/** Returns CONTRIBUTING.md as it should be: with the measures of now. */
export async function contributingDocument(): Promise<string> {
  const text = await Deno.readTextFile(`${ROOT}/${CONTRIBUTING}`);
  const begin = text.indexOf("| what", text.indexOf(HEADING));
  const end = text.indexOf("\n\n", begin);
  const [head = [], , ...rows] = [...text.slice(begin, end).matchAll(ROW)].map(([, ...row]) => row);
  const figures = await houseFigures();
  const renewed = rows.map(([name = "", before = "", then = ""]) => [
    name,
    before,
    figures.get(name) ?? then,
  ]);
  return text.slice(0, begin) + tableOf([head, ...renewed]) + text.slice(end);
}

/** Writes a table as the formatter aligns it. */
function tableOf([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/**
 * Counts everything; names and values in the order of the table in CONTRIBUTING.md. What changes
 * with most commits is rounded, so that the table need not.
 */
export async function houseFigures(): Promise<ReadonlyMap<string, string>> {
  const files = await projectFacts();
  const offences = await houseOffences(files);
  const product = files.filter(({ path }) => isProduct(path));
  const lengths = await Promise.all(product.map(({ path }) => countLines(path)));
  lengths.sort((a, b) => a - b);
  const functions = product.flatMap((file) => file.functions).filter(({ lines }) => lines > 0);
  const long = functions.filter(({ lines }) => lines > LONG);
  const switches = product.flatMap((file) => file.switches);
  const closed = switches.filter(({ end }) => end === "unreachable");
  const core = product.filter(({ path }) => STATEFUL.test(path));
  const changing = core.flatMap((file) => file.functions).filter((one) => one.changesState);
  const assertions = changing.reduce((sum, one) => sum + one.assertions, 0);
  return new Map([
    ["files of the product", about(product.length, 50)],
    ["their lines, the median", about(lengths[Math.floor(lengths.length / 2)] ?? 0, 10)],
    ["their lines, the most", `at most ${50 * Math.ceil((lengths.at(-1) ?? 0) / 50)}`],
    ["functions", about(functions.length, 500)],
    [`functions of more than ${LONG} lines`, about(long.length, 20)],
    ["switches that end in `unreachable`", percent(closed.length / switches.length)],
    [
      "assertions in functions of the core that change state",
      `at least ${5 * Math.floor(assertions / 5)}`,
    ],
    ...Object.entries(offences).map(([rule, found]) =>
      [`exceptions: ${rule}`, `${found.length}`] as const
    ),
  ]);
}

function about(count: number, step: number): string {
  return `about ${step * Math.round(count / step)}`;
}

function percent(part: number): string {
  return `about ${5 * Math.round(20 * part)} percent`;
}

async function countLines(path: string): Promise<number> {
  return (await Deno.readTextFile(`${ROOT}/${path}`)).trimEnd().split("\n").length;
}
