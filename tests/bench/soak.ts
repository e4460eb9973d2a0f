/**
 * What the server is like under load for a while: `deno task bench:soak`.
 *
 * - Memory: ten million requests from many addresses, with rate limit, client table and interleaved
 *   mode on; the resident set after each million, beside that after the first.
 * - Accuracy: a chronyd measures ntpsd while it is idle, and while it answers half of what it can
 *   at most; that it is half is shown by the processor time that the server uses of its core in
 *   both cases, and by the answers that come.
 * - Lateness: how late the engine's deadlines, a timer and a poller's wait come in the server's
 *   process, idle and flooded.
 * - Heap: octets of JavaScript heap that each kind of request takes.
 *
 * The server has core 0, generator and client have core 1. Limits: loopback in a namespace of its
 * own; on a machine that does other work at the same time, lateness and offsets are those of the
 * machine; the load average is printed for that.
 *
 *     deno task bench:soak [--json] [--millions=N] [--kind=source|bundle|executable] [--only=memory,accuracy,lateness,heap]
 *
 * @module
 */
import { present } from "../../src/base/assert.ts";
import { startChronyd } from "../support/chronyd.ts";
import { fromFileUrl, run } from "../support/command.ts";
import { findPeer, type Peer } from "../support/debian_packages.ts";
import { canMakeNamespaces } from "../support/network_namespace.ts";
import { type Kind, KINDS, startDaemon } from "../support/ntpsd.ts";
import { readChronyLog } from "../support/peer_log.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { pause, waitUntil } from "../support/wait_until.ts";
import { measureHeap } from "./server_heap.ts";

const SERVER_CORE = "0", LOAD_CORE = "1";
const WINDOW = 256;
const SOURCES = 200;
const QUIET_MILLISECONDS = 1500;
const ACCURACY_SECONDS = 12;
const LATENESS_SECONDS = 6;
const FLATNESS_GOAL = 1.05;
const OFFSET_GOAL = 20e-6;
/** The engine may wait for a few milliseconds, all else for the turn of a busy server. */
const LATENESS_GOALS = { engine: 5e-3, timer: 20e-3, poller: 20e-3, own: 15e-3 };
const HEAP_GOAL = 2;

/**
 * One figure, as `--json` prints it; there is no peer but in the accuracy part, and the ratio is
 * that to the goal.
 */
interface Figure {
  readonly name: string;
  readonly ntpsd: number;
  readonly peer: number | null;
  readonly unit: string;
  readonly ratio: number;
  readonly goal: number;
  readonly rounds: number;
}

interface Load {
  readonly answers: number;
  readonly answersPerSecond: number;
  readonly lost: number;
}

interface Place {
  readonly generator: string;
  readonly namespace: string | undefined;
}

const options = readOptions(Deno.args);
const figures: Figure[] = [];

function readOptions(args: readonly string[]) {
  const value = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  return {
    json: args.includes("--json"),
    millions: Number(value("millions") ?? 10),
    kind: KINDS.find((kind) => kind === value("kind")) ?? "source" as Kind,
    only: (value("only") ?? "memory,accuracy,lateness,heap").split(","),
  };
}

function say(line: string): void {
  if (!options.json) console.log(line);
}

function note(name: string, figure: { ntpsd: number; unit: string; goal: number }): void {
  const { ntpsd, unit, goal } = figure;
  figures.push({ name, ntpsd, peer: null, unit, ratio: ntpsd / goal, goal, rounds: 1 });
}

/** Runs the generator on its core. */
async function load(
  place: Place,
  target: { port: number; window: number; seconds: number; more?: readonly string[] },
): Promise<Load> {
  const { port, window, seconds, more = [] } = target;
  const words = ["-c", LOAD_CORE, place.generator, "127.0.0.1", port, window, seconds, ...more];
  const all = ["taskset", ...words.map(String)];
  const inside = place.namespace === undefined
    ? all
    : ["ip", "netns", "exec", place.namespace, ...all];
  const { stdout } = await run(inside[0] ?? "", { args: inside.slice(1) });
  return JSON.parse(stdout) as Load;
}

/** Seconds that all threads of a process have run. */
async function processorTime(pid: number): Promise<number> {
  let sum = 0;
  for await (const task of Deno.readDir(`/proc/${pid}/task`)) {
    const path = `/proc/${pid}/task/${task.name}/schedstat`;
    sum += Number((await Deno.readTextFile(path).catch(() => "0")).split(" ")[0]);
  }
  return sum / 1e9;
}

/** The resident set in KiB. */
async function resident(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}

async function loadAverage(): Promise<string> {
  return (await Deno.readTextFile("/proc/loadavg")).split(" ")[0] ?? "";
}

