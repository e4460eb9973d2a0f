/**
 * Heads of datagrams (`struct msghdr`), which say where the kernel finds or puts a datagram's
 * address, octets and control data.
 *
 * The idea: the addresses in a head are written once, when buffers are laid out; only lengths are
 * set anew for each call. Limits: one piece of memory for each datagram; the caller keeps all that
 * a head points to alive.
 *
 * @module
 */
import { IOVEC, MSGHDR } from "../headers/socket.ts";
import type { Memory } from "../memory.ts";

/** The addresses in a head; what is left out stays null. */
export interface MessageAddresses {
  /** Where the peer's address lies: `msg_name`. */
  readonly name?: bigint;
  /** Where the one `struct iovec` lies: `msg_iov`. */
  readonly vector?: bigint;
  /** Where the control data lie: `msg_control`. */
  readonly control?: bigint;
}

/** Writes addresses into the head at octet `at`, and whether there is a vector. */
export function writeMessageHead(
  { view }: Memory,
  at: number,
  { name = 0n, vector, control = 0n }: MessageAddresses,
): void {
  view.setBigUint64(at + MSGHDR.msg_name, name, true);
  view.setBigUint64(at + MSGHDR.msg_iov, vector ?? 0n, true);
  view.setBigUint64(at + MSGHDR.msg_iovlen, vector === undefined ? 0n : 1n, true);
  view.setBigUint64(at + MSGHDR.msg_control, control, true);
}

/** Writes the vector at octet `at`: where the octets lie, and how many there are or may be. */
export function writeVector(
  memory: Memory,
  at: number,
  { base, length }: { readonly base: bigint; readonly length: number },
): void {
  memory.view.setBigUint64(at + IOVEC.iov_base, base, true);
  memory.view.setBigUint64(at + IOVEC.iov_len, BigInt(length), true);
}
