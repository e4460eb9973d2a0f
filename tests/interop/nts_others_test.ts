/**
 * The daemon with Network Time Security against ntpd-rs, both ways, and a client written in Go.
 *
 * Limits: run only with NTPSD_MORE_PEERS set, since the peers are built first. ntpd-rs as a client
 * offers AEAD_AES_SIV_CMAC_512 first and cannot be told otherwise, so its other algorithm is tested
 * with its server alone; the Go client has AEAD_AES_SIV_CMAC_256 alone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { run, runAny } from "../support/command.ts";
import {
  buildGoClient,
  buildNtpdRs,
  findMore,
  startNtpdRs,
  startNtpdRsOnce,
} from "../support/more_peers.ts";
import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { NtsPlace } from "../support/nts_place.ts";
import { startDaemon, startServer, type Status } from "../support/ntpsd.ts";

const { found: ntpdRs, note: noNtpdRs } = await findMore("ntpd-rs", buildNtpdRs);
const { found: goClient, note: noGoClient } = await findMore("the Go client", buildGoClient);
const namespaces = await canMakeNamespaces();

function follows(status: Status): boolean {
  return status.state === "monitoring" && (status.sources[0]?.received ?? 0) >= 10;
}

function served(status: Status | undefined): number {
  return status?.servers[0]?.nts.answered ?? 0;
}

/** Writes the configuration of an ntpd-rs that serves keys and time. */
function serverConfig(place: NtsPlace): string {
  return [
    "[[server]]",
    `listen = "127.0.0.1:${place.timePort}"`,
    "[[nts-ke-server]]",
    `listen = "127.0.0.1:${place.keyExchangePort}"`,
    `certificate-chain-path = "${place.files.certificate}"`,
    `private-key-path = "${place.files.key}"`,
    `ntp-port = ${place.timePort}`,
    "[synchronization]",
    "local-stratum = 1",
    "",
  ].join("\n");
}

/** Writes the configuration of an ntpd-rs that asks about every second. */
function clientConfig(place: NtsPlace): string {
  return [
    "[source-defaults]",
    "poll-interval-limits = { min = 0, max = 0 }",
    "initial-poll-interval = 0",
    "[[source]]",
    'mode = "nts"',
    `address = "localhost:${place.keyExchangePort}"`,
    `certificate-authority = "${place.authority}"`,
    "[synchronization]",
    "minimum-agreeing-sources = 1",
    "",
  ].join("\n");
}

Deno.test({
  name:
    `ntpsd follows an ntpd-rs with every algorithm that it has, and gets new keys when it has lost its own${noNtpdRs}`,
  ignore: ntpdRs === undefined || !namespaces,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(ntpdRs);
    await using network = await networkPair();
    const { namespace } = network.right;
    await using place = await NtsPlace.make();
    const server = await startNtpdRs(ntpdRs, { config: serverConfig(place), namespace });
    for (const [name, aead] of [["256", 15], ["512", 17]] as const) {
      await using client = await startDaemon({
        config: place.client([{ aead: `AEAD_AES_SIV_CMAC_${name}` }]),
        namespace,
      });
      const status = await client.waitForStatus(follows, 45_000);
      assert.equal(status.sources[0]?.nts?.aead, aead);
      assert.equal(status.sources[0]?.nts?.cookies, 8);
      assert.equal(status.sources[0]?.stratum, 1);
      assert.deepEqual(status.sources[0]?.nts?.failures, {});
    }
    await using client = await startDaemon({ config: place.client(), namespace });
    await client.waitForStatus(follows, 45_000);
    await server[Symbol.asyncDispose]();
    await using _ = await startNtpdRs(ntpdRs, { config: serverConfig(place), namespace });
    await client.waitForStatus((now) => (now.sources[0]?.nts?.failures["nts-nak"] ?? 0) > 0);
    const before = (await client.status())?.sources[0]?.received ?? 0;
    const status = await client.waitForStatus(
      (now) => (now.sources[0]?.received ?? 0) > before + 3,
      45_000,
    );
    assert.equal(status.sources[0]?.nts?.cookies, 8);
  },
});

