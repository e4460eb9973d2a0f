import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { fileStatus, readFile, removeFile, writeFileAtomic } from "../../../ffi/file/files.ts";
import { processId } from "../../../ffi/process/process.ts";
import type { KeysetConfig } from "../../config/config.ts";
import { cookieLength } from "../../nts/server/cookie.ts";
import { portableAead } from "../../crypto/portable.ts";
import { Keyset } from "../../nts/server/keyset.ts";
import { CookieKeys } from "./keyset_file.ts";
import { configureLog } from "../../system/log.ts";

// The C library is opened at the first use and stays open: no leak of the test that comes first.
processId();

const DAY = 86_400n * 1_000_000_000n;
const NOW = 20_000n * DAY;
const KEYS = { clientToServer: new Uint8Array(32), serverToClient: new Uint8Array(32).fill(1) };
const path = `/tmp/ntpsd-test-keys-${processId()}`;
const lines: string[] = [];
configureLog({ level: "info", journal: false, write: (line) => lines.push(line) });

const CONFIG: KeysetConfig = {
  staleKeyCount: 2,
  keyRotationInterval: 86_400,
  keyStoragePath: path,
};

async function keeper(config: Partial<KeysetConfig> = {}, now = NOW): Promise<CookieKeys> {
  const made = new CookieKeys({ ...CONFIG, ...config }, { aead: portableAead, now });
  await made.settled();
  return made;
}

/** Returns the identifier of the key that new cookies are sealed with. */
function currentKey(of: CookieKeys): number {
  const [cookie] = of.makeCookies(15, KEYS) ?? [];
  ok(cookie);
  equal(cookie.length, cookieLength(15));
  return new DataView(cookie.buffer).getUint32(0);
}

/** Reads the number of the current key from the file. */
function keyOnDisk(): number {
  const bytes = readFile(path, 10_000);
  ok(bytes.ok);
  const keyset = Keyset.restore(bytes.value, 2);
  ok(keyset.ok);
  return keyset.value.currentId;
}

function cleanUp(): void {
  removeFile(path);
  removeFile(`${path}.damaged`);
  lines.length = 0;
}

Deno.test("keys are made, saved for their owner alone, rotated, and read again", async () => {
  try {
    const first = await keeper();
    equal(currentKey(first), 20_000);
    const status = fileStatus(path);
    equal(status.ok && status.value !== undefined, true);
    first.advance(NOW + DAY / 2n);
    await first.settled();
    equal(currentKey(first), 20_000);
    first.advance(NOW + DAY);
    await first.settled();
    deepEqual([currentKey(first), keyOnDisk()], [20_001, 20_001]);
    first.close();
    const second = await keeper({}, NOW + 5n * DAY);
    equal(currentKey(second), 20_001, "nothing is rotated before the clock is believed");
    second.advance(NOW + 5n * DAY);
    await second.settled();
    deepEqual([currentKey(second), keyOnDisk()], [20_005, 20_005]);
    second.close();
  } finally {
    cleanUp();
  }
});

Deno.test("keys that were made by a wrong clock are made anew once the clock is believed", async () => {
  try {
    const ahead = await keeper({}, NOW + 9_000n * DAY);
    ahead.advance(NOW);
    await ahead.settled();
    deepEqual([currentKey(ahead), keyOnDisk()], [20_000, 20_000]);
    match(lines.join(), /were made by a wrong clock/);
    ahead.close();
    removeFile(path);
    const behind = await keeper({}, 0n);
    equal(currentKey(behind), 0);
    behind.advance(NOW);
    await behind.settled();
    equal(currentKey(behind), 20_000);
    behind.close();
  } finally {
    cleanUp();
  }
});

Deno.test("keys of a time to come that lay on disk are kept, and told of once", async () => {
  try {
    (await keeper({}, NOW + 9_000n * DAY)).close();
    const later = await keeper();
    for (let i = 0; i < 3; i++) later.advance(NOW);
    await later.settled();
    equal(currentKey(later), 29_000);
    equal(lines.filter((line) => line.includes("dated in the future")).length, 1);
    later.close();
  } finally {
    cleanUp();
  }
});

Deno.test("a reload takes over a file that was replaced, and no other", async () => {
  try {
    const own = await keeper();
    const cookies = own.makeCookies(15, KEYS);
    own.reload(CONFIG, NOW);
    await own.settled();
    equal(lines.some((line) => line.includes("read again")), false);
    const options = { rotationInterval: 86_400, staleKeyCount: 2 };
    const random = { uint32: () => 5, fill: (bytes: Uint8Array) => void bytes.fill(7) };
    const foreign = Keyset.create(options, { now: NOW + 3n * DAY, random });
    writeFileAtomic(path, { bytes: foreign.serialise() });
    own.reload(CONFIG, NOW);
    await own.settled();
    equal(currentKey(own), 20_003);
    equal(lines.filter((line) => line.includes("read again")).length, 1);
    equal(cookies?.length, 8);
    own.close();
  } finally {
    cleanUp();
  }
});

Deno.test("a damaged file is set aside; the interval is that of the file, and told", async () => {
  try {
    writeFileAtomic(path, { bytes: new TextEncoder().encode("what is this") });
    const fresh = await keeper({ keyRotationInterval: 60 });
    match(lines.join(), /cannot be used \(not a keyset\); it is now .*damaged/);
    equal(currentKey(fresh), 20_000 * 1440);
    fresh.close();
    (await keeper()).close();
    match(lines.join(), /rotated every 60 s, as their file says/);
  } finally {
    cleanUp();
  }
});
