/**
 * Structures and constants of the headers about sockets, their addresses and their messages.
 *
 * The constants come from <sys/socket.h>, <netinet/in.h>.
 *
 * @module
 */
import type { StructLayout } from "./struct_layout.ts";

/** An IPv4 address with its port, both in network order. */
export const SOCKADDR_IN = {
  type: "struct sockaddr_in",
  header: "netinet/in.h",
  sizeof: 16,
  sin_family: 0,
  sin_port: 2,
  sin_addr: 4,
} as const satisfies StructLayout;

/** An IPv6 address with its port, both in network order, and its interface. */
export const SOCKADDR_IN6 = {
  type: "struct sockaddr_in6",
  header: "netinet/in.h",
  sizeof: 28,
  sin6_family: 0,
  sin6_port: 2,
  sin6_addr: 8,
  sin6_scope_id: 24,
} as const satisfies StructLayout;

/** The address of a Unix socket. */
export const SOCKADDR_UN = {
  type: "struct sockaddr_un",
  header: "sys/un.h",
  sizeof: 110,
  sun_family: 0,
  sun_path: 2,
} as const satisfies StructLayout;

/** A piece of memory that is received into or sent from. */
export const IOVEC = {
  type: "struct iovec",
  header: "sys/uio.h",
  sizeof: 16,
  iov_base: 0,
  iov_len: 8,
} as const satisfies StructLayout;

/** The head of one datagram: where its address, its octets and its control data lie. */
export const MSGHDR = {
  type: "struct msghdr",
  header: "sys/socket.h",
  sizeof: 56,
  msg_name: 0,
  msg_namelen: 8,
  msg_iov: 16,
  msg_iovlen: 24,
  msg_control: 32,
  msg_controllen: 40,
  msg_flags: 48,
} as const satisfies StructLayout;

/** One datagram of many: a `struct msghdr` and the length that was received or sent. */
export const MMSGHDR = {
  type: "struct mmsghdr",
  header: "sys/socket.h",
  sizeof: 64,
  msg_hdr: 0,
  msg_len: 56,
} as const satisfies StructLayout;

/** The head of one control message; its data follow. */
export const CMSGHDR = {
  type: "struct cmsghdr",
  header: "sys/socket.h",
  sizeof: 16,
  cmsg_len: 0,
  cmsg_level: 8,
  cmsg_type: 12,
} as const satisfies StructLayout;

/** To which local IPv4 address a datagram was sent, or from which it is to go. */
export const IN_PKTINFO = {
  type: "struct in_pktinfo",
  header: "netinet/in.h",
  sizeof: 12,
  ipi_ifindex: 0,
  ipi_spec_dst: 4,
  ipi_addr: 8,
} as const satisfies StructLayout;

/** To which local IPv6 address and interface a datagram was sent, or from which it is to go. */
export const IN6_PKTINFO = {
  type: "struct in6_pktinfo",
  header: "netinet/in.h",
  sizeof: 20,
  ipi6_addr: 0,
  ipi6_ifindex: 16,
} as const satisfies StructLayout;

/** Unix sockets. */
export const AF_UNIX = 1;
/** IPv4. */
export const AF_INET = 2;
/** IPv6. */
export const AF_INET6 = 10;
/** The kernel's tables of addresses and routes. */
export const AF_NETLINK = 16;

/** Sockets for datagrams. */
export const SOCK_DGRAM = 2;
/** No call on the socket waits. */
export const SOCK_NONBLOCK = 0x800;
/** The socket is closed at an exec. */
export const SOCK_CLOEXEC = 0x80000;

/** Level of the options of every socket. */
export const SOL_SOCKET = 1;
/** Level of the options of IPv4. */
export const IPPROTO_IP = 0;
/** Level of the options of IPv6. */
export const IPPROTO_IPV6 = 41;

/** The room for what waits to be received, within the system's limit. */
export const SO_RCVBUF = 8;
/** Several sockets of one user share a port. */
export const SO_REUSEPORT = 15;
/** How long a receive waits: a `struct timeval`. */
export const SO_RCVTIMEO = 20;
/** The interface that the socket is tied to, by name. */
export const SO_BINDTODEVICE = 25;
/** The room for what waits to be received, beyond the system's limit. */
export const SO_RCVBUFFORCE = 33;
/** Timestamps of receipt: a `struct timespec` in the control data. */
export const SO_TIMESTAMPNS = 35;
/** Timestamps by the `SOF_TIMESTAMPING_` bits: a `struct scm_timestamping` in the control data. */
export const SO_TIMESTAMPING = 37;
/** A count of dropped datagrams in the control data. */
export const SO_RXQ_OVFL = 40;

/** To which address a datagram was sent: a `struct in_pktinfo` in the control data. */
export const IP_PKTINFO = 8;
/** What becomes of datagrams that are too long for their way. */
export const IP_MTU_DISCOVER = 10;
/** Errors come with details through the error queue. */
export const IP_RECVERR = 11;
/** An address that this machine does not have may be bound to. */
export const IP_FREEBIND = 15;
/** Never fragment, and ignore what routers say of the path. */
export const IP_PMTUDISC_PROBE = 3;

/** What becomes of datagrams that are too long for their way. */
export const IPV6_MTU_DISCOVER = 23;
/** Errors come with details through the error queue. */
export const IPV6_RECVERR = 25;
/** A socket on `::` takes no IPv4. */
export const IPV6_V6ONLY = 26;
/** Control data of type `IPV6_PKTINFO` are wanted. */
export const IPV6_RECVPKTINFO = 49;
/** To which address a datagram was sent: a `struct in6_pktinfo` in the control data. */
export const IPV6_PKTINFO = 50;
/** An address that this machine does not have may be bound to. */
export const IPV6_FREEBIND = 78;
/** Never fragment, and ignore what routers say of the path. */
export const IPV6_PMTUDISC_PROBE = 3;

/** The datagram was longer than the room for it. */
export const MSG_TRUNC = 0x20;
/** This call does not wait. */
export const MSG_DONTWAIT = 0x40;
/** Receive from the error queue. */
export const MSG_ERRQUEUE = 0x2000;
/** No SIGPIPE when the other end is closed. */
export const MSG_NOSIGNAL = 0x4000;
/** Wait for the first datagram alone. */
export const MSG_WAITFORONE = 0x10000;

/** Nothing more is received. */
export const SHUT_RD = 0;
