import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { kernelTimestamps } from "../../tests/support/kernel_timestamps.ts";
import { toHex } from "../../src/base/bytes.ts";
import type { SocketAddress } from "../../src/base/socket_address.ts";
import { realtimeNow } from "../clock/clock.ts";
import { Poller } from "../poller.ts";
import { ServerBatch } from "./server_batch.ts";
import { ServerSocket } from "./server_socket.ts";
import { DATAGRAM_MAX, type QueueEvent, type ReceivedDatagram, UdpSocket } from "./udp_socket.ts";
import { closeDescriptor } from "../descriptor.ts";
import { readHardwareTimestamping } from "./timestamping.ts";

const LOOPBACKS: readonly SocketAddress[] = [
  { family: "ipv4", address: "127.0.0.1", port: 0 },
  { family: "ipv6", address: "::1", port: 0 },
];
const MILLISECOND = 1_000_000n;

function openPair(local: SocketAddress): { server: ServerSocket; client: UdpSocket } {
  const server = ServerSocket.open({ local });
  assert.ok(server.ok);
  const client = UdpSocket.open({ peer: server.value.local });
  assert.ok(client.ok);
  return { server: server.value, client: client.value };
}

/**
 * Waits until a socket has something to read and has its transmit timestamp, as the daemon does.
 */
async function nextEvents(client: UdpSocket): Promise<{
  readonly datagram: ReceivedDatagram | undefined;
  readonly event: QueueEvent | undefined;
}> {
  const poller = Poller.open();
  assert.ok(poller.ok);
  assert.ok(poller.value.add(client.fd).ok);
  const ready = await poller.value.wait(2);
  assert.ok(ready.ok && ready.value.length === 1, "nothing came within two seconds");
  poller.value.close();
  const event = client.readQueue();
  const datagram = client.receive();
  assert.ok(event.ok && datagram.ok);
  return { datagram: datagram.value, event: event.value };
}

Deno.test("both directions carry kernel timestamps, in order and near the clock, over IPv4 and IPv6", async () => {
  const held = await kernelTimestamps();
  for (const local of LOOPBACKS) {
    const { server, client } = openPair(local);
    const batch = new ServerBatch(4);
    const took: bigint[] = [];
    for (let round = 0; round < 5; round++) {
      const start = realtimeNow();
      const sent = client.send(new Uint8Array(48).fill(round));
      assert.deepEqual(sent, { ok: true, value: round }, "sends are numbered from 0");
      assert.deepEqual(await server.receiveInBackground(batch), { ok: true, value: 1 });
      batch.responses.fill(0xa0 + round, 0, 48);
      batch.queueResponse(0, 48);
      assert.equal(server.send(batch), 1);
      const { datagram, event } = await nextEvents(client);
      const end = realtimeNow();
      assert.ok(event?.type === "transmitted");
      assert.equal(event.transmitId, round);
      assert.equal(event.timestampKind, "kernel");
      assert.ok(datagram !== undefined);
      assert.equal(datagram.timestampKind, "kernel");
      assert.equal(toHex(datagram.bytes), toHex(new Uint8Array(48).fill(0xa0 + round)));
      assert.deepEqual(datagram.source, server.local);
      assert.ok(start <= event.transmitTimestamp, "sent after we began");
      assert.ok(event.transmitTimestamp < datagram.receiveTimestamp, "answered after it was sent");
      assert.ok(datagram.receiveTimestamp <= end, "received before we looked");
      took.push(end - start);
    }
    // A busy machine delays some of them.
    assert.ok(took.some((each) => each < 500n * MILLISECOND), `${took} ns`);
    client.close();
    server.close();
  }
  closeDescriptor(held);
});

Deno.test("a closed port is reported once, over IPv4 and IPv6", async () => {
  for (const local of LOOPBACKS) {
    const { server, client } = openPair(local);
    server.close();
    assert.ok(client.send(new Uint8Array(48)).ok);
    const { event } = await nextEvents(client);
    const second = event?.type === "transmitted" ? client.readQueue() : undefined;
    const error = event?.type === "error" ? event : second?.ok ? second.value : undefined;
    assert.ok(error?.type === "error");
    assert.equal(error.error.name, "ECONNREFUSED");
    assert.deepEqual(client.receive(), { ok: true, value: undefined });
    assert.deepEqual(client.readQueue(), { ok: true, value: undefined });
    client.close();
  }
});

