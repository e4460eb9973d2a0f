import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { isLedByRoot, mayUserRead, prepareFile, prepareFolder } from "../../ffi/file/file_owner.ts";
import { writeFileAtomic } from "../../ffi/file/files.ts";
import { heldFile, releaseFiles, throughHeldFolder } from "../../ffi/file/held_files.ts";
import { holdFolder } from "../../ffi/file/file_owner.ts";
import { temporaryFolder } from "../support/places.ts";
import { needs } from "../support/needs.ts";

const USER = { name: "nobody", uid: 65534, gid: 65534 };
const THIRD = 4711;
const asRoot = { ignore: Deno.uid() !== 0 };

async function ownerOf(path: string): Promise<number | null> {
  return (await Deno.lstat(path)).uid;
}

Deno.test(
  "a missing folder is made for the user, one of root or of others is left" +
    needs(asRoot.ignore, "root"),
  asRoot,
  async () => {
    await using folder = await temporaryFolder();
    const made = `${folder.path}/above/state`;
    assert.deepEqual(prepareFolder(made, USER), { ok: true, value: true });
    assert.equal(await ownerOf(made), USER.uid);
    assert.equal(await ownerOf(`${folder.path}/above`), 0);
    assert.equal((await Deno.stat(made)).mode! & 0o777, 0o750);
    assert.deepEqual(prepareFolder(made, USER), { ok: true, value: true });
    assert.deepEqual(prepareFolder(folder.path, USER), { ok: true, value: false });
    assert.equal(await ownerOf(folder.path), 0);
  },
);

Deno.test(
  "the program's own folder is handed over with its plain files, and nothing else" +
    needs(asRoot.ignore, "root"),
  asRoot,
  async () => {
    const above = await Deno.makeTempDir({ dir: "/run", prefix: "ntpsd-test-" });
    try {
      const own = `${above}/ntpsd`;
      await Deno.mkdir(`${own}/inside`, { recursive: true });
      await Deno.writeTextFile(`${own}/drift`, "1 1\n");
      await Deno.writeTextFile(`${above}/precious`, "");
      await Deno.symlink(`${above}/precious`, `${own}/link`);
      await Deno.link(`${above}/precious`, `${own}/second-name`);
      await Deno.writeTextFile(`${own}/theirs`, "");
      await Deno.chown(`${own}/theirs`, THIRD, THIRD);
      assert.deepEqual(prepareFolder(own, USER), { ok: true, value: true });
      assert.equal(await ownerOf(own), USER.uid);
      assert.equal(await ownerOf(`${own}/drift`), USER.uid);
      assert.equal(await ownerOf(`${own}/theirs`), THIRD);
      for (const path of [`${above}/precious`, `${own}/second-name`, `${own}/inside`, above]) {
        assert.equal(await ownerOf(path), 0, path);
      }
    } finally {
      await Deno.remove(above, { recursive: true });
    }
  },
);

Deno.test(
  "a link with the name of the program's own folder hands over nothing of where it leads" +
    needs(asRoot.ignore, "root"),
  asRoot,
  async () => {
    const above = await Deno.makeTempDir({ dir: "/run", prefix: "ntpsd-test-" });
    try {
      const victim = `${above}/etc`;
      await Deno.mkdir(victim);
      await Deno.writeTextFile(`${victim}/shadow`, "");
      await Deno.symlink(victim, `${above}/ntpsd`);
      assert.deepEqual(prepareFolder(`${above}/ntpsd`, USER), { ok: true, value: false });
      for (const path of [victim, `${victim}/shadow`]) assert.equal(await ownerOf(path), 0, path);
    } finally {
      await Deno.remove(above, { recursive: true });
    }
  },
);

