/**
 * Limits, stops and missing parts of the system around a running daemon: few descriptors, little
 * memory, SIGSTOP, no /proc, a kernel that takes no filter, a cable that is pulled.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { fromFileUrl, haveProgram, run, runAny } from "../support/command.ts";
import { clientConfig } from "../support/daemon_config.ts";
import { setErrno } from "../support/failing_calls.ts";
import { startFalseServer } from "../support/false_server.ts";
import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { probe } from "../support/ntp_probe.ts";
import { launch, startDaemon } from "../support/ntpsd.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { pause, waitUntil } from "../support/wait_until.ts";
import { replaceCalls } from "../../ffi/libc.ts";
import { installSystemCallFilter } from "../../ffi/process/seccomp.ts";
import { needs } from "../support/needs.ts";

const isRoot = Deno.uid() === 0;
const ignore = !isRoot && Deno.env.get("CI") === undefined;
const hasPrlimit = await haveProgram("prlimit");

/**
 * Starts a daemon that measures, serves and shows its status, by way of a command that sets its
 * surroundings.
 */
async function startAmid(command: readonly string[], server: { address: string; port: number }) {
  const folder = await temporaryFolder();
  const http = await freePort(), ntp = await freePort();
  const config = await folder.write(
    "ntpsd.toml",
    `${clientConfig([server], 1)}
[[server]]
listen = "127.0.0.1:${ntp}"
[observability]
listen = "127.0.0.1:${http}"
`,
  );
  const start = await launch("source");
  const [program = start.program, ...args] = [...command, start.program, ...start.args];
  const process = new RunningProgram(program, { args: [...args, "run", "-x", "-c", config] });
  return {
    process,
    http,
    answers: () => probe("127.0.0.1", { port: ntp, timeoutMs: 500 }),
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

Deno.test({
  name: "with 40 descriptors, all of them in use for a while, the daemon measures and serves" +
    needs(!hasPrlimit, "prlimit"),
  ignore: !hasPrlimit,
  async fn() {
    await using server = await startFalseServer({ stratum: 1 });
    await using daemon = await startAmid(["prlimit", "--nofile=40:40"], server);
    const what = () => daemon.process.stderr;
    await waitUntil(daemon.answers, { timeoutMs: 60_000, what });
    const crowd: Deno.TcpConn[] = [];
    for (let i = 0; i < 60; i++) {
      crowd.push(await Deno.connect({ hostname: "127.0.0.1", port: daemon.http }));
    }
    const seen = server.requests;
    await waitUntil(() => server.requests > seen + 1, { timeoutMs: 60_000, what });
    await waitUntil(daemon.answers, { timeoutMs: 60_000, what });
    for (const connection of crowd) connection.close();
    await waitUntil(async () => {
      const page = await fetch(`http://127.0.0.1:${daemon.http}/metrics`).catch(() => undefined);
      await page?.body?.cancel();
      return page?.ok;
    }, { timeoutMs: 60_000, what });
    assert.equal((await daemon.process.stop()).code, 0, daemon.process.stderr);
  },
});

Deno.test("a daemon that was stopped for a while goes on where it was", async () => {
  await using server = await startFalseServer({ stratum: 1 });
  await using daemon = await startAmid([], server);
  const what = () => daemon.process.stderr;
  await waitUntil(daemon.answers, { timeoutMs: 60_000, what });
  daemon.process.signal("SIGSTOP");
  await pause(2500);
  assert.equal(await daemon.answers(), undefined);
  daemon.process.signal("SIGCONT");
  const seen = server.requests;
  await waitUntil(daemon.answers, { timeoutMs: 60_000, what });
  await waitUntil(() => server.requests > seen, { timeoutMs: 60_000, what });
  assert.equal((await daemon.process.stop()).code, 0, daemon.process.stderr);
  assert.doesNotMatch(daemon.process.stderr, /error:|bug/);
});

Deno.test({
  name: "without /proc the daemon says what it cannot do, measures and serves" +
    needs(ignore, "root"),
  ignore,
  async fn() {
    await using server = await startFalseServer({ stratum: 1 });
    const hide = ["unshare", "--mount", "sh", "-c", 'umount -l /proc; exec "$@"', "sh"];
    await using daemon = await startAmid(hide, server);
    const what = () => daemon.process.stderr;
    await waitUntil(daemon.answers, { timeoutMs: 60_000, what });
    await daemon.process.waitFor(/warning: Cannot read \/proc\/self\/cmdline/);
    await waitUntil(() => server.requests > 1, { timeoutMs: 60_000, what });
    assert.equal((await daemon.process.stop()).code, 0, daemon.process.stderr);
  },
});

Deno.test("a kernel that takes no filter of system calls says why", () => {
  for (const errno of [1, 12, 13, 14, 22, 38]) {
    const refuse = () => {
      setErrno(errno);
      return -1n;
    };
    const undo = replaceCalls({ here: { syscall: refuse, prctl: () => 0 } });
    const installed = installSystemCallFilter();
    undo();
    assert.ok(!installed.ok);
    assert.match(installed.error.message, /^Cannot .*seccomp/);
  }
});

Deno.test({
  name:
    "executable: limits on memory and files under which the runtime would crash are a sentence" +
    needs(!hasPrlimit, "prlimit"),
  ignore: !hasPrlimit,
  async fn() {
    const { program, args } = await launch("executable");
    const head = new Uint8Array(2);
    using file = await Deno.open(program);
    await file.read(head);
    // A compiled executable has no script before it; it is not made where it cannot be downloaded.
    if (new TextDecoder().decode(head) !== "#!") return;
    for (const limit of ["--data=300000000", "--as=2000000000", "--stack=1048576", "--nofile=31"]) {
      const said = await runAny("prlimit", { args: [limit, program, ...args, "version"] });
      assert.equal(said.code, 69, `${limit}: ${said.stderr}`);
      assert.match(said.stderr, /^ntpsd: The limit on /, limit);
    }
    const enough = ["--nofile=32", "--stack=2097152", program, ...args, "-x", "-c", "/dev/null"];
    const said = await runAny("prlimit", { args: enough });
    assert.deepEqual([said.code, said.stderr.split("\n").length], [74, 2], said.stderr);
  },
});

Deno.test({
  name: "a link that goes down and up, and an address that changes: told, and measured again" +
    needs(!await canMakeNamespaces(), "root and network namespaces"),
  ignore: !await canMakeNamespaces(),
  async fn() {
    await using network = await networkPair();
    const { left, right } = network;
    const program = fromFileUrl(new URL("../support/false_server.ts", import.meta.url));
    await using _server = new RunningProgram(Deno.execPath(), {
      args: ["run", "--quiet", "-P=tests", program, right.ipv4, "123", "0"],
      namespace: right.namespace,
    });
    const ip = (...args: string[]) => run("ip", { args: ["-n", left.namespace, ...args] });
    const config = clientConfig([{ address: right.ipv4 }], 1);
    await using daemon = await startDaemon({ config, namespace: left.namespace });
    let received = 0;
    const measured = async () => {
      const status = await daemon.waitForStatus((now) =>
        (now.sources[0]?.received ?? 0) > received
      );
      received = status.sources[0]?.received ?? 0;
    };
    await measured();
    await ip("link", "set", left.device, "down");
    await daemon.process.waitFor(/network is unreachable|ENETUNREACH|cannot be queried/);
    await ip("link", "set", left.device, "up");
    await measured();
    await ip("addr", "add", "192.0.2.77/24", "dev", left.device);
    await ip("addr", "del", `${left.ipv4}/24`, "dev", left.device);
    // With the first address the second of its network goes too, unless the kernel promotes it.
    await runAny("ip", {
      args: ["-n", left.namespace, "addr", "add", "192.0.2.77/24", "dev", left.device],
    });
    await measured();
    await measured();
    assert.equal((await daemon.process.stop()).code, 0, daemon.process.stderr);
  },
});
