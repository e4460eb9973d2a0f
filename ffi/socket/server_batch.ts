/**
 * A batch of requests and the responses to them, in memory that is laid out once for `recvmmsg` and
 * `sendmmsg`.
 *
 * The idea: the kernel writes requests, peers and timestamps into fixed places; one pass over the
 * control data turns them into typed arrays that the response path reads by index, without
 * allocating and without `bigint`; responses are written into fixed places as well, and only the
 * heads of those that are to be sent are filled in. A response leaves from the address that was
 * asked, because a client that is connected to that address would not see another (a socket that is
 * bound to one address brings no packet information and needs none). Limits: a request longer than
 * `REQUEST_MAX` octets counts as empty; hardware timestamps are not used here (they would need
 * conversion for each packet).
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { SocketAddress } from "../../src/base/socket_address.ts";
import { readRealtimeNtp, writeNtpTimestamp } from "../clock/clock.ts";
import {
  IN6_PKTINFO,
  IOVEC,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  MMSGHDR,
  MSG_TRUNC,
  MSGHDR,
  SO_RXQ_OVFL,
  SO_TIMESTAMPING,
  SO_TIMESTAMPNS,
  SOL_SOCKET,
} from "../headers/socket.ts";
import { TIMESPEC } from "../headers/time.ts";
import { allocate, type Memory } from "../memory.ts";
import { ControlMessages } from "./control_message.ts";
import { DatagramBeside } from "./datagram_beside.ts";
import { writeMessageHead, writeVector } from "./msghdr.ts";
import { RESPONSE_CONTROL_SIZE, ResponseControl } from "./response_control.ts";
import { ServerPeers } from "./server_peers.ts";
import { SOCKADDR_SIZE } from "./sockaddr.ts";

/** The longest request, and the longest response, in octets. */
export const REQUEST_MAX = 2048;

/**
 * The distance between the places of two requests, or two responses, in octets. Not a power of two,
 * because then all of them would compete for the same few lines of the processor's cache.
 */
export const BATCH_STRIDE = 2112;

/** The number of requests in a batch when nothing else is said. */
const BATCH_CAPACITY = 64;

const RECEIVE_CONTROL_SIZE = 192;

// The places of fields in words of 32 bits, the low one where a field has two.
const HEAD = MMSGHDR.sizeof / 4;
const NAME = MSGHDR.msg_name / 4;
const NAMELEN = MSGHDR.msg_namelen / 4;
const IOV = MSGHDR.msg_iov / 4;
const CONTROL = MSGHDR.msg_control / 4;
const CONTROLLEN = MSGHDR.msg_controllen / 4;
const FLAGS = MSGHDR.msg_flags / 4;
const LEN = MMSGHDR.msg_len / 4;
const VECTOR = IOVEC.sizeof / 4;
const VECTOR_LEN = IOVEC.iov_len / 4;
const IPI6_ADDR = IN6_PKTINFO.ipi6_addr / 4;
const TV_SEC = TIMESPEC.tv_sec / 4;
const TV_NSEC = TIMESPEC.tv_nsec / 4;

/**
 * Requests as they came and responses as they will go. Everything is valid until the next receive
 * into the same batch.
 */
export class ServerBatch {
  /** How many requests fit. */
  readonly capacity: number;
  /** The distance between two requests, and between two responses: `BATCH_STRIDE`. */
  readonly stride: number = BATCH_STRIDE;
  /** The requests: number i begins at `i * BATCH_STRIDE`. */
  readonly requests: Bytes;
  /** The same memory as `requests`. */
  readonly requestView: DataView<ArrayBuffer>;
  /** The length of each request in octets; 0 when it was longer than `REQUEST_MAX`. */
  readonly lengths: Int32Array<ArrayBuffer>;
  /**
   * Where to write the responses: number i begins at `i * BATCH_STRIDE`. It is kept from batch to
   * batch.
   */
  readonly responses: Bytes;
  /** The same memory as `responses`. */
  readonly responseView: DataView<ArrayBuffer>;
  /**
   * The time each request arrived as an NTP timestamp: seconds at `2 * i`, fraction at `2 * i + 1`.
   */
  readonly receiveTimestamps: Uint32Array<ArrayBuffer>;
  /** Where that time was taken: 1 by the kernel, 0 by us after the receive call. */
  readonly timestampKinds: Uint8Array<ArrayBuffer>;
  /** The address of each peer as four words, see `ServerPeers`. */
  readonly peerWords: Uint32Array<ArrayBuffer>;
  /** The family of each peer: 4 or 6. */
  readonly peerFamilies: Uint8Array<ArrayBuffer>;
  /** The port of each peer. */
  readonly peerPorts: Uint16Array<ArrayBuffer>;

