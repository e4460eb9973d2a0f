import "../../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { configurationWords } from "../../config/reference.ts";
import { main } from "../main.ts";
import type { CommandContext } from "../command_context.ts";
import { COMMANDS } from "../commands.ts";

async function printed(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "", err = "";
  const context = { out: (text: string) => out += text, err: (text: string) => err += text };
  const code = await main(words, context as unknown as CommandContext);
  return { code, out, err };
}

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`${shell} completes every command, option, and word of the configuration`, async () => {
    const { code, out } = await printed("completion", shell);
    assert.equal(code, 0);
    for (const { name, options } of COMMANDS) {
      assert.match(out, new RegExp(`\\b${name}\\b`));
      for (const [option, { short }] of Object.entries(options)) {
        assert.match(out, new RegExp(shell === "fish" ? `-l ${option}\\b` : `--${option}\\b`));
        if (short !== undefined) assert.match(out, new RegExp(`[\\s{|)]-(s )?${short}\\b`));
      }
    }
    for (const word of configurationWords()) assert.ok(out.includes(word), word);
  });
}

Deno.test("another shell is refused with those that there are", async () => {
  const { code, out, err } = await printed("completion", "tcsh");
  assert.deepEqual([code, out], [64, ""]);
  assert.match(err, /Wanted bash, zsh, fish, found "tcsh"/);
});
