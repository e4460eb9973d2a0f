/**
 * Compares the layouts and numbers that ffi/ takes for granted with what the C compiler of this machine says.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { ERRNO, errnoName } from "../../ffi/errno.ts";
import { SOCKADDR_SIZE } from "../../ffi/socket/sockaddr.ts";
import {
  IP_OPTION,
  IPV6_OPTION,
  LEVEL,
  MESSAGE,
  SOCKET_OPTION,
} from "../../ffi/socket/socket_option.ts";
import {
  ALLOWED_SYSTEM_CALLS,
  CLONE3_SYSTEM_CALL,
  RULED_SYSTEM_CALLS,
  SECCOMP_SYSTEM_CALL,
  type SystemCallNumbers,
} from "../../ffi/process/syscall_numbers.ts";
import { TIMESTAMPING } from "../../ffi/socket/timestamping.ts";

const HEADERS = [
  "stddef.h",
  "stdio.h",
  "errno.h",
  "fcntl.h",
  "ifaddrs.h",
  "netdb.h",
  "pwd.h",
  "sched.h",
  "string.h",
  "net/if.h",
  "netinet/in.h",
  "sys/epoll.h",
  "sys/eventfd.h",
  "sys/prctl.h",
  "sys/resource.h",
  "sys/socket.h",
  "sys/stat.h",
  "sys/syscall.h",
  "sys/timerfd.h",
  "sys/timex.h",
  "sys/un.h",
  "linux/audit.h",
  "linux/capability.h",
  "linux/errqueue.h",
  "linux/ethtool.h",
  "linux/filter.h",
  "linux/net_tstamp.h",
  "linux/ptp_clock.h",
  "linux/seccomp.h",
  "linux/sockios.h",
];

/** What ffi/ takes for granted, as C expressions; each line is one of `offsetof`, `sizeof` or a constant. */
const EXPECTED: Readonly<Record<string, number>> = {
  // struct timex: clock/timex.ts
  "sizeof(struct timex)": 208,
  "offsetof(struct timex, offset)": 8,
  "offsetof(struct timex, freq)": 16,
  "offsetof(struct timex, maxerror)": 24,
  "offsetof(struct timex, esterror)": 32,
  "offsetof(struct timex, status)": 40,
  "offsetof(struct timex, constant)": 48,
  "offsetof(struct timex, time)": 72,
  "offsetof(struct timex, tick)": 88,
  "offsetof(struct timex, tai)": 160,
  ADJ_OFFSET: 0x1,
  ADJ_FREQUENCY: 0x2,
  ADJ_MAXERROR: 0x4,
  ADJ_ESTERROR: 0x8,
  ADJ_STATUS: 0x10,
  ADJ_TAI: 0x80,
  ADJ_SETOFFSET: 0x100,
  ADJ_NANO: 0x2000,
  ADJ_TICK: 0x4000,
  ADJ_OFFSET_SINGLESHOT: 0x8001,
  "STA_PLL|STA_FLL|STA_PPSFREQ|STA_PPSTIME": 0xf,
  STA_INS: 0x10,
  STA_DEL: 0x20,
  STA_UNSYNC: 0x40,
  STA_NANO: 0x2000,
  "TIME_INS * 100 + TIME_DEL * 10 + TIME_OOP": 123,
  "TIME_WAIT * 10 + TIME_ERROR": 45,
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 1,
  CLOCK_BOOTTIME: 7,
  TFD_TIMER_CANCEL_ON_SET: 2,
  "TFD_CLOEXEC|TFD_NONBLOCK": 0x80800,
  // Messages: socket/udp_socket.ts, socket/server_batch.ts, socket/transmit_timestamps.ts
  "sizeof(struct msghdr)": 56,
  "offsetof(struct msghdr, msg_namelen)": 8,
  "offsetof(struct msghdr, msg_iov)": 16,
  "offsetof(struct msghdr, msg_iovlen)": 24,
  "offsetof(struct msghdr, msg_control)": 32,
  "offsetof(struct msghdr, msg_controllen)": 40,
  "offsetof(struct msghdr, msg_flags)": 48,
  "sizeof(struct mmsghdr)": 64,
  "offsetof(struct mmsghdr, msg_len)": 56,
  "sizeof(struct cmsghdr)": 16,
  "offsetof(struct cmsghdr, cmsg_level)": 8,
  "offsetof(struct cmsghdr, cmsg_type)": 12,
  "sizeof(struct iovec)": 16,
  "sizeof(struct sockaddr_in)": 16,
  "offsetof(struct sockaddr_in, sin_addr)": 4,
  "sizeof(struct sockaddr_in6)": 28,
  "offsetof(struct sockaddr_in6, sin6_addr)": 8,
  "offsetof(struct sockaddr_in6, sin6_scope_id)": 24,
  "sizeof(struct sockaddr_in6) <= 32": SOCKADDR_SIZE === 32 ? 1 : 0,
  "CMSG_LEN(sizeof(struct in_pktinfo))": 28,
  "CMSG_SPACE(sizeof(struct in_pktinfo))": 32,
  "offsetof(struct in_pktinfo, ipi_spec_dst)": 4,
  "CMSG_LEN(sizeof(struct in6_pktinfo))": 36,
  "CMSG_SPACE(sizeof(struct in6_pktinfo))": 40,
  "offsetof(struct in6_pktinfo, ipi6_ifindex)": 16,
  "CMSG_SPACE(sizeof(struct scm_timestamping))": 64,
  "offsetof(struct sock_extended_err, ee_origin)": 4,
  "offsetof(struct sock_extended_err, ee_info)": 8,
  "offsetof(struct sock_extended_err, ee_data)": 12,
  SO_EE_ORIGIN_TIMESTAMPING: 4,
  SO_EE_ORIGIN_ICMP: 2,
  SO_EE_ORIGIN_ICMP6: 3,
  SOL_SOCKET: LEVEL.socket,
  IPPROTO_IP: LEVEL.ip,
  IPPROTO_IPV6: LEVEL.ipv6,
  SO_SNDBUF: SOCKET_OPTION.sendBuffer,
  SO_RCVBUF: SOCKET_OPTION.receiveBuffer,
  SO_RCVBUFFORCE: SOCKET_OPTION.receiveBufferForce,
  SO_RCVTIMEO: SOCKET_OPTION.receiveTimeout,
  SO_REUSEADDR: SOCKET_OPTION.reuseAddress,
  SO_REUSEPORT: SOCKET_OPTION.reusePort,
  SO_BINDTODEVICE: SOCKET_OPTION.bindToDevice,
  SO_TIMESTAMPING: SOCKET_OPTION.timestamping,
  SO_TIMESTAMPNS: SOCKET_OPTION.timestampNanoseconds,
  SO_RXQ_OVFL: SOCKET_OPTION.receiveQueueOverflow,
  IP_PKTINFO: IP_OPTION.packetInfo,
  IP_RECVERR: IP_OPTION.receiveErrors,
  IP_MTU_DISCOVER: IP_OPTION.mtuDiscover,
  IPV6_MTU_DISCOVER: IPV6_OPTION.mtuDiscover,
  IP_PMTUDISC_PROBE: 3,
  IPV6_PMTUDISC_PROBE: 3,
  IP_FREEBIND: IP_OPTION.freeBind,
  IPV6_RECVERR: IPV6_OPTION.receiveErrors,
  IPV6_V6ONLY: IPV6_OPTION.v6Only,
  IPV6_RECVPKTINFO: IPV6_OPTION.receivePacketInfo,
  IPV6_PKTINFO: IPV6_OPTION.packetInfo,
  MSG_CTRUNC: MESSAGE.controlTruncated,
  MSG_TRUNC: MESSAGE.truncated,
  MSG_DONTWAIT: MESSAGE.dontWait,
  MSG_ERRQUEUE: MESSAGE.errorQueue,
  MSG_NOSIGNAL: MESSAGE.noSignal,
  MSG_WAITFORONE: MESSAGE.waitForOne,
  "SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC": 0x80802,
  SOF_TIMESTAMPING_TX_HARDWARE: TIMESTAMPING.transmitHardware,
  SOF_TIMESTAMPING_TX_SOFTWARE: TIMESTAMPING.transmitSoftware,
  SOF_TIMESTAMPING_RX_HARDWARE: TIMESTAMPING.receiveHardware,
  SOF_TIMESTAMPING_RX_SOFTWARE: TIMESTAMPING.receiveSoftware,
  SOF_TIMESTAMPING_SOFTWARE: TIMESTAMPING.software,
  SOF_TIMESTAMPING_RAW_HARDWARE: TIMESTAMPING.rawHardware,
  SOF_TIMESTAMPING_OPT_ID: TIMESTAMPING.optionId,
  SOF_TIMESTAMPING_OPT_TSONLY: TIMESTAMPING.optionTimestampOnly,
  SOF_TIMESTAMPING_OPT_TX_SWHW: TIMESTAMPING.optionTransmitBoth,
  // Hardware timestamps: socket/timestamping.ts
  SIOCETHTOOL: 0x8946,
  SIOCSHWTSTAMP: 0x89b0,
  SIOCGHWTSTAMP: 0x89b1,
  ETHTOOL_GET_TS_INFO: 0x41,
  "sizeof(struct ifreq)": 40,
  "offsetof(struct ifreq, ifr_data)": 16,
  "sizeof(struct ethtool_ts_info)": 44,
  "offsetof(struct ethtool_ts_info, phc_index)": 8,
  "offsetof(struct ethtool_ts_info, tx_types)": 12,
  "offsetof(struct ethtool_ts_info, rx_filters)": 28,
  "sizeof(struct hwtstamp_config)": 12,
  HWTSTAMP_TX_ON: 1,
  HWTSTAMP_FILTER_ALL: 1,
  HWTSTAMP_FILTER_NTP_ALL: 15,
  // Hardware clocks: socket/phc.ts
  PTP_SYS_OFFSET_EXTENDED: 0xc4c03d09,
  PTP_SYS_OFFSET: 0x43403d05,
  "sizeof(struct ptp_sys_offset_extended)": 1216,
  "offsetof(struct ptp_sys_offset_extended, ts)": 16,
  "offsetof(struct ptp_sys_offset, ts)": 16,
  "sizeof(struct ptp_clock_time)": 16,
  "offsetof(struct ptp_clock_time, nsec)": 8,
  // Readiness: poller.ts
  "sizeof(struct epoll_event)": Deno.build.arch === "x86_64" ? 12 : 16,
  "offsetof(struct epoll_event, data)": Deno.build.arch === "x86_64" ? 4 : 8,
  "EPOLLIN|EPOLLERR|EPOLLHUP": 0x19,
  EPOLL_CLOEXEC: 0x80000,
  "EFD_CLOEXEC|EFD_NONBLOCK": 0x80800,
  // Files: file/files.ts
  "O_WRONLY|O_CREAT|O_EXCL|O_APPEND|O_NONBLOCK|O_CLOEXEC": 0x80cc1,
  O_DIRECTORY: Deno.build.arch === "x86_64" ? 0x10000 : 0x4000,
  O_NOFOLLOW: Deno.build.arch === "x86_64" ? 0x20000 : 0x8000,
  AT_FDCWD: -100,
  "sizeof(struct statx)": 256,
  "offsetof(struct statx, stx_uid)": 20,
  "offsetof(struct statx, stx_mode)": 28,
  "offsetof(struct statx, stx_ino)": 32,
  "offsetof(struct statx, stx_size)": 40,
  "offsetof(struct statx, stx_mtime)": 112,
  // Names and users: resolver.ts, interfaces.ts, process/privileges.ts, process/process.ts
  "sizeof(struct addrinfo)": 48,
  "offsetof(struct addrinfo, ai_addrlen)": 16,
  "offsetof(struct addrinfo, ai_addr)": 24,
  "offsetof(struct addrinfo, ai_next)": 40,
  EAI_NONAME: -2,
  EAI_AGAIN: -3,
  EAI_FAIL: -4,
  EAI_NODATA: -5,
  EAI_SYSTEM: -11,
  "offsetof(struct ifaddrs, ifa_name)": 8,
  "offsetof(struct ifaddrs, ifa_flags)": 16,
  "offsetof(struct ifaddrs, ifa_addr)": 24,
  "offsetof(struct passwd, pw_uid)": 16,
  "offsetof(struct passwd, pw_gid)": 20,
  "sizeof(struct rusage)": 144,
  "offsetof(struct rusage, ru_stime)": 16,
  "offsetof(struct rusage, ru_maxrss)": 32,
  "offsetof(struct rusage, ru_nvcsw)": 128,
  RLIMIT_NOFILE: 7,
  CAP_SYS_TIME: 25,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_SETUID: 7,
  CAP_SETGID: 6,
  _LINUX_CAPABILITY_VERSION_3: 0x20080522,
  PR_SET_KEEPCAPS: 8,
  PR_SET_NO_NEW_PRIVS: 38,
  "offsetof(struct sockaddr_un, sun_path)": 2,
  "sizeof(((struct sockaddr_un *)0)->sun_path)": 108,
  // System call filter: process/seccomp.ts
  "sizeof(struct sock_filter)": 8,
  "offsetof(struct sock_fprog, filter)": 8,
  "offsetof(struct seccomp_data, arch)": 4,
  "offsetof(struct seccomp_data, args)": 16,
  "SECCOMP_RET_ALLOW": 0x7fff0000,
  "SECCOMP_RET_ERRNO": 0x00050000,
  "SECCOMP_RET_KILL_PROCESS": 0x80000000,
  AUDIT_ARCH_X86_64: 0xc000003e,
  AUDIT_ARCH_AARCH64: 0xc00000b7,
  CLONE_THREAD: 0x10000,
  "BPF_LD|BPF_W|BPF_ABS": 0x20,
  "BPF_JMP|BPF_JEQ|BPF_K": 0x15,
  "BPF_JMP|BPF_JGE|BPF_K": 0x35,
  "BPF_JMP|BPF_JSET|BPF_K": 0x45,
  "BPF_RET|BPF_K": 0x06,
};