  readonly #receiveHeads: Memory;
  readonly #receiveControl: Memory;
  readonly #received: ControlMessages;
  readonly #peers: ServerPeers;
  readonly #responseHeads: Memory;
  readonly #responseVectors: Memory;
  readonly #responseControl: ResponseControl;
  readonly #buffers: readonly Memory[];
  /**
   * The addresses that go into the heads of responses, as pairs of words: name, vector, control for
   * each request.
   */
  readonly #addresses: Int32Array<ArrayBuffer>;
  #count = 0;
  /** How many heads the kernel may have changed since their lengths were set. */
  #used: number;
  #queued = 0;
  /** For each place in the queue, whether its response is to be timestamped. */
  readonly #timestamped: Uint8Array<ArrayBuffer>;
  #receiveDrops = 0;
  #beside: DatagramBeside | undefined;

  /** Lays out a batch for `capacity` requests, 1 to 1024. */
  constructor(capacity = BATCH_CAPACITY) {
    assert(Number.isInteger(capacity) && capacity >= 1 && capacity <= 1024, "A batch is 1 to 1024");
    this.capacity = capacity;
    this.#used = capacity;
    const requests = allocate(capacity * BATCH_STRIDE),
      responses = allocate(capacity * BATCH_STRIDE);
    this.requests = requests.bytes;
    this.requestView = requests.view;
    this.responses = responses.bytes;
    this.responseView = responses.view;
    this.lengths = new Int32Array(capacity);
    this.receiveTimestamps = new Uint32Array(2 * capacity);
    this.timestampKinds = new Uint8Array(capacity);
    this.#peers = new ServerPeers(capacity);
    this.peerWords = this.#peers.words;
    this.peerFamilies = this.#peers.families;
    this.peerPorts = this.#peers.ports;
    this.#receiveHeads = allocate(capacity * MMSGHDR.sizeof);
    this.#receiveControl = allocate(capacity * RECEIVE_CONTROL_SIZE);
    this.#received = new ControlMessages(this.#receiveControl);
    this.#responseHeads = allocate(capacity * MMSGHDR.sizeof);
    this.#responseVectors = allocate(capacity * IOVEC.sizeof);
    this.#responseControl = new ResponseControl(capacity, this.#receiveControl.words);
    this.#timestamped = new Uint8Array(capacity);
    this.#addresses = new Int32Array(6 * capacity);
    const receiveVectors = allocate(capacity * IOVEC.sizeof);
    this.#buffers = [requests, responses, receiveVectors];
    this.#layOut({ requests, responses, receiveVectors });
  }

  /** How many requests the last receive brought. */
  get count(): number {
    return this.#count;
  }

  /** How many responses are queued. */
  get queued(): number {
    return this.#queued;
  }

  /**
   * How many datagrams the kernel has dropped at this socket for want of room, since it was opened,
   * as last told.
   */
  get receiveDrops(): number {
    return this.#receiveDrops;
  }

