/**
 * Reads requests of chrony's command protocol, version 6.
 *
 * The rules of a server are those of chronyd: what is no request gets silence, and no response is
 * longer than its request, which clients pad for that (no amplification).
 *
 * @module
 */
import { canonicalIp, ipFromBytes } from "../../base/ip_address.ts";
import { PROTOCOL_VERSION, type RepeatedFields, RESPONSE_HEADER_LENGTH } from "./response.ts";

/** The octets before the payload of a request. */
const REQUEST_HEADER_LENGTH = 20;
/** What chronyd answers too: the longest request of any client is much shorter. */
const REQUEST_LENGTH_MAX = 892;
const PACKET_TYPE_REQUEST = 1;
/** Version 5 and later are told which version is spoken; older ones have other headers. */
const VERSION_MIN_ANSWERED = 5;

/** One request. */
export interface ChronyRequest extends RepeatedFields {
  /** Of the whole request, with its padding. */
  readonly length: number;
  /** Reads a number of 32 bits of the payload; the caller has checked the length. */
  u32(offset: number): number;
  /** Reads an address of the payload as text; undefined for one of no family. */
  address(offset: number): string | undefined;
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

function addressAt(datagram: Uint8Array, at: number): string | undefined {
  const family = (datagram[at + 16] ?? 0) * 256 + (datagram[at + 17] ?? 0);
  if (family !== 1 && family !== 2) return undefined;
  const text = ipFromBytes(datagram.subarray(at, at + (family === 1 ? 4 : 16)));
  return text === undefined ? undefined : canonicalIp(text);
}
