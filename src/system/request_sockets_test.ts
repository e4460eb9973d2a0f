import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { kernelTimestamps } from "../../tests/support/kernel_timestamps.ts";
import { toUnixNanoseconds } from "../base/ntp_timestamp.ts";
import { ok } from "../base/result.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { DatagramEvent, Event } from "../engine/events.ts";
import { realtimeNow } from "../../ffi/clock/clock.ts";
import { Poller } from "../../ffi/poller.ts";
import { ServerBatch } from "../../ffi/socket/server_batch.ts";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { closeDescriptor } from "../../ffi/descriptor.ts";
import { systemHardware } from "./hardware_port.ts";
import { type HardwarePort, HardwareTimestamps } from "./hardware_timestamps.ts";
import { RequestSockets } from "./request_sockets.ts";

const LOOPBACK: SocketAddress = { family: "ipv4", address: "127.0.0.1", port: 0 };

/** An interface that says it makes timestamps and makes none. */
function promising(interfaceName: string): HardwarePort {
  return {
    interfaceTowards: () => interfaceName,
    timestampingOf: () =>
      ok({
        phcIndex: 0,
        isCapable: true,
        transmitOn: true,
        receiveOn: true,
      }),
    openClock: () =>
      ok({ toRealtime: () => undefined, isAlive: () => true, reset() {}, close() {} }),
  };
}

/** Makes exchanges on the loopback interface, as the engine would. */
async function exchanges(hardware: HardwareTimestamps, count: number): Promise<DatagramEvent[]> {
  const held = await kernelTimestamps();
  const opened = Poller.open(), server = ServerSocket.open({ local: LOOPBACK });
  assert.ok(opened.ok && server.ok);
  const sockets = new RequestSockets(opened.value, hardware);
  const batch = new ServerBatch(4);
  const events: Event[] = [];
  for (let request = 1; request <= count; request++) {
    const destination: SocketAddress = server.value.local;
    const packet = new Uint8Array(48);
    assert.equal(
      sockets.send({ type: "send", association: 1, request, destination, packet }),
      undefined,
    );
    assert.deepEqual(await server.value.receiveInBackground(batch), { ok: true, value: 1 });
    batch.queueResponse(0, 48);
    assert.equal(server.value.send(batch), 1);
    for (let i = 0; i < 40 && events.length < request; i++) {
      const ready = await opened.value.wait(0.05);
      for (const each of ready.ok ? ready.value : []) {
        sockets.read(each, (event) => events.push(event));
      }
    }
    sockets.close(request);
  }
  sockets.closeAll();
  opened.value.close();
  server.value.close();
  closeDescriptor(held);
  return events.map((event) => {
    assert.ok(event.type === "datagram", event.type);
    return event;
  });
}

function assertKernelTimestamps(events: readonly DatagramEvent[], count: number): void {
  assert.equal(events.length, count);
  for (const event of events) {
    assert.deepEqual([event.transmitTimestamping, event.receiveTimestamping], ["kernel", "kernel"]);
    const now = realtimeNow();
    const sent = toUnixNanoseconds(event.transmitTimestamp, now);
    const arrived = toUnixNanoseconds(event.receiveTimestamp, now);
    assert.ok(sent < arrived && arrived <= now && now - sent < 10_000_000_000n);
  }
}

Deno.test("an interface that breaks its promise leaves the kernel's timestamps, and why is counted", async () => {
  const hardware = new HardwareTimestamps(promising("lo"), () => {});
  assertKernelTimestamps(await exchanges(hardware, 3), 3);
  assert.deepEqual(hardware.fallbacks, { "no-transmit-timestamp": 3 });
});

Deno.test("a socket that cannot be tied to its interface is opened in the plain way at once", async () => {
  const hardware = new HardwareTimestamps(promising("no-such-if"), () => {});
  assertKernelTimestamps(await exchanges(hardware, 3), 3);
  assert.deepEqual(hardware.fallbacks, { "socket-refused": 1 });
});

Deno.test("on this machine's loopback interface no hardware is asked for", async () => {
  assert.equal(systemHardware.interfaceTowards({ ...LOOPBACK, port: 123 }), undefined);
  const hardware = new HardwareTimestamps(systemHardware, () => {});
  assertKernelTimestamps(await exchanges(hardware, 2), 2);
  assert.deepEqual(hardware.fallbacks, {});
});