  /** The peer of request `index`, for what is rare: it allocates. */
  peer(index: number): SocketAddress {
    assert(index < this.#count, "A request has a peer");
    return this.#peers.socketAddress(index);
  }

  /**
   * Queues the response to request `index`, which lies in `responses` at its place. With
   * `timestamp` the kernel is asked to timestamp its sending; the timestamps come in the order in
   * which such responses were queued.
   */
  queueResponse(index: number, length: number, timestamp = false): void {
    assert(index < this.#count && this.#queued < this.capacity, "Each request is answered once");
    assert(length > 0 && length <= REQUEST_MAX, "A response has a length");
    this.#timestamped[this.#queued] = timestamp ? 1 : 0;
    const head = this.#queued++ * HEAD;
    const heads = this.#responseHeads.words, addresses = this.#addresses;
    const a = 6 * index;
    heads[head + NAME] = addresses[a] ?? 0;
    heads[head + NAME + 1] = addresses[a + 1] ?? 0;
    heads[head + NAMELEN] = this.#receiveHeads.words[index * HEAD + NAMELEN] ?? 0;
    heads[head + IOV] = addresses[a + 2] ?? 0;
    heads[head + IOV + 1] = addresses[a + 3] ?? 0;
    heads[head + CONTROL] = addresses[a + 4] ?? 0;
    heads[head + CONTROL + 1] = addresses[a + 5] ?? 0;
    heads[head + CONTROLLEN] = timestamp
      ? this.#responseControl.askForTimestamp(index)
      : this.#responseControl.lengths[index] ?? 0;
    this.#responseVectors.words[index * VECTOR + VECTOR_LEN] = length;
  }

  /** Whether the response at a place in the queue is to be timestamped. */
  isTimestamped(position: number): boolean {
    return this.#timestamped[position] === 1;
  }

  /** How many responses that are to be timestamped stand in the queue behind a place. */
  timestampedBehind(position: number): number {
    let count = 0;
    for (let i = position + 1; i < this.#queued; i++) count += this.#timestamped[i] ?? 0;
    return count;
  }

  /**
   * The array of heads for `recvmmsg`, with all lengths set anew; empties the batch. For
   * `ServerSocket`.
   */
  prepareReceive(): Bytes {
    const { words } = this.#receiveHeads;
    for (let i = 0, head = 0; i < this.#used; i++, head += HEAD) {
      words[head + NAMELEN] = SOCKADDR_SIZE;
      words[head + CONTROLLEN] = RECEIVE_CONTROL_SIZE;
    }
    // A call that fails in the middle leaves at most one head changed.
    this.#used = 1;
    this.#count = 0;
    this.#queued = 0;
    return this.#receiveHeads.bytes;
  }

  /**
   * Reads what the kernel wrote about `count` requests. For `ServerSocket`, after `recvmmsg`, which
   * says whether IPv4 comes through an IPv6 socket. Where it does not, or a packet was sent to an
   * IPv6 address, an IPv4-mapped source is forged (::ffff:127.0.0.1 would pass for this machine):
   * such a request counts as empty.
   */
  acceptReceived(count: number, isDualStack = true): void {
    assert(count <= this.capacity && this.#count === 0, "A batch is received into once");
    const heads = this.#receiveHeads.words;
    let missing = false;
    for (let i = 0, head = 0; i < count; i++, head += HEAD) {
      const truncated = ((heads[head + FLAGS] ?? 0) & MSG_TRUNC) !== 0;
      this.lengths[i] = truncated ? 0 : heads[head + LEN] ?? 0;
      this.timestampKinds[i] = 0;
      this.#responseControl.lengths[i] = 0;
      this.#peers.read(i);
      this.#readControl(i, heads[head + CONTROLLEN] ?? 0);
      if (!isDualStack && this.#peers.mapped[i] === 1) this.lengths[i] = 0;
      if (this.timestampKinds[i] === 0) missing = true;
    }
    this.#count = count;
    this.#used = Math.min(this.capacity, count + 1);
    if (missing) this.#timestampNow(count);
  }

  /** The array of heads for `sendmmsg`; `queued` of them count. For `ServerSocket`. */
  get responseHeads(): Memory {
    return this.#responseHeads;
  }

  /** Forgets the responses that are queued. For `ServerSocket`, after `sendmmsg`. */
  clearResponses(): void {
    this.#queued = 0;
  }

  #readControl(i: number, length: number): void {
    const { words } = this.#receiveControl, received = this.#received;
    received.start(i * RECEIVE_CONTROL_SIZE, Math.min(length, RECEIVE_CONTROL_SIZE));
    while (received.next()) {
      const { level, type, data } = received;
      if (level === SOL_SOCKET && (type === SO_TIMESTAMPNS || type === SO_TIMESTAMPING)) {
        this.#readTimestamp(i, words[data + TV_SEC] ?? 0, words[data + TV_NSEC] ?? 0);
      } else if (level === IPPROTO_IP && type === IP_PKTINFO) {
        this.#responseControl.leaveFromIpv4(i, data);
      } else if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
        this.#responseControl.leaveFromIpv6(i, data);
        if (this.#peers.mapped[i] === 1 && !isMapped(words, data)) this.lengths[i] = 0;
      } else if (level === SOL_SOCKET && type === SO_RXQ_OVFL) {
        this.#receiveDrops = (words[data] ?? 0) >>> 0;
      }
    }
  }

  /**
   * Lays out a datagram that goes to the peer of request `index` beside the responses, from the
   * address that was asked; returns its head for `sendmmsg`. For `ServerSocket`.
   */
  layOutBeside(index: number, octets: Bytes): Bytes {
    assert(index < this.#count && octets.length <= REQUEST_MAX, "It answers a request");
    const beside = this.#beside ??= new DatagramBeside();
    const a = 3 * index, addresses = new BigUint64Array(this.#addresses.buffer);
    return beside.layOut(octets, {
      name: addresses[a] ?? 0n,
      nameLength: this.#receiveHeads.words[index * HEAD + NAMELEN] ?? 0,
      control: addresses[a + 2] ?? 0n,
      controlLength: this.#responseControl.lengths[index] ?? 0,
    });
  }

  #readTimestamp(i: number, seconds: number, nanoseconds: number): void {
    if (seconds === 0 && nanoseconds === 0) return;
    writeNtpTimestamp(this.receiveTimestamps, 2 * i, seconds, nanoseconds);
    this.timestampKinds[i] = 1;
  }

  #timestampNow(count: number): void {
    for (let i = 0; i < count; i++) {
      if (this.timestampKinds[i] === 0) readRealtimeNtp(this.receiveTimestamps, 2 * i);
    }
  }

  /** Stores the addresses that never change. */
  #layOut(
    { requests, responses, receiveVectors }: {
      requests: Memory;
      responses: Memory;
      receiveVectors: Memory;
    },
  ): void {
    const words = new BigInt64Array(this.#addresses.length / 2);
    for (let i = 0; i < this.capacity; i++) {
      const index = BigInt(i), stride = index * BigInt(BATCH_STRIDE);
      const head = MMSGHDR.sizeof * i, vector = IOVEC.sizeof * i;
      const name = this.#peers.address + index * BigInt(SOCKADDR_SIZE);
      writeVector(receiveVectors, vector, {
        base: requests.address + stride,
        length: REQUEST_MAX,
      });
      writeMessageHead(this.#receiveHeads, head, {
        name,
        vector: receiveVectors.address + BigInt(vector),
        control: this.#receiveControl.address + index * BigInt(RECEIVE_CONTROL_SIZE),
      });
      writeVector(this.#responseVectors, vector, { base: responses.address + stride, length: 0 });
      const response = this.#responseVectors.address + BigInt(vector);
      writeMessageHead(this.#responseHeads, head, { vector: response });
      words[3 * i] = name;
      words[3 * i + 1] = response;
      words[3 * i + 2] = this.#responseControl.address + index * BigInt(RESPONSE_CONTROL_SIZE);
    }
    this.#addresses.set(new Int32Array(words.buffer));
    assert(this.#buffers.length === 3, "What the heads point to stays alive");
  }
}

/** Tells whether packet information is that of an IPv4 packet that came through an IPv6 socket. */
function isMapped(words: Int32Array, at: number): boolean {
  const address = at + IPI6_ADDR;
  return words[address] === 0 && words[address + 1] === 0 &&
    words[address + 2] === (0xffff_0000 | 0);
}
