/**
 * What is fuzzed over the network: the port of the status, the port of key exchange, and the client
 * of key exchange; with peers that stop anywhere, change what passes, send in any pieces, and close
 * while others wait.
 *
 * A round opens many connections at the same time and ends with one that is honest and must be
 * served. A mistake of ours shows as `internal-error` in the counts, or as an error that nothing
 * catches. What is sent comes from the seed; when it arrives does not.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import type { RandomSource } from "../../src/base/random.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { socketAddress } from "../../src/base/socket_address.ts";
import { startHttpServer } from "../../src/daemon/observability/http.ts";
import {
  ask,
  clientContext,
  clientHello,
  GOOD_REQUEST,
  hex,
  NOW,
  openssl,
  startServer,
  unwrap,
} from "../support/nts_ke_connections.ts";
import { exampleStatus } from "../support/status_example.ts";
import { PATIENCE_MS, waitUntil } from "../support/wait_until.ts";
import { TlsConnection } from "../../src/system/tls_connection.ts";
import { type Alteration, startRelay } from "../support/relay.ts";
import { httpRequest } from "./grammar_texts.ts";
import { keyExchangeMessage } from "./grammar_packets.ts";
import { below, mutate, several } from "./mutate.ts";
import { LYING_SERVER_TARGETS } from "./lying_servers.ts";
import { AT_ONCE, onPort, type Port, together } from "./port.ts";
import type { FuzzTarget } from "./target.ts";

/** Deadlines are short, so that what is left hanging ends soon. */
const TIMEOUT_MS = 60;

/** All ports. A round with many connections counts as one execution. */
export const PORT_TARGETS: readonly FuzzTarget[] = [
  {
    ...onPort(openHttp),
    name: "http-port",
    oracle: "no internal error, and an honest client is served while the others misbehave",
  },
  {
    ...onPort(openKeyExchange),
    name: "key-exchange-port",
    oracle:
      "no internal error at either end, an honest client gets keys, in the tests no pointer of OpenSSL is lost",
  },
  ...LYING_SERVER_TARGETS,
];

const text = (written: string) => new TextEncoder().encode(written);

