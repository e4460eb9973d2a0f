import assert from "node:assert/strict";
import { otherThanUnicast } from "./unicast_address.ts";

Deno.test("addresses that are not those of one host are named by their kind", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["0.0.0.0", "the unspecified address"],
    ["0.1.2.3", "the unspecified address"],
    ["::", "the unspecified address"],
    ["::ffff:0.0.0.0", "the unspecified address"],
    ["255.255.255.255", "the broadcast address"],
    ["::ffff:255.255.255.255", "the broadcast address"],
    ["224.0.1.1", "a multicast address"],
    ["239.255.255.255", "a multicast address"],
    ["::ffff:224.0.1.1", "a multicast address"],
    ["ff02::101", "a multicast address"],
    ["240.0.0.1", "a reserved address"],
    ["192.0.2.255", undefined],
    ["223.255.255.255", undefined],
    ["127.0.0.1", undefined],
    ["::1", undefined],
    ["fe80::1", undefined],
    ["2001:db8::1", undefined],
    ["::ffff:192.0.2.1", undefined],
    ["time.example.org", undefined],
  ];
  for (const [address, kind] of cases) assert.equal(otherThanUnicast(address), kind, address);
});
