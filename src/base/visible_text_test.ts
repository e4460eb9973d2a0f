import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { visibleLayout, visibleText } from "./visible_text.ts";

/** One of each kind that steers, hides or turns round. */
const HARMFUL = [
  "\0",
  "\x07",
  "\b",
  "\r",
  "\x1b",
  "\x7f",
  "\x85",
  "\x9b",
  "\u00ad",
  "\u061c",
  "\u200b",
  "\u200e",
  "\u200f",
  "\u2028",
  "\u2029",
  "\u202a",
  "\u202e",
  "\u2066",
  "\u2069",
  "\ufeff",
  "\ud800",
  "\u{e0041}",
];

Deno.test("what steers or hides is written as escapes", () => {
  for (const harmful of HARMFUL) {
    for (const write of [visibleText, visibleLayout]) {
      const written = write(`a${harmful}b`);
      assert.match(written, /^a(\\u[0-9a-f]{4})+b$/);
      if (harmful !== "\ud800") assert.equal(JSON.parse(`"${written}"`), `a${harmful}b`);
    }
  }
  assert.equal(visibleText("a\nb"), "a\\u000ab");
});

Deno.test("letters of all scripts, signs and layout stay", () => {
  for (const text of ["±81.5 µs", "Zürich 東京 \u00e9e\u0301", "😀", '\\ "quoted"']) {
    assert.equal(visibleText(text), text);
  }
  assert.equal(visibleLayout("\x1b[32mgood\x1b[0m\n"), "\x1b[32mgood\x1b[0m\n");
  assert.equal(visibleLayout("\x1b[8mhidden\x1b[2J"), "\\u001b[8mhidden\\u001b[2J");
});

Deno.test("property: nothing invisible is left, and twice is once", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const written = visibleText(text);
    assert.doesNotMatch(written, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    assert.equal(visibleText(written), written);
  }));
});