const REQUESTS: readonly Bytes[] = [
  text("GET /status HTTP/1.1\r\nHost: localhost:9975\r\n\r\n"),
  text("HEAD /metrics HTTP/1.0\r\n\r\n"),
  text("GET http://[/x HTTP/1.1\r\nHost: [::1]\r\nAccept: */*\r\n\r\n"),
  text("POST /healthz?a#b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
  text(`GET /${"x".repeat(2000)} HTTP/1.1\r\nHost: localhost\r\n`),
];

function openHttp(): Port {
  const server = unwrap(startHttpServer({
    listen: unwrapAddress(),
    names: () => [],
    status: () => exampleStatus(),
    requestTimeoutMs: TIMEOUT_MS,
    responseTimeoutMs: TIMEOUT_MS,
  }));
  const { port } = server.status().listen;
  return {
    async round(seed) {
      await together(seed, async (random) => {
        const requests = several(
          1 + below(random, 5),
          () => below(random, 2) === 0 ? text(httpRequest(random)) : mutate(random, REQUESTS),
        );
        await misbehave(port, { random, octets: concatBytes(...requests) });
      });
      await isServed(async () => {
        const response = await fetch(`http://127.0.0.1:${port}/healthz`);
        return `${response.status} ${await response.text()}` === "200 synchronized\n";
      });
      assert.equal(server.status().failed["internal-error"], undefined);
    },
    close: () => server.stop(),
  };
}

function unwrapAddress() {
  const address = socketAddress("127.0.0.1", 0);
  assert.ok(address !== undefined);
  return address;
}

function openKeyExchange(): Port {
  const server = startServer({ timeoutMs: TIMEOUT_MS, concurrentConnections: AT_ONCE / 2 });
  const { port } = server.status().listen;
  const hello = clientHello();
  const alterations: { random: RandomSource } = { random: new SeededRandom(0) };
  const relay = startRelay(port, () => (octets) => alter(octets, alterations.random));
  return {
    async round(seed) {
      alterations.random = new SeededRandom(~seed);
      await together(seed, async (random) => {
        switch (below(random, 3)) {
          case 0:
            return await misbehave(port, { random, octets: mutate(random, [hello]) as Bytes });
          case 1:
            return await speakTls(port, keyExchangeOctets(random), random);
          default: {
            const outcome = await ask(relay.port, { timeoutMs: TIMEOUT_MS * 2 });
            if (!outcome.ok) assert.notEqual(outcome.error.reason, "internal-error");
          }
        }
      });
      await isServed(async () => (await ask(port)).ok);
      assert.equal(server.status().failed["internal-error"], undefined);
    },
    async close() {
      await relay.stop();
      await server.stop();
    },
  };
}

/** Makes what a client might say once its connection is secured. */
function keyExchangeOctets(random: RandomSource): Bytes {
  if (below(random, 2) === 0) return keyExchangeMessage(random, "client");
  return mutate(random, [hex(GOOD_REQUEST)]).slice() as Bytes;
}

/**
 * Sees that an honest client is served; on a busy machine it may miss the short deadline, and comes
 * again.
 */
async function isServed(isGood: () => Promise<boolean>): Promise<void> {
  const look = () => isGood().catch(() => false);
  await waitUntil(look, { timeoutMs: PATIENCE_MS, what: () => "an honest client to be served" });
}

/**
 * Sends octets in pieces, reads now and then, and leaves in one of several ways, mostly not the
 * polite one.
 */
async function misbehave(
  port: number,
  { random, octets }: { readonly random: RandomSource; readonly octets: Bytes },
): Promise<void> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    const stop = below(random, 4) === 0 ? below(random, octets.length + 1) : octets.length;
    for (let at = 0; at < stop;) {
      const end = Math.min(stop, at + 1 + below(random, below(random, 3) === 0 ? 3 : 2000));
      at += await connection.write(octets.subarray(at, end));
      if (below(random, 4) === 0) await pause(below(random, 3));
    }
    if (below(random, 3) === 0) await connection.closeWrite();
    // Closing without reading what has come resets the connection.
    if (below(random, 2) === 0) await readFor(connection, below(random, 2 * TIMEOUT_MS));
  } catch {
    // The server was quicker.
  } finally {
    connection.close();
  }
}

async function readFor(connection: Deno.TcpConn, milliseconds: number): Promise<void> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), milliseconds);
  const buffer = new Uint8Array(1000);
  while (await Promise.race([connection.read(buffer), late.promise]) !== null);
  clearTimeout(timer);
}

/** Completes a handshake and sends records as it pleases. */
async function speakTls(port: number, octets: Bytes, random: RandomSource): Promise<void> {
  const transport = await Deno.connect({ hostname: "127.0.0.1", port });
  using connection = new TlsConnection(transport, {
    session: unwrap(openssl.connect(clientContext, { host: "localhost", time: NOW })),
    receivedMax: 100_000,
  });
  if (!(await connection.handshake()).ok) return;
  for (let at = 0; at < octets.length;) {
    const end = at + 1 + below(random, octets.length);
    if (!(await connection.write(octets.slice(at, end))).ok) return;
    at = end;
  }
  if (below(random, 2) === 0) return;
  for (let part = await connection.read(); part.ok && part.value; part = await connection.read());
}

/** Changes now and then what passes a relay. */
function alter(octets: Bytes, random: RandomSource): Alteration {
  switch (below(random, 12)) {
    case 0:
      return "close";
    case 1:
      return "hold";
    case 2:
      return concatBytes(octets, octets);
    case 3:
    case 4:
      return mutate(random, [octets]).slice() as Bytes;
    default:
      return octets;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
