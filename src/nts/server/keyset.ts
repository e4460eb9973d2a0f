/**
 * The server's secret keys for cookies (RFC 8915 section 6): one for new cookies, some older ones
 * that are still accepted.
 *
 * The idea: a ratchet driven by the time of day. The generation of a key is the number of rotation
 * intervals since 1970, and each generation's secret is derived from the one before by HKDF, so a
 * thief of the file cannot read older traffic than the stale keys it still holds. From the secret
 * of a generation its cookie key is derived; only the current secret is kept.
 *
 * A cluster falls out of this: servers that start from copies of one file derive the same keys at
 * the same times, without talking to each other. A server whose clock is a little behind accepts
 * cookies of the next generation too. A stolen copy can make cookies until the file is replaced
 * everywhere.
 *
 * Limits: generations never go back, whatever the clock does; rotate only while the clock is
 * believed. The file is at most some 2 kB; it is protected by its mode 0600 alone, its checksum
 * finds damage and not malice.
 *
 * @module
 */
import { assert, present } from "../../base/assert.ts";
import { type Bytes, concatBytes, equalConstantTime } from "../../base/bytes.ts";
import type { UnixNanoseconds } from "../../base/ntp_timestamp.ts";
import {
  ROTATION_INTERVAL_MAX,
  ROTATION_INTERVAL_MIN,
  STALE_KEY_COUNT_MAX,
} from "../../base/keyset_limits.ts";
import { randomBytes, type RandomSource } from "../../base/random.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { NANOSECONDS_PER_SECOND, type Seconds } from "../../base/units.ts";
import { digest } from "../../crypto/digest.ts";
import { hkdfSha256 } from "../../crypto/hkdf.ts";

/** Octets of a cookie key: AES-SIV-CMAC-256. */
const COOKIE_KEY_LENGTH = 32;

/** Why octets are not a keyset. */
export type KeysetReason = "not-a-keyset" | "wrong-length" | "wrong-checksum" | "bad-content";

/** A key that opens cookies. */
export interface CookieKey {
  /** The identifier that cookies carry, 32 bits: the generation. */
  readonly id: number;
  /** The key. */
  readonly key: Bytes;
}

/** What a keyset is made with. */
export interface KeysetOptions {
  /** Seconds between rotations, a whole number within the limits above. */
  readonly rotationInterval: Seconds;
  /** How many keys before the current one are accepted, 0 to 64. */
  readonly staleKeyCount: number;
}

const MAGIC = new TextEncoder().encode("ntpsdks1");
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 32;
const HEAD_LENGTH = 20;
const STEPS_MAX = 100_000;
const RATCHET_INFO = new TextEncoder().encode("ntpsd keyset ratchet 1");
const COOKIE_INFO = new TextEncoder().encode("ntpsd cookie key 1");

/** The keys of a server, or of a cluster. */
export class Keyset {
  readonly #options: KeysetOptions;
  #generation: number;
  #secret: Bytes;
  #stale: Bytes[];

  private constructor(
    options: KeysetOptions,
    state: { readonly generation: number; readonly secret: Bytes; readonly stale: Bytes[] },
  ) {
    assert(isInterval(options.rotationInterval), "A rotation interval is within its limits");
    assert(
      options.staleKeyCount >= 0 && options.staleKeyCount <= STALE_KEY_COUNT_MAX,
      "The count of stale keys is within its limits",
    );
    this.#options = options;
    this.#generation = state.generation;
    this.#secret = state.secret;
    this.#stale = state.stale.slice(0, options.staleKeyCount);
  }

  /** Starts from fresh randomness, at the generation of `now`. */
  static create(
    options: KeysetOptions,
    start: { readonly now: UnixNanoseconds; readonly random: RandomSource },
  ): Keyset {
    return new Keyset(options, {
      generation: generationAt(start.now, options.rotationInterval),
      secret: randomBytes(start.random, SECRET_LENGTH),
      stale: [],
    });
  }

