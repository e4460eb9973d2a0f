import assert from "node:assert/strict";
import { SeededRandom } from "../base/random.ts";
import type { Client } from "./client.ts";
import { KissLimiter } from "./kiss_limit.ts";
import { RATE_LEAK, RATE_LIMITED, RATE_PASS, RateLimiter } from "./rate_limit.ts";

function check(limit: RateLimiter, client: Client, now: number): number {
  limit.advance(now);
  return limit.check(client);
}

function ipv4(address: number): Client {
  return { words: Uint32Array.of(address), at: 0, family: 4 };
}

function limiter(
  options: { interval?: number; burst?: number; leak?: number; clients?: number } = {},
): RateLimiter {
  const { interval = 3, burst = 8, leak, clients = 1000 } = options;
  return new RateLimiter({ interval, burst, leak, clients, random: new SeededRandom(5) });
}

Deno.test("a burst passes, then one request in 2^interval seconds", () => {
  const limit = limiter();
  const client = ipv4(0xc0000201);
  for (let i = 0; i < 8; i++) assert.equal(check(limit, client, 100), RATE_PASS);
  assert.equal(check(limit, client, 100), RATE_LIMITED);
  assert.equal(check(limit, client, 107.9), RATE_LIMITED);
  assert.equal(check(limit, client, 108), RATE_PASS);
  assert.equal(check(limit, client, 108), RATE_LIMITED);
  assert.equal(check(limit, client, 124), RATE_PASS);
  assert.equal(check(limit, client, 124), RATE_PASS);
  assert.equal(check(limit, client, 124), RATE_LIMITED);
  for (let i = 0; i < 8; i++) assert.equal(check(limit, client, 1000), RATE_PASS);
  assert.equal(check(limit, client, 1000), RATE_LIMITED);
});

Deno.test("a steady client at the allowed rate always passes", () => {
  const limit = limiter({ interval: 0, burst: 1 });
  for (let i = 0; i < 1000; i++) assert.equal(check(limit, ipv4(1), 50 + i), RATE_PASS);
});

Deno.test("IPv6 clients are limited by /64, and do not share with IPv4", () => {
  const limit = limiter({ burst: 2 });
  const at = (low: number): Client => ({
    words: Uint32Array.of(0x20010db8, 1, 0, low),
    at: 0,
    family: 6,
  });
  assert.equal(check(limit, at(1), 0), RATE_PASS);
  assert.equal(check(limit, at(2), 0), RATE_PASS);
  assert.equal(check(limit, at(3), 0), RATE_LIMITED);
  const other: Client = { words: Uint32Array.of(0x20010db8, 2, 0, 1), at: 0, family: 6 };
  assert.equal(check(limit, other, 0), RATE_PASS);
  assert.equal(check(limit, ipv4(0x20010db8), 0), RATE_PASS);
});

Deno.test("one in 2^leak requests beyond the limit is answered", () => {
  const limit = limiter({ leak: 2 });
  const client = ipv4(7);
  for (let i = 0; i < 8; i++) check(limit, client, 0);
  let leaked = 0;
  for (let i = 0; i < 10_000; i++) {
    const outcome = check(limit, client, 0);
    assert.notEqual(outcome, RATE_PASS);
    if (outcome === RATE_LEAK) leaked++;
  }
  assert.ok(leaked > 2300 && leaked < 2700, `${leaked} of 10000 leaked, about 2500 are expected`);
});

Deno.test("a flood of forged addresses takes no memory and starves nobody", () => {
  const limit = limiter({ leak: 2, clients: 100_000 });
  const before = limit.byteLength;
  assert.ok(before < 16 * 1024 * 1024, `${before} octets`);
  const random = new SeededRandom(9);
  let refused = 0, asked = 0;
  for (let i = 0; i < 1_000_000; i++) {
    const now = 1000 + i / 100_000;
    check(limit, ipv4(random.uint32()), now);
    if (i % 1000 === 0) {
      // Honest clients of 192.0.2.0/24, each asking every 16 seconds or less often.
      asked++;
      if (check(limit, ipv4(0xc0000200 + (i / 1000) % 160), now) !== RATE_PASS) refused++;
    }
  }
  assert.equal(limit.byteLength, before);
  assert.equal(asked, 1000);
  assert.equal(refused, 0);
});

Deno.test("a client that asks too often stays limited while the table is not overrun", () => {
  const limit = limiter({ clients: 100_000 });
  const random = new SeededRandom(11);
  let passed = 0;
  for (let i = 0; i < 50_000; i++) {
    check(limit, ipv4(random.uint32()), 10 + i / 50_000);
    if (i % 10 === 0 && check(limit, ipv4(1), 10 + i / 50_000) === RATE_PASS) passed++;
  }
  assert.equal(passed, 8);
});

Deno.test("kisses are few for each client and few altogether", () => {
  const kisses = new KissLimiter(new SeededRandom(3));
  const client = ipv4(5);
  const allowed = [0, 0, 0, 10, 31, 33, 33].map((now) => kisses.allows(client, 100 + now));
  assert.deepEqual(allowed, [true, true, false, false, false, true, false]);
  let sent = 0;
  for (let i = 0; i < 10_000; i++) if (kisses.allows(ipv4(1000 + i), 300 + i / 10_000)) sent++;
  assert.ok(sent >= 490 && sent <= 501, `${sent} in a second after a pause`);
});