Deno.test({
  name:
    `ntpsd and an ntpd-rs without a common algorithm: the source stays without time, with the reason${noNtpdRs}`,
  ignore: ntpdRs === undefined || !namespaces,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(ntpdRs);
    await using network = await networkPair();
    const { namespace } = network.right;
    await using place = await NtsPlace.make();
    await using _ = await startNtpdRs(ntpdRs, { config: serverConfig(place), namespace });
    const source = { aead: "AEAD_AES_SIV_CMAC_384" };
    await using client = await startDaemon({ config: place.client([source]), namespace });
    const reasons = (now: Status) => Object.keys(now.sources[0]?.nts?.failures ?? {});
    const status = await client.waitForStatus((now) => reasons(now).length > 0);
    assert.deepEqual(reasons(status), ["aead-algorithm-refused"]);
    assert.equal(status.sources[0]?.sent, 0);
  },
});

Deno.test({
  name: `an ntpd-rs follows ntpsd, and gets new keys when ntpsd has lost its own${noNtpdRs}`,
  ignore: ntpdRs === undefined || !namespaces,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(ntpdRs);
    await using network = await networkPair();
    const { namespace } = network.right;
    await using place = await NtsPlace.make();
    const config = place.server();
    const server = await startDaemon({ config, namespace });
    await server.waitForStatus((status) => status.ntsKe.length === 1);
    await using client = await startNtpdRs(ntpdRs, { config: clientConfig(place), namespace });
    const first = await server.waitForStatus((now) => served(now) >= 20, 60_000).catch((error) => {
      throw new Error(client.process.stdout + client.process.stderr, { cause: error });
    });
    assert.equal(first.ntsKe[0]?.completed, 1);
    assert.deepEqual(first.ntsKe[0]?.failed, {});
    assert.equal(first.servers[0]?.nts.naks, 0);
    assert.equal(served(first), first.servers[0]?.received);
    // It says so of each answer that it believes enough to act on.
    await client.process.waitFor(/Offset: -?[\d.e-]+\+-/);
    await server[Symbol.asyncDispose]();
    await using again = await startDaemon({ config, namespace });
    const status = await again.waitForStatus((now) => served(now) >= 3, 60_000);
    assert.ok((status.servers[0]?.nts.naks ?? 0) > 0);
    assert.equal(status.ntsKe[0]?.completed, 1);
  },
});

Deno.test({
  name: `ntp-ctl of ntpd-rs asks ntpsd once, and finds the clock right${noNtpdRs}`,
  ignore: ntpdRs === undefined || !namespaces,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(ntpdRs);
    await using network = await networkPair();
    const { namespace } = network.right;
    await using place = await NtsPlace.make();
    await using server = await startServer({ config: place.server(), namespace });
    await server.waitForStatus((status) => status.ntsKe.length === 1);
    await using once = await startNtpdRsOnce(ntpdRs, { config: clientConfig(place), namespace });
    await once.process.waitFor(/Your clock is already within 1s of the correct time/);
    assert.equal((await once.process.status).code, 0);
    const status = await server.status();
    assert.equal(status?.ntsKe[0]?.completed, 1);
    assert.ok(served(status) >= 1);
    assert.equal(served(status), status?.servers[0]?.received);
  },
});

Deno.test({
  name:
    `a client written in Go has one exchange of keys and twenty answers from ntpsd${noGoClient}`,
  ignore: goClient === undefined,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(goClient);
    await using place = await NtsPlace.make();
    await using server = await startServer({ config: place.server() });
    await server.waitForStatus((status) => status.ntsKe.length === 1);
    const address = `localhost:${place.keyExchangePort}`;
    const said = await run(goClient, { args: [address, place.authority, "20"] });
    const lines = said.stdout.trim().split("\n").map((line) => line.split(" ").map(Number));
    assert.equal(lines.length, 20);
    for (const [stratum, offset = NaN] of lines) {
      assert.equal(stratum, 1);
      assert.ok(Math.abs(offset) < 0.05, `offset ${offset}`);
    }
    const status = await server.status();
    assert.equal(status?.ntsKe[0]?.completed, 1, "the answers brought new cookies");
    assert.deepEqual(status?.ntsKe[0]?.failed, {});
    // The library believes answers without an authenticator too; ours counts those that have one.
    assert.equal(served(status), 20);
    assert.equal(status?.servers[0]?.nts.naks, 0);
    await using stranger = await NtsPlace.make("Stranger");
    const refused = await runAny(goClient, { args: [address, stranger.authority, "1"] });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /certificate/);
  },
});
