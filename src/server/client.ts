/**
 * The client of a request, as the tables of the server see it: an index into an array of words, so
 * that nothing is allocated for a packet.
 *
 * @module
 */
import { plainIpToBytes } from "../base/ip_address.ts";

/** Where a client's address stands. One object is used again for every request. */
export interface Client {
  /** The words of the addresses of a whole batch. */
  words: Uint32Array;
  /**
   * Where this address begins: the most significant word first; one word for IPv4, four for IPv6.
   */
  at: number;
  /** 4 or 6; an IPv4-mapped IPv6 address is IPv4. */
  family: number;
}

/** Returns a client by its address as text; undefined for text that is no address. */
export function clientOf(address: string): Client | undefined {
  const octets = plainIpToBytes(address);
  if (octets === undefined) return undefined;
  const view = new DataView(octets.buffer);
  const words = Uint32Array.from({ length: octets.length / 4 }, (_, i) => view.getUint32(4 * i));
  return { words, at: 0, family: words.length === 1 ? 4 : 6 };
}

/**
 * Returns the upper of the two words that identify a client to rate limits: an IPv4 address, or an
 * IPv6 prefix of 64 bits; signed, so that it is never boxed.
 */
export function clientHigh(client: Client): number {
  // The other family cannot have this prefix: 0:ffff::/32 is not assigned.
  return client.family === 4 ? 0xffff : (client.words[client.at] ?? 0) | 0;
}

/** Returns the lower of these two words, signed. */
export function clientLow(client: Client): number {
  return (client.words[client.family === 4 ? client.at : client.at + 1] ?? 0) | 0;
}
