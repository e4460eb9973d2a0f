/**
 * Compares what ffi/ takes for granted with the C compiler of this machine: every structure and
 * constant of ffi/headers, the prototypes beside the symbols, the numbers of system calls and
 * errors. Nothing is listed here: what is compared is what is used.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { ERRNO, ERRORS } from "../../ffi/errno.ts";
import type { StructLayout } from "../../ffi/headers/struct_layout.ts";
import {
  ALLOWED_SYSTEM_CALLS,
  CLONE3_SYSTEM_CALL,
  RULED_SYSTEM_CALLS,
  SECCOMP_SYSTEM_CALL,
  type SystemCallNumbers,
} from "../../ffi/process/syscall_numbers.ts";
import { type Expression, printC } from "../support/c_compiler.ts";

const HEADERS_FOLDER = new URL("../../ffi/headers/", import.meta.url);
/** What an export of a file of ffi/headers is: a constant or a structure. */
type Exported = number | bigint | StructLayout;
const modules = await headerModules();
const exported = modules.flatMap((module) => Object.entries(module));
const headers = await namedHeaders();
const layouts = exported.map(([, value]) => value).filter(isLayout);

Deno.test("structures are laid out as the C compiler does it", async () => {
  assert.ok(layouts.length > 30, `${layouts.length} structures`);
  // One that has a namesake in another header is compiled by itself.
  for (const [header, group] of Map.groupBy(layouts, unitOf)) {
    const expected = group.flatMap(layoutFacts);
    const lines = [...(header === "" ? group.map((each) => each.header) : [header])];
    await compare(expected, ["stddef.h", ...lines]);
  }
});

Deno.test("constants have the values of the C headers", async () => {
  const constants = exported.filter((entry): entry is [string, number | bigint] =>
    (typeof entry[1] === "number" || typeof entry[1] === "bigint") && isHere(entry[0])
  );
  assert.ok(constants.length > 180, `${constants.length} constants`);
  await compare(
    constants.map(([name, value]) => ({ name, expression: name, value, ...guardOf(name) })),
    headers,
  );
});

Deno.test("system calls have their numbers", async () => {
  const calls: readonly (readonly [string, SystemCallNumbers])[] = [
    ...Object.entries(ALLOWED_SYSTEM_CALLS),
    ...Object.entries(RULED_SYSTEM_CALLS).map(([name, { numbers }]) => [name, numbers] as const),
    ["clone3", CLONE3_SYSTEM_CALL],
    ["seccomp", SECCOMP_SYSTEM_CALL],
  ];
  const facts = calls.flatMap(([name, [x86, arm]]) => {
    const value = Deno.build.arch === "x86_64" ? x86 : arm;
    return value === null ? [] : [{ name, expression: `__NR_${name}`, value }];
  });
  await compare(facts, ["sys/syscall.h"]);
});

Deno.test("errors have their names", async () => {
  assert.ok(ERRORS.size > 80);
  const facts = [...ERRORS].map(([value, [name]]) => ({ name, expression: name, value }));
  await compare(facts, ["errno.h"]);
  for (const [name, number] of Object.entries(ERRNO)) assert.equal(ERRORS.get(number)?.[0], name);
});

Deno.test("a wrong offset, size or value would be noticed", async () => {
  const wrong = [
    ...layoutFacts({ type: "struct timespec", header: "time.h", sizeof: 8, tv_nsec: 4 }),
    { name: "AT_FDCWD", expression: "AT_FDCWD", value: 100 },
  ];
  const printed = await printC(wrong, ["stddef.h", "time.h", "fcntl.h"]);
  if (printed === undefined) return;
  const differing = wrong.filter(({ name, value }) => printed.get(name) !== BigInt(value));
  assert.deepEqual(differing.map(({ name }) => name), wrong.map(({ name }) => name));
});

/** What ffi/ says a C expression is worth. */
type Fact = Expression & { readonly value: number | bigint };

async function compare(facts: readonly Fact[], includes: readonly string[]): Promise<void> {
  const printed = await printC(facts, includes);
  if (printed === undefined) return;
  const skipped = facts.filter(({ name }) => !printed.has(name));
  if (skipped.length > 0) {
    console.warn(`SKIPPED, the headers are too old: ${skipped.map(({ name }) => name).join(", ")}`);
  }
  assert.deepEqual(skipped.filter(({ guard }) => guard === undefined), []);
  for (const { name, value } of facts) {
    const found = printed.get(name);
    if (found !== undefined) {
      assert.equal(BigInt.asIntN(64, found), BigInt.asIntN(64, BigInt(value)), name);
    }
  }
}

/** The facts of a structure: its size, and the offset of each field. */
function layoutFacts(layout: StructLayout): readonly Fact[] {
  const { type, header: _, sizeof, since, ...fields } = layout;
  const guard = since && `LINUX_VERSION_CODE >= KERNEL_VERSION(${since.replace(".", ", ")}, 0)`;
  const offsets = Object.entries(fields).map(([field, value]) => {
    const expression = `offsetof(${type}, ${field})`;
    return { name: expression, expression, value: Number(value), guard };
  });
  const size = `sizeof(${type})`;
  return [{ name: size, expression: size, value: sizeof, guard }, ...offsets];
}

/** The constants of Landlock are macros, and younger than the headers of some machines. */
function guardOf(name: string): { readonly guard?: string } {
  return name.startsWith("LANDLOCK_") ? { guard: `defined(${name})` } : {};
}

/** One constant is that of a second calling convention, which other processors do not have. */
function isHere(name: string): boolean {
  return name !== "__X32_SYSCALL_BIT" || Deno.build.arch === "x86_64";
}

function unitOf({ header }: StructLayout): string {
  return header === "asm/signal.h" ? header : "";
}

function isLayout(value: Exported): value is StructLayout {
  return typeof value === "object" && "sizeof" in value;
}

/** The C headers that the files of ffi/headers name as the origin of their constants. */
async function namedHeaders(): Promise<readonly string[]> {
  const texts = await Promise.all((await headerFiles()).map((url) => Deno.readTextFile(url)));
  return texts.flatMap((text) =>
    [...text.matchAll(/<([a-z/_]+\.h)>/g)].map(([, name = ""]) => name)
  );
}

async function headerModules(): Promise<readonly Readonly<Record<string, Exported>>[]> {
  return await Promise.all((await headerFiles()).map((url) => import(url.href)));
}

async function headerFiles(): Promise<readonly URL[]> {
  const entries = await Array.fromAsync(Deno.readDir(HEADERS_FOLDER));
  const names = entries.map(({ name }) => name).filter((name) => name !== "struct_layout.ts");
  return names.sort().map((name) => new URL(name, HEADERS_FOLDER));
}
