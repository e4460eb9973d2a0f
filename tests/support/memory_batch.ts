/**
 * A batch of requests in ordinary memory, for tests and benchmarks of the server's response path.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { RequestBatch } from "../../src/server/request_batch.ts";

/** One request for a `MemoryBatch`. */
export interface MemoryRequest {
  /** The datagram. */
  readonly octets: Uint8Array;
  /** 4 or 16 octets; 192.0.2.1 when left out. */
  readonly client?: readonly number[];
  /** Its UDP port; 40000 when left out. */
  readonly port?: number;
  /** Seconds and fraction of the arrival; 0 when left out. */
  readonly received?: readonly [seconds: number, fraction: number];
}

const STRIDE = 2112;
const CLIENT_DEFAULT = [192, 0, 2, 1];
const PORT_DEFAULT = 40_000;

/** A batch that lies in ordinary memory. */
export class MemoryBatch implements RequestBatch {
  readonly stride: number = STRIDE;
  readonly requests: Bytes;
  readonly requestView: DataView<ArrayBuffer>;
  readonly lengths: Int32Array<ArrayBuffer>;
  readonly responses: Bytes;
  readonly responseView: DataView<ArrayBuffer>;
  readonly receiveTimestamps: Uint32Array<ArrayBuffer>;
  readonly peerWords: Uint32Array<ArrayBuffer>;
  readonly peerFamilies: Uint8Array<ArrayBuffer>;
  readonly peerPorts: Uint16Array<ArrayBuffer>;
  /**
   * The responses that were queued: the number of the request, the length, and whether a timestamp
   * was asked for.
   */
  readonly queued: {
    readonly index: number;
    readonly length: number;
    readonly timestamp: boolean;
  }[] = [];
  readonly #capacity: number;
  #count = 0;

  /** Makes room for `capacity` requests. */
  constructor(capacity = 64) {
    this.#capacity = capacity;
    this.requests = new Uint8Array(capacity * STRIDE);
    this.requestView = new DataView(this.requests.buffer);
    this.lengths = new Int32Array(capacity);
    this.responses = new Uint8Array(capacity * STRIDE);
    this.responseView = new DataView(this.responses.buffer);
    this.receiveTimestamps = new Uint32Array(2 * capacity);
    this.peerWords = new Uint32Array(4 * capacity);
    this.peerFamilies = new Uint8Array(capacity);
    this.peerPorts = new Uint16Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** Replaces what is in the batch. */
  fill(requests: readonly MemoryRequest[]): void {
    assert(requests.length <= this.#capacity, "The requests fit into the batch");
    this.#count = requests.length;
    this.queued.length = 0;
    for (const [i, request] of requests.entries()) {
      const { octets, client = CLIENT_DEFAULT, port = PORT_DEFAULT, received = [0, 0] } = request;
      const fits = octets.length <= 2048;
      this.lengths[i] = fits ? octets.length : 0;
      if (fits) this.requests.set(octets, i * STRIDE);
      this.receiveTimestamps.set(received, 2 * i);
      this.peerPorts[i] = port;
      this.peerFamilies[i] = client.length === 4 ? 4 : 6;
      const view = new DataView(Uint8Array.from(client).buffer);
      for (let word = 0; word < 4; word++) {
        this.peerWords[4 * i + word] = 4 * word < client.length ? view.getUint32(4 * word) : 0;
      }
    }
  }

  queueResponse(index: number, length: number, timestamp = false): void {
    this.queued.push({ index, length, timestamp });
  }

  /** Returns a copy of the response to request `index`; undefined when none was queued. */
  responseTo(index: number): Bytes | undefined {
    const entry = this.queued.find((queued) => queued.index === index);
    if (entry === undefined) return undefined;
    return this.responses.slice(index * STRIDE, index * STRIDE + entry.length);
  }
}
