import assert from "node:assert/strict";
import { leapByMajority } from "./leap.ts";
import { isLoop, ownIdentity } from "./loop.ts";

Deno.test("a server that follows one of our addresses is a loop", () => {
  const own = ownIdentity([
    "192.0.2.1",
    "2001:DB8:85a3:8d3:1319:8a2e:370:7334",
    "127.0.0.1",
    "::1",
  ]);
  const server = (address: string, stratum: number, referenceId: number) =>
    isLoop({ address, stratum, referenceId }, own);
  assert.equal(server("192.0.2.9", 3, 0xc0000201), true);
  assert.equal(server("192.0.2.9", 2, 0x52fdcf75), true);
  assert.equal(server("192.0.2.9", 2, 0xc0000202), false);
  // at stratum 1 the identifier is a name, whatever its bits
  assert.equal(server("192.0.2.9", 1, 0xc0000201), false);
  assert.equal(server("192.0.2.1", 1, 0), true);
  assert.equal(server("2001:db8:85a3:8d3:1319:8a2e:370:7334", 2, 0), true);
  // many servers may live on the loopback
  assert.equal(server("127.0.0.1", 2, 0x7f000001), false);
});

Deno.test("a leap second needs more than half of the votes", () => {
  assert.equal(leapByMajority(["insert", "insert", "none"]), "insert");
  assert.equal(leapByMajority(["delete", "delete", "insert"]), "delete");
  assert.equal(leapByMajority(["insert", "none"]), "none");
  assert.equal(leapByMajority(["insert", "delete", "none"]), "none");
  assert.equal(leapByMajority(["none"]), "none");
  assert.equal(leapByMajority([]), "unknown");
});
