/**
 * The real chronyc against a running daemon: what it prints is what the status says, and what would
 * change anything is refused.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startChronyd } from "../support/chronyd.ts";
import { type CommandResult, runAny } from "../support/command.ts";
import { endpoint } from "../support/daemon_config.ts";
import { findPeer } from "../support/debian_packages.ts";
import { follows, startDaemon } from "../support/ntpsd.ts";
import { freePort } from "../support/places.ts";

const chronyd = await findPeer("chronyd");

Deno.test({
  name: "chronyc reads the clock, the sources and the server, and changes nothing",
  ignore: chronyd === undefined,
  async fn() {
    assert.ok(chronyd);
    await using server = await startChronyd(chronyd, { stratum: 4 });
    const port = await freePort();
    await using daemon = await startDaemon({
      config: `
        [[source]]
        mode = "server"
        address = "${endpoint(server)}"
        initial-poll-interval = 0
        poll-interval-limits = { min = 0, max = 4 }
        [[source]]
        mode = "server"
        address = "no-such-name.invalid"
        [synchronization]
        minimum-agreeing-sources = 1
        [control]
        chronyc = "127.0.0.1:${port}"
      `,
    });
    const status = await daemon.waitForStatus((status) => follows(status, 4));
    const program = chronyd.program.replace(/sbin\/chronyd$/, "bin/chronyc");
    const chronyc = (...words: readonly string[]): Promise<CommandResult> =>
      runAny(program, {
        args: ["-n", "-h", "127.0.0.1", "-p", `${port}`, ...words],
        env: chronyd.env,
        timeoutMs: 60_000,
      });
    const csv = async (...words: readonly string[]) => {
      const said = await chronyc("-c", ...words);
      assert.equal(said.code, 0, `${words}: ${said.stdout}${said.stderr}`);
      return said.stdout.trimEnd().split("\n").map((line) => line.split(","));
    };

    const [tracking = []] = await csv("tracking");
    assert.equal(tracking[0], "7F000001");
    assert.equal(tracking[1], "127.0.0.1");
    assert.equal(tracking[2], `${status.stratum}`);
    assert.ok(Math.abs(Number(tracking[4])) < 0.01, `system time ${tracking[4]}`);
    assert.equal(tracking.at(-1), "Normal");

    const [followed = [], unresolved = []] = await csv("sources", "-a");
    assert.deepEqual(followed.slice(0, 4), ["^", "*", "127.0.0.1", "4"]);
    assert.equal(unresolved[1], "?");
    const [statistics = []] = await csv("sourcestats");
    assert.ok(Number(statistics[1]) >= 4, "the samples are counted");
    const [data = []] = await csv("ntpdata");
    assert.equal(data[0], "127.0.0.1");
    assert.equal(data[2], `${server.port}`);
    const [selected = []] = await csv("selectdata");
    assert.equal(selected[0], "*");
    assert.deepEqual(await csv("activity"), [["1", "0", "0", "0", "1"]]);
    assert.deepEqual(await csv("sourcename", "127.0.0.1"), [["127.0.0.1"]]);
    await csv("authdata");
    await csv("serverstats");
    const synchronised = await chronyc("waitsync", "1");
    assert.equal(synchronised.code, 0, synchronised.stdout);

    for (const words of [["makestep"], ["burst", "1/1"], ["add", "server", "192.0.2.1"]]) {
      const refused = await chronyc(...words);
      assert.equal(refused.code, 1, `${words}`);
      assert.match(refused.stdout, /50[12] /, `${words}`);
    }
  },
});
