import assert from "node:assert/strict";
import { ROOT, sourceFiles } from "./project.ts";

const TABLE = "docs/security/published-weaknesses.md";
const FOLDER = "tests/attacks/";

/** One line for each id and file: the id, and the test file that has it in the name of a test. */
type Claims = readonly string[];

/**
 * What the table says: the ids of a row, each with every test file of the row, or with a dash if
 * there is none.
 */
function claimsOfTable(text: string): Claims {
  return [...text.matchAll(/^\| (.+?) \| (.+?) \| (.+?) +\|$/gm)].flatMap((row) => {
    const [, ids = "", , here = ""] = row;
    if (/^(Id|-+)$/.test(ids.trim())) return [];
    const files = [...here.matchAll(/`(tests\/attacks\/[a-z_]+_test\.ts)`/g)].map(([, file]) =>
      file
    );
    return ids.trim().split(", ").flatMap((id) =>
      files.length === 0 ? [`${id} -`] : files.map((file) => `${id} ${file}`)
    );
  });
}

/** What the tests say by their names. */
function claimsOfTest(file: string, text: string): Claims {
  return [...text.matchAll(/Deno\.test\(\s*"([^"]*?): /g)].flatMap(([, ids = ""]) =>
    ids.split(", ").map((id) => `${id} ${file}`)
  );
}

const table = await Deno.readTextFile(`${ROOT}/${TABLE}`);
const files = (await sourceFiles()).filter((path) =>
  path.startsWith(FOLDER) && path.endsWith("_test.ts")
);
const texts = await Promise.all(
  files.map(async (file) => [file, await Deno.readTextFile(`${ROOT}/${file}`)] as const),
);

Deno.test("every weakness of the table has the test that it names, and every test is in the table", () => {
  const claimed = new Set(claimsOfTable(table));
  const tested = new Set(texts.flatMap(([file, text]) => claimsOfTest(file, text)));
  const promised = [...claimed].filter((claim) => !claim.endsWith(" -") && !tested.has(claim));
  assert.deepEqual(promised, [], "said to be tested");
  assert.deepEqual([...tested].filter((claim) => !claimed.has(claim)), [], "not in the table");
  assert.ok(tested.size >= 100, `${tested.size} ids are tested`);
});

Deno.test("every weakness stands in the table once, and every test there has an id", () => {
  const ids = claimsOfTable(table).map((claim) => claim.replace(/ (-|tests\/\S+)$/, ""));
  const rows = [...table.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = ""]) =>
    cell.trim().split(", ")
  );
  const twice = rows.filter((id, i) => !/^(Id|-+)$/.test(id) && rows.indexOf(id) !== i);
  assert.deepEqual(twice, []);
  assert.ok(new Set(ids).size >= 120);
  for (const [file, text] of texts) {
    const tests = [...text.matchAll(/^Deno\.test\(/gm)].length;
    const named = [...text.matchAll(/^Deno\.test\(\s*"[^"]*?: /gm)].length;
    assert.equal(named, tests, file);
  }
});

Deno.test("a missing row or test would be noticed", () => {
  const rows = "| Id | What it was | Here |\n| --- | --- | --- |\n" +
    "| CVE-1-1, CVE-1-2 | A | Test: `tests/attacks/a_test.ts` |\n| CVE-1-3 | B | None |\n";
  assert.deepEqual(claimsOfTable(rows), [
    "CVE-1-1 tests/attacks/a_test.ts",
    "CVE-1-2 tests/attacks/a_test.ts",
    "CVE-1-3 -",
  ]);
  const test = 'Deno.test("CVE-1-1, RFC 1 2: it is: so", () => {});';
  assert.deepEqual(claimsOfTest("a", test), ["CVE-1-1 a", "RFC 1 2 a"]);
});
