import { deepEqual, equal } from "node:assert/strict";
import { collisionOf, isDualStack, servedPlaces } from "./listen.ts";

Deno.test("[::] serves IPv4 too, unless another section does so on the same port", () => {
  equal(isDualStack("[::]:123", ["[::]:123"]), true);
  equal(isDualStack("[::]:123", ["[::]:123", "0.0.0.0:123"]), false);
  equal(isDualStack("[::]:123", ["192.0.2.1:123", "[::]:123"]), false);
  equal(isDualStack("[::]:123", ["[::]:123", "0.0.0.0:1123"]), true);
  equal(isDualStack("[2001:db8::1]:123", ["[2001:db8::1]:123"]), false);
  equal(isDualStack("0.0.0.0:123", ["0.0.0.0:123"]), false);
});

Deno.test("a listener for both families is two places", () => {
  deepEqual(servedPlaces(["[::]:123", "127.0.0.1:1123"]), [
    { family: "ipv6", address: "::", port: 123 },
    { family: "ipv4", address: "0.0.0.0", port: 123 },
    { family: "ipv4", address: "127.0.0.1", port: 1123 },
  ]);
});

Deno.test("listeners collide on one address, and on one port of all addresses of a family", () => {
  for (
    const [one, other, udp, tcp] of [
      ["0.0.0.0:123", "192.0.2.1:123", "covered", "covered"],
      ["0.0.0.0:123", "192.0.2.1:1123", undefined, undefined],
      ["[::]:123", "[2001:db8::1]:123", "covered", "covered"],
      ["[::]:123", "[fe80::1%eth0]:123", "covered", "covered"],
      ["[::]:123", "0.0.0.0:123", undefined, "covered"],
      ["[::]:123", "192.0.2.1:123", undefined, "covered"],
      ["0.0.0.0:123", "[2001:db8::1]:123", undefined, undefined],
      ["0.0.0.0:123", "[::ffff:192.0.2.1]:123", "covered", "covered"],
      ["192.0.2.1:123", "192.0.2.2:123", undefined, undefined],
      ["[2001:DB8:0::1]:123", "[2001:db8::1]:123", "same", "same"],
      ["[::]:123", "[::]:123", "same", "same"],
    ] as const
  ) {
    for (const [first, second] of [[one, other], [other, one]] as const) {
      const over = (one: "udp" | "tcp", other = one) =>
        collisionOf({ transport: one, listen: first }, { transport: other, listen: second });
      deepEqual([over("udp"), over("tcp")], [udp, tcp], `${first} and ${second}`);
      equal(over("udp", "tcp"), undefined);
    }
  }
});
