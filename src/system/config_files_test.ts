import "../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { makeDirectory, writeFileAtomic } from "../../ffi/file/files.ts";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { processId } from "../../ffi/process/process.ts";
import {
  makeCertificate,
  protectedKey,
  type TestCertificate,
} from "../../tests/support/test_certificates.ts";
import { makeLink, makePipe, removeAny, setMode } from "../../tests/support/test_files.ts";
import { concatBytes } from "../base/bytes.ts";
import { builtinConfig } from "../config/builtin.ts";
import { formatConfigError } from "../config/config_error.ts";
import { parseConfig } from "../config/parse.ts";
import { lookAtFiles } from "./config_files.ts";

// Opened here, because the library and its callback live longer than any test.
const openssl = OpenSsl.open();

const NOW = 1_800_000_000;
const DAY = 86_400;
const DATES = { notBefore: NOW - 300 * DAY, notAfter: NOW + 300 * DAY };
const folder = `/tmp/ntpsd-config-files-${processId()}`;
const made: string[] = [];
const authority = makeCertificate({ commonName: "Authority", authority: true, ...DATES });
if (openssl.ok) {
  const { certificate: certificateChain, privateKey } = authority;
  const made = openssl.value.serverContext({ certificateChain, privateKey });
  if (made.ok) made.value.close();
}

function write(name: string, content: Uint8Array | string, mode = 0o600): string {
  const path = `${folder}/${name}`;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  ok(writeFileAtomic(path, { bytes, mode }).ok);
  made.push(path);
  return path;
}

/** Looks at the files of a text; errors are marked by their lines alone, notes by a word. */
function findings(text: string): string[] {
  const parsed = parseConfig(text);
  ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  const found = lookAtFiles(parsed.value.config, { now: NOW, placeOf: parsed.value.placeOf });
  return [
    ...found.errors.map((error) => formatConfigError(error, "t")),
    ...found.notes.map((note) => `note ${formatConfigError(note, "t")}`),
  ].map((line) => line.replaceAll(folder, "DIR"));
}

function inFolder(use: () => void): () => void {
  return () => {
    ok(makeDirectory(folder, 0o700).ok);
    try {
      use();
    } finally {
      for (const path of made.splice(0).reverse()) removeAny(path);
      removeAny(folder);
    }
  };
}

function keyExchange(chain: string, key: string): string {
  return `[[nts-ke-server]]\nlisten = "0.0.0.0:4460"\nntp-server = "a.example"\n` +
    `certificate-chain-path = "${chain}"\nprivate-key-path = "${key}"\n`;
}

function pair(name: string, certificate: TestCertificate, chain = certificate.certificate): string {
  return keyExchange(
    write(`${name}.pem`, chain, 0o644),
    write(`${name}.key`, certificate.privateKey),
  );
}

const NAMES = ["DNS:a.example"];

