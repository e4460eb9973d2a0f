/**
 * Reads requests of chrony's command protocol, version 6.
 *
 * The rules of a server are those of chronyd: what is no request gets silence, and no response is
 * longer than its request, which clients pad for that (no amplification).
 *
 * @module
 */
import { ipFromBytes } from "../../base/ip_address.ts";
import {
  ADDRESS_FAMILY,
  PROTOCOL_VERSION,
  type RepeatedFields,
  RESPONSE_HEADER_LENGTH,
} from "./response.ts";

/** The octets before the payload of a request. */
const REQUEST_HEADER_LENGTH = 20;
/** What chronyd answers too: the longest request of any client is much shorter. */
const REQUEST_LENGTH_MAX = 892;
const PACKET_TYPE_REQUEST = 1;
const ADDRESS_LENGTH = 20;
const FAMILY_OFFSET = 16;
/** Version 5 and later are told which version is spoken; older ones have other headers. */
const VERSION_MIN_ANSWERED = 5;

/** What a source is asked for by: its address, or the number that it has without one. */
export type SourceAddress =
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "unresolved"; readonly number: number };

/** One request. */
export interface ChronyRequest extends RepeatedFields {
  /** Of the whole request, with its padding. */
  readonly length: number;
  /** Reads a number of 32 bits of the payload; the caller has checked the length. */
  u32(offset: number): number;
  /** Reads an address of the payload; undefined for one of no family. */
  address(offset: number): SourceAddress | undefined;
}

/** What a datagram is. */
export type ReadRequest =
  | { readonly kind: "request"; readonly request: ChronyRequest }
  /** Of another version: it is told so. */
  | { readonly kind: "other-version"; readonly request: RepeatedFields }
  /** No request; nothing is said to it. */
  | { readonly kind: "none" };

/** Reads a datagram; any octets are something of the three. */
export function readRequest(datagram: Uint8Array): ReadRequest {
  const { length } = datagram;
  if (length < RESPONSE_HEADER_LENGTH || length > REQUEST_LENGTH_MAX) return { kind: "none" };
  const view = new DataView(datagram.buffer, datagram.byteOffset, length);
  const version = view.getUint8(0);
  if (view.getUint8(1) !== PACKET_TYPE_REQUEST || view.getUint16(2) !== 0) return { kind: "none" };
  const repeated = { command: view.getUint16(4), sequence: view.getUint32(8) };
  if (version < VERSION_MIN_ANSWERED) return { kind: "none" };
  if (version !== PROTOCOL_VERSION) return { kind: "other-version", request: repeated };
  return {
    kind: "request",
    request: {
      ...repeated,
      length,
      u32: (offset) => view.getUint32(REQUEST_HEADER_LENGTH + offset),
      address: (offset) => addressAt(datagram, REQUEST_HEADER_LENGTH + offset),
    },
  };
}

function addressAt(datagram: Uint8Array, at: number): SourceAddress | undefined {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  if (at + ADDRESS_LENGTH > datagram.length) return undefined;
  const family = view.getUint16(at + FAMILY_OFFSET);
  if (family === ADDRESS_FAMILY.unresolved) {
    return { kind: "unresolved", number: view.getUint32(at) };
  }
  const { ipv4, ipv6 } = ADDRESS_FAMILY;
  if (family !== ipv4 && family !== ipv6) return undefined;
  const address = ipFromBytes(datagram.subarray(at, at + (family === ipv4 ? 4 : 16)));
  return address === undefined ? undefined : { kind: "address", address };
}
