/**
 * The whole story on one machine, without internet, privilege or a touch of the clock; it ends by
 * itself.
 *
 * First the real daemon on real sockets of the loopback address: three upstream servers that tell
 * the time and one that is half a second off, ntpsd as their client, which finds the liar, and as a
 * server that is asked in turn. Then the same engine in a simulated world, where it may set a
 * clock. Limits: everything runs in this one process, so the delays are those of one busy event
 * loop; the upstream servers are the tests' own.
 *
 * @module
 */
import { main } from "../src/cli/main.ts";
import { parseConfig } from "../src/config/parse.ts";
import { runDaemon } from "../src/daemon/run_daemon.ts";
import { startFalseServer } from "../tests/support/false_server.ts";
import { pause, waitUntil } from "../tests/support/wait_until.ts";

/**
 * Addresses of the demo: the machine's own loopback addresses, so that each server has one of its
 * own.
 */
const UPSTREAM = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
const LIAR = "127.0.0.66";
const SECONDS_OF_WATCHING = 6;

const failed = await demo();
// The daemon is still there, and it has no way to be told to end but a signal.
Deno.exit(failed ? 1 : 0);

async function demo(): Promise<boolean> {
  const status = `127.0.0.1:${freePort()}`;
  const own = `127.0.0.1:${freePort()}`;
  say(
    "1. Three servers that tell the time, one that is half a second off, and ntpsd as their client.",
  );
  say("   It measures only: the clock of this machine is not touched.");
  const upstream = await Promise.all(
    UPSTREAM.map((address) => startFalseServer({ stratum: 1, referenceId: "DEMO" }, { address })),
  );
  const liar = await startFalseServer({ offsetSeconds: 0.5, stratum: 1 }, { address: LIAR });
  const places = [...upstream, liar].map((server) => `${server.address}:${server.port}`);
  startClient(configuration(places, { status, own }));
  await waitUntil(() => answersHttp(status), { timeoutMs: 10_000, what: () => "the daemon" });
  for (let second = 0; second < SECONDS_OF_WATCHING; second += 2) {
    await pause(2000);
    say(`\n$ ntpsd sources        (after ${second + 2} seconds)`);
    await main(["sources", "--at", status]);
  }
  say("\n$ ntpsd status");
  await main(["status", "--at", status]);
  say("\n2. ntpsd as a server: what it tells a client that asks.");
  say(`\n$ ntpsd query ${own}`);
  const answered = await main(["query", own]);
  say(
    "\n3. The same engine with a clock that it may set, in a simulated world: four hours in a moment.",
  );
  say("\n$ ntpsd simulate tools/demo.toml");
  const simulated = await main(["simulate", scenarioPath()]);
  say("\nThat is all. README.md tells how to run it for good.");
  return answered !== 0 || simulated !== 0;
}

function configuration(
  servers: readonly string[],
  own: { readonly status: string; readonly own: string },
): string {
  const sources = servers.map((place) => `[[source]]\nmode = "server"\naddress = "${place}"\n`);
  return `
[source-defaults]
poll-interval-limits = { min = 0, max = 2 }
initial-poll-interval = 0
${sources.join("\n")}
[[server]]
listen = "${own.own}"

[observability]
listen = "${own.status}"
log-level = "error"

[security]
seccomp = false
`;
}

function startClient(text: string): void {
  const parsed = parseConfig(text);
  if (!parsed.ok) throw new Error(parsed.error.map((error) => error.message).join("; "));
  const { config } = parsed.value;
  const keys = new Map();
  const run = runDaemon({
    config,
    keys,
    configFiles: [],
    configOrigin: "the demo's configuration",
    notes: [],
    privileges: [],
    version: "demo",
    noAdjust: true,
    once: false,
    logLevel: undefined,
    reload: () => ({ ok: true, value: { config, keys, notes: [] } }),
    takeSignals: () => {},
  });
  run.then((end) => {
    console.error(`The daemon ended early: ${end}`);
    Deno.exit(1);
  });
}

async function answersHttp(at: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${at}/status`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function scenarioPath(): string {
  return decodeURIComponent(new URL("demo.toml", import.meta.url).pathname);
}

function say(text: string): void {
  console.log(text);
}
