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

/** Counts everything; names and values in the order of the table in CONTRIBUTING.md. */
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
    ["files of the product", `${product.length}`],
    ["their lines, the median", `${lengths[Math.floor(lengths.length / 2)]}`],
    ["their lines, the most", `${lengths.at(-1)}`],
    ["functions", `${functions.length}`],
    [`functions of more than ${LONG} lines`, `${long.length}`],
    ["switches that end in `unreachable`", `${closed.length} of ${switches.length}`],
    [
      "assertions in functions of the core that change state",
      `${assertions} in ${changing.length}`,
    ],
    ...Object.entries(offences).map(([rule, found]) =>
      [`exceptions: ${rule}`, `${found.length}`] as const
    ),
  ]);
}

async function countLines(path: string): Promise<number> {
  return (await Deno.readTextFile(`${ROOT}/${path}`)).trimEnd().split("\n").length;
}
