/**
 * AES-CMAC (RFC 4493): a message authentication code of 16 octets from a block cipher. RFC 8573
 * makes it the successor of MD5 in NTP.
 *
 * @module
 */
import { cmac } from "@noble/ciphers/aes.js";
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";

/** Returns the 16-octet AES-CMAC of `message`; the key has 16, 24 or 32 octets (asserted). */
export function aesCmac(key: Bytes, message: Bytes): Bytes {
  assert(
    key.length === 16 || key.length === 24 || key.length === 32,
    "An AES key has 16, 24 or 32 octets",
  );
  return cmac(message, key);
}
