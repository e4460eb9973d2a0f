import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFile, removeFile, writeFileAtomic } from "../../../ffi/file/files.ts";
import { realtimeNow } from "../../../ffi/clock/clock.ts";
import { processId } from "../../../ffi/process/process.ts";
import type { SystemState } from "../../engine/status/snapshot.ts";
import { Keyset } from "../../nts/server/keyset.ts";
import { parseConfig } from "../../config/parse.ts";
import { FunctionStates } from "../observability/function_states.ts";
import { makeCertificate } from "../../../tests/support/test_certificates.ts";
import { ask, DAY, good, NOW, until } from "../../../tests/support/nts_ke_connections.ts";
import { Nts } from "./nts.ts";
import { randomSource } from "../../system/random.ts";

const HOUR = 3_600_000_000_000n;
const PATH = `/tmp/ntpsd-test-keyset-${processId()}`;

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

Deno.test("a key exchange without its certificate is closed, and one whose certificate is broken later goes on; both say why", async () => {
  const chain = `${PATH}-chain`, key = `${PATH}-key`;
  const port = freePort();
  const text = `[[nts-ke-server]]\nlisten = "127.0.0.1:${port}"\n` +
    `certificate-chain-path = "${chain}"\nprivate-key-path = "${key}"\n` +
    "[synchronization]\nlocal-stratum = 8\n";
  const parsed = parseConfig(text);
  ok(parsed.ok);
  const functions = new FunctionStates({ info: () => {}, error: () => {} });
  const states = () => functions.documents().map(({ kind, up }) => [kind, up]);
  const service = new Nts(parsed.value.config, functions);
  try {
    await service.configure(parsed.value.config);
    deepEqual(states(), [["nts-ke-server", false]]);
    match(functions.documents()[0]?.reason ?? "", /ENOENT/);
    ok(writeFileAtomic(chain, { bytes: good.certificate }).ok);
    ok(writeFileAtomic(key, { bytes: good.privateKey, mode: 0o600 }).ok);
    // It is looked at every few calls, which come about once a second.
    for (let i = 0; i < 10; i++) service.tick(() => ({ state: "starting", offsetSeconds: null }));
    await until(() => functions.documents()[0]?.up === true);
    const fault = () => functions.documents().find(({ kind }) => kind === "certificate");
    equal(fault()?.up, true);
    ok(writeFileAtomic(chain, { bytes: new Uint8Array([0]) }).ok);
    for (let i = 0; i < 2; i++) {
      await service.configure(parsed.value.config);
      deepEqual(states(), [["nts-ke-server", true], ["certificate", false]]);
      match(fault()?.reason ?? "", /-chain, .*; the old certificate stays in use$/);
    }
    ok(writeFileAtomic(chain, { bytes: good.certificate }).ok);
    await service.configure(parsed.value.config);
    deepEqual(states(), [["nts-ke-server", true], ["certificate", true]]);
    // Other files, which are not there yet, alone and with another change of the section.
    const moved = text.replace(chain, `${chain}-moved`);
    for (const other of [moved, moved.replace("listen", "concurrent-connections = 9\nlisten")]) {
      const reloaded = parseConfig(other);
      ok(reloaded.ok);
      await service.configure(reloaded.value.config);
      deepEqual(states(), [["nts-ke-server", true], ["certificate", false]]);
      match(fault()?.reason ?? "", /-chain-moved: .*ENOENT.*; the old certificate stays in use$/);
      ok((await ask(port)).ok, "it serves the old certificate");
    }
    ok(writeFileAtomic(`${chain}-moved`, { bytes: good.certificate }).ok);
    const reloaded = parseConfig(moved);
    ok(reloaded.ok);
    await service.configure(reloaded.value.config);
    deepEqual(states(), [["nts-ke-server", true], ["certificate", true]]);
    await service.configure(parsed.value.config);
    const expired = makeCertificate({
      commonName: "old",
      notBefore: NOW - DAY,
      notAfter: NOW - 60,
    });
    ok(writeFileAtomic(chain, { bytes: expired.certificate }).ok);
    ok(writeFileAtomic(key, { bytes: expired.privateKey, mode: 0o600 }).ok);
    await service.configure(parsed.value.config);
    deepEqual(states(), [["nts-ke-server", true], ["certificate", false]]);
    match(fault()?.reason ?? "", /CN=old has expired/);
    await service.configure({ ...parsed.value.config, ntsKeServers: [] });
    deepEqual(states(), []);
  } finally {
    await service.stop();
    removeFile(chain);
    removeFile(`${chain}-moved`);
    removeFile(key);
  }
});

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
