import "../../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import tls from "node:tls";
import { makeDirectory, removeFile, writeFileAtomic } from "../../../ffi/file/files.ts";
import { ownedPointerCounts } from "../../../ffi/openssl/owned_pointer.ts";
import { makeCertificate } from "../../../tests/support/test_certificates.ts";
import { processId } from "../../../ffi/process/process.ts";
import { type Bytes } from "../../base/bytes.ts";
import { SeededRandom } from "../../base/random.ts";
import { portableAead } from "../../crypto/portable.ts";
import { CookieCodec } from "../../nts/server/cookie.ts";
import { type SessionKeys } from "../../nts/key_exchange/exporter.ts";
import { Keyset } from "../../nts/server/keyset.ts";
import { RandomPool } from "../../nts/server/random_pool.ts";
import type { KeyExchangeOutcome } from "../../nts/key_exchange/outcome.ts";
import { removeAny } from "../../../tests/support/test_files.ts";
import { Credentials } from "./certificate_files.ts";
import { cookiesFrom, type NtsKeServerOptions, startNtsKeServer } from "./ke_server.ts";
import {
  ask,
  authority,
  clientContext,
  clientHello,
  DAY,
  good,
  GOOD_REQUEST,
  goodContext,
  hex,
  NAMES,
  NOW,
  openssl,
  reasonOf,
  sendRaw,
  startServer,
  until,
  unwrap,
} from "../../../tests/support/nts_ke_connections.ts";
import { closeQuietly } from "../../system/tcp_connect.ts";

Deno.test("client and server agree on keys, which the cookies hold", async () => {
  const before = ownedPointerCounts();
  const random = new SeededRandom(1);
  const keyset = Keyset.create({ rotationInterval: DAY, staleKeyCount: 2 }, { now: 0n, random });
  const codec = new CookieCodec({ keyset, aead: portableAead, random: new RandomPool(random) });
  const server = startServer({ makeCookies: cookiesFrom(codec) });
  for (const aeadId of [15, 16, 17, 30] as const) {
    const exchanged: KeyExchangeOutcome = unwrap(await ask(server, { aeadIds: [aeadId] }));
    assert.equal(exchanged.aeadId, aeadId);
    assert.equal(exchanged.cookies.length, 8);
    assert.equal(exchanged.provisional, undefined);
    assert.equal(exchanged.peerAddress, "127.0.0.1");
    assert.equal(exchanged.certificate.leaf.subject, "CN=s");
    assert.notDeepEqual(exchanged.keys.clientToServer, exchanged.keys.serverToClient);
    for (const cookie of exchanged.cookies) {
      assert.equal(codec.open(cookie, { offset: 0, length: cookie.length }), undefined);
      const { plaintext, clientToServerOffset, serverToClientOffset } = codec;
      const held: SessionKeys = {
        clientToServer: plaintext.slice(
          clientToServerOffset,
          clientToServerOffset + exchanged.keys.clientToServer.length,
        ),
        serverToClient: plaintext.slice(
          serverToClientOffset,
          serverToClientOffset + exchanged.keys.serverToClient.length,
        ),
      };
      assert.deepEqual(held, exchanged.keys);
    }
  }
  await until(() => server.status().completed === 4);
  assert.deepEqual(server.status().failed, {});
  await server.stop();
  codec.close();
  assert.deepEqual(ownedPointerCounts(), before);
});

Deno.test("requests that deserve it get an Error record, whatever their parts", async () => {
  const server = startServer();
  const cases: [string, string][] = [
    ["80ff000080000000", "800200020000" + "80000000"], // unknown critical record
    ["80000000", "800200020001" + "80000000"], // nothing asked for
    ["800100020000800100020000" + "80040002000f80000000", "800200020001" + "80000000"],
    ["80010003000000" + "80000000", "800200020001" + "80000000"],
    ["80020002000180000000", "800200020001" + "80000000"], // a client's error
    ["80010002112280040002000f80000000", "80010000" + "80000000"], // unknown protocol
    ["80010002000080040002006380000000", "80010002000080040000" + "80000000"], // unknown AEAD
  ];
  for (const [request, answer] of cases) {
    assert.equal(await sendRaw(server, [hex(request)]), answer, request);
    const octets = [...hex(request)].map((octet) => Uint8Array.of(octet));
    assert.equal(await sendRaw(server, octets), answer, `octet by octet: ${request}`);
  }
  const long = new Uint8Array(60_000).fill(0x7f);
  assert.equal((await sendRaw(server, [long])).slice(0, 12), "800200020001");
  assert.match(await sendRaw(server, [hex(GOOD_REQUEST)]), /^80010002000080040002000f(00050064)/);
  await until(() => server.status().completed === 1);
  await server.stop();
});

