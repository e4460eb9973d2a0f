import assert from "node:assert/strict";
import { Bursts } from "./bursts.ts";
import { Draws } from "./draws.ts";

const MODEL = { factor: 20, length: 30, gap: 300 };

Deno.test("spells take up the stated part of the time and last as long as stated", () => {
  const bursts = new Bursts(Draws.stream(1, "bursts"));
  let congested = 0, spells = 0, before = 1;
  const seconds = 1_000_000;
  for (let time = 0; time < seconds; time++) {
    const factor = bursts.factorAt(MODEL, time);
    assert.ok(factor === 1 || factor === 20);
    if (factor === 20) congested++;
    if (factor > before) spells++;
    before = factor;
  }
  assert.ok(Math.abs(congested / seconds - 30 / 330) < 0.01, String(congested / seconds));
  assert.ok(Math.abs(congested / spells - 30) < 3, String(congested / spells));
});

Deno.test("a path without spells draws nothing", () => {
  const draws = Draws.stream(2, "bursts");
  const bursts = new Bursts(draws);
  assert.equal(bursts.factorAt(undefined, 1e6), 1);
  assert.equal(draws.uniform(), Draws.stream(2, "bursts").uniform());
});
