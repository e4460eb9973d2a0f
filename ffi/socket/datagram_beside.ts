/**
 * One datagram that goes to the client of a request beside the responses of its batch.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { IOVEC, MMSGHDR, MSGHDR } from "../headers/socket.ts";
import { allocate } from "../memory.ts";
import { writeMessageHead, writeVector } from "./msghdr.ts";

/** Where the address of the client and the control data lie. */
export interface Destination {
  /** The socket address. */
  readonly name: bigint;
  /** Its length. */
  readonly nameLength: number;
  /** The control data. */
  readonly control: bigint;
  /** Their length; 0 for none. */
  readonly controlLength: number;
}

/** The longest that such a datagram is. */
const BESIDE_MAX = 2048;

/** Memory for one such datagram, used again for each. */
export class DatagramBeside {
  readonly #octets = allocate(BESIDE_MAX);
  readonly #vector = allocate(IOVEC.sizeof);
  readonly #head = allocate(MMSGHDR.sizeof);

  /** Lays the datagram out and returns its head for `sendmmsg`. */
  layOut(octets: Bytes, to: Destination): Bytes {
    this.#octets.bytes.set(octets);
    writeVector(this.#vector, 0, { base: this.#octets.address, length: octets.length });
    writeMessageHead(this.#head, 0, {
      name: to.name,
      vector: this.#vector.address,
      ...(to.controlLength === 0 ? {} : { control: to.control }),
    });
    this.#head.view.setUint32(MSGHDR.msg_namelen, to.nameLength, true);
    this.#head.view.setBigUint64(MSGHDR.msg_controllen, BigInt(to.controlLength), true);
    return this.#head.bytes;
  }
}
