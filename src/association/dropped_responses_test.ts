import assert from "node:assert/strict";
import { DroppedResponses } from "./dropped_responses.ts";

Deno.test("what was dropped since the last good response explains a silence, the most frequent first", () => {
  const dropped = new DroppedResponses();
  assert.equal(dropped.recent, undefined);
  assert.equal(dropped.add("version"), 1);
  dropped.add("origin");
  assert.equal(dropped.add("origin"), 2);
  assert.equal(dropped.recent, "origin (2), version (1)");
  assert.equal(dropped.last, "origin");
});

Deno.test("a good response ends the explanation and leaves the counts", () => {
  const dropped = new DroppedResponses();
  dropped.add("version");
  dropped.noteGood();
  assert.equal(dropped.recent, undefined);
  assert.deepEqual(dropped.recentReasons, []);
  assert.deepEqual(dropped.snapshot(), { version: 1 });
  assert.equal(dropped.add("version"), 2);
  assert.equal(dropped.recent, "version (1)");
  assert.equal(dropped.total(), 2);
});

Deno.test("what a stranger off the path can send is shown and is no news of the server", () => {
  const dropped = new DroppedResponses();
  for (const reason of ["unexpected", "origin", "too-short", "crypto-nak"] as const) {
    dropped.add(reason);
  }
  assert.deepEqual(dropped.recentReasons, ["crypto-nak"]);
});
