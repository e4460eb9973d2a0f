import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { type TlsServerContext } from "../../ffi/openssl/mod.ts";
import { makeCertificate } from "../../tests/support/test_certificates.ts";
import {
  ask,
  authority,
  clientContext,
  DAY,
  good,
  hex,
  makeContext,
  NAMES,
  NOW,
  openssl,
  reasonOf,
  startFake,
  startServer,
  until,
  unwrap,
} from "../../tests/support/nts_ke_connections.ts";
import { heldPort } from "../../tests/support/places.ts";
import { PATIENCE_MS, quickOnce } from "../../tests/support/wait_until.ts";
import { type TlsConnection } from "./tls_connection.ts";

/** A port that nobody listens on. */
const NOBODY = await heldPort();

Deno.test("addresses as hosts, and server and port negotiation", async () => {
  const server = startServer({
    offer: { aeadIds: [15], ntpServer: "time.example", ntpPort: 1234 },
  });
  for (const host of ["127.0.0.1", "localhost"]) {
    const { ntpServer, ntpPort } = unwrap(await ask(server, { host }));
    assert.deepEqual([ntpServer, ntpPort], ["time.example", 1234]);
  }
  await server.stop();
});

Deno.test("certificates with a fault are refused with their reasons", async () => {
  const make = (wish: Partial<Parameters<typeof makeCertificate>[0]>) =>
    makeContext(makeCertificate({ commonName: "s", names: NAMES, issuer: authority, ...wish }));
  const { privateKey, certificate } = makeCertificate({ commonName: "self", names: NAMES });
  const stranger = makeCertificate({ commonName: "Stranger", authority: true });
  const cases: [string, TlsServerContext][] = [
    ["certificate-expired", make({ notBefore: NOW - 9 * DAY, notAfter: NOW - DAY })],
    ["certificate-not-yet-valid", make({ notBefore: NOW + DAY, notAfter: NOW + 9 * DAY })],
    ["certificate-wrong-name", make({ names: ["DNS:other.example"] })],
    ["certificate-wrong-name", make({ commonName: "localhost", names: [] })],
    ["certificate-self-signed", makeContext({ certificate, privateKey })],
    ["certificate-unknown-issuer", make({ issuer: stranger })],
  ];
  for (const [reason, context] of cases) {
    const server = startServer({ context: () => context });
    assert.equal(reasonOf(await ask(server)), reason);
    await until(() => Object.keys(server.status().failed).length > 0);
    assert.deepEqual(server.status().failed, { "peer-refused-certificate": 1 });
    await server.stop();
    context.close();
  }
});

Deno.test("only wrong dates can be accepted provisionally", async () => {
  const outside = "accept-provisionally";
  const dates = { now: NOW, outside } as const;
  const server = startServer();
  assert.equal(unwrap(await ask(server, { dates })).provisional, undefined);
  const past = unwrap(await ask(server, { dates: { now: 1_000_000_000, outside } }));
  assert.equal(past.provisional, "certificate-not-yet-valid");
  const future = unwrap(await ask(server, { dates: { now: NOW + 900 * DAY, outside } }));
  assert.equal(future.provisional, "certificate-expired");
  const { chain } = future.certificate;
  const later = clientContext.verifyChain(chain, { host: "localhost", time: NOW });
  assert.equal(later.ok, true);
  const lowerBound = NOW + 30 * DAY;
  const boundAdvice = "; if that is wrong, remove it";
  const bounded = { now: 1_000_000_000, outside, lowerBound, boundAdvice } as const;
  const old = await ask(server, { dates: bounded });
  assert.equal(reasonOf(old), "certificate-expired");
  assert.match(
    old.ok ? "" : old.error.message,
    /: it ended 20\S+Z, and 20\S+Z has certainly passed; if that is wrong, remove it$/,
  );
  using stranger = unwrap(openssl.clientContext({ system: false, authorities: good.certificate }));
  const foreign = makeContext(
    makeCertificate({ commonName: "f", names: NAMES, notAfter: NOW - 1 }),
  );
  const other = startServer({ context: () => foreign });
  const refused = await ask(other, { dates, context: stranger });
  assert.equal(reasonOf(refused), "certificate-self-signed");
  await server.stop();
  await other.stop();
  foreign.close();
});

