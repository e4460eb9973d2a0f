import "../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { quickOnce } from "../tests/support/wait_until.ts";
import { Poller } from "./poller.ts";
import { UdpSocket } from "./socket/udp_socket.ts";

function open(): Poller {
  const poller = Poller.open();
  assert.ok(poller.ok);
  return poller.value;
}

Deno.test("a wait ends when the time is over", async () => {
  const poller = open();
  await quickOnce(1000, async () => {
    const start = performance.now();
    assert.deepEqual(await poller.wait(0.03), { ok: true, value: [] });
    const took = performance.now() - start;
    assert.ok(took >= 29, `${took} ms`);
    return took;
  });
  poller.close();
});

Deno.test("a wait ends when somebody wakes it, before it or while it is pending", async () => {
  const poller = open();
  poller.wake();
  poller.wake();
  assert.deepEqual(await poller.wait(10), { ok: true, value: [] });
  const pending = poller.wait(undefined);
  poller.wake();
  assert.deepEqual(await pending, { ok: true, value: [] });
  poller.close();
});

Deno.test("closing ends a pending wait", async () => {
  const poller = open();
  const pending = poller.wait(undefined);
  poller.close();
  poller.close();
  assert.deepEqual(await pending, { ok: true, value: [] });
});

Deno.test("readable descriptors and error queues are reported until they are read", async () => {
  const poller = open();
  const first = UdpSocket.open({ peer: { family: "ipv4", address: "127.0.0.1", port: 9 } });
  assert.ok(first.ok);
  const local = first.value.localAddress();
  assert.ok(local.ok);
  const second = UdpSocket.open({ peer: local.value });
  assert.ok(second.ok);
  assert.ok(poller.add(second.value.fd).ok);
  // The second sends to the first, which is connected elsewhere: the kernel answers with an ICMP
  // error.
  assert.ok(second.value.send(new Uint8Array(8)).ok);
  const ready = await poller.wait(5);
  assert.ok(ready.ok);
  assert.equal(ready.value.length, 1);
  assert.equal(ready.value[0]?.fd, second.value.fd);
  assert.equal(ready.value[0]?.error, true);
  while (true) {
    const event = second.value.readQueue();
    assert.ok(event.ok);
    if (event.value === undefined) break;
  }
  second.value.receive();
  assert.deepEqual(await poller.wait(0), { ok: true, value: [] });
  assert.ok(poller.remove(second.value.fd).ok);
  first.value.close();
  second.value.close();
  poller.close();
});

Deno.test("a descriptor that is not open cannot be watched", () => {
  const poller = open();
  const added = poller.add(9999);
  assert.ok(!added.ok);
  assert.equal(added.error.name, "EBADF");
  poller.close();
});

Deno.test("a peek reports what is ready while a wait is pending, and leaves it the wake-up", async () => {
  const poller = open();
  const first = UdpSocket.open({ peer: { family: "ipv4", address: "127.0.0.1", port: 9 } });
  assert.ok(first.ok);
  const pending = poller.wait(5);
  assert.deepEqual(poller.peek(), []);
  poller.wake();
  assert.deepEqual(poller.peek(), []);
  assert.deepEqual(await pending, { ok: true, value: [] });
  assert.ok(first.value.send(new Uint8Array(8)).ok);
  assert.ok(poller.add(first.value.fd).ok);
  // nobody listens on port 9, and the kernel says so
  assert.deepEqual(poller.peek().map(({ fd, error }) => ({ fd, error })), [
    { fd: first.value.fd, error: true },
  ]);
  first.value.close();
  poller.close();
  assert.deepEqual(poller.peek(), []);
});
