/**
 * Everybody's clients follow our server: what they say of it, over a link of their own, by IPv4 and
 * IPv6, on the first and on further addresses of one socket for both families.
 *
 * The true offset is zero, because all read the clock of this machine.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startChronyd } from "../support/chronyd.ts";
import { run } from "../support/command.ts";
import { findPeer } from "../support/debian_packages.ts";
import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { startNtpd } from "../support/ntpd.ts";
import { type Daemon, ntpsd, startDaemon } from "../support/ntpsd.ts";
import {
  offsetOfQuickest,
  type PeerMeasurement,
  readChronyLog,
  readRawStatistics,
} from "../support/peer_log.ts";
import { temporaryFolder } from "../support/places.ts";
import {
  askByChronyd,
  askByNtpdig,
  askByRdate,
  askByTimesyncd,
  type Question,
} from "../support/time_client.ts";
import { PATIENCE_MS, waitUntil } from "../support/wait_until.ts";

const chronyd = await findPeer("chronyd");
const ntpd = await findPeer("ntpd");
const ntpdig = await findPeer("ntpdig");
const rdate = await findPeer("rdate");
const timesyncd = await findPeer("timesyncd");
const namespaces = await canMakeNamespaces();

const FURTHER_IPV4 = "192.0.2.77", FURTHER_IPV6 = "2001:db8::77";
const CONFIG = `
[[server]]
listen = "[::]:123"
[synchronization]
local-stratum = 5
reference-id = "TEST"
`;
/** Clients of the same clock agree within so much. */
const AGREEMENT = 50e-6;
/** One exchange on a busy machine may be lopsided by so much. */
const ONE_EXCHANGE = 5e-3;

/**
 * A server in one namespace, with two addresses of each family, and a client's namespace beside it.
 */
interface Scene extends AsyncDisposable {
  readonly client: string;
  readonly addresses: readonly string[];
  readonly daemon: Daemon;
}

