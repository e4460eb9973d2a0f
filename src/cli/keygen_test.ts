import assert from "node:assert/strict";
import { IDLE_CONTEXT } from "../../tests/support/idle_context.ts";
import { err, ok } from "../base/result.ts";
import { parseKeyFile } from "../config/key_file.ts";
import { keygenCommand } from "./keygen.ts";

/** Runs the command over files that are kept here. */
async function keygen(
  files: Map<string, string>,
  { operands = [], options = {} }: {
    readonly operands?: readonly string[];
    readonly options?: Readonly<Record<string, string | boolean | undefined>>;
  } = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = "", errors = "", drawn = 0;
  const code = await keygenCommand.run({ operands, options }, {
    ...IDLE_CONTEXT,
    out: (text) => out += text,
    err: (text) => errors += text,
    readFile: (path) =>
      files.has(path)
        ? ok(files.get(path) ?? "")
        : err({ name: "ENOENT", message: `Cannot read ${path}` }),
    appendSecret: (path, text) => ok(void files.set(path, `${files.get(path) ?? ""}${text}`)),
    random: (bytes) => bytes.fill(++drawn),
  });
  return { code, out, err: errors };
}

Deno.test("keygen prints a line that chrony's and our own parser take for the same key", async () => {
  for (const type of ["AES128", "AES256", "SHA1", "SHA256", "SHA384", "SHA512", "MD5"]) {
    for (const ntpd of [false, true]) {
      const said = await keygen(new Map(), { options: { type, ntpd, id: "7" } });
      assert.equal(said.code, 0, said.err);
      const { keys, errors } = parseKeyFile(said.out);
      assert.deepEqual(errors, []);
      const key = keys.get(7);
      assert.equal(key?.type, type.toLowerCase());
      assert.ok((key?.secret.length ?? 0) >= 16 && key?.secret.every((octet) => octet === 1));
    }
  }
});

Deno.test("keygen adds the next free number to a file, and keeps what is there", async () => {
  const files = new Map([["keys", "# ours\n1 MD5 HEX:00112233445566778899aabbccddeeff"]]);
  assert.equal((await keygen(files, { operands: ["keys"] })).code, 0);
  assert.equal((await keygen(files, { operands: ["keys"], options: { type: "sha256" } })).code, 0);
  const text = files.get("keys") ?? "";
  assert.match(text, /^# ours\n1 MD5 HEX:0011.*\n2 AES128 HEX:[01]+\n3 SHA256 HEX:[01]+\n$/);
  const made = await keygen(files, { operands: ["new"], options: { json: true } });
  assert.deepEqual(JSON.parse(made.out), { id: 1, type: "AES128", file: "new" });
});

Deno.test("keygen refuses what cannot be, and then writes nothing", async () => {
  const files = new Map([["keys", "1 MD5 HEX:00112233445566778899aabbccddeeff\nnonsense\n"]]);
  const before = files.get("keys");
  const refused = await keygen(files, { operands: ["keys"] });
  assert.equal(refused.code, 78);
  assert.match(refused.err, /keys:2: /);
  assert.equal(files.get("keys"), before);
  for (const options of [{ type: "DES" }, { id: "0" }, { id: "x" }, { id: "4294967296" }]) {
    assert.equal((await keygen(files, { options })).code, 64, JSON.stringify(options));
  }
  assert.equal((await keygen(files, { options: { id: "65536", ntpd: true } })).code, 64);
  files.set("good", "5 SHA1 HEX:00\n");
  assert.equal((await keygen(files, { operands: ["good"], options: { id: "5" } })).code, 64);
});

Deno.test("keygen says to root what the service needs, and nothing where it may read the file", async () => {
  for (const paths of [["/k"], []]) {
    for (const json of [true, false]) {
      let out = "", said = "";
      const files = new Map<string, string>();
      const code = await keygenCommand.run({ operands: ["/k"], options: { json } }, {
        ...IDLE_CONTEXT,
        out: (text) => out += text,
        err: (text) => said += text,
        readFile: (path) => {
          const text = files.get(path);
          return text === undefined ? err({ name: "ENOENT", message: path }) : ok(text);
        },
        appendSecret: (path, text) => ok(void files.set(path, text)),
        closedToService: () => Promise.resolve({ user: "ntpsd", paths }),
        random: (bytes) => bytes.fill(1),
      });
      assert.equal(code, 0);
      assert.equal(out.split("\n").length, 2);
      assert.equal(/chown root:ntpsd \/k && chmod 640 \/k/.test(said), paths.length > 0);
    }
  }
});