Deno.test("datagrams of others are refused by the kernel", async () => {
  const [local] = LOOPBACKS;
  assert.ok(local !== undefined);
  const { server, client } = openPair(local);
  const stranger = ServerSocket.open({ local });
  assert.ok(stranger.ok);
  const toServer = UdpSocket.open({ peer: stranger.value.local });
  const address = client.localAddress();
  assert.ok(toServer.ok && address.ok);
  const forged = UdpSocket.open({ peer: address.value });
  assert.ok(forged.ok);
  forged.value.send(new Uint8Array(48));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(client.receive(), { ok: true, value: undefined });
  for (const socket of [client, toServer.value, forged.value]) socket.close();
  server.close();
  stranger.value.close();
});

Deno.test("the ports of sockets are not in a row", () => {
  const peer = { family: "ipv4", address: "127.0.0.1", port: 9 } as const;
  const ports = Array.from({ length: 20 }, () => {
    const socket = UdpSocket.open({ peer });
    assert.ok(socket.ok);
    const local = socket.value.localAddress();
    assert.ok(local.ok);
    socket.value.close();
    return local.value.port;
  });
  assert.ok(new Set(ports).size > 15, String(ports));
  const steps = ports.slice(1).map((port, i) => Math.abs(port - (ports[i] ?? 0)));
  assert.ok(steps.filter((step) => step <= 4).length < 5, String(ports));
});

Deno.test("a datagram that is too long is cut and says so; without timestamps the time is ours", async () => {
  const [local] = LOOPBACKS;
  assert.ok(local !== undefined);
  const server = ServerSocket.open({ local });
  assert.ok(server.ok);
  const plain = UdpSocket.open({ peer: server.value.local, kernelTimestamps: false });
  assert.ok(plain.ok);
  const address = plain.value.localAddress();
  assert.ok(address.ok);
  // The answer comes from the server's port by a second socket bound to it after it is closed.
  server.value.close();
  const sender = UdpSocket.open({ peer: address.value, local: server.value.local });
  assert.ok(sender.ok);
  assert.ok(sender.value.send(new Uint8Array(DATAGRAM_MAX + 1)).ok);
  const before = realtimeNow();
  const { datagram, event } = await nextEvents(plain.value);
  assert.equal(event, undefined);
  assert.ok(datagram !== undefined);
  assert.equal(datagram.bytes.length, DATAGRAM_MAX);
  assert.equal(datagram.timestampKind, "user");
  assert.ok(datagram.receiveTimestamp >= before);
  plain.value.close();
  sender.value.close();
});

Deno.test("a send that fails does not shift the numbers of later ones", async () => {
  const [local] = LOOPBACKS;
  assert.ok(local !== undefined);
  const { server, client } = openPair(local);
  assert.ok(client.send(new Uint8Array(48)).ok);
  await nextEvents(client);
  const tooLong = client.send(new Uint8Array(70_000));
  assert.ok(!tooLong.ok);
  assert.equal(tooLong.error.name, "EMSGSIZE");
  const sent = client.send(new Uint8Array(48));
  assert.ok(sent.ok);
  const { event } = await nextEvents(client);
  assert.ok(event?.type === "transmitted");
  assert.equal(event.transmitId, sent.value);
  client.close();
  server.close();
});

Deno.test("what cannot be opened says why", () => {
  const peer = { family: "ipv4", address: "127.0.0.1", port: 9 } as const;
  const device = UdpSocket.open({ peer, device: "nosuchdevice0" });
  assert.ok(!device.ok);
  assert.equal(device.error.name, "ENODEV");
  const foreign = { family: "ipv4", address: "203.0.113.77", port: 0 } as const;
  const bound = UdpSocket.open({ peer, local: foreign });
  assert.ok(!bound.ok);
  assert.equal(bound.error.name, "EADDRNOTAVAIL");
  const hardware = readHardwareTimestamping("nosuchdevice0");
  assert.ok(!hardware.ok);
  const loopback = readHardwareTimestamping("lo");
  assert.ok(loopback.ok);
  assert.equal(loopback.value.phcIndex, undefined);
  assert.equal(loopback.value.receiveOn, false);
});
