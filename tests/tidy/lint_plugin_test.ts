import assert from "node:assert/strict";
import plugin, { FILE_LINES_MAX, FUNCTION_LINES_MAX, IMPURE_GLOBALS } from "./lint_plugin.ts";

const PURE_FILE = "/project/src/engine/engine.ts";

function rulesHit(filename: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, filename, source).map((diagnostic) => diagnostic.id);
}

Deno.test("purity rule names every impure global, as value and as type", () => {
  for (const name of IMPURE_GLOBALS) {
    assert.deepEqual(rulesHit(PURE_FILE, `export const x = ${name};`), ["ntpsd/pure"], name);
    assert.deepEqual(rulesHit(PURE_FILE, `export const x = ${name}.now();`), ["ntpsd/pure"], name);
  }
  assert.deepEqual(rulesHit(PURE_FILE, "export let x: Date | undefined;"), ["ntpsd/pure"]);
});

Deno.test("purity rule catches randomness, waiting and outside modules", () => {
  const sources = [
    "export const x = Math.random();",
    'export const x = Math["random"]();',
    "export async function f() {}",
    "export const f = async () => {};",
    'export const f = () => import("./other.ts");',
    'import fs from "node:fs"; export { fs };',
    'export * from "node:fs";',
    "export const x = { setTimeout };",
    "export const x = crypto.getRandomValues(new Uint8Array(1));",
  ];
  for (const source of sources) {
    assert.deepEqual(rulesHit(PURE_FILE, source), ["ntpsd/pure"], source);
  }
  assert.deepEqual(rulesHit(PURE_FILE, "await x;"), ["ntpsd/pure"]);
  assert.deepEqual(rulesHit(PURE_FILE, "for await (const x of y) use(x);"), ["ntpsd/pure"]);
});

Deno.test("purity rule leaves members, keys, other folders and test files alone", () => {
  const harmless = "export const x = { process: 1, Date: 2 }; export const y = x.process + x.Date;";
  assert.deepEqual(rulesHit(PURE_FILE, harmless), []);
  assert.deepEqual(rulesHit(PURE_FILE, "export class A { fetch() { return 1; } }"), []);
  assert.deepEqual(rulesHit("/project/src/engine/engine_test.ts", "Deno.test('x', f);"), []);
  assert.deepEqual(rulesHit("/project/src/daemon/loop.ts", "await Deno.stdin.close();"), []);
  assert.deepEqual(rulesHit("/project/ffi/clock.ts", "export const x = Deno.errors;"), []);
});

Deno.test("dlopen belongs to ffi alone", () => {
  const source = 'export const lib = Deno.dlopen("libc.so.6", {});';
  assert.deepEqual(rulesHit("/project/src/daemon/loop.ts", source), ["ntpsd/dlopen-in-ffi"]);
  assert.deepEqual(rulesHit("/project/tests/support/x.ts", source), ["ntpsd/dlopen-in-ffi"]);
  assert.deepEqual(rulesHit("/project/ffi/libc.ts", source), []);
});

Deno.test("calls on the thread pool are declared in one place", () => {
  const inTable =
    'Deno.dlopen("libc.so.6", { f: { parameters: [], result: "i32", nonblocking: true } });';
  const apart = "export const TABLE = { nonblocking: true } as const;";
  const quoted = 'export const TABLE = { "nonblocking": true } as const;';
  for (const source of [inTable, apart, quoted]) {
    assert.deepEqual(rulesHit("/project/ffi/libc.ts", source), ["ntpsd/background-in-one-place"]);
    assert.deepEqual(rulesHit("/project/ffi/background.ts", source), []);
  }
});

Deno.test("file size rule counts lines", () => {
  const file = "/project/src/cli/run.ts";
  assert.deepEqual(rulesHit(file, "f();\n".repeat(FILE_LINES_MAX)), []);
  assert.deepEqual(rulesHit(file, "f();\n".repeat(FILE_LINES_MAX + 1)), ["ntpsd/file-size"]);
});

Deno.test("function size rule counts the lines of every kind of function", () => {
  const file = "/project/src/cli/run.ts";
  const body = (lines: number) => `{\n${"  f();\n".repeat(lines - 2)}}`;
  assert.deepEqual(rulesHit(file, `function x() ${body(FUNCTION_LINES_MAX)}`), []);
  for (const head of ["function x()", "const x = () =>", "const x = function ()"]) {
    const source = `${head} ${body(FUNCTION_LINES_MAX + 1)}`;
    assert.deepEqual(rulesHit(file, source), ["ntpsd/function-size"], head);
  }
  assert.deepEqual(rulesHit(file, `class A { m() ${body(FUNCTION_LINES_MAX + 1)} }`), [
    "ntpsd/function-size",
  ]);
});

Deno.test("file names say something, in snake case", () => {
  const rules = ["utils.ts", "helpers.ts", "common.ts", "keySet.ts", "Key.ts", "key-set.ts"];
  for (const name of rules) {
    assert.deepEqual(rulesHit(`/project/src/nts/${name}`, "f();"), ["ntpsd/file-name"], name);
  }
  assert.deepEqual(rulesHit("/project/src/nts/key_set_2.ts", "f();"), []);
});
