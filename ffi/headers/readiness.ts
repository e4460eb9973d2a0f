/**
 * Structures and constants of the headers about waiting for descriptors.
 *
 * The constants come from <poll.h>, <sys/epoll.h>, <sys/eventfd.h>.
 *
 * @module
 */
import type { StructLayout } from "./struct_layout.ts";

/**
 * What a descriptor is watched for, or what happened at it. Packed on x86_64, aligned on other
 * processors.
 */
export const EPOLL_EVENT = {
  type: "struct epoll_event",
  header: "sys/epoll.h",
  sizeof: Deno.build.arch === "x86_64" ? 12 : 16,
  events: 0,
  data: Deno.build.arch === "x86_64" ? 4 : 8,
} as const satisfies StructLayout;

/** What is asked of poll(2) about a descriptor, and what it says. */
export const POLLFD = {
  type: "struct pollfd",
  header: "poll.h",
  sizeof: 8,
  fd: 0,
  events: 4,
  revents: 6,
} as const satisfies StructLayout;

/** The descriptor of the set is closed at an exec. */
export const EPOLL_CLOEXEC = 0x80000;
/** Put a descriptor into the set. */
export const EPOLL_CTL_ADD = 1;
/** Take a descriptor out of the set. */
export const EPOLL_CTL_DEL = 2;
/** There is something to read. */
export const EPOLLIN = 0x1;
/** There is an error, or something in the error queue. */
export const EPOLLERR = 0x8;
/** The other end is closed. */
export const EPOLLHUP = 0x10;
/** The descriptor of the counter is closed at an exec. */
export const EFD_CLOEXEC = 0x80000;
/** Reading the counter does not wait. */
export const EFD_NONBLOCK = 0x800;
/** There is room to write. */
export const POLLOUT = 0x4;
/** There is an error. */
export const POLLERR = 0x8;
/** The descriptor is not open. */
export const POLLNVAL = 0x20;
