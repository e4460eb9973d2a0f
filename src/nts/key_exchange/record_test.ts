import fc from "../../../tests/support/properties.ts";
import assert from "node:assert/strict";
import { concatBytes, fromHex, toHex } from "../../base/bytes.ts";
import { encodeMessage, numbersOf, numbersRecord, RecordReader } from "./record.ts";

const anyRecord = fc.record({
  critical: fc.boolean(),
  type: fc.integer({ min: 1, max: 0x7fff }),
  body: fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
}, { noNullPrototype: true });

Deno.test("a record's length counts its body alone", () => {
  const record = numbersRecord(1, { critical: true, numbers: [0] });
  assert.equal(
    toHex(encodeMessage([record, numbersRecord(4, { critical: true, numbers: [15] })])),
    "80010002000080040002000f80000000",
  );
});

Deno.test("records that were encoded are read again, however the octets are split", () => {
  const splits = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 8 }), splits, (records, sizes) => {
      const bytes = encodeMessage(records);
      const reader = new RecordReader(65_536);
      let position = 0;
      for (const size of sizes) {
        const piece = bytes.slice(position, position + size);
        position = Math.min(bytes.length, position + size);
        const read = reader.push(piece);
        assert.ok(read.ok);
        if (position < bytes.length) assert.equal(read.value, undefined);
      }
      assert.deepEqual(reader.push(bytes.slice(position)), { ok: true, value: records });
    }),
  );
});

Deno.test("any octets are read without a throw, and never more than the limit is held", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 8 }), (pieces) => {
      const reader = new RecordReader(1024);
      let total = 0;
      for (const piece of pieces) {
        total += piece.length;
        const read = reader.push(piece);
        if (!read.ok) return;
        assert.ok(total <= 1024);
        if (read.value !== undefined) return;
      }
    }),
  );
});

Deno.test("the end must be critical and empty and the last octets", () => {
  const read = (hex: string) => new RecordReader(1024).push(fromHex(hex)!);
  assert.deepEqual(read("00000000"), { ok: false, error: "bad-end-of-message" });
  assert.deepEqual(read("8000000100"), { ok: false, error: "bad-end-of-message" });
  assert.deepEqual(read("80000000" + "80000000"), { ok: false, error: "octets-after-end" });
  assert.deepEqual(read("80000000"), { ok: true, value: [] });
  const reader = new RecordReader(1024);
  reader.push(fromHex("80000000")!);
  assert.deepEqual(reader.push(new Uint8Array(0)), { ok: true, value: [] });
  assert.deepEqual(reader.push(new Uint8Array(1)), { ok: false, error: "octets-after-end" });
});

Deno.test("a message longer than the limit is refused before it is held", () => {
  const reader = new RecordReader(1024);
  assert.deepEqual(reader.push(fromHex("0005ffff")!), { ok: true, value: undefined });
  assert.deepEqual(reader.push(new Uint8Array(1020)), { ok: true, value: undefined });
  assert.deepEqual(reader.push(new Uint8Array(1)), { ok: false, error: "message-too-long" });
});

Deno.test("a list of numbers has an even length", () => {
  assert.equal(numbersOf(new Uint8Array(3)), undefined);
  assert.deepEqual(numbersOf(concatBytes(new Uint8Array([0, 15]), new Uint8Array([0, 30]))), [
    15,
    30,
  ]);
});
