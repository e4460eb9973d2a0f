/**
 * How much the server can answer, beside chronyd, in the same run.
 *
 * All run in a network namespace of their own, whose loopback interface hands what it receives to
 * the generator's core. Without that, delivering the answers to the generator would be work on the
 * server's core, a fixed quarter of all that is measured, for any server; over a network it is done
 * by the client's machine. `--unsteered` measures on the plain loopback interface, as does a
 * machine where namespaces cannot be made.
 *
 * ntpsd and chronyd (client log off, and on as is its default) run on one core, the load generator
 * `ntp_load.c` on another; in every round each is loaded in turn, so that what else the machine
 * does hits all alike, and what is compared is the median of the rounds' ratios. Processor time is
 * that of all threads of the server, from the scheduler. How far the generator is from being the
 * bottleneck shows in the share of its time in which there was nothing for it to receive.
 *
 *     deno task bench:server [--json] [--rounds=N] [--seconds=N] [--windows=1,64,256,1024] [--sources=N] [--unsteered]
 *         [--kind=source|bundle|executable]
 *
 * @module
 */
import { present } from "../../src/base/assert.ts";
import { startChronyd } from "../support/chronyd.ts";
import { fromFileUrl, run } from "../support/command.ts";
import { findPeer } from "../support/debian_packages.ts";
import { type Kind, KINDS, startDaemon } from "../support/ntpsd.ts";
import { canMakeNamespaces } from "../support/network_namespace.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { waitUntil } from "../support/wait_until.ts";
import { printParts } from "./server_parts.ts";

const SERVER_CORE = "0";
const LOAD_CORE = "1";
const GOAL_PER_CPU = 1.3;
const GOAL_LATENCY = 1.0;
const SERVERS = ["ntpsd", "chronyd", "chronyd with client log"] as const;
type Server = (typeof SERVERS)[number];

/** What the generator prints. */
interface Load {
  readonly answers: number;
  readonly answersPerSecond: number;
  readonly lost: number;
  readonly idleShare: number;
  readonly medianSeconds: number;
  readonly p99Seconds: number;
}

/** One load of one server. */
interface Measurement extends Load {
  /** Answers for each second of processor time. */
  readonly perCpuSecond: number;
}

type Rounds = Readonly<Record<Server, Measurement[]>>;

const options = readOptions(Deno.args);

function readOptions(args: readonly string[]) {
  const value = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  return {
    json: args.includes("--json"),
    rounds: Number(value("rounds") ?? 7),
    seconds: Number(value("seconds") ?? 0.7),
    windows: (value("windows") ?? "1,64,256,1024").split(",").map(Number),
    steered: !args.includes("--unsteered"),
    sources: Number(value("sources") ?? 0),
    kind: KINDS.find((kind) => kind === value("kind")) ?? "source" as Kind,
  };
}

/** Nanoseconds that all threads of a process have run. */
async function processorTime(pid: number): Promise<number> {
  let sum = 0;
  for await (const task of Deno.readDir(`/proc/${pid}/task`)) {
    const text = await Deno.readTextFile(`/proc/${pid}/task/${task.name}/schedstat`).catch(() =>
      "0"
    );
    sum += Number(text.split(" ")[0]);
  }
  return sum;
}

interface Place {
  readonly generator: string;
  /** The network namespace in which all run; undefined for that of the machine. */
  readonly namespace: string | undefined;
}

interface Loaded {
  readonly pid: number;
  readonly port: number;
}

/** Runs the generator on its core. */
async function load(
  place: Place,
  server: Loaded,
  options: { window: number; seconds: number; sources: number },
): Promise<Load> {
  const { window, seconds, sources } = options;
  const words = ["127.0.0.1", server.port, window, seconds, "warmup=0.001", `sources=${sources}`];
  const all = ["taskset", "-c", LOAD_CORE, place.generator, ...words.map(String)];
  const inside = place.namespace === undefined
    ? all
    : ["ip", "netns", "exec", place.namespace, ...all];
  const { stdout } = await run(inside[0] ?? "", { args: inside.slice(1) });
  return JSON.parse(stdout) as Load;
}

async function measure(place: Place, server: Loaded, window: number): Promise<Measurement> {
  const { seconds, sources } = options;
  const before = await processorTime(server.pid);
  const result = await load(place, server, { window, seconds, sources });
  const used = await processorTime(server.pid) - before;
  return { ...result, perCpuSecond: result.answers / (used / 1e9) };
}

/** Makes a namespace whose loopback interface receives on the generator's core. */
async function steeredNamespace(): Promise<
  AsyncDisposable & { readonly name: string | undefined }
