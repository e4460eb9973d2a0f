/**
 * Published weaknesses of key exchange: floods of connections, certificates of others, broken
 * signatures, older TLS.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import tls from "node:tls";
import { makeCertificate } from "../support/test_certificates.ts";
import {
  ask,
  authority,
  good,
  GOOD_REQUEST,
  hex,
  makeContext,
  NAMES,
  openssl,
  reasonOf,
  sendRaw,
  startServer,
  until,
  unwrap,
} from "../support/nts_ke_connections.ts";
import { quickOnce } from "../support/wait_until.ts";
import { closeQuietly } from "../../src/system/tcp_connect.ts";

Deno.test("CVE-2024-38528: more connections than there may be end nothing, and honest clients get their keys", async () => {
  const server = startServer({ concurrentConnections: 32, timeoutMs: 60_000 });
  const { port } = server.status().listen;
  const crowd: Deno.TcpConn[] = [];
  for (let i = 0; i < 200; i++) {
    crowd.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    if (i % 50 === 49) unwrap(await ask(server));
  }
  assert.ok(server.status().open <= 32);
  assert.equal(server.status().failed["internal-error"], undefined);
  for (const one of crowd) closeQuietly(one);
  await server.stop();
});

Deno.test("CVE-2016-5117: a valid certificate for another name is refused", async () => {
  const named = (wish: Partial<Parameters<typeof makeCertificate>[0]>) =>
    makeContext(
      makeCertificate({ commonName: "localhost", names: NAMES, issuer: authority, ...wish }),
    );
  const cases: [string, ReturnType<typeof named>][] = [
    ["certificate-wrong-name", named({ commonName: "s", names: ["DNS:time.example.org"] })],
    // the name in the subject alone, as of old, and names that only begin or end alike
    ["certificate-wrong-name", named({ names: [] })],
    ["certificate-wrong-name", named({ names: ["DNS:localhost.example.org", "DNS:*"] })],
    ["success", named({})],
  ];
  for (const [reason, context] of cases) {
    const server = startServer({ context: () => context });
    assert.equal(reasonOf(await ask(server)), reason);
    await server.stop();
    context.close();
  }
});

Deno.test("CVE-2009-0021: a certificate with a broken signature is none", async () => {
  const text = new TextDecoder().decode(good.certificate);
  const octets = Uint8Array.fromBase64(text.replaceAll(/-----[A-Z ]+-----|\s/g, ""));
  // the last octets of a certificate are its signature
  octets[octets.length - 1] = (octets[octets.length - 1] ?? 0) ^ 1;
  // signatures differ in length, and an empty line after full ones would be no PEM
  const body = octets.toBase64().replaceAll(/.{1,64}/g, "$&\n");
  const broken = new TextEncoder().encode(
    `-----BEGIN CERTIFICATE-----\n${body}-----END CERTIFICATE-----\n`,
  );
  const made = openssl.serverContext({ certificateChain: broken, privateKey: good.privateKey });
  const context = unwrap(made);
  const server = startServer({ context: () => context });
  assert.match(reasonOf(await ask(server)), /^certificate-/);
  await server.stop();
  context.close();
  const honest = startServer();
  assert.equal(reasonOf(await ask(honest)), "success");
  await honest.stop();
});

Deno.test("GHSA-37xq-q42p-rv3p: a chain of certificates that could be put together in many ways is refused in the time of an exchange", async () => {
  // many issuers of one name, of which each could be the next
  const issuers = Array.from(
    { length: 40 },
    () => makeCertificate({ commonName: "Costly", authority: true, issuer: authority }),
  );
  const stranger = makeCertificate({ commonName: "Costly", authority: true });
  const leaf = makeCertificate({ commonName: "s", names: NAMES, issuer: stranger });
  const chain = [leaf, ...issuers].map(({ certificate }) => new TextDecoder().decode(certificate));
  const context = makeContext({
    certificate: new TextEncoder().encode(chain.join("\n")),
    privateKey: leaf.privateKey,
  });
  const server = startServer({ context: () => context });
  await quickOnce(2000, async () => {
    const start = performance.now();
    // verified and refused: not given up for want of time
    assert.match(reasonOf(await ask(server)), /^certificate-/);
    return performance.now() - start;
  });
  await server.stop();
  context.close();
});

Deno.test("RFC 8915 3: TLS before 1.3, or without the protocol's name, brings no keys", async () => {
  const server = startServer();
  const { port } = server.status().listen;
  const attempt = (more: tls.ConnectionOptions) =>
    new Promise<string>((resolve) => {
      const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...more });
      socket.on("error", () => {});
      socket.on("data", () => resolve("answered"));
      socket.on("close", () => resolve("closed"));
      socket.write(hex(GOOD_REQUEST));
    });
  assert.equal(await attempt({ maxVersion: "TLSv1.2", ALPNProtocols: ["ntske/1"] }), "closed");
  assert.equal(await attempt({ ALPNProtocols: ["http/1.1"] }), "closed");
  assert.match(await sendRaw(server, [hex(GOOD_REQUEST)]), /^80010002/);
  await until(() => server.status().open === 0);
  await server.stop();
});

Deno.test("CVE-2002-20001, CVE-2022-40735, CVE-2024-41996: no client chooses a group that costs the server dearly", async () => {
  const server = startServer();
  const { port } = server.status().listen;
  const firstOctets = async (group: number, shareLength: number) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(clientHello(group, shareLength));
    const buffer = new Uint8Array(6);
    const length = await connection.read(buffer);
    return buffer.subarray(0, length ?? 0).toHex();
  };
  const ALERT = "15", HANDSHAKE = "16";
  // the control: the same greeting with X25519 is answered by a ServerHello
  assert.match(await firstOctets(0x001d, 32), new RegExp(`^${HANDSHAKE}.{8}02$`));
  const costly = [
    [0x0100, 256], // ffdhe2048
    [0x0101, 384],
    [0x0102, 512],
    [0x0103, 768],
    [0x0104, 1024], // ffdhe8192
    [0x001e, 56], // X448
    [0x0019, 133], // P-521
  ] as const;
  for (const [group, length] of costly) {
    assert.equal((await firstOctets(group, length)).slice(0, 2), ALERT, group.toString(16));
  }
  await until(() => server.status().open === 0);
  await server.stop();
});

/**
 * A first message of TLS 1.3 that knows one group; the share is no public key that anybody has
 * computed.
 */
function clientHello(group: number, shareLength: number): Uint8Array<ArrayBuffer> {
  const number = (value: number) => [value >> 8, value & 255];
  const sized = (octets: readonly number[]) => [...number(octets.length), ...octets];
  const share = Array.from({ length: shareLength }, () => 0x55);
  const extensions = [
    ...[0, 43, ...sized([2, 3, 4])], // TLS 1.3
    ...[0, 10, ...sized(sized(number(group)))],
    ...[0, 13, ...sized(sized([4, 3, 8, 4]))], // ECDSA and RSA with SHA-256
    ...[0, 51, ...sized(sized([...number(group), ...sized(share)]))],
    ...[0, 16, ...sized(sized([7, ...new TextEncoder().encode("ntske/1")]))],
  ];
  const random = Array.from({ length: 32 }, (_, i) => i);
  const body = [3, 3, ...random, 0, ...sized([0x13, 1]), 1, 0, ...sized(extensions)];
  return new Uint8Array([22, 3, 1, ...sized([1, 0, ...sized(body)])]);
}
