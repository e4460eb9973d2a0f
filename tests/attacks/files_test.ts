/**
 * Published weaknesses of files: keys, configuration, links, the removal of statistics; and of the
 * randomness behind keys.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import fc from "../support/properties.ts";
import { listFolder } from "../../ffi/file/directory.ts";
import { prepareFile } from "../../ffi/file/file_owner.ts";
import { makeLink, makePipe } from "../support/test_files.ts";
import { toHex } from "../../src/base/bytes.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { loadWithKeys } from "../../src/cli/load_config.ts";
import { readTextFile } from "../../src/cli/real_command_context.ts";
import { parseKeyFile } from "../../src/config/key_file.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { SessionStore } from "../../src/daemon/nts/cookie_file.ts";
import { StatisticsWriter } from "../../src/daemon/observability/statistics.ts";
import { exampleSource, exampleStatus } from "../support/status_example.ts";
import { randomSource } from "../../src/system/random.ts";
import { decodeCookieStore } from "../../src/nts/client/cookie_store.ts";
import { Keyset } from "../../src/nts/server/keyset.ts";
import { temporaryFolder } from "../support/places.ts";

/** 2026-11-22T02:00:00Z */
const NOW = 1_795_312_800_000_000_000n;

Deno.test("CVE-2015-7850: a key file that is a log, a device or a pipe is no endless loop", async () => {
  await using folder = await temporaryFolder();
  const config = await folder.write("ntpsd.toml", `[keys]\nfile = "${folder.path}/keys"\n`);
  const load = () => loadWithKeys(config, { readFile: readTextFile, listFolder });
  const log = "2026-11-22T02:00:00Z info: The clock is 3 us behind\n".repeat(20_000);
  await folder.write("keys", log);
  const loaded = load();
  assert.ok(!loaded.ok && loaded.error.errors.length <= 21, "so many faults and no more");
  for (const put of [(at: string) => makeLink(at, "/dev/zero"), makePipe]) {
    await Deno.remove(`${folder.path}/keys`);
    put(`${folder.path}/keys`);
    const refused = load();
    assert.match(refused.ok ? "" : refused.error.errors[0]?.message ?? "", /keys/);
  }
  await Deno.remove(`${folder.path}/keys`);
  await folder.write("keys", "1 MD5 secret\n");
  assert.equal(load().ok, true);
});

Deno.test("CVE-2021-22212: a key with # in it is the whole key, or none", () => {
  const secrets = (line: string) =>
    [...parseKeyFile(line).keys.values()].map(({ secret }) => new TextDecoder().decode(secret));
  assert.deepEqual(secrets("1 MD5 ab#cdefgh"), ["ab#cdefgh"]);
  assert.deepEqual(secrets("1 MD5 #bcdefgh"), []);
  assert.deepEqual(secrets("1 MD5 abcdefgh # comment"), ["abcdefgh"]);
  // a key of a cipher is never filled up or cut
  for (const key of ["0011", "#".repeat(16), `${"00".repeat(15)}#0`, "00".repeat(17)]) {
    assert.deepEqual(secrets(`1 AES128 HEX:${key}`), [], key);
  }
  assert.equal(secrets(`1 AES128 ASCII:${"#".repeat(16)}`)[0], "#".repeat(16));
});

Deno.test("CVE-2017-6464: no malformed configuration ends the program", () => {
  const seed = `[[source]]\nmode = "server"\naddress = "192.0.2.1"\npoll-interval-limits = ` +
    `{ min = 4, max = 10 }\n[[server]]\nlisten = "[::]:123"\n[synchronization]\n`;
  const piece = fc.constantFrom(
    "\0",
    '"',
    "'''",
    "[[",
    "]]",
    "{",
    "=",
    "\n",
    "1e999",
    "\ufeff",
    "9".repeat(400),
  );
  const mutation = fc.tuple(fc.nat(seed.length), fc.nat(8), fc.oneof(piece, fc.string()));
  const property = fc.property(fc.array(mutation, { maxLength: 6 }), (mutations) => {
    let text = seed;
    for (const [at, cut, put] of mutations) text = text.slice(0, at) + put + text.slice(at + cut);
    const parsed = parseConfig(text);
    assert.ok(parsed.ok || parsed.error.length > 0);
  });
  fc.assert(property, { numRuns: 1000 });
  assert.equal(parseConfig(seed).ok, true);
});

