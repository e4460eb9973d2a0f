/** The shipped unit of systemd does what the program and the manual count on. */
import assert from "node:assert/strict";
import { EXIT } from "../../src/cli/exit_code.ts";
import { waitCommand } from "../../src/cli/status/wait.ts";
import { ROOT } from "./project.ts";

const unit = await Deno.readTextFile(`${ROOT}/dist/ntpsd.service`);

function valuesOf(key: string): readonly string[] {
  const lines = unit.split("\n").filter((line) => line.startsWith(`${key}=`));
  return lines.flatMap((line) => line.slice(key.length + 1).split(" "));
}

Deno.test("the unit does not start again what a person must look at", () => {
  const wanted = [EXIT.usage, EXIT.panic, EXIT.permission, EXIT.config].map(String);
  assert.deepEqual(valuesOf("RestartPreventExitStatus"), wanted);
});

Deno.test("the unit runs what ntpsd check looks at: the usual file, or the built-in configuration", () => {
  assert.deepEqual(valuesOf("ExecStart"), ["/usr/local/bin/ntpsd", "run"]);
});

Deno.test("a reload hands the signal over, and then fails if the file has a fault", () => {
  const lines = unit.split("\n").filter((line) => line.startsWith("ExecReload="));
  assert.deepEqual(lines, [
    "ExecReload=/bin/kill -HUP $MAINPID",
    "ExecReload=/usr/local/bin/ntpsd check",
  ]);
});

Deno.test("the unit that waits for the clock gives the command words that it knows", async () => {
  const waiting = await Deno.readTextFile(`${ROOT}/dist/ntpsd-wait.service`);
  const words = /^ExecStart=\/usr\/local\/bin\/ntpsd (.*)$/m.exec(waiting)?.[1]?.split(" ") ?? [];
  assert.equal(words[0], waitCommand.name);
  const options = words.filter((word) => word.startsWith("--")).map((word) => word.slice(2));
  assert.ok(options.length > 0 && options.every((name) => name in waitCommand.options));
});

Deno.test("names are resolved with a wrong clock too: DNSSEC is not asked for them", () => {
  assert.ok(valuesOf("Environment").includes("SYSTEMD_NSS_RESOLVE_VALIDATE=0"));
});

Deno.test("the manual lists every exit status", async () => {
  const manual = await Deno.readTextFile(`${ROOT}/docs/commands.md`);
  const listed = [...manual.matchAll(/^\| ([0-9]+) +\|/gm)].map(([, status]) => Number(status));
  assert.deepEqual(listed, Object.values(EXIT));
});
