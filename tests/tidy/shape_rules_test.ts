import assert from "node:assert/strict";
import {
  COMMENT_COLUMNS_MAX,
  IN_A_ROW,
  openSwitches,
  positionalParameters,
  wideComments,
} from "./shape_rules.ts";
import { ROOT } from "./project.ts";
import { factsOf } from "./syntax.ts";

function linesOf(rule: typeof wideComments, source: string): number[] {
  return rule(factsOf("src/base/a.ts", source)).map(({ line }) => line);
}

Deno.test("a third positional parameter is noticed in every kind of function", () => {
  const sources = [
    "function f(a: A, b: B, c: C) {}",
    "const f = (a: A, b: B, c: C) => a;",
    "const f = function (a: A, b: B, c = 1) {};",
    "class A { constructor(a: A, b: B, ...c: C[]) {} }",
    "class A { #m(a: A, b: B, c: C) {} }",
    "abstract class A { abstract m(a: A, b: B, c: C): void; }",
    "interface A { m(a: A, b: B, c: C): void }",
    "interface A { readonly m: (a: A, b: B, c: C) => void }",
    "f(x.map((a, b, c) => a));",
    "function f(a: A, b: B, c: C, options: D) {}",
  ];
  for (const source of sources) {
    assert.deepEqual(linesOf(positionalParameters, `\n${source}`), [2], source);
  }
});

Deno.test("two positional parameters and an options object are right", () => {
  const sources = [
    "function f(a: A, b: B) {}",
    "function f(a: A, b: B, options: C) {}",
    "function f(a: A, b: B, readOptions: C = {}) {}",
    "const f = (a: A, b: B, { c, d }: C) => a;",
    "class A { m(a: A, b: B, { c = 1 }: C = {}) {} }",
  ];
  for (const source of sources) assert.deepEqual(linesOf(positionalParameters, source), [], source);
});

Deno.test("the function with too many parameters is called by its name", () => {
  const [offence] = positionalParameters(
    factsOf("a.ts", "class A { #handle(a: A, b: B, c: C) {} }"),
  );
  assert.match(offence?.what ?? "", /^handle has 3 positional parameters/);
});

Deno.test("a switch over texts that does not end in unreachable is noticed", () => {
  const head = 'switch (kind) { case "a": return 1; case "b": f(); break;';
  for (const end of ["}", "default: return 2; }", "default: g(); unreachable; }"]) {
    assert.deepEqual(linesOf(openSwitches, `function f() { ${head} ${end} }`), [1], end);
  }
});

Deno.test("a switch that ends in unreachable, or one over numbers, is right", () => {
  const head = 'switch (kind) { case "a": return 1;';
  for (const end of ["return unreachable(kind);", "unreachable(kind);", "{ unreachable(kind); }"]) {
    assert.deepEqual(linesOf(openSwitches, `function f() { ${head} default: ${end} } }`), [], end);
  }
  const numbers =
    "function f() { switch (code) { case 1: case CODE: return 1; default: return 2; } }";
  assert.deepEqual(linesOf(openSwitches, numbers), []);
});

Deno.test("a comment that is too wide is noticed, wherever it stands", () => {
  const wide = "x".repeat(COMMENT_COLUMNS_MAX);
  assert.deepEqual(linesOf(wideComments, `// a\n// ${wide}\n`), [2]);
  assert.deepEqual(linesOf(wideComments, `/**\n * a\n * ${wide}\n */\nf();\n`), [3]);
  const behind = `const a = 1; // ${"x".repeat(COMMENT_COLUMNS_MAX - 15)}`;
  assert.deepEqual(linesOf(wideComments, behind), [1]);
  assert.deepEqual(linesOf(wideComments, behind.slice(0, COMMENT_COLUMNS_MAX)), []);
  assert.deepEqual(linesOf(wideComments, `const a = "// ${wide}";\n`), []);
});

Deno.test("each function that is excepted is there, has more parameters, and no others are", async () => {
  for (const { functions } of IN_A_ROW) {
    for (const [path, names] of Object.entries(functions)) {
      const facts = factsOf(path, await Deno.readTextFile(`${ROOT}/${path}`));
      const long = facts.functions.filter(({ positional }) => positional > 2);
      const missing = names.filter((name) => !long.some((each) => each.name === name));
      assert.deepEqual(missing, [], path);
    }
  }
  const excepted = "export class A { note(a: A, b: B, c: C, d: D) {} save(a: A, b: B, c: C) {} }";
  const offences = positionalParameters(factsOf("src/server/transmit_queue.ts", excepted));
  assert.deepEqual(offences.map(({ what }) => what.split(" ")[0]), ["save"]);
});