Deno.test("when no cookies can be made the client is told", async () => {
  const server = startServer({ makeCookies: () => undefined });
  assert.equal(reasonOf(await ask(server)), "server-error-internal");
  await until(() => server.status().failed["internal-error"] === 1);
  await server.stop();
});

Deno.test("who does not finish a request in time gets Error 1", async () => {
  const attempt = async (timeoutMs: number) => {
    const server = startServer({ timeoutMs });
    const answer = await sendRaw(server, [hex(GOOD_REQUEST).slice(0, 9)]).catch(() => "");
    await until(() => server.status().open === 0);
    const { failed } = server.status();
    await server.stop();
    return { answer, failed };
  };
  // On a busy machine the handshake too may take longer than the shortest time.
  for (const timeoutMs of [150, 1500, 15_000]) {
    const { answer, failed } = await attempt(timeoutMs);
    if (failed["handshake-timeout"] === 1) continue;
    assert.equal(answer, "80020002000180000000");
    assert.deepEqual(failed, { timeout: 1 });
    return;
  }
  assert.fail("no handshake was done in time");
});

Deno.test("who does not finish the handshake in time is closed", async () => {
  const server = startServer({ timeoutMs: 100 });
  const { port } = server.status().listen;
  const silent = await Deno.connect({ hostname: "127.0.0.1", port });
  const slow = await Deno.connect({ hostname: "127.0.0.1", port });
  await slow.write(Uint8Array.of(22, 3, 1, 1));
  assert.equal(await silent.read(new Uint8Array(1)).catch(() => null), null);
  assert.equal(await slow.read(new Uint8Array(1)).catch(() => null), null);
  await until(() => server.status().failed["handshake-timeout"] === 2);
  closeQuietly(silent);
  closeQuietly(slow);
  await server.stop();
});

Deno.test("a crowd of silent connections does not keep others out", async () => {
  const server = startServer({ concurrentConnections: 20, timeoutMs: 60_000 });
  const { port } = server.status().listen;
  const crowd: Deno.TcpConn[] = [];
  for (let i = 0; i < 60; i++) crowd.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  unwrap(await ask(server));
  await until(() => server.status().accepted === 61);
  assert.equal(server.status().failed["evicted"], 41);
  assert.ok(server.status().open <= 20);
  await server.stop();
  assert.equal(server.status().open, 0);
  for (const one of crowd) closeQuietly(one);
});

Deno.test("an eviction in the very turn in which data arrives is an eviction", async () => {
  const before = ownedPointerCounts();
  const server = startServer({ concurrentConnections: 4, timeoutMs: 60_000 });
  const { port } = server.status().listen;
  const hello = clientHello();
  const held: Deno.TcpConn[] = [];
  for (let round = 0; round < 40; round++) {
    // Newcomers and data for those who go because of them come at the same moment.
    const newcomers = Array.from(
      { length: 4 },
      () => Deno.connect({ hostname: "127.0.0.1", port }),
    );
    const data = held.slice(-4).map((one) =>
      one.write(round % 2 === 0 ? hello : hello.subarray(0, 1)).catch(() => 0)
    );
    held.push(...await Promise.all(newcomers));
    await Promise.all(data);
  }
  await until(() => server.status().accepted === 160);
  unwrap(await ask(server));
  for (const one of held) closeQuietly(one);
  await until(() => server.status().open === 0);
  assert.deepEqual(
    Object.keys(server.status().failed).filter((word) => word === "internal-error"),
    [],
  );
  await server.stop();
  assert.deepEqual(ownedPointerCounts(), before);
});

Deno.test("a mistake of ours on one connection is counted, and others are served", async () => {
  const before = ownedPointerCounts();
  let mistakes = 0;
  const fail = () => {
    throw new TypeError(`Mistake ${++mistakes}`);
  };
  let context = () => goodContext;
  let makeCookies: NtsKeServerOptions["makeCookies"] = fail;
  const server = startServer({
    context: () => context(),
    makeCookies: (aeadId, keys) => makeCookies(aeadId, keys),
  });
  assert.notEqual(reasonOf(await ask(server)), "success");
  makeCookies = () => Array.from({ length: 8 }, (_, i) => new Uint8Array(100).fill(i));
  context = fail;
  assert.notEqual(reasonOf(await ask(server)), "success");
  context = () => goodContext;
  unwrap(await ask(server));
  await until(() => server.status().completed === 1);
  assert.deepEqual(server.status().failed, { "internal-error": 2 });
  await server.stop();
  assert.deepEqual(ownedPointerCounts(), before);
});