Deno.test(
  "root is led by links of its own alone, wherever on the way they are" +
    needs(asRoot.ignore, "root"),
  asRoot,
  async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => `${folder.path}/${name}`;
    await Deno.mkdir(at("place/deep"), { recursive: true });
    await Deno.symlink("place", at("own"));
    await Deno.symlink(at("place"), at("theirs"));
    await Deno.symlink("theirs", at("by-own"));
    await Deno.symlink("circle", at("circle"));
    await new Deno.Command("chown", { args: ["-h", `${THIRD}`, at("theirs")] }).output();
    const led = ["place/deep", "own/deep", "own/../place", "own/missing/more", "missing"];
    for (const name of led) assert.equal(isLedByRoot(at(name)), true, name);
    for (const name of ["theirs", "theirs/deep", "by-own/deep", "place/../theirs", "circle"]) {
      assert.equal(isLedByRoot(at(name)), false, name);
    }
    assert.equal(isLedByRoot("relative/./place"), true);
  },
);

Deno.test(
  "root writes where links of its own lead, and replaces those of others" +
    needs(asRoot.ignore, "root"),
  asRoot,
  async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => `${folder.path}/${name}`;
    for (const name of ["own", "theirs"]) {
      await folder.write(`${name}-target`, "old");
      await Deno.symlink(at(`${name}-target`), at(name));
    }
    await new Deno.Command("chown", { args: ["-h", `${THIRD}`, at("theirs")] }).output();
    const bytes = new TextEncoder().encode("new");
    for (const name of ["own", "theirs"]) {
      assert.equal(writeFileAtomic(at(name), { bytes, mode: 0o600 }).ok, true);
      assert.equal(await Deno.readTextFile(at(name)), "new");
    }
    assert.equal(await Deno.readTextFile(at("own-target")), "new");
    assert.equal(await Deno.readTextFile(at("theirs-target")), "old");
  },
);

Deno.test(
  "a file is made or handed over, and held; links and others' files are not touched" +
    needs(asRoot.ignore, "root"),
  asRoot,
  async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => `${folder.path}/${name}`;
    await folder.write("theirs", "");
    await Deno.chown(at("theirs"), THIRD, THIRD);
    await Deno.symlink(at("target"), at("link"));
    await folder.write("old", "text");
    for (const name of ["new", "old", "theirs", "link"]) {
      prepareFile(at(name), { user: USER, mode: 0o600 });
    }
    assert.equal(await ownerOf(at("new")), USER.uid);
    assert.equal(await ownerOf(at("old")), USER.uid);
    assert.equal(heldFile(at("old"))?.purpose, "write");
    assert.equal(heldFile(at("theirs")), undefined);
    assert.equal(heldFile(at("link")), undefined);
    await assert.rejects(Deno.lstat(at("target")));
    await Deno.remove(at("old"));
    assert.equal(
      heldFile(at("old")),
      undefined,
      "what has gone from its folder counts for nothing",
    );
    releaseFiles(() => false);
    assert.equal(heldFile(at("new")), undefined);
  },
);

Deno.test("paths in a held folder lead through its descriptor, and others do not", async () => {
  await using folder = await temporaryFolder();
  holdFolder(folder.path);
  assert.match(throughHeldFolder(`${folder.path}/a/b`), /^\/proc\/self\/fd\/\d+\/a\/b$/);
  assert.match(throughHeldFolder(folder.path), /^\/proc\/self\/fd\/\d+$/);
  assert.equal(throughHeldFolder(`${folder.path}x/a`), `${folder.path}x/a`);
  releaseFiles(() => false);
  assert.equal(throughHeldFolder(folder.path), folder.path);
});

Deno.test("a file is open to all if it and every folder above is", async () => {
  await using folder = await temporaryFolder();
  const file = await folder.write("file", "");
  const user = { uid: Deno.uid() === USER.uid ? THIRD : USER.uid, groups: [] };
  assert.equal(mayUserRead(file, user), false);
  await Deno.chmod(folder.path, 0o711);
  assert.equal(mayUserRead(file, user), true);
  await Deno.chmod(file, 0o640);
  assert.equal(mayUserRead(file, user), false);
  assert.equal(mayUserRead(`${folder.path}/none`, user), false);
});
