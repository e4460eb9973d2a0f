/**
 * A filter on system calls for the whole process (seccomp), because FFI could call anything.
 *
 * The idea: a list of what is needed, everything else fails with EPERM; installed for all threads
 * at once, for good. Some calls are allowed for some values of an argument only
 * (`RULED_SYSTEM_CALLS`): `clone` may make threads but no processes, sockets may be of few
 * families, and what names a process may name this one alone. `clone3`, whose arguments a filter
 * cannot see, answers ENOSYS, so that the C library falls back to `clone`. Limits: arguments of
 * other calls are not judged, files for instance; the daemon's user, capabilities and Landlock see
 * to those.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import {
  __X32_SYSCALL_BIT,
  AUDIT_ARCH_AARCH64,
  AUDIT_ARCH_X86_64,
  BPF_ABS,
  BPF_JEQ,
  BPF_JGE,
  BPF_JMP,
  BPF_JSET,
  BPF_K,
  BPF_LD,
  BPF_RET,
  BPF_W,
  SECCOMP_DATA,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_TSYNC,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_SET_MODE_FILTER,
  SOCK_FILTER,
  SOCK_FPROG,
} from "../headers/process.ts";
import { libc } from "../libc.ts";
import { allocate, type Memory } from "../memory.ts";
import { forbidNewPrivileges } from "./privileges.ts";
import {
  ALLOWED_SYSTEM_CALLS,
  type ArgumentRule,
  CLONE3_SYSTEM_CALL,
  RULED_SYSTEM_CALLS,
  SECCOMP_SYSTEM_CALL,
  type SystemCallNumbers,
} from "./syscall_numbers.ts";

/** A processor that the filter is written for. */
export type FilterArchitecture = "x86_64" | "aarch64";

/** One instruction of the classic packet filter machine: code, jumps if true and false, operand. */
export type FilterInstruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

const LOAD = BPF_LD | BPF_W | BPF_ABS;
const JUMP_IF_EQUAL = BPF_JMP | BPF_JEQ | BPF_K;
const JUMP_IF_AT_LEAST = BPF_JMP | BPF_JGE | BPF_K;
const JUMP_IF_ANY_BIT = BPF_JMP | BPF_JSET | BPF_K;
const RETURN = BPF_RET | BPF_K;

const AUDIT_ARCHITECTURES: Readonly<Record<FilterArchitecture, number>> = {
  x86_64: AUDIT_ARCH_X86_64,
  aarch64: AUDIT_ARCH_AARCH64,
};

// For all threads; and without the slower memory access that older kernels put upon filtered
// processes, for whose use (scripts of others in the same process) there is no case here.
const FLAGS = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;

/**
 * Installs the filter for all threads of the process, and forbids new privileges. To be called
 * after the start is over and the user is changed. It cannot be undone.
 */
export function installSystemCallFilter(): Result<void, OsError> {
  const architecture = Deno.build.arch;
  const instructions = buildFilter(architecture, libc().getpid());
  const { head, program } = layOut(instructions);
  const forbidden = forbidNewPrivileges();
  if (!forbidden.ok) return forbidden;
  const number = numberFor(SECCOMP_SYSTEM_CALL, architecture);
  assert(number !== null, "Every processor has this call");
  const installed = install(number, head.bytes);
  assert(program.address !== 0n, "The head points to a program that is alive until here");
  return installed;
}

