import { deepEqual, equal, match } from "node:assert/strict";
import { parseConfig } from "./parse.ts";

/** Returns the errors of a configuration, `key: message`. */
function errors(text: string, file?: string): string[] {
  const parsed = parseConfig(text, file === undefined ? {} : { file });
  return parsed.ok
    ? []
    : parsed.error.map(({ path, line, message }) => `${line} ${path}: ${message}`);
}

const state = (drift: string, keys: string, cookies: string) =>
  `[clock]\ndrift-file = "${drift}"\n[keyset]\nkey-storage-path = "${keys}"\n[nts]\ncookie-storage-path = "${cookies}"\n`;

Deno.test("files of state with paths of their own are fine", () => {
  deepEqual(errors(state("/v/drift", "/v/keys", "/v/cookies"), "/etc/n.toml"), []);
  deepEqual(errors(state("drift", "keys", "../drift")), []);
  deepEqual(errors('[clock]\ndrift-file = "/v/d"\n[observability]\nstatistics-path = "/v"\n'), []);
});

Deno.test("one path for several files of state is told at each that is too much", () => {
  deepEqual(errors(state("./drift", "./drift", "./drift")), [
    "4 keyset.key-storage-path: The same path as that of clock.drift-file: ./drift",
    "6 nts.cookie-storage-path: The same path as that of clock.drift-file: ./drift",
  ]);
});

Deno.test("one path is known however it is written, with what is put behind it, and below a file", () => {
  const pairs: readonly (readonly [drift: string, cookies: string])[] = [
    ["drift", "./drift"],
    ["/v/drift", "/v//drift"],
    ["/v/drift", "/v/x/../drift"],
    ["/v/drift", "/../v/drift"],
    ["/v/c.time-bound", "/v/c"],
    ["/v/c.damaged", "/v/c"],
    ["/v/c", "/v/c.damaged"],
    ["/v/c.time-bound.damaged", "/v/c"],
    ["/v/drift", "/v/drift/cookies"],
    ["/v/drift/drift", "/v/drift"],
  ];
  for (const [drift, cookies] of pairs) {
    const [error, more] = errors(state(drift, "/k", cookies));
    match(error ?? "", /^6 nts\.cookie-storage-path: .*clock\.drift-file/, `${drift} ${cookies}`);
    equal(more, undefined);
  }
});

Deno.test("a path is named by its place in the text, whatever is wrong with sections before it", () => {
  const server = (listen: string, chain: string) =>
    `[[nts-ke-server]]\nlisten = ${listen}\nntp-server = "a"\nprivate-key-path = "/k"\ncertificate-chain-path = "${chain}"\n`;
  const [wrong, conflict] = errors(
    `${server("5", "/c")}${server('"0.0.0.0"', "/v/x")}[clock]\ndrift-file = "/v/x"\n`,
  );
  match(wrong ?? "", /^2 nts-ke-server\[0\]\.listen: /);
  equal(
    conflict,
    "12 clock.drift-file: The same path as that of nts-ke-server[1].certificate-chain-path: /v/x",
  );
});

Deno.test("what is read, and the configuration itself, is never written", () => {
  const drift = '[clock]\ndrift-file = "/v/x"\n';
  const readers = [
    '[keys]\nfile = "/v/x"\n',
    'leap-seconds-file = "/v/x"\n',
    '[[source]]\nmode = "nts"\naddress = "a.example"\ncertificate-authority = "/v/x"\n',
    '[[nts-ke-server]]\nlisten = "0.0.0.0:4460"\nntp-server = "a"\ncertificate-chain-path = "/v/x"\nprivate-key-path = "/v/y"\n',
    '[[nts-ke-server]]\nlisten = "0.0.0.0:4460"\nntp-server = "a"\ncertificate-chain-path = "/v/y"\nprivate-key-path = "/v/x"\n',
    '[observability]\nstatistics-path = "/v/x"\n',
  ];
  for (const reader of readers) equal(errors(drift + reader).length, 1, reader);
  match(errors(drift, "/v/x")[0] ?? "", /^2 clock\.drift-file: The same path as that of the conf/);
  deepEqual(errors(drift, "/v/y"), []);
  // one file may hold the certificate and its key: both are read
  deepEqual(
    errors(
      '[[nts-ke-server]]\nlisten = "0.0.0.0:4460"\nntp-server = "a"\ncertificate-chain-path = "/v/x"\nprivate-key-path = "/v/x"\n',
    ),
    [],
  );
});
