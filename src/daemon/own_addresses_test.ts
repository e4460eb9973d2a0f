import assert from "node:assert/strict";
import { ok } from "../base/result.ts";
import { socketAddress } from "../base/socket_address.ts";
import { routeSource } from "../../ffi/route.ts";
import { interfaceAddresses } from "../../ffi/interfaces.ts";
import { OwnAddresses } from "./own_addresses.ts";

interfaceAddresses(); // opens the C library, which stays open

Deno.test("a route that appears is noticed at the next look, addresses within ten", () => {
  let addresses = ["127.0.0.1"];
  let route: string | undefined;
  const own = new OwnAddresses({
    addresses: () =>
      ok(addresses.flatMap((text) => {
        const address = socketAddress(text, 0);
        return address === undefined
          ? []
          : [{ name: "eth0", address, up: true, loopback: text.startsWith("127.") }];
      })),
    route: (family) => family === "ipv4" ? route : undefined,
  });
  assert.deepEqual(own.read(), ["127.0.0.1"]);
  for (let i = 0; i < 30; i++) assert.equal(own.look(), undefined);
  // the interface is there already and only the route appears
  route = "192.0.2.7";
  assert.deepEqual(own.look(), { type: "network-changed" });
  assert.equal(own.look(), undefined);
  // address and route change together
  route = "192.0.2.8";
  addresses = ["127.0.0.1", "192.0.2.8"];
  assert.deepEqual(own.look(), { type: "own-addresses", addresses });
  // an address without a route to the world
  addresses = ["127.0.0.1", "192.0.2.8", "198.51.100.9"];
  const looks = Array.from({ length: 10 }, () => own.look()).filter((each) => each !== undefined);
  assert.deepEqual(looks, [{ type: "own-addresses", addresses }]);
  route = undefined;
  assert.deepEqual(own.look(), { type: "network-changed" });
});

Deno.test("the way to the world begins at an address of this machine, if there is one", () => {
  const read = interfaceAddresses();
  assert.ok(read.ok);
  for (const family of ["ipv4", "ipv6"] as const) {
    const source = routeSource(family);
    const own = read.value.map(({ address }) => address.address);
    assert.ok(source === undefined || own.includes(source), source);
  }
});
