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

Deno.test("a reason that names its source is the same reason for another one", () => {
  const faults = ["ntp1.example.net", "time.example.org", "localhost.example"].map((name) => ({
    name,
    reason: `Cannot resolve ${name}: no answer`,
  }));
  const text = "ntp1.example.net and 2 more: Cannot resolve ntp1.example.net: no answer";
  equal(describeCauses(faults), text);
  const numbered = ["[2001:db8::a]:123", "[2001:db8::b]:123"].map((address) => ({
    name: `ntp.example (${address})`,
    reason: `Cannot reach ${address}: no route to host`,
  }));
  equal(
    describeCauses(numbered),
    "ntp.example ([2001:db8::a]:123) and 1 more: Cannot reach [2001:db8::a]:123: no route to host",
  );
});
