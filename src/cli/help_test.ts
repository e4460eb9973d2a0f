import assert from "node:assert/strict";
import { configurationWords } from "../config/reference.ts";
import { IDLE_CONTEXT } from "../../tests/support/idle_context.ts";
import { COMMANDS } from "./commands.ts";
import { PAGE_WIDTH } from "./display/table.ts";
import { main } from "./main.ts";

async function printed(words: readonly string[]): Promise<string> {
  let out = "";
  const code = await main(words, {
    ...IDLE_CONTEXT,
    out: (text) => out += text,
    err: (text) => assert.fail(text),
  });
  assert.equal(code, 0, words.join(" "));
  return out;
}

Deno.test("all help stays within the width of a page", async () => {
  const pages = [
    ["--help"],
    ...COMMANDS.map(({ name }) => [name, "--help"]),
    ["help", "configuration"],
    ...configurationWords().map((word) => ["help", word]),
  ];
  for (const words of pages) {
    const long = (await printed(words)).split("\n").filter((line) => line.length > PAGE_WIDTH);
    assert.deepEqual(long, [], words.join(" "));
  }
});
