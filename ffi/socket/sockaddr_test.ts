import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { toHex } from "../../src/base/bytes.ts";
import { type ControlData, ControlMessages, readControlData } from "./control_message.ts";
import { allocate } from "../memory.ts";
import { decodeSockaddr, encodeSockaddr } from "./sockaddr.ts";

Deno.test("addresses have the kernel's layout", () => {
  const { bytes, view } = allocate(32);
  assert.equal(encodeSockaddr({ family: "ipv4", address: "192.0.2.1", port: 123 }, view), 16);
  assert.equal(toHex(bytes.subarray(0, 16)), "0200007bc00002010000000000000000");
  const v6 = { family: "ipv6", address: "fe80::1", port: 4460, scopeId: 2 } as const;
  assert.equal(encodeSockaddr(v6, view), 28);
  assert.equal(
    toHex(bytes.subarray(0, 28)),
    "0a00116c00000000fe80000000000000000000000000000102000000",
  );
  assert.deepEqual(decodeSockaddr(view), v6);
  view.setUint16(0, 1, true);
  assert.equal(decodeSockaddr(view), undefined);
});

Deno.test("control data of a transmit timestamp is read", () => {
  const control = allocate(128);
  const { view } = control;
  view.setUint32(0, 64, true);
  view.setInt32(8, 1, true);
  view.setInt32(12, 37, true);
  view.setBigInt64(16, 1_700_000_000n, true);
  view.setBigInt64(24, 123n, true);
  view.setUint32(64, 48, true);
  view.setInt32(72, 0, true);
  view.setInt32(76, 11, true);
  view.setUint32(80, 42, true);
  view.setUint8(84, 4);
  view.setUint32(92, 7, true);
  const data: ControlData = { softwareNanoseconds: 0n, hardwareNanoseconds: 0n };
  const messages = new ControlMessages(control);
  messages.start(0, 112);
  readControlData(messages, view, data);
  assert.equal(data.softwareNanoseconds, 1_700_000_000_000_000_123n);
  assert.deepEqual(data.error, { code: 42, origin: 4, data: 7 });
  messages.start(0, 0);
  readControlData(messages, view, data);
  assert.equal(data.softwareNanoseconds, 0n);
  assert.equal(data.error, undefined);
});

Deno.test("control data of any octets is read without harm", () => {
  const octets = fc.uint8Array({ minLength: 0, maxLength: 256 });
  const small = fc.array(fc.constantFrom(0, 1, 2, 11, 16, 25, 37, 41, 64), { maxLength: 256 })
    .map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(fc.oneof(octets, small), (bytes) => {
      const control = allocate(256);
      control.bytes.set(bytes);
      const data: ControlData = { softwareNanoseconds: 0n, hardwareNanoseconds: 0n };
      const messages = new ControlMessages(control);
      messages.start(0, bytes.length);
      readControlData(messages, control.view, data);
    }),
    { numRuns: 2000 },
  );
});
