import assert from "node:assert/strict";
import { configOf } from "../../../tests/support/engine_world.ts";
import { BoundAdvice } from "./bound_advice.ts";

const KEPT = 1_790_000_000;

function configured(path?: string) {
  return configOf(path === undefined ? "" : `[nts]\ncookie-storage-path = "${path}"\n`);
}

Deno.test("nothing is advised about the bound of the release, which is right", () => {
  const advice = new BoundAdvice(configured("/var/lib/ntpsd/cookies"), undefined);
  assert.equal(advice.adviceOn(KEPT), "");
});

Deno.test("a bound from an earlier run goes away with its file", () => {
  const advice = new BoundAdvice(configured("/var/lib/ntpsd/cookies"), KEPT);
  assert.match(advice.adviceOn(KEPT), /^; if that is wrong, .*remove \/var\/lib\/ntpsd\/cookies/);
  // Another bound than the kept one is that of the release.
  assert.equal(advice.adviceOn(KEPT + 1), "");
});

Deno.test("a bound that this run found goes away with the run where nothing is kept", () => {
  const advice = new BoundAdvice(configured(), undefined);
  assert.equal(advice.adviceOn(KEPT), "");
  advice.raised();
  assert.equal(advice.adviceOn(KEPT), "; if that is wrong, restart ntpsd");
});

Deno.test("a reload that names another path changes the file that is to be removed", () => {
  const advice = new BoundAdvice(configured("/old/cookies"), KEPT);
  advice.reconfigure(configured("/new/cookies"));
  assert.match(advice.adviceOn(KEPT), /remove \/new\/cookies/);
  assert.doesNotMatch(advice.adviceOn(KEPT), /\/old\//);
});
