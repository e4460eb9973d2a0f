import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { ipToBytes } from "../base/ip_address.ts";
import {
  ACCESS_ALLOW,
  ACCESS_DENY,
  ACCESS_IGNORE,
  type AccessDecision,
  type AccessLists,
  AccessRules,
} from "./access.ts";

function rules(lists: AccessLists): AccessRules {
  const built = AccessRules.build(lists);
  assert.ok(built.ok);
  return built.value;
}

function decision(of: AccessRules, address: string): AccessDecision {
  const octets = ipToBytes(address);
  assert.ok(octets !== undefined);
  const words = new Uint32Array(6);
  const view = new DataView(octets.buffer);
  for (let i = 0; i < octets.length / 4; i++) words[i + 1] = view.getUint32(4 * i);
  return of.decide({ words, at: 1, family: octets.length === 4 ? 4 : 6 });
}

Deno.test("without lists everybody is served", () => {
  for (const address of ["0.0.0.0", "255.255.255.255", "::", "2001:db8::1"]) {
    assert.equal(decision(rules({}), address), ACCESS_ALLOW);
  }
});

Deno.test("the longest prefix decides, whichever list it is in", () => {
  const of = rules({
    allowlist: { filter: ["10.0.0.0/8", "10.1.2.0/24", "2001:db8::/32"], action: "ignore" },
    denylist: { filter: ["10.1.0.0/16", "10.1.2.3", "2001:db8:1::/48"], action: "deny" },
  });
  assert.equal(decision(of, "10.0.0.1"), ACCESS_ALLOW);
  assert.equal(decision(of, "10.1.0.1"), ACCESS_DENY);
  assert.equal(decision(of, "10.1.2.2"), ACCESS_ALLOW);
  assert.equal(decision(of, "10.1.2.3"), ACCESS_DENY);
  assert.equal(decision(of, "10.1.2.4"), ACCESS_ALLOW);
  assert.equal(decision(of, "10.1.3.0"), ACCESS_DENY);
  assert.equal(decision(of, "10.2.0.0"), ACCESS_ALLOW);
  assert.equal(decision(of, "9.255.255.255"), ACCESS_IGNORE);
  assert.equal(decision(of, "11.0.0.0"), ACCESS_IGNORE);
  assert.equal(decision(of, "2001:db8::1"), ACCESS_ALLOW);
  assert.equal(decision(of, "2001:db8:1::1"), ACCESS_DENY);
  assert.equal(decision(of, "2001:db8:1:ffff:ffff:ffff:ffff:ffff"), ACCESS_DENY);
  assert.equal(decision(of, "2001:db8:2::"), ACCESS_ALLOW);
  assert.equal(decision(of, "2001:db9::"), ACCESS_IGNORE);
});

Deno.test("the denylist wins over the same prefix, mapped prefixes count as IPv4, families are apart", () => {
  const of = rules({
    allowlist: { filter: ["192.0.2.0/24", "::/0"], action: "ignore" },
    denylist: { filter: ["::ffff:192.0.2.0/120"], action: "deny" },
  });
  assert.equal(decision(of, "192.0.2.1"), ACCESS_DENY);
  assert.equal(decision(of, "192.0.3.1"), ACCESS_IGNORE);
  assert.equal(decision(of, "2001:db8::1"), ACCESS_ALLOW);
});

Deno.test("the ends of the address space are reached", () => {
  const of = rules({
    denylist: { filter: ["0.0.0.0/8", "255.0.0.0/8", "ff00::/8"], action: "ignore" },
  });
  assert.equal(decision(of, "0.0.0.0"), ACCESS_IGNORE);
  assert.equal(decision(of, "1.0.0.0"), ACCESS_ALLOW);
  assert.equal(decision(of, "254.255.255.255"), ACCESS_ALLOW);
  assert.equal(decision(of, "255.255.255.255"), ACCESS_IGNORE);
  assert.equal(decision(of, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ACCESS_IGNORE);
  assert.equal(decision(of, "feff::"), ACCESS_ALLOW);
});

Deno.test("what is no prefix is refused by name", () => {
  for (
    const text of ["192.0.2.0/33", "2001:db8::/129", "example", "10.0.0.0/", "010.0.0.0/8", ""]
  ) {
    const built = AccessRules.build({ denylist: { filter: [text], action: "deny" } });
    assert.deepEqual(built, {
      ok: false,
      error: `Wanted a prefix such as 192.0.2.0/24 or 2001:db8::/32, found ${text}`,
    });
  }
});

Deno.test("many random prefixes agree with a plain search", () => {
  const prefix = fc.record({
    // Few distinct high octets, so that prefixes nest and meet.
    address: fc.tuple(fc.integer({ min: 9, max: 11 }), fc.integer({ min: 0, max: 3 }), fc.nat(255)),
    length: fc.integer({ min: 0, max: 32 }),
    denied: fc.boolean(),
  });
  const address = fc.tuple(fc.integer({ min: 8, max: 12 }), fc.nat(4), fc.nat(255), fc.nat(255));
  const property = fc.property(
    fc.array(prefix, { maxLength: 40 }),
    fc.array(address, { minLength: 20, maxLength: 20 }),
    (prefixes, addresses) => {
      const listOf = (denied: boolean) =>
        prefixes.filter((p) => p.denied === denied).map((p) =>
          `${p.address.join(".")}.0/${p.length}`
        );
      const of = rules({
        allowlist: { filter: listOf(false), action: "ignore" },
        denylist: { filter: listOf(true), action: "deny" },
      });
      for (const octets of addresses) {
        const value = number(octets);
        let best = -1, expected: AccessDecision = ACCESS_IGNORE;
        for (const p of prefixes) {
          const size = 2 ** (32 - p.length);
          const start = Math.floor(number([...p.address, 0]) / size) * size;
          if (value < start || value >= start + size) continue;
          if (p.length > best || (p.length === best && p.denied)) {
            best = p.length;
            expected = p.denied ? ACCESS_DENY : ACCESS_ALLOW;
          }
        }
        assert.equal(decision(of, octets.join(".")), expected, octets.join("."));
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
});

function number(octets: readonly number[]): number {
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}
