/**
 * Compares what the runtime is told of foreign functions with C: the prototype that stands beside
 * each symbol is given to the compiler behind the headers, and the types of the table must fit the
 * prototype.
 *
 * Limits: without gcc, or without the headers of OpenSSL, which no user needs, the prototypes are
 * not compiled, and the test says so; the types are compared with the prototypes all the same.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { LIBC_SYMBOLS } from "../../ffi/libc_symbols.ts";
import * as constants from "../../ffi/openssl/constants.ts";
import { CRYPTO_SYMBOLS, SSL_SYMBOLS } from "../../ffi/openssl/symbols.ts";
import { complaintsAbout, printC } from "../support/c_compiler.ts";

/** Functions of the kernel that the C library exports and no header of it declares. */
const UNDECLARED = ["capget", "capset"];

/**
 * What C calls the types, and what the runtime may call them. Lengths that are returned are short,
 * and read as 32 bits.
 */
const SCALARS: Readonly<Record<string, readonly string[]>> = {
  "int": ["i32"],
  "clockid_t": ["i32"],
  "pid_t": ["i32"],
  "__rlimit_resource_t": ["i32"],
  "unsigned int": ["u32"],
  "unsigned": ["u32"],
  "uint32_t": ["u32"],
  "__u32": ["u32"],
  "socklen_t": ["u32"],
  "mode_t": ["u32"],
  "uid_t": ["u32"],
  "gid_t": ["u32"],
  "useconds_t": ["u32"],
  "enum landlock_rule_type": ["i32"],
  "long": ["i64"],
  "off_t": ["i64"],
  "time_t": ["i64"],
  "unsigned long": ["u64"],
  "nfds_t": ["u64"],
  "uint64_t": ["u64"],
  "size_t": ["usize"],
  "void": ["void"],
  "sighandler_t": ["u64", "pointer"],
  "pem_password_cb *": ["pointer"],
  "SSL_verify_cb": ["pointer"],
  "SSL_CTX_alpn_select_cb_func": ["function"],
  "cap_user_header_t": ["buffer"],
  "cap_user_data_t": ["buffer"],
};
const REGISTERS = ["i64", "u64", "usize", "buffer"];

