/**
 * The kernel's receive timestamps, switched on and in force: the kernel takes a moment for it.
 *
 * The problem: it switches them off, with as much delay, when the last socket that wanted them is
 * closed, such as one of a test in another thread. The idea: they are in force when a row of
 * datagrams carries them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ServerBatch } from "../../ffi/socket/server_batch.ts";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { holdTimestamping } from "../../ffi/socket/timestamping.ts";
import { UdpSocket } from "../../ffi/socket/udp_socket.ts";
import { waitUntil } from "./wait_until.ts";

/** What a batch says of a timestamp that the kernel took. */
const KERNEL = 1;
/** So many datagrams in a row, 2 ms apart. */
const ROW = 20;

/**
 * Holds timestamping, and waits until datagrams on the loopback carry timestamps; returns the
 * descriptor that holds it.
 */
export async function kernelTimestamps(): Promise<number> {
  const held = holdTimestamping();
  const opened = ServerSocket.open({ local: { family: "ipv4", address: "127.0.0.1", port: 0 } });
  assert.ok(held.ok && opened.ok);
  const server = opened.value;
  const client = UdpSocket.open({ peer: server.local });
  assert.ok(client.ok);
  const batch = new ServerBatch(1);
  let row = 0;
  const isTimestamped = () => {
    assert.ok(client.value.send(new Uint8Array(48)).ok);
    const received = server.receive(batch);
    const isKernel = received.ok && received.value === 1 && batch.timestampKinds[0] === KERNEL;
    row = isKernel ? row + 1 : 0;
    return row >= ROW;
  };
  await waitUntil(isTimestamped, {
    timeoutMs: 60_000,
    everyMs: 2,
    what: () => "a timestamp of the kernel",
  });
  client.value.close();
  server.close();
  return held.value;
}
