/**
 * What hangs outside (name servers, readers of the log, pipes in place of files) hangs nothing
 * inside.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { clientConfig } from "../support/daemon_config.ts";
import { startFalseServer } from "../support/false_server.ts";
import { probe } from "../support/ntp_probe.ts";
import { launch } from "../support/ntpsd.ts";
import { freePort, type TemporaryFolder, temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { PATIENCE_MS, quickOnce, waitUntil } from "../support/wait_until.ts";
import { needs } from "../support/needs.ts";

const NAMES = 100;

Deno.test({
  name: "a hundred names whose server is silent keep neither source, nor server, nor end waiting" +
    needs(Deno.uid() !== 0 && Deno.env.get("CI") === undefined, "root"),
  ignore: Deno.uid() !== 0 && Deno.env.get("CI") === undefined,
  fn: () => quickOnce(1000, endsAmidSilentNames),
});

async function endsAmidSilentNames(): Promise<number> {
  await using silent = await silentNameServer();
  await using server = await startFalseServer({ stratum: 1 });
  await using folder = await temporaryFolder();
  const http = await freePort(), ntp = await freePort();
  const names = Array.from(
    { length: NAMES },
    (_, i) => `[[source]]\nmode = "server"\naddress = "silent-${i}.test"\n`,
  );
  // The name that is asked for more than once at a time, and the numeric source last of all.
  const pool = '[[source]]\nmode = "pool"\naddress = "silent-pool.test"\ncount = 10\n';
  const config = await folder.write(
    "ntpsd.toml",
    [...names, pool, clientConfig([server], 1), listeners(http, ntp)].join("\n"),
  );
  const start = performance.now();
  await using daemon = await startBehind(silent.address, { folder, config });
  await waitUntil(() => server.requests > 0, {
    timeoutMs: 60_000,
    what: () => `a request to the numeric source:\n${daemon.stderr}`,
  });
  const measured = performance.now();
  await waitUntil(() => silent.questions > 0, {
    timeoutMs: 60_000,
    what: () => "a question for a name",
  });
  const answered = await countResponses(ntp, 40);
  assert.equal(answered, 40);
  const status = await fetch(`http://127.0.0.1:${http}/status`);
  await status.body?.cancel();
  assert.equal(status.status, 200);
  const ended = await daemon.stop();
  assert.deepEqual([ended.code, ended.signal], [0, null], daemon.stderr);
  console.log(
    `    first request ${(measured - start).toFixed(0)} ms after the start, ` +
      `${answered} of 40 answered, ended in ${ended.milliseconds.toFixed(0)} ms`,
  );
  return ended.milliseconds;
}

Deno.test("nobody who reads the log keeps the daemon waiting", () => quickOnce(1500, endsUnread));

async function endsUnread(): Promise<number> {
  await using server = await startFalseServer({ stratum: 1 });
  await using folder = await temporaryFolder();
  const http = await freePort(), ntp = await freePort();
  const config = await folder.write(
    "ntpsd.toml",
    clientConfig([server], 1) + listeners(http, ntp),
  );
  const start = await launch("source");
  // A pipe that is full from the beginning, with a reader who never reads.
  const script = `
    mkfifo "$1/log"; sleep 600 <"$1/log" & reader=$!; exec 3>"$1/log"
    dd if=/dev/zero bs=65536 count=1 >&3 2>/dev/null
    shift; "$@" 2>&3 3>&- & child=$!
    trap 'kill -TERM $child' TERM
    wait $child; wait $child; status=$?; kill $reader; exit $status`;
  const args = [start.program, ...start.args, "run", "-x", "--log-level", "trace", "-c", config];
  await using daemon = new RunningProgram("sh", {
    args: ["-c", script, "sh", folder.path, ...args],
  });
  await waitUntil(() => server.requests > 2, { timeoutMs: 60_000, what: () => "requests" });
  assert.equal(await countResponses(ntp, 10), 10);
  const health = await fetch(`http://127.0.0.1:${http}/healthz`);
  await health.body?.cancel();
  assert.ok([200, 503].includes(health.status));
  const ended = await daemon.stop();
  assert.equal(ended.code, 0);
  return ended.milliseconds;
}

Deno.test("pipes in place of files are told, and everything else works", () =>
  quickOnce(1000, endsAmidPipes));

async function endsAmidPipes(): Promise<number> {
  await using server = await startFalseServer({ stratum: 1 });
  await using folder = await temporaryFolder();
  const http = await freePort(), ntp = await freePort();
  const pipe = (name: string) => `${folder.path}/${name}`;
  const pipes = ["leap", "drift", "keyset", "chain", "key", "cookies", "keys"].map(pipe);
  const made = await new Deno.Command("mkfifo", { args: pipes }).output();
  assert.ok(made.success);
  const config = await folder.write(
    "ntpsd.toml",
    `${clientConfig([server], 1)}${listeners(http, ntp)}
[clock]
leap-seconds-file = "${pipe("leap")}"
drift-file = "${pipe("drift")}"
[keyset]
key-storage-path = "${pipe("keyset")}"
[nts]
cookie-storage-path = "${pipe("cookies")}"
[[nts-ke-server]]
listen = "127.0.0.1:${await freePort()}"
certificate-chain-path = "${pipe("chain")}"
private-key-path = "${pipe("key")}"
`,
  );
  const start = await launch("source");
  await using daemon = new RunningProgram(start.program, {
    args: [...start.args, "run", "-x", "-c", config],
  });
  await waitUntil(() => server.requests > 2, {
    timeoutMs: 60_000,
    what: () => `requests:\n${daemon.stderr}\n${daemon.threads()}`,
  });
  await daemon.waitFor(/leap: wanted a regular file, found a pipe/);
  await daemon.waitFor(/chain: wanted a regular file, found a pipe/);
  assert.equal(await countResponses(ntp, 10), 10);
  daemon.signal("SIGHUP");
  await daemon.waitFor(/Nothing in the configuration changes/);
  assert.equal(await countResponses(ntp, 10), 10);
  const ended = await daemon.stop();
  assert.equal(ended.code, 0, daemon.stderr);
  return ended.milliseconds;
}

function listeners(http: number, ntp: number): string {
  return `
[[server]]
listen = "127.0.0.1:${ntp}"
[observability]
listen = "127.0.0.1:${http}"
`;
}

/**
 * Asks a server one question after the other; tells how many it answered within a minute each: so
 * long a busy machine may take, and a daemon that stands still takes for ever.
 */
