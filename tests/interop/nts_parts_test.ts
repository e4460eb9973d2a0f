/**
 * The parts of Network Time Security against chronyd, without the daemon: our session asks a
 * chronyd, and a chronyd asks our server fields.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { makeCertificate } from "../support/test_certificates.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { exchangeKeys } from "../../src/system/nts_ke_client.ts";
import { openSslAeadFactory } from "../../src/system/openssl_aead.ts";
import { NtsClientSession } from "../../src/nts/client/session.ts";
import { startChronyd } from "../support/chronyd.ts";
import { findPeer } from "../support/debian_packages.ts";
import { NtsTimeServer, SYSTEM_RANDOM } from "../support/nts_time_server.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { waitUntil } from "../support/wait_until.ts";

const chronyd = await findPeer("chronyd");
const opened = OpenSsl.open();
assert.ok(opened.ok);
const openssl = opened.value;
const text = (bytes: Bytes) => new TextDecoder().decode(bytes);

Deno.test({
  name: "chronyd takes our protected requests; lost cookies come back by placeholders",
  ignore: chronyd === undefined,
  sanitizeResources: false, // libraries and a callback are loaded on first use and kept
  async fn() {
    assert.ok(chronyd);
    const names = ["DNS:localhost", "IP:127.0.0.1"];
    const own = makeCertificate({ commonName: "localhost", names });
    await using folder = await temporaryFolder();
    const certificate = await folder.write("certificate.pem", text(own.certificate));
    const key = await folder.write("key.pem", text(own.privateKey));
    const port = await freePort();
    const lines = [`ntsservercert ${certificate}`, `ntsserverkey ${key}`, `ntsport ${port}`];
    await using peer = await startChronyd(chronyd, { lines });
    const context = openssl.clientContext({ system: false, authorities: own.certificate });
    assert.ok(context.ok);
    const exchanged = await waitUntil(async () => {
      const dates = { now: Date.now() / 1000, outside: "refuse" } as const;
      const at = { openssl, context: context.value, host: "localhost", port, dates };
      const result = await exchangeKeys(at);
      return result.ok ? result.value : undefined;
    }, { timeoutMs: 60_000, everyMs: 200, what: () => "keys from chronyd" });
    assert.equal(exchanged.cookies.length, 8);
    assert.equal(exchanged.ntpPort, peer.port);
    const session = new NtsClientSession({ aead: portableAead });
    session.install({ ...exchanged, authenticBefore: false });
    const ask = asker(session, peer.port);
    assert.deepEqual(await ask(), { kind: "authentic", cookies: 1, sameLength: true });
    for (let i = 0; i < 5; i++) assert.ok(session.protect(new Uint8Array(48), SYSTEM_RANDOM).ok);
    assert.equal(session.cookieCount, 3);
    assert.deepEqual(await ask(), { kind: "authentic", cookies: 6, sameLength: true });
    assert.equal(session.cookieCount, 8);
    context.value.close();
  },
});

Deno.test({
  name:
    "a chronyd follows our protected answers, and exchanges keys anew when its cookies are refused",
  ignore: chronyd === undefined,
  sanitizeResources: false, // libraries and a callback are loaded on first use and kept
  async fn() {
    assert.ok(chronyd);
    await using server = await NtsTimeServer.start({ openssl, aead: openSslAeadFactory(openssl) });
    await using folder = await temporaryFolder();
    const authority = await folder.write("authority.pem", text(server.authority));
    const source =
      `server 127.0.0.1 nts ntsport ${server.keyExchangePort} iburst minpoll 0 maxpoll 0`;
    const lines = [source, `ntstrustedcerts ${authority}`];
    await using peer = await startChronyd(chronyd, { local: true, stratum: 9, lines });
    const count = (result: string) => server.checked.get(result) ?? 0;
    const total = () => [...server.exchanges.values()].reduce((sum, n) => sum + n, 0);
    const what = () => `${JSON.stringify([...server.checked])} ${peer.process.stderr}`;
    await waitUntil(() => count("protected") >= 5, { timeoutMs: 60_000, what });
    await peer.process.waitFor(/Selected source 127\.0\.0\.1/);
    assert.equal(total(), 1);
    server.rotateBeyondStaleKeys();
    const before = count("protected");
    await waitUntil(() => total() === 2, { timeoutMs: 60_000, what });
    await waitUntil(() => count("protected") >= before + 2, { timeoutMs: 60_000, what });
    assert.ok(count("nts-nak-unknown-key") >= 1);
    const allowed = ["protected", "nts-nak-unknown-key", "plain"];
    assert.deepEqual(
      [...server.checked.keys()].filter((result) => !allowed.includes(result)),
      [],
    );
  },
});

/** Returns a function that sends one request and tells what its answer is. */
function asker(session: NtsClientSession, port: number) {
  return async () => {
    const header = new Uint8Array(48);
    header[0] = 0x23;
    crypto.getRandomValues(header.subarray(40));
    const sent = session.protect(header, SYSTEM_RANDOM);
    assert.ok(sent.ok);
    const { packet, uniqueIdentifier } = sent.value;
    const socket = createSocket("udp4");
    const answer = await new Promise<Uint8Array>((resolve) => {
      socket.once("message", resolve);
      socket.send(packet, port, "127.0.0.1");
    });
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    const verified = session.verify(new Uint8Array(answer), uniqueIdentifier);
    assert.ok(verified.ok && verified.value.kind === "authentic", JSON.stringify(verified));
    const sameLength = answer.length === packet.length;
    return { kind: verified.value.kind, cookies: verified.value.cookies.length, sameLength };
  };
}
