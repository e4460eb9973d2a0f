/**
 * The daemon as a whole, in each form that it is shipped in: signals, reload, bad surroundings.
 *
 * @module
 */
import assert from "node:assert/strict";
import { clientConfig, endpoint } from "../support/daemon_config.ts";
import { type FalseServer, startFalseServer } from "../support/false_server.ts";
import { KINDS, launch, startDaemon } from "../support/ntpsd.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { PATIENCE_MS, pause, quickOnce, waitUntil } from "../support/wait_until.ts";

/** A server that tells the right time. */
function honestServer(): Promise<FalseServer> {
  return startFalseServer({ offsetSeconds: 0, stratum: 1 });
}

for (const kind of KINDS) {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.test(`${kind}: ${signal} ends the daemon within a second, status 0`, async () => {
      await launch(kind);
      await quickOnce(1000, async () => {
        await using server = await honestServer();
        await using daemon = await startDaemon({ kind, config: clientConfig([server], 1) });
        await daemon.waitForStatus((now) => (now.sources[0]?.received ?? 0) > 0);
        const ended = await daemon.process.stop(signal);
        assert.deepEqual([ended.code, ended.signal], [0, null], daemon.process.stderr);
        return ended.milliseconds;
      });
    });
  }

  Deno.test(`${kind}: the first request leaves soon, and what it sends says nothing of this machine`, async () => {
    await launch(kind);
    await using server = await honestServer();
    const start = performance.now();
    await using daemon = await startDaemon({ kind, config: clientConfig([server], 1) });
    while (server.requests === 0 && performance.now() - start < PATIENCE_MS) await pause(2);
    const milliseconds = performance.now() - start;
    assert.ok(server.requests > 0, daemon.process.stderr);
    console.log(`    first request ${milliseconds.toFixed(0)} ms after the start`);
  });
}

Deno.test("SIGHUP takes over a changed configuration and keeps what it knows of sources that stay", async () => {
  await using first = await honestServer();
  await using second = await honestServer();
  await using daemon = await startDaemon({ config: clientConfig([first], 1) });
  await daemon.waitForStatus((now) => (now.sources[0]?.received ?? 0) >= 3);
  const before = await daemon.status();
  await daemon.configure(clientConfig([first, second], 1));
  daemon.process.signal("SIGHUP");
  const after = await daemon.waitForStatus((now) =>
    now.sources.length === 2 && now.sources.every((source) => source.received > 0)
  );
  const kept = after.sources.find((source) => source.address === endpoint(first));
  assert.ok((kept?.received ?? 0) >= (before?.sources[0]?.received ?? 0), "the counters go on");
  // the log tells what changed
  await daemon.process.waitFor(new RegExp(`${second.port}`));
});

Deno.test("SIGHUP with a wrong configuration changes nothing and says why", async () => {
  await using server = await honestServer();
  await using daemon = await startDaemon({ config: clientConfig([server], 1) });
  await daemon.waitForStatus((now) => (now.sources[0]?.received ?? 0) > 0);
  await daemon.configure("[[sourc]]\n");
  daemon.process.signal("SIGHUP");
  await daemon.process.waitFor(/sourc/);
  const seen = server.requests;
  await daemon.waitForStatus((now) => now.sources.length === 1 && server.requests > seen);
});

Deno.test("SIGHUP applies what can be applied, says what waits, and takes no empty file for a wish", async () => {
  await using server = await honestServer();
  await using daemon = await startDaemon({ config: clientConfig([server], 1) });
  await daemon.waitForStatus((now) => (now.sources[0]?.received ?? 0) > 0);
  const { at, configPath, folder: { path } } = daemon;
  await Deno.chmod(path, 0o777);
  await Deno.writeTextFile(configPath, "# nothing\n");
  daemon.process.signal("SIGHUP");
  await daemon.process.waitFor(/There is nothing in the file/);
  await Deno.rename(configPath, `${configPath}.away`);
  daemon.process.signal("SIGHUP");
  await daemon.process.waitFor(/Cannot read .*no such file/);
  const config = [
    clientConfig([server], 1),
    `[clock]\ndrift-file = "${path}/drift"\nadjust = false`,
    "[keyset]\nstale-key-count = 3",
    `[nts]\ncookie-storage-path = "${path}/cookies"`,
    `[observability]\nlisten = "${at}"\nstatistics-path = "${path}/statistics"\n`,
  ].join("\n");
  await Deno.writeTextFile(configPath, config);
  daemon.process.signal("SIGHUP");
  await daemon.process.waitFor(/clock\.drift-file unset -> "[^"]*" \(applied\)/);
  await daemon.process.waitFor(/clock\.adjust "auto" -> false \(the command line says otherwise\)/);
  await daemon.waitForStatus((now) => now.state !== "starting");
  await waitUntil(
    () => Deno.stat(`${path}/statistics`).then(() => true, () => false),
    { timeoutMs: 60_000, what: () => daemon.process.stderr },
  );
  const ended = await daemon.process.stop();
  assert.equal(ended.code, 0, daemon.process.stderr);
  assert.ok((await Deno.stat(`${path}/cookies`)).isFile);
});