Deno.test(
  "a certificate with its key and its chain is fine, and others are told with the key and the line",
  inFolder(() => {
    const good = makeCertificate({ commonName: "a", names: NAMES, issuer: authority, ...DATES });
    const chain = concatBytes(good.certificate, authority.certificate);
    deepEqual(findings(pair("good", good, chain)), []);
    deepEqual(findings(pair("alone", good)), [
      "note t:4: nts-ke-server[0].certificate-chain-path: The certificate of CN=a stands alone in DIR/alone.pem " +
      "(clients need those that lead to its authority too: most authorities give a file fullchain.pem)",
    ]);
    const other = makeCertificate({ commonName: "b", names: NAMES, ...DATES });
    const wrong = findings(
      keyExchange(write("x.pem", chain), write("x.key", other.privateKey)),
    );
    equal(wrong.length, 1);
    ok(
      /^t:5: .*private-key-path: Wanted the private key of the first certificate/.test(
        wrong[0] ?? "",
      ),
    );
    const old = makeCertificate({ commonName: "c", names: NAMES, ...DATES, notAfter: NOW - DAY });
    deepEqual(findings(pair("old", old)), [
      "t:4: nts-ke-server[0].certificate-chain-path: The certificate of CN=c expired on 2027-01-14 (renew it)",
    ]);
    const ending = makeCertificate({
      commonName: "d",
      names: NAMES,
      ...DATES,
      notAfter: NOW + DAY,
    });
    deepEqual(findings(pair("ending", ending)), [
      "note t:4: nts-ke-server[0].certificate-chain-path: The certificate of CN=d expires on 2027-01-16 (renew it soon)",
    ]);
    const early = makeCertificate({
      commonName: "e",
      names: NAMES,
      ...DATES,
      notBefore: NOW + DAY,
    });
    deepEqual(findings(pair("early", early)), [
      "t:4: nts-ke-server[0].certificate-chain-path: The certificate of CN=e is not valid before 2027-01-16",
    ]);
    const unnamed = makeCertificate({ commonName: "f", ...DATES });
    deepEqual(findings(pair("unnamed", unnamed)), [
      "t:4: nts-ke-server[0].certificate-chain-path: The certificate of CN=f has no alternative names, and clients look at nothing else",
    ]);
    deepEqual(findings(keyExchange(`${folder}/none.pem`, `${folder}/none.key`)), [
      "t:4: nts-ke-server[0].certificate-chain-path: Cannot read DIR/none.pem: no such file or directory (open: ENOENT)",
      "t:5: nts-ke-server[0].private-key-path: Cannot read DIR/none.key: no such file or directory (open: ENOENT)",
    ]);
    deepEqual(findings(keyExchange(write("no.pem", "nothing"), write("no.key", "nothing"))), [
      "t:4: nts-ke-server[0].certificate-chain-path: Wanted a certificate in PEM, found none: DIR/no.pem",
    ]);
    deepEqual(findings(keyExchange(write("y.pem", chain), write("no.key", "nothing"))), [
      "t:5: nts-ke-server[0].private-key-path: Wanted a private key in PEM, found none: DIR/no.key",
    ]);
    const asked = findings(
      keyExchange(write("y.pem", chain), write("p.key", protectedKey(good, "x"))),
    );
    equal(asked.length, 1);
    match(
      asked[0] ?? "",
      /^t:5: .*private-key-path: The private key is protected by a pass phrase/,
    );
  }),
);

Deno.test(
  "trust anchors that are none are told",
  inFolder(() => {
    const source = (file: string) =>
      `[[source]]\nmode = "nts"\naddress = "a.example"\ncertificate-authority = "${file}"\n`;
    deepEqual(findings(source(write("ca.pem", authority.certificate))), []);
    deepEqual(findings(source(write("bad.pem", "nothing\n"))), [
      "t:4: source[0].certificate-authority: Wanted a certificate in PEM, found none: DIR/bad.pem",
    ]);
    deepEqual(findings(source(folder)), [
      "t:4: source[0].certificate-authority: Cannot read DIR: is a directory (read: EISDIR)",
    ]);
  }),
);

/**
 * A list with one entry; the digest is what sha1sum makes of all the figures without anything
 * between.
 */
const LEAPS =
  "#$ 3960835200\n#@ 3991593600\n3692217600 37\n#h 318de5ae c4521849 2cef9f63 6fad8f36 943089af\n";

Deno.test(
  "a list of leap seconds that is damaged or over is told",
  inFolder(() => {
    const clock = (file: string) => `[clock]\nleap-seconds-file = "${file}"\n`;
    deepEqual(findings(clock(write("leap", LEAPS))), [
      "note t:2: clock.leap-seconds-file: The list of leap seconds DIR/leap expired on 2026-06-28 (update it, usually with the package tzdata)",
    ]);
    deepEqual(findings(clock(write("cut", LEAPS.slice(0, 40)))), [
      't:2: clock.leap-seconds-file: DIR/cut is no list of leap seconds: there is no line "#h" with the digest: the file may be cut off',
    ]);
    equal(findings(clock(`${folder}/none`)).length, 1);
  }),
);

