import assert from "node:assert/strict";
import { ROOT } from "./project.ts";

const TABLE = "docs/faults.md";

/**
 * A test that the table names: its file, and words of its name; a scenario of the simulator has no
 * words.
 */
interface NamedTest {
  readonly file: string;
  readonly words: string;
}

/**
 * Finds what stands in the last column of each row: `file`, and in quotes words of the test's name.
 */
function namedTests(text: string): readonly (readonly NamedTest[])[] {
  return [...text.matchAll(/^\|(?! -|-| Fault)(.*)\|$/gm)].map(([, row = ""]) => {
    const cell = row.split(" | ").at(-1) ?? "";
    return [...cell.matchAll(/`([^`]+)`(?: "([^"]+)")?/g)].map(([, file = "", words = ""]) => ({
      file,
      words,
    }));
  });
}

/** Tells whether a file has a test with these words in its name. */
function hasTest(source: string, words: string): boolean {
  return source.split("\n").some((line) => /["`]/.test(line) && line.includes(words));
}

Deno.test("every fault of the table has its tests, and they are there", async () => {
  const rows = namedTests(await Deno.readTextFile(`${ROOT}/${TABLE}`));
  assert.ok(rows.length >= 30, `${rows.length} rows`);
  const faults: string[] = [];
  for (const tests of rows) {
    assert.ok(tests.length > 0, "Every row names a test");
    for (const { file, words } of tests) {
      const source = await Deno.readTextFile(`${ROOT}/${file}`).catch(() => undefined);
      const isThere = source !== undefined &&
        (file.endsWith(".toml") || (words !== "" && hasTest(source, words)));
      if (!isThere) faults.push(`${file}: ${words}`);
    }
  }
  assert.deepEqual(faults, []);
});

Deno.test("a missing test would be noticed", () => {
  const text =
    '| Fault | a | b | Test |\n| --- | --- | --- | --- |\n| x | y | z | `a_test.ts` "it is" |\n';
  assert.deepEqual(namedTests(text), [[{ file: "a_test.ts", words: "it is" }]]);
  assert.equal(hasTest('Deno.test("what it is", () => {', "it is"), true);
  assert.equal(hasTest('Deno.test("what was", () => {', "it is"), false);
});
