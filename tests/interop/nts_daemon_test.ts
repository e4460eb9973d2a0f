/**
 * Network Time Security from end to end: ntpsd as the client of ntpsd.
 *
 * @module
 */
import assert from "node:assert/strict";
import { follows, startDaemon, startServer, type Status } from "../support/ntpsd.ts";
import { NtsPlace } from "../support/nts_place.ts";
import { freePort } from "../support/places.ts";
import { waitUntil } from "../support/wait_until.ts";

const AEADS = [
  ["AEAD_AES_SIV_CMAC_256", 15],
  ["AEAD_AES_SIV_CMAC_384", 16],
  ["AEAD_AES_SIV_CMAC_512", 17],
  ["AEAD_AES_128_GCM_SIV", 30],
] as const;

/** While a request is under way, one is missing. */
function hasAllCookies(status: Status): boolean {
  return status.sources[0]?.nts?.cookies === 8;
}

function naks(status: Status | undefined): number {
  return status?.sources[0]?.nts?.failures["nts-nak"] ?? 0;
}

Deno.test("every algorithm, from the key exchange to the selection", async () => {
  await using place = await NtsPlace.make();
  await using server = await startServer({ config: place.server() });
  for (const [aead, number] of AEADS) {
    await using client = await startDaemon({ config: place.client([{ aead }]) });
    const status = await client.waitForStatus((now) => follows(now) && hasAllCookies(now));
    const [source] = status.sources;
    assert.equal(source?.nts?.aead, number);
    assert.deepEqual(source?.nts?.failures, {});
    assert.equal(source?.nts?.provisional, false);
    assert.match(source?.nts?.lastKeyExchange ?? "", /^20..-..-..T.*Z$/);
    assert.equal(source?.authentication, "nts");
  }
  const status = await server.waitForStatus(() => true);
  assert.equal(status.ntsKe[0]?.completed, AEADS.length);
  assert.deepEqual(status.ntsKe[0]?.failed, {});
  assert.equal(status.servers[0]?.nts.answered, status.servers[0]?.received);
});

Deno.test("a client that starts again needs no key exchange, and sends no cookie twice", async () => {
  await using place = await NtsPlace.make();
  await using server = await startServer({ config: place.server() });
  const cookies = `${place.folder.path}/cookies`;
  const config = place.client([{}], { cookies });
  {
    await using client = await startDaemon({ config });
    await client.waitForStatus(follows);
    await client.process.stop();
  }
  const saved = await Deno.stat(cookies);
  assert.equal((saved.mode ?? 0) & 0o777, 0o600);
  assert.ok(saved.size > 500);
  {
    await using client = await startDaemon({ config });
    const status = await client.waitForStatus((now) => follows(now) && hasAllCookies(now));
    assert.equal((await Deno.stat(cookies)).size, 0, "cookies that are in use are not on disk");
    assert.equal(status.sources[0]?.nts?.lastKeyExchange, null);
    await client.process.stop();
  }
  assert.equal((await server.status())?.ntsKe[0]?.completed, 1);
  await Deno.writeTextFile(cookies, "no such thing\n");
  await using client = await startDaemon({ config });
  await client.waitForStatus(follows);
  assert.equal((await server.status())?.ntsKe[0]?.completed, 2);
  assert.equal(await Deno.readTextFile(`${cookies}.damaged`), "no such thing\n");
  await client.process.waitFor(/saved keys in .* cannot be used/);
});

Deno.test("a server with a key file starts again unnoticed; without one its clients exchange keys anew", async () => {
  await using place = await NtsPlace.make();
  const keys = `${place.folder.path}/keys`;
  await using client = await startDaemon({ config: place.client() });
  {
    await using server = await startServer({ config: place.server({ keys }) });
    await client.waitForStatus(follows);
    // so that its cookies do not run out while there is no server
    client.process.signal("SIGSTOP");
    await server.process.stop();
  }
  const file = await Deno.stat(keys);
  assert.equal((file.mode ?? 0) & 0o777, 0o600);
  {
    await using server = await startServer({ config: place.server({ keys }) });
    client.process.signal("SIGCONT");
    const before = (await client.status())?.sources[0]?.received ?? 0;
    const status = await client.waitForStatus((now) =>
      (now.sources[0]?.received ?? 0) > before + 2
    );
    assert.equal(naks(status), 0);
    assert.equal((await server.status())?.ntsKe[0]?.completed, 0);
    client.process.signal("SIGSTOP");
    await server.process.stop();
  }
  await using server = await startServer({ config: place.server() });
  client.process.signal("SIGCONT");
  await client.waitForStatus((now) => naks(now) > 0);
  const before = (await client.status())?.sources[0]?.received ?? 0;
  await client.waitForStatus((now) => (now.sources[0]?.received ?? 0) > before + 2);
  const status = await server.status();
  assert.equal(status?.ntsKe[0]?.completed, 1);
  assert.ok((status?.servers[0]?.nts.naks ?? 0) > 0);
});

