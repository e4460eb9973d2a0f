/**
 * `ntpsd query` against a real chronyd, a liar, and silence, on the loopback addresses.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startChronyd } from "../support/chronyd.ts";
import { endpoint } from "../support/daemon_config.ts";
import { findPeer } from "../support/debian_packages.ts";
import { startFalseServer } from "../support/false_server.ts";
import { KINDS, ntpsd } from "../support/ntpsd.ts";
import { freePort } from "../support/places.ts";

const chronyd = await findPeer("chronyd");

/** Sees how far a server is ahead, as exactly as the delay allows. */
function assertAhead(
  { offsetSeconds, delaySeconds }: { offsetSeconds: number; delaySeconds: number },
  seconds: number,
): void {
  const error = Math.abs(offsetSeconds - seconds);
  assert.ok(error < delaySeconds / 2 + 0.001, `offset ${offsetSeconds}, delay ${delaySeconds}`);
}

for (const kind of KINDS) {
  Deno.test({
    name: `${kind}: query of chronyd over IPv4 and IPv6`,
    ignore: chronyd === undefined,
    async fn() {
      assert.ok(chronyd);
      await using four = await startChronyd(chronyd, { address: "127.0.0.1", stratum: 4 });
      await using six = await startChronyd(chronyd, { address: "::1", stratum: 6 });
      const places = [endpoint(four), endpoint(six)];
      const said = await ntpsd(["query", "--json", ...places], { kind });
      assert.equal(said.code, 0, said.stderr);
      const { results } = JSON.parse(said.stdout);
      assert.deepEqual(results.map((each: { ok: boolean }) => each.ok), [true, true]);
      assert.deepEqual(results.map((each: { stratum: number }) => each.stratum), [4, 6]);
      for (const result of results) {
        assertAhead(result, 0);
        assert.equal(result.timestamping, "kernel");
        assert.equal(result.authentication, "none");
      }
    },
  });
}

Deno.test("query tells how far off a server is", async () => {
  await using server = await startFalseServer({ offsetSeconds: -0.5, stratum: 7 });
  const said = await ntpsd(["query", "--json", endpoint(server)]);
  const [result] = JSON.parse(said.stdout).results;
  assert.equal(said.code, 0, said.stderr);
  assertAhead(result, -0.5);
  const text = await ntpsd(["query", endpoint(server)]);
  assert.equal(text.code, 0);
  assert.match(text.stdout, /-(0\.5|0\.49|4\d\d|50\d)/, "a person reads half a second, negative");
});

Deno.test("query ends with 1 and a reason where nobody answers or nobody is synchronised", async () => {
  const silent = `127.0.0.1:${await freePort()}`;
  const nobody = await ntpsd(["query", "--json", "--timeout", "500ms", silent]);
  assert.equal(nobody.code, 1);
  const [result] = JSON.parse(nobody.stdout).results;
  assert.equal(result.ok, false);
  assert.equal(typeof result.error, "string");
  await using server = await startFalseServer({ leap: 3, stratum: 16 });
  const unsynchronised = await ntpsd(["query", "--json", "--timeout", "500ms", endpoint(server)]);
  assert.equal(unsynchronised.code, 1, unsynchronised.stdout);
  await using kissing = await startFalseServer({ leap: 3, stratum: 0, referenceId: "DENY" });
  let error = "No response";
  // On a busy machine the response may come late.
  for (const timeout of ["500ms", "10s"]) {
    if (error !== "No response") break;
    const denied = await ntpsd(["query", "--json", "--timeout", timeout, endpoint(kissing)]);
    assert.equal(denied.code, 1, denied.stdout);
    error = JSON.parse(denied.stdout).results[0].error;
  }
  assert.match(error, /DENY/);
});
