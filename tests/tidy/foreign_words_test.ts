/**
 * What docs/configuration.md says of words of other programs: each is an error that says what to
 * write instead.
 */
import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/parse.ts";
import { ROOT } from "./project.ts";

/** The words of the left column that are commands, and so stand in no file. */
const COMMAND = /^(ntpd|chronyd) -/;

/** The words of the left column that ntpsd has as well. */
const SHARED = ["prefer", "trust", "require"];

Deno.test("each word of the table of other programs is answered, as a line and as a key", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/configuration.md`);
  const table = text.split("## From ntpd, chrony and ntpd-rs")[1]?.split("\n## ")[0] ?? "";
  const cells = table.split("\n").flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? []);
  const written = cells.flatMap((cell) => [...cell.matchAll(/`([^`]*)`/g)].map(([, word]) => word));
  assert.ok(written.length > 20, table);
  for (const line of written.filter((each = "") => !COMMAND.test(each) && !SHARED.includes(each))) {
    const [word = ""] = (line ?? "").split(" ");
    const isKey = word === "server" || word.includes("-");
    const texts = [
      ...(word.includes("-") ? [] : [`${line}\n`]),
      ...(isKey ? [] : [`${word} = 1\n`]),
    ];
    for (const each of texts) assert.equal(hintOf(each), true, each);
    if (word.includes("-")) {
      assert.equal(hintOf(`[[server]]\nlisten = "[::]:123"\n${word} = 1\n`), true);
    }
  }
});

/** Whether a text is refused for one thing, and something is written instead that is no guess. */
function hintOf(text: string): boolean {
  const read = parseConfig(text);
  const hint = read.ok ? undefined : read.error[0]?.suggestion;
  return !read.ok && read.error.length === 1 && hint !== undefined &&
    !/^known here|^write = |help configuration/.test(hint);
}
