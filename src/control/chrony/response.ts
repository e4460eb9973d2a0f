/**
 * Writes responses of chrony's command protocol, version 6: 28 octets of header and the fields of
 * a report one after the other.
 *
 * Limits: a response is made as large as its report from the start, so that nothing can be missing
 * at its end, and what is written beyond it is an error of ours.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { ipToBytes } from "../../base/ip_address.ts";
import type { UnixNanoseconds } from "../../base/ntp_timestamp.ts";
import { NANOSECONDS_PER_SECOND } from "../../base/units.ts";
import { encodeFloat } from "./float.ts";

/** The version that is spoken. */
export const PROTOCOL_VERSION = 6;
/** The octets before the fields of a response. */
export const RESPONSE_HEADER_LENGTH = 28;

const PACKET_TYPE_RESPONSE = 2;
const NO_REPORT = 1;
/** Seconds since what has not been. */
export const NEVER = 0xffff_ffff;
/** The families of addresses in requests and responses. */
export const ADDRESS_FAMILY = { none: 0, ipv4: 1, ipv6: 2, unresolved: 3 } as const;

/** What became of a request. */
export const STATUS = {
  success: 0,
  unauthorised: 2,
  invalid: 3,
  noSuchSource: 4,
  notEnabled: 6,
  noRtc: 13,
  inactive: 15,
  badVersion: 18,
  badLength: 19,
} as const;

/** What a response repeats of its request. */
export interface RepeatedFields {
  /** The number of the command. */
  readonly command: number;
  /** Four octets that the client has chosen. */
  readonly sequence: number;
}

/** Makes a response that says only what became of the request. */
export function statusResponse(request: RepeatedFields, status: number): Bytes {
  return new ResponseWriter(request, { code: NO_REPORT, status, length: RESPONSE_HEADER_LENGTH })
    .done();
}

/** An address as responses have it. */
export type ReportAddress =
  /** Numeric. */
  | { readonly kind: "address"; readonly address: string }
  /** There is none. */
  | { readonly kind: "none" }
  /** A source whose name has no address yet, by its place in the list. */
  | { readonly kind: "unresolved"; readonly index: number };

/** Writes the fields of one response, in order. */
export class ResponseWriter {
  readonly #view: DataView<ArrayBuffer>;
  #at = RESPONSE_HEADER_LENGTH;

  /** Begins a response of `length` octets with the number `code`. */
  constructor(
    request: RepeatedFields,
    response: { readonly code: number; readonly status?: number; readonly length: number },
  ) {
    this.#view = new DataView(new ArrayBuffer(response.length));
    this.#view.setUint8(0, PROTOCOL_VERSION);
    this.#view.setUint8(1, PACKET_TYPE_RESPONSE);
    this.#view.setUint16(4, request.command);
    this.#view.setUint16(6, response.code);
    this.#view.setUint16(8, response.status ?? STATUS.success);
    this.#view.setUint32(16, request.sequence);
  }

  /** Returns the response; it must be full. */
  done(): Bytes {
    assert(this.#at === this.#view.byteLength, "A response is as long as it was announced");
    return new Uint8Array(this.#view.buffer);
  }

  /** Writes eight bits, cut. */
  u8(value: number): this {
    this.#view.setUint8(this.#take(1), value);
    return this;
  }

  /** Writes sixteen bits, signed or not, cut. */
  u16(value: number): this {
    this.#view.setUint16(this.#take(2), value);
    return this;
  }

  /** Writes 32 bits, signed or not; what is larger is the largest. */
  u32(value: number): this {
    const at = this.#take(4);
    if (value < 0) this.#view.setInt32(at, Math.max(value, -(2 ** 31)));
    else this.#view.setUint32(at, Math.min(value, 2 ** 32 - 1));
    return this;
  }

  /** Writes a count of 64 bits. */
  u64(value: number): this {
    this.#view.setBigUint64(this.#take(8), BigInt(Math.round(value)));
    return this;
  }

  /** Writes a number with a fraction; null is zero. */
  float(value: number | null | undefined): this {
    return this.u32(encodeFloat(value ?? 0));
  }

  /** Writes real time; undefined is the beginning of 1970. */
  time(value: UnixNanoseconds | undefined): this {
    const time = value === undefined || value < 0n ? 0n : value;
    this.#view.setBigUint64(this.#take(8), time / NANOSECONDS_PER_SECOND);
    return this.u32(Number(time % NANOSECONDS_PER_SECOND));
  }

  /** Writes an address. */
  address(value: ReportAddress): this {
    const at = this.#take(20);
    if (value.kind === "none") return this;
    if (value.kind === "unresolved") {
      this.#view.setUint32(at, value.index);
      this.#view.setUint16(at + 16, ADDRESS_FAMILY.unresolved);
      return this;
    }
    const octets = ipToBytes(value.address) ?? new Uint8Array(4);
    new Uint8Array(this.#view.buffer).set(octets, at);
    this.#view.setUint16(at + 16, octets.length === 16 ? ADDRESS_FAMILY.ipv6 : ADDRESS_FAMILY.ipv4);
    return this;
  }

  /** Writes text in a field of `length` octets, cut so that a zero remains behind it. */
  text(value: string, length: number): this {
    const at = this.#take(length);
    const room = new Uint8Array(this.#view.buffer, at, length - 1);
    new TextEncoder().encodeInto(value, room);
    return this;
  }

  /** Leaves octets as zeros. */
  zeros(length: number): this {
    this.#take(length);
    return this;
  }

  /** Fills octets with ones: fields that are reserved. */
  ones(length: number): this {
    const at = this.#take(length);
    new Uint8Array(this.#view.buffer, at, length).fill(0xff);
    return this;
  }

  #take(length: number): number {
    const at = this.#at;
    this.#at += length;
    return at;
  }
}
