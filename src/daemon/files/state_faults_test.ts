import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  fileStatus,
  makeDirectory,
  readFile,
  removeFile,
  writeFileAtomic,
} from "../../../ffi/file/files.ts";
import { processId } from "../../../ffi/process/process.ts";
import { linkTarget, makeLink, makePipe, removeAny } from "../../../tests/support/test_files.ts";
import { portableAead } from "../../crypto/portable.ts";
import type { ClockConfig } from "../../config/config.ts";
import { DriftStore } from "./drift_store.ts";
import { rootAdvice, writeAdvice } from "./file_advice.ts";
import { FunctionStates } from "../observability/function_states.ts";
import { CookieKeys } from "../nts/keyset_file.ts";
import { configureLog } from "../../system/log.ts";
import { SessionStore } from "../nts/cookie_file.ts";

const directory = `/tmp/ntpsd-state-faults-${processId()}`;
const path = `${directory}/state`;
const other = `${directory}/other`;
const lines: string[] = [];
const NOW = 1_800_000_000_000_000_000n;

function driftAt(driftFile: string): ClockConfig {
  return {
    adjust: "auto",
    driftFile,
    maxFrequency: 500,
    maxSlew: 1000,
    maxClockError: 1,
    leapSecondsFile: undefined,
  };
}

/**
 * Starts what keeps a file at the path, lets it read and write once, and returns the file that it
 * keeps there.
 */
type Run = () => Promise<void>;

const KEPT: Readonly<Record<string, { readonly run: Run; readonly end: string }>> = {
  "the drift file": {
    end: "",
    async run() {
      const store = new DriftStore(driftAt(path));
      store.read();
      store.write({ frequency: 1, skew: 0.5 });
      await store.settled();
    },
  },
  "the cookies": {
    end: "",
    async run() {
      const store = new SessionStore(path);
      store.load();
      await store.save(new Map());
    },
  },
  "the time that has passed": {
    end: ".time-bound",
    async run() {
      const store = new SessionStore(path);
      store.readBound();
      store.saveBound(1_800_000_000);
      await store.settled();
    },
  },
  "the keys for cookies": {
    end: "",
    async run() {
      const config = { staleKeyCount: 2, keyRotationInterval: 86_400, keyStoragePath: path };
      const keeper = new CookieKeys(config, { aead: portableAead, now: NOW });
      await keeper.settled();
      keeper.close();
    },
  },
};

function octets(of: string): string | undefined {
  const read = readFile(of, 1 << 22);
  return read.ok ? [...read.value].join() : undefined;
}

function kind(of: string): string | undefined {
  const status = fileStatus(of);
  return status.ok ? status.value?.kind : status.error.name;
}

async function inDirectory(use: () => Promise<void>): Promise<void> {
  configureLog({ level: "info", journal: false, write: (line) => lines.push(line) });
  ok(makeDirectory(directory, 0o700).ok);
  lines.length = 0;
  try {
    await use();
  } finally {
    for (const base of [path, `${path}.time-bound`]) {
      for (const end of ["", ".damaged", ".probe"]) removeAny(base + end);
    }
    removeFile(other);
    removeAny(directory);
  }
}

