/**
 * The commands as a user types them, in each form that ntpsd is shipped in.
 *
 * @module
 */
import assert from "node:assert/strict";
import { haveProgram } from "../support/command.ts";
import { KINDS, launch, ntpsd, ntpsdWithoutClock } from "../support/ntpsd.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { needs } from "../support/needs.ts";

const setpriv = Deno.uid() === 0 && await haveProgram("setpriv");
if (!setpriv) {
  console.error("!!! Without root and setpriv the tests of missing capabilities are SKIPPED");
}

const VERSION = JSON.parse(
  await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
).version as string;

const GOOD_CONFIG = `
[[source]]
mode = "server"
address = "127.0.0.1:9"
[synchronization]
minimum-agreeing-sources = 1
`;

for (const kind of KINDS) {
  Deno.test(`${kind}: version and help go to standard output, status 0`, async () => {
    await launch(kind);
    const version = await ntpsd(["version"], { kind });
    assert.match(version.stdout, new RegExp(`^ntpsd ${VERSION.replaceAll(".", "\\.")} `));
    assert.deepEqual([version.code, version.stderr], [0, ""]);
    for (const args of [["--help"], ["run", "--help"], ["check", "--help"], ["status", "--help"]]) {
      const help = await ntpsd(args, { kind });
      assert.match(help.stdout, /^Usage: ntpsd/m, args.join(" "));
      assert.deepEqual([help.code, help.stderr], [0, ""]);
    }
  });

  Deno.test(`${kind}: wrong usage ends with 64 and names the word that was meant`, async () => {
    const command = await ntpsd(["chekc"], { kind });
    assert.deepEqual([command.code, command.stdout], [64, ""]);
    assert.match(command.stderr, /did you mean "check"/);
    const option = await ntpsd(["check", "--jsn"], { kind });
    assert.deepEqual([option.code, option.stdout], [64, ""]);
    assert.match(option.stderr, /--json/);
  });

  Deno.test(`${kind}: check tells all faults of a configuration at once, status 78`, async () => {
    await using folder = await temporaryFolder();
    const good = await folder.write("good.toml", GOOD_CONFIG);
    assert.equal((await ntpsd(["check", "-c", good], { kind })).code, 0);
    const wrong = [
      "[[source]]",
      'mode = "serve"',
      'address = "127.0.0.1"',
      "[synchronization]",
      "minimum-agreeing-source = 2",
      'step-threshold = "many"',
      "",
    ];
    const bad = await folder.write("bad.toml", wrong.join("\n"));
    const said = await ntpsd(["check", "-c", bad], { kind });
    assert.equal(said.code, 78);
    for (
      const [line, key] of [[2, "mode"], [5, "minimum-agreeing-sources"], [6, "step-threshold"]]
    ) {
      assert.match(said.stderr + said.stdout, new RegExp(`bad\\.toml:${line}\\b.*${key}`));
    }
    const json = await ntpsd(["check", "-c", bad, "--json"], { kind });
    assert.equal(json.code, 78);
    assert.equal(typeof JSON.parse(json.stdout), "object");
  });

  Deno.test(`${kind}: a file that is not there ends with 74 and its name`, async () => {
    const said = await ntpsd(["check", "-c", "/nonexistent/ntpsd.toml"], { kind });
    assert.equal(said.code, 74);
    assert.match(said.stderr, /\/nonexistent\/ntpsd\.toml/);
  });

  Deno.test(`${kind}: status and sources without a daemon say so, status 69`, async () => {
    const at = `127.0.0.1:${await freePort()}`;
    for (const command of ["status", "sources"]) {
      const said = await ntpsd([command, "--at", at], { kind });
      assert.deepEqual([said.code, said.stdout], [69, ""], command);
      assert.match(said.stderr, new RegExp(at));
    }
  });

  Deno.test(`${kind}: the daemon with a wrong configuration ends with 78`, async () => {
    await using folder = await temporaryFolder();
    const file = await folder.write("bad.toml", "[[sourc]]\n");
    const said = await ntpsd(["run", "-x", "-c", file], { kind });
    assert.equal(said.code, 78);
    assert.match(said.stderr, /source/);
  });

  Deno.test({
    name: `${kind}: --once that may not set the clock ends with 77 and names -x` +
      needs(!setpriv, "root and setpriv"),
    ignore: !setpriv,
    async fn() {
      await using folder = await temporaryFolder();
      const path = await folder.write("c.toml", GOOD_CONFIG);
      const said = await ntpsdWithoutClock(["-q", "-c", path], { kind });
      assert.equal(said.code, 77);
      assert.match(said.stderr, /--once is to set the clock.*CAP_SYS_TIME.*-x/);
    },
  });

  Deno.test({
    name: `${kind}: adjust = true without the capability ends with 77 and names it` +
      needs(!setpriv, "root and setpriv"),
    ignore: !setpriv,
    async fn() {
      await using folder = await temporaryFolder();
      const config =
        `${GOOD_CONFIG}[clock]\nadjust = true\n[observability]\nlisten = "127.0.0.1:${await freePort()}"\n`;
      const file = await folder.write("ntpsd.toml", config);
      const said = await ntpsdWithoutClock(["run", "-c", file], { kind });
      assert.equal(said.code, 77, said.stderr);
      assert.match(said.stderr, /CAP_SYS_TIME/);
    },
  });

  Deno.test({
    name:
      `${kind}: a server that may not open its port and has nothing else to do ends with 77 and names the capability` +
      needs(!setpriv, "root and setpriv"),
    ignore: !setpriv,
    async fn() {
      await using folder = await temporaryFolder();
      const config = '[[server]]\nlisten = "127.0.0.1:871"\n' +
        '[synchronization]\nlocal-stratum = 8\n[observability]\nlisten = ""\n';
      const file = await folder.write("ntpsd.toml", config);
      const without = ["net_bind_service"];
      const said = await ntpsdWithoutClock(["run", "-x", "-c", file], { kind, without });
      assert.equal(said.code, 77, said.stderr);
      assert.match(said.stderr, /CAP_NET_BIND_SERVICE/);
    },
  });
}