async function scene(): Promise<Scene> {
  const network = await networkPair();
  const { namespace, device, ipv4, ipv6 } = network.right;
  const add = (...args: string[]) =>
    run("ip", { args: ["-n", namespace, "addr", "add", ...args, "dev", device] });
  await add(`${FURTHER_IPV4}/24`);
  await add(`${FURTHER_IPV6}/64`, "nodad");
  const daemon = await startDaemon({ config: CONFIG, namespace });
  await daemon.process.waitFor(/Serves time on/);
  const dispose = async () => {
    await daemon[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
  };
  return {
    client: network.left.namespace,
    addresses: [ipv4, ipv6, FURTHER_IPV4, FURTHER_IPV6],
    daemon,
    [Symbol.asyncDispose]: dispose,
  };
}

/**
 * Asks until a single exchange has a small offset: other work of the machine may make any one
 * lopsided, but not all.
 */
async function near(ask: () => Promise<number>): Promise<void> {
  const offsets: number[] = [];
  const giveUp = performance.now() + PATIENCE_MS;
  while (offsets.length < 10 || performance.now() < giveUp) {
    const offset = await ask();
    if (Math.abs(offset) < ONE_EXCHANGE) return;
    offsets.push(offset);
  }
  assert.fail(`offsets ${offsets}`);
}

function assertGood(measurements: readonly PeerMeasurement[]): void {
  for (const m of measurements) {
    assert.ok(m.isGood, JSON.stringify(m));
    assert.equal(m.leap, 0);
    assert.equal(m.stratum, 5);
    assert.equal(m.referenceId, 0x54455354);
    assert.ok(m.rootDelay >= 0 && m.rootDelay < 0.001, `root delay ${m.rootDelay}`);
    assert.ok(m.rootDispersion >= 0 && m.rootDispersion < 0.01, `dispersion ${m.rootDispersion}`);
  }
}

/** Waits until a log holds `count` answers of each address. */
async function collect(
  file: string,
  wanted: {
    readonly read: (text: string) => readonly PeerMeasurement[];
    readonly addresses: readonly string[];
    readonly count: number;
  },
): Promise<readonly PeerMeasurement[]> {
  const { read, addresses, count } = wanted;
  let all: readonly PeerMeasurement[] = [];
  return await waitUntil(async () => {
    all = read(await Deno.readTextFile(file).catch(() => ""));
    const enough = addresses.every((address) =>
      all.filter((m) => m.address === address).length >= count
    );
    return enough ? all : undefined;
  }, {
    timeoutMs: PATIENCE_MS,
    what: () => `${count} answers of ${addresses}: ${JSON.stringify(all)}`,
  });
}

Deno.test({
  name: "chronyd, ntpd and our own query agree on the server, on four addresses of one socket",
  ignore: chronyd === undefined || ntpd === undefined || !namespaces,
  async fn() {
    assert.ok(chronyd && ntpd);
    await using place = await scene();
    const { addresses, client: namespace } = place;
    await using folder = await temporaryFolder();
    await using _chronyd = await startChronyd(chronyd, {
      namespace,
      local: false,
      // ntpd takes port 123 of every address in the namespace
      lines: [
        ...addresses.map((address) => `server ${address} minpoll -3 maxpoll -3`),
        `logdir ${folder.path}`,
        "log rawmeasurements",
      ],
    });
    await using _ntpd = await startNtpd(ntpd, {
      namespace,
      lines: [
        `statsdir ${folder.path}/`,
        "statistics rawstats",
        "filegen rawstats file rawstats type none enable",
        ...addresses.map((address) => `server ${address} iburst minpoll 0 maxpoll 0`),
      ],
    });
    const byChronyd = await collect(`${folder.path}/measurements.log`, {
      read: readChronyLog,
      addresses,
      count: 16,
    });
    const byNtpd = await collect(`${folder.path}/rawstats`, {
      read: readRawStatistics,
      addresses,
      count: 5,
    });
    const asked = await ntpsd(["query", "--json", "--samples", "8", ...addresses], { namespace });
    const byQuery = JSON.parse(asked.stdout).results as { ok: boolean; offsetSeconds: number }[];
    assertGood(byChronyd);
    assertGood(byNtpd);
    assert.ok(byQuery.every(({ ok }) => ok), asked.stdout);
    const offsets = [
      offsetOfQuickest(byChronyd),
      offsetOfQuickest(byNtpd),
      byQuery.map((result) => result.offsetSeconds).sort((a, b) => a - b)[1] ?? NaN,
    ];
    const spread = Math.max(...offsets) - Math.min(...offsets);
    assert.ok(spread < AGREEMENT, `offsets ${offsets}`);
    const status = await place.daemon.status();
    assert.deepEqual(status?.servers.map(({ listen }) => listen), ["[::]:123"]);
  },
});

Deno.test({
  name: "clients that ask once: chronyd -Q, ntpdig, rdate, systemd-timesyncd",
  ignore: !namespaces,
  async fn(test) {
    await using place = await scene();
    await using folder = await temporaryFolder();
    const { client: namespace, addresses } = place;
    const questions: readonly Question[] = addresses.map((address) => ({ namespace, address }));
    if (chronyd !== undefined) {
      await test.step("chronyd -Q", async () => {
        for (const question of questions.slice(0, 2)) {
          await near(() => askByChronyd(chronyd, { ...question, folder }));
        }
      });
    }
    if (ntpdig !== undefined) {
      await test.step("ntpdig", async () => {
        for (const question of questions) {
          await near(async () => {
            const answer = await askByNtpdig(ntpdig, question);
            assert.equal(answer.stratum, 5);
            assert.equal(answer.leap, "no-leap");
            return answer.offset;
          });
        }
      });
    }
    if (rdate !== undefined) {
      await test.step("rdate", async () => {
        for (const question of questions) await near(() => askByRdate(rdate, question));
      });
    }
    if (timesyncd !== undefined) {
      await test.step("systemd-timesyncd", async () => {
        const [question] = questions;
        assert.ok(question);
        const said = await askByTimesyncd(timesyncd, { ...question, folder });
        assert.match(said, /leap +: 0\n/, said);
        assert.match(said, /stratum +: 5\n/);
        assert.match(said, /root distance: 0\.\d+ sec/);
        assert.match(said, /offset +: [+-]0\.0\d+ sec/);
        assert.match(said, /Contacted time server 192\.0\.2\.2:123/);
        assert.match(said, /clock_adjtime\(\): Operation not permitted/);
      });
    }
  },
});