/** Writes the filter for a processor and the process with this number. */
export function buildFilter(
  architecture: FilterArchitecture,
  processId: number,
): readonly FilterInstruction[] {
  const refuse: FilterInstruction = [RETURN, 0, 0, SECCOMP_RET_ERRNO | ERRNO.EPERM];
  const program: FilterInstruction[] = [
    [LOAD, 0, 0, SECCOMP_DATA.arch],
    [JUMP_IF_EQUAL, 1, 0, AUDIT_ARCHITECTURES[architecture]],
    [RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS],
    [LOAD, 0, 0, SECCOMP_DATA.nr],
  ];
  if (architecture === "x86_64") program.push([JUMP_IF_AT_LEAST, 0, 1, __X32_SYSCALL_BIT], refuse);
  for (const numbers of Object.values(ALLOWED_SYSTEM_CALLS)) {
    const number = numberFor(numbers, architecture);
    if (number !== null) program.push(...onCall(number, [[RETURN, 0, 0, SECCOMP_RET_ALLOW]]));
  }
  const clone3 = numberFor(CLONE3_SYSTEM_CALL, architecture);
  if (clone3 !== null) {
    program.push(...onCall(clone3, [[RETURN, 0, 0, SECCOMP_RET_ERRNO | ERRNO.ENOSYS]]));
  }
  for (const rule of Object.values(RULED_SYSTEM_CALLS)) {
    const number = numberFor(rule.numbers, architecture);
    if (number !== null) program.push(...onCall(number, onArgument(rule, { processId, refuse })));
  }
  return [...program, refuse];
}

/**
 * Does `then` if the number of the call, which is loaded, is `number`; goes on after it otherwise.
 */
function onCall(number: number, then: readonly FilterInstruction[]): readonly FilterInstruction[] {
  return [[JUMP_IF_EQUAL, 0, then.length, number], ...then];
}

/** Allows or refuses the call by the value of an argument. */
function onArgument(
  { argument, test, values }: ArgumentRule,
  { processId, refuse }: { readonly processId: number; readonly refuse: FilterInstruction },
): readonly FilterInstruction[] {
  const allow: FilterInstruction = [RETURN, 0, 0, SECCOMP_RET_ALLOW];
  const [then, otherwise] = test === "none-of" ? [refuse, allow] : [allow, refuse];
  const code = test === "any-bit" ? JUMP_IF_ANY_BIT : JUMP_IF_EQUAL;
  const tests = values.flatMap((value): readonly FilterInstruction[] => [
    [code, 0, 1, value === "self" ? processId : value],
    then,
  ]);
  return [[LOAD, 0, 0, SECCOMP_DATA.args + 8 * argument], ...tests, otherwise];
}

/** Lays a filter out as the kernel takes it: instructions, and a head that points to them. */
function layOut(
  instructions: readonly FilterInstruction[],
): { readonly head: Memory; readonly program: Memory } {
  const program = allocate(SOCK_FILTER.sizeof * instructions.length);
  for (const [i, [code, ifTrue, ifFalse, k]] of instructions.entries()) {
    const at = SOCK_FILTER.sizeof * i;
    program.view.setUint16(at + SOCK_FILTER.code, code, true);
    program.view.setUint8(at + SOCK_FILTER.jt, ifTrue);
    program.view.setUint8(at + SOCK_FILTER.jf, ifFalse);
    program.view.setUint32(at + SOCK_FILTER.k, k, true);
  }
  const head = allocate(SOCK_FPROG.sizeof);
  head.view.setUint16(SOCK_FPROG.len, instructions.length, true);
  head.view.setBigUint64(SOCK_FPROG.filter, program.address, true);
  return { head, program };
}

function numberFor(numbers: SystemCallNumbers, architecture: FilterArchitecture): number | null {
  return architecture === "x86_64" ? numbers[0] : numbers[1];
}

function install(number: number, head: Uint8Array<ArrayBuffer>): Result<void, OsError> {
  const what = "install the system call filter";
  const hint = "Set security.seccomp = false if this kernel or container does not allow filters";
  const result = libc().syscall(BigInt(number), SECCOMP_SET_MODE_FILTER, FLAGS, head);
  if (result === 0n) return ok(undefined);
  if (result < 0n) return failed({ call: "seccomp", what, hint });
  // A positive result is the number of a thread that has a filter of its own already.
  return failed({ call: "seccomp", what, code: ERRNO.EINVAL, hint });
}
