import { deepEqual, equal } from "node:assert/strict";
import { isDualStack, servedPlaces } from "./listen.ts";

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