Deno.test("the status server refuses a foreign Host header and other methods", async () => {
  await using server = await honestServer();
  await using daemon = await startDaemon({ config: clientConfig([server], 1) });
  await daemon.waitForStatus(() => true);
  const [hostname = "", port = ""] = daemon.at.split(":");
  const foreign = await rawRequest(
    hostname,
    Number(port),
    "GET /status HTTP/1.1\r\nHost: evil.example\r\n",
  );
  assert.match(foreign, /^HTTP\/1\.1 421 /);
  const post = await fetch(`http://${daemon.at}/status`, { method: "POST", body: "x" });
  await post.body?.cancel();
  assert.equal(post.status, 405);
  const metrics = await fetch(`http://${daemon.at}/metrics`);
  assert.match(await metrics.text(), /^# (HELP|TYPE) ntpsd?_/m);
});

Deno.test("a damaged drift file is set aside with a message, and the daemon goes on", async () => {
  await using server = await honestServer();
  const daemon = await startDaemon({ config: clientConfig([server], 1) });
  await using _ = daemon;
  await daemon.process.stop();
  const drift = await daemon.folder.write("drift", "1e999 nonsense\n");
  const config = `${clientConfig([server], 1)}[clock]\ndrift-file = "${drift}"\n`;
  await using again = await startDaemon({ config });
  await again.waitForStatus((now) => (now.sources[0]?.received ?? 0) > 0);
  await again.process.waitFor(/drift/);
});

Deno.test("faults of the surroundings are told in a sentence, and what can be done is done", async () => {
  await using server = await honestServer();
  await using first = await startDaemon({ config: clientConfig([server], 1) });
  await first.waitForStatus(() => true);
  const config = [
    clientConfig([server], 1),
    '[[source]]\nmode = "server"\naddress = "does-not-exist.invalid"\n',
    '[clock]\ndrift-file = "/proc"\n',
  ].join("\n");
  await using daemon = await startDaemon({ config });
  await daemon.waitForStatus((now) => now.sources.some((source) => source.received > 0));
  await daemon.process.waitFor(/does-not-exist\.invalid/);
  await daemon.process.waitFor(/warning: .*\/proc: /);
});

Deno.test("a status port in use is told, and the daemon keeps the clock all the same", async () => {
  await using server = await honestServer();
  await using first = await startDaemon({ config: clientConfig([server], 1) });
  await first.waitForStatus(() => true);
  const seen = server.requests;
  const config = `${clientConfig([server], 1)}[observability]\nlisten = "${first.at}"\n`;
  await using folder = await temporaryFolder();
  await using second = await startBare(config, folder);
  await second.waitFor(new RegExp(first.at.replaceAll(".", "\\.")));
  await first.process.stop();
  await waitUntil(() => server.requests > seen + 2, {
    timeoutMs: 60_000,
    what: () => second.stderr,
  });
});

/** Starts a daemon with a whole configuration, nothing added. */
async function startBare(
  config: string,
  folder: TemporaryFolder,
): Promise<RunningProgram> {
  const file = await folder.write("ntpsd.toml", config);
  const { program, args } = await launch("source");
  return new RunningProgram(program, { args: [...args, "run", "-x", "-c", file] });
}

/** Sends one HTTP request as it is and reads what comes back. */
async function rawRequest(hostname: string, port: number, head: string): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  await connection.write(new TextEncoder().encode(`${head}Connection: close\r\n\r\n`));
  const buffer = new Uint8Array(4096);
  const count = await connection.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count));
}
