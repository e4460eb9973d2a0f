import assert from "node:assert/strict";
import { IDLE_CONTEXT } from "../../tests/support/idle_context.ts";
import { err, ok } from "../base/result.ts";
import { main } from "./main.ts";

/** Runs a command where no file can be read, no file written, and no daemon answers. */
async function runInNeed(words: readonly string[], errorName: string) {
  let out = "", complaint = "";
  const code = await main(words, {
    ...IDLE_CONTEXT,
    out: (text) => out += text,
    err: (text) => complaint += text,
    readFile: (path) =>
      path === "/wrong" ? ok("wrong") : err({ name: errorName, message: `Cannot read ${path}` }),
    appendSecret: (path) => err({ name: errorName, message: `Cannot write ${path}` }),
    random: (bytes) => bytes.fill(1),
  });
  return { code, out, complaint };
}

Deno.test("with --json a command that cannot do its work prints one document that says why", async () => {
  const cases: readonly (readonly [readonly string[], number])[] = [
    [["status"], 69],
    [["sources"], 69],
    [["clients"], 69],
    [["why"], 69],
    [["simulate", "/s.toml"], 74],
    [["simulate", "/wrong"], 78],
    [["keygen", "/keys"], 74],
    [["keygen", "/wrong"], 78],
  ];
  for (const [words, status] of cases) {
    const { code, out, complaint } = await runInNeed([...words, "--json"], "EIO");
    assert.equal(code, status, words.join(" "));
    assert.equal(typeof JSON.parse(out).error, "string");
    assert.notEqual(complaint, "");
    const plain = await runInNeed(words, "EIO");
    assert.deepEqual([plain.code, plain.out], [status, ""]);
  }
});

Deno.test("keygen ends with 77 where this user may not, as the other commands do", async () => {
  for (const name of ["EACCES", "EPERM", "EROFS"]) {
    assert.equal((await runInNeed(["keygen", "/keys"], name)).code, 77);
  }
  assert.equal((await runInNeed(["keygen", "/keys"], "ENOENT")).code, 74);
});