async function pin(pid: number, core: string): Promise<void> {
  await run("taskset", { args: ["-a", "-c", "-p", core, String(pid)] });
}

function config(port: number): string {
  return [
    "[[server]]",
    `listen = "127.0.0.1:${port}"`,
    // 2^-19 seconds: every request is looked up, and none is limited.
    "rate-limit = { interval = -19, burst = 255 }",
    "client-table = true",
    "[synchronization]",
    "local-stratum = 3",
    "",
  ].join("\n");
}

/** A daemon that answers on a port, on its core. */
async function server(place: Place): Promise<AsyncDisposable & { pid: number; port: number }> {
  const port = await freePort();
  const inside = place.namespace === undefined ? {} : { namespace: place.namespace };
  const daemon = await startDaemon({ ...inside, config: config(port), kind: options.kind });
  await daemon.process.waitFor(/Serves time/, 20_000);
  const { pid } = daemon.process;
  await pin(pid, SERVER_CORE);
  return { pid, port, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}

async function soakMemory(place: Place): Promise<void> {
  await using ours = await server(place);
  say(
    `memory: ${options.millions} million requests from ${SOURCES} addresses, load ${await loadAverage()}`,
  );
  let answers = 0, first = 0, last = 0, most = 0;
  for (let million = 1; million <= options.millions; million++) {
    while (answers < million * 1e6) {
      const more = [`sources=${SOURCES}`, "warmup=0"];
      answers += (await load(place, { port: ours.port, window: WINDOW, seconds: 2, more })).answers;
    }
    last = await resident(ours.pid);
    if (million === 1) first = last;
    most = Math.max(most, last);
    say(`  ${(answers / 1e6).toFixed(1)} million answers: ${(last / 1024).toFixed(1)} MiB`);
  }
  say(
    `  last to first million ${(last / first).toFixed(3)}, most to first ${
      (most / first).toFixed(3)
    }`,
  );
  note("resident memory, last to first million", {
    ntpsd: last / first,
    unit: "ratio, less is better",
    goal: FLATNESS_GOAL,
  });
}

/** Offsets of an interleaved and a basic chronyd client while `work` goes on. */
async function offsets(
  peer: Peer,
  target: { readonly place: Place; readonly port: number; readonly mode: string },
  work: () => Promise<unknown>,
): Promise<{ readonly mean: number; readonly deviation: number; readonly count: number }> {
  const { place, port, mode } = target;
  await using folder = await temporaryFolder();
  await using client = await startChronyd(peer, {
    ...(place.namespace === undefined ? {} : { namespace: place.namespace }),
    local: false,
    lines: [
      `server 127.0.0.1 port ${port} minpoll -5 maxpoll -5 ${mode}`,
      `logdir ${folder.path}`,
      "log rawmeasurements",
    ],
  });
  await pin(client.process.pid, LOAD_CORE);
  const log = async () =>
    readChronyLog(await Deno.readTextFile(`${folder.path}/measurements.log`).catch(() => ""));
  await waitUntil(async () => (await log()).length > 4, {
    timeoutMs: 60_000,
    what: () => `measurements: ${client.process.stderr}`,
  });
  const busy = work();
  await pause(QUIET_MILLISECONDS);
  const before = (await log()).length;
  await busy;
  const measured = (await log()).slice(before).map(({ offset }) => offset);
  const mean = measured.reduce((sum, each) => sum + each, 0) / measured.length;
  const square = measured.reduce((sum, each) => sum + (each - mean) ** 2, 0) / measured.length;
  return { mean, deviation: Math.sqrt(square), count: measured.length };
}

async function soakAccuracy(place: Place): Promise<void> {
  const peer = await findPeer("chronyd");
  if (peer === undefined) throw new Error("Accuracy is measured by chronyd");
  await using ours = await server(place);
  const { port } = ours;
  const share = async (work: () => Promise<Load>) => {
    const before = await processorTime(ours.pid), start = performance.now();
    const result = await work();
    const seconds = (performance.now() - start) / 1000;
    return { ...result, core: (await processorTime(ours.pid) - before) / seconds };
  };
  say(`accuracy: load ${await loadAverage()}`);
  await load(place, { port, window: WINDOW, seconds: 1 });
  const full = await share(() => load(place, { port, window: WINDOW, seconds: 3 }));
  say(
    `  saturated: ${full.answersPerSecond.toFixed(0)} answers/s with ${
      (100 * full.core).toFixed(0)
    } % of the core`,
  );
  const rate = Math.round(full.answersPerSecond / 2);
  for (const mode of ["", "xleave"]) {
    const words = mode === "" ? "basic mode" : "interleaved mode";
    const idle = await offsets(peer, { place, port, mode }, () => pause(4000));
    say(`  ${words}, idle: ${describe(idle)}`);
    let half: Load & { core: number } | undefined;
    const loaded = await offsets(peer, { place, port, mode }, async () => {
      half = await share(() =>
        load(place, {
          port,
          window: 4096,
          seconds: ACCURACY_SECONDS,
          more: [`rate=${rate}`, "warmup=0"],
        })
      );
    });
    const at = present(half, "The load is over");
    say(
      `  ${words}, ${
        (100 * at.answersPerSecond / full.answersPerSecond).toFixed(0)
      } % of saturation ` +
        `(${at.answersPerSecond.toFixed(0)}/s, ${(100 * at.core).toFixed(0)} % of the core): ${
          describe(loaded)
        }`,
    );
    note(`mean offset under half load, ${words}`, {
      ntpsd: Math.abs(loaded.mean),
      unit: "s, less is better",
      goal: OFFSET_GOAL,
    });
  }
}

function describe(figure: { mean: number; deviation: number; count: number }): string {
  const { mean, deviation, count } = figure;
  return `mean offset ${(mean * 1e6).toFixed(1)} us, deviation ${
    (deviation * 1e6).toFixed(1)
  } us ` +
    `(${count} measurements)`;
}

const LATENESSES = ["engine", "timer", "poller", "own"] as const;
const LATENESS_WORDS: Readonly<Record<typeof LATENESSES[number], string>> = {
  engine: "the engine",
  timer: "a timer",
  poller: "a poller's wait",
  own: "a timer, by the server's own doing",
};

interface Lateness {
  readonly count: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

async function soakLateness(place: Place): Promise<void> {
  say(`lateness, in ms: load ${await loadAverage()}`);
  const program = fromFileUrl(new URL("flooded_server.ts", import.meta.url));
  for (const flooded of [false, true]) {
    const port = await freePort();
    await using running = new RunningProgram(Deno.execPath(), {
      args: ["run", "-q", "--no-prompt", "--allow-net", "--allow-ffi", program, String(port)],
      ...(place.namespace === undefined ? {} : { namespace: place.namespace }),
    });
    await running.waitFor(/ready/, 20_000);
    await pin(running.pid, SERVER_CORE);
    // Code that runs for the first time is not what is measured.
    await load(place, { port, window: WINDOW, seconds: 1.5 });
    running.signal("SIGUSR1");
    if (flooded) await load(place, { port, window: 4096, seconds: LATENESS_SECONDS });
    else await pause(LATENESS_SECONDS * 1000);
    await running.stop();
    const said = JSON.parse(running.stdout.trim().split("\n").at(-1) ?? "") as Record<
      typeof LATENESSES[number],
      Lateness
    >;
    for (const what of LATENESSES) {
      const { median, p99, max } = said[what];
      const state = flooded ? "flooded" : "idle";
      say(
        `  ${LATENESS_WORDS[what]}, ${state}: median ${median.toFixed(2)}, 99 % ${
          p99.toFixed(2)
        }, most ${max.toFixed(2)}`,
      );
      if (!flooded) continue;
      note(`lateness of ${LATENESS_WORDS[what]} while flooded, 99 %`, {
        ntpsd: p99 / 1000,
        unit: "s, less is better",
        goal: LATENESS_GOALS[what],
      });
    }
  }
}

function soakHeap(): void {
  say("heap, octets for each request (and time without sockets):");
  for (const { kind, octets, nanoseconds } of measureHeap()) {
    say(
      `  ${kind.padEnd(18)} ${octets.toFixed(1).padStart(8)}   ${
        nanoseconds.toFixed(0).padStart(6)
      } ns`,
    );
    note(`heap for each request, ${kind}`, {
      ntpsd: octets,
      unit: "octets, less is better",
      goal: HEAP_GOAL,
    });
  }
}

async function main(): Promise<void> {
  await using folder = await temporaryFolder();
  const generator = `${folder.path}/ntp_load`;
  const source = fromFileUrl(new URL("ntp_load.c", import.meta.url));
  await run("gcc", { args: ["-O2", "-o", generator, source] });
  const namespace = await canMakeNamespaces() ? `ntpsd-soak-${Deno.pid}` : undefined;
  if (namespace !== undefined) {
    await run("ip", { args: ["netns", "add", namespace] });
    await run("ip", { args: ["-n", namespace, "link", "set", "lo", "up"] });
  }
  const place: Place = { generator, namespace };
  try {
    if (options.only.includes("heap")) soakHeap();
    if (options.only.includes("memory")) await soakMemory(place);
    if (options.only.includes("accuracy")) await soakAccuracy(place);
    if (options.only.includes("lateness")) await soakLateness(place);
  } finally {
    if (namespace !== undefined) await run("ip", { args: ["netns", "del", namespace] });
  }
  if (options.json) console.log(JSON.stringify(figures, null, 1));
}

await main();
