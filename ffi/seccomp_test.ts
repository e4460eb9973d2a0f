import "../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { buildFilter, type FilterArchitecture, type FilterInstruction } from "./seccomp.ts";
import { ALLOWED_SYSTEM_CALLS } from "./syscall_numbers.ts";

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const KILL = 0x80000000;
const ARCHITECTURES = { x86_64: 0xc000003e, aarch64: 0xc00000b7 } as const;

/** Runs a filter as the kernel does, on the number, architecture and first argument of a call. */
function decide(
  program: readonly FilterInstruction[],
  call: { readonly number: number; readonly architecture: number; readonly argument?: number },
): number {
  const data = new Map([[0, call.number], [4, call.architecture], [16, call.argument ?? 0]]);
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
];

for (const name of ["x86_64", "aarch64"] as const) {
  const program = buildFilter(name);
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
    const ruled = new Set([of("clone"), of("clone3"), of("socket")]);
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

  Deno.test(`${name}: calls in the way of another processor end the process`, () => {
    assert.equal(decide(program, { number: 0, architecture: 0x40000003 }), KILL);
    if (name === "x86_64") {
      assert.equal(decide(program, { number: 0x40000000, architecture }), EPERM);
    }
  });
}
