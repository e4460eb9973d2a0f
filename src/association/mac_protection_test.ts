import assert from "node:assert/strict";
import { concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { SeededRandom } from "../base/random.ts";
import { macKey, type MacType } from "../crypto/mac.ts";
import { emptyHeader, encodeHeader } from "../protocol/header.ts";
import { encodeField } from "../protocol/extension_field.ts";
import { macProtection, missingKeyProtection } from "./mac_protection.ts";

const NOTHING = new Uint8Array(0);
const RANDOM = new SeededRandom(1);

function key(type: MacType, hex: string) {
  const made = macKey(type, fromHex(hex) ?? assert.fail("hexadecimal expected"));
  return made.ok ? made.value : assert.fail(made.error);
}

Deno.test("a request carries the key's number and the MAC of its header", () => {
  // MD5("abc" followed by 48 zero octets but for the first, 0x23), by Python's hashlib
  const protection = macProtection(258, key("MD5", "616263"));
  const made = protection.protect(encodeHeader(emptyHeader(4, 3)), RANDOM);
  assert.ok(made.ok);
  assert.equal(made.value.packet.length, 68);
  assert.equal(
    toHex(made.value.packet.subarray(48)),
    "00000102" + "ab1cf58eac081e15b2ec89646e88d783",
  );
});

Deno.test("an answer counts with the right MAC under the right number alone", () => {
  for (const type of ["MD5", "SHA1", "SHA256", "AES128"] as const) {
    const secret = key(type, "00112233445566778899aabbccddeeff");
    const protection = macProtection(7, secret);
    const made = protection.protect(encodeHeader(emptyHeader(4, 4)), RANDOM);
    assert.ok(made.ok);
    const { packet } = made.value;
    const check = (octets: Uint8Array) => {
      const verified = protection.verify(octets, NOTHING);
      return verified.ok ? "authentic" : verified.error;
    };
    assert.equal(check(packet), "authentic", type);
    assert.equal(check(packet.subarray(0, 48)), "no-mac");
    for (const at of [0, 47, 52, packet.length - 1]) {
      const changed = packet.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      if (at > 0) assert.equal(check(changed), "wrong-mac", `${type} octet ${at}`);
      else assert.notEqual(check(changed), "authentic");
    }
    const other = packet.slice();
    other[51] = 8;
    assert.equal(check(other), "wrong-key");
    assert.notEqual(check(concatBytes(packet, new Uint8Array(4))), "authentic");
  }
});

Deno.test("the MAC covers extension fields", () => {
  const secret = key("AES128", "00112233445566778899aabbccddeeff");
  const protection = macProtection(7, secret);
  const whole = concatBytes(
    encodeHeader(emptyHeader(4, 4)),
    encodeField(0xf323, new Uint8Array(24)),
  );
  const made = protection.protect(whole, RANDOM);
  assert.ok(made.ok);
  assert.equal(protection.verify(made.value.packet, NOTHING).ok, true);
  const changed = made.value.packet.slice();
  changed[60] = 1;
  assert.equal(protection.verify(changed, NOTHING).ok, false);
});

Deno.test("a source without its key sends and believes nothing", () => {
  const protection = missingKeyProtection();
  assert.equal(protection.protect(encodeHeader(emptyHeader(4, 3)), RANDOM).ok, false);
  assert.equal(protection.verify(encodeHeader(emptyHeader(4, 4)), NOTHING).ok, false);
});
