/**
 * Servers that name each other, or themselves: nobody's time comes back to him, and nobody is
 * dragged along.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startChronyd } from "../support/chronyd.ts";
import { clientConfig, type ServerPlace } from "../support/daemon_config.ts";
import { findPeer } from "../support/debian_packages.ts";
import { canMakeNamespaces, type NetworkEnd, networkPair } from "../support/network_namespace.ts";
import { type Daemon, startDaemon, type Status } from "../support/ntpsd.ts";
import { freePort } from "../support/places.ts";

const chronyd = await findPeer("chronyd");
const namespaces = await canMakeNamespaces();

/** Starts a daemon that serves both families on port 123 and asks `servers`. */
function startServer(
  end: NetworkEnd,
  options: { readonly servers: readonly ServerPlace[]; readonly localStratum?: number },
): Promise<Daemon> {
  const { servers, localStratum } = options;
  const local = localStratum === undefined ? "" : `local-stratum = ${localStratum}\n`;
  const config = `${clientConfig(servers, 1)}${local}[[server]]\nlisten = "[::]:123"\n`;
  return startDaemon({ config, namespace: end.namespace });
}

/** What became of the source at an address. */
function statusOf(status: Status | undefined, address: string): string {
  return status?.sources.find((source) => source.address.includes(address))?.status ?? "absent";
}

Deno.test("our own listener as a source is a loop, on all its addresses", async () => {
  const port = await freePort();
  const places = ["127.0.0.1", "127.0.0.9", "::1"].map((address) => ({ address, port }));
  for (const local of ["", "local-stratum = 5\n"]) {
    const config = `${clientConfig(places, 1)}${local}[[server]]\nlisten = "[::]:${port}"\n`;
    await using daemon = await startDaemon({ config });
    const status = await daemon.waitForStatus(({ sources }) =>
      sources.length === 3 && sources.every(({ status }) => status === "loop")
    );
    assert.equal(status.sources[0]?.reason, "The server is this daemon itself, or follows it");
    assert.notEqual(status.state, "monitoring");
  }
});

Deno.test("another server on the loopback is no loop", {
  ignore: chronyd === undefined,
}, async () => {
  assert.ok(chronyd);
  await using other = await startChronyd(chronyd);
  const port = await freePort();
  const server = `[[server]]\nlisten = "127.0.0.1:${port}"\n`;
  await using daemon = await startDaemon({ config: `${clientConfig([other], 1)}${server}` });
  await daemon.waitForStatus(({ sources }) => sources[0]?.status === "selected");
});

Deno.test("two that have only each other stay without time", { ignore: !namespaces }, async () => {
  await using network = await networkPair();
  const { left, right } = network;
  for (const family of ["ipv4", "ipv6"] as const) {
    const [a, b] = [{ address: left[family] }, { address: right[family] }];
    await using first = await startServer(left, { servers: [b] });
    await using second = await startServer(right, { servers: [a] });
    const hasAsked = ({ sources }: Status) =>
      (sources[0]?.received ?? 0) + (sources[0]?.sent ?? 0) > 6;
    for (const daemon of [first, second]) {
      const status = await daemon.waitForStatus(hasAsked);
      assert.equal(status.sources[0]?.status, "unsynchronized", JSON.stringify(status.sources));
      assert.notEqual(status.state, "monitoring");
    }
  }
});

Deno.test("of two with local strata, the worse follows the better", {
  ignore: !namespaces,
}, async () => {
  await using network = await networkPair();
  const { left, right } = network;
  await using better = await startServer(left, {
    servers: [{ address: right.ipv4 }],
    localStratum: 5,
  });
  await using worse = await startServer(right, {
    servers: [{ address: left.ipv4 }],
    localStratum: 6,
  });
  const follower = await worse.waitForStatus(({ state, sources }) =>
    state === "monitoring" && sources[0]?.status === "selected"
  );
  assert.equal(follower.stratum, 6);
  const leader = await better.waitForStatus((status) => statusOf(status, right.ipv4) === "loop");
  assert.notEqual(leader.state, "monitoring");
});

Deno.test(
  "two that name each other beside a source: when it is gone, neither follows the other's memory of it",
  {
    ignore: chronyd === undefined || !namespaces,
  },
  async () => {
    assert.ok(chronyd);
    await using network = await networkPair();
    const { left, right } = network;
    const port = await freePort();
    const upstream = { address: "127.0.0.1", port };
    await using leftClock = await startChronyd(chronyd, { port, namespace: left.namespace });
    await using rightClock = await startChronyd(chronyd, { port, namespace: right.namespace });
    await using first = await startServer(left, { servers: [upstream, { address: right.ipv4 }] });
    await using second = await startServer(right, { servers: [upstream, { address: left.ipv4 }] });
    const ends = [[first, right.ipv4], [second, left.ipv4]] as const;
    for (const [daemon, other] of ends) {
      await daemon.waitForStatus((status) =>
        statusOf(status, "127.0.0.1") === "selected" &&
        !/starting|unsync/.test(statusOf(status, other)) &&
        Math.abs(status.offsetSeconds) < 1e-3
      );
    }
    await leftClock.process.stop();
    await rightClock.process.stop();
    const gone = (status: Status | undefined) => statusOf(status, "127.0.0.1") === "unreachable";
    await first.waitForStatus(gone, 60_000);
    await second.waitForStatus(gone, 60_000);
    // One may have followed the other for a moment; then the other is its loop, and nobody is left
    // to follow.
    for (const [daemon, other] of ends) {
      await daemon.waitForStatus((status) =>
        status.state === "unsynchronized" && /^(loop|unsynchronized)$/.test(statusOf(status, other))
      );
    }
  },
);
