/**
 * ntpsd for aarch64: what ffi/ takes for granted there, compared with a C compiler for it; the unit
 * tests of the system calls; and the executable at work, as client and server.
 *
 * Limits: those of QEMU, see `emulated_machine.ts`. What waits for a number of milliseconds, or is
 * the same on every processor, is left out: emulated, it is slow and proves nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { makeSplitProgram } from "../../tools/bundle.ts";
import { makeSelfExtracting } from "../../tools/self_extracting.ts";
import { fromFileUrl, run } from "../support/command.ts";
import { type EmulatedMachine, findEmulatedMachine } from "../support/emulated_machine.ts";
import { needs } from "../support/needs.ts";
import { follows, type Launch, ntpsd, startDaemon, startServer } from "../support/ntpsd.ts";
import { NtsPlace } from "../support/nts_place.ts";
import { freePort, temporaryFolder } from "../support/places.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const { machine, note } = await findEmulatedMachine();
const ignore = machine === undefined;
/** Emulated, everything takes ten times as long, and on a busy machine longer still. */
const PATIENCE_MS = 300_000;
const TEST = ["test", "--quiet", "--no-check", "--no-prompt"];

Deno.test({
  name: "aarch64: structures, constants and prototypes are those of its C compiler" + note +
    needs(machine?.hasCompiler === false, "a C compiler for aarch64"),
  ignore: machine?.hasCompiler !== true,
  async fn() {
    const tests = ["tests/system/ffi_layout_test.ts", "tests/system/ffi_prototypes_test.ts"];
    assert.ok(machine);
    const said = await passing(machine.enter(["deno", ...TEST, "--allow-all", ...tests]));
    assert.doesNotMatch(said, /SKIPPED: there is no gcc/);
  },
});

Deno.test({
  name: `aarch64: system calls do what their unit tests expect${note}`,
  ignore,
  async fn() {
    assert.ok(machine);
    const permissions = ["--allow-net", "--allow-ffi", "--allow-read=."];
    const tests = [...TEST, ...permissions, "tests/aarch64/unit_tests.ts"];
    const said = await passing(machine.emulate(tests));
    const passed = Number(/(\d+) passed/.exec(said)?.[1]);
    assert.ok(passed > 50, `${passed} tests`);
  },
});

Deno.test({
  name: `aarch64: the executable asks and serves, with NTS${note}`,
  ignore,
  async fn() {
    assert.ok(machine);
    await using folder = await temporaryFolder();
    const executable = await build(machine, folder.path);
    const launch = machine.enter(["env", `CACHE_DIRECTORY=${folder.path}/cache`, executable]);
    const start = (...args: string[]) => run(launch.program, { args: [...launch.args, ...args] });
    assert.match((await start("version")).stdout, /\(aarch64-linux, Deno /);

    await using place = await NtsPlace.make();
    // It is closed to all but one user, who is nobody in the namespace of the machine.
    await Deno.chmod(place.folder.path, 0o755);
    const patient = "[[nts-ke-server]]\nkey-exchange-timeout-ms = 30000";
    const served = place.server().replace("[[nts-ke-server]]", patient);
    await using server = await startServer({ config: served });
    const { stdout } = await start(
      "query",
      "--json",
      "--timeout",
      "30s",
      `127.0.0.1:${place.timePort}`,
    );
    // Emulated code is translated when it first runs: what a server says arrives late.
    const [result] = JSON.parse(stdout).results;
    assert.ok(Math.abs(result.offsetSeconds) <= result.delaySeconds / 2 + 0.001, stdout);

    const port = await freePort();
    const config = `${place.client()}[[server]]\nlisten = "127.0.0.1:${port}"\n`;
    await using daemon = await startDaemon({ launch, config });
    const status = await daemon.waitForStatus(follows, PATIENCE_MS);
    assert.deepEqual(status.sources.map(({ authentication }) => authentication), ["nts"]);
    const back = await ntpsd(["query", "--json", "--timeout", "30s", `127.0.0.1:${port}`]);
    assert.equal(JSON.parse(back.stdout).results[0].stratum, 2, back.stdout);
    const ended = await daemon.process.stop("SIGTERM", PATIENCE_MS);
    assert.equal(ended.code, 0, daemon.process.stderr);
    await server.process.stop();
  },
});

/** Runs tests, which must pass; returns what they print. */
async function passing({ program, args }: Launch): Promise<string> {
  const said = await run(program, { args, cwd: ROOT, timeoutMs: PATIENCE_MS });
  return `${said.stdout}${said.stderr}`;
}

/** Builds the executable as `deno task compile:all` does. */
async function build(target: EmulatedMachine, folder: string): Promise<string> {
  const program = `${folder}/program`;
  const output = `${folder}/ntpsd-aarch64`;
  await makeSplitProgram(program);
  await makeSelfExtracting({ runtime: target.deno, program, output });
  return output;
}
