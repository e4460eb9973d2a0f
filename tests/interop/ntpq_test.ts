/**
 * The real ntpq of NTPsec against a running daemon, by the daemon's own listener and by the port of
 * a server.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runAny } from "../support/command.ts";
import { findPeer } from "../support/debian_packages.ts";

import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { follows, startDaemon } from "../support/ntpsd.ts";

const ntpq = await findPeer("ntpq");
const canRun = ntpq !== undefined && await canMakeNamespaces();

const UPSTREAM = `
  [[server]]
  listen = "127.0.0.2:123"
  [synchronization]
  local-stratum = 4
  [control]
  ntpq = "off"
`;

const SOURCE = `
  [[source]]
  mode = "server"
  address = "127.0.0.2"
  initial-poll-interval = 0
  poll-interval-limits = { min = 0, max = 4 }
  [synchronization]
  minimum-agreeing-sources = 1
`;

const WAYS = {
  "a listener of its own": `${SOURCE}[control]\nntpq = "127.0.0.1:123"\n`,
  "a server at the port of NTP": `${SOURCE}[[server]]\nlisten = "127.0.0.1:123"\n`,
};

for (const [way, config] of Object.entries(WAYS)) {
  Deno.test({
    name: `ntpq reads clock, sources and counters by ${way}, and writes nothing`,
    ignore: !canRun,
    async fn() {
      assert.ok(ntpq);
      await using network = await networkPair();
      const { namespace } = network.left;
      await using _upstream = await startDaemon({ config: UPSTREAM, namespace });
      await using daemon = await startDaemon({ config, namespace });
      const status = await daemon.waitForStatus((now) => follows(now, 4));
      const ask = async (...words: readonly string[]) => {
        const variables = Object.entries(ntpq.env).map(([name, value]) => `${name}=${value}`);
        const said = await runAny("ip", {
          args: ["netns", "exec", namespace, "env", ...variables, ntpq.program, "-n", ...words],
          timeoutMs: 60_000,
        });
        assert.doesNotMatch(said.stderr, /Traceback|timed out/i, said.stderr);
        return `${said.stdout}${said.stderr}`;
      };

      const peers = await ask("-p");
      assert.match(peers, /^\*127\.0\.0\.2 +127\.127\.1\.1 +4 u /m);
      const system = await ask("-c", "rv");
      assert.match(system, new RegExp(`stratum=${status.stratum}\\b`));
      assert.match(system, /refid=127\.0\.0\.2\b/);
      assert.match(system, /version="ntpsd /);
      assert.match(await ask("-c", "associations"), /yes +yes +none +sys\.peer/);
      for (const command of ["apeers", "opeers", "lpeers"]) {
        assert.match(await ask("-c", command), /^\*127\.0\.0\.2 /m, command);
      }
      assert.match(await ask("-c", "sysinfo"), /system peer mode: +client/);
      assert.match(await ask("-c", "kerninfo"), /maximum error: +\d/);
      assert.match(await ask("-c", "sysstats"), /packets received: +\d/);
      assert.match(await ask("-c", "ntsinfo"), /NTS client sends: +0/);
      assert.match(await ask("-c", "mrulist"), /Collected 0 slots/);
      assert.match(await ask("-c", "rv &1"), /srcadr=127\.0\.0\.2, srcport=123/);
      assert.match(await ask("-c", "rv 0 nonsense"), /UNKNOWNVAR/);
      assert.match(await ask("-c", "cv"), /requires the association ID of a clock/);
    },
  });
}
