/**
 * The control data of responses, in memory that is laid out once: from which address each leaves,
 * and whether its sending is to be timestamped.
 *
 * Limits: one address and one wish for a timestamp for each response. Indices are those of the
 * batch; nothing is allocated.
 *
 * @module
 */
import {
  CMSGHDR,
  IN6_PKTINFO,
  IN_PKTINFO,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  SO_TIMESTAMPING,
  SOL_SOCKET,
} from "../headers/socket.ts";
import { SOF_TIMESTAMPING_TX_SOFTWARE } from "../headers/timestamping.ts";
import { allocate, type Memory } from "../memory.ts";
import { controlMessageLength, controlMessageSpace } from "./control_message.ts";

/** Octets of control data for each response. */
export const RESPONSE_CONTROL_SIZE = 64;

const TIMESTAMP_FLAGS_SIZE = 4;

// The places of fields in words of 32 bits, the low one where a field has two.
const SIZE = RESPONSE_CONTROL_SIZE / 4;
const CMSG_LEN = CMSGHDR.cmsg_len / 4;
const CMSG_LEVEL = CMSGHDR.cmsg_level / 4;
const CMSG_TYPE = CMSGHDR.cmsg_type / 4;
const CMSG_DATA = CMSGHDR.sizeof / 4;
const IPI_IFINDEX = IN_PKTINFO.ipi_ifindex / 4;
const IPI_SPEC_DST = IN_PKTINFO.ipi_spec_dst / 4;
const IPI_ADDR = IN_PKTINFO.ipi_addr / 4;
const IPI6_ADDR = IN6_PKTINFO.ipi6_addr / 4;
const IPI6_IFINDEX = IN6_PKTINFO.ipi6_ifindex / 4;

// fe80::/10, in the first word as it lies in memory.
const LINK_LOCAL_MASK = 0xc0ff;
const LINK_LOCAL = 0x80fe;

/** The control data of the responses of a batch. */
export class ResponseControl {
  /** How long the control data of each response are, without the wish for a timestamp. */
  readonly lengths: Int32Array<ArrayBuffer>;
  readonly #memory: Memory;
  readonly #received: Int32Array<ArrayBuffer>;

  /**
   * Lays out memory for `capacity` responses to requests whose control data `received` holds, as
   * words.
   */
  constructor(capacity: number, received: Int32Array<ArrayBuffer>) {
    this.lengths = new Int32Array(capacity);
    this.#memory = allocate(capacity * RESPONSE_CONTROL_SIZE);
    this.#received = received;
  }

  /** Where the control data of the first response lie. */
  get address(): bigint {
    return this.#memory.address;
  }

  /**
   * Makes the IPv4 address whose packet information is at word `from` the source of response `i`;
   * the route decides the interface.
   */
  leaveFromIpv4(i: number, from: number): void {
    const { words } = this.#memory;
    const at = i * SIZE, data = at + CMSG_DATA;
    words[at + CMSG_LEN] = controlMessageLength(IN_PKTINFO.sizeof);
    words[at + CMSG_LEVEL] = IPPROTO_IP;
    words[at + CMSG_TYPE] = IP_PKTINFO;
    words[data + IPI_IFINDEX] = 0;
    words[data + IPI_SPEC_DST] = this.#received[from + IPI_SPEC_DST] ?? 0;
    words[data + IPI_ADDR] = 0;
    this.lengths[i] = controlMessageSpace(IN_PKTINFO.sizeof);
  }

  /** Does the same for IPv6; with the interface if the address is link-local. */
  leaveFromIpv6(i: number, from: number): void {
    const received = this.#received, { words } = this.#memory;
    const first = received[from + IPI6_ADDR] ?? 0;
    // What was sent to a multicast group is answered from an address that the kernel chooses.
    if ((first & 0xff) === 0xff) return;
    const at = i * SIZE, data = at + CMSG_DATA;
    words[at + CMSG_LEN] = controlMessageLength(IN6_PKTINFO.sizeof);
    words[at + CMSG_LEVEL] = IPPROTO_IPV6;
    words[at + CMSG_TYPE] = IPV6_PKTINFO;
    for (let k = 0; k < 4; k++) {
      words[data + IPI6_ADDR + k] = received[from + IPI6_ADDR + k] ?? 0;
    }
    const isLinkLocal = (first & LINK_LOCAL_MASK) === LINK_LOCAL;
    words[data + IPI6_IFINDEX] = isLinkLocal ? received[from + IPI6_IFINDEX] ?? 0 : 0;
    words[data + IPI6_IFINDEX + 1] = 0;
    this.lengths[i] = controlMessageSpace(IN6_PKTINFO.sizeof);
  }

  /**
   * Adds to the control data of response `i` that its sending is to be timestamped; returns the
   * whole length.
   */
  askForTimestamp(i: number): number {
    const { words } = this.#memory;
    const length = this.lengths[i] ?? 0;
    const at = i * SIZE + length / 4, data = at + CMSG_DATA;
    words[at + CMSG_LEN] = controlMessageLength(TIMESTAMP_FLAGS_SIZE);
    words[at + CMSG_LEN + 1] = 0;
    words[at + CMSG_LEVEL] = SOL_SOCKET;
    words[at + CMSG_TYPE] = SO_TIMESTAMPING;
    words[data] = SOF_TIMESTAMPING_TX_SOFTWARE;
    words[data + 1] = 0;
    return length + controlMessageSpace(TIMESTAMP_FLAGS_SIZE);
  }
}