Deno.test("closing in the middle of any step is counted and leaks nothing", async () => {
  const before = ownedPointerCounts();
  const server = startServer();
  const { port } = server.status().listen;
  const hello = clientHello();
  for (const length of [0, 1, 5, 100, hello.length - 1, hello.length]) {
    const transport = await Deno.connect({ hostname: "127.0.0.1", port });
    if (length > 0) await transport.write(hello.subarray(0, length));
    transport.close();
  }
  const http = await Deno.connect({ hostname: "127.0.0.1", port });
  await http.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await http.read(new Uint8Array(100)).catch(() => null);
  http.close();
  await until(() => server.status().open === 0 && server.status().accepted === 7);
  const { failed, completed } = server.status();
  assert.equal(Object.values(failed).reduce((sum, count) => sum + count, 0), 7);
  assert.equal(failed["not-tls"], 1);
  assert.equal(completed, 0);
  await server.stop();
  assert.deepEqual(ownedPointerCounts(), before);
});

Deno.test("TLS 1.2, and TLS without the application protocol, are refused", async () => {
  const server = startServer();
  const { port } = server.status().listen;
  const attempt = (options: tls.ConnectionOptions) =>
    new Promise<string>((resolve) => {
      const socket = tls.connect({
        host: "127.0.0.1",
        port,
        rejectUnauthorized: false,
        ...options,
      });
      socket.on("error", () => {});
      socket.on("data", () => resolve("answered"));
      socket.on("close", () => resolve("closed"));
      socket.write(hex(GOOD_REQUEST));
    });
  assert.equal(await attempt({ maxVersion: "TLSv1.2", ALPNProtocols: ["ntske/1"] }), "closed");
  assert.equal(await attempt({ ALPNProtocols: ["http/1.1"] }), "closed");
  assert.equal(await attempt({}), "closed");
  await until(() => server.status().open === 0);
  assert.deepEqual(server.status().failed, {
    "no-common-version": 1,
    "no-application-protocol": 2,
  });
  await server.stop();
});

Deno.test("an address in use is a sentence", async () => {
  const server = startServer();
  const { listen } = server.status();
  const second = startNtsKeServer({
    openssl,
    context: () => goodContext,
    listen,
    offer: { aeadIds: [15], ntpServer: undefined, ntpPort: undefined },
    makeCookies: () => undefined,
    timeoutMs: 1,
    concurrentConnections: 1,
  });
  assert.match(
    second.ok ? "" : second.error,
    /^Cannot listen for NTS key exchange on 127\.0\.0\.1/,
  );
  await server.stop();
});

Deno.test("certificates are replaced while connections go on; a bad pair keeps the old one", async () => {
  const directory = `/tmp/ntpsd-credentials-${processId()}`;
  unwrap(makeDirectory(directory));
  const certificateChainPath = `${directory}/chain.pem`, privateKeyPath = `${directory}/key.pem`;
  using _ = {
    [Symbol.dispose]() {
      for (const path of [certificateChainPath, privateKeyPath, directory]) removeAny(path);
    },
  };
  const paths = { certificateChainPath, privateKeyPath };
  const put = (path: string, bytes: Bytes) => unwrap(writeFileAtomic(path, { bytes }));
  const missing = Credentials.load(openssl, paths);
  assert.match(missing.ok ? "" : missing.error.message, /chain\.pem/);
  put(certificateChainPath, good.certificate);
  put(privateKeyPath, good.privateKey);
  const credentials = unwrap(Credentials.load(openssl, paths));
  const server = startServer({ context: () => credentials.context });
  const subject = async () => unwrap(await ask(server)).certificate.leaf.subject;
  assert.equal(await subject(), "CN=s");
  assert.equal(credentials.reloadIfChanged().kind, "unchanged");

  // A connection that began before the change ends well after it.
  const transport = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.status().listen.port,
  });
  const session = unwrap(openssl.connect(clientContext, { host: "localhost", time: NOW }));
  session.handshake();
  await transport.write(session.output() ?? new Uint8Array());

  const next = makeCertificate({ commonName: "next", names: NAMES, issuer: authority });
  put(certificateChainPath, next.certificate);
  const half = credentials.reloadIfChanged();
  assert.equal(half.kind, "failed");
  assert.match(half.kind === "failed" ? half.failure.message : "", /private key of the first/);
  assert.equal(credentials.reloadIfChanged().kind, "unchanged");
  assert.equal(await subject(), "CN=s");
  put(privateKeyPath, next.privateKey);
  const whole = credentials.reloadIfChanged();
  assert.equal(whole.kind === "changed" ? whole.certificate.subject : whole.kind, "CN=next");
  assert.equal(await subject(), "CN=next");
  put(certificateChainPath, hex("00ff"));
  assert.equal(credentials.reload().kind, "failed");
  unwrap(removeFile(certificateChainPath));
  assert.equal(credentials.reloadIfChanged().kind, "failed");
  assert.equal(await subject(), "CN=next");

  const buffer = new Uint8Array(8192);
  const length = await transport.read(buffer);
  session.feed(buffer.subarray(0, length ?? 0));
  assert.equal(unwrap(session.handshake()), true);
  assert.equal(session.peerCertificates().leaf.subject, "CN=s");
  session.close();
  transport.close();
  await server.stop();
  credentials.close();
});
