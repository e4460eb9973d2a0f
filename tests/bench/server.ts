/**
 * How much the server can answer, beside chronyd, in the same run.
 *
 * ntpsd and chronyd (client log off, and on as is its default) run on one core, the load generator `ntp_load.c` on another; in
 * every round each is loaded in turn, so that what else the machine does hits all alike, and what is compared is the median of
 * the rounds' ratios. Processor time is that of all threads of the server, from the scheduler. How far the generator is from being
 * the bottleneck shows in the share of its time in which there was nothing for it to receive.
 *
 *     deno task bench:server [--json] [--rounds=N] [--seconds=N] [--windows=1,64,256,1024] [--sources=N] [--kind=source|bundle|executable]
 *
 * @module
 */
import { present } from "../../src/base/assert.ts";
import { startChronyd } from "../support/chronyd.ts";
import { fromFileUrl, run } from "../support/command.ts";
import { findPeer } from "../support/debian_packages.ts";
import { type Kind, KINDS, startDaemon } from "../support/ntpsd.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { waitForServer } from "../support/ntp_probe.ts";
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

async function measure(
  generator: string,
  server: { readonly pid: number; readonly port: number },
  window: number,
): Promise<Measurement> {
  const load = [
    generator,
    "127.0.0.1",
    String(server.port),
    String(window),
    String(options.seconds),
  ];
  const before = await processorTime(server.pid);
  const { stdout } = await run("taskset", {
    args: ["-c", LOAD_CORE, ...load, "warmup=0.001", `sources=${options.sources}`],
  });
  const used = await processorTime(server.pid) - before;
  const result = JSON.parse(stdout) as Load;
  return { ...result, perCpuSecond: result.answers / (used / 1e9) };
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

  await using quiet = await startChronyd(peer, { lines: ["noclientlog"] });
  await using logging = await startChronyd(peer);
  const port = await freePort();
  const config = `[[server]]\nlisten = "127.0.0.1:${port}"\n[synchronization]\nlocal-stratum = 3\n`;
  await using daemon = await startDaemon({ config, kind: options.kind });
  await waitForServer("127.0.0.1", { port });
  const servers: Readonly<Record<Server, { readonly pid: number; readonly port: number }>> = {
    "ntpsd": { pid: daemon.process.pid, port },
    "chronyd": { pid: quiet.process.pid, port: quiet.port },
    "chronyd with client log": { pid: logging.process.pid, port: logging.port },
  };
  for (const { pid } of Object.values(servers)) {
    await run("taskset", { args: ["-a", "-c", "-p", SERVER_CORE, String(pid)] });
  }
  // Code that runs for the first time is not what is measured.
  await measure(generator, servers.ntpsd, 64);

  const all: Entry[] = [];
  for (const window of options.windows) {
    const rounds: Rounds = { "ntpsd": [], "chronyd": [], "chronyd with client log": [] };
    for (let round = 0; round < options.rounds; round++) {
      for (const server of SERVERS) {
        rounds[server].push(await measure(generator, servers[server], window));
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