  /**
   * Reads what `serialise` wrote. The interval is that of the file, because all of a cluster must
   * share it; the caller compares it with the configured one. Call `advance` next.
   */
  static restore(bytes: Bytes, staleKeyCount: number): Result<Keyset, KeysetReason> {
    if (bytes.length < MAGIC.length || MAGIC.some((octet, i) => bytes[i] !== octet)) {
      return err("not-a-keyset");
    }
    if (bytes.length < HEAD_LENGTH) return err("wrong-length");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const rotationInterval = view.getUint32(8);
    const generation = view.getUint32(12);
    const count = view.getUint32(16);
    const contentLength = HEAD_LENGTH + SECRET_LENGTH + count * COOKIE_KEY_LENGTH;
    if (count > STALE_KEY_COUNT_MAX || bytes.length !== contentLength + CHECKSUM_LENGTH) {
      return err("wrong-length");
    }
    const checksum = digest("SHA256", bytes.slice(0, contentLength));
    if (!equalConstantTime(checksum, bytes.slice(contentLength))) return err("wrong-checksum");
    if (!isInterval(rotationInterval)) return err("bad-content");
    const stale = Array.from({ length: count }, (_, i) => {
      const start = HEAD_LENGTH + SECRET_LENGTH + i * COOKIE_KEY_LENGTH;
      return bytes.slice(start, start + COOKIE_KEY_LENGTH);
    });
    const secret = bytes.slice(HEAD_LENGTH, HEAD_LENGTH + SECRET_LENGTH);
    return ok(new Keyset({ rotationInterval, staleKeyCount }, { generation, secret, stale }));
  }

  /** The interval between rotations. */
  get rotationInterval(): Seconds {
    return this.#options.rotationInterval;
  }

  /** The identifier of the key for new cookies. */
  get currentId(): number {
    return this.#generation;
  }

  /**
   * Rotates to the generation of `now` and returns by how many it advanced; 0 when the time has not
   * come, or lies back. Fails when `now` is absurdly far ahead: then make a new keyset, or mistrust
   * the clock.
   */
  advance(now: UnixNanoseconds): Result<number, "too-far-ahead"> {
    const steps = generationAt(now, this.rotationInterval) - this.#generation;
    if (steps > STEPS_MAX) return err("too-far-ahead");
    for (let i = 0; i < steps; i++) this.#rotate();
    return ok(Math.max(0, steps));
  }

  /** Returns the moment at which the next generation begins. */
  nextRotation(): UnixNanoseconds {
    return BigInt(this.#generation + 1) * BigInt(this.rotationInterval) * NANOSECONDS_PER_SECOND;
  }

  /**
   * Returns the keys whose cookies are accepted: the current one first, then the next, then the
   * stale ones, newest first.
   */
  accepted(): readonly CookieKey[] {
    const next = nextSecret(this.#secret, this.#generation);
    return [
      { id: this.#generation, key: cookieKey(this.#secret, this.#generation) },
      { id: this.#generation + 1, key: cookieKey(next, this.#generation + 1) },
      ...this.#stale.map((key, i) => ({ id: this.#generation - 1 - i, key: key.slice() })),
    ];
  }

  /**
   * Returns the octets for the disk, which are secret: "ntpsdks1", interval, generation and count
   * as 32-bit numbers in network order, the secret, the stale cookie keys newest first, SHA-256 of
   * all before.
   */
  serialise(): Bytes {
    const head = new Uint8Array(HEAD_LENGTH);
    head.set(MAGIC);
    const view = new DataView(head.buffer);
    view.setUint32(8, this.rotationInterval);
    view.setUint32(12, this.#generation);
    view.setUint32(16, this.#stale.length);
    const content = concatBytes(head, this.#secret, ...this.#stale);
    return concatBytes(content, digest("SHA256", content));
  }

  #rotate(): void {
    const old = this.#secret;
    this.#stale.unshift(cookieKey(old, this.#generation));
    while (this.#stale.length > this.#options.staleKeyCount) {
      present(this.#stale.pop(), "There is a stale key to erase").fill(0);
    }
    this.#secret = nextSecret(old, this.#generation);
    old.fill(0);
    this.#generation++;
    assert(this.#stale.length <= this.#options.staleKeyCount, "Stale keys are erased in time");
  }
}

function isInterval(interval: Seconds): boolean {
  return Number.isInteger(interval) && interval >= ROTATION_INTERVAL_MIN &&
    interval <= ROTATION_INTERVAL_MAX;
}

function generationAt(now: UnixNanoseconds, interval: Seconds): number {
  const generation = now < 0n ? 0n : now / (BigInt(interval) * NANOSECONDS_PER_SECOND);
  assert(generation < 0xffff_ffffn, "A generation fits into 32 bits for eight thousand years");
  return Number(generation);
}

/**
 * The recommended ratchet: the key's predecessor is the secret and its identifier the salt (RFC
 * 8915 section 6).
 */
function nextSecret(secret: Bytes, generation: number): Bytes {
  return hkdfSha256({ secret, salt: idOctets(generation), info: RATCHET_INFO }, SECRET_LENGTH);
}

function cookieKey(secret: Bytes, generation: number): Bytes {
  return hkdfSha256({ secret, salt: idOctets(generation), info: COOKIE_INFO }, COOKIE_KEY_LENGTH);
}

function idOctets(generation: number): Bytes {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, generation);
  return octets;
}
