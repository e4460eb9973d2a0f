import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { readRealtimeNtp } from "../../ffi/clock/clock.ts";
import { inBackground } from "../../ffi/background.ts";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { UdpSocket } from "../../ffi/socket/udp_socket.ts";
import { present } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { ok } from "../base/result.ts";
import { SeededRandom } from "../base/random.ts";
import { HeaderTemplate } from "../server/clock_state.ts";
import { InterleavedTable } from "../server/interleaved.ts";
import { Responder } from "../server/respond.ts";
import { request, SYNCHRONIZED, timestamp } from "../../tests/support/test_server.ts";
import { waitUntil } from "../../tests/support/wait_until.ts";
import { ServerLoop } from "./server_loop.ts";

/** So much work a flood is: it takes an idle machine a second. */
const BATCHES = 15_000;

const PATIENCE_MS = 60_000;

interface Running extends AsyncDisposable {
  readonly socket: ServerSocket;
  readonly responder: Responder;
}

function serve(address: string, dualStack = false): Running {
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const socket = ServerSocket.open({ local: { family, address, port: 0 }, dualStack });
  assert.ok(socket.ok);
  const random = new SeededRandom(1);
  const responder = new Responder({
    template: new HeaderTemplate(SYNCHRONIZED),
    readClock: readRealtimeNtp,
    random,
    interleaved: new InterleavedTable({ random }),
  });
  const loop = new ServerLoop({ socket: socket.value, responder });
  loop.start();
  return { socket: socket.value, responder, [Symbol.asyncDispose]: () => loop.stop() };
}

/** Answers nobody in particular, for loops over sockets that are none. */
function idleResponder(): Responder {
  const template = new HeaderTemplate(SYNCHRONIZED);
  return new Responder({ template, readClock: readRealtimeNtp, random: new SeededRandom(1) });
}

/**
 * A client with a connected socket, so that an answer from another address than the one asked is
 * lost.
 */
class Client implements Disposable {
  readonly #socket: UdpSocket;

  constructor(address: string, port: number) {
    const family = address.includes(":") ? "ipv6" : "ipv4";
    const opened = UdpSocket.open({ peer: { family, address, port } });
    assert.ok(opened.ok);
    this.#socket = opened.value;
  }

