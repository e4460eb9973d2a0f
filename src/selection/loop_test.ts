import assert from "node:assert/strict";
import { followsUs, isOurselves, ownIdentity } from "./loop.ts";

const OWN = ownIdentity([
  "192.0.2.1",
  "2001:DB8:85a3:8d3:1319:8a2e:370:7334",
  "127.0.0.1",
  "::1",
], [
  { family: "ipv6", address: "::", port: 123 },
  { family: "ipv4", address: "0.0.0.0", port: 123 },
  { family: "ipv4", address: "127.0.0.1", port: 1123 },
]);

Deno.test("a server that follows one of our addresses is a loop", () => {
  const server = (stratum: number, referenceId: number) => followsUs({ stratum, referenceId }, OWN);
  assert.equal(server(3, 0xc0000201), true);
  assert.equal(server(2, 0x52fdcf75), true);
  assert.equal(server(2, 0xc0000202), false);
  // at stratum 1 the identifier is a name, whatever its bits
  assert.equal(server(1, 0xc0000201), false);
  // whoever follows the loopback may follow another's
  assert.equal(server(2, 0x7f000001), false);
});

Deno.test("our own addresses are ourselves where we serve, and at port 123 always", () => {
  const server = (address: string, port: number) => isOurselves({ address, port }, OWN);
  assert.equal(server("192.0.2.1", 123), true);
  assert.equal(server("192.0.2.1", 1123), false, "another program at another port");
  assert.equal(isOurselves({ address: "192.0.2.1", port: 123 }, { ...OWN, served: [] }), true);
  const elsewhere = {
    ...OWN,
    served: [{ family: "ipv4", address: "0.0.0.0", port: 5123 }],
  } as const;
  assert.equal(isOurselves({ address: "192.0.2.1", port: 5123 }, elsewhere), true);
  assert.equal(isOurselves({ address: "192.0.2.9", port: 5123 }, elsewhere), false);
  assert.equal(server("192.0.2.9", 123), false);
  assert.equal(server("2001:db8:85a3:8d3:1319:8a2e:370:7334", 123), true);
  assert.equal(server("127.0.0.1", 123), true);
  assert.equal(server("127.0.0.77", 123), true);
  assert.equal(server("127.0.0.1", 1123), true);
  assert.equal(server("127.0.0.2", 1123), false);
  assert.equal(server("127.0.0.1", 11123), false);
  assert.equal(server("::1", 123), true);
  assert.equal(server("::1", 1123), false);
  assert.equal(server("0.0.0.0", 123), true);
});
