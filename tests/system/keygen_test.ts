import assert from "node:assert/strict";
import { parseKeyFile } from "../../src/config/key_file.ts";
import { needs } from "../support/needs.ts";
import { ntpsd } from "../support/ntpsd.ts";
import { temporaryFolder } from "../support/places.ts";

Deno.test("of keys that are added to one file at the same moment none is lost", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/keys`;
  const said = await Promise.all(Array.from({ length: 6 }, () => ntpsd(["keygen", file])));
  assert.deepEqual(said.map(({ code, stderr }) => code === 0 ? 0 : stderr), Array(6).fill(0));
  const { keys, errors } = parseKeyFile(await Deno.readTextFile(file));
  assert.deepEqual(errors, []);
  assert.deepEqual([...keys.keys()].sort(), [1, 2, 3, 4, 5, 6]);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
});

Deno.test("a key is added to no file that others may read or change", async () => {
  await using folder = await temporaryFolder();
  const file = await folder.write("keys", "# ours\n");
  for (const [mode, can] of [[0o666, "read and change"], [0o644, "read"], [0o620, "change"]]) {
    await Deno.chmod(file, Number(mode));
    const said = await ntpsd(["keygen", file]);
    assert.equal(said.code, 77);
    assert.ok(said.stderr.includes(`Others can ${can} ${file}`), said.stderr);
    assert.ok(said.stderr.includes(`chmod 0600 ${file}`), said.stderr);
    assert.equal(await Deno.readTextFile(file), "# ours\n");
  }
  await Deno.chmod(file, 0o640);
  assert.equal((await ntpsd(["keygen", file])).code, 0);
});

const asRoot = { ignore: Deno.uid() !== 0 };

Deno.test(
  "root makes no key where a link of another user leads" + needs(asRoot.ignore, "root"),
  asRoot,
  async () => {
    await using folder = await temporaryFolder();
    const link = `${folder.path}/keys`, target = `${folder.path}/target`;
    await Deno.symlink(target, link);
    await new Deno.Command("chown", { args: ["-h", "4711", link] }).output();
    const said = await ntpsd(["keygen", link]);
    assert.equal(said.code, 77);
    assert.match(said.stderr, /belongs to another user/);
    await assert.rejects(Deno.lstat(target), Deno.errors.NotFound);
  },
);
