/**
 * How the socket of the server is set up: its options, its buffer, its address.
 *
 * The idea: what costs time in the kernel for each packet is left out where it is not needed:
 * packet information on a socket that is bound to one address, identification for fragments. What
 * only helps (timestamps, a large buffer) may be refused. Touches the one socket, by libc.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { isWildcard, type SocketAddress } from "../../src/base/socket_address.ts";
import { failed, type OsError } from "../errno.ts";
import {
  IP_FREEBIND,
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IP_PMTUDISC_PROBE,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_FREEBIND,
  IPV6_MTU_DISCOVER,
  IPV6_PMTUDISC_PROBE,
  IPV6_RECVPKTINFO,
  IPV6_V6ONLY,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RCVTIMEO,
  SO_REUSEPORT,
  SO_RXQ_OVFL,
  SO_TIMESTAMPNS,
  SOL_SOCKET,
} from "../headers/socket.ts";
import { TIMEVAL } from "../headers/time.ts";
import { libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import { bindSocket } from "./datagram_socket.ts";
import { bindToDevice, setIntegerOption } from "./socket_option.ts";

/** How to open a listener. */
export interface ServerSocketOptions {
  /** Where to listen. */
  readonly local: SocketAddress;
  /** Whether a listener on `[::]` answers IPv4 as well; false when left out. */
  readonly dualStack?: boolean;
  /**
   * Whether an address that this machine does not have yet may be bound to; requests come when it
   * has.
   */
  readonly freeBind?: boolean;
  /** Whether other processes of the same user may listen on the same port and share the load. */
  readonly reusePort?: boolean;
  /** The network interface to use; all when left out. */
  readonly device?: string;
  /**
   * The room for waiting requests in octets; the system's limit holds without CAP_NET_ADMIN. 4 MiB
   * when left out.
   */
  readonly receiveBufferBytes?: number;
}

const RECEIVE_BUFFER = 4 * 1024 * 1024;
const RECEIVE_TIMEOUT_SECONDS = 1n;

/**
 * Sets the options of a listener and binds it. Fails with a sentence that says what to do when the
 * port is taken or not permitted; the caller closes the socket then.
 */
export function prepareServerSocket(
  fd: number,
  options: ServerSocketOptions,
): Result<void, OsError> {
  const { local, device, receiveBufferBytes, reusePort } = options;
  const own = local.family === "ipv4" ? ipv4Options(options) : ipv6Options(options);
  const wanted = [...own];
  if (reusePort === true) wanted.push({ level: SOL_SOCKET, name: SO_REUSEPORT, value: 1 });
  for (const option of wanted) {
    const set = setIntegerOption(fd, option);
    if (!set.ok) return set;
  }
  if (device !== undefined) {
    const tied = bindToDevice(fd, device);
    if (!tied.ok) return tied;
  }
  enableReports(fd);
  enlargeBuffer(fd, receiveBufferBytes ?? RECEIVE_BUFFER);
  const timed = setReceiveTimeout(fd);
  return timed.ok ? bindSocket(fd, local) : timed;
}

interface IntegerOption {
  readonly level: number;
  readonly name: number;
  readonly value: number;
}

/**
 * Responses carry the don't-fragment flag and ignore what ICMP says of the path: they are short,
 * fragments are an attack surface, and so is a forged "too big". It also saves the kernel a keyed
 * hash for each packet's identification.
 */
const DONT_FRAGMENT: IntegerOption = {
  level: IPPROTO_IP,
  name: IP_MTU_DISCOVER,
  value: IP_PMTUDISC_PROBE,
};

function ipv4Options({ local, freeBind }: ServerSocketOptions): readonly IntegerOption[] {
  const level = IPPROTO_IP, wanted = [DONT_FRAGMENT];
  if (isWildcard(local)) wanted.push({ level, name: IP_PKTINFO, value: 1 });
  if (freeBind === true) wanted.push({ level, name: IP_FREEBIND, value: 1 });
  return wanted;
}

function ipv6Options(options: ServerSocketOptions): readonly IntegerOption[] {
  const { local, freeBind, dualStack } = options;
  const level = IPPROTO_IPV6;
  const wanted = [
    DONT_FRAGMENT,
    { level, name: IPV6_MTU_DISCOVER, value: IPV6_PMTUDISC_PROBE },
    { level, name: IPV6_V6ONLY, value: dualStack === true ? 0 : 1 },
  ];
  if (isWildcard(local)) wanted.push({ level, name: IPV6_RECVPKTINFO, value: 1 });
  if (freeBind === true) wanted.push({ level, name: IPV6_FREEBIND, value: 1 });
  return wanted;
}

/**
 * Asks for receive timestamps, and for the number of requests that were dropped for want of room. A
 * refusal is not an error: the timestamps are then our own, and what is dropped is not counted.
 */
function enableReports(fd: number): void {
  setIntegerOption(fd, { level: SOL_SOCKET, name: SO_TIMESTAMPNS, value: 1 });
  setIntegerOption(fd, { level: SOL_SOCKET, name: SO_RXQ_OVFL, value: 1 });
}

/**
 * Asks for a large receive buffer, beyond the system's limit if permitted; what the system gives is
 * enough to go on.
 */
function enlargeBuffer(fd: number, value: number): void {
  if (setIntegerOption(fd, { level: SOL_SOCKET, name: SO_RCVBUFFORCE, value }).ok) return;
  setIntegerOption(fd, { level: SOL_SOCKET, name: SO_RCVBUF, value });
}

function setReceiveTimeout(fd: number): Result<void, OsError> {
  const time = allocate(TIMEVAL.sizeof);
  time.view.setBigInt64(TIMEVAL.tv_sec, RECEIVE_TIMEOUT_SECONDS, true);
  if (libc().setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, time.bytes, TIMEVAL.sizeof) === 0) {
    return ok(undefined);
  }
  return failed({ call: "setsockopt", what: "limit the time that a receive waits" });
}
