import { deepEqual, equal } from "node:assert/strict";
import { isShellPattern, shellPattern } from "./shell_pattern.ts";

const NAMES = ["a1", "a2", "b1", "a]", "a-", "a\n", "a\u{1f600}", ".a1", "a", "ab.x", "a+b", "\\w"];

function chosen(pattern: string): readonly string[] {
  return NAMES.filter((name) => shellPattern(pattern).test(name));
}

Deno.test("stars, question marks and sets in brackets are those of a shell", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["a*", ["a1", "a2", "a]", "a-", "a\n", "a\u{1f600}", "a", "ab.x", "a+b"]],
    ["a?", ["a1", "a2", "a]", "a-", "a\n", "a\u{1f600}"]],
    ["a[0-9]", ["a1", "a2"]],
    ["a[!0-9]", ["a]", "a-", "a\n", "a\u{1f600}"]],
    ["a[^12]", ["a]", "a-", "a\n", "a\u{1f600}"]],
    ["a[]]", ["a]"]],
    ["a[1-]", ["a1", "a-"]],
    ["[ab]1", ["a1", "b1"]],
    ["a[2-1]", []],
    ["a[", []],
    ["a+b", ["a+b"]],
    ["\\w", ["\\w"]],
    ["*.x", ["ab.x"]],
    ["*", NAMES.filter((name) => name !== ".a1")],
  ];
  for (const [pattern, wanted] of cases) deepEqual(chosen(pattern), wanted, pattern);
  equal(isShellPattern("a[1]"), true);
  equal(isShellPattern("a.x"), false);
});
