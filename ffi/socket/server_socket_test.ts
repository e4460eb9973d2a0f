import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { kernelTimestamps } from "../../tests/support/kernel_timestamps.ts";
import { quickOnce } from "../../tests/support/wait_until.ts";
import { fromUnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import type { SocketAddress } from "../../src/base/socket_address.ts";
import { THREADS } from "../background.ts";
import { realtimeNow } from "../clock/clock.ts";
import { describeHeldFiles, releaseFiles, takeHeldFiles } from "../file/held_files.ts";
import { ControlSocket } from "./control_socket.ts";
import { BATCH_STRIDE, REQUEST_MAX, ServerBatch } from "./server_batch.ts";
import { ServerSocket } from "./server_socket.ts";
import { UdpSocket } from "./udp_socket.ts";
import { closeDescriptor } from "../descriptor.ts";

function listen(address: string, dualStack = false): ServerSocket {
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const opened = ServerSocket.open({ local: { family, address, port: 0 }, dualStack });
  assert.ok(opened.ok);
  return opened.value;
}

function connect(peer: SocketAddress): UdpSocket {
  const opened = UdpSocket.open({ peer });
  assert.ok(opened.ok);
  return opened.value;
}

/**
 * Receives until `wanted` requests are in one batch; loopback delivers at once, but promises
 * nothing.
 */
async function receive(server: ServerSocket, batch: ServerBatch): Promise<number> {
  for (let tries = 0; tries < 10; tries++) {
    const count = await server.receiveInBackground(batch);
    assert.ok(count.ok);
    if (count.value > 0) return count.value;
  }
  return 0;
}

function timestamp(words: Uint32Array, index: number): bigint {
  return (BigInt(words[2 * index] ?? 0) << 32n) | BigInt(words[2 * index + 1] ?? 0);
}

Deno.test("a batch carries peers, lengths and kernel timestamps, and the chosen answers go to the right peers", async () => {
  const held = await kernelTimestamps();
  const server = listen("127.0.0.1");
  const clients = Array.from({ length: 10 }, () => connect(server.local));
  const before = fromUnixNanoseconds(realtimeNow());
  for (const [i, client] of clients.entries()) {
    assert.ok(client.send(new Uint8Array(48 + 4 * i).fill(i)).ok);
  }
  const batch = new ServerBatch(16);
  assert.equal(await receive(server, batch), 10);
  const after = fromUnixNanoseconds(realtimeNow());
  for (const [i, client] of clients.entries()) {
    const local = client.localAddress();
    assert.ok(local.ok);
    assert.deepEqual(batch.peer(i), local.value);
    assert.equal(batch.peerPorts[i], local.value.port);
    assert.equal(batch.peerFamilies[i], 4);
    assert.equal(batch.peerWords[4 * i], 0x7f000001);
    assert.equal(batch.lengths[i], 48 + 4 * i);
    assert.equal(batch.requests[i * BATCH_STRIDE + 47], i);
    assert.equal(batch.timestampKinds[i], 1);
    const received = timestamp(batch.receiveTimestamps, i);
    assert.ok(before <= received && received <= after);
  }
  // Every second request is answered, the last first.
  for (let i = 9; i >= 0; i -= 2) {
    batch.responses.fill(100 + i, i * BATCH_STRIDE, i * BATCH_STRIDE + 48 + i);
    batch.queueResponse(i, 48 + i);
  }
  assert.equal(batch.queued, 5);
  assert.equal(server.send(batch), 5);
  assert.equal(batch.queued, 0);
  assert.equal(server.sendFailures, 0);
  for (const [i, client] of clients.entries()) {
    const answer = client.receive();
    assert.ok(answer.ok);
    if (i % 2 === 0) {
      assert.equal(answer.value, undefined);
    } else {
      assert.equal(answer.value?.bytes.length, 48 + i);
      assert.ok(answer.value?.bytes.every((octet) => octet === 100 + i));
    }
    client.close();
  }
  server.close();
  closeDescriptor(held);
});

Deno.test("an answer leaves from the address that was asked", async () => {
  const cases: readonly (readonly [listen: string, ask: string, dual: boolean])[] = [
    ["0.0.0.0", "127.0.0.5", false],
    ["::", "::1", false],
    ["::", "127.0.0.7", true],
  ];
  for (const [address, ask, dualStack] of cases) {
    const server = listen(address, dualStack);
    const family = ask.includes(":") ? "ipv6" : "ipv4";
    // A connected client receives nothing from another address than the one it asked.
    const client = connect({ family, address: ask, port: server.local.port });
    assert.ok(client.send(new Uint8Array(48)).ok);
    const batch = new ServerBatch(4);
    assert.equal(await receive(server, batch), 1);
    assert.equal(batch.peerFamilies[0], family === "ipv4" ? 4 : 6);
    const words = family === "ipv4" ? [0x7f000001, 0, 0, 0] : [0, 0, 0, 1];
    assert.deepEqual([...batch.peerWords.subarray(0, 4)], words);
    batch.queueResponse(0, 48);
    assert.equal(server.send(batch), 1);
    const answer = client.receive();
    assert.ok(answer.ok && answer.value !== undefined, `${address} asked as ${ask}`);
    client.close();
    server.close();
  }
});

Deno.test("only the answers that ask for it are timestamped, numbered from 0", async () => {
  for (const address of ["127.0.0.1", "::1"]) {
    const server = listen(address);
    server.allowTransmitTimestamps();
    const client = connect(server.local);
    const batch = new ServerBatch(8);
    let id = 0;
    for (let round = 0; round < 3; round++) {
      const count = 4;
      for (let i = 0; i < count; i++) assert.ok(client.send(new Uint8Array(48)).ok);
      assert.equal(await receive(server, batch), count);
      const before = fromUnixNanoseconds(realtimeNow());
      for (let i = 0; i < count; i++) batch.queueResponse(i, 48, i % 2 === 1);
      assert.equal(server.send(batch), count);
      const after = fromUnixNanoseconds(realtimeNow());
      assert.equal(server.receiveTransmitTimestamps(), 2);
      assert.deepEqual([...server.timestamps.ids.subarray(0, 2)], [id, id + 1]);
      for (const i of [0, 1]) {
        const sent = timestamp(server.timestamps.timestamps, i);
        assert.ok(before <= sent && sent <= after);
      }
      assert.equal(server.receiveTransmitTimestamps(), 0);
      id += 2;
    }
    client.close();
    server.close();
  }
});

Deno.test("a request that is too long counts as empty", async () => {
  const server = listen("127.0.0.1");
  const client = connect(server.local);
  assert.ok(client.send(new Uint8Array(REQUEST_MAX)).ok);
  assert.ok(client.send(new Uint8Array(REQUEST_MAX + 1)).ok);
  assert.ok(client.send(new Uint8Array(0)).ok);
  const batch = new ServerBatch(4);
  assert.equal(await receive(server, batch), 3);
  assert.deepEqual([...batch.lengths.subarray(0, 3)], [REQUEST_MAX, 0, 0]);
  client.close();
  server.close();
});

Deno.test("receiving without waiting gives what is there, at most a batch", () => {
  const server = listen("127.0.0.1");
  const client = connect(server.local);
  const batch = new ServerBatch(4);
  assert.deepEqual(server.receive(batch), { ok: true, value: 0 });
  for (let i = 0; i < 6; i++) assert.ok(client.send(new Uint8Array(48)).ok);
  assert.deepEqual(server.receive(batch), { ok: true, value: 4 });
  assert.deepEqual(server.receive(batch), { ok: true, value: 2 });
  assert.equal(batch.count, 2);
  assert.deepEqual(server.receive(batch), { ok: true, value: 0 });
  assert.equal(batch.count, 0);
  client.close();
  server.close();
});

Deno.test("closing ends a pending receive at once", async () => {
  await quickOnce(500, async () => {
    const server = listen("::1");
    const pending = server.receiveInBackground(new ServerBatch());
    await new Promise((resolve) => setTimeout(resolve, 5));
    const start = performance.now();
    server.close();
    assert.deepEqual(await pending, { ok: true, value: 0 });
    const took = performance.now() - start;
    assert.equal(server.fd, -1);
    server.close();
    return took;
  });
});

Deno.test("one refused answer does not hold up the others", async () => {
  const server = listen("127.0.0.1");
  const client = connect(server.local);
  const batch = new ServerBatch(4);
  for (let i = 0; i < 3; i++) assert.ok(client.send(new Uint8Array(48)).ok);
  assert.equal(await receive(server, batch), 3);
  for (let i = 0; i < 3; i++) batch.queueResponse(i, 48);
  // The head of the second answer is spoilt: its control data claim a length that the kernel
  // refuses.
  batch.responseHeads.words[1 * 16 + 10] = 8;
  batch.responseHeads.words[1 * 16 + 11] = 1;
  assert.equal(server.send(batch), 2);
  assert.equal(server.sendFailures, 1);
  assert.match(server.lastSendError?.message ?? "", /^Cannot answer from 127.0.0.1:[0-9]+: /);
  client.close();
  server.close();
});

Deno.test("the kernel numbers what is sent behind a refused answer anew, if it is told so in between", async () => {
  const server = listen("127.0.0.1");
  const client = connect(server.local);
  const batch = new ServerBatch(4);
  for (let i = 0; i < 4; i++) assert.ok(client.send(new Uint8Array(48)).ok);
  assert.equal(await receive(server, batch), 4);
  server.allowTransmitTimestamps();
  for (let i = 0; i < 4; i++) batch.queueResponse(i, 48, true);
  // The head of the second answer is spoilt: the length of its control data is one that the kernel
  // refuses.
  batch.responseHeads.words[1 * 16 + 11] = 1;
  const ids: number[][] = [];
  const take = async (wanted: number) => {
    const taken: number[] = [];
    for (let tries = 0; tries < 200 && taken.length < wanted; tries++) {
      const count = server.receiveTransmitTimestamps();
      taken.push(...server.timestamps.ids.slice(0, count));
      if (count === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    ids.push(taken);
  };
  const sent = server.send(batch, (position) => {
    assert.deepEqual([position, batch.isTimestamped(position), batch.timestampedBehind(position)], [
      1,
      true,
      2,
    ]);
    void take(1);
    server.restartTransmitTimestamps();
  });
  assert.equal(sent, 3);
  await take(2);
  assert.deepEqual(ids, [[0], [0, 1]]);
  client.close();
  server.close();
});

Deno.test("what is dropped for want of room is counted", async () => {
  const opened = ServerSocket.open({
    local: { family: "ipv4", address: "127.0.0.1", port: 0 },
    receiveBufferBytes: 4096,
  });
  assert.ok(opened.ok);
  const server = opened.value;
  const client = connect(server.local);
  for (let i = 0; i < 200; i++) client.send(new Uint8Array(48));
  const batch = new ServerBatch(256);
  const first = await receive(server, batch);
  assert.ok(first < 200);
  client.send(new Uint8Array(48));
  assert.equal(await receive(server, batch), 1);
  assert.equal(batch.receiveDrops, 200 - first);
  client.close();
  server.close();
});

Deno.test("a port in use says so; a shared one does not", () => {
  const local = { family: "ipv4", address: "127.0.0.1", port: 0 } as const;
  const first = ServerSocket.open({ local, reusePort: true });
  assert.ok(first.ok);
  const second = ServerSocket.open({ local: first.value.local, reusePort: true });
  assert.ok(second.ok);
  const third = ServerSocket.open({ local: first.value.local });
  assert.ok(!third.ok);
  assert.equal(third.error.name, "EADDRINUSE");
  assert.match(third.error.hint ?? "", /other program/);
  first.value.close();
  second.value.close();
});

Deno.test("more listeners than threads receive, and end when they are closed", async () => {
  const servers = Array.from({ length: 2 * THREADS.serve + 6 }, () => listen("127.0.0.1"));
  const batches = servers.map(() => new ServerBatch(4));
  const wait = () =>
    Promise.all(servers.map(async (server, i) => {
      const batch = batches[i];
      assert.ok(batch !== undefined);
      return await receive(server, batch);
    }));
  const round = async () => {
    const received = wait();
    const client = servers.map(({ local }) => connect(local));
    const start = performance.now();
    for (const socket of client) assert.ok(socket.send(new Uint8Array(48)).ok);
    assert.deepEqual(await received, servers.map(() => 1));
    for (const socket of client) socket.close();
    return performance.now() - start;
  };
  // Nobody waits for the end of another's wait.
  for (let i = 0; i < 2; i++) await quickOnce(900, round);
  const pending = servers.map((server, i) => {
    const batch = batches[i];
    assert.ok(batch !== undefined);
    return server.receiveInBackground(batch);
  });
  for (const server of servers) server.close();
  assert.deepEqual(await Promise.all(pending), servers.map(() => ({ ok: true, value: 0 })));
  assert.ok(servers.every(({ fd }) => fd === -1));
});

Deno.test("a socket that is held for the next program is taken over by its address, once", () => {
  for (const address of ["127.0.0.1", "::1"]) {
    const before = listen(address);
    const { local } = before;
    before.close();
    ControlSocket.hold(local);
    assert.equal(ServerSocket.open({ local }).ok, false, "the port is taken");
    takeHeldFiles(describeHeldFiles());
    const taken = ControlSocket.open(local);
    assert.ok(taken.ok);
    assert.equal(ControlSocket.open(local).ok, false, "it is there once");
    const client = connect(local);
    client.send(Uint8Array.of(7));
    const [request] = taken.value.receive();
    assert.ok(request);
    assert.deepEqual([...request.bytes], [7]);
    taken.value.answer(Uint8Array.of(8), request);
    const response = client.receive();
    assert.ok(response.ok);
    assert.deepEqual([...response.value?.bytes ?? []], [8]);
    client.close();
    taken.value.close();
    ControlSocket.hold(local);
    releaseFiles(({ purpose }) => purpose !== "socket");
    const after = ServerSocket.open({ local });
    assert.ok(after.ok, "one that is held and not wanted gives the port back");
    after.value.close();
  }
});
