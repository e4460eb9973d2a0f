import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { buildFilter, type FilterArchitecture, type FilterInstruction } from "./seccomp.ts";
import { ALLOWED_SYSTEM_CALLS, RULED_SYSTEM_CALLS } from "./syscall_numbers.ts";

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const KILL = 0x80000000;
const OWN = 4711;
const ARCHITECTURES = { x86_64: 0xc000003e, aarch64: 0xc00000b7 } as const;

/** Runs a filter as the kernel does, on the number, architecture and first argument of a call. */
function decide(
  program: readonly FilterInstruction[],
  call: {
    readonly number: number;
    readonly architecture: number;
    readonly argument?: number;
    readonly second?: number;
  },
): number {
  const { number, architecture, argument = 0, second = 0 } = call;
  const data = new Map([[0, number], [4, architecture], [16, argument], [24, second]]);
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const instruction = program[at];
    assert.ok(instruction !== undefined);
    const [code, ifTrue, ifFalse, k] = instruction;
    if (code === 0x06) return k;
    if (code === 0x20) {
      const value = data.get(k);
      assert.ok(value !== undefined, `reads at ${k}`);
      accumulator = value;
    } else {
      const tests: Record<number, boolean> = {
        0x15: accumulator === k,
        0x35: accumulator >= k,
        0x45: (accumulator & k) !== 0,
      };
      const holds = tests[code];
      assert.ok(holds !== undefined, `unknown code ${code}`);
      at += holds ? ifTrue : ifFalse;
    }
  }
  assert.fail("the filter has no end");
}

const NUMBERS: Readonly<Record<FilterArchitecture, Readonly<Record<string, number>>>> = {
  // From asm/unistd_64.h and asm-generic/unistd.h.
  x86_64: {
    execve: 59,
    execveat: 322,
    ptrace: 101,
    clock_settime: 227,
    settimeofday: 164,
    mount: 165,
    bpf: 321,
    io_uring_setup: 425,
    unshare: 272,
    setuid: 105,
    kill: 62,
    pidfd_open: 434,
    pidfd_send_signal: 424,
    rt_sigqueueinfo: 129,
    tkill: 200,
    process_vm_writev: 311,
    migrate_pages: 256,
    fork: 57,
    clone: 56,
    clone3: 435,
    socket: 41,
    recvmmsg: 299,
    clock_adjtime: 305,
    openat: 257,
  },
  aarch64: {
    execve: 221,
    execveat: 281,
    ptrace: 117,
    clock_settime: 112,
    settimeofday: 170,
    mount: 40,
    bpf: 280,
    io_uring_setup: 425,
    unshare: 97,
    setuid: 146,
    kill: 129,
    pidfd_open: 434,
    pidfd_send_signal: 424,
    rt_sigqueueinfo: 138,
    tkill: 130,
    process_vm_writev: 271,
    migrate_pages: 238,
    clone: 220,
    clone3: 435,
    socket: 198,
    recvmmsg: 243,
    clock_adjtime: 266,
    openat: 56,
  },
};
const FORBIDDEN = [
  "execve",
  "execveat",
  "ptrace",
  "clock_settime",
  "settimeofday",
  "mount",
  "bpf",
  "io_uring_setup",
  "unshare",
  "setuid",
  "kill",
  "fork",
  "pidfd_open",
  "pidfd_send_signal",
  "rt_sigqueueinfo",
  "tkill",
  "process_vm_writev",
  "migrate_pages",
];

for (const name of ["x86_64", "aarch64"] as const) {
  const program = buildFilter(name, OWN);
  const architecture = ARCHITECTURES[name];
  const of = (call: string) => NUMBERS[name][call] ?? -1;

  Deno.test(`${name}: the daemon's calls pass, the dangerous ones do not`, () => {
    assert.ok(program.length < 4096);
    for (const call of ["recvmmsg", "clock_adjtime", "openat"]) {
      assert.equal(decide(program, { number: of(call), architecture }), ALLOW, call);
    }
    for (const call of FORBIDDEN.filter((call) => of(call) >= 0)) {
      assert.equal(decide(program, { number: of(call), architecture }), EPERM, call);
    }
    const index = name === "x86_64" ? 0 : 1;
    const allowed = new Set(Object.values(ALLOWED_SYSTEM_CALLS).map((numbers) => numbers[index]));
    const rules = Object.values(RULED_SYSTEM_CALLS).map(({ numbers }) => numbers[index]);
    const ruled = new Set([...rules, of("clone3")]);
    for (let number = 0; number < 600; number++) {
      if (ruled.has(number)) continue;
      const expected = allowed.has(number) ? ALLOW : EPERM;
      assert.equal(decide(program, { number, architecture }), expected, String(number));
    }
  });

  Deno.test(`${name}: threads may be made, processes not; sockets of few families`, () => {
    const [clone, socket] = [of("clone"), of("socket")];
    const threadFlags = 0x3d0f00;
    assert.equal(decide(program, { number: clone, architecture, argument: threadFlags }), ALLOW);
    assert.equal(decide(program, { number: clone, architecture, argument: 17 }), EPERM);
    assert.equal(decide(program, { number: of("clone3"), architecture }), ENOSYS);
    const families = Array.from({ length: 50 }, (_, family) => family).filter((family) =>
      decide(program, { number: socket, architecture, argument: family }) === ALLOW
    );
    assert.deepEqual(families, [1, 2, 10, 16]);
  });

  Deno.test(`${name}: no call reaches another process`, () => {
    const index = name === "x86_64" ? 0 : 1;
    const decided = (call: string, argument: number, second: number) => {
      const number = RULED_SYSTEM_CALLS[call]?.numbers[index] ?? -1;
      return decide(program, { number, architecture, argument, second });
    };
    for (const call of ["tgkill", "rt_tgsigqueueinfo"]) {
      assert.equal(decided(call, OWN, 1), ALLOW, call);
      for (const other of [0, 1, OWN + 1, 0xffff_ffff]) {
        assert.equal(decided(call, other, 1), EPERM);
      }
    }
    for (const call of ["prlimit64", "sched_setaffinity", "sched_setscheduler"]) {
      for (const own of [0, OWN]) assert.equal(decided(call, own, 7), ALLOW, call);
      for (const other of [1, OWN - 1, 0xffff_ffff]) {
        assert.equal(decided(call, other, 7), EPERM, call);
      }
    }
    assert.equal(decided("setpriority", 0, 0), ALLOW);
    assert.equal(decided("setpriority", 0, 1), EPERM);
    const [F_GETFL, F_SETFL, F_SETOWN, F_SETOWN_EX] = [3, 4, 8, 15];
    for (const command of [F_GETFL, F_SETFL]) assert.equal(decided("fcntl", 5, command), ALLOW);
    for (const command of [F_SETOWN, F_SETOWN_EX]) {
      assert.equal(decided("fcntl", 5, command), EPERM);
    }
    const [FIONBIO, TIOCSTI, FIOSETOWN, SIOCSPGRP] = [0x5421, 0x5412, 0x8901, 0x8902];
    assert.equal(decided("ioctl", 5, FIONBIO), ALLOW);
    for (const command of [TIOCSTI, FIOSETOWN, SIOCSPGRP]) {
      assert.equal(decided("ioctl", 5, command), EPERM);
    }
  });

  Deno.test(`${name}: calls in the way of another processor end the process`, () => {
    assert.equal(decide(program, { number: 0, architecture: 0x40000003 }), KILL);
    if (name === "x86_64") {
      assert.equal(decide(program, { number: 0x40000000, architecture }), EPERM);
    }
  });
}
