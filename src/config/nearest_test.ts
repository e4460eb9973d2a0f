import { deepEqual, equal } from "node:assert/strict";
import { editDistance, nearest } from "./nearest.ts";

Deno.test("the edit distance counts insertions, deletions, replacements and swaps of neighbours", () => {
  deepEqual(
    [["", ""], ["a", ""], ["kitten", "sitting"], ["abcd", "abdc"], ["address", "adress"]]
      .map(([a = "", b = ""]) => editDistance(a, b)),
    [0, 1, 3, 1, 1],
  );
});

Deno.test("a word that could be a slip is proposed, another is not", () => {
  const words = ["no-select", "drift-file", "mode", "count"];
  equal(nearest("noselect", words), "no-select");
  equal(nearest("NO_SELECT", words), "no-select");
  equal(nearest("moed", words), "mode");
  equal(nearest("drift", words), "drift-file");
  equal(nearest("zebra", words), undefined);
  equal(nearest("", words), undefined);
  equal(nearest("x".repeat(100_000), words), undefined);
});
