import { equal } from "node:assert/strict";
import { describeCauses } from "./causes.ts";

/** Writes the causes of sources that are called a, b, c, ... */
function described(...reasons: readonly string[]): string {
  return describeCauses(
    reasons.map((reason, i) => ({ name: String.fromCharCode(97 + i), reason })),
  );
}

Deno.test("causes are told with their sources, the most frequent first, and how many others there are", () => {
  equal(described(), "");
  equal(described("X"), "a: X");
  equal(described("X", "Y", "Y"), "b and 1 more: Y; a: X");
  equal(described("lost 3", "lost 14"), "a and 1 more: lost 3");
  equal(described("X", "Y", "Z", "W"), "a: X; b: Y; c: Z; 1 other");
  equal(described("X", "X", "Y", "Z", "W", "V"), "a and 1 more: X; c: Y; d: Z; 2 others");
});
