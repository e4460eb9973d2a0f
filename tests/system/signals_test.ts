/**
 * Signals that come too early, that mean nothing, or that come to process 1.
 *
 * @module
 */
import assert from "node:assert/strict";
import { clientConfig } from "../support/daemon_config.ts";
import { startFalseServer } from "../support/false_server.ts";
import { haveProgram, runAny } from "../support/command.ts";
import { launch } from "../support/ntpsd.ts";
import { temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { PATIENCE_MS, pause, waitUntil } from "../support/wait_until.ts";
import { needs } from "../support/needs.ts";

const NO_STATUS = '[observability]\nlisten = ""\n';
const isRoot = Deno.uid() === 0 && await haveProgram("unshare");
const ignore = !isRoot && Deno.env.get("CI") === undefined;

Deno.test("signals that mean nothing are told of and end nothing; SIGQUIT ends in order", async () => {
  await using server = await startFalseServer({ stratum: 1 });
  await using folder = await temporaryFolder();
  const config = await folder.write("ntpsd.toml", clientConfig([server], 1) + NO_STATUS);
  const { program, args } = await launch("source");
  await using daemon = new RunningProgram(program, { args: [...args, "run", "-x", "-c", config] });
  await waitUntil(() => server.requests > 0, { timeoutMs: 60_000, what: () => daemon.stderr });
  for (const signal of ["SIGUSR2", "SIGALRM", "SIGPIPE", "SIGIO"] as const) daemon.signal(signal);
  for (const number of [32, 33, 34, 64]) {
    await runAny("kill", { args: [`-${number}`, `${daemon.pid}`] });
  }
  await daemon.waitFor(/SIGUSR2 was received and ignored/);
  await daemon.waitFor(/SIGALRM was received/);
  const seen = server.requests;
  await waitUntil(() => server.requests > seen, { timeoutMs: 60_000, what: () => daemon.stderr });
  const ended = await daemon.stop("SIGQUIT");
  assert.deepEqual([ended.code, ended.signal], [0, null], daemon.stderr);
});

Deno.test({
  name: "one SIGTERM is enough at any moment of the start, and of the start again as another user" +
    needs(ignore, "root"),
  ignore,
  async fn() {
    await using folder = await temporaryFolder();
    const config = await folder.write("ntpsd.toml", NO_STATUS);
    const { program, args } = await launch("source");
    const endsAt = async (milliseconds: number) => {
      await using daemon = new RunningProgram(program, {
        args: [...args, "run", "-x", "-c", config],
      });
      await pause(milliseconds);
      daemon.signal("SIGTERM");
      // before it is ready it may end by the signal itself
      const deadline = setTimeout(() => daemon.signal("SIGKILL"), PATIENCE_MS);
      const { code } = await daemon.status;
      clearTimeout(deadline);
      assert.ok([0, 143].includes(code), `${code} after ${milliseconds} ms: ${daemon.stderr}`);
    };
    for (let batch = 0; batch < 4; batch++) {
      const moments = [0, 1, 2, 3].map((one) => 60 + 100 * one + 25 * batch);
      await Promise.all(moments.map(endsAt));
    }
  },
});

Deno.test({
  name: "executable: in the first moments no signal but those that are to end it ends it" +
    needs(ignore, "root"),
  ignore,
  fn: earlySignals,
});

async function earlySignals(): Promise<void> {
  await using server = await startFalseServer({ stratum: 1 });
  await using folder = await temporaryFolder();
  const config = await folder.write("ntpsd.toml", clientConfig([server], 1) + NO_STATUS);
  const { program, args } = await launch("executable");
  await using daemon = new RunningProgram(program, { args: [...args, "run", "-x", "-c", config] });
  // From the first lines of the script to the daemon that runs; the very first moment is that of
  // the shell.
  await waitUntil(() => heedsHangup(daemon.pid), {
    timeoutMs: 60_000,
    everyMs: 1,
    what: () => "SIGHUP to be ignored, blocked or caught",
  });
  const signals = ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM"] as const;
  const timer = setInterval(() => signals.forEach((signal) => daemon.signal(signal)), 20);
  try {
    await waitUntil(() => server.requests > 0 || daemon.over, {
      timeoutMs: 60_000,
      what: () => daemon.stderr,
    });
  } finally {
    clearInterval(timer);
  }
  assert.equal(daemon.over, false, daemon.stderr);
  const ended = await daemon.stop();
  assert.equal(ended.code, 0, daemon.stderr);
}

Deno.test({
  name: "executable: process 1 heeds an early SIGTERM, and leaves no zombie of others" +
    needs(ignore, "root"),
  ignore,
  async fn() {
    await using server = await startFalseServer({ stratum: 1 });
    await using folder = await temporaryFolder();
    const config = await folder.write("ntpsd.toml", clientConfig([server], 1) + NO_STATUS);
    const { program, args } = await launch("executable");
    const words = [program, ...args, "run", "-x", "-c", config];
    const start = () =>
      new RunningProgram("unshare", {
        args: ["--pid", "--fork", "--mount-proc", "--kill-child", ...words],
      });
    await using early = start();
    // Again and again, because before the shell has read its first lines nobody can heed it.
    const timer = setInterval(() => void signalChild(early, "TERM"), 20);
    const status = await early.status;
    clearInterval(timer);
    assert.equal(server.requests, 0, "it ended before it did anything");
    assert.ok([0, 143].includes(status.code), `${status.code}: ${early.stderr}`);

    await using daemon = start();
    await waitUntil(() => server.requests > 0, { timeoutMs: 60_000, what: () => daemon.stderr });
    const first = await childOf(daemon.pid);
    // An orphan of the namespace becomes a child of its process 1, and ends there.
    const orphan = ["-t", first, "-p", "-m", "sh", "-c", "(sleep 0.1 & exec true) & wait"];
    assert.equal((await runAny("nsenter", { args: orphan })).code, 0);
    const children = () => Deno.readTextFile(`/proc/${first}/task/${first}/children`);
    await waitUntil(async () => (await children()).trim() === "", {
      timeoutMs: 60_000,
      what: () => "no child",
    });
    await signalChild(daemon, "TERM");
    assert.equal((await daemon.status).code, 0, daemon.stderr);
  },
});

Deno.test({
  name: "container: one SIGTERM is enough at any moment of process 1" + needs(ignore, "root"),
  ignore,
  async fn() {
    await using folder = await temporaryFolder();
    const config = await folder.write("ntpsd.toml", NO_STATUS);
    const words = await entryPoint();
    const endsAt = async (milliseconds: number) => {
      await using daemon = new RunningProgram("unshare", {
        args: ["--pid", "--fork", "--mount-proc", "--kill-child", ...words, "-x", "-c", config],
      });
      const first = await childOf(daemon.pid);
      const runtime = await Deno.realPath(Deno.execPath());
      const runs = () =>
        Deno.readLink(`/proc/${first}/exe`).then((to) => to === runtime, () => false);
      await waitUntil(runs, { timeoutMs: 60_000, everyMs: 1, what: () => "the runtime" });
      await pause(milliseconds);
      await signalChild(daemon, "TERM");
      const deadline = setTimeout(() => void signalChild(daemon, "KILL"), PATIENCE_MS);
      const { code } = await daemon.status;
      clearTimeout(deadline);
      assert.equal(code, 0, `after ${milliseconds} ms: ${daemon.stderr}`);
    };
    await Promise.all([0, 20].map(endsAt));
    await Promise.all([150, 250, 350, 450].map(endsAt));
  },
});

/** The words that start the program in a container, with this runtime and this bundle. */
async function entryPoint(): Promise<readonly string[]> {
  const file = await Deno.readTextFile(new URL("../../dist/Containerfile", import.meta.url));
  const list = /^ENTRYPOINT (\[.*\])$/ms.exec(file)?.[1]?.replaceAll("\\\n", "") ?? "[]";
  const { program, args } = await launch("bundle");
  return (JSON.parse(list) as string[]).map((word) =>
    word === "/usr/lib/ntpsd/deno" ? program : word.endsWith("/ntpsd.js") ? args.at(-1) ?? "" : word
  );
}

/** Whether SIGHUP, the lowest bit, would not end a process by itself. */
async function heedsHangup(pid: number): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const masks = [...status.matchAll(/^Sig(?:Blk|Ign|Cgt):\s+[0-9a-f]*([0-9a-f])$/gm)];
  return masks.some(([, last = "0"]) => (Number.parseInt(last, 16) & 1) === 1);
}

async function isThere(pid: number): Promise<boolean> {
  return await Deno.stat(`/proc/${pid}`).then(() => true, () => false);
}

/** Waits for the one child of a process. */
async function childOf(pid: number): Promise<string> {
  const read = () => Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  let child = "";
  await waitUntil(async () => (child = (await read()).trim()) !== "" || !await isThere(pid), {
    timeoutMs: 60_000,
    what: () => "a child",
  });
  return child;
}

async function signalChild(parent: RunningProgram, signal: string): Promise<void> {
  const child = await childOf(parent.pid);
  if (child !== "") await runAny("kill", { args: ["-s", signal, child] });
}
