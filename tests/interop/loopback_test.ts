/**
 * The daemon as a client of real servers on the loopback addresses: chronyd three times, and one
 * liar.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startChronyd } from "../support/chronyd.ts";
import { clientConfig, endpoint } from "../support/daemon_config.ts";
import { findPeer } from "../support/debian_packages.ts";
import { startFalseServer } from "../support/false_server.ts";
import { type SourceStatus, startDaemon, type Status } from "../support/ntpsd.ts";

const chronyd = await findPeer("chronyd");
const USED = ["selected", "combined"];

function source(status: Status, place: { address: string; port: number }): SourceStatus {
  const found = status.sources.find((each) => each.address === endpoint(place));
  assert.ok(
    found,
    `A source at ${endpoint(place)} was wanted in ${JSON.stringify(status.sources)}`,
  );
  return found;
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test({
    name: `three chronyds on ${address} are followed, a server half a second off is a falseticker`,
    ignore: chronyd === undefined,
    async fn() {
      assert.ok(chronyd);
      await using first = await startChronyd(chronyd, { address, stratum: 1 });
      await using second = await startChronyd(chronyd, { address, stratum: 2 });
      await using third = await startChronyd(chronyd, { address, stratum: 2 });
      await using liar = await startFalseServer({ offsetSeconds: 0.5, stratum: 1 }, { address });
      const servers = [first, second, third, liar];
      await using daemon = await startDaemon({ config: clientConfig(servers, 3) });
      const status = await daemon.waitForStatus((now) =>
        [first, second, third].every((server) => USED.includes(source(now, server).status)) &&
        source(now, liar).status === "falseticker" &&
        // A busy machine makes some of the exchanges lopsided.
        Math.abs(now.offsetSeconds) < 0.001 &&
        Math.abs(source(now, liar).offsetSeconds - 0.5) < 0.05
      );
      assert.equal(status.adjusting, false);
      assert.match(source(status, liar).reason, /\d/, "the reason holds numbers");
      assert.equal(source(status, first).stratum, 1);
    },
  });
}

Deno.test({
  name: "a server that is killed becomes unreachable, and is used again when it is back",
  ignore: chronyd === undefined,
  async fn() {
    assert.ok(chronyd);
    await using first = await startChronyd(chronyd);
    await using second = await startChronyd(chronyd);
    await using third = await startChronyd(chronyd);
    const config = clientConfig([first, second, third], 2);
    await using daemon = await startDaemon({ config });
    await daemon.waitForStatus((now) => USED.includes(source(now, third).status));
    await third.process.stop("SIGKILL");
    const without = await daemon.waitForStatus((now) => source(now, third).reach === 0);
    assert.equal(source(without, third).status, "unreachable");
    assert.ok([first, second].some((server) => source(without, server).status === "selected"));
    await using _again = await startChronyd(chronyd, { port: third.port });
    await daemon.waitForStatus((now) => USED.includes(source(now, third).status));
  },
});

Deno.test({
  name: "two liars of three that agree with nobody leave the clock without a majority",
  ignore: chronyd === undefined,
  async fn() {
    assert.ok(chronyd);
    await using honest = await startChronyd(chronyd);
    await using fast = await startFalseServer({ offsetSeconds: 10 });
    await using slow = await startFalseServer({ offsetSeconds: -10 });
    const servers = [honest, fast, slow];
    await using daemon = await startDaemon({ config: clientConfig(servers, 2) });
    const status = await daemon.waitForStatus((now) =>
      servers.every((server) => source(now, server).received >= 6)
    );
    const used = status.sources.filter((each) => USED.includes(each.status));
    assert.deepEqual(used, []);
  },
});
