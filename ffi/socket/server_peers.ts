/**
 * The peers of a batch of requests, in memory that is laid out once for `recvmmsg`: from the
 * kernel's socket addresses to numbers that access lists and tables compare.
 *
 * Limits: an address is read when its request is received, and valid until the next receive;
 * nothing is allocated for a request.
 *
 * @module
 */
import { present } from "../../src/base/assert.ts";
import type { SocketAddress } from "../../src/base/socket_address.ts";
import { AF_INET, SOCKADDR_IN, SOCKADDR_IN6 } from "../headers/socket.ts";
import { allocate, type Memory } from "../memory.ts";
import { decodeSockaddr, SOCKADDR_SIZE } from "./sockaddr.ts";

// The places of fields in words of 32 bits.
const SIN_ADDR = SOCKADDR_IN.sin_addr / 4;
const SIN6_ADDR = SOCKADDR_IN6.sin6_addr / 4;

/** Who sent each request of a batch. */
export class ServerPeers {
  /**
   * The address of each peer as four words, the most significant first, so that prefixes compare as
   * numbers: IPv6 in all four, IPv4 (also when it came through an IPv6 socket) in the first, the
   * others zero.
   */
  readonly words: Uint32Array<ArrayBuffer>;
  /** The family of each peer: 4 or 6. */
  readonly families: Uint8Array<ArrayBuffer>;
  /** The port of each peer. */
  readonly ports: Uint16Array<ArrayBuffer>;
  /** Whether the kernel gave an IPv4 address as an IPv6 one: 1 or 0. */
  readonly mapped: Uint8Array<ArrayBuffer>;
  readonly #names: Memory;
  readonly #nameWords: Uint32Array<ArrayBuffer>;

  /** Makes room for the peers of `capacity` requests. */
  constructor(capacity: number) {
    this.words = new Uint32Array(4 * capacity);
    this.families = new Uint8Array(capacity);
    this.ports = new Uint16Array(capacity);
    this.mapped = new Uint8Array(capacity);
    this.#names = allocate(capacity * SOCKADDR_SIZE);
    this.#nameWords = new Uint32Array(this.#names.bytes.buffer);
  }

  /** Where the socket address of the first request lies; the others follow. */
  get address(): bigint {
    return this.#names.address;
  }

  /** Returns the peer of request `i`, for logs: it allocates. */
  socketAddress(i: number): SocketAddress {
    const address = decodeSockaddr(this.#names.view, i * SOCKADDR_SIZE);
    return present(address, "The kernel gives an IP address");
  }

  /** Reads what the kernel wrote about the peer of request `i`. */
  read(i: number): void {
    const names = this.#nameWords, words = this.words;
    const name = i * (SOCKADDR_SIZE / 4), out = 4 * i;
    // Both kinds of address begin with the family, in the order of the machine, and the port, in
    // that of the network.
    const first = names[name] ?? 0;
    this.ports[i] = ((first >>> 24) & 0xff) | ((first >>> 8) & 0xff00);
    words[out + 1] = words[out + 2] = words[out + 3] = 0;
    this.mapped[i] = 0;
    if ((first & 0xffff) === AF_INET) {
      this.families[i] = 4;
      words[out] = swap(names[name + SIN_ADDR] ?? 0);
      return;
    }
    const at = name + SIN6_ADDR;
    const high = names[at] ?? 0, next = names[at + 1] ?? 0;
    const mark = names[at + 2] ?? 0, low = names[at + 3] ?? 0;
    // An IPv4 peer of an IPv6 socket has the address ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
    const isMapped = high === 0 && next === 0 && mark === 0xffff0000;
    this.families[i] = isMapped ? 4 : 6;
    this.mapped[i] = isMapped ? 1 : 0;
    words[out] = swap(isMapped ? low : high);
    if (isMapped) return;
    words[out + 1] = swap(next);
    words[out + 2] = swap(mark);
    words[out + 3] = swap(low);
  }
}

/** Turns the octets of a word around. */
function swap(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