> {
  if (!options.steered || !await canMakeNamespaces()) {
    return { name: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const name = `ntpsd-bench-${Deno.pid}`;
  await run("ip", { args: ["netns", "add", name] });
  const dispose = async () => {
    await run("ip", { args: ["netns", "del", name] });
  };
  try {
    await run("ip", { args: ["-n", name, "link", "set", "lo", "up"] });
    const mask = (1 << Number(LOAD_CORE)).toString(16);
    const steer = `echo ${mask} > /sys/class/net/lo/queues/rx-0/rps_cpus`;
    await run("ip", { args: ["netns", "exec", name, "sh", "-c", steer] });
  } catch (error) {
    await dispose();
    throw error;
  }
  return { name, [Symbol.asyncDispose]: dispose };
}

function median(values: readonly number[]): number {
  return present([...values].sort((a, b) => a - b)[values.length >> 1], "There are rounds");
}

/** The median of the ratios of ntpsd to a peer, round by round. */
function ratio(rounds: Rounds, peer: Server, of: (m: Measurement) => number): number {
  return median(
    rounds.ntpsd.map((m, i) => of(m) / of(present(rounds[peer][i], "A round is whole"))),
  );
}

function printTable(window: number, rounds: Rounds): void {
  console.log(`\nwindow ${window}: medians of ${options.rounds} rounds; ratios are those of ntpsd`);
  const row = (cells: readonly string[]) =>
    console.log(
      `  ${(cells[0] ?? "").padEnd(24)}${cells.slice(1).map((c) => c.padStart(17)).join("")}`,
    );
  row(["", "answers/s", "answers/cpu s", "median us", "99 % us", "lost", "generator idle"]);
  for (const server of SERVERS) {
    const of = (key: keyof Measurement) => median(rounds[server].map((m) => m[key]));
    const cell = (key: keyof Measurement, scale: number, digits: number) => {
      const text = (of(key) * scale).toFixed(digits);
      if (server === "ntpsd") return text;
      return `${text} (${ratio(rounds, server, (m) => m[key]).toFixed(2)})`;
    };
    const lost = `${of("lost")}`, idle = `${(100 * of("idleShare")).toFixed(0)} %`;
    row([
      server,
      cell("answersPerSecond", 1, 0),
      cell("perCpuSecond", 1, 0),
      cell("medianSeconds", 1e6, 1),
      cell("p99Seconds", 1e6, 1),
      lost,
      idle,
    ]);
  }
}

interface Entry {
  readonly name: string;
  readonly ntpsd: number;
  readonly peer: number;
  readonly unit: string;
  readonly ratio: number;
  readonly goal: number;
  readonly rounds: number;
}

function entries(window: number, rounds: Rounds): readonly Entry[] {
  const peers = SERVERS.filter((server) => server !== "ntpsd");
  return peers.flatMap((peer) => {
    const entry = (what: string, key: keyof Measurement, unit: string, goal: number): Entry => ({
      name: `${what}, window ${window}, beside ${peer}`,
      ntpsd: median(rounds.ntpsd.map((m) => m[key])),
      peer: median(rounds[peer].map((m) => m[key])),
      unit,
      ratio: ratio(rounds, peer, (m) => m[key]),
      goal,
      rounds: options.rounds,
    });
    if (window === 1) return [entry("latency", "medianSeconds", "s, less is better", GOAL_LATENCY)];
    return [entry("answers per processor second", "perCpuSecond", "1/s", GOAL_PER_CPU)];
  });
}

async function main(): Promise<void> {
  const peer = await findPeer("chronyd");
  if (peer === undefined) throw new Error("The bench needs chronyd to compare with");
  await using folder = await temporaryFolder();
  const generator = `${folder.path}/ntp_load`;
  const source = fromFileUrl(new URL("ntp_load.c", import.meta.url));
  await run("gcc", { args: ["-O2", "-o", generator, source] });

  await using steered = await steeredNamespace();
  const place: Place = { generator, namespace: steered.name };
  const inside = steered.name === undefined ? {} : { namespace: steered.name };
  await using quiet = await startChronyd(peer, { ...inside, lines: ["noclientlog"] });
  await using logging = await startChronyd(peer, inside);
  const port = await freePort();
  const config = `[[server]]\nlisten = "127.0.0.1:${port}"\n[synchronization]\nlocal-stratum = 3\n`;
  await using daemon = await startDaemon({ ...inside, config, kind: options.kind });
  const servers: Readonly<Record<Server, Loaded>> = {
    "ntpsd": { pid: daemon.process.pid, port },
    "chronyd": { pid: quiet.process.pid, port: quiet.port },
    "chronyd with client log": { pid: logging.process.pid, port: logging.port },
  };
  for (const server of Object.values(servers)) {
    const answers = async () =>
      (await load(place, server, { window: 1, seconds: 0.1, sources: 0 })).answers > 0;
    await waitUntil(answers, { timeoutMs: 60_000, what: () => `an answer on port ${server.port}` });
    await run("taskset", { args: ["-a", "-c", "-p", SERVER_CORE, String(server.pid)] });
  }
  // Code that runs for the first time is not what is measured.
  await measure(place, servers.ntpsd, 64);

  const all: Entry[] = [];
  for (const window of options.windows) {
    const rounds: Rounds = { "ntpsd": [], "chronyd": [], "chronyd with client log": [] };
    for (let round = 0; round < options.rounds; round++) {
      for (const server of SERVERS) {
        rounds[server].push(await measure(place, servers[server], window));
      }
    }
    if (!options.json) printTable(window, rounds);
    all.push(...entries(window, rounds));
  }
  if (options.json) return console.log(JSON.stringify(all, null, 1));
  console.log("\nparts of the answer path, without sockets:");
  printParts();
}

await main();
