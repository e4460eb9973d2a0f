/**
 * A siege: hours of hostile traffic of every kind while honest clients measure:
 * `deno task bench:siege`.
 *
 * Against one daemon, in a network namespace of its own: plain requests as fast as they are
 * answered; plain, protected (one request again and again), authenticated, wrongly authenticated,
 * malformed and spoofed datagrams at a fixed rate; key exchange and HTTP connections that are held
 * half open; whole key exchanges, several at once. Beside that the daemon follows a server, and a
 * chronyd, an ntpsd with NTS and one with a symmetric key measure it every second. Wanted: memory
 * level after the first tenth, no poll of the daemon's own missed, the honest served, no fault
 * inside.
 *
 *     deno task bench:siege [--json] [--minutes=60] [--rate=20000] [--exchanges=100000] [--kind=source|bundle|executable]
 *
 * Limits: Linux, root, a C compiler. Requests that the kernel drops, because all traffic shares one
 * queue, are lost to honest clients too, and are told as the share that was answered.
 *
 * @module
 */
import { OpenSsl, type TlsClientContext } from "../../ffi/openssl/mod.ts";
import { assert } from "../../src/base/assert.ts";
import { exchangeKeys } from "../../src/system/nts_ke_client.ts";
import { median } from "../../src/simulation/statistics.ts";
import { startChronyd } from "../support/chronyd.ts";
import { fromFileUrl, run } from "../support/command.ts";
import { findPeer } from "../support/debian_packages.ts";
import { type Daemon, type Kind, KINDS, startDaemon, type Status } from "../support/ntpsd.ts";
import { NtsPlace } from "../support/nts_place.ts";
import { readChronyLog } from "../support/peer_log.ts";
import { temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { protectedRequest } from "./nts_request.ts";
import { pause } from "../support/wait_until.ts";

const INSIDE = "--inside";
const KEY = "7 SHA256 HEX:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
const EXCHANGES_AT_ONCE = 8;
const HALF_OPEN = { keyExchange: 300, http: 100 };
const FLATNESS_GOAL = 1.05;
const POLL_GOAL = 0.99;
/**
 * Poll intervals are up to so much longer than 2 s, by chance: fewer polls than this many seconds
 * allow are missed ones.
 */
const POLL_INTERVAL_MAX = 2 * 1.035;

const value = (name: string) =>
  Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const options = {
  json: Deno.args.includes("--json"),
  minutes: Number(value("minutes") ?? 60),
  rate: Number(value("rate") ?? 20_000),
  exchanges: Number(value("exchanges") ?? 100_000),
  kind: KINDS.find((kind) => kind === value("kind")) ?? "source" as Kind,
};

Deno.exit(Deno.args.includes(INSIDE) ? await besiege() : await enter());

/** Runs this program again in a network namespace where it is alone. */
async function enter(): Promise<number> {
  const words = [
    Deno.execPath(),
    "run",
    "-q",
    "--no-prompt",
    "-P=tests",
    import.meta.filename ?? "",
  ];
  const script = 'ip link set lo up && exec "$@"';
  const child = new Deno.Command("unshare", {
    args: ["--net", "sh", "-c", script, "sh", ...words, ...Deno.args, INSIDE],
  }).spawn();
  return (await child.status).code;
}

/** Everything that runs against one daemon. */
interface Siege {
  readonly daemon: Daemon;
  readonly context: TlsClientContext;
  readonly openssl: OpenSsl;
  readonly ntpPort: number;
  readonly keyExchangePort: number;
  readonly end: number;
}

async function besiege(): Promise<number> {
  const chronyd = await findPeer("chronyd");
  const opened = OpenSsl.open();
  if (chronyd === undefined || !opened.ok) return 69;
  await using folder = await temporaryFolder();
  await using place = await NtsPlace.make();
  await using upstream = await startChronyd(chronyd, { stratum: 3 });
  const keys = await folder.write("keys", KEY);
  await Deno.chmod(keys, 0o600);
  await using daemon = await startDaemon({
    kind: options.kind,
    config: serverConfig({ place, keys, upstream: upstream.port }),
  });
  await daemon.waitForStatus((status) => status.ntsKe.length === 1 && status.servers.length === 1);
  const authorities = await Deno.readFile(place.authority);
  const context = opened.value.clientContext({ system: false, authorities });
  assert(context.ok, "The authority is a certificate");
  const siege: Siege = {
    daemon,
    context: context.value,
    openssl: opened.value,
    ntpPort: place.timePort,
    keyExchangePort: place.keyExchangePort,
    end: performance.now() + options.minutes * 60_000,
  };
  await using plain = await startChronyd(chronyd, {
    local: false,
    lines: [
      `server 127.0.0.1 port ${place.timePort} minpoll 0 maxpoll 0`,
      `logdir ${folder.path}`,
      "log rawmeasurements",
    ],
  });
  await using nts = await startDaemon({ config: place.client() });
  await using mac = await startDaemon({ config: macClientConfig(keys, place.timePort) });
  await nts.waitForStatus((status) => (status.sources[0]?.received ?? 0) > 0);
  const tools = await compile(folder.path);
  const kinds = await folder.write("kinds", await trafficKinds(siege, keys));
  const before = { ours: await daemon.status(), nts: await nts.status(), mac: await mac.status() };
  const seconds = options.minutes * 60;
  const [memory, exchanges] = await Promise.all([
    watch(siege),
    exchangeAll(siege),
    flood(tools.load, ["127.0.0.1", siege.ntpPort, 256, seconds, "sources=200", "warmup=0"]),
    flood(tools.siege, ["127.0.0.1", siege.ntpPort, seconds, options.rate, 2000, kinds]),
    hold(siege, { port: siege.keyExchangePort, count: HALF_OPEN.keyExchange, first: [22, 3, 1] }),
    hold(siege, {
      port: Number(daemon.at.split(":")[1]),
      count: HALF_OPEN.http,
      first: [...new TextEncoder().encode("GET /status HTTP/1.1\r\nHost: ")],
    }),
  ]);
  const after = { ours: await daemon.status(), nts: await nts.status(), mac: await mac.status() };
  const log = readChronyLog(await Deno.readTextFile(`${folder.path}/measurements.log`));
  const figures = summarize({ memory, exchanges, before, after, heard: log.length });
  say(`${exchanges.all} key exchanges; lines of log: ${daemon.process.stderr.split("\n").length}`);
  say(JSON.stringify({ servers: after.ours?.servers, ntsKe: after.ours?.ntsKe }));
  if (options.json) console.log(JSON.stringify(figures, null, 1));
  siege.context.close();
  await plain.process.stop();
  return figures.every(({ met }) => met) ? 0 : 1;
}

/** The status of the besieged and of two honest clients. */
interface Statuses {
  readonly ours: Status | undefined;
  readonly nts: Status | undefined;
  readonly mac: Status | undefined;
}

function summarize({ memory, exchanges, before, after, heard }: {
  readonly memory: readonly number[];
  readonly exchanges: { readonly all: number; readonly good: number };
  readonly before: Statuses;
  readonly after: Statuses;
  readonly heard: number;
}) {
  const seconds = options.minutes * 60;
  const polls = (after.ours?.sources[0]?.sent ?? 0) - (before.ours?.sources[0]?.sent ?? 0);
  return [
    figure("resident memory, last tenth to second tenth", level(memory), FLATNESS_GOAL, "less"),
    figure(
      "own polls made, of those due",
      polls / (seconds / POLL_INTERVAL_MAX),
      POLL_GOAL,
      "more",
    ),
    figure("own polls answered", answered(before.ours, after.ours), POLL_GOAL, "more"),
    figure("answers to a chronyd that asks every second", heard / seconds, POLL_GOAL, "more"),
    figure("answers to an ntpsd with NTS", answered(before.nts, after.nts), POLL_GOAL, "more"),
    figure("answers to an ntpsd with a key", answered(before.mac, after.mac), POLL_GOAL, "more"),
    figure("key exchanges that brought keys", exchanges.good / exchanges.all, POLL_GOAL, "more"),
    figure("faults inside", faults(after.ours), 0, "less"),
  ];
}

function serverConfig(
  { place, keys, upstream }: {
    readonly place: NtsPlace;
    readonly keys: string;
    readonly upstream: number;
  },
): string {
  return [
    "[source-defaults]",
    "poll-interval-limits = { min = 1, max = 1 }",
    "initial-poll-interval = 1",
    "[[source]]",
    'mode = "server"',
    `address = "127.0.0.1:${upstream}"`,
    "[keys]",
    `file = "${keys}"`,
    place.server().replace("local-stratum = 1", "minimum-agreeing-sources = 1")
      // 2^-19 seconds: every request is looked up, and none is limited
      .replace(
        "[[nts-ke-server]]",
        "rate-limit = { interval = -19, burst = 255 }\n[[nts-ke-server]]",
      ),
  ].join("\n");
}

function macClientConfig(keys: string, port: number): string {
  return [
    "[source-defaults]",
    "poll-interval-limits = { min = 0, max = 0 }",
    "initial-poll-interval = 0",
    "[[source]]",
    'mode = "server"',
    `address = "127.0.0.1:${port}"`,
    "key = 7",
    "[keys]",
    `file = "${keys}"`,
    "[synchronization]",
    "minimum-agreeing-sources = 1",
  ].join("\n");
}

async function compile(folder: string): Promise<{ readonly load: string; readonly siege: string }> {
  const programs = { load: `${folder}/ntp_load`, siege: `${folder}/siege_load` };
  for (const [name, program] of [["ntp_load", programs.load], ["siege_load", programs.siege]]) {
    const source = fromFileUrl(new URL(`${name}.c`, import.meta.url));
    await run("gcc", { args: ["-O2", "-o", program ?? "", source] });
  }
  return programs;
}

/** What the hostile generator sends, a kind a line. */
async function trafficKinds(siege: Siege, keys: string): Promise<string> {
  const header = `23${"00".repeat(47)}`;
  const request = await ntsRequest(siege);
  const forged = `${request.slice(0, -8)}00000000`;
  const mac = `${header}00000007${"5a".repeat(32)}`;
  assert((await Deno.stat(keys)).size > 0, "There is a key to forge");
  return [
    `20 fresh ${header}`,
    `5 fresh 1b${"00".repeat(47)}`,
    `5 fresh 0b${"00".repeat(47)}`,
    `10 fixed ${request}`,
    `10 fixed ${forged}`,
    `10 fresh ${mac}`,
    `5 fresh 1b${"00".repeat(47)}00000007${"00".repeat(16)}`,
    `10 garbage ${header}`,
    `5 fixed 16020001000000000000000000`,
    `5 fixed 17002a03${"00".repeat(44)}`,
    `5 fresh ${header}0104${"ffff"}${"00".repeat(24)}`,
    `5 fresh 24${"00".repeat(47)}`,
    `20 spoofed ${header}`,
    "",
  ].join("\n");
}

/** Makes one valid protected request. */
async function ntsRequest(siege: Siege): Promise<string> {
  const exchanged = await exchange(siege);
  assert(exchanged.ok, "The first key exchange succeeds");
  return protectedRequest(exchanged.value);
}

function exchange(siege: Siege) {
  return exchangeKeys({
    openssl: siege.openssl,
    context: siege.context,
    host: "127.0.0.1",
    port: siege.keyExchangePort,
    dates: { now: Date.now() / 1000, outside: "refuse" },
    aeadIds: [15],
  });
}

/** Exchanges keys, evenly over the time, as many as are wanted or as that time allows. */
async function exchangeAll(siege: Siege): Promise<{ readonly all: number; readonly good: number }> {
  const start = performance.now();
  const spacing = options.minutes * 60_000 / options.exchanges;
  let begun = 0, good = 0;
  const oneAfterTheOther = async () => {
    while (begun < options.exchanges && performance.now() < siege.end) {
      const early = start + begun++ * spacing - performance.now();
      if (early > 1) await pause(early);
      const result = await exchange(siege);
      if (result.ok) good++;
      else say(`  key exchange: ${result.error.message}`);
    }
  };
  await Promise.all(Array.from({ length: EXCHANGES_AT_ONCE }, oneAfterTheOther));
  return { all: begun, good };
}

/** Keeps so many connections open that begin and never go on; one that is closed is made anew. */
async function hold(
  siege: Siege,
  { port, count, first }: {
    readonly port: number;
    readonly count: number;
    readonly first: readonly number[];
  },
): Promise<void> {
  const keep = async () => {
    while (performance.now() < siege.end) {
      try {
        using connection = await Deno.connect({ hostname: "127.0.0.1", port });
        await connection.write(Uint8Array.from(first));
        const left = Math.max(0, siege.end - performance.now());
        const timer = setTimeout(() => connection.close(), left);
        while (await connection.read(new Uint8Array(4096)) !== null);
        clearTimeout(timer);
      } catch {
        // refused, reset or over: the next one
      }
      await pause(100);
    }
  };
  await Promise.all(Array.from({ length: count }, keep));
}

async function flood(program: string, args: readonly (string | number)[]): Promise<void> {
  await using running = new RunningProgram(program, { args: args.map(String) });
  const { code } = await running.status;
  await running.stop();
  say(`  ${program.split("/").at(-1)} (${code}): ${running.stdout.trim()}`);
}

/** Looks at the resident set, in KiB, a hundred times. */
async function watch(siege: Siege): Promise<readonly number[]> {
  const samples: number[] = [];
  const start = performance.now();
  const every = options.minutes * 600;
  while (performance.now() < siege.end) {
    const status = await Deno.readTextFile(`/proc/${siege.daemon.process.pid}/status`);
    samples.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]));
    if (samples.length % 10 === 0) {
      const minutes = ((performance.now() - start) / 60_000).toFixed(1);
      say(`  ${minutes} min: ${((samples.at(-1) ?? 0) / 1024).toFixed(1)} MiB`);
    }
    await pause(start + samples.length * every - performance.now());
  }
  return samples;
}

function level(samples: readonly number[]): number {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  return median(samples.slice(-tenth)) / median(samples.slice(tenth, 2 * tenth));
}

function answered(before: Status | undefined, after: Status | undefined): number {
  const [a, b] = [before?.sources[0], after?.sources[0]];
  return ((b?.received ?? 0) - (a?.received ?? 0)) / ((b?.sent ?? 0) - (a?.sent ?? 0));
}

/** Everything in the status that was counted as our own fault. */
function faults(status: Status | undefined): number {
  if (status === undefined) return Infinity;
  const counts = [...JSON.stringify(status).matchAll(/"internal-error":(\d+)/g)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

function figure(name: string, ntpsd: number, goal: number, better: "less" | "more") {
  const met = better === "less" ? ntpsd <= goal : ntpsd >= goal;
  say(`${met ? "met   " : "MISSED"} ${name}: ${ntpsd.toFixed(3)}, goal ${goal}`);
  return {
    name,
    ntpsd,
    peer: null,
    unit: `${better} is better`,
    ratio: null,
    goal,
    rounds: 1,
    met,
  };
}

function say(line: string): void {
  if (!options.json) console.log(line);
}
