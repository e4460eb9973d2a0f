import { deepEqual, equal } from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { indexLines, lineOf } from "./line_index.ts";

Deno.test("every key and section has its line", () => {
  const lines = indexLines(`# a comment = 1
top = "x" # [not.a.table]
a.b = { c = 1, "d e" = [1,
  2] }

[[list]]
text = """
k = 1
"""
[[list]]
'quoted' = 'it # stays'
sub.key = [
  # comment
  { x = 1 }, # another
  { y = 2 },
]
[list.inner]
z = 1979-05-27T07:32:00Z
[other."dotted.key"]
last = true
`);
  deepEqual([...lines], [
    ["top", 2],
    ["a", 3],
    ["a.b", 3],
    ["a.b.c", 3],
    ["a.b.d e", 3],
    ["a.b.d e[0]", 3],
    ["a.b.d e[1]", 4],
    ["list[0]", 6],
    ["list", 6],
    ["list[0].text", 7],
    ["list[1]", 10],
    ["list[1].quoted", 11],
    ["list[1].sub", 12],
    ["list[1].sub.key", 12],
    ["list[1].sub.key[0]", 14],
    ["list[1].sub.key[0].x", 14],
    ["list[1].sub.key[1]", 15],
    ["list[1].sub.key[1].y", 15],
    ["list[1].inner", 17],
    ["list[1].inner.z", 18],
    ["other.dotted.key", 19],
    ["other.dotted.key.last", 20],
  ]);
});

Deno.test("a key that is not there has the line of what should hold it", () => {
  const lines = indexLines("[[source]]\nmode = 1\n[clock]\n");
  equal(lineOf("source[0].address", lines), 1);
  equal(lineOf("clock.adjust", lines), 3);
  equal(lineOf("synchronization.step-limit", lines), undefined);
  equal(lineOf("", lines), undefined);
});

Deno.test("property: the walk ends on any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."[]{}=\"'#.,\n\\ a1") }), (text) => {
      indexLines(text);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("keys with brackets and dots end the search for their line", () => {
  for (const key of ["a[b", "a]", "[", "x.y[", "a[0", "[2J", "."]) {
    const lines = indexLines(`[clock]\n${JSON.stringify(key)} = 1\n`);
    equal((lineOf(`clock.${key}`, lines) ?? 1) >= 1, true);
    equal(lineOf(key, new Map()), undefined);
  }
});
