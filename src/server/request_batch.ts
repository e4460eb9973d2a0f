/**
 * A batch of requests in memory, as the response path reads it. The system's batches
 * (`ffi/socket/server_batch.ts`) have this shape, and those of tests.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";

/** Requests as they came, and room for the responses. */
export interface RequestBatch {
  /** How many requests there are. */
  readonly count: number;
  /** The distance between two requests, and between two responses, in octets. */
  readonly stride: number;
  /** The requests: number i begins at `i * stride`. */
  readonly requests: Bytes;
  /** The same memory as `requests`. */
  readonly requestView: DataView<ArrayBuffer>;
  /** The length of each request in octets; 0 when it did not fit. */
  readonly lengths: Int32Array<ArrayBuffer>;
  /** Room for the responses: number i begins at `i * stride`. */
  readonly responses: Bytes;
  /** The same memory as `responses`. */
  readonly responseView: DataView<ArrayBuffer>;
  /**
   * When each request arrived, as an NTP timestamp: seconds at `2 * i`, fraction at `2 * i + 1`.
   */
  readonly receiveTimestamps: Uint32Array<ArrayBuffer>;
  /**
   * The address of each client in four words, most significant first; an IPv4 address in the first.
   */
  readonly peerWords: Uint32Array<ArrayBuffer>;
  /** The family of each client: 4 or 6. */
  readonly peerFamilies: Uint8Array<ArrayBuffer>;
  /** The UDP port of each client. */
  readonly peerPorts: Uint16Array<ArrayBuffer>;
  /**
   * Queues the response to request `index`; with `timestamp` its sending is to be timed by the
   * kernel.
   */
  queueResponse(index: number, length: number, timestamp?: boolean): void;
}
