import fc from "../../tests/support/properties.ts";
import assert from "node:assert/strict";
import { referenceSivSeal } from "../../tests/support/reference_siv.ts";
import { AEAD_VECTORS, SIV_COMPONENT_VECTORS } from "../../tests/vectors/aead.ts";
import { type Bytes, fromHex, toHex } from "../base/bytes.ts";
import { aeadParameters, emptyOperation, type NtsAeadId, openBytes, sealBytes } from "./aead.ts";
import { portableAead } from "./portable.ts";

const IDS: readonly NtsAeadId[] = [15, 16, 17, 30];
const octets = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => new Uint8Array(bytes));
const anyMessage = fc.constantFrom(...IDS).chain((id) => {
  const { keyLength, nonceLength } = aeadParameters(id);
  return fc.record({
    id: fc.constant(id),
    key: octets(keyLength, keyLength),
    nonce: octets(nonceLength, nonceLength),
    associatedData: octets(0, 80),
    plaintext: octets(0, 80),
  });
});

Deno.test("the portable implementation agrees with every published vector", () => {
  for (const vector of AEAD_VECTORS) {
    const aead = portableAead(vector.id, fromHex(vector.key)!);
    const common = {
      nonce: fromHex(vector.nonce)!,
      associatedData: fromHex(vector.associatedData)!,
    };
    const plaintext = fromHex(vector.plaintext)!;
    assert.equal(toHex(sealBytes(aead, { ...common, plaintext })), vector.sealed, vector.source);
    const opened = openBytes(aead, { ...common, ciphertext: fromHex(vector.sealed)! });
    assert.deepEqual(opened, plaintext, vector.source);
  }
});

for (const vector of SIV_COMPONENT_VECTORS) {
  Deno.test(`the reference AES-SIV agrees with ${vector.source}`, () => {
    const sealed = referenceSivSeal(
      fromHex(vector.key)!,
      vector.components.map((component) => fromHex(component)!),
      fromHex(vector.plaintext)!,
    );
    assert.equal(toHex(sealed), vector.sealed);
  });
}

Deno.test("AES-SIV with any nonce length agrees with the plain reference", () => {
  const sivMessage = fc.constantFrom<NtsAeadId>(15, 16, 17).chain((id) =>
    fc.record({
      id: fc.constant(id),
      key: octets(aeadParameters(id).keyLength, aeadParameters(id).keyLength),
      nonce: octets(1, 40),
      associatedData: octets(0, 50),
      plaintext: octets(0, 50),
    })
  );
  fc.assert(
    fc.property(sivMessage, ({ id, key, ...message }) => {
      const components = [message.associatedData, message.nonce];
      assert.deepEqual(
        sealBytes(portableAead(id, key), message),
        referenceSivSeal(key, components, message.plaintext),
      );
    }),
    { numRuns: 200 },
  );
});

Deno.test("what was sealed opens, and opens no more after any one bit is changed", () => {
  const flip = (bytes: Bytes, bit: number) => {
    if (bytes.length === 0) return undefined;
    const changed = bytes.slice();
    changed[Math.floor(bit / 8) % bytes.length]! ^= 1 << bit % 8;
    return changed;
  };
  fc.assert(
    fc.property(anyMessage, fc.nat(5000), ({ id, key, plaintext, ...common }, bit) => {
      const aead = portableAead(id, key);
      const ciphertext = sealBytes(aead, { ...common, plaintext });
      assert.deepEqual(openBytes(aead, { ...common, ciphertext }), plaintext);
      assert.equal(openBytes(aead, { ...common, ciphertext: flip(ciphertext, bit)! }), undefined);
      const nonce = flip(common.nonce, bit)!;
      assert.equal(openBytes(aead, { ...common, nonce, ciphertext }), undefined);
      const associatedData = flip(common.associatedData, bit) ?? new Uint8Array(1);
      assert.equal(openBytes(aead, { ...common, associatedData, ciphertext }), undefined);
      // The second half of a SIV key only encrypts; with an empty plaintext it changes nothing.
      aead.setKey(flip(key, bit % (key.length * 4))!, 0);
      assert.equal(openBytes(aead, { ...common, ciphertext }), undefined);
    }),
    { numRuns: 150 },
  );
});

Deno.test("opening refuses what is too short and nonces of other lengths, without a throw", () => {
  for (const id of IDS) {
    const { keyLength, nonceLength } = aeadParameters(id);
    const aead = portableAead(id, new Uint8Array(keyLength));
    for (let length = 0; length < 16; length++) {
      const ciphertext = new Uint8Array(length);
      const nonce = new Uint8Array(nonceLength);
      const associatedData = new Uint8Array(0);
      assert.equal(openBytes(aead, { nonce, associatedData, ciphertext }), undefined);
    }
    const refused = id === 30 ? [0, 11, 13, 16] : [0];
    for (const length of refused) {
      const opened = openBytes(aead, {
        nonce: new Uint8Array(length),
        associatedData: new Uint8Array(0),
        ciphertext: new Uint8Array(32),
      });
      assert.equal(opened, undefined);
    }
  }
});

Deno.test("ranges: only the named octets are read and written", () => {
  const aead = portableAead(15);
  const buffer = new Uint8Array(200).map((_, i) => i);
  aead.setKey(buffer, 40);
  const output = new Uint8Array(100).fill(0xee);
  const operation = {
    ...emptyOperation(),
    nonce: buffer,
    nonceOffset: 3,
    nonceLength: 16,
    associatedData: buffer,
    associatedDataOffset: 90,
    associatedDataLength: 48,
    input: buffer,
    inputOffset: 150,
    inputLength: 5,
    output,
    outputOffset: 10,
  };
  assert.equal(aead.seal(operation), 21);
  const expected = referenceSivSeal(
    buffer.slice(40, 72),
    [buffer.slice(90, 138), buffer.slice(3, 19)],
    buffer.slice(150, 155),
  );
  assert.deepEqual(output.slice(10, 31), expected);
  assert.ok(output.slice(0, 10).every((octet) => octet === 0xee));
  assert.ok(output.slice(31).every((octet) => octet === 0xee));
});

Deno.test("using an Aead without a key or after close is our own bug", () => {
  const aead = portableAead(30);
  const message = {
    nonce: new Uint8Array(12),
    associatedData: new Uint8Array(0),
    plaintext: new Uint8Array(0),
  };
  assert.throws(() => sealBytes(aead, message), { name: "AssertionFailure" });
  aead.setKey(new Uint8Array(16), 0);
  sealBytes(aead, message);
  aead.close();
  assert.throws(() => sealBytes(aead, message), { name: "AssertionFailure" });
});
