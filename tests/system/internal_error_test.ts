/**
 * What becomes of a process in which an error reaches the top.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runAny } from "../support/command.ts";
import { temporaryFolder } from "../support/places.ts";

const SRC = new URL("../../src/", import.meta.url).href;
const CONFIG = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);

/** Runs a module that is set up as the daemon is. */
async function runProgram(lines: readonly string[]) {
  const source = `
import { endOnBugs, handleBugs } from "${SRC}cli/bug.ts";
import { internalErrorCount, meetInternalError } from "${SRC}daemon/observability/internal_errors.ts";
import { configureLog, flushLog, log, drainLog } from "${SRC}system/log.ts";
import { assert } from "${SRC}base/assert.ts";
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
endOnBugs();
configureLog({ level: "info", journal: true });
handleBugs((error) => {
  if (meetInternalError(error)) return true;
  flushLog();
  return false;
});
${lines.join("\n")}
`;
  await using folder = await temporaryFolder();
  const file = await folder.write("program.ts", source);
  const flags = ["--quiet", "--no-prompt", "--allow-net", "--allow-ffi", `--config=${CONFIG}`];
  return await runAny(Deno.execPath(), { args: ["run", ...flags, file] });
}

Deno.test("a rejection, a timer and a listener that throw end their task alone", async () => {
  const said = await runProgram([
    "Promise.reject(new TypeError('of a promise\\u202e'));",
    "setTimeout(() => { throw new RangeError('of a timer'); }, 0);",
    "queueMicrotask(() => null.x);",
    "Promise.reject('no error at all');",
    "for (let i = 0; i < 400 && internalErrorCount() < 4; i++) await turn();",
    "await turn();",
    "console.log(internalErrorCount());",
    "await drainLog(1000);",
    "Deno.exit(0);",
  ]);
  assert.deepEqual([said.code, said.stdout], [0, "4\n"], said.stderr);
  assert.match(said.stderr, /TypeError: of a promise\\u202e/);
  assert.match(said.stderr, /RangeError: of a timer/);
});

Deno.test("a failed assertion ends the process, after what the log had to say", async () => {
  const said = await runProgram([
    "log.info('before');",
    "setTimeout(() => assert(false, 'Wanted one, found two'), 0);",
    "for (let i = 0; i < 400; i++) await turn();",
    "console.log('never');",
  ]);
  assert.deepEqual([said.code, said.stdout], [70, ""]);
  assert.match(said.stderr, /before\n[^]*This is a bug in ntpsd[^]*Wanted one, found two/);
});
