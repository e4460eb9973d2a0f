import assert from "node:assert/strict";
import { type Bytes, fromHex, toHex } from "../base/bytes.ts";
import { aesCmac } from "./cmac.ts";
import { digest, referenceIdOfIpv6 } from "./digest.ts";
import { hkdfSha256 } from "./hkdf.ts";
import { isMacDigestLength, macKey, type MacType } from "./mac.ts";

const hex = (text: string): Bytes => fromHex(text)!;
const ascii = (text: string): Bytes => new TextEncoder().encode(text);

Deno.test("AES-CMAC agrees with RFC 4493 section 4", () => {
  const key = hex("2b7e151628aed2a6abf7158809cf4f3c");
  const message = hex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
  );
  const expected: readonly (readonly [number, string])[] = [
    [0, "bb1d6929e95937287fa37d129b756746"],
    [16, "070a16b46b4d4144f79bdd9dd04a287c"],
    [40, "dfa66747de9ae63030ca32611497c827"],
    [64, "51f0bebf7e3b9d92fc49741779363cfe"],
  ];
  for (const [length, mac] of expected) {
    assert.equal(toHex(aesCmac(key, message.slice(0, length))), mac);
  }
});

Deno.test("digests agree with their published values", () => {
  const abc = ascii("abc");
  assert.equal(toHex(digest("MD5", abc)), "900150983cd24fb0d6963f7d28e17f72");
  assert.equal(toHex(digest("SHA1", abc)), "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert.equal(
    toHex(digest("SHA256", abc)),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  assert.match(toHex(digest("SHA384", abc)), /^cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163/);
  assert.match(toHex(digest("SHA512", abc)), /^ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2/);
});

Deno.test("the reference identifier of an IPv6 address is the start of its MD5 digest", () => {
  assert.equal(referenceIdOfIpv6(hex("20010db885a308d313198a2e03707334")), 0x52fdcf75);
});

Deno.test("HKDF agrees with RFC 5869 test case 1", () => {
  const derived = hkdfSha256({
    secret: hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
    salt: hex("000102030405060708090a0b0c"),
    info: hex("f0f1f2f3f4f5f6f7f8f9"),
  }, 42);
  assert.equal(
    toHex(derived),
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  );
});

Deno.test("a message authentication code is hash(key, message), at most 20 octets, or the AES-CMAC", () => {
  const packet = new Uint8Array(48).map((_, i) => i);
  const key = (type: MacType, secret: Bytes) => {
    const made = macKey(type, secret);
    assert.ok(made.ok);
    return made.value;
  };
  const secret = ascii("secret");
  const joined = new Uint8Array([...secret, ...packet]);
  assert.deepEqual(key("MD5", secret).compute(packet), digest("MD5", joined));
  assert.deepEqual(key("SHA1", secret).compute(packet), digest("SHA1", joined));
  assert.deepEqual(
    key("SHA512", secret).compute(packet),
    digest("SHA512", joined).slice(0, 20),
  );
  const aes = key("AES128", hex("2b7e151628aed2a6abf7158809cf4f3c"));
  assert.equal(toHex(aes.compute(new Uint8Array(0))), "bb1d6929e95937287fa37d129b756746");
  const types: MacType[] = ["MD5", "SHA1", "SHA256", "SHA384", "SHA512"];
  for (const type of types) {
    const mac = key(type, secret).compute(packet);
    assert.equal(key(type, secret).verify(packet, mac), true);
    assert.equal(key(type, ascii("Secret")).verify(packet, mac), false);
    assert.equal(key(type, secret).verify(packet, mac.slice(0, 8)), false);
    mac[mac.length - 1]! ^= 1;
    assert.equal(key(type, secret).verify(packet, mac), false);
  }
});

Deno.test("a digest is whole or cut to 20 octets, nothing else", () => {
  const packet = new Uint8Array(48).map((_, i) => i);
  const lengths = [
    ["MD5", [16]],
    ["SHA1", [20]],
    ["SHA256", [20, 32]],
    ["SHA384", [20, 48]],
    ["SHA512", [20, 64]],
    ["AES128", [16]],
    ["AES256", [16]],
  ] as const;
  for (const [type, right] of lengths) {
    const key = macKey(type, new Uint8Array(type === "AES256" ? 32 : 16).fill(3));
    assert.ok(key.ok);
    const wanted = new Set<number>(right);
    for (let length = 0; length <= 68; length++) {
      assert.equal(isMacDigestLength(type, length), wanted.has(length), `${type} ${length}`);
      const mac = new Uint8Array(length);
      if (wanted.has(length)) mac.set(key.value.compute(packet, length));
      assert.equal(key.value.verify(packet, mac), wanted.has(length), `${type} ${length}`);
    }
  }
  const key = macKey("SHA256", ascii("secret"));
  assert.ok(key.ok);
  const joined = new Uint8Array([...ascii("secret"), ...packet]);
  assert.deepEqual(key.value.compute(packet, 32), digest("SHA256", joined));
});

Deno.test("a key of the wrong length is refused with what was wanted and found", () => {
  assert.deepEqual(macKey("AES128", new Uint8Array(15)), {
    ok: false,
    error: "A key for AES128 has 16 octets, found 15",
  });
  assert.equal(macKey("AES256", new Uint8Array(16)).ok, false);
  assert.equal(macKey("MD5", new Uint8Array(0)).ok, false);
});
