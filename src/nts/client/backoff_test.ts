import assert from "node:assert/strict";
import { SeededRandom } from "../../base/random.ts";
import { KeyExchangeBackoff } from "./backoff.ts";

/**
 * Starts exchanges as soon as each may, for a day; returns the longest wait between two of them.
 */
function longestWait(backoff: KeyExchangeBackoff, after: () => void): number {
  const random = new SeededRandom(1);
  let now = 0, longest = 0;
  while (now < 86_400) {
    assert.ok(backoff.mayStart(now));
    backoff.started(now, random);
    after();
    const next = Math.max(now + 1, backoff.notBefore);
    longest = Math.max(longest, next - now);
    now = next;
  }
  return longest;
}

Deno.test("exchanges that asked no server are about a minute apart at most, those that did ever farther", () => {
  const local = new KeyExchangeBackoff();
  assert.ok(longestWait(local, () => local.failedLocally()) <= 66);
  assert.equal(local.tries, 0, "no server was asked");
  const asked = new KeyExchangeBackoff();
  assert.ok(longestWait(asked, () => {}) > 3600);
});

Deno.test("a local failure does not shorten the wait for a server that was asked before", () => {
  const backoff = new KeyExchangeBackoff(10);
  const random = new SeededRandom(1);
  backoff.started(0, random);
  backoff.failedLocally();
  backoff.started(100, random);
  assert.ok(backoff.notBefore > 100 + 10 * 1.5 ** 10);
});