async function countResponses(port: number, questions: number): Promise<number> {
  let answered = 0;
  for (let i = 0; i < questions; i++) {
    if (await probe("127.0.0.1", { port, timeoutMs: PATIENCE_MS }) !== undefined) answered++;
  }
  return answered;
}

interface SilentNameServer extends AsyncDisposable {
  readonly address: string;
  readonly questions: number;
}

/**
 * Takes questions for names on an address of the loopback network that nobody else has, and never
 * answers.
 */
async function silentNameServer(): Promise<SilentNameServer> {
  const octet = () => 1 + Math.floor(Math.random() * 250);
  const address = `127.${octet()}.${octet()}.${octet()}`;
  const socket = createSocket("udp4");
  let questions = 0;
  socket.on("message", () => questions++);
  await new Promise<void>((resolve) => socket.bind(53, address, resolve));
  return {
    address,
    get questions() {
      return questions;
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

/** Starts a daemon for which `address` is the only name server, in a mount namespace of its own. */
async function startBehind(
  address: string,
  { folder, config }: { readonly folder: TemporaryFolder; readonly config: string },
): Promise<RunningProgram> {
  const resolv = await folder.write("resolv.conf", `nameserver ${address}\n`);
  const nsswitch = await folder.write("nsswitch.conf", "hosts: files dns\n");
  const script = 'mount --bind "$1" /etc/resolv.conf; mount --bind "$2" /etc/nsswitch.conf; ' +
    'shift 2; exec "$@"';
  const start = await launch("source");
  const args = [start.program, ...start.args, "run", "-x", "-c", config];
  return new RunningProgram("unshare", {
    args: ["--mount", "sh", "-c", script, "sh", resolv, nsswitch, ...args],
  });
}
