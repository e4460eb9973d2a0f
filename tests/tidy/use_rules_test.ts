import assert from "node:assert/strict";
import { factsOf } from "./syntax.ts";
import { ROOT } from "./project.ts";
import { circles, FOR_TESTS, unusedExports, unusedMembers } from "./use_rules.ts";

function unused(sources: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(sources).map(([path, source]) => factsOf(path, source));
  return unusedExports(files).map(({ path, line, what }) => `${path}:${line}: ${what}`);
}

Deno.test("an export is noticed that nobody uses, only tests, or only its own file", () => {
  const a = "\nexport const x = 1;\n";
  assert.deepEqual(unused({ "src/base/a.ts": a }), ["src/base/a.ts:2: nobody uses x"]);
  for (const user of ["src/base/a_test.ts", "tests/support/b.ts"]) {
    const path = user.startsWith("src") ? "./a.ts" : "../../src/base/a.ts";
    const sources = { "src/base/a.ts": a, [user]: `import { x } from "${path}"; f(x);` };
    assert.deepEqual(unused(sources), ["src/base/a.ts:2: only tests use x"]);
  }
  const alone = "export function x() {}\nx();\n";
  assert.deepEqual(unused({ "src/base/a.ts": alone }), ["src/base/a.ts:1: no other file uses x"]);
});

Deno.test("an export is used by import, by re-export that is used, by a whole module", () => {
  const a = "export const x = 1;";
  const users = [
    'import { x as y } from "./a.ts"; f(y);',
    'import * as all from "./a.ts"; f(all.x);',
    'const { x } = await import("./a.ts");',
    'export * from "./a.ts";',
    'export { x } from "./a.ts";',
  ];
  for (const user of users) {
    assert.deepEqual(unused({ "src/base/a.ts": a, "src/base/b.ts": user }), [], user);
  }
  const other = { "src/base/a.ts": a, "src/base/b.ts": 'import * as all from "./a.ts"; f(all.y);' };
  assert.equal(unused(other).length, 1);
});

Deno.test("a type that its own file uses is right, and so is what a unit test looks at", () => {
  const type = "export interface A {}\nfunction f(a: A) {}\n";
  assert.deepEqual(unused({ "src/base/a.ts": type }), []);
  const tested = {
    "src/base/a.ts": "export const MAX = 1;\nf(MAX);\n",
    "src/base/a_test.ts": 'import { MAX } from "./a.ts"; f(MAX);',
  };
  assert.deepEqual(unused(tested), []);
  assert.equal(unused({ "src/base/a.ts": "export interface A {}\n" }).length, 1);
});

Deno.test("a member that the product never reads is noticed, written or not", () => {
  const source = "interface A { readonly x: 1; readonly y: 2 }\nconst a: A = { x: 1, y: 2 };\n";
  const find = (rest: string, path = "src/base/b.ts") =>
    unusedMembers([factsOf("src/base/a.ts", source), factsOf(path, rest)]).map(({ what }) => what);
  assert.deepEqual(find("f(a.x);"), ["y is never read"]);
  assert.deepEqual(find("f(a.x); a.y = 1;"), ["y is never read"]);
  assert.deepEqual(find("f(a.x); f(a.y);", "src/base/a_test.ts").length, 2);
  for (const read of ["f(a.y);", "a.y += 1;", 'f(a["y"]);', "const { y } = a;"]) {
    assert.deepEqual(find(`f(a.x); ${read}`), [], read);
  }
});

Deno.test("a circle of imports is noticed, of types too, and who only looks on is not in it", () => {
  const edges = ["a b", "b c", "c a", "c d", "e a"].map((pair) => {
    const [from = "", to = ""] = pair.split(" ");
    return { from, to, typeOnly: from === "b" };
  });
  assert.deepEqual(circles(edges).map(({ path, what }) => `${path}: ${what}`), [
    "a: imports go in a circle with b, c",
    "b: imports go in a circle with a, c",
    "c: imports go in a circle with a, b",
  ]);
  assert.deepEqual(circles(edges.slice(1)), []);
});

Deno.test("what is there for tests is exported, and only tests use it", async () => {
  for (const each of Object.keys(FOR_TESTS)) {
    const [path = "", name = ""] = each.split(" ");
    const facts = factsOf(path, await Deno.readTextFile(`${ROOT}/${path}`));
    assert.ok(facts.exports.some((one) => one.name === name), each);
  }
});
