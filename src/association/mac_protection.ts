/**
 * Authentication by a symmetric key: a MAC behind the packet (RFC 5905 section 7.3, RFC 8573).
 *
 * The idea: the request carries the key's number and the MAC of its header; a response counts if it
 * carries the same number and the MAC of all that stands before. What binds it to the request is
 * the random transmit timestamp, which the MAC covers. Limits: nothing is encrypted, and everyone
 * who has the key can answer.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { MacKey } from "../crypto/mac.ts";
import { decodePacket } from "../protocol/packet.ts";
import type { ProtectedRequest } from "../nts/client/request_fields.ts";
import type { PacketProtection } from "./protection.ts";

/** Makes the protection by a key; `keyId` is 1 to 2^32 - 1, as both sides number it. */
export function macProtection(keyId: number, key: MacKey): PacketProtection {
  return new MacProtection(keyId, key);
}

/**
 * Makes the protection of a source whose key is not there: nothing is sent, and nothing believed.
 */
export function missingKeyProtection(): PacketProtection {
  return {
    authentication: "mac",
    protect: () => err("no-key"),
    verify: () => err("no-key"),
  };
}

class MacProtection implements PacketProtection {
  readonly authentication = "mac";
  readonly #keyId: number;
  readonly #key: MacKey;

  constructor(keyId: number, key: MacKey) {
    assert(Number.isInteger(keyId) && keyId > 0 && keyId <= 0xffff_ffff, "A key has a number");
    this.#keyId = keyId;
    this.#key = key;
  }

  protect(header: Bytes): Result<ProtectedRequest, never> {
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, this.#keyId);
    const packet = concatBytes(header, number, this.#key.compute(header));
    return ok({ packet, uniqueIdentifier: new Uint8Array(0) });
  }

  verify(packet: Uint8Array): Result<undefined, "no-mac" | "wrong-key" | "wrong-mac"> {
    const decoded = decodePacket(packet);
    if (!decoded.ok || decoded.value.trailer.kind !== "mac") return err("no-mac");
    const { keyId, offset, digest } = decoded.value.trailer;
    if (keyId !== this.#keyId) return err("wrong-key");
    const message = new Uint8Array(packet.subarray(0, offset));
    return this.#key.verify(message, digest) ? ok(undefined) : err("wrong-mac");
  }
}
