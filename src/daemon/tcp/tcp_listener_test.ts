import "../../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { AssertionFailure } from "../../base/assert.ts";
import { socketAddress } from "../../base/socket_address.ts";
import { until, unwrap } from "../../../tests/support/nts_ke_connections.ts";
import { PATIENCE_MS } from "../../../tests/support/wait_until.ts";
import { closeQuietly } from "../../system/tcp_connect.ts";
import {
  affordable,
  type TcpConnection,
  TcpListener,
  type TcpListenerOptions,
} from "./tcp_listener.ts";

type Outcome = "completed" | "silent";

function options(
  serve: (connection: TcpConnection<"silent">) => Promise<Outcome>,
  more: Partial<TcpListenerOptions<"silent">> = {},
): TcpListenerOptions<"silent"> {
  const listen = socketAddress("127.0.0.1", 0);
  assert.ok(listen);
  return { listen, name: "Test", connectionsMax: 100, lifetimeMs: PATIENCE_MS, serve, ...more };
}

/** Waits for an octet, and sends it back. */
async function echo({ transport }: TcpConnection<"silent">): Promise<Outcome> {
  const octet = new Uint8Array(1);
  if (await transport.read(octet) === null) return "silent";
  await transport.write(octet);
  return "completed";
}

async function asksWell(port: number): Promise<void> {
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.write(Uint8Array.of(7));
  const octet = new Uint8Array(1);
  assert.equal(await client.read(octet), 1);
  assert.equal(octet[0], 7);
  client.close();
}

/** A socket whose `accept` fails a few times first. */
function failingFirst(errors: unknown[]): Deno.TcpListener {
  const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accept = socket.accept.bind(socket);
  socket.accept = () => errors.length > 0 ? Promise.reject(errors.shift()) : accept();
  return socket;
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

Deno.test("whatever is thrown on a connection costs that connection alone", async () => {
  const faults: unknown[] = [
    new AssertionFailure("x"),
    new TypeError("y"),
    "text",
    undefined,
    null,
  ];
  const count = faults.length;
  const serve = (connection: TcpConnection<"silent">) => {
    if (faults.length === 0) return echo(connection);
    const fault = faults.shift();
    if (faults.length % 2 === 0) return Promise.reject(fault);
    throw fault;
  };
  const listener = unwrap(TcpListener.start(options(serve)));
  const { port } = listener.status().listen;
  for (let i = 0; i < count; i++) {
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    assert.equal(await client.read(new Uint8Array(1)).catch(() => null), null);
    client.close();
  }
  await asksWell(port);
  await until(() => listener.status().completed === 1);
  assert.deepEqual(listener.status().failed, { "internal-error": count });
  assert.equal(listener.status().open, 0);
  await listener.stop();
});

Deno.test("connections that were reset before they are accepted delay nobody", async () => {
  const errors = Array.from({ length: 1000 }, () => systemError("ENOTCONN"));
  const listener = TcpListener.on(
    failingFirst([...errors, systemError("EPROTO"), 5]),
    options(echo),
  );
  await asksWell(listener.status().listen.port);
  await until(() => listener.status().completed === 1);
  assert.equal(listener.status().accepted, 1003);
  assert.deepEqual(listener.status().failed, { "connection-lost": 1002 });
  await listener.stop();
});

Deno.test("without descriptors the largest crowd gives up some of its own", async () => {
  const errors: unknown[] = [];
  const listener = TcpListener.on(failingFirst(errors), options(echo));
  const { port } = listener.status().listen;
  const crowd: Deno.TcpConn[] = [];
  for (let i = 0; i < 40; i++) crowd.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  await until(() => listener.status().open === 40);
  // The accept that waits already is one that goes well.
  for (const code of ["EMFILE", "ENFILE"]) errors.push(systemError(code));
  await asksWell(port);
  await until(() => listener.status().failed["out-of-descriptors"] === 2);
  await asksWell(port);
  await until(() => listener.status().completed === 2);
  assert.deepEqual(listener.status().failed, { "out-of-descriptors": 2, "evicted": 32 });
  for (const one of crowd) closeQuietly(one);
  await listener.stop();
});

Deno.test("a connection ends with its deadline, whatever it waits for", async () => {
  const flood = async ({ transport }: TcpConnection<"silent">): Promise<Outcome> => {
    for (;;) await transport.write(new Uint8Array(65_536));
  };
  for (const serve of [echo, flood]) {
    const listener = unwrap(TcpListener.start(options(serve, { lifetimeMs: 50 })));
    const { port } = listener.status().listen;
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    await until(() => listener.status().failed["timeout"] === 1);
    client.close();
    await listener.stop();
  }
});

Deno.test("a full table closes its oldest, a stopped listener all", async () => {
  const reasons: unknown[] = [];
  const serve = async (connection: TcpConnection<"silent">): Promise<Outcome> => {
    await echo(connection).catch(() => {});
    reasons.push(connection.endedBecause);
    return "silent";
  };
  const listener = unwrap(TcpListener.start(options(serve, { connectionsMax: 2 })));
  const { port } = listener.status().listen;
  const clients: Deno.TcpConn[] = [];
  for (let i = 0; i < 3; i++) clients.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  await until(() => reasons.length === 1 && listener.status().accepted === 3);
  assert.equal(listener.status().open, 2);
  await listener.stop();
  await listener.stop();
  assert.deepEqual(reasons, ["evicted", "stopped", "stopped"]);
  for (const one of clients) closeQuietly(one);
});

/** A socket at which so many wait already. */
function crowded(count: number): Deno.TcpListener {
  const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accept = socket.accept.bind(socket);
  const one = { remoteAddr: { hostname: "127.0.0.1" }, close() {} } as Deno.TcpConn;
  socket.accept = () => count-- > 0 ? Promise.resolve(one) : accept();
  return socket;
}

Deno.test("a crowd that comes in one moment is let in by parts, between which everything else runs", async () => {
  let served = 0;
  const serve = (): Promise<Outcome> => {
    served++;
    return Promise.resolve("completed");
  };
  const listener = TcpListener.on(crowded(200), options(serve));
  const parts: number[] = [];
  for (let before = 0; served < 200; before = served) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    parts.push(served - before);
  }
  assert.ok(Math.max(...parts) <= 40, `${parts}`);
  await listener.stop();
});

Deno.test("a listener never takes all descriptors, and always some", () => {
  assert.equal(affordable(10), 10);
  assert.ok(affordable(1e9) >= 8 && affordable(1e9) < 1e9);
});
