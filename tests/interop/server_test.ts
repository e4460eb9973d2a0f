/**
 * The daemon as a server of chronyd: what chronyd's own log of measurements says of it, in basic
 * and in interleaved mode.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startChronyd } from "../support/chronyd.ts";
import { runAny } from "../support/command.ts";
import { findPeer } from "../support/debian_packages.ts";
import { ntpsd, startDaemon } from "../support/ntpsd.ts";
import { offsetOfQuickest, type PeerMeasurement, readChronyLog } from "../support/peer_log.ts";
import { withoutClock } from "../support/process.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { waitUntil } from "../support/wait_until.ts";

const chronyd = await findPeer("chronyd");
const MEASUREMENTS = 40;
const OFFSET_MEAN_MAX = 50e-6;

async function measure(address: string, option: string): Promise<readonly PeerMeasurement[]> {
  assert.ok(chronyd);
  const port = await freePort();
  const listen = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const config = `[[server]]\nlisten = "${listen}"\n` +
    `[synchronization]\nlocal-stratum = 5\nreference-id = "TEST"\n`;
  await using daemon = await startDaemon({ config });
  await daemon.waitForStatus(() => true);
  await using folder = await temporaryFolder();
  await using client = await startChronyd(chronyd, {
    local: false,
    lines: [
      `server ${address} port ${port} minpoll -5 maxpoll -5 ${option}`,
      `logdir ${folder.path}`,
      "log rawmeasurements",
    ],
  });
  const path = `${folder.path}/measurements.log`;
  return await waitUntil(async () => {
    const all = readChronyLog(await Deno.readTextFile(path).catch(() => ""));
    return all.length >= MEASUREMENTS ? all : undefined;
  }, { timeoutMs: 60_000, what: () => `measurements of ${listen}: ${client.process.stderr}` });
}

for (
  const [address, option] of [["127.0.0.1", ""], ["::1", ""], ["127.0.0.1", "xleave"]] as const
) {
  Deno.test({
    name: `chronyd follows us on ${address} ${option === "" ? "in basic mode" : option}`,
    ignore: chronyd === undefined,
    async fn() {
      const measurements = await measure(address, option);
      for (const m of measurements) {
        assert.equal(m.leap, 0);
        assert.equal(m.stratum, 5);
        assert.ok(m.isGood, JSON.stringify(m));
        assert.ok(m.rootDelay >= 0 && m.rootDelay < 0.001, `root delay ${m.rootDelay}`);
        assert.ok(m.rootDispersion < 0.01, `root dispersion ${m.rootDispersion}`);
        assert.equal(m.referenceId, 0x54455354);
      }
      const offset = offsetOfQuickest(measurements);
      assert.ok(Math.abs(offset) < OFFSET_MEAN_MAX, `mean offset ${offset}`);
      const interleaved = measurements.filter((m) => m.isInterleaved).length;
      if (option === "") assert.equal(interleaved, 0);
      else assert.ok(interleaved > 0.8 * measurements.length, `${interleaved} interleaved`);
    },
  });
}

Deno.test({
  name: "chronyd -Q and our own query agree about us",
  ignore: chronyd === undefined,
  async fn() {
    assert.ok(chronyd);
    // chronyd removes its pid file at the end, so that must be a file of its own.
    await using folder = await temporaryFolder();
    const port = await freePort();
    const config =
      `[[server]]\nlisten = "127.0.0.1:${port}"\n[synchronization]\nlocal-stratum = 5\n`;
    await using daemon = await startDaemon({ config });
    await daemon.waitForStatus(() => true);
    const args = [
      "-Q",
      "-x",
      "-t",
      "5",
      "user root",
      `pidfile ${folder.path}/chronyd.pid`,
      `server 127.0.0.1 port ${port} iburst`,
    ];
    const [first = "", ...rest] = [...withoutClock(), chronyd.program, ...args];
    const once = await runAny(first, { args: rest, env: chronyd.env });
    const said = once.stderr + once.stdout;
    const offset = Number(/System clock wrong by (-?[0-9.]+) seconds/.exec(said)?.[1] ?? NaN);
    assert.ok(Math.abs(offset) < 0.001, said);
    const own = await ntpsd(["query", "--json", `127.0.0.1:${port}`]);
    assert.equal(own.code, 0, own.stderr);
    const [result] = JSON.parse(own.stdout).results;
    assert.equal(result.stratum, 5);
    assert.equal(result.leap, "none");
    const error = Math.abs(result.offsetSeconds);
    assert.ok(error < result.delaySeconds / 2 + 0.001, own.stdout);
  },
});