/** A comment before a symbol; the lines after its first are indented. */
const PROTOTYPE = /^ {2}\/\/ (.*(?:\n {2}\/\/ {3}.*)*\))\n {2}(\w+): \{/gm;

interface Symbol {
  readonly name: string;
  readonly prototype: string;
  readonly parameters: readonly unknown[];
  readonly result: unknown;
  /** Whether it goes through syscall(2), which takes its number first. */
  readonly isSystemCall: boolean;
}

const libcText = await read("libc_symbols.ts");
const opensslText = await read("openssl/symbols.ts");
const libc = symbolsIn(libcText, LIBC_SYMBOLS);
const openssl = symbolsIn(opensslText, { ...CRYPTO_SYMBOLS, ...SSL_SYMBOLS });

Deno.test("each foreign function has a prototype beside it, and types that fit it", () => {
  assert.ok(libc.length > 70 && openssl.length > 80, `${libc.length}, ${openssl.length}`);
  assert.deepEqual([...libc, ...openssl].flatMap(misfits), []);
});

Deno.test("a type that does not fit would be noticed", () => {
  const symbol = { name: "f", parameters: ["i32", "u64"], result: "i32", isSystemCall: false };
  assert.deepEqual(misfits({ ...symbol, prototype: "int f(int a, unsigned long b)" }), []);
  assert.equal(misfits({ ...symbol, prototype: "int f(int a, const char *b)" }).length, 1);
  assert.equal(misfits({ ...symbol, prototype: "int f(int a)" }).length, 1);
  assert.equal(misfits({ ...symbol, prototype: "long f(int a, unsigned long b)" }).length, 1);
});

Deno.test("the prototypes of the C library are those of its headers", async () => {
  const headers = headersIn(libcText);
  const own = libc.filter(({ isSystemCall }) => !isSystemCall);
  assert.equal(await complaints(own, headers) ?? "", "");
  const unknown = own.map(({ name }) => name).filter((name) => !UNDECLARED.includes(name));
  // Taking the address of what no header declares is an error.
  const taken = unknown.map((name) => `void *take_${name} = (void *)&${name};`);
  assert.equal(await complaintsAbout(taken, headers) ?? "", "");
  const wrong = await complaintsAbout(["int getpid(int process);"], headers);
  assert.ok(wrong === undefined || wrong.includes("conflicting types"));
});

Deno.test("the prototypes and constants of OpenSSL are those of its headers", async () => {
  const headers = headersIn(opensslText);
  const missing = await complaintsAbout([], headers);
  if (missing === undefined) return;
  if (missing.includes("No such file")) {
    console.warn("SKIPPED: there are no headers of OpenSSL, so its prototypes are not compared");
    return;
  }
  assert.equal(await complaints(openssl, headers), "");
  const taken = openssl.map(({ name }) => `void *take_${name} = (void *)&${name};`);
  assert.equal(await complaintsAbout(taken, headers), "");
  const expected = Object.entries(constants);
  assert.ok(expected.length > 20, `${expected.length} constants`);
  const names = expected.map(([name]) => ({ name, expression: name }));
  const printed = await printC(names, headers);
  for (const [name, value] of expected) assert.equal(printed?.get(name), BigInt(value), name);
});

async function complaints(
  symbols: readonly Symbol[],
  headers: readonly string[],
): Promise<string | undefined> {
  return await complaintsAbout(symbols.map(({ prototype }) => `${prototype};`), headers);
}

/** Tells where the types of a table do not fit a prototype. */
function misfits({ name, prototype, parameters, result, isSystemCall }: Symbol): readonly string[] {
  const match = new RegExp(`^(.*[ *])${name}\\((.*)\\)$`).exec(prototype);
  if (match === null) return [`${name}: ${prototype} is not its prototype`];
  const all = (match[2] ?? "").split(", ").filter((each) => each !== "void");
  const isVariadic = all.at(-1) === "...";
  const named = isVariadic ? all.slice(0, -1) : all;
  const given = isSystemCall ? parameters.slice(1) : parameters;
  const resultFits = isSystemCall ? result === "i64" : fits(match[1]?.trim() ?? "", result, true);
  const countFits = isVariadic ? given.length > named.length : given.length === named.length;
  return [
    ...(resultFits ? [] : [`${name}: the result is ${result}`]),
    ...(countFits ? [] : [`${name}: ${given.length} parameters`]),
    ...named.slice(0, given.length).flatMap((declared, i) =>
      isSystemCall && REGISTERS.includes(String(given[i])) || fits(declared, given[i], false)
        ? []
        : [`${name}: ${given[i]} for ${declared}`]
    ),
  ];
}

/**
 * Tells whether a type of the table fits a C type, behind which the name of the parameter may
 * stand.
 */
function fits(declared: string, type: unknown, isResult: boolean): boolean {
  const bare = declared.replace(/^const /, "").replace(
    / ?\w+(\[\])?$/,
    (name) => isResult ? name : name.endsWith("[]") ? " *" : "",
  ).trim();
  const scalar = SCALARS[bare];
  if (scalar !== undefined) return scalar.includes(String(type));
  if (isResult && bare === "ssize_t") return type === "i32";
  if (!bare.endsWith("*")) return false;
  return isResult ? type === "pointer" : type === "pointer" || type === "buffer";
}

function symbolsIn(text: string, table: Deno.ForeignLibraryInterface): readonly Symbol[] {
  const prototypes = new Map(
    [...text.matchAll(PROTOTYPE)].map(([, prototype = "", name]) =>
      [name, prototype.replaceAll(/\n {2}\/\/ +/g, " ")] as const
    ),
  );
  return Object.entries(table).map(([name, symbol]) => {
    assert.ok("parameters" in symbol);
    const { parameters, result } = symbol;
    const isSystemCall = symbol.name === "syscall";
    return { name, prototype: prototypes.get(name) ?? "", parameters, result, isSystemCall };
  });
}

function headersIn(text: string): readonly string[] {
  return [...text.matchAll(/<([a-z0-9_/]+\.h)>/g)].map(([, name = ""]) => name);
}

async function read(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(`../../ffi/${name}`, import.meta.url));
}