  send(octets: Bytes): void {
    assert.ok(this.#socket.send(octets).ok);
  }

  /** Sends a request and waits for its response; a machine that is busy has a minute for it. */
  async ask(octets: Bytes, patienceMs = PATIENCE_MS): Promise<Uint8Array | undefined> {
    this.send(octets);
    for (const end = performance.now() + patienceMs; performance.now() < end;) {
      const received = this.#socket.receive();
      if (received.ok && received.value !== undefined) return received.value.bytes;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function now(): bigint {
  const words = new Uint32Array(2);
  readRealtimeNtp(words, 0);
  return (BigInt(words[0] ?? 0) << 32n) | BigInt(words[1] ?? 0);
}

const MILLISECOND = 4_294_967n;

Deno.test("requests are answered over IPv4, IPv6 and both, from the address that was asked", async () => {
  const cases = [
    ["127.0.0.1", "127.0.0.1", false],
    ["0.0.0.0", "127.0.0.77", false],
    ["::1", "::1", false],
    ["::", "::1", true],
    ["::", "127.0.0.9", true],
  ] as const;
  for (const [listen, ask, dualStack] of cases) {
    await using server = serve(listen, dualStack);
    using client = new Client(ask, server.socket.local.port);
    const before = now();
    const response = present(await client.ask(request()), `An answer from ${ask} on ${listen}`);
    const after = now();
    const received = timestamp(response, 32), sent = timestamp(response, 40);
    assert.ok(before - MILLISECOND < received && received < sent, "timestamps are in order");
    assert.ok(sent < after + MILLISECOND);
    assert.equal(timestamp(response, 24), 0x0123456789abcdefn);
    assert.equal(await client.ask(request({ mode: 6 }), 20), undefined);
    assert.equal(server.responder.counters.answered, 1);
  }
});

Deno.test("interleaved answers carry the kernel's time of the previous answer", async () => {
  await using server = serve("127.0.0.1");
  using client = new Client("127.0.0.1", server.socket.local.port);
  let origin = 0n, basicTransmit = 0n, basicArrival = 0n, interleaved = 0;
  for (let i = 0; i < 5; i++) {
    const receive = BigInt(1000 + i);
    const response = present(await client.ask(request({ origin, receive })), "An answer");
    if (timestamp(response, 24) === receive) {
      interleaved++;
      const sent = timestamp(response, 40);
      // A response leaves after its own timestamp was taken, and before it is here.
      if (i === 2) assert.ok(basicTransmit < sent && sent < basicArrival + MILLISECOND, `${sent}`);
    }
    if (i === 1) {
      basicTransmit = timestamp(response, 40);
      basicArrival = now();
    }
    origin = timestamp(response, 32);
  }
  assert.equal(interleaved, 3);
});

Deno.test("a batch that cannot be answered for a fault of ours is dropped, and the next is answered", async () => {
  const socket = ServerSocket.open({ local: { family: "ipv4", address: "127.0.0.1", port: 0 } });
  assert.ok(socket.ok);
  let isBroken = true;
  const told: unknown[] = [];
  const random = new SeededRandom(1);
  const responder = new Responder({
    template: new HeaderTemplate(SYNCHRONIZED),
    readClock: (out, index) => {
      if (isBroken) throw new Error("A fault of ours");
      readRealtimeNtp(out, index);
    },
    random,
    interleaved: new InterleavedTable({ random }),
  });
  const loop = new ServerLoop({ socket: socket.value, responder }, {
    onInternalError: (error) => told.push(error),
  });
  loop.start();
  using client = new Client("127.0.0.1", socket.value.local.port);
  try {
    client.send(request({ origin: 1n, receive: 5n }));
    await waitUntil(() => told.length === 1, { timeoutMs: PATIENCE_MS, what: () => "the error" });
    isBroken = false;
    const second = request({ origin: 1n, receive: 5n });
    second.set([1, 2, 3, 4, 5, 6, 7, 8], 40);
    const response = present(await client.ask(second), "A response");
    assert.equal(timestamp(response, 24), 0x0102030405060708n, "the first one has no response");
    assert.equal(told.length, 1);
    const { received, answered, dropped } = responder.counters.snapshot();
    assert.deepEqual([received, answered, dropped], [2, 1, { "internal-error": 1 }]);
  } finally {
    await loop.stop();
  }
});

Deno.test("stopping ends a wait, by closing the socket", async () => {
  const waits = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<ReturnType<typeof ok<number>>>();
  const socket = {
    receiveInBackground() {
      waits.resolve();
      return closed.promise;
    },
    receive: () => ok(0),
    close: () => closed.resolve(ok(0)),
  } as unknown as ServerSocket;
  const loop = new ServerLoop({ socket, responder: idleResponder() });
  loop.start();
  await waits.promise;
  await loop.stop();
});

Deno.test("a busy server lets everything else run, every few milliseconds", async () => {
  await using server = serve("127.0.0.1");
  const clients = Array.from({ length: 8 }, () => {
    const opened = UdpSocket.open({ peer: server.socket.local, kernelTimestamps: false });
    assert.ok(opened.ok);
    return opened.value;
  });
  const octets = request();
  let sent = 0;
  const waits: number[] = [];
  const waiting = () => sent - server.responder.counters.answered;
  // The load is made between the server's turns in this same thread: each time, more than a batch
  // is waiting, and never more than the socket's buffer holds, however slow the machine is.
  for (let turn = 0; turn < 50; turn++) {
    for (let i = 0; i < 256 && waiting() < 256; i++) if (clients[i % 8]?.send(octets).ok) sent++;
    const start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 0));
    waits.push(performance.now() - start);
  }
  // A machine that is busy with other things delays some of them; a loop that does not step aside
  // delays all.
  waits.sort((a, b) => a - b);
  assert.ok((waits[25] ?? Infinity) < 100, `the timers came late: ${waits.map(Math.round)} ms`);
  const isDone = () => server.responder.counters.answered >= sent;
  await waitUntil(isDone, { timeoutMs: PATIENCE_MS, what: () => `${sent} responses` });
  assert.equal(server.responder.counters.answered, sent);
  for (const client of clients) client.close();
});

Deno.test("a flood without a gap lets timers and calls on the thread pool come in time", async () => {
  // Every wait on the pool has its answer at once, as on a socket that others flood.
  const socket = {
    async receiveInBackground() {
      await inBackground("serve", "recvmmsg", [-1, new Uint8Array(64), 1, 0, null]);
      return ok(1);
    },
    receive() {
      const start = performance.now();
      while (performance.now() - start < 0.05);
      batches++;
      return ok(1);
    },
    close() {},
  } as unknown as ServerSocket;
  const responder = idleResponder();
  let timers = 0, calls = 0, onBusy = 0, batches = 0, isOver = false;
  const loop = new ServerLoop({ socket, responder }, { onBusy: () => onBusy++ });
  const timer = setInterval(() => timers++, 5);
  const others = (async () => {
    while (!isOver) {
      await inBackground("wait", "epoll_wait", [-1, new Uint8Array(16), 1, 0]);
      calls++;
    }
  })();
  loop.start();
  while (batches < BATCHES) await new Promise((resolve) => setTimeout(resolve, 5));
  clearInterval(timer);
  isOver = true;
  await loop.stop();
  await others;
  // 77, 160 and 384 when all is well on an idle machine, more on a busy one, which takes longer for
  // the flood; a handful of the first two when they are starved.
  assert.ok(timers > 20, `${timers} timers`);
  assert.ok(calls > 20, `${calls} calls`);
  assert.ok(onBusy > 80, `called ${onBusy} times`);
});
