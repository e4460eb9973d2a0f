import { deepEqual } from "node:assert/strict";
import { wrapText } from "./wrap_text.ts";

Deno.test("sentences are broken between words", () => {
  deepEqual(wrapText("one two three four", { width: 9, indent: "  " }), [
    "one two",
    "  three",
    "  four",
  ]);
  deepEqual(wrapText("unbreakable-word", { width: 5 }), ["unbreakable-word"]);
});
