import assert from "node:assert/strict";
import {
  equalSocketAddress,
  formatSocketAddress,
  parseHostPort,
  parseSocketAddress,
  socketAddress,
} from "./socket_address.ts";

Deno.test("socket addresses are written and read", () => {
  for (const text of ["192.0.2.1:123", "[2001:db8::1]:123", "[fe80::1%2]:4460", "[::]:0"]) {
    const read = text.endsWith(":0") ? socketAddress("::", 0) : parseSocketAddress(text);
    assert.ok(read !== undefined, text);
    assert.equal(formatSocketAddress(read), text);
  }
  assert.deepEqual(parseSocketAddress("[FE80::1%2]:1"), {
    family: "ipv6",
    address: "fe80::1",
    port: 1,
    scopeId: 2,
  });
  assert.deepEqual(parseSocketAddress("192.0.2.1", 123), {
    family: "ipv4",
    address: "192.0.2.1",
    port: 123,
  });
  for (const text of ["192.0.2.1", "name:123", "192.0.2.1:65536", "192.0.2.1%1:5", "[::1%x]:5"]) {
    assert.equal(parseSocketAddress(text), undefined, text);
  }
});

Deno.test("hosts with and without port are split", () => {
  assert.deepEqual(parseHostPort("time.example.org"), { host: "time.example.org" });
  assert.deepEqual(parseHostPort("time.example.org:1123"), {
    host: "time.example.org",
    port: 1123,
  });
  assert.deepEqual(parseHostPort("2001:db8::1"), { host: "2001:db8::1" });
  assert.deepEqual(parseHostPort("fe80::1%eth0"), { host: "fe80::1%eth0" });
  assert.deepEqual(parseHostPort("[::1]"), { host: "::1" });
  assert.deepEqual(parseHostPort("[::1]:5"), { host: "::1", port: 5 });
  const wrong = ["", ":5", "a b", "a:b:c", "[::1", "[]:5", "h:", "h:0", "h:99999", "h/x", "[a]b"];
  for (const text of wrong) assert.equal(parseHostPort(text), undefined, text);
});

Deno.test("equality looks at address, port and scope", () => {
  const a = parseSocketAddress("[fe80::1%2]:123"), b = parseSocketAddress("[fe80::1%3]:123");
  const c = parseSocketAddress("[FE80:0::1%2]:123");
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  assert.equal(equalSocketAddress(a, b), false);
  assert.equal(equalSocketAddress(a, c), true);
});
