/**
 * The daemon and `query` against real servers over a veth pair, on the port that NTP has, IPv4 and
 * IPv6.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startChronyd } from "../support/chronyd.ts";
import { clientConfig, endpoint } from "../support/daemon_config.ts";
import { findPeer } from "../support/debian_packages.ts";
import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { startNtpd } from "../support/ntpd.ts";
import { ntpsd, startDaemon } from "../support/ntpsd.ts";
import { waitUntil } from "../support/wait_until.ts";

const chronyd = await findPeer("chronyd");
const ntpd = await findPeer("ntpd");
const namespaces = await canMakeNamespaces();

interface QueryDocument {
  readonly results: readonly {
    readonly ok: boolean;
    readonly error?: string;
    readonly stratum: number;
    readonly leap: string;
    readonly offsetSeconds: number;
    readonly delaySeconds: number;
    readonly timestamping: string;
  }[];
}

async function query(namespace: string, address: string): Promise<QueryDocument> {
  const args = ["query", "--json", "--timeout", "2s", address];
  const said = await ntpsd(args, { namespace });
  return JSON.parse(said.stdout) as QueryDocument;
}

Deno.test({
  name:
    "chronyd over a veth pair: query has kernel timestamps, the daemon selects it, IPv4 and IPv6",
  ignore: chronyd === undefined || !namespaces,
  async fn() {
    assert.ok(chronyd);
    await using network = await networkPair();
    const { left, right } = network;
    const { namespace } = right;
    await using _four = await startChronyd(chronyd, { address: right.ipv4, port: 123, namespace });
    await using _six = await startChronyd(chronyd, { address: right.ipv6, port: 123, namespace });
    for (const address of [right.ipv4, right.ipv6]) {
      const document = await waitUntil(async () => {
        const answer = await query(left.namespace, address);
        // A busy machine delays some of them.
        return (answer.results[0]?.delaySeconds ?? 1) < 0.01 ? answer : undefined;
      }, { timeoutMs: 60_000, everyMs: 200, what: () => `a quick answer from ${address}` });
      const result = document.results[0];
      assert.equal(result?.stratum, 3);
      assert.equal(result?.leap, "none");
      assert.equal(result?.timestamping, "kernel");
      const { offsetSeconds = 1, delaySeconds = 0 } = result ?? {};
      const error = Math.abs(offsetSeconds);
      assert.ok(error < delaySeconds / 2 + 0.001, `offset ${offsetSeconds}, delay ${delaySeconds}`);
    }
    const servers = [{ address: right.ipv4 }, { address: right.ipv6 }];
    const config = clientConfig(servers, 2);
    await using daemon = await startDaemon({ config, namespace: left.namespace });
    const status = await daemon.waitForStatus((now) =>
      now.sources.length === 2 &&
      now.sources.every((source) => ["selected", "combined"].includes(source.status)) &&
      Math.abs(now.offsetSeconds) < 0.001
    );
    assert.deepEqual(
      status.sources.map((each) => each.address).sort(),
      servers.map(endpoint).sort(),
    );
  },
});

Deno.test({
  name: "NTPsec's ntpd as server: query and the daemon take its time",
  ignore: ntpd === undefined || !namespaces,
  async fn() {
    assert.ok(ntpd);
    await using network = await networkPair();
    const { left, right } = network;
    await using server = await startNtpd(ntpd, { namespace: right.namespace, stratum: 4 });
    const document = await waitUntil(async () => {
      const answer = await query(left.namespace, right.ipv4);
      return answer.results[0]?.ok === true ? answer : undefined;
    }, {
      timeoutMs: 60_000,
      everyMs: 500,
      what: () => `an answer of ntpd: ${server.process.stderr}`,
    });
    assert.equal(document.results[0]?.stratum, 4);
    const config = clientConfig([{ address: right.ipv4 }], 1);
    await using daemon = await startDaemon({ config, namespace: left.namespace });
    const status = await daemon.waitForStatus((now) => now.sources[0]?.status === "selected");
    assert.equal(status.sources[0]?.stratum, 4);
    assert.equal(status.stratum, 5);
  },
});
