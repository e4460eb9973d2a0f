/**
 * A filter on system calls for the whole process (seccomp), because FFI could call anything.
 *
 * The idea: a list of what is needed, everything else fails with EPERM; installed for all threads at once, for good. Some calls
 * are allowed for some values of an argument only (`RULED_SYSTEM_CALLS`): `clone` may make threads but no processes, sockets
 * may be of few families, and what names a process may name this one alone. `clone3`, whose arguments a filter cannot see,
 * answers ENOSYS, so that the C library falls back to `clone`. Limits: arguments of other calls are not judged, files for
 * instance; the daemon's user, capabilities and Landlock see to those.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { libc } from "../libc.ts";
import { allocate } from "../memory.ts";
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

const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_AT_LEAST = 0x35;
const JUMP_IF_ANY_BIT = 0x45;
const RETURN = 0x06;

const RETURN_ALLOW = 0x7fff_0000;
const RETURN_ERRNO = 0x0005_0000;
const RETURN_KILL_PROCESS = 0x8000_0000;

// struct seccomp_data: nr 0, arch 4, instruction pointer 8, arguments from 16, eight octets each.
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const FIRST_ARGUMENT_AT = 16;

const AUDIT_ARCHITECTURES: Readonly<Record<FilterArchitecture, number>> = {
  x86_64: 0xc000_003e,
  aarch64: 0xc000_00b7,
};
const X32_BIT = 0x4000_0000;
const ENOSYS = 38;

const SET_MODE_FILTER = 1n;
// For all threads; and without the slower memory access that older kernels put upon filtered processes, for whose use
// (scripts of others in the same process) there is no case here.
const FLAGS = 1n | 4n;

/**
 * Installs the filter for all threads of the process, and forbids new privileges. To be called after the start is over and
 * the user is changed. It cannot be undone.
 */
export function installSystemCallFilter(): Result<void, OsError> {
  const architecture = Deno.build.arch;
  const instructions = buildFilter(architecture, libc().getpid());
  const program = allocate(8 * instructions.length);
  for (const [i, [code, ifTrue, ifFalse, k]] of instructions.entries()) {
    program.view.setUint16(8 * i, code, true);
    program.view.setUint8(8 * i + 2, ifTrue);
    program.view.setUint8(8 * i + 3, ifFalse);
    program.view.setUint32(8 * i + 4, k, true);
  }
  const head = allocate(16);
  head.view.setUint16(0, instructions.length, true);
  head.view.setBigUint64(8, program.address, true);
  const forbidden = forbidNewPrivileges();
  if (!forbidden.ok) return forbidden;
  const number = numberFor(SECCOMP_SYSTEM_CALL, architecture);
  assert(number !== null, "Every processor has this call");
  return install(number, head.bytes);
}

/** Writes the filter for a processor and the process with this number. */
export function buildFilter(
  architecture: FilterArchitecture,
  processId: number,
): readonly FilterInstruction[] {
  const refuse: FilterInstruction = [RETURN, 0, 0, RETURN_ERRNO | ERRNO.EPERM];
  const program: FilterInstruction[] = [
    [LOAD, 0, 0, ARCHITECTURE_AT],
    [JUMP_IF_EQUAL, 1, 0, AUDIT_ARCHITECTURES[architecture]],
    [RETURN, 0, 0, RETURN_KILL_PROCESS],
    [LOAD, 0, 0, NUMBER_AT],
  ];
  if (architecture === "x86_64") program.push([JUMP_IF_AT_LEAST, 0, 1, X32_BIT], refuse);
  for (const numbers of Object.values(ALLOWED_SYSTEM_CALLS)) {
    const number = numberFor(numbers, architecture);
    if (number !== null) program.push(...onCall(number, [[RETURN, 0, 0, RETURN_ALLOW]]));
  }
  const clone3 = numberFor(CLONE3_SYSTEM_CALL, architecture);
  if (clone3 !== null) {
    program.push(...onCall(clone3, [[RETURN, 0, 0, RETURN_ERRNO | ENOSYS]]));
  }
  for (const rule of Object.values(RULED_SYSTEM_CALLS)) {
    const number = numberFor(rule.numbers, architecture);
    if (number !== null) program.push(...onCall(number, judge(rule, { processId, refuse })));
  }
  return [...program, refuse];
}

/** Does `then` if the number of the call, which is loaded, is `number`; goes on after it otherwise. */
function onCall(number: number, then: readonly FilterInstruction[]): readonly FilterInstruction[] {
  return [[JUMP_IF_EQUAL, 0, then.length, number], ...then];
}

/** Allows or refuses the call by the value of an argument. */
function judge(
  { argument, test, values }: ArgumentRule,
  { processId, refuse }: { readonly processId: number; readonly refuse: FilterInstruction },
): readonly FilterInstruction[] {
  const allow: FilterInstruction = [RETURN, 0, 0, RETURN_ALLOW];
  const [then, otherwise] = test === "none-of" ? [refuse, allow] : [allow, refuse];
  const code = test === "any-bit" ? JUMP_IF_ANY_BIT : JUMP_IF_EQUAL;
  const tests = values.flatMap((value): readonly FilterInstruction[] => [
    [code, 0, 1, value === "self" ? processId : value],
    then,
  ]);
  return [[LOAD, 0, 0, FIRST_ARGUMENT_AT + 8 * argument], ...tests, otherwise];
}

function numberFor(numbers: SystemCallNumbers, architecture: FilterArchitecture): number | null {
  return architecture === "x86_64" ? numbers[0] : numbers[1];
}

function install(number: number, head: Uint8Array<ArrayBuffer>): Result<void, OsError> {
  const what = "install the system call filter";
  const hint = "Set security.seccomp = false if this kernel or container does not allow filters";
  const result = libc().syscall(BigInt(number), SET_MODE_FILTER, FLAGS, head);
  if (result === 0n) return ok(undefined);
  if (result < 0n) return failed({ call: "seccomp", what, hint });
  // A positive result is the number of a thread that has a filter of its own already.
  return failed({ call: "seccomp", what, code: ERRNO.EINVAL, hint });
}
