import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { ownedPointerCounts } from "../../ffi/openssl/owned_pointer.ts";
import { type Bytes, fromHex, toHex } from "../base/bytes.ts";
import {
  aeadParameters,
  emptyOperation,
  type NtsAeadId,
  openBytes,
  sealBytes,
} from "../crypto/aead.ts";
import { portableAead } from "../crypto/portable.ts";
import { openSslAeadFactory } from "./openssl_aead.ts";

const opened = OpenSsl.open();
assert.ok(opened.ok);
const make = openSslAeadFactory(opened.value);
const IDS: readonly NtsAeadId[] = [15, 16, 17, 30];

function create(id: NtsAeadId, key?: Bytes) {
  const aead = make(id, key);
  assert.ok(aead);
  return aead;
}

function hex(text: string): Bytes {
  const bytes = fromHex(text);
  assert.ok(bytes);
  return bytes;
}

const KEY = "0123456789abcdeff0123456789abcdeef0123456789abcddef0123456789abc";
const NONCE = "101112131415161718191a1b1c1d1e1f";
const DATA = "4c9d4fcaed8ae2baad3f3ea6e93c8c8b";
const TEXT = "ba997931237e3c53587ed49302abe4a7";

// chrony test/unit/siv.c for 15 and 30; RFC 8452 appendix C.1 for the last two.
const VECTORS: readonly [NtsAeadId, string, string, string, string, string][] = [
  [15, KEY, NONCE, "", "", "223eb594e0e0254b00258e219a1ca421"],
  [15, KEY, NONCE, DATA, "", "d7201989c6dbc6d661fc62bc865eeeef"],
  [15, KEY, NONCE, DATA, TEXT, "5c052365f4570aa0fb383ece9b7585eb688519360c7c481140cb9b579a0e6532"],
  [30, KEY.slice(0, 32), NONCE.slice(0, 24), "", "", "ba051c40eb7e5fa23f6ce5befe5b04ad"],
  [30, KEY.slice(0, 32), NONCE.slice(0, 24), DATA, "", "8f47fe1f264ee2995f353d267414d43b"],
  [
    30,
    KEY.slice(0, 32),
    NONCE.slice(0, 24),
    DATA,
    TEXT,
    "a310ae5f26d990faab3029807f936223838fc95790bb0587021157d6139b824d",
  ],
  [30, "01" + "0".repeat(30), "03" + "0".repeat(22), "", "", "dc20e2d83f25705bb49e439eca56de25"],
  [
    30,
    "01" + "0".repeat(30),
    "03" + "0".repeat(22),
    "",
    "0100000000000000",
    "b5d839330ac7b786578782fff6013b815b287c22493a364c",
  ],
];

Deno.test("the published vectors come out", () => {
  for (const [id, key, nonce, data, text, sealed] of VECTORS) {
    const aead = create(id, hex(key));
    const message = { nonce: hex(nonce), associatedData: hex(data) };
    assert.equal(toHex(sealBytes(aead, { ...message, plaintext: hex(text) })), sealed);
    const plaintext = openBytes(aead, { ...message, ciphertext: hex(sealed) });
    assert.equal(plaintext && toHex(plaintext), text);
    aead.close();
  }
});

Deno.test("OpenSSL and the portable implementation agree, with keys changing all the time", () => {
  const before = ownedPointerCounts();
  const bytes = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });
  for (const id of IDS) {
    const { keyLength, nonceLengthMin, nonceLengthMax } = aeadParameters(id);
    const fast = create(id);
    const property = fc.property(
      bytes(keyLength, keyLength),
      bytes(nonceLengthMin, Math.min(nonceLengthMax, 40)),
      bytes(0, 300),
      bytes(0, 300),
      fc.nat(3),
      (key, nonce, associatedData, plaintext, shift) => {
        const copy = (from: Uint8Array) => Uint8Array.from(from);
        const message = { nonce: copy(nonce), associatedData: copy(associatedData) };
        // Every alignment of the ranges must give the same result.
        const shifted = (from: Uint8Array) => {
          const room = new Uint8Array(from.length + shift);
          room.set(from, shift);
          return room;
        };
        const expected = sealBytes(portableAead(id, copy(key)), {
          ...message,
          plaintext: copy(plaintext),
        });
        fast.setKey(shifted(key), shift);
        const output = new Uint8Array(shift + expected.length);
        const operation = {
          ...emptyOperation(),
          nonce: shifted(nonce),
          nonceOffset: shift,
          nonceLength: nonce.length,
          associatedData: shifted(associatedData),
          associatedDataOffset: shift,
          associatedDataLength: associatedData.length,
          input: shifted(plaintext),
          inputOffset: shift,
          inputLength: plaintext.length,
          output,
          outputOffset: shift,
        };
        assert.equal(fast.seal(operation), expected.length);
        assert.deepEqual(output.slice(shift), expected);
        // A second message with the same key, and the way back.
        const back = openBytes(fast, { ...message, ciphertext: expected });
        assert.deepEqual(back, copy(plaintext));
      },
    );
    fc.assert(property, { numRuns: 150 });
    fast.close();
  }
  assert.deepEqual(ownedPointerCounts(), before);
});

