/**
 * The headers of responses and of kisses, written in place.
 *
 * The idea: a header is written as twelve words, from those of the template that describes the
 * clock and from those of the request. Limits: the transmit timestamp of a response is written
 * later, by `TransmitQueue`, but for interleaved mode, where it is that of the response before.
 *
 * @module
 */
import { HEADER_LENGTH, MODE } from "../protocol/header.ts";
import { KISS_CODE } from "../protocol/kiss_code.ts";
import type { Client } from "./client.ts";
import type { HeaderTemplate } from "./clock_state.ts";
import { type InterleavedTable, NO_SLOT } from "./interleaved.ts";
import type { RequestBatch } from "./request_batch.ts";

/** What headers are made of. */
export interface HeaderWriterOptions {
  /** What is said of the clock. */
  readonly template: HeaderTemplate;
  /** The state of interleaved mode; basic mode alone when left out. */
  readonly interleaved?: InterleavedTable | undefined;
  /** The smallest poll exponent that a RATE kiss asks for; 6 when left out. */
  readonly kissPoll?: number;
}

const VERSION_AND_POLL = 0x3800_ff00;
const VERSION = 0x3800_0000;
const UNSYNCHRONIZED = 3 << 30;
const KISS_POLL_DEFAULT = 6;
const POLL_MAX = 17;

/** What a response needs to be sent and timestamped. */
export interface WrittenResponse {
  /** The number of its request in the batch. */
  readonly index: number;
  /** Where its client is remembered for interleaved mode; `NO_SLOT` when it is not. */
  readonly slot: number;
  /** Whether it is one of interleaved mode, which has its transmit timestamp already. */
  readonly isInterleaved: boolean;
}

/** Writes the headers of one listener. */
export class HeaderWriter implements WrittenResponse {
  /** The number of the request that the last response answers. */
  index = 0;
  /** Where the client of the last response is remembered; `NO_SLOT` when it is not. */
  slot: number = NO_SLOT;
  /** Whether the last response is one of interleaved mode. */
  isInterleaved = false;
  readonly #template: HeaderTemplate;
  readonly #interleaved: InterleavedTable | undefined;
  readonly #kissPoll: number;
  readonly #receive = { seconds: 0, fraction: 0 };
  readonly #origin = { seconds: 0, fraction: 0 };
  #request!: DataView<ArrayBuffer>;
  #response!: DataView<ArrayBuffer>;
  #receiveTimestamps!: Uint32Array<ArrayBuffer>;
  #stride = 0;

  /** Writes nothing before `begin`. */
  constructor({ template, interleaved, kissPoll = KISS_POLL_DEFAULT }: HeaderWriterOptions) {
    this.#template = template;
    this.#interleaved = interleaved;
    this.#kissPoll = Math.max(0, Math.min(POLL_MAX, kissPoll));
  }

  /** Takes the batch whose responses are written from now on. */
  begin(batch: RequestBatch): void {
    this.#request = batch.requestView;
    this.#response = batch.responseView;
    this.#receiveTimestamps = batch.receiveTimestamps;
    this.#stride = batch.stride;
  }

  /**
   * Writes all of a response's header but the transmit timestamp, and decides about interleaved
   * mode.
   */
  writeResponse(index: number, client: Client): void {
    const request = this.#request, response = this.#response, template = this.#template;
    const received = this.#receiveTimestamps, at = index * this.#stride;
    this.index = index;
    const head = request.getUint32(at);
    const mode = responseMode(head);
    const isClient = mode === MODE.server;
    response.setUint32(at, template.head | (head & VERSION_AND_POLL) | (mode << 24));
    response.setUint32(at + 4, template.rootDelay);
    response.setUint32(at + 8, template.rootDispersion);
    response.setUint32(at + 12, template.referenceId);
    response.setUint32(at + 16, template.referenceSeconds);
    response.setUint32(at + 20, template.referenceFraction);
    response.setUint32(at + 24, request.getUint32(at + 40));
    response.setUint32(at + 28, request.getUint32(at + 44));
    response.setUint32(at + 32, received[2 * index] ?? 0);
    // The last bit tells receive timestamps, which are odd, from transmit timestamps.
    response.setUint32(at + 36, (received[2 * index + 1] ?? 0) | 1);
    this.slot = NO_SLOT;
    this.isInterleaved = false;
    if (isClient && (request.getUint32(at + 28) & 1) === 1) this.#interleave(at, client);
  }

  /** Writes a kiss: leap indicator 3, stratum 0, no time of ours (RFC 5905 section 7.4). */
  writeKiss(index: number, code: number): void {
    const request = this.#request, response = this.#response;
    const at = index * this.#stride;
    const head = request.getUint32(at);
    const wanted = code === KISS_CODE.rate ? this.#kissPoll : 0;
    const poll = Math.min(POLL_MAX, Math.max((head << 16) >> 24, wanted)) & 0xff;
    const mode = responseMode(head);
    const precision = this.#template.head & 0xff;
    const own = UNSYNCHRONIZED | (head & VERSION) | (mode << 24) | (poll << 8) | precision;
    response.setUint32(at, own);
    response.setUint32(at + 4, 0);
    response.setUint32(at + 8, 0);
    response.setUint32(at + 12, code);
    for (let field = 16; field < HEADER_LENGTH; field += 8) {
      // All timestamps are that of the request: what is compared fits, and nothing is learnt.
      response.setUint32(at + field, request.getUint32(at + 40));
      response.setUint32(at + field + 4, request.getUint32(at + 44));
    }
  }

  /**
   * Responses in interleaved mode if the client asks for it and is remembered; remembers it in any
   * case (RFC 9769 section 2).
   */
  #interleave(at: number, client: Client): void {
    const table = this.#interleaved;
    if (table === undefined) return;
    const request = this.#request, response = this.#response;
    const origin = this.#origin, receive = this.#receive;
    origin.seconds = request.getUint32(at + 24);
    origin.fraction = request.getUint32(at + 28);
    receive.seconds = response.getUint32(at + 32);
    receive.fraction = response.getUint32(at + 36);
    const high = request.getUint32(at + 32), low = request.getUint32(at + 36);
    const differs = high !== request.getUint32(at + 40) || low !== request.getUint32(at + 44);
    const slot = differs ? table.find(client, origin) : NO_SLOT;
    if (slot !== NO_SLOT) {
      this.isInterleaved = true;
      response.setUint32(at + 24, high);
      response.setUint32(at + 28, low);
      response.setUint32(at + 40, table.transmitSeconds(slot));
      response.setUint32(at + 44, table.transmitFraction(slot));
    }
    this.slot = table.save(client, receive, slot);
    response.setUint32(at + 32, receive.seconds);
    response.setUint32(at + 36, receive.fraction);
  }
}

/** Returns the mode of the response to a request whose first word is `head`. */
function responseMode(head: number): number {
  return ((head >>> 24) & 7) === MODE.symmetricActive ? MODE.symmetricPassive : MODE.server;
}
