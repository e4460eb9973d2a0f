import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { makeDirectory, readFile, removeFile, writeFileAtomic } from "../../../ffi/file/files.ts";
import { removeAny } from "../../../tests/support/test_files.ts";
import { processId } from "../../../ffi/process/process.ts";
import { present } from "../../base/assert.ts";
import { builtinConfig } from "../../config/builtin.ts";
import type { SessionState } from "../../nts/client/session.ts";
import { configureLog } from "../../system/log.ts";
import { SessionStore } from "./cookie_file.ts";

// The C library is opened at the first use and stays open: no leak of the test that comes first.
processId();

const path = `/tmp/ntpsd-test-cookies-${processId()}`;
const lines: string[] = [];
configureLog({ level: "info", journal: false, write: (line) => lines.push(line) });

const SOURCE = present(builtinConfig().sources[0], "The built-in configuration has sources");
const STATE: SessionState = {
  aeadId: 15,
  keys: { clientToServer: new Uint8Array(32), serverToClient: new Uint8Array(32).fill(2) },
  alternativeKeys: undefined,
  cookies: [new Uint8Array(100).fill(3)],
  ntpServer: "ntp.example",
  ntpPort: 1123,
  authenticBefore: true,
};
const SAVED = new Map([[`${SOURCE.address} 192.0.2.1:1123`, STATE]]);

function octets(): number | undefined {
  const bytes = readFile(path, 1 << 20);
  return bytes.ok ? bytes.value.length : undefined;
}

function cleanUp(): void {
  for (const end of ["", ".damaged", ".time-bound", ".time-bound.damaged"]) removeFile(path + end);
  lines.length = 0;
}

Deno.test("sessions are given once, and are not on disk while they are in use", async () => {
  try {
    await new SessionStore(path).save(SAVED);
    const store = new SessionStore(path);
    deepEqual(store.take(SOURCE), [], "nothing is there before it is loaded");
    store.load();
    equal(octets(), 0);
    const address = { family: "ipv4", address: "192.0.2.1", port: 1123 };
    deepEqual(store.take(SOURCE), [{ address, state: STATE }]);
    deepEqual(store.take(SOURCE), []);
    const second = new SessionStore(path);
    second.load();
    deepEqual(second.take(SOURCE), []);
    deepEqual(lines, []);
  } finally {
    cleanUp();
  }
});

Deno.test("sessions of other sources, and of algorithms that are not wanted, are not given", async () => {
  try {
    await new SessionStore(path).save(SAVED);
    const store = new SessionStore(path);
    store.load();
    deepEqual(store.take({ ...SOURCE, address: "other.example" }), []);
    deepEqual(store.take({ ...SOURCE, aeadAlgorithms: [30] }), []);
  } finally {
    cleanUp();
  }
});

Deno.test("a damaged file is set aside and told of; a missing one is not", () => {
  try {
    new SessionStore(path).load();
    deepEqual(lines, []);
    writeFileAtomic(path, { bytes: new Uint8Array(200) });
    const store = new SessionStore(path);
    store.load();
    deepEqual(store.take(SOURCE), []);
    equal(octets(), undefined);
    match(lines.join(), /cannot be used \(wrong checksum\); it is now .*damaged/);
  } finally {
    cleanUp();
  }
});

Deno.test("the time bound is kept beside it, and damage is noticed", async () => {
  try {
    const store = new SessionStore(path);
    equal(store.readBound(), undefined);
    store.saveBound(1_795_000_000);
    store.saveBound(1_795_003_600);
    await store.settled();
    equal(new SessionStore(path).readBound(), 1_795_003_600);
    writeFileAtomic(`${path}.time-bound`, { bytes: new TextEncoder().encode("soon\n") });
    equal(store.readBound(), undefined);
    match(lines.join(), /does not hold a time; it is now/);
  } finally {
    cleanUp();
  }
});

Deno.test("without a path, or where nothing can be written, work goes on", async () => {
  const none = new SessionStore(undefined);
  none.load();
  await none.save(SAVED);
  none.saveBound(1);
  equal(none.readBound(), undefined);
  const nowhere = new SessionStore("/nonexistent/folder/cookies");
  nowhere.load();
  await nowhere.save(SAVED);
  nowhere.saveBound(1);
  nowhere.saveBound(2);
  await nowhere.settled();
  equal(
    lines.filter((line) => line.includes("Keys and cookies are not kept for the next start"))
      .length,
    1,
  );
  cleanUp();
});

Deno.test("that nothing can be saved and that it can be again are a pair of lines", async () => {
  const folder = `${path}-folder`;
  const told = () => lines.filter((line) => line.includes("for the next start"));
  const store = new SessionStore(`${folder}/cookies`);
  store.load();
  lines.length = 0;
  for (let i = 0; i < 3; i++) await store.save(SAVED);
  equal(told().length, 1);
  ok(makeDirectory(folder, 0o700).ok);
  for (let i = 0; i < 3; i++) await store.save(SAVED);
  equal(told().length, 2);
  match(told()[1] ?? "", /kept for the next start again/);
  removeFile(`${folder}/cookies`);
  removeAny(folder);
  cleanUp();
});

Deno.test("what is saved last stays, however quickly one follows the other", async () => {
  try {
    const store = new SessionStore(path);
    const aside = { ...STATE, cookies: [new Uint8Array(100).fill(9)] };
    void store.save(new Map([[`${SOURCE.address} 192.0.2.1:1123`, aside]]));
    await store.save(SAVED);
    const next = new SessionStore(path);
    next.load();
    deepEqual(next.take(SOURCE).map(({ state }) => state.cookies), [STATE.cookies]);
  } finally {
    cleanUp();
  }
});