for (const [what, { run, end }] of Object.entries(KEPT)) {
  const file = path + end;

  Deno.test(`${what}: a file that is not there is made, and read again`, () =>
    inDirectory(async () => {
      await run();
      const first = octets(file);
      ok(first !== undefined);
      await run();
      deepEqual(lines.filter((line) => /cannot|not/.test(line)), []);
      equal(kind(`${file}.damaged`), undefined);
    }));

  Deno.test(`${what}: an empty file is filled, and no cause for alarm`, () =>
    inDirectory(async () => {
      ok(writeFileAtomic(file, { bytes: new Uint8Array(0) }).ok);
      await run();
      ok((octets(file) ?? "") !== "");
      deepEqual(lines.filter((line) => /warning|error/.test(line)), []);
      equal(kind(`${file}.damaged`), undefined);
    }));

  const damaged: Readonly<Record<string, (good: Uint8Array) => Uint8Array>> = {
    "cut off": (good) => good.slice(0, good.length - 1),
    "garbage": () => Uint8Array.from({ length: 200 }, (_, i) => (i * 91 + 7) & 0xff),
    "zeros": (good) => new Uint8Array(good.length),
    "one octet": () => new Uint8Array(1).fill(0x41),
    "too long": () => new Uint8Array(1 << 21).fill(0x31),
    "half of it twice": (good) =>
      new Uint8Array([...good.slice(0, good.length / 2), ...good.slice(0, good.length / 2)]),
  };
  for (const [how, make] of Object.entries(damaged)) {
    Deno.test(`${what}: damaged (${how}) is set aside, told, and made anew`, () =>
      inDirectory(async () => {
        await run();
        const good = readFile(file, 1 << 20);
        ok(good.ok);
        const bad = make(new Uint8Array(good.value));
        ok(writeFileAtomic(file, { bytes: bad }).ok);
        lines.length = 0;
        await run();
        equal(octets(`${file}.damaged`), bad.join());
        equal(lines.filter((line) => line.includes(`${file}.damaged`)).length, 1);
        ok(octets(file) !== undefined && octets(file) !== bad.join());
        lines.length = 0;
        await run();
        deepEqual(lines.filter((line) => line.includes("damaged")), []);
      }));
  }

  const unreadable: Readonly<Record<string, () => void>> = {
    "a directory": () => makeDirectory(file, 0o700),
    "a pipe": () => makePipe(file),
    "a link to itself": () => makeLink(file, file),
    "a link to a device": () => makeLink(file, "/dev/zero"),
  };
  for (const [how, make] of Object.entries(unreadable)) {
    Deno.test(`${what}: ${how} in its place is told and left as it is`, () =>
      inDirectory(async () => {
        make();
        const before = kind(file);
        await run();
        equal(kind(file), before);
        equal(kind(`${file}.damaged`), undefined);
        ok(lines.length > 0);
        match(lines.join("\n"), new RegExp(`${file}.*left as it is`));
      }));
  }

  Deno.test(`${what}: a link is followed and stays`, () =>
    inDirectory(async () => {
      makeLink(file, other);
      await run();
      ok(octets(other) !== undefined);
      await run();
      equal(linkTarget(file), other);
    }));
}

for (
  const [how, make] of Object.entries({
    "a directory": () => makeDirectory(path, 0o700),
    "a pipe": () => makePipe(path),
    "a link to a device": () => makeLink(path, "/dev/zero"),
  })
) {
  Deno.test(`the drift file: ${how} in its place counts as a function that does not work`, () =>
    inDirectory(() => {
      make();
      const functions = new FunctionStates();
      const store = new DriftStore(driftAt(path), functions);
      store.read();
      store.check();
      const [state] = functions.documents();
      equal(state?.up, false);
      match(state?.reason ?? "", new RegExp(`not kept: .*${path}.*left as it is`));
      return Promise.resolve();
    }));
}

Deno.test("the drift file: what keeps it from being written is told with its own name", () =>
  inDirectory(() => {
    const functions = new FunctionStates();
    const store = new DriftStore(driftAt(`${directory}/none/drift`), functions);
    store.read();
    store.check();
    const [state] = functions.documents();
    match(state?.reason ?? "", /Cannot write [^ ]*\/none\/drift: no such file or directory/);
    return Promise.resolve();
  }));

Deno.test("a root without CAP_DAC_OVERRIDE is told why it may not write, others the usual", () => {
  const refused = { name: "EACCES" }, key = "clock.drift-file";
  match(
    writeAdvice(refused, { key, isBoundRoot: () => true }),
    /CAP_DAC_OVERRIDE.*clock\.drift-file/,
  );
  match(
    writeAdvice(refused, { key, isBoundRoot: () => false }),
    /^make its directory.*clock\.drift-file/,
  );
  match(rootAdvice(refused, { key, isBoundRoot: () => true }) ?? "", /CAP_DAC_OVERRIDE/);
  equal(rootAdvice(refused, { key, isBoundRoot: () => false }), undefined);
  equal(rootAdvice({ name: "EISDIR" }, { key, isBoundRoot: () => true }), undefined);
  match(writeAdvice({ name: "ENOENT" }, { key, isBoundRoot: () => true }), /^make its directory/);
});
