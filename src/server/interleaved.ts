/**
 * What the server remembers for interleaved mode (RFC 9769): for each client that seems to use it,
 * when its last request came and when the response to it really left.
 *
 * The problem: in interleaved mode a response carries the exact time at which the previous one was
 * sent, which is known only afterwards. Remembering that for each client would be memory that
 * strangers fill. The idea: our receive timestamps end in a one bit, our transmit timestamps in a
 * zero bit. Only a client that sends back a timestamp that ends in one can be asking for
 * interleaved mode, so only then something is remembered. The table has rows of four slots chosen
 * by a keyed hash of the address; the oldest of a row makes room. Limits: a client that was evicted
 * gets one basic response, as the protocol provides for.
 *
 * A saved receive timestamp serves once: the slot is overwritten by the timestamps of the response
 * that used it (section 2).
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { RandomSource } from "../base/random.ts";
import type { Client } from "./client.ts";
import { KeyedHash } from "./keyed_hash.ts";

/** No slot in the table. */
export const NO_SLOT: number = -1;

const WAYS = 4;
const CLIENTS_DEFAULT = 16_384;
const ENTRY_WORDS = 9;
const RECEIVE = 4;
const TRANSMIT = 6;
const SERIAL = 8;

/**
 * Timestamps of the last responses to clients that use interleaved mode, in a table of fixed size.
 */
export class InterleavedTable {
  readonly #hash: KeyedHash;
  readonly #rowMask: number;
  /**
   * For each slot: four words of address, receive timestamp, transmit timestamp, serial number of
   * the last use.
   */
  readonly #entries: Uint32Array;
  #serial = 0;

  /**
   * Allocates the whole table: 36 octets for each of `clients` slots (16,384 when left out, a power
   * of two of rows).
   */
  constructor(options: { readonly clients?: number; readonly random: RandomSource }) {
    const { clients = CLIENTS_DEFAULT } = options;
    assert(clients >= WAYS && clients <= 1 << 22, "The table has a bounded number of slots");
    const rows = 2 ** Math.ceil(Math.log2(clients / WAYS));
    this.#rowMask = rows - 1;
    this.#entries = new Uint32Array(rows * WAYS * ENTRY_WORDS);
    this.#hash = new KeyedHash(options.random);
  }

  /** The memory that the table takes, in octets; it never changes. */
  get byteLength(): number {
    return this.#entries.byteLength;
  }

  /**
   * Finds the slot of a client whose last response had this receive timestamp and has left since;
   * `NO_SLOT` if there is none.
   */
  find(client: Client, receive: { readonly seconds: number; readonly fraction: number }): number {
    const entries = this.#entries;
    const first = this.#row(client), end = first + WAYS * ENTRY_WORDS;
    for (let slot = first; slot < end; slot += ENTRY_WORDS) {
      if (
        entries[slot + RECEIVE] === receive.seconds &&
        entries[slot + RECEIVE + 1] === receive.fraction &&
        this.#isOf(slot, client)
      ) {
        return this.#hasTransmit(slot) ? slot : NO_SLOT;
      }
    }
    return NO_SLOT;
  }

  /** The seconds of the time at which the response at `slot` left. */
  transmitSeconds(slot: number): number {
    return this.#entries[slot + TRANSMIT] ?? 0;
  }

  /** The fraction of that time; its last bit is zero. */
  transmitFraction(slot: number): number {
    return this.#entries[slot + TRANSMIT + 1] ?? 0;
  }