Deno.test("a certificate with dates that cannot be read passes at no time", async () => {
  for (const date of ["notBefore", "notAfter"] as const) {
    const undated = { commonName: "Undated", authority: true, [date]: "unreadable" } as const;
    const issuer = makeCertificate(undated);
    const context = makeContext(makeCertificate({ commonName: "s", names: NAMES, issuer }));
    using trust = unwrap(openssl.clientContext({ system: false, authorities: issuer.certificate }));
    const server = startServer({ context: () => context });
    for (const outside of ["refuse", "accept-provisionally"] as const) {
      for (const lowerBound of [undefined, 0, NOW, NOW + 900 * DAY]) {
        for (const now of [1_000_000_000, NOW, NOW + 900 * DAY]) {
          const dates = { now, outside, ...(lowerBound === undefined ? {} : { lowerBound }) };
          // OpenSSL tells the first fault alone, which may be a date that can be accepted.
          const refused = await ask(server, { dates, context: trust });
          const told = reasonOf(refused), what = JSON.stringify({ date, dates });
          assert.match(told, /^certificate-/, what);
          if (outside !== "refuse") assert.equal(told, "certificate-invalid", what);
        }
      }
    }
    await server.stop();
    context.close();
  }
});

Deno.test("an answer may come in pieces, and a broken one has its reason", async () => {
  const cookie = "00050064" + "00".repeat(100);
  const answer = hex("80010002000080040002000f" + cookie + "80000000");
  let serve = async (_connection: TlsConnection) => {};
  const fake = startFake((connection) => serve(connection));
  serve = async (connection) => {
    await connection.read();
    for (const octet of answer) await connection.write(Uint8Array.of(octet));
    await connection.sayGoodBye();
  };
  assert.equal(unwrap(await ask(fake.port)).cookies.length, 1);
  for (const length of [0, 1, 11, answer.length - 1]) {
    serve = async (connection) => {
      await connection.read();
      await connection.write(answer.slice(0, length), { last: true });
    };
    assert.equal(reasonOf(await ask(fake.port)), "closed-early", String(length));
  }
  serve = async (connection) => {
    await connection.read();
    await connection.write(hex("80020002000180000000"), { last: true });
  };
  assert.equal(reasonOf(await ask(fake.port)), "server-error-bad-request");
  serve = async (connection) => {
    await connection.read();
    const flood = new Uint8Array(16_000).fill(0x7f);
    while ((await connection.write(flood)).ok);
  };
  assert.equal(reasonOf(await ask(fake.port)), "message-too-long");
  await fake.stop();
});

Deno.test("the client's deadline covers everything", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await quickOnce(2000, async () => {
    const started = performance.now();
    const result = await ask(silent.addr.port, { timeoutMs: 150 });
    assert.equal(reasonOf(result), "timeout");
    return performance.now() - started;
  });
  const aborted = AbortSignal.abort();
  assert.equal(reasonOf(await ask(silent.addr.port, { signal: aborted })), "timeout");
  const soon = new AbortController();
  const given = ask(silent.addr.port, { signal: soon.signal });
  soon.abort();
  assert.equal(reasonOf(await given), "timeout");
  silent.close();
  const stuck = startFake(async (connection) => {
    await connection.read();
    await connection.read();
  });
  assert.equal(reasonOf(await ask(stuck.port, { timeoutMs: 150 })), "timeout");
  await stuck.stop();
});

Deno.test("nobody there, no such name, an impossible name", async () => {
  const port = NOBODY;
  const refused = await ask(port, { host: "127.0.0.1" });
  assert.equal(reasonOf(refused), "connection-refused");
  assert.match(refused.ok ? "" : refused.error.message, /^Cannot connect to 127\.0\.0\.1:/);
  assert.match(reasonOf(await ask(port, { host: "none.invalid" })), /^name-not-/);
  assert.match(reasonOf(await ask(port, { host: "two words" })), /^(name-not-|bad-host)/);
});

Deno.test("several exchanges at once do not wait for one another", async () => {
  const stuck = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = startServer();
  const giveUp = new AbortController();
  let isOver = false;
  const slow = ask(stuck.addr.port, { timeoutMs: 2 * PATIENCE_MS, signal: giveUp.signal });
  void slow.then(() => isOver = true);
  for (const outcome of await Promise.all([1, 2, 3].map(() => ask(server)))) unwrap(outcome);
  assert.equal(isOver, false);
  giveUp.abort();
  assert.equal(reasonOf(await slow), "timeout");
  stuck.close();
  await server.stop();
});
