/**
 * OpenSSL does not clean up when the process exits.
 *
 * The problem: its handler at exit frees the memory of threads that have not ended. A thread that
 * ends at that moment frees it again, and the process is aborted after its work is done ("double
 * free or corruption"). The first call of OpenSSL in a process decides whether there is a handler.
 *
 * The idea: the handler calls what was registered with OPENSSL_atexit(3), and the program under
 * test registers abort(3).
 *
 * @module
 */
import assert from "node:assert/strict";
import { runAny } from "../support/command.ts";
import { temporaryFolder } from "../support/places.ts";

const OPENSSL = "../../ffi/openssl/library.ts";
const CERTIFICATES = "../support/test_certificates.ts";
const SIGABRT = 6;
/** Any option, because without one nothing is initialised. */
const OPENSSL_INIT_LOAD_CRYPTO_STRINGS = 2;

Deno.test("ntpsd's library has no handler at exit", async () => {
  const { code } = await runToExit([imported("openSslLibrary", OPENSSL), "openSslLibrary();"]);
  assert.equal(code, 0);
});

Deno.test("nor has a process whose first use of OpenSSL is a certificate for tests", async () => {
  const { code } = await runToExit([
    imported("makeCertificate", CERTIFICATES),
    'makeCertificate({ commonName: "first" });',
  ]);
  assert.equal(code, 0);
});

Deno.test("a handler at exit would be noticed", async () => {
  const { code } = await runToExit([
    `crypto.OPENSSL_init_crypto(${OPENSSL_INIT_LOAD_CRYPTO_STRINGS}n, null);`,
  ]);
  assert.equal(code, 128 + SIGABRT);
});

function imported(name: string, path: string): string {
  return `const { ${name} } = await import(${
    JSON.stringify(new URL(path, import.meta.url).href)
  });`;
}

/** Runs a program that is aborted by OpenSSL's handler at exit. */
async function runToExit(lines: readonly string[]) {
  await using folder = await temporaryFolder();
  const program = await folder.write("program.ts", [...LIBRARIES, ...lines, ABORT].join("\n"));
  const args = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-ffi", program];
  return await runAny(Deno.execPath(), { args });
}

const LIBRARIES = [
  'const { symbols: libc } = Deno.dlopen("libc.so.6", {',
  '  dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },',
  "});",
  'const { symbols: crypto } = Deno.dlopen("libcrypto.so.3", {',
  '  OPENSSL_init_crypto: { parameters: ["u64", "pointer"], result: "i32" },',
  '  OPENSSL_atexit: { parameters: ["pointer"], result: "i32" },',
  "});",
];

const ABORT = 'crypto.OPENSSL_atexit(libc.dlsym(null, new TextEncoder().encode("abort\\0")));';
