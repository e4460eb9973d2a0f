import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { mayUserRead } from "../../ffi/file/file_owner.ts";
import { fileStatus, makeDirectory, writeFileAtomic } from "../../ffi/file/files.ts";
import { findUser, groupsOf } from "../../ffi/process/privileges.ts";
import { processId } from "../../ffi/process/process.ts";
import { makeLink, removeAny, setMode } from "../../tests/support/test_files.ts";

// Opened at the first use and never closed: no leak of the test that comes first.
processId();

Deno.test("who may read a file is told by its owner, its group and the folders above", () => {
  const folder = `/tmp/ntpsd-secret-files-${processId()}`, path = `${folder}/keys`;
  const link = `${folder}-link`;
  assert.ok(makeDirectory(folder, 0o755).ok);
  try {
    assert.ok(writeFileAtomic(path, { bytes: new Uint8Array(1), mode: 0o600 }).ok);
    const status = fileStatus(path);
    assert.ok(status.ok && status.value !== undefined);
    const { uid, gid } = status.value;
    const owner = { uid, groups: [] };
    const member = { uid: 54321, groups: [1, gid] };
    const stranger = { uid: 54321, groups: [54321] };
    const readers = (mode: number) => {
      setMode(path, mode);
      return [owner, member, stranger].map((user) => mayUserRead(path, user));
    };
    assert.deepEqual(readers(0o600), [true, false, false]);
    assert.deepEqual(readers(0o640), [true, true, false]);
    assert.deepEqual(readers(0o644), [true, true, true]);
    // the owner and the group have what is theirs, not what others have
    assert.deepEqual(readers(0o604), [true, false, true]);
    setMode(folder, 0o700);
    assert.deepEqual(readers(0o644), [true, false, false]);
    // nor does a link lead around the folder, or a way to it from where this process stands
    makeLink(link, path);
    const relative = `${"../".repeat(64)}${path.slice(1)}`;
    for (const other of [link, relative, `${folder}/../${path.slice("/tmp/".length)}`]) {
      assert.equal(mayUserRead(other, owner), true, other);
      assert.equal(mayUserRead(other, stranger), false, other);
    }
    setMode(folder, 0o755);
    assert.equal(mayUserRead(link, stranger), true);
    assert.equal(mayUserRead(`${folder}/none`, stranger), false);
  } finally {
    setMode(folder, 0o700);
    removeAny(link);
    removeAny(path);
    removeAny(folder);
  }
  const root = findUser("root");
  const groups = root.ok && root.value !== undefined ? groupsOf(root.value) : root;
  assert.ok(groups.ok && Array.isArray(groups.value) && groups.value.includes(0));
});
