import assert from "node:assert/strict";
import { SeededRandom, uniform } from "../base/random.ts";
import { type RouteChange, Routes } from "./routes.ts";

const WAIT = 1e-3;
const waits = { wait: WAIT, noise: 1e-8, lean: 0 };

/** Routes whose delays are the floor plus two exponential waits. */
function simulated(seed: number) {
  const random = new SeededRandom(seed);
  const routes = new Routes();
  const wait = (mean: number) => -mean * Math.log(1 - uniform(random));
  const take = (floor: number, count: number, mean = WAIT): RouteChange["kind"][] =>
    Array.from({ length: count }, () => {
      const delay = floor + wait(mean) + wait(mean);
      return routes.add(delay, { ...waits, wait: mean }).kind;
    });
  return { routes, take };
}

const changes = (kinds: readonly string[]) => kinds.filter((kind) => kind !== "same");

Deno.test("waits alone are no change of the route", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const { take } = simulated(seed);
    assert.deepEqual(changes(take(0.02, 2000)), [], `seed ${seed}`);
  }
});

Deno.test("a detour is found within a few samples, at any time, and the way back at once", () => {
  for (const before of [4, 10, 40, 300]) {
    for (const during of [4, 20, 31, 32, 100]) {
      const { routes, take } = simulated(before + during);
      take(0.02, before);
      const short = routes.present;
      const kinds = take(0.04, Math.max(8, during));
      assert.deepEqual(changes(kinds), ["longer"], `after ${before}`);
      assert.ok(kinds.indexOf("longer") < 6, `found with sample ${kinds.indexOf("longer") + 1}`);
      assert.deepEqual(take(0.02, 1), ["back"], `after ${before} and ${during}`);
      assert.equal(routes.present, short);
      assert.deepEqual(changes(take(0.02, 200)), []);
    }
  }
});

Deno.test("the samples that showed the detour were on it already", () => {
  const { routes } = simulated(1);
  for (let i = 0; i < 50; i++) routes.add(0.02 + (i % 7) * WAIT, waits);
  const found = Array.from({ length: 6 }, () => routes.add(0.06, waits))
    .find(({ kind }) => kind === "longer");
  assert.equal(found?.samples, 3);
});

Deno.test("a detour over a detour: the fall goes back as far as the delay shows", () => {
  const { routes, take } = simulated(3);
  take(0.02, 50);
  const short = routes.present;
  take(0.04, 50);
  const middle = routes.present;
  take(0.08, 50);
  assert.deepEqual(changes(take(0.04, 20)), ["back"]);
  assert.equal(routes.present, middle);
  take(0.08, 50);
  assert.deepEqual(changes(take(0.02, 20)), ["back"]);
  assert.equal(routes.present, short);
});

Deno.test("a route that is shorter than all is a new one, and the floor then falls as usual", () => {
  const { routes, take } = simulated(5);
  take(0.04, 200);
  const long = routes.present;
  assert.deepEqual(changes(take(0.02, 100)), ["shorter"]);
  assert.notEqual(routes.shortest, long);
  assert.ok(long !== undefined && !routes.has(long));
  assert.ok(Math.abs((routes.present?.floor(waits) ?? 0) - 0.02) < 0.3 * WAIT);
});

Deno.test("the shortest route is kept however many detours follow one another", () => {
  const { routes, take } = simulated(7);
  take(0.02, 50);
  const short = routes.present;
  for (let i = 1; i <= 10; i++) take(0.02 + i * 0.02, 40);
  assert.equal(routes.shortest, short);
  assert.deepEqual(changes(take(0.02, 10)), ["back"]);
});

Deno.test("a detour that turns out to be longer queues is taken back", () => {
  const routes = new Routes();
  const calm = { wait: 1e-3, lean: 0, noise: 1e-8 };
  for (let i = 0; i < 40; i++) routes.add(0.02 + 0.0001 * (i % 7), calm);
  const { present: route } = routes;
  const kinds = [0.036, 0.0365, 0.0375, 0.039].map((delay) => routes.add(delay, calm).kind);
  assert.ok(kinds.includes("longer"));
  const detour = routes.present;
  assert.notEqual(detour, route);
  // with what is known of the waits by now it is no wonder that none was shorter
  const change = routes.add(0.05, { ...calm, wait: 1e-2 });
  assert.equal(change.kind, "back");
  assert.ok(change.samples >= 4, "samples since the detour began belong to the old route");
  assert.equal(routes.present, route);
});
