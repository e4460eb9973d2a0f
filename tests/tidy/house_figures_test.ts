/**
 * The code measures in CONTRIBUTING.md, which `deno task docs` writes, are those of the code.
 *
 * The idea: `allowances.json` bounds what breaks a rule; here stands how the house has changed.
 * Limits: figures that change with most commits are rounded.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CONTRIBUTING, contributingDocument, houseFigures } from "./house_figures.ts";
import { ROOT } from "./project.ts";

if (Deno.env.get("NTPSD_WRITE_DOCS") === "1") {
  await Deno.writeTextFile(`${ROOT}/${CONTRIBUTING}`, await contributingDocument());
}
const text = await Deno.readTextFile(`${ROOT}/${CONTRIBUTING}`);
const table = text.slice(text.indexOf("## Code measures"), text.indexOf("## Review"));
const rows = table.split("\n").filter((line) => line.startsWith("|")).slice(2)
  .map((line) => line.split("|").map((cell) => cell.trim()));

Deno.test("the code measures in CONTRIBUTING.md are those of the code; deno task docs writes them", async () => {
  const names = rows.map(([, name]) => name).filter((name) => !name?.includes("ARCHITECTURE"));
  assert.deepEqual(names, [...(await houseFigures()).keys()]);
  assert.equal(text, await contributingDocument());
});

Deno.test("the measures of ARCHITECTURE.md are those of its lists", async () => {
  const architecture = await Deno.readTextFile(`${ROOT}/ARCHITECTURE.md`);
  const [, files] = /to the kernel clock, (\d+) files/.exec(architecture) ?? [];
  const way = rows.find(([, name]) => name?.startsWith("files on a response's way"));
  assert.equal(way?.[3], files);
});