  /**
   * Remembers that a response with this receive timestamp is about to be sent, at `slot` if the
   * client has one that was used, else in its row, and returns the slot. The timestamp, whose last
   * bit is one, is moved on by 2^-31 s as often as it takes to differ from all that are remembered
   * for the client; `receive` is changed then.
   */
  save(
    client: Client,
    receive: { seconds: number; fraction: number },
    slot: number,
  ): number {
    assert((receive.fraction & 1) === 1, "A receive timestamp ends in a one bit");
    const entries = this.#entries, { words, at } = client;
    const target = slot === NO_SLOT ? this.#oldest(client) : slot;
    entries[target + RECEIVE] = 0;
    entries[target + RECEIVE + 1] = 0;
    this.#makeUnique(client, receive);
    const isV4 = client.family === 4;
    entries[target] = isV4 ? 0 : words[at] ?? 0;
    entries[target + 1] = isV4 ? 0 : words[at + 1] ?? 0;
    entries[target + 2] = isV4 ? 0xffff : words[at + 2] ?? 0;
    entries[target + 3] = isV4 ? words[at] ?? 0 : words[at + 3] ?? 0;
    entries[target + RECEIVE] = receive.seconds;
    entries[target + RECEIVE + 1] = receive.fraction;
    entries[target + TRANSMIT] = 0;
    entries[target + TRANSMIT + 1] = 0;
    this.#serial = (this.#serial + 1) >>> 0;
    entries[target + SERIAL] = this.#serial;
    return target;
  }

  /**
   * The serial number of what was saved at `slot` last, to tell later whether it is still there.
   */
  serialAt(slot: number): number {
    return this.#entries[slot + SERIAL] ?? 0;
  }

  /**
   * Notes when the response left that was saved at `slot` with this serial number; nothing if the
   * slot has been taken since.
   */
  noteTransmit(
    slot: number,
    transmit: { readonly serial: number; readonly seconds: number; readonly fraction: number },
  ): void {
    if (this.serialAt(slot) !== transmit.serial) return;
    this.#entries[slot + TRANSMIT] = transmit.seconds;
    this.#entries[slot + TRANSMIT + 1] = transmit.fraction & ~1;
  }

  /** Forgets everything, as is right when the clock was stepped. */
  clear(): void {
    this.#entries.fill(0);
  }

  #row(client: Client): number {
    const { words, at } = client;
    const isV4 = client.family === 4;
    const high = isV4 ? 0xffff : (words[at] ?? 0) | 0;
    let hash = this.#hash.hash(high, (words[isV4 ? at : at + 1] ?? 0) | 0);
    if (!isV4) hash = this.#hash.hash(hash ^ (words[at + 2] ?? 0), (words[at + 3] ?? 0) | 0);
    return (hash & this.#rowMask) * WAYS * ENTRY_WORDS;
  }

  #isOf(slot: number, client: Client): boolean {
    const entries = this.#entries, { words, at } = client;
    if (client.family === 4) {
      return entries[slot] === 0 && entries[slot + 1] === 0 && entries[slot + 2] === 0xffff &&
        entries[slot + 3] === words[at];
    }
    return entries[slot] === words[at] && entries[slot + 1] === words[at + 1] &&
      entries[slot + 2] === words[at + 2] && entries[slot + 3] === words[at + 3];
  }

  #hasTransmit(slot: number): boolean {
    return this.#entries[slot + TRANSMIT] !== 0 || this.#entries[slot + TRANSMIT + 1] !== 0;
  }

  #oldest(client: Client): number {
    const entries = this.#entries;
    const first = this.#row(client), end = first + WAYS * ENTRY_WORDS;
    let oldest = first, age = -1;
    for (let slot = first; slot < end; slot += ENTRY_WORDS) {
      const slotAge = (this.#serial - (entries[slot + SERIAL] ?? 0)) >>> 0;
      if (slotAge > age) {
        oldest = slot;
        age = slotAge;
      }
    }
    return oldest;
  }

  #makeUnique(client: Client, receive: { seconds: number; fraction: number }): void {
    const first = this.#row(client);
    for (let way = 0; way < WAYS; way++) {
      const slot = first + way * ENTRY_WORDS;
      const isTaken = this.#entries[slot + RECEIVE] === receive.seconds &&
        this.#entries[slot + RECEIVE + 1] === receive.fraction && this.#isOf(slot, client);
      if (!isTaken) continue;
      receive.fraction = (receive.fraction + 2) >>> 0;
      if (receive.fraction === 1) receive.seconds = (receive.seconds + 1) >>> 0;
      way = -1;
    }
  }
}
