/**
 * Our clients under fuzz: the key exchange and the status over HTTP, with servers that say
 * anything, in any pieces, and stop anywhere.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import { type RandomSource, SeededRandom } from "../../src/base/random.ts";
import { httpGet } from "../../src/cli/status/http_get.ts";
import { ask, clientHello, goodContext, openssl } from "../support/nts_ke_connections.ts";
import { PATIENCE_MS } from "../support/wait_until.ts";
import { exampleStatus } from "../support/status_example.ts";
import { closeQuietly } from "../../src/system/tcp_connect.ts";
import { connectionTurns } from "../../src/system/turns.ts";
import { TlsConnection } from "../../src/system/tls_connection.ts";
import { keyExchangeMessage } from "./grammar_packets.ts";
import { below, chance, mutate, noise, pick } from "./mutate.ts";
import { AT_ONCE, onPort, type Port, together } from "./port.ts";
import type { FuzzTarget } from "./target.ts";

const TIMEOUT_MS = 100;
const RESPONSE = new TextEncoder().encode(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(exampleStatus())}`,
);

/** The targets. */
export const LYING_SERVER_TARGETS: readonly FuzzTarget[] = [
  {
    ...onPort(openKeyExchange),
    name: "key-exchange-client",
    oracle:
      "each exchange ends in time with keys that can be used or a reason, which is never internal-error",
  },
  {
    ...onPort(openHttp),
    name: "http-client",
    oracle: "each request ends in time with a response or a sentence",
  },
];

function openKeyExchange(): Port {
  const server = listen(async (transport, random) => {
    if (below(random, 4) === 0) return await babble(transport, random, [clientHello()]);
    using connection = new TlsConnection(transport, {
      session: () => openssl.accept(goodContext),
      receivedMax: 100_000,
    });
    if (!(await connection.handshake()).ok) return;
    if (below(random, 2) === 0) await connection.read();
    await sayRecords(connection, random);
  });
  return server.port((port) => async () => {
    const outcome = await inTime(ask(port, { timeoutMs: TIMEOUT_MS }));
    if (!outcome.ok) return assert.notEqual(outcome.error.reason, "internal-error");
    const { cookies, keys } = outcome.value;
    assert.ok(cookies.length > 0 && keys.clientToServer.length >= 16);
  });
}

async function sayRecords(connection: TlsConnection, random: RandomSource): Promise<void> {
  const message = keyExchangeMessage(random, "server");
  const octets = chance(random, 0.3) ? mutate(random, [message]) : message;
  const stop = chance(random, 0.2) ? below(random, octets.length + 1) : octets.length;
  for (let at = 0; at < stop;) {
    const end = Math.min(stop, at + 1 + below(random, octets.length));
    if (!(await connection.write(octets.slice(at, end) as Bytes)).ok) return;
    at = end;
  }
  if (chance(random, 0.3)) await connection.read();
}

function openHttp(): Port {
  const server = listen((transport, random) => babble(transport, random, [RESPONSE]));
  return server.port((port) => async () => {
    const response = await inTime(
      httpGet(`127.0.0.1:${port}`, "/status", { timeoutMs: TIMEOUT_MS }),
    );
    if (response.ok) assert.ok(response.value.status >= 0 && response.value.status <= 999);
    else assert.ok(response.error.length > 0);
  });
}

/** Throws when something does not end; beyond its own deadline a busy machine may need a minute. */
async function inTime<Value>(work: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("it does not end")), PATIENCE_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Writes anything over a bare connection. */
async function babble(
  transport: Deno.TcpConn,
  random: RandomSource,
  seeds: readonly Uint8Array[],
): Promise<void> {
  if (below(random, 2) === 0) await transport.read(new Uint8Array(4096));
  const octets = pick(random, [
    mutate(random, seeds),
    noise(random, 2000),
    concatBytes(...seeds),
    new Uint8Array(0),
  ]);
  for (let at = 0; at < octets.length;) {
    at += await transport.write(octets.subarray(at, at + 1 + below(random, 3000)));
  }
  // Some leave the client to its deadline.
  if (below(random, 3) === 0) await transport.read(new Uint8Array(1));
}

/** Listens on a port of its own, and treats each connection with randomness of its own. */
function listen(serve: (transport: Deno.TcpConn, random: RandomSource) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const working = new Set<Promise<void>>();
  let seed = 0, count = 0;
  const work = async (transport: Deno.TcpConn) => {
    await serve(transport, new SeededRandom(seed * AT_ONCE + count++)).catch(() => {});
    closeQuietly(transport);
  };
  const done = (async () => {
    for await (const transport of listener) {
      const one = work(transport);
      working.add(one);
      one.finally(() => working.delete(one));
    }
  })();
  return {
    port: (client: (port: number) => () => Promise<void>): Port => ({
      async round(roundSeed) {
        seed = roundSeed;
        count = 0;
        await together(roundSeed, client(listener.addr.port));
        await Promise.all(working);
      },
      async close() {
        closeQuietly(listener);
        await done;
        // A connection may be accepted when its client has gone, and the round is over.
        await Promise.all(working);
        await connectionTurns.rest();
      },
    }),
  };
}
