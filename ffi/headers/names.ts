/**
 * Structures and constants of the headers about names: of hosts, interfaces and users.
 *
 * The constants come from <netdb.h>, <net/if.h>.
 *
 * @module
 */
import type { StructLayout } from "./struct_layout.ts";

/** What is asked of getaddrinfo(3), and one address of its answer. */
export const ADDRINFO = {
  type: "struct addrinfo",
  header: "netdb.h",
  sizeof: 48,
  ai_flags: 0,
  ai_family: 4,
  ai_socktype: 8,
  ai_addrlen: 16,
  ai_addr: 24,
  ai_next: 40,
} as const satisfies StructLayout;

/** One address of one interface (getifaddrs(3)). */
export const IFADDRS = {
  type: "struct ifaddrs",
  header: "ifaddrs.h",
  sizeof: 56,
  ifa_next: 0,
  ifa_name: 8,
  ifa_flags: 16,
  ifa_addr: 24,
} as const satisfies StructLayout;

/** A user (getpwnam(3)). */
export const PASSWD = {
  type: "struct passwd",
  header: "pwd.h",
  sizeof: 48,
  pw_name: 0,
  pw_uid: 16,
  pw_gid: 20,
} as const satisfies StructLayout;

/** Take numeric addresses alone, and ask no server. */
export const AI_NUMERICHOST = 0x4;
/** Flags that cannot be. */
export const EAI_BADFLAGS: number = -1;
/** There is no such name. */
export const EAI_NONAME: number = -2;
/** No server answers at the moment. */
export const EAI_AGAIN: number = -3;
/** A server failed. */
export const EAI_FAIL: number = -4;
/** The name has no address. */
export const EAI_NODATA: number = -5;
/** No such address family. */
export const EAI_FAMILY: number = -6;
/** No such kind of socket. */
export const EAI_SOCKTYPE: number = -7;
/** No such service. */
export const EAI_SERVICE: number = -8;
/** The name has no address of that family. */
export const EAI_ADDRFAMILY: number = -9;
/** There is no memory. */
export const EAI_MEMORY: number = -10;
/** A call failed; `errno` says why. */
export const EAI_SYSTEM: number = -11;

/** The interface is switched on. */
export const IFF_UP = 0x1;
/** The interface leads to this machine itself. */
export const IFF_LOOPBACK = 0x8;
/** The longest name of an interface, with its closing zero octet. */
export const IFNAMSIZ = 16;
