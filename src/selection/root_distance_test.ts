import assert from "node:assert/strict";
import { rootDistance, supportedDistance } from "./root_distance.ts";

const SERVER = { rootDelay: 0.02, rootDispersion: 0.003, precision: -10 };

Deno.test("the root distance has everything that can be wrong", () => {
  const { rootDelay, rootDispersion, distance } = rootDistance(SERVER, {
    delay: 0.01,
    uncertainty: 1e-4,
  });
  assert.equal(rootDelay, 0.03);
  assert.equal(rootDispersion, 0.003 + 2 ** -10 + 3.5e-4);
  assert.equal(distance, 0.015 + rootDispersion);
});

Deno.test("a coarse clock is off by its grain, and a delay below zero is none", () => {
  const server = { rootDelay: 0, rootDispersion: 0, precision: 0 };
  assert.equal(rootDistance(server, { delay: -0.5, uncertainty: 0 }).distance, 1);
});

Deno.test("whatever a header carries, the bound is a number", () => {
  for (let precision = -128; precision <= 127; precision++) {
    const server = { rootDelay: 15.99, rootDispersion: 15.99, precision };
    const { distance } = rootDistance(server, { delay: 1, uncertainty: 1 });
    assert.ok(Number.isFinite(distance) && distance > 20, `${precision}`);
  }
});

Deno.test("fewer than half of those who agree cannot make the distance smaller than the best honest one", () => {
  assert.equal(supportedDistance([]), 0);
  assert.equal(supportedDistance([0.5]), 0.5);
  assert.equal(supportedDistance([0.5, 0.1]), 0.1);
  const honest = [0.3, 0.01, 0.2, 0.02];
  for (let count = 1; count <= honest.length; count++) {
    const some = honest.slice(0, count);
    for (let liars = 0; liars < count; liars++) {
      const distance = supportedDistance([...Array(liars).fill(1e-9), ...some]);
      assert.ok(distance >= Math.min(...some), `${count} honest, ${liars} liars`);
      assert.ok(distance <= Math.max(...some));
    }
  }
});