Deno.test("CVE-2020-14367: a link in the place of a file that root prepares is not followed", async () => {
  await using folder = await temporaryFolder();
  const target = await folder.write("target", "precious\n");
  const before = await Deno.stat(target);
  const link = `${folder.path}/drift`;
  const nobody = { name: "nobody", uid: 65_534, gid: 65_534 };
  makeLink(link, target);
  const refused = prepareFile(link, { user: nobody, mode: 0o644 });
  assert.match(refused.ok ? "" : refused.error.message, /links/);
  makeLink(`${folder.path}/made`, `${folder.path}/elsewhere`);
  assert.equal(prepareFile(`${folder.path}/made`, { user: nobody, mode: 0o644 }).ok, false);
  await assert.rejects(Deno.stat(`${folder.path}/elsewhere`), Deno.errors.NotFound);
  const after = await Deno.stat(target);
  assert.deepEqual([after.uid, after.mode, after.size], [before.uid, before.mode, before.size]);
  // the control: without a link there is a file
  assert.equal(prepareFile(`${folder.path}/plain`, { user: nobody, mode: 0o644 }).ok, true);
  assert.equal((await Deno.lstat(`${folder.path}/plain`)).isFile, true);
});

Deno.test("CVE-2016-0727: the removal of old statistics touches no other file, and nothing behind a link", async () => {
  await using folder = await temporaryFolder();
  const statistics = `${folder.path}/statistics`;
  await Deno.mkdir(statistics);
  const precious = await folder.write("precious", "precious\n");
  // 30 days before: one of ours, one that was made a link, and names that only look like ours
  await Deno.writeTextFile(`${statistics}/measurements-20261023.log`, "old\n");
  makeLink(`${statistics}/tracking-20261023.log`, precious);
  const others = [
    "measurements-20261023.log.gz",
    "x-20261023.log",
    "-rf",
    "tracking-20261023.log\n.log",
  ];
  for (const name of others) await Deno.writeTextFile(`${statistics}/${name}`, "other\n");
  const writer = new StatisticsWriter(statistics);
  writer.observe(exampleStatus({ sources: [exampleSource()] }), NOW);
  await writer.settled();
  assert.equal(writer.error, undefined);
  const left = (await Array.fromAsync(Deno.readDir(statistics))).map(({ name }) => name);
  const today = ["measurements-20261122.log", "tracking-20261122.log"];
  assert.deepEqual(left.sort(), [...others, ...today].sort());
  assert.equal(await Deno.readTextFile(precious), "precious\n", "the link is gone, not its target");
});

Deno.test("CVE-2014-9293, CVE-2014-9294, CVE-2015-3405: keys are made of as many random octets as they have, none fixed", () => {
  let drawn = 0;
  const counting = {
    uint32: () => (drawn += 4, randomSource.uint32()),
    fill: (bytes: Uint8Array) => {
      drawn += bytes.length;
      randomSource.fill(bytes);
    },
  };
  const keys = Array.from({ length: 50 }, () => {
    drawn = 0;
    const options = { rotationInterval: 86_400, staleKeyCount: 2 };
    const keyset = Keyset.create(options, { now: NOW, random: counting });
    assert.ok(drawn >= 32, `${drawn} octets`);
    return toHex(keyset.serialise());
  });
  assert.equal(new Set(keys).size, 50);
  // no octet of secret and checksum is the same in all of them
  const first = keys[0] ?? "";
  let varying = 0;
  for (let at = 0; at < first.length; at += 2) {
    if (keys.some((key) => key.slice(at, at + 2) !== first.slice(at, at + 2))) varying++;
  }
  assert.ok(varying >= 64, `${varying} octets vary`);
  // the control: what is drawn decides, so a weak source would give the same keys
  const weak = [1, 1].map((seed) =>
    toHex(
      Keyset.create({ rotationInterval: 86_400, staleKeyCount: 2 }, {
        now: NOW,
        random: new SeededRandom(seed),
      }).serialise(),
    )
  );
  assert.equal(weak[0], weak[1]);
});

Deno.test("RFC 8915 5.7 cookies: a cookie that was saved is read by one run, even if that is killed", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/cookies`;
  const state = {
    aeadId: 15,
    keys: { clientToServer: new Uint8Array(32), serverToClient: new Uint8Array(32).fill(2) },
    alternativeKeys: undefined,
    cookies: [new Uint8Array(100).fill(3)],
    ntpServer: undefined,
    ntpPort: 123,
    authenticBefore: true,
  } as const;
  await new SessionStore(path).save(new Map([["ntp.example.org 192.0.2.1:123", state]]));
  const saved = decodeCookieStore(await Deno.readFile(path));
  assert.equal(saved.ok && saved.value.size, 1);
  // a run that reads and does nothing more, as one that is killed at once
  new SessionStore(path).load();
  assert.equal((await Deno.stat(path)).size, 0);
  const damaged = decodeCookieStore(new Uint8Array(200));
  assert.equal(damaged.ok, false);
});
