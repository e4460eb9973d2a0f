/**
 * chronyd as a client with symmetric keys of every length: in NTPv4, where codes are cut, and in
 * NTPv3, where it sends them whole and which it chooses by itself for keys that are longer than 20
 * octets.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startChronyd } from "../support/chronyd.ts";
import { findPeer } from "../support/debian_packages.ts";
import { startDaemon } from "../support/ntpsd.ts";
import { type PeerMeasurement, readChronyLog } from "../support/peer_log.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { waitUntil } from "../support/wait_until.ts";

const chronyd = await findPeer("chronyd");

const TYPES = ["MD5", "SHA1", "SHA256", "SHA384", "SHA512", "AES128", "AES256"] as const;
const KEYS = TYPES.map((type, i) =>
  `${i + 1} ${type} HEX:${"5a".repeat(type === "AES256" ? 32 : 16)}\n`
).join("");
/** One address for each key and version, because chronyd knows a server by its address. */
const CASES = TYPES.flatMap((type, i) =>
  ([undefined, 3, 4] as const).map((version) => ({
    type,
    key: i + 1,
    version,
    address: `127.0.0.${10 + 3 * i + (version ?? 2)}`,
  }))
);

Deno.test({
  name:
    "chronyd follows us with keys of every type, in version 3 and 4 and in the one that it chooses",
  ignore: chronyd === undefined,
  async fn() {
    assert.ok(chronyd);
    await using folder = await temporaryFolder();
    const keys = await folder.write("keys", KEYS);
    const port = await freePort();
    const config = `[[server]]\nlisten = "0.0.0.0:${port}"\n[keys]\nfile = "${keys}"\n` +
      "[synchronization]\nlocal-stratum = 5\n";
    await using daemon = await startDaemon({ config });
    await daemon.waitForStatus(() => true);
    await using client = await startChronyd(chronyd, {
      local: false,
      lines: [
        `keyfile ${keys}`,
        ...CASES.map(({ address, key, version }) =>
          `server ${address} port ${port} key ${key} minpoll -3 maxpoll -3` +
          (version === undefined ? "" : ` version ${version}`)
        ),
        `logdir ${folder.path}`,
        "log rawmeasurements",
      ],
    });
    const path = `${folder.path}/measurements.log`;
    let all: readonly PeerMeasurement[] = [];
    const missing = () =>
      CASES.filter(({ address }) => !all.some((m) => m.address === address && m.isGood));
    await waitUntil(async () => {
      all = readChronyLog(await Deno.readTextFile(path).catch(() => ""));
      return missing().length === 0 ? true : undefined;
    }, {
      timeoutMs: 60_000,
      what: () => `answers to ${JSON.stringify(missing())}: ${client.process.stderr}`,
    });
    for (const m of all) {
      assert.equal(m.stratum, 5);
      assert.equal(m.referenceId, 0x7f7f0101);
    }
    const status = await daemon.waitForStatus(({ servers }) => servers.length === 1);
    const dropped = JSON.stringify(status.servers[0]);
    assert.ok(!/bad-mac|unknown-key|malformed/.test(dropped), dropped);
  },
});
