/**
 * The server's cookies (RFC 8915 section 6): all that the server must know of a client, sealed
 * under a key of its own, so that it keeps no state per client.
 *
 * The idea: key identifier (4 octets), nonce (12), then AES-SIV-CMAC-256 over algorithm (2 octets),
 * two zero octets, the server-to-client key and the client-to-server key. That is 36 octets and
 * twice the key length: 68, 100, 132 or 164, always a multiple of four and below the 192 that peers
 * accept. The plaintext of the cookie that was opened last stays in a buffer, from which new
 * cookies for the same client are sealed without a copy.
 *
 * AES-SIV, because OpenSSL's AES-GCM takes three times as long for so few octets when its calls are
 * counted, and because a nonce that comes twice costs AES-SIV nothing but that equal contents give
 * equal cookies.
 *
 * Limits: keys of 128 bits guard the cookies, as they guard the packets of the algorithm that all
 * must have (number 15), also for clients that chose longer ones.
 *
 * @module
 */
import { assert, present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import {
  type Aead,
  AEAD_ID,
  type AeadFactory,
  aeadParameters,
  emptyOperation,
  isNtsAeadId,
  type NtsAeadId,
} from "../../crypto/aead.ts";
import type { SessionKeys } from "../key_exchange/exporter.ts";
import type { Keyset } from "./keyset.ts";
import type { RandomPool } from "./random_pool.ts";

const COOKIE_AEAD_ID = AEAD_ID.AES_SIV_CMAC_256;
const ID_LENGTH = 4;
const NONCE_LENGTH = 12;
const SEALED_OFFSET = ID_LENGTH + NONCE_LENGTH;
const HEAD_LENGTH = 4;
const TAG_LENGTH = 16;
const KEY_LENGTH_MAX = 64;

/** The longest cookie that we make, in octets. */
export const OWN_COOKIE_LENGTH_MAX: number = cookieLength(AEAD_ID.AES_SIV_CMAC_512);

/** Returns the length of our cookies for clients with an algorithm. */
export function cookieLength(aeadId: NtsAeadId): number {
  return SEALED_OFFSET + HEAD_LENGTH + 2 * aeadParameters(aeadId).keyLength + TAG_LENGTH;
}

/** Why a cookie cannot be read. */
export type CookieReason = "unknown-key" | "not-authentic" | "bad-content";

/** What `CookieCodec` is made of. */
export interface CookieCodecOptions {
  /** The keys; call `refresh` after it advanced. */
  readonly keyset: Keyset;
  /** Makes the AES-SIV-CMAC-256 that seals cookies; must have it. */
  readonly aead: AeadFactory;
  /** Gives nonces. */
  readonly random: RandomPool;
}

/** Seals and opens cookies; holds the contents of one cookie at a time. */
export class CookieCodec {
  /** Where the server-to-client key starts in `plaintext`. */
  readonly serverToClientOffset: number = HEAD_LENGTH;

  readonly #keyset: Keyset;
  readonly #factory: AeadFactory;
  readonly #random: RandomPool;
  readonly #operation = emptyOperation();
  #plaintext: Bytes = new Uint8Array(HEAD_LENGTH + 2 * KEY_LENGTH_MAX);
  // Where the next cookie is opened; the two change places when that succeeds.
  #spare: Bytes = new Uint8Array(HEAD_LENGTH + 2 * KEY_LENGTH_MAX);
  #aeads = new Map<number, Aead>();
  #current: Aead;
  /** The identifier of the current key, as cookies carry it. */
  readonly #currentId: Bytes = new Uint8Array(ID_LENGTH);
  #aeadId: NtsAeadId | undefined;

  /** Prepares a context for every key of the keyset. */
  constructor(options: CookieCodecOptions) {
    this.#keyset = options.keyset;
    this.#factory = options.aead;
    this.#random = options.random;
    this.#current = this.refresh();
  }

  /**
   * The contents at hand: algorithm, two zero octets, server-to-client key at
   * `serverToClientOffset`, client-to-server key at `clientToServerOffset`. Secret; valid until the
   * next `open` or `load`.
   */
  get plaintext(): Bytes {
    return this.#plaintext;
  }

  /** The algorithm of the contents at hand. */
  get aeadId(): NtsAeadId {
    return present(this.#aeadId, "A cookie is opened or loaded before its contents are used");
  }

  /** Where the client-to-server key starts in `plaintext`. */
  get clientToServerOffset(): number {
    return HEAD_LENGTH + aeadParameters(this.aeadId).keyLength;
  }

  /**
   * Takes over the keys of the keyset after it advanced; contexts of erased keys are closed.
   * Returns the current one.
   */
  refresh(): Aead {
    const aeads = new Map<number, Aead>();
    for (const { id, key } of this.#keyset.accepted()) {
      const kept = this.#aeads.get(id);
      const made = kept ?? this.#factory(COOKIE_AEAD_ID, key);
      aeads.set(id, present(made, "The implementation of AEAD algorithms has AES-SIV-CMAC-256"));
      key.fill(0);
    }
    for (const [id, aead] of this.#aeads) if (!aeads.has(id)) aead.close();
    this.#aeads = aeads;
    const { currentId } = this.#keyset;
    new DataView(this.#currentId.buffer).setUint32(0, currentId);
    this.#current = present(aeads.get(currentId), "The current key is accepted");
    return this.#current;
  }

  /** Makes the given keys the contents at hand, as at the end of a key exchange. */
  load(aeadId: NtsAeadId, keys: SessionKeys): void {
    const { keyLength } = aeadParameters(aeadId);
    assert(
      keys.serverToClient.length === keyLength && keys.clientToServer.length === keyLength,
      "Session keys have the length of their algorithm",
    );
    const plaintext = this.#plaintext;
    plaintext[0] = 0;
    plaintext[1] = aeadId;
    plaintext[2] = 0;
    plaintext[3] = 0;
    plaintext.set(keys.serverToClient, HEAD_LENGTH);
    plaintext.set(keys.clientToServer, HEAD_LENGTH + keyLength);
    this.#aeadId = aeadId;
  }

  /**
   * Writes a new cookie with the contents at hand and returns its length, `cookieLength(aeadId)`.
   */
  seal(into: Bytes, offset: number): number {
    const aeadId = this.aeadId;
    const length = cookieLength(aeadId);
    assert(offset + length <= into.length, "A cookie fits into its buffer");
    const id = this.#currentId;
    for (let i = 0; i < ID_LENGTH; i++) into[offset + i] = id[i] as number;
    this.#random.write12(into, offset + ID_LENGTH);
    const operation = this.#operation;
    operation.nonce = into;
    operation.nonceOffset = offset + ID_LENGTH;
    operation.nonceLength = NONCE_LENGTH;
    operation.input = this.#plaintext;
    operation.inputLength = length - SEALED_OFFSET - TAG_LENGTH;
    operation.output = into;
    operation.outputOffset = offset + SEALED_OFFSET;
    operation.inputOffset = 0;
    this.#current.seal(operation);
    return length;
  }

  /**
   * Opens a cookie into the contents at hand, or tells why not; then the contents at hand stay as
   * they were.
   */
  open(
    from: Bytes,
    range: { readonly offset: number; readonly length: number },
  ): CookieReason | undefined {
    const { offset, length } = range;
    assert(offset + length <= from.length, "A cookie lies within its buffer");
    if (length < SEALED_OFFSET + TAG_LENGTH + HEAD_LENGTH || length > OWN_COOKIE_LENGTH_MAX) {
      return "bad-content";
    }
    const aead = this.#aeads.get(idOf(from, offset));
    if (aead === undefined) return "unknown-key";
    const operation = this.#operation;
    operation.nonce = from;
    operation.nonceOffset = offset + ID_LENGTH;
    operation.nonceLength = NONCE_LENGTH;
    operation.input = from;
    operation.inputOffset = offset + SEALED_OFFSET;
    operation.inputLength = length - SEALED_OFFSET;
    operation.output = this.#spare;
    operation.outputOffset = 0;
    return aead.open(operation) < 0 ? "not-authentic" : this.#adopt(length);
  }

  /** Makes what was opened from a cookie of so many octets the contents at hand. */
  #adopt(length: number): CookieReason | undefined {
    const opened = this.#spare;
    assert(opened !== this.#plaintext, "A cookie is not opened over the contents at hand");
    const aeadId = opened[1] ?? 0;
    if (!isNtsAeadId(aeadId) || length !== cookieLength(aeadId)) return "bad-content";
    this.#spare = this.#plaintext;
    this.#plaintext = opened;
    this.#aeadId = aeadId;
    return undefined;
  }

  /** Gives back the contexts and forgets all keys; the codec is not used afterwards. */
  close(): void {
    for (const aead of this.#aeads.values()) aead.close();
    this.#aeads.clear();
    this.#plaintext.fill(0);
    this.#spare.fill(0);
    this.#aeadId = undefined;
  }
}

/** Reads the identifier of the key of a cookie. */
function idOf(cookie: Bytes, offset: number): number {
  return (((cookie[offset] ?? 0) << 24) | ((cookie[offset + 1] ?? 0) << 16) |
    ((cookie[offset + 2] ?? 0) << 8) | (cookie[offset + 3] ?? 0)) >>> 0;
}
