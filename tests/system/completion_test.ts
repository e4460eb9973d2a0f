/**
 * The completion as a shell makes it: bash is run with what the program prints.
 */
import assert from "node:assert/strict";
import { COMMANDS } from "../../src/cli/commands.ts";
import { ntpsd } from "../support/ntpsd.ts";

/** What bash offers for a line whose last word is being written. */
async function offered(script: string, words: readonly string[]): Promise<readonly string[]> {
  const code = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _ntpsd; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, code: status } = await new Deno.Command("bash", {
    args: ["--norc", "-c", code, "bash", "ntpsd", ...words],
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.equal(status, 0);
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

Deno.test("bash completes commands, options, files, levels and words of the configuration", async () => {
  const { stdout: script, code } = await ntpsd(["completion", "bash"], { kind: "bundle" });
  assert.equal(code, 0);
  assert.deepEqual(await offered(script, ["st"]), ["status"]);
  assert.deepEqual(await offered(script, [""]), [...COMMANDS.map(({ name }) => name), "help"]);
  for (const { name, options } of COMMANDS) {
    const found = await offered(script, [name, "--"]);
    for (const option of Object.keys(options)) assert.ok(found.includes(`--${option}`), name);
  }
  assert.deepEqual(
    await offered(script, ["-c", "/etc/host"]),
    await offered(script, [
      "check",
      "/etc/host",
    ]),
  );
  assert.ok((await offered(script, ["check", "/etc/hos"])).includes("/etc/hosts"));
  assert.deepEqual(await offered(script, ["--log-level", "w"]), ["warning"]);
  assert.deepEqual(await offered(script, ["help", "max-slew"]), ["max-slew-ppm"]);
  assert.deepEqual(await offered(script, ["completion", "z"]), ["zsh"]);
  assert.deepEqual(await offered(script, ["query", "--timeout", "1"]), []);
});
