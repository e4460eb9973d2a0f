/**
 * What the tests of NTS key exchange share: certificates, a server, a client, a server that
 * misbehaves.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OpenSsl, type TlsClientContext, type TlsServerContext } from "../../ffi/openssl/mod.ts";
import { makeCertificate, type TestCertificate } from "./test_certificates.ts";
import { type Bytes, concatBytes, fromHex, toHex } from "../../src/base/bytes.ts";
import type { Result } from "../../src/base/result.ts";
import type { KeyExchangeOutcome } from "../../src/nts/key_exchange/outcome.ts";
import {
  type ExchangeFailure,
  exchangeKeys,
  type ExchangeOptions,
} from "../../src/system/nts_ke_client.ts";
import {
  type NtsKeListener,
  type NtsKeServerOptions,
  startNtsKeServer,
} from "../../src/daemon/nts/ke_server.ts";
import { closeQuietly } from "../../src/system/tcp_connect.ts";
import { connectionTurns } from "../../src/system/turns.ts";
import { TlsConnection } from "../../src/system/tls_connection.ts";
import { PATIENCE_MS, waitUntil } from "./wait_until.ts";

/** The library. */
export const openssl: OpenSsl = unwrap(OpenSsl.open());
/** The time of the tests in Unix seconds. */
export const NOW: number = Math.floor(Date.now() / 1000);
/** Seconds of a day. */
export const DAY = 86_400;
/** Names of this host. */
export const NAMES = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"];
/** Who signs. */
export const authority: TestCertificate = makeCertificate({
  commonName: "Test Authority",
  authority: true,
  notBefore: NOW - 100 * DAY,
  notAfter: NOW + 100 * DAY,
});
/** A certificate without a fault. */
export const good: TestCertificate = makeCertificate({
  commonName: "s",
  names: NAMES,
  issuer: authority,
});
/** A server context without a fault. */
export const goodContext: TlsServerContext = makeContext(good);
/** A client context that trusts `authority` alone. */
export const clientContext: TlsClientContext = unwrap(
  openssl.clientContext({ system: false, authorities: authority.certificate }),
);
/** A request without a fault, in hexadecimal. */
export const GOOD_REQUEST = "80010002000080040002000f80000000";

/** Returns the value, or fails the test. */
export function unwrap<Value, Reason>(result: Result<Value, Reason>): Value {
  assert.ok(result.ok, result.ok ? "" : JSON.stringify(result.error));
  return result.value;
}

/** Reads hexadecimal, or fails the test. */
export function hex(text: string): Bytes {
  const bytes = fromHex(text);
  assert.ok(bytes, text);
  return bytes;
}

/** Makes a server context. */
export function makeContext(of: { certificate: Bytes; privateKey: Bytes }): TlsServerContext {
  return unwrap(
    openssl.serverContext({ certificateChain: of.certificate, privateKey: of.privateKey }),
  );
}

/** Starts a server on loopback; what is not given is without a fault. */
export function startServer(options: Partial<NtsKeServerOptions> = {}): NtsKeListener {
  return unwrap(startNtsKeServer({
    openssl,
    context: () => goodContext,
    listen: { family: "ipv4", address: "127.0.0.1", port: 0 },
    offer: { aeadIds: [15, 16, 17, 30], ntpServer: undefined, ntpPort: undefined },
    makeCookies: () => Array.from({ length: 8 }, (_, i) => new Uint8Array(100).fill(i)),
    timeoutMs: PATIENCE_MS,
    concurrentConnections: 512,
    ...options,
  }));
}

/** Exchanges keys with a server on loopback; what is not given is without a fault. */
export async function ask(
  server: NtsKeListener | number,
  options: Partial<ExchangeOptions> = {},
): Promise<Result<KeyExchangeOutcome, ExchangeFailure>> {
  const outcome = await exchangeKeys({
    openssl,
    context: clientContext,
    host: "localhost",
    port: typeof server === "number" ? server : server.status().listen.port,
    dates: { now: NOW, outside: "refuse" },
    timeoutMs: PATIENCE_MS,
    ...options,
  });
  // A timer of the turns that is left over would be a leak of the test.
  await connectionTurns.rest();
  return outcome;
}

/** Returns the reason of a failure, or "success". */
export function reasonOf(result: Result<KeyExchangeOutcome, ExchangeFailure>): string {
  return result.ok ? "success" : result.error.reason;
}

/** Returns the first octets of a client. */
export function clientHello(): Bytes {
  using session = unwrap(openssl.connect(clientContext, { host: "localhost", time: NOW }));
  session.handshake();
  return session.output() ?? new Uint8Array();
}

/**
 * Speaks TLS with a server and sends any octets; returns the octets of its answer in hexadecimal.
 */
export async function sendRaw(server: NtsKeListener, octets: readonly Bytes[]): Promise<string> {
  const transport = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.status().listen.port,
  });
  const session = unwrap(openssl.connect(clientContext, { host: "localhost", time: NOW }));
  using connection = new TlsConnection(transport, {
    session,
    receivedMax: 100_000,
  });
  unwrap(await connection.handshake());
  for (const part of octets) await connection.write(part);
  let answer = new Uint8Array(0);
  for (;;) {
    const part = await connection.read();
    if (!part.ok || part.value === undefined) return toHex(answer);
    answer = concatBytes(answer, part.value);
  }
}

/** Starts a server that does with each connection what the test wants. */
export function startFake(
  serve: (connection: TlsConnection) => Promise<void>,
): { readonly port: number; stop(): Promise<void> } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const done = (async () => {
    for await (const transport of listener) {
      using connection = new TlsConnection(transport, {
        session: () => openssl.accept(goodContext),
        receivedMax: 100_000,
      });
      await connection.handshake();
      await serve(connection);
    }
  })();
  return {
    port: listener.addr.port,
    async stop() {
      closeQuietly(listener);
      await done;
      await connectionTurns.rest();
    },
  };
}

/** Waits for a condition, a minute at most. */
export async function until(condition: () => boolean): Promise<void> {
  await waitUntil(condition, { timeoutMs: PATIENCE_MS, everyMs: 5, what: () => `${condition}` });
}
