/**
 * The busiest clients, by prefix: IPv4 cut to /24, IPv6 to /48 unless more is wanted, because
 * addresses are personal data.
 *
 * The problem: a count for each client is memory that strangers fill. The idea: the Space-Saving
 * algorithm (Metwally and others, 2005) in each row of a table with a fixed number of slots: a
 * newcomer takes the slot of the least busy of its row and inherits its count, so that a client
 * that is really busy is always there. Limits: counts are upper bounds; each says by how much it
 * may be too high.
 *
 * @module
 */
import { ipFromBytes } from "../base/ip_address.ts";
import type { RandomSource } from "../base/random.ts";
import type { Client } from "./client.ts";
import { KeyedHash } from "./keyed_hash.ts";

/** One row of the table of busy clients. */
export interface BusyClient {
  /** The prefix, such as `192.0.2.0/24`. */
  readonly prefix: string;
  /** At most this many requests came from it. */
  readonly requests: number;
  /** The number may be too high by this. */
  readonly error: number;
}

/** How many bits of addresses are kept. */
export interface ClientPrefixLengths {
  /** For IPv4, 0 to 32; 24 when left out. */
  readonly ipv4?: number;
  /** For IPv6, 0 to 64; 48 when left out. */
  readonly ipv6?: number;
}

/** A power of two. */
const ROWS = 512;
const WAYS = 4;

/** Counts requests by prefix in 2048 slots. */
export class ClientTable {
  readonly #hash: KeyedHash;
  readonly #lengths: Required<ClientPrefixLengths>;
  readonly #mask4: number;
  readonly #mask6High: number;
  readonly #mask6Low: number;
  readonly #families = new Uint8Array(ROWS * WAYS);
  readonly #keys = new Int32Array(2 * ROWS * WAYS);
  readonly #counts = new Float64Array(ROWS * WAYS);
  readonly #errors = new Float64Array(ROWS * WAYS);

  /** Draws the key of the table. */
  constructor(random: RandomSource, lengths: ClientPrefixLengths = {}) {
    const { ipv4 = 24, ipv6 = 48 } = lengths;
    this.#lengths = { ipv4, ipv6 };
    this.#mask4 = maskOf(ipv4);
    this.#mask6High = maskOf(Math.min(32, ipv6));
    this.#mask6Low = maskOf(Math.max(0, ipv6 - 32));
    this.#hash = new KeyedHash(random);
  }

  /** Counts a request. */
  count(client: Client): void {
    const { words, at, family } = client;
    const isV4 = family === 4;
    const high = isV4 ? 0 : (words[at] ?? 0) & this.#mask6High;
    const low = isV4 ? (words[at] ?? 0) & this.#mask4 : (words[at + 1] ?? 0) & this.#mask6Low;
    const first = (this.#hash.hash(high ^ family, low) & (ROWS - 1)) * WAYS;
    let least = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#isAt(slot, family, high, low)) {
        this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
        return;
      }
      if ((this.#counts[slot] ?? 0) < (this.#counts[least] ?? 0)) least = slot;
    }
    this.#families[least] = family;
    this.#keys[2 * least] = high;
    this.#keys[2 * least + 1] = low;
    this.#errors[least] = this.#counts[least] ?? 0;
    this.#counts[least] = (this.#counts[least] ?? 0) + 1;
  }

  /** Returns the busiest prefixes, at most `limit`, the busiest first. */
  busiest(limit: number): readonly BusyClient[] {
    const slots = [...this.#counts.keys()].filter((slot) => (this.#counts[slot] ?? 0) > 0);
    slots.sort((a, b) => (this.#counts[b] ?? 0) - (this.#counts[a] ?? 0));
    return slots.slice(0, limit).map((slot) => ({
      prefix: this.#prefixAt(slot),
      requests: this.#counts[slot] ?? 0,
      error: this.#errors[slot] ?? 0,
    }));
  }

  #isAt(slot: number, family: number, high: number, low: number): boolean {
    return this.#families[slot] === family && this.#keys[2 * slot] === high &&
      this.#keys[2 * slot + 1] === low;
  }

  #prefixAt(slot: number): string {
    const isV4 = this.#families[slot] === 4;
    const octets = new Uint8Array(isV4 ? 4 : 16);
    const view = new DataView(octets.buffer);
    if (!isV4) view.setUint32(0, this.#keys[2 * slot] ?? 0);
    view.setUint32(isV4 ? 0 : 4, this.#keys[2 * slot + 1] ?? 0);
    return `${ipFromBytes(octets)}/${isV4 ? this.#lengths.ipv4 : this.#lengths.ipv6}`;
  }
}

function maskOf(bits: number): number {
  return bits === 0 ? 0 : -1 << (32 - bits);
}
