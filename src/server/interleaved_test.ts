import assert from "node:assert/strict";
import { SeededRandom } from "../base/random.ts";
import type { Client } from "./client.ts";
import { InterleavedTable, NO_SLOT } from "./interleaved.ts";

function ipv4(address: number): Client {
  return { words: Uint32Array.of(address), at: 0, family: 4 };
}

function table(clients = 64): InterleavedTable {
  return new InterleavedTable({ clients, random: new SeededRandom(2) });
}

const RECEIVE = { seconds: 100, fraction: 5 };

Deno.test("what was saved is found by address and receive timestamp, once it has left", () => {
  const of = table();
  const slot = of.save(ipv4(1), { ...RECEIVE }, NO_SLOT);
  assert.equal(of.find(ipv4(1), RECEIVE), NO_SLOT);
  of.noteTransmit(slot, { serial: of.serialAt(slot), seconds: 100, fraction: 1001 });
  assert.equal(of.find(ipv4(1), RECEIVE), slot);
  assert.equal(of.transmitSeconds(slot), 100);
  assert.equal(of.transmitFraction(slot), 1000);
  assert.equal(of.find(ipv4(2), RECEIVE), NO_SLOT);
  assert.equal(of.find(ipv4(1), { seconds: 100, fraction: 7 }), NO_SLOT);
  const v6: Client = { words: Uint32Array.of(0, 0, 0xffff, 1), at: 0, family: 6 };
  assert.equal(of.find({ ...v6, words: Uint32Array.of(1, 0, 0, 0) }, RECEIVE), NO_SLOT);
});

Deno.test("a saved timestamp serves once", () => {
  const of = table();
  const slot = of.save(ipv4(1), { ...RECEIVE }, NO_SLOT);
  of.noteTransmit(slot, { serial: of.serialAt(slot), seconds: 100, fraction: 8 });
  assert.equal(of.save(ipv4(1), { seconds: 116, fraction: 9 }, slot), slot);
  assert.equal(of.find(ipv4(1), RECEIVE), NO_SLOT);
});

Deno.test("receive timestamps of a client are unique even when the clock stands still", () => {
  const of = table();
  const seen = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const receive = { seconds: 100, fraction: 0xffff_fffb };
    of.save(ipv4(1), receive, NO_SLOT);
    assert.equal(receive.fraction & 1, 1);
    seen.add(`${receive.seconds}.${receive.fraction}`);
  }
  assert.deepEqual([...seen], ["100.4294967291", "100.4294967293", "100.4294967295", "101.1"]);
});

Deno.test("a late transmit time does not reach the client that has taken the slot", () => {
  const of = table();
  const slot = of.save(ipv4(1), { ...RECEIVE }, NO_SLOT);
  const serial = of.serialAt(slot);
  of.save(ipv4(1), { seconds: 200, fraction: 1 }, slot);
  of.noteTransmit(slot, { serial, seconds: 100, fraction: 8 });
  assert.equal(of.find(ipv4(1), { seconds: 200, fraction: 1 }), NO_SLOT);
});

Deno.test("the table is bounded, and the oldest of a row makes room", () => {
  const of = table(4);
  const size = of.byteLength;
  for (let i = 1; i <= 5; i++) {
    const slot = of.save(ipv4(i), { ...RECEIVE }, NO_SLOT);
    of.noteTransmit(slot, { serial: of.serialAt(slot), seconds: 100, fraction: 8 });
  }
  assert.equal(of.byteLength, size);
  const found = [1, 2, 3, 4, 5].map((i) => of.find(ipv4(i), RECEIVE) !== NO_SLOT);
  assert.deepEqual(found, [false, true, true, true, true]);
});