Deno.test("keys rotated beyond the stale ones: a refusal, a new exchange, and the source goes on", async () => {
  await using place = await NtsPlace.make();
  const keys = `${place.folder.path}/keys`;
  await using server = await startServer({ config: place.server({ keys }) });
  await using client = await startDaemon({ config: place.client() });
  await client.waitForStatus(follows);
  // Another server's keys in the place of ours are as good as many rotations.
  const other = `${place.folder.path}/other`;
  const elsewhere = { keys: other, timePort: await freePort(), keyExchangePort: null };
  {
    await using neighbour = await startServer({ config: place.server(elsewhere) });
    await neighbour.waitForStatus(() => true);
  }
  await Deno.copyFile(other, keys);
  server.process.signal("SIGHUP");
  await server.process.waitFor(/keys for cookies were read again/);
  await client.waitForStatus((now) => naks(now) > 0);
  const before = (await client.status())?.sources[0]?.received ?? 0;
  await client.waitForStatus((now) =>
    (now.sources[0]?.received ?? 0) > before + 2 && hasAllCookies(now)
  );
  assert.equal((await server.status())?.ntsKe[0]?.completed, 2);
});

Deno.test("a cluster: one server has the keys exchanged, two with copies of its file tell the time", async () => {
  await using place = await NtsPlace.make();
  const [first, second] = [await freePort(), await freePort()];
  const keys = (name: string) => `${place.folder.path}/${name}`;
  const exchange = (ntpPort: number) =>
    place.server({ timePort: null, ntpPort, ntpServer: "127.0.0.1", keys: keys("k") });
  await using front = await startServer({ config: exchange(first) });
  await waitUntil(() => Deno.stat(keys("k")).then(() => true, () => false), {
    timeoutMs: 60_000,
    what: () => front.process.stderr,
  });
  for (const name of ["a", "b"]) await Deno.copyFile(keys("k"), keys(name));
  const time = (timePort: number, name: string) =>
    place.server({ timePort, keyExchangePort: null, keys: keys(name) });
  await using a = await startServer({ config: time(first, "a") });
  await using b = await startServer({ config: time(second, "b") });
  await using client = await startDaemon({ config: place.client() });
  const before = await client.waitForStatus(follows);
  assert.equal(before.sources[0]?.address, `127.0.0.1:${first}`);
  // Now the front sends clients to the second; ours is told when its cookies are refused.
  await front.configure(exchange(second));
  front.process.signal("SIGHUP");
  await front.process.waitFor(/The configuration changes/);
  await Deno.remove(keys("a"));
  await a.process.stop();
  await using stranger = await startDaemon({
    config: place.server({ timePort: first, keyExchangePort: null, keys: keys("x") }),
  });
  const after = await client.waitForStatus((now) =>
    now.sources[0]?.address === `127.0.0.1:${second}` && follows(now)
  );
  assert.equal(after.sources.length, 1);
  assert.equal((await b.status())?.servers[0]?.nts.naks, 0);
  assert.ok(((await stranger.status())?.servers[0]?.nts.naks ?? 0) > 0);
  await client.process.waitFor(/moves from .* to 127\.0\.0\.1/);
});

Deno.test("each false certificate is refused with its reason, and the source stays without time", async () => {
  await using place = await NtsPlace.make();
  const now = Math.floor(Date.now() / 1000);
  await using stranger = await NtsPlace.make("Stranger");
  await using impostor = await NtsPlace.make();
  const wishes = {
    "certificate-expired": { notBefore: now - 7200, notAfter: now - 3600 },
    "certificate-not-yet-valid": { notBefore: now + 3600, notAfter: now + 7200 },
    "certificate-wrong-name": { names: ["DNS:other.example"] },
    "certificate-self-signed": { issuer: undefined },
    "certificate-unknown-issuer": { issuer: stranger.issuer },
    "certificate-bad-signature": { issuer: impostor.issuer },
  };
  for (const [reason, wish] of Object.entries(wishes)) {
    const files = await place.certificate(reason, wish as Partial<typeof wish>);
    await using server = await startServer({ config: place.server({ files }) });
    await server.waitForStatus((status) => status.ntsKe.length === 1);
    await using client = await startDaemon({ config: place.client() });
    const status = await client.waitForStatus((now) =>
      Object.keys(now.sources[0]?.nts?.failures ?? {}).length > 0
    );
    console.log(`    ${reason}: ${status.sources[0]?.reason}`);
    assert.deepEqual(Object.keys(status.sources[0]?.nts?.failures ?? {}), [reason]);
    assert.equal(status.sources[0]?.status, "unreachable");
    assert.equal(status.sources[0]?.sent, 0, "nothing is ever sent without keys");
  }
});

Deno.test("certificates are read again on SIGHUP; a pair that does not fit leaves the old one in use", async () => {
  await using place = await NtsPlace.make();
  const files = await place.certificate("own", {});
  await using server = await startServer({ config: place.server({ files }) });
  await server.waitForStatus((status) => status.ntsKe.length === 1);
  const next = await place.certificate("next", { commonName: "next.example" });
  await Deno.copyFile(next.certificate, files.certificate);
  server.process.signal("SIGHUP");
  await server.process.waitFor(/the old certificate stays in use/);
  await using client = await startDaemon({ config: place.client() });
  await client.waitForStatus(follows);
  await Deno.copyFile(next.key, files.key);
  server.process.signal("SIGHUP");
  await server.process.waitFor(/uses the certificate of CN=next\.example, valid until 20/);
  await using again = await startDaemon({ config: place.client() });
  await again.waitForStatus(follows);
});