Deno.test("layouts and numbers are those of the C compiler", async (test) => {
  const directory = await Deno.makeTempDir({ prefix: "ntpsd-layout-" });
  try {
    await test.step("structures and constants", async () => {
      const names = Object.keys(EXPECTED);
      const printed = await compileAndRun(
        directory,
        names.map((name) => [name, `(long)(${name})`]),
      );
      if (printed === undefined) return;
      for (const name of names) assert.equal(printed.get(name), String(EXPECTED[name]), name);
    });
    await test.step("numbers of system calls", async () => {
      const calls: readonly (readonly [string, SystemCallNumbers])[] = [
        ...Object.entries(ALLOWED_SYSTEM_CALLS),
        ...Object.entries(RULED_SYSTEM_CALLS).map(([name, { numbers }]) =>
          [name, numbers] as const
        ),
        ["clone3", CLONE3_SYSTEM_CALL],
        ["seccomp", SECCOMP_SYSTEM_CALL],
      ];
      const here = calls.flatMap(([name, [x86, arm]]) => {
        const number = Deno.build.arch === "x86_64" ? x86 : arm;
        return number === null ? [] : [[name, number] as const];
      });
      const printed = await compileAndRun(directory, here.map(([name]) => [name, `__NR_${name}`]));
      if (printed === undefined) return;
      for (const [name, number] of here) assert.equal(printed.get(name), String(number), name);
    });
    await test.step("names of errors", async () => {
      const names = Array.from({ length: 133 }, (_, i) => errnoName(i + 1));
      const known = names.filter((name) => !/^E[0-9]+$/.test(name));
      assert.ok(known.length > 80);
      const printed = await compileAndRun(directory, known.map((name) => [name, name]));
      if (printed === undefined) return;
      for (const name of known) {
        assert.equal(printed.get(name), String(names.indexOf(name) + 1), name);
      }
      for (const [name, number] of Object.entries(ERRNO)) assert.equal(errnoName(number), name);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Prints C expressions of type long; undefined, with a loud word, where there is no compiler. */
async function compileAndRun(
  directory: string,
  expressions: readonly (readonly [name: string, expression: string])[],
): Promise<ReadonlyMap<string, string> | undefined> {
  const lines = expressions.map(([name, expression]) =>
    `printf("%s\\t%ld\\n", ${JSON.stringify(name)}, (long)(${expression}));`
  );
  const includes = HEADERS.map((header) => `#include <${header}>`);
  const source = ["#define _GNU_SOURCE", ...includes, "int main(void) {", ...lines, "return 0; }"];
  await Deno.writeTextFile(`${directory}/layout.c`, source.join("\n"));
  const compiled = await run("gcc", ["-o", `${directory}/layout`, `${directory}/layout.c`]);
  if (compiled === undefined) {
    console.warn("SKIPPED: there is no gcc on this machine, so layouts are not compared");
    return undefined;
  }
  const printed = await run(`${directory}/layout`, []);
  const rows = (printed ?? "").trim().split("\n").map((line) => line.split("\t"));
  return new Map(rows.map(([name = "", value = ""]) => [name, value]));
}

async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const output = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
    assert.ok(output.success, new TextDecoder().decode(output.stderr));
    return new TextDecoder().decode(output.stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
