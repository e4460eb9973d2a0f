import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFile, removeFile, writeFileAtomic } from "../../../ffi/file/files.ts";
import { realtimeNow } from "../../../ffi/clock/clock.ts";
import { processId } from "../../../ffi/process/process.ts";
import type { SystemState } from "../../engine/status/snapshot.ts";
import { Keyset } from "../../nts/server/keyset.ts";
import { parseConfig } from "../../config/parse.ts";
import { FunctionStates } from "../observability/function_states.ts";
import { makeCertificate, protectedKey } from "../../../tests/support/test_certificates.ts";
import { ask, DAY, good, NOW, until } from "../../../tests/support/nts_ke_connections.ts";
import { heldPort } from "../../../tests/support/places.ts";
import { Nts } from "./nts.ts";
import { randomSource } from "../../system/random.ts";

const HOUR = 3_600_000_000_000n;
const PATH = `/tmp/ntpsd-test-keyset-${processId()}`;
const PORT = await heldPort();

/**
 * The number of the newest key in the file after the service has looked at a clock in some state.
 */
async function currentKeyAfter(state: SystemState, offsetSeconds: number | null): Promise<number> {
  const old = Keyset.create({ rotationInterval: 3600, staleKeyCount: 3 }, {
    now: realtimeNow() - 2n * HOUR - HOUR / 2n,
    random: randomSource,
  });
  ok(writeFileAtomic(PATH, { bytes: old.serialise(), mode: 0o600 }).ok);
  const parsed = parseConfig(
    `[keyset]\nkey-storage-path = "${PATH}"\nkey-rotation-interval = "1h"\n` +
      "[synchronization]\nlocal-stratum = 8\n",
  );
  ok(parsed.ok);
  const { config } = parsed.value;
  const silent = { info: () => {}, error: () => {} };
  const service = new Nts(config, new FunctionStates(silent));
  await service.configure(config);
  service.tick(() => ({ state, offsetSeconds }));
  await service.stop();
  const bytes = readFile(PATH, 65_536);
  ok(bytes.ok);
  removeFile(PATH);
  const kept = Keyset.restore(bytes.value, 3);
  ok(kept.ok);
  return kept.value.currentId - old.currentId;
}

Deno.test({
  name:
    "keys for cookies are rotated while the clock is right, on an isolated network too, and else not",

  async fn() {
    // What an isolated server with local-stratum says of itself is "synchronized", see
    // engine/local_reference_test.ts.
    for (const state of ["synchronized", "holdover", "monitoring"] as const) {
      ok(await currentKeyAfter(state, 0) >= 2, state);
    }
    for (const state of ["starting", "unsynchronized"] as const) {
      equal(await currentKeyAfter(state, null), 0, state);
    }
  },
});

/** A key exchange of the daemon, whose files the test writes. */
class KeyExchangePlace implements AsyncDisposable {
  readonly chain = `${PATH}-chain`;
  readonly key = `${PATH}-key`;
  readonly port = PORT;
  readonly text = `[[nts-ke-server]]\nlisten = "127.0.0.1:${this.port}"\n` +
    `certificate-chain-path = "${this.chain}"\nprivate-key-path = "${this.key}"\n` +
    "[synchronization]\nlocal-stratum = 8\n";
  readonly functions = new FunctionStates({ info: () => {}, error: () => {} });
  readonly service = new Nts(configOf(this.text), this.functions);

  /** Which parts work. */
  get states() {
    return this.functions.documents().map(({ kind, up }) => [kind, up]);
  }

  /** What is told of the certificate. */
  get certificate() {
    return this.functions.documents().find(({ kind }) => kind === "certificate");
  }

  writeFiles({ certificate, privateKey }: { certificate: Uint8Array; privateKey: Uint8Array }) {
    this.write(this.chain, certificate);
    this.write(this.key, privateKey);
  }

  write(file: string, bytes: Uint8Array) {
    ok(writeFileAtomic(file, { bytes: Uint8Array.from(bytes), mode: 0o600 }).ok);
  }

  async reload(text = this.text) {
    await this.service.configure(configOf(text));
  }

  async [Symbol.asyncDispose]() {
    await this.service.stop();
    for (const file of [this.chain, this.key, `${this.chain}-moved`]) removeFile(file);
  }
}

function configOf(text: string) {
  const parsed = parseConfig(text);
  ok(parsed.ok);
  return parsed.value.config;
}

const WORKS = [["nts-ke-server", true], ["certificate", true]];
const OLD_CERTIFICATE = [["nts-ke-server", true], ["certificate", false]];

Deno.test("a key exchange without its certificate is closed, and one whose certificate is broken later goes on; both say why", async () => {
  await using place = new KeyExchangePlace();
  const { functions, service } = place;
  await place.reload();
  deepEqual(place.states, [["nts-ke-server", false]]);
  match(functions.documents()[0]?.reason ?? "", /ENOENT/);
  place.writeFiles(good);
  // It is looked at every few calls, which come about once a second.
  for (let i = 0; i < 10; i++) service.tick(() => ({ state: "starting", offsetSeconds: null }));
  await until(() => functions.documents()[0]?.up === true);
  equal(place.certificate?.up, true);
  place.write(place.chain, new Uint8Array([0]));
  for (let i = 0; i < 2; i++) {
    await place.reload();
    deepEqual(place.states, OLD_CERTIFICATE);
    match(
      place.certificate?.reason ?? "",
      /found none: .*-chain; the old certificate stays in use$/,
    );
  }
  place.writeFiles(good);
  await place.reload();
  deepEqual(place.states, WORKS);
  place.writeFiles(makeCertificate({
    commonName: "old",
    notBefore: NOW - DAY,
    notAfter: NOW - 60,
  }));
  await place.reload();
  deepEqual(place.states, OLD_CERTIFICATE);
  match(place.certificate?.reason ?? "", /CN=old has expired/);
  await service.configure({ ...configOf(place.text), ntsKeServers: [] });
  deepEqual(place.states, []);
});

Deno.test("a reload that names files which are no good leaves the old certificate in use", async () => {
  await using place = new KeyExchangePlace();
  place.writeFiles(good);
  await place.reload();
  const moved = place.text.replace(place.chain, `${place.chain}-moved`);
  // Alone, and with another change of the section.
  for (const text of [moved, moved.replace("listen", "concurrent-connections = 9\nlisten")]) {
    await place.reload(text);
    deepEqual(place.states, OLD_CERTIFICATE);
    const { reason = "" } = place.certificate ?? {};
    match(reason, /-chain-moved: .*ENOENT.*; the old certificate stays in use$/);
    ok((await ask(place.port)).ok, "it serves the old certificate");
  }
  place.write(`${place.chain}-moved`, good.certificate);
  await place.reload(moved);
  deepEqual(place.states, WORKS);
});

Deno.test("a key that becomes protected by a pass phrase is one sentence", async () => {
  await using place = new KeyExchangePlace();
  place.writeFiles(good);
  await place.reload();
  place.write(place.key, protectedKey(good, "secret"));
  await place.reload();
  equal(
    place.certificate?.reason,
    "The private key is protected by a pass phrase, which a daemon cannot ask for: " +
      `${place.key}; write it without by "openssl pkey -in FILE -out NEW-FILE"; ` +
      "the old certificate stays in use",
  );
});