Deno.test("whatever is changed in a message, it is not opened", () => {
  for (const id of IDS) {
    const { keyLength } = aeadParameters(id);
    const key = Uint8Array.from({ length: keyLength }, (_, i) => i);
    const aead = create(id, key);
    const message = {
      nonce: hex(id === 30 ? NONCE.slice(0, 24) : NONCE),
      associatedData: hex(DATA),
      plaintext: hex(TEXT + TEXT + "00"),
    };
    const ciphertext = sealBytes(aead, message);
    const { nonce, associatedData } = message;
    assert.deepEqual(openBytes(aead, { nonce, associatedData, ciphertext }), message.plaintext);
    const flip = (of: Bytes, bit: number) => {
      const copy = of.slice();
      copy[bit >>> 3] = (copy[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      return copy;
    };
    for (let bit = 0; bit < ciphertext.length * 8; bit++) {
      const changed = flip(ciphertext, bit);
      assert.equal(openBytes(aead, { nonce, associatedData, ciphertext: changed }), undefined);
    }
    for (let bit = 0; bit < nonce.length * 8; bit++) {
      const changed = flip(nonce, bit);
      assert.equal(openBytes(aead, { nonce: changed, associatedData, ciphertext }), undefined);
    }
    for (let bit = 0; bit < associatedData.length * 8; bit++) {
      const changed = flip(associatedData, bit);
      assert.equal(openBytes(aead, { nonce, associatedData: changed, ciphertext }), undefined);
    }
    for (let length = 0; length < ciphertext.length; length++) {
      const cut = ciphertext.slice(0, length);
      assert.equal(openBytes(aead, { nonce, associatedData, ciphertext: cut }), undefined);
    }
    const badNonce = new Uint8Array(id === 30 ? 13 : 0);
    assert.equal(openBytes(aead, { nonce: badNonce, associatedData, ciphertext }), undefined);
    aead.close();
  }
});

Deno.test("what fails to open leaves nothing in the output", () => {
  for (const id of IDS) {
    const { keyLength, nonceLength } = aeadParameters(id);
    const aead = create(id, new Uint8Array(keyLength));
    const output = new Uint8Array(40);
    const operation = {
      ...emptyOperation(),
      nonce: new Uint8Array(nonceLength),
      nonceLength,
      input: new Uint8Array(56).fill(7),
      inputLength: 56,
      output,
    };
    assert.equal(aead.open(operation), -1);
    assert.deepEqual(output, new Uint8Array(40));
    aead.close();
  }
});

Deno.test("ranges outside their buffers are our own bug", () => {
  const aead = create(15, new Uint8Array(32));
  const operation = {
    ...emptyOperation(),
    nonce: new Uint8Array(16),
    nonceLength: 16,
    output: new Uint8Array(64),
  };
  const input = new Uint8Array(10);
  for (
    const wrong of [
      { input, inputLength: 11 },
      { input, inputOffset: -1, inputLength: 5 },
      { nonceOffset: 1 },
      { input: new Uint8Array(64), inputLength: 64 },
      { input: new Uint8Array(100_000), inputLength: 90_000, output: new Uint8Array(100_000) },
    ]
  ) {
    assert.throws(() => aead.seal({ ...operation, ...wrong }), /ranges of an operation/);
  }
  aead.close();
  assert.throws(() => aead.seal(operation), /key is set/);
});

Deno.test("long messages up to the limit agree", () => {
  for (const id of IDS) {
    const { keyLength, nonceLength } = aeadParameters(id);
    const key = Uint8Array.from({ length: keyLength }, (_, i) => 3 * i);
    const message = {
      nonce: new Uint8Array(nonceLength).fill(9),
      associatedData: new Uint8Array(5000).fill(1),
      plaintext: new Uint8Array(65_536 - 16).fill(2),
    };
    const aead = create(id, key);
    assert.deepEqual(sealBytes(aead, message), sealBytes(portableAead(id, key), message));
    aead.close();
  }
});
