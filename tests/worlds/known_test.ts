/** CI's random worlds: ntpsd loses in none but the known ones, and still loses in these. */
import assert from "node:assert/strict";
import { rateWorlds } from "./judge_worlds.ts";
import { CI_NUMBERS, readKnown } from "./known.ts";
import { lossLines } from "./table.ts";

const JOBS = 2;

Deno.test(`in ${CI_NUMBERS.length} random worlds ntpsd loses only where it is known to`, async () => {
  const known = await readKnown();
  const outcomes = await rateWorlds(CI_NUMBERS, JOBS);
  const losers = outcomes.filter(({ losses }) => losses.length > 0);
  const unknown = losers.filter(({ number }) => known[number] === undefined);
  const lost = new Set(losers.map(({ number }) => String(number)));
  const better = Object.keys(known).filter((number) => !lost.has(number));
  assert.deepEqual(
    [...lossLines(unknown), ...better.map((number) => `${number} is won: take it off known.json`)],
    [],
    "`deno task worlds --known` writes known.json anew",
  );
});

Deno.test("there is a reason for every known loser", async () => {
  const reasons = Object.entries(await readKnown());
  assert.deepEqual(reasons.filter(([, reason]) => reason.length < 20), []);
});
