import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { withRefusals } from "../../tests/support/failing_calls.ts";
import {
  appendToFile,
  appendToFileInBackground,
  executablePath,
  fileStatus,
  makeDirectory,
  overwriteFile,
  parentOf,
  readFile,
  readFileInBackground,
  removeFile,
  removeLeftovers,
  setFileAside,
  writeFileAtomic,
  writeFileAtomicInBackground,
} from "./files.ts";
import { cString } from "../memory.ts";
import { environmentVariable, processId } from "../process/process.ts";

// What only these tests call; the runtime's own functions would need more permissions.
const extra = Deno.dlopen("libc.so.6", {
  mkfifo: { parameters: ["buffer", "u32"], result: "i32" },
  symlink: { parameters: ["buffer", "buffer"], result: "i32" },
  opendir: { parameters: ["buffer"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
  remove: { parameters: ["buffer"], result: "i32" },
}).symbols;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function text(path: string, sizeMax = 1000): string {
  const read = readFile(path, sizeMax);
  assert.ok(read.ok, path);
  return decoder.decode(read.value);
}

function cText(path: string): Uint8Array<ArrayBuffer> {
  const name = cString(path);
  assert.ok(name !== undefined);
  return name;
}

/** Removes a directory with what is in it. */
function removeTree(path: string): void {
  const directory = extra.opendir(cText(path));
  if (directory !== null) {
    for (let entry = extra.readdir(directory); entry !== null; entry = extra.readdir(directory)) {
      // struct dirent: the name is at 19.
      const name = Deno.UnsafePointerView.getCString(entry, 19);
      if (name === "." || name === "..") continue;
      if (extra.remove(cText(`${path}/${name}`)) !== 0) removeTree(`${path}/${name}`);
    }
    extra.closedir(directory);
  }
  extra.remove(cText(path));
}

/**
 * Makes a directory of its own for a test; there is no permission for the runtime's own temporary
 * directories.
 */
function withDirectory(use: (directory: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const base = environmentVariable("TMPDIR") ?? "/tmp";
    const top = `${base}/ntpsd-files-test-${processId()}`;
    const directory = `${top}/${crypto.randomUUID()}`;
    assert.ok(makeDirectory(directory, 0o700).ok);
    try {
      await use(directory);
    } finally {
      removeTree(top);
    }
  };
}

Deno.test(
  "a file is written whole, with its mode, over the old one",
  withDirectory((directory) => {
    const path = `${directory}/state`;
    assert.ok(writeFileAtomic(path, { bytes: encoder.encode("first"), mode: 0o600 }).ok);
    assert.equal(text(path), "first");
    const first = fileStatus(path);
    assert.ok(first.ok && first.value !== undefined);
    assert.equal(first.value.mode, 0o600);
    assert.equal(first.value.size, 5);
    assert.equal(first.value.kind, "file");
    assert.ok(writeFileAtomic(path, { bytes: encoder.encode("second") }).ok);
    assert.equal(text(path), "second");
    const second = fileStatus(path);
    assert.ok(second.ok && second.value !== undefined);
    assert.equal(second.value.mode, 0o644);
    assert.notEqual(second.value.inode, first.value.inode);
    assert.ok(second.value.modified >= first.value.modified);
  }),
);

Deno.test(
  "a write that fails leaves the old file and no partial one",
  withDirectory((directory) => {
    const path = `${directory}/sub/state`;
    const missing = writeFileAtomic(path, { bytes: encoder.encode("x") });
    assert.ok(!missing.ok);
    assert.equal(missing.error.name, "ENOENT");
    assert.ok(makeDirectory(`${path}/inside`).ok);
    const overDirectory = writeFileAtomic(path, { bytes: encoder.encode("x") });
    assert.ok(!overDirectory.ok);
    assert.equal(overDirectory.error.call, "rename");
    assert.equal(overDirectory.error.name, "EISDIR");
    const partial = fileStatus(`${path}.${processId()}.new`);
    assert.ok(partial.ok && partial.value === undefined);
  }),
);

Deno.test(
  "what a killed process left behind is no obstacle, and a planted link is not followed",
  withDirectory((directory) => {
    const path = `${directory}/state`, victim = `${directory}/victim`;
    const temporary = `${path}.${processId()}.new`;
    assert.ok(writeFileAtomic(victim, { bytes: encoder.encode("precious") }).ok);
    assert.equal(extra.symlink(cText(victim), cText(temporary)), 0);
    assert.ok(writeFileAtomic(path, { bytes: encoder.encode("whole") }).ok);
    assert.equal(text(path), "whole");
    assert.equal(text(victim), "precious");
    assert.ok(appendToFile(temporary, { bytes: encoder.encode("half of a") }).ok);
    assert.ok(writeFileAtomic(path, { bytes: encoder.encode("again") }).ok);
    assert.equal(text(path), "again");
  }),
);

Deno.test(
  "the background variant does the same",
  withDirectory(async (directory) => {
    const path = `${directory}/state`;
    const bytes = new Uint8Array(300_000).fill(7);
    const written = await writeFileAtomicInBackground(path, { bytes, mode: 0o640 });
    assert.ok(written.ok);
    const read = readFile(path, 300_000);
    assert.ok(read.ok);
    assert.equal(read.value.length, 300_000);
    assert.ok(read.value.every((octet) => octet === 7));
    const status = fileStatus(path);
    assert.ok(status.ok && status.value?.mode === 0o640);
    const failed = await writeFileAtomicInBackground(`${directory}/no/state`, { bytes });
    assert.ok(!failed.ok && failed.error.name === "ENOENT");
  }),
);

Deno.test(
  "reading is bounded and tells what is wrong",
  withDirectory((directory) => {
    const path = `${directory}/file`;
    assert.ok(appendToFile(path, { bytes: encoder.encode("12345") }).ok);
    assert.ok(appendToFile(path, { bytes: encoder.encode("67890") }).ok);
    assert.equal(text(path, 10), "1234567890");
    const long = readFile(path, 9);
    assert.ok(!long.ok);
    assert.equal(long.error.name, "EFBIG");
    const missing = readFile(`${directory}/none`, 10);
    assert.ok(!missing.ok);
    assert.equal(
      missing.error.message,
      `Cannot read ${directory}/none: no such file or directory (open: ENOENT)`,
    );
    const directoryItself = readFile(directory, 10);
    assert.ok(!directoryItself.ok && directoryItself.error.name === "EISDIR");
    const zero = readFile(`${directory}/a\0b`, 10);
    assert.ok(!zero.ok && zero.error.name === "EINVAL");
    assert.ok(readFile("/proc/self/status", 100_000).ok, "files of unknown length are read");
  }),
);

Deno.test(
  "damaged files are set aside, and removing is final",
  withDirectory((directory) => {
    const path = `${directory}/drift`;
    assert.ok(appendToFile(path, { bytes: encoder.encode("nonsense") }).ok);
    assert.deepEqual(setFileAside(path), { ok: true, value: `${path}.damaged` });
    assert.equal(text(`${path}.damaged`), "nonsense");
    assert.deepEqual(fileStatus(path), { ok: true, value: undefined });
    const again = setFileAside(path);
    assert.ok(!again.ok && again.error.name === "ENOENT");
    assert.ok(removeFile(`${path}.damaged`).ok);
    assert.ok(removeFile(`${path}.damaged`).ok);
    const notOurs = makeDirectory("/proc/nonsense/x");
    assert.ok(!notOurs.ok && notOurs.error.call === "mkdir");
  }),
);

Deno.test(
  "a pipe or a device in place of a file is refused at once, here and in the background",
  withDirectory(async (directory) => {
    const pipe = `${directory}/pipe`;
    assert.equal(extra.mkfifo(cText(pipe), 0o600), 0);
    const x = encoder.encode("x");
    for (const path of [pipe, "/dev/null", "/dev/zero"]) {
      // The pipe comes first: what replaces it must not get to the devices.
      const outcomes = [
        readFile(path, 10),
        writeFileAtomic(path, { bytes: x }),
        overwriteFile(path, x),
        await writeFileAtomicInBackground(path, { bytes: x }),
        appendToFile(path, { bytes: x }),
        await readFileInBackground(path, 10),
        await appendToFileInBackground(path, x),
      ];
      for (const outcome of outcomes) {
        assert.ok(!outcome.ok);
        assert.match(outcome.error.message, /wanted a regular file, found a pipe, a socket or a/);
      }
      const status = fileStatus(path);
      assert.equal(status.ok && status.value?.kind, "other");
    }
  }),
);

Deno.test(
  "no descriptor is left open",
  withDirectory(async (directory) => {
    const { calls, left } = await withRefusals({ errno: 0, meets: () => false }, () => {
      writeFileAtomic(`${directory}/a`, { bytes: encoder.encode("x") });
      writeFileAtomic(`${directory}/none/a`, { bytes: encoder.encode("x") });
      readFile(`${directory}/a`, 0);
      readFile(`${directory}/a`, 10);
      appendToFile(`${directory}/a`, { bytes: encoder.encode("y") });
    });
    assert.ok(calls.filter((call) => call === "open").length >= 5);
    assert.equal(left, 0);
  }),
);

Deno.test(
  "what killed processes left beside a file is removed, what others write is not",
  withDirectory((directory) => {
    const path = `${directory}/state`;
    const dead = [4_194_305, 5_000_000].map((owner) => `${path}.${owner}.new`);
    const alive = ["", ".1.new", ".new", ".x.new", "s.4194305.new", ".4194305.new~"];
    for (const name of [...dead, ...alive.map((end) => path + end)]) {
      assert.ok(writeFileAtomic(name, { bytes: new Uint8Array(1) }).ok);
    }
    removeLeftovers(path);
    const isThere = (name: string) => {
      const status = fileStatus(name);
      return status.ok && status.value !== undefined;
    };
    assert.deepEqual(dead.filter(isThere), []);
    assert.deepEqual(alive.filter((end) => isThere(path + end)), alive);
    removeLeftovers(`${directory}/nothing/here`);
  }),
);

Deno.test("the directory of a path is found, however the path is written", () => {
  const parents = {
    "drift": ".",
    "./drift": ".",
    "a/drift": "a",
    "a//drift": "a",
    "../drift": "..",
    "/drift": "/",
    "//drift": "/",
    "/a/drift": "/a",
    "/a/b/": "/a",
    "/a/b//c//": "/a/b",
    "a/": ".",
    "": ".",
    "/": "/",
  };
  for (const [path, parent] of Object.entries(parents)) assert.equal(parentOf(path), parent, path);
});

Deno.test("what a killed process left beside a file with a relative path is removed", () => {
  const name = `ntpsd-test-${processId()}`, left = `${name}.4194305.new`;
  assert.ok(writeFileAtomic(left, { bytes: new Uint8Array(1) }).ok);
  try {
    removeLeftovers(name);
    assert.deepEqual(fileStatus(left), { ok: true, value: undefined });
  } finally {
    removeFile(left);
  }
});

Deno.test("the path of the program is known", () => {
  assert.deepEqual(executablePath(), { ok: true, value: Deno.execPath() });
});
