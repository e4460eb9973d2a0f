/**
 * The daemon with Network Time Security against chronyd and NTPsec's ntpd, both ways.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startChronyd } from "../support/chronyd.ts";
import { findPeer } from "../support/debian_packages.ts";
import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { NtsPlace } from "../support/nts_place.ts";
import { ntsServerLines, startNtpd } from "../support/ntpd.ts";
import { type Daemon, follows, startDaemon, startServer, type Status } from "../support/ntpsd.ts";

const chronyd = await findPeer("chronyd");
const ntpd = await findPeer("ntpd");
const namespaces = await canMakeNamespaces();

function served(status: Status | undefined): number {
  return status?.servers[0]?.nts.answered ?? 0;
}

/** Waits until a server has answered so many more protected requests. */
async function waitForMore(server: Daemon, more: number): Promise<Status> {
  const before = served(await server.status());
  return await server.waitForStatus((now) => served(now) >= before + more);
}

Deno.test({
  name: "ntpsd follows a chronyd, and gets new keys by itself when chronyd has lost its own",
  ignore: chronyd === undefined,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(chronyd);
    await using place = await NtsPlace.make();
    const lines = [
      `ntsservercert ${place.files.certificate}`,
      `ntsserverkey ${place.files.key}`,
      `ntsport ${place.keyExchangePort}`,
    ];
    const port = place.timePort;
    await using client = await startDaemon({ config: place.client() });
    {
      await using _ = await startChronyd(chronyd, { lines, port });
      const status = await client.waitForStatus(follows, 45_000);
      assert.equal(status.sources[0]?.nts?.cookies, 8);
      assert.ok([15, 30].includes(status.sources[0]?.nts?.aead ?? 0));
      assert.equal(status.sources[0]?.stratum, 3);
    }
    await using _ = await startChronyd(chronyd, { lines, port });
    await client.waitForStatus((now) => (now.sources[0]?.nts?.failures["nts-nak"] ?? 0) > 0);
    const before = (await client.status())?.sources[0]?.received ?? 0;
    const status = await client.waitForStatus(
      (now) => (now.sources[0]?.received ?? 0) > before + 3,
      45_000,
    );
    assert.equal(status.sources[0]?.nts?.cookies, 8);
    assert.equal(status.sources[0]?.dropped["not-authentic"], undefined);
  },
});

Deno.test({
  name: "a chronyd follows ntpsd, and gets new keys when ntpsd has lost its own",
  ignore: chronyd === undefined,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(chronyd);
    await using place = await NtsPlace.make();
    const config = place.server();
    const lines = [
      `server 127.0.0.1 nts ntsport ${place.keyExchangePort} iburst minpoll 0 maxpoll 0`,
      `ntstrustedcerts ${place.authority}`,
    ];
    const server = await startDaemon({ config });
    await server.waitForStatus((status) => status.ntsKe.length === 1);
    await using peer = await startChronyd(chronyd, { local: true, stratum: 9, lines });
    const first = await waitForMore(server, 5);
    assert.equal(first.ntsKe[0]?.completed, 1);
    assert.deepEqual(first.ntsKe[0]?.failed, {});
    await peer.process.waitFor(/Selected source 127\.0\.0\.1/);
    // so that its cookies do not run out while there is no server
    peer.process.signal("SIGSTOP");
    await server[Symbol.asyncDispose]();
    await using again = await startServer({ config });
    peer.process.signal("SIGCONT");
    const status = await again.waitForStatus((now) => served(now) >= 3, 60_000);
    assert.ok((status.servers[0]?.nts.naks ?? 0) > 0);
    assert.equal(status.ntsKe[0]?.completed, 1);
  },
});

Deno.test({
  name: "ntpsd follows an ntpd with every algorithm that it has",
  ignore: ntpd === undefined || !namespaces,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(ntpd);
    await using network = await networkPair();
    const { namespace } = network.right;
    await using place = await NtsPlace.make();
    await using server = await startNtpd(ntpd, {
      namespace,
      lines: ntsServerLines({ ...place.files, cookieKeys: `${place.folder.path}/nts-keys` }),
    });
    await server.process.waitFor(/NTSs: listen4 worked/);
    for (const [name, aead] of [["256", 15], ["384", 16], ["512", 17]] as const) {
      const source = { address: "127.0.0.1", aead: `AEAD_AES_SIV_CMAC_${name}` };
      await using client = await startDaemon({ config: place.client([source]), namespace });
      const status = await client.waitForStatus(follows, 45_000);
      assert.equal(status.sources[0]?.nts?.aead, aead);
      assert.equal(status.sources[0]?.nts?.cookies, 8);
      assert.deepEqual(status.sources[0]?.nts?.failures, {});
    }
  },
});

Deno.test({
  name: "an ntpd follows ntpsd with every algorithm that it has",
  ignore: ntpd === undefined || !namespaces,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(ntpd);
    await using network = await networkPair();
    const { namespace } = network.right;
    await using place = await NtsPlace.make();
    await using server = await startServer({ config: place.server(), namespace });
    await server.waitForStatus((status) => status.ntsKe.length === 1);
    for (const [i, bits] of ["256", "384", "512"].entries()) {
      const source = `server localhost:${place.keyExchangePort} nts ca ${place.authority}`;
      await using client = await startNtpd(ntpd, {
        namespace,
        lines: [`nts aead AES_SIV_CMAC_${bits}`, `${source} iburst minpoll 1 maxpoll 1`],
      });
      const status = await waitForMore(server, 4).catch((error) => {
        throw new Error(client.process.stderr, { cause: error });
      });
      assert.equal(status.ntsKe[0]?.completed, i + 1);
      assert.deepEqual(status.ntsKe[0]?.failed, {});
      assert.equal(status.servers[0]?.nts.naks, 0);
    }
  },
});
