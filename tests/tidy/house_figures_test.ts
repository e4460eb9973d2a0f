/**
 * The code measures in CONTRIBUTING.md: `NTPSD_WRITE_DOCS=1 deno task test tidy` writes those of
 * now.
 *
 * The idea: `allowances.json` bounds what breaks a rule; here stands how the house has changed.
 * Limits: a number that has changed since stays until it is written anew; assertions alone must not
 * become fewer.
 *
 * @module
 */
import assert from "node:assert/strict";
import { houseFigures } from "./house_figures.ts";
import { ROOT } from "./project.ts";

const DOCUMENT = `${ROOT}/CONTRIBUTING.md`;
const ROW = /^\| ([^|]+?) +\| ([^|]+?) +\| ([^|]+?) +\|$/gm;

const text = await Deno.readTextFile(DOCUMENT);
const begin = text.indexOf("## Code measures");
const written = [...text.slice(begin).matchAll(ROW)].slice(2);
const figures = await houseFigures();

if (Deno.env.get("NTPSD_WRITE_DOCS") === "1") {
  const changed = text.slice(begin).replaceAll(
    ROW,
    (row, name, before) =>
      figures.has(name) ? `| ${name} | ${before} | ${figures.get(name)} |` : row,
  );
  await Deno.writeTextFile(DOCUMENT, text.slice(0, begin) + changed);
}

/** A value's first number. */
const count = (value: string | undefined): number => parseInt(value ?? "", 10);

Deno.test("the table in CONTRIBUTING.md has the numbers that are counted", () => {
  const names = written.map(([, name]) => name).filter((name) => !name?.includes("ARCHITECTURE"));
  assert.deepEqual(names, [...figures.keys()]);
});

Deno.test("no assertion of the core is lost", () => {
  const name = "assertions in functions of the core that change state";
  const then = written.find(([, each]) => each === name)?.[3];
  assert.ok(count(figures.get(name)) >= count(then), `${figures.get(name)}, there were ${then}`);
});
