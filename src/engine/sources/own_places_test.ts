import assert from "node:assert/strict";
import { configOf } from "../../../tests/support/engine_world.ts";
import { isOurselves } from "../../selection/loop.ts";
import { OwnPlaces } from "./own_places.ts";

const OWN = "192.0.2.1", OTHER = "192.0.2.2";

function serving(...listens: readonly string[]) {
  return configOf(listens.map((listen) => `[[server]]\nlisten = "${listen}"\n`).join(""));
}

function isOwn(places: OwnPlaces, address: string, port: number): boolean {
  return isOurselves({ address, port }, places.identity);
}

Deno.test("we are where we listen, at each of our addresses and the loopback", () => {
  const places = new OwnPlaces(serving("[::]:1123"), [OWN]);
  assert.equal(isOwn(places, OWN, 1123), true);
  assert.equal(isOwn(places, "127.0.0.1", 1123), true);
  assert.equal(isOwn(places, OTHER, 1123), false);
  assert.equal(isOwn(places, OWN, 1124), false);
});

Deno.test("where a listener of ours is closed, another program may serve", () => {
  const places = new OwnPlaces(serving(`${OWN}:1123`, `${OWN}:1124`), [OWN]);
  places.update({ closed: [`${OWN}:1123`] });
  assert.equal(isOwn(places, OWN, 1123), false);
  assert.equal(isOwn(places, OWN, 1124), true);
  places.update({ closed: [] });
  assert.equal(isOwn(places, OWN, 1123), true);
});

Deno.test("a closed listener on IPv4 leaves [::] to IPv6 alone all the same", () => {
  const places = new OwnPlaces(serving("[::]:1123", "0.0.0.0:1123"), [OWN]);
  places.update({ closed: ["0.0.0.0:1123"] });
  assert.equal(isOwn(places, OWN, 1123), false);
  assert.equal(isOwn(places, "::1", 1123), true);
});

Deno.test("what a change leaves out is as before: addresses, closed listeners, both after a reload", () => {
  const places = new OwnPlaces(serving("0.0.0.0:1123"), [OWN]);
  places.update({ closed: ["0.0.0.0:1123"] });
  places.update({ addresses: [OTHER] });
  assert.equal(isOwn(places, OTHER, 1123), false);
  places.reconfigure(serving("0.0.0.0:1123", "0.0.0.0:1124"));
  assert.deepEqual([1123, 1124].map((port) => isOwn(places, OTHER, port)), [false, true]);
  assert.equal(isOwn(places, OWN, 1124), false);
  assert.deepEqual(places.identity.addresses, new Set([OTHER]));
});
