import { deepEqual, equal } from "node:assert/strict";
import { costsAtMost } from "../../tests/support/wait_until.ts";
import { wrapText } from "./wrap_text.ts";

Deno.test("sentences are broken between words", () => {
  deepEqual(wrapText("one two three four", { width: 9, indent: "  " }), [
    "one two",
    "  three",
    "  four",
  ]);
  deepEqual(wrapText("unbreakable-word", { width: 5 }), ["unbreakable-word"]);
});

Deno.test("a sentence of a million spaces or words is laid out in a moment", () => {
  const many = 1_000_000;
  costsAtMost(5000, () => {
    equal(wrapText(`Why ${" ".repeat(many)}b`, { width: 80, indent: "    " }).length, 2);
    equal(wrapText("a ".repeat(many), { width: Infinity }).length, 1);
  });
});
