import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { ownedPointerCounts } from "../../ffi/openssl/owned_pointer.ts";
import { startRelay } from "../../tests/support/relay.ts";
import { makeCertificate } from "../../tests/support/test_certificates.ts";
import {
  ask,
  authority,
  makeContext,
  NAMES,
  NOW,
  openssl,
  reasonOf,
  startServer,
  unwrap,
} from "../../tests/support/nts_ke_connections.ts";
import { PATIENCE_MS } from "../../tests/support/wait_until.ts";
import { closeQuietly } from "./tcp_connect.ts";

/** Starts a server that does with the bare socket what the test wants, then closes it. */
function startRaw(serve: (transport: Deno.TcpConn) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const done = (async () => {
    for await (const transport of listener) {
      await serve(transport).catch(() => {});
      closeQuietly(transport);
    }
  })();
  return {
    port: listener.addr.port,
    async stop() {
      closeQuietly(listener);
      await done;
    },
  };
}

const read = (transport: Deno.TcpConn) => transport.read(new Uint8Array(4096));
const text = (written: string) => new TextEncoder().encode(written);

Deno.test("whatever a server does instead of TLS is an outcome with a reason", async () => {
  const before = ownedPointerCounts();
  const flood = async (transport: Deno.TcpConn, octets: Uint8Array) => {
    for (;;) await transport.write(octets);
  };
  const serves: [RegExp, (transport: Deno.TcpConn) => Promise<unknown>][] = [
    [/^(closed|connection-lost)$/, () => Promise.resolve()],
    [/^(closed|connection-lost)$/, read],
    [
      /^not-tls$/,
      async (transport) => {
        await read(transport);
        await transport.write(text("HTTP/1.1 400 Bad Request\r\n\r\n"));
        await read(transport);
      },
    ],
    [/^not-tls$/, (transport) => flood(transport, new Uint8Array(65_536))],
    [/^not-tls$/, (transport) => flood(transport, new Uint8Array(65_536).fill(0x16))],
    // Records of the right form without end: a handshake message of 16 MB, empty records, warnings.
    [
      /^protocol-error$/,
      (transport) => flood(transport, Uint8Array.of(22, 3, 3, 0, 4, 2, 255, 255, 255)),
    ],
    [/^protocol-error$/, (transport) => flood(transport, Uint8Array.of(22, 3, 3, 0, 0))],
    [/^protocol-error$/, (transport) => flood(transport, Uint8Array.of(21, 3, 3, 0, 2, 1, 90))],
    [/^timeout$/, async (transport) => {
      await transport.write(Uint8Array.of(22, 3, 3, 64, 0));
      for (;;) if (await read(transport) === null) return;
    }],
  ];
  for (const [i, [reason, serve]] of serves.entries()) {
    const server = startRaw(async (transport) => void await serve(transport));
    // Only one that says nothing is given up; for the others a busy machine has time.
    const timeoutMs = reason.test("timeout") ? 300 : PATIENCE_MS;
    assert.match(reasonOf(await ask(server.port, { timeoutMs })), reason, `case ${i}`);
    await server.stop();
  }
  assert.deepEqual(ownedPointerCounts(), before);
});

Deno.test("a server that stops anywhere, or changes any octet, is an outcome with a reason", async () => {
  // Its signatures have all one length, so that each exchange is as long as the one measured.
  const context = makeContext(
    makeCertificate({ commonName: "s", names: NAMES, issuer: authority, key: "ed25519" }),
  );
  const server = startServer({ context: () => context });
  const whole = await measure(server.status().listen.port);
  const before = ownedPointerCounts();
  let cut = 0;
  const cutting = startRelay(server.status().listen.port, () => (octets, direction, offset) => {
    if (direction === "to-server" || offset + octets.length <= cut) return octets;
    return cut > offset ? octets.subarray(0, cut - offset) : "close";
  });
  const changing = startRelay(server.status().listen.port, () => (octets, direction, offset) => {
    if (direction === "to-client" && offset <= cut && cut < offset + octets.length) {
      octets.set([(octets[cut - offset] ?? 0) ^ 0x55], cut - offset);
    }
    return octets;
  });
  for (cut = 0; cut < whole; cut += 1 + Math.floor(whole / 60)) {
    for (const relay of [cutting, changing]) {
      const outcome = await ask(relay.port, { timeoutMs: 40 });
      assert.equal(outcome.ok, false, `octet ${cut}`);
      assert.notEqual(reasonOf(outcome), "internal-error", `octet ${cut}`);
    }
  }
  await cutting.stop();
  await changing.stop();
  unwrap(await ask(server));
  assert.equal(server.status().failed["internal-error"], undefined);
  await server.stop();
  assert.deepEqual(ownedPointerCounts(), before);
  context.close();
});

/** How many octets a client needs of a server. */
async function measure(port: number): Promise<number> {
  let whole = 0;
  const relay = startRelay(port, () => (octets, direction, offset) => {
    // What comes last is the good-bye, without which an exchange succeeds all the same.
    if (direction === "to-client") whole = Math.max(whole, offset + octets.length - 24);
    return octets;
  });
  unwrap(await ask(relay.port));
  await relay.stop();
  return whole;
}

Deno.test("a mistake of ours while an exchange runs is an outcome too", async () => {
  const before = ownedPointerCounts();
  const server = startServer();
  const fail = () => assert.fail("a mistake");
  const beforeHandshake = ask(server, { context: {} as never });
  assert.equal(reasonOf(await beforeHandshake), "internal-error");
  const dates = {
    outside: "accept-provisionally",
    get now() {
      return fail();
    },
  } as const;
  assert.equal(reasonOf(await ask(server, { dates })), "internal-error");
  unwrap(await ask(server));
  await server.stop();
  assert.deepEqual(ownedPointerCounts(), before);
});

Deno.test("a certificate may say odd things of itself; what is told of it stays in one line", async () => {
  const before = ownedPointerCounts();
  const odd = {
    commonName: "a\n\u202e\u009b31m",
    notBefore: -600_000_000,
    notAfter: 253_402_300_799,
  };
  const issuer = makeCertificate({ ...odd, commonName: "Odd", authority: true });
  const certificate = makeCertificate({ ...odd, names: NAMES, issuer });
  using context = unwrap(
    openssl.clientContext({ system: false, authorities: issuer.certificate }),
  );
  const serverContext = makeContext(certificate);
  const server = startServer({ context: () => serverContext });
  for (const now of [NOW, 1]) {
    const dates = { now, outside: "accept-provisionally" } as const;
    const { certificate } = unwrap(await ask(server, { context, dates }));
    assert.match(certificate.leaf.subject, /^[ -~]+$/);
    assert.equal(certificate.notAfter, odd.notAfter);
    assert.equal(certificate.notBefore, odd.notBefore);
    const lowerBound = odd.notAfter + 1;
    const refused = await ask(server, { context, dates: { ...dates, lowerBound } });
    assert.equal(reasonOf(refused), "certificate-expired");
    assert.match(refused.ok ? "" : refused.error.message, /^[ -~]+$/);
  }
  await server.stop();
  serverContext.close();
  context.close();
  assert.deepEqual(ownedPointerCounts(), before);
});