Deno.test(
  "secrets that are open to others are told, and a group that reads is not",
  inFolder(() => {
    const keys = write("keys", "1 MD5 one\n", 0o600);
    const text = `[keys]\nfile = "${keys}"\n`;
    const told: Readonly<Record<number, string | undefined>> = {
      0o600: undefined,
      0o400: undefined,
      0o640: undefined,
      0o644: "read",
      0o604: "read",
      0o660: "change",
      0o602: "change",
      0o666: "read and change",
    };
    for (const [mode, can] of Object.entries(told)) {
      setMode(keys, Number(mode));
      const bits = Number(mode).toString(8).padStart(4, "0");
      deepEqual(
        findings(text),
        can === undefined ? [] : [
          `note t:2: keys.file: Others can ${can} DIR/keys, which is secret (mode ${bits}): chown root:ntpsd DIR/keys && chmod 0640 DIR/keys`,
        ],
      );
    }
  }),
);

Deno.test(
  "what all paths have in common is looked at for a key that is new",
  inFolder(() => {
    const keys = [
      { path: `${folder}/none`, use: { kind: "read", isSecret: false } },
      { path: write("open", "x", 0o644), use: { kind: "read", isSecret: true } },
      { path: folder, use: { kind: "state", isSecret: false, suffixes: [] } },
      { path: `${folder}/none`, use: { kind: "folder", isSecret: false } },
    ] as const;
    const paths = keys.map((path, i) => ({ ...path, key: `new.${i}` }));
    const found = lookAtFiles(builtinConfig(), { now: NOW, placeOf: (path) => ({ path }), paths });
    const told = [...found.errors, ...found.notes].map(({ path }) => path);
    deepEqual(told.filter((key) => key.startsWith("new.")), ["new.0", "new.2", "new.3", "new.1"]);
  }),
);

Deno.test(
  "state files: folders that are missing, and what is no file, are told",
  inFolder(() => {
    const clock = (file: string) => `[clock]\ndrift-file = "${file}"\n`;
    deepEqual(findings(clock(`${folder}/drift`)), []);
    deepEqual(findings(clock(folder)), [
      "t:2: clock.drift-file: Wanted a file, found a directory: DIR",
    ]);
    made.push(`${folder}/pipe`);
    makePipe(`${folder}/pipe`);
    deepEqual(findings(clock(`${folder}/pipe`)), [
      "t:2: clock.drift-file: Wanted a file, found a pipe or a device: DIR/pipe",
    ]);
    made.push(`${folder}/self`, `${folder}/lost`);
    makeLink(`${folder}/self`, "self");
    makeLink(`${folder}/lost`, "none/drift");
    for (
      const key of ["clock]\ndrift-file", "keyset]\nkey-storage-path", "nts]\ncookie-storage-path"]
    ) {
      const state = (file: string) => findings(`[${key} = "${file}"\n`).join("\n");
      match(state(`${folder}/self`), /^t:2: .*: Cannot look at DIR\/self: too many .*ELOOP/);
      match(state("/proc/self/mem"), /^t:2: .*: Cannot read \/proc\/self\/mem: .*EIO/);
      match(state("/dev/null"), /^t:2: .*: Wanted a file, found a pipe or a device: \/dev\/null$/);
      match(state(`${folder}/lost`), /^note t:2: .*: The directory DIR\/none is not there/);
    }
    deepEqual(findings(clock(`${folder}/none/drift`)), [
      "note t:2: clock.drift-file: The directory DIR/none is not there (make it, unless the service does)",
    ]);
    const file = write("file", "x");
    equal(findings(`[nts]\ncookie-storage-path = "${file}/cookies"\n`).length, 1);
    deepEqual(findings(`[observability]\nstatistics-path = "${file}"\n`), [
      "t:2: observability.statistics-path: Wanted a directory, found a file: DIR/file",
    ]);
    deepEqual(findings(`[keyset]\nkey-storage-path = "/proc/sys/keys"\n`).length, 1);
    deepEqual(findings('[security]\nuser = "no-such-user-here"\n'), [
      't:2: security.user: There is no user "no-such-user-here" (useradd --system no-such-user-here)',
    ]);
  }),
);
