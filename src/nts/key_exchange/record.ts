/**
 * Records of NTS key establishment (RFC 8915 section 4): how a message is cut into records, and how
 * it is gathered from reads that split it anywhere.
 *
 * The idea: a reader takes octets as they come and hands out the whole message when its End of
 * Message record is there; what the records mean is decided by the machines of client and server. A
 * record's length counts its body alone, unlike that of an extension field. Limits: a message is at
 * most `lengthMax` octets, so that no peer can make us hold more.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { type Bytes, concatBytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";

/** Record types by name (RFC 8915 section 7.6; 1024 is chrony's registered extension). */
export const RECORD = {
  END_OF_MESSAGE: 0,
  NEXT_PROTOCOL: 1,
  ERROR: 2,
  WARNING: 3,
  AEAD_ALGORITHM: 4,
  NEW_COOKIE: 5,
  NTP_SERVER: 6,
  NTP_PORT: 7,
  COMPLIANT_GCM_SIV_EXPORTER: 1024,
} as const;

/** Error codes by name (RFC 8915 section 4.1.3). */
export const ERROR_CODE = {
  UNRECOGNIZED_CRITICAL_RECORD: 0,
  BAD_REQUEST: 1,
  INTERNAL_SERVER_ERROR: 2,
} as const;

/** The protocol identifier of NTPv4 (RFC 8915 section 7.7). */
export const PROTOCOL_NTPV4 = 0;

/** One record. */
export interface KeyExchangeRecord {
  /** Whether a receiver that does not know the type must refuse the message. */
  readonly critical: boolean;
  /** The type, 0 to 32767. */
  readonly type: number;
  /** The body, 0 to 65535 octets. */
  readonly body: Bytes;
}

/** Why a sequence of octets is no message. */
export type RecordReason = "message-too-long" | "bad-end-of-message" | "octets-after-end";

const HEADER_LENGTH = 4;
const CRITICAL_BIT = 0x8000;
const END: KeyExchangeRecord = {
  critical: true,
  type: RECORD.END_OF_MESSAGE,
  body: new Uint8Array(0),
};

/** Encodes a message: the records and then the End of Message record (RFC 8915 section 4.1.1). */
export function encodeMessage(records: readonly KeyExchangeRecord[]): Bytes {
  return concatBytes(...records.map(encodeRecord), encodeRecord(END));
}

/** Makes a record whose body is a list of 16-bit numbers in network order. */
export function numbersRecord(
  type: number,
  options: { readonly critical: boolean; readonly numbers: readonly number[] },
): KeyExchangeRecord {
  const body = new Uint8Array(2 * options.numbers.length);
  const view = new DataView(body.buffer);
  options.numbers.forEach((number, i) => view.setUint16(2 * i, number));
  return { critical: options.critical, type, body };
}

/** Reads a body as a list of 16-bit numbers in network order; undefined when its length is odd. */
export function numbersOf(body: Bytes): readonly number[] | undefined {
  if (body.length % 2 !== 0) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  return Array.from({ length: body.length / 2 }, (_, i) => view.getUint16(2 * i));
}

/** Gathers one message from octets that come in pieces. */
export class RecordReader {
  readonly #lengthMax: number;
  #buffer: Bytes = new Uint8Array(0);
  #length = 0;
  #position = 0;
  readonly #records: KeyExchangeRecord[] = [];
  #ended = false;

  /** Makes a reader for one message of at most `lengthMax` octets, its end included. */
  constructor(lengthMax: number) {
    assert(lengthMax >= 1024, "A message of 1024 octets is accepted");
    this.#lengthMax = lengthMax;
  }

  /**
   * Takes the next octets (copied), and returns the records without the end when the message is
   * complete, or undefined while it is not. Fails when the message is longer than allowed, its end
   * is malformed, or octets follow it.
   */
  push(bytes: Uint8Array): Result<readonly KeyExchangeRecord[] | undefined, RecordReason> {
    if (this.#ended) return bytes.length === 0 ? ok(this.#records) : err("octets-after-end");
    if (this.#length + bytes.length > this.#lengthMax) return err("message-too-long");
    this.#append(bytes);
    while (!this.#ended) {
      const record = this.#next();
      if (record === undefined) return ok(undefined);
      if (record.type !== RECORD.END_OF_MESSAGE) this.#records.push(record);
      else if (!record.critical || record.body.length !== 0) return err("bad-end-of-message");
      else this.#ended = true;
    }
    return this.#position === this.#length ? ok(this.#records) : err("octets-after-end");
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(this.#lengthMax, Math.max(1024, 2 * needed)));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
    assert(needed <= this.#lengthMax, "A message is cut off before it grows too long");
  }

  #next(): KeyExchangeRecord | undefined {
    const available = this.#length - this.#position;
    if (available < HEADER_LENGTH) return undefined;
    const view = new DataView(this.#buffer.buffer, this.#position);
    const bodyLength = view.getUint16(2);
    if (available < HEADER_LENGTH + bodyLength) return undefined;
    const start = this.#position + HEADER_LENGTH;
    const body = this.#buffer.slice(start, start + bodyLength);
    this.#position = start + bodyLength;
    assert(this.#position <= this.#length, "A record ends within what has come");
    const first = view.getUint16(0);
    return { critical: (first & CRITICAL_BIT) !== 0, type: first & ~CRITICAL_BIT, body };
  }
}

function encodeRecord({ critical, type, body }: KeyExchangeRecord): Bytes {
  assert(type >= 0 && type < CRITICAL_BIT, "A record type has 15 bits");
  assert(body.length <= 0xffff, "A record body has at most 65535 octets");
  const header = new Uint8Array(HEADER_LENGTH);
  const view = new DataView(header.buffer);
  view.setUint16(0, type | (critical ? CRITICAL_BIT : 0));
  view.setUint16(2, body.length);
  return concatBytes(header, body);
}
