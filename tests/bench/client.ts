/**
 * What ntpsd costs as a client and how exactly it measures: `deno task bench:client`.
 *
 * The offset is measured against a chronyd that reads the same clock, over a veth pair, so the
 * truth is zero; a chronyd as client of the same server is measured at the same time, both asking
 * every two seconds. Start, memory and processor time are those of the chosen form of ntpsd.
 * Limits: memory and processor time after two minutes, not after a day.
 *
 *     deno task bench:client [--json] [--kind=source|bundle|executable] [--seconds=N]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { startChronyd } from "../support/chronyd.ts";
import { clientConfig } from "../support/daemon_config.ts";
import { findPeer, type Peer } from "../support/debian_packages.ts";
import { startFalseServer } from "../support/false_server.ts";
import { type NetworkPair, networkPair } from "../support/network_namespace.ts";
import { type Kind, KINDS, launch, ntpsd, startDaemon } from "../support/ntpsd.ts";
import { temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { pause, waitUntil } from "../support/wait_until.ts";

/**
 * One figure, as `--json` prints it; ratio is the figure to the peer's or, without a peer, to the
 * goal.
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

const ROUNDS = 5;
const SAMPLES = 40;
/** Answers at the start that are left out: code and caches are cold. */
const SETTLING = 8;
const SOURCES = 8;
const WARM_UP_MS = 64_000;

const options = parseArgs({
  args: Deno.args,
  options: {
    json: { type: "boolean" },
    kind: { type: "string", default: "executable" },
    seconds: { type: "string", default: "64" },
  },
}).values;
const kind = KINDS.find((each) => each === options.kind);
if (kind === undefined) throw new Error(`--kind wants ${KINDS.join(", ")}, found ${options.kind}`);
const figures = [
  ...await startFigures(kind),
  ...await costFigures(kind, Number(options.seconds)),
  ...await offsetFigures(kind),
];
if (options.json === true) console.log(JSON.stringify(figures));
else for (const figure of figures) console.log(line(figure));

/** Times `version`, and the daemon from its start to the first request on the wire. */
async function startFigures(kind: Kind): Promise<Figure[]> {
  await launch(kind);
  const version: number[] = [];
  const request: number[] = [];
  for (let round = 0; round < ROUNDS + 1; round++) {
    const start = performance.now();
    await ntpsd(["version"], { kind });
    version.push(performance.now() - start);
    request.push(await firstRequest(kind));
  }
  // The first of each unpacks or fills caches, which is not what is asked for here.
  return [
    toGoal("version", { value: median(version.slice(1)), unit: "ms", goal: 100 }),
    toGoal("start to first request", { value: median(request.slice(1)), unit: "ms", goal: 300 }),
  ];
}

async function firstRequest(kind: Kind): Promise<number> {
  await using server = await startFalseServer({ stratum: 1 });
  const begin = performance.now();
  await using _ = await startDaemon({ kind, config: clientConfig([server], 1) });
  const look = () => server.requests > 0;
  await waitUntil(look, { timeoutMs: 60_000, everyMs: 1, what: () => "the first request" });
  return performance.now() - begin;
}

/** Measures memory and processor time of a daemon with eight sources at poll 6. */
async function costFigures(kind: Kind, seconds: number): Promise<Figure[]> {
  const servers = await Promise.all(
    Array.from({ length: SOURCES }, () => startFalseServer({ stratum: 1 })),
  );
  const config = clientConfig(servers, 3).replace("min = 0, max = 1", "min = 6, max = 6")
    .replace("initial-poll-interval = 0", "initial-poll-interval = 6");
  try {
    await using daemon = await startDaemon({ kind, config });
    await daemon.waitForStatus((status) => status.sources.every((source) => source.received > 3));
    // In the first minute V8 still compiles; that is the start's cost, not that of keeping time.
    await pause(WARM_UP_MS);
    const before = await processorSeconds(daemon.process.pid);
    await pause(seconds * 1000);
    const used = await processorSeconds(daemon.process.pid) - before;
    const memory = await residentMegabytes(daemon.process.pid);
    return [
      toGoal("resident memory", { value: memory, unit: "MB", goal: 70 }),
      toGoal("processor", { value: used / seconds * 100, unit: "percent of a core", goal: 0.2 }),
    ];
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
}

/** Reads the processor time of a process and all its threads, from the scheduler. */
async function processorSeconds(pid: number): Promise<number> {
  let nanoseconds = 0;
  for await (const thread of Deno.readDir(`/proc/${pid}/task`)) {
    const text = await Deno.readTextFile(`/proc/${pid}/task/${thread.name}/schedstat`);
    nanoseconds += Number(text.split(" ")[0]);
  }
  return nanoseconds / 1e9;
}

async function residentMegabytes(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(text.match(/^VmRSS:\s+(\d+) kB/m)?.[1] ?? NaN) * 1024 / 1e6;
}

/**
 * Measures offsets of ntpsd and of chronyd against the same server at the same time, in basic and
 * in interleaved mode.
 */
async function offsetFigures(kind: Kind): Promise<Figure[]> {
  const chronyd = await findPeer("chronyd");
  if (chronyd === undefined) return [];
  await using network = await networkPair();
  const { right } = network;
  const place = { address: right.ipv4, port: 123, namespace: right.namespace };
  await using _ = await startChronyd(chronyd, place);
  await pause(500);
  const figures: Figure[] = [];
  for (const mode of ["basic", "interleaved"] as const) {
    const [own, peer] = await Promise.all([
      ownOffsets(kind, { network, mode }),
      chronydOffsets(chronyd, { network, mode }),
    ]);
    figures.push(...compareOffsets(mode, spread(own), spread(peer)));
  }
  return figures;
}

function compareOffsets(mode: Mode, ours: Spread, theirs: Spread): Figure[] {
  return [
    {
      ...toGoal(`mean offset over veth, ${mode}`, { value: ours.mean, unit: "us", goal: 5 }),
      peer: theirs.mean,
      rounds: SAMPLES,
    },
    {
      name: `standard deviation of it, ${mode}`,
      ntpsd: ours.deviation,
      peer: theirs.deviation,
      unit: "us",
      ratio: ours.deviation / theirs.deviation,
      goal: 1,
      rounds: SAMPLES,
    },
  ];
}

type Mode = "basic" | "interleaved";

interface Measured {
  readonly network: NetworkPair;
  readonly mode: Mode;
}

/**
 * Lets the daemon ask every two seconds, its shortest interval, and reads what each answer alone
 * showed.
 */
async function ownOffsets(kind: Kind, { network, mode }: Measured): Promise<number[]> {
  const config = clientConfig([{ address: network.right.ipv4 }], 1)
    .replace("min = 0, max = 1", "min = 1, max = 1")
    .replace("iburst = true", `iburst = true\ninterleaved = ${mode === "interleaved"}`);
  await using daemon = await startDaemon({ kind, config, namespace: network.left.namespace });
  const offsets: number[] = [];
  let received = SETTLING;
  while (offsets.length < SAMPLES) {
    await pause(250);
    const source = (await daemon.status())?.sources[0];
    if (source === undefined || source.received <= received) continue;
    received = source.received;
    const { measuredOffsetSeconds: offset } = source;
    if (typeof offset === "number") offsets.push(offset);
  }
  return offsets;
}

/** Lets a chronyd ask every two seconds and reads its raw measurements. */
async function chronydOffsets(peer: Peer, { network, mode }: Measured): Promise<number[]> {
  await using folder = await temporaryFolder();
  const file = await folder.write(
    "chrony.conf",
    [
      "user root",
      "port 0",
      "cmdport 0",
      "bindcmdaddress /",
      `pidfile ${folder.path}/chronyd.pid`,
      `server ${network.right.ipv4} minpoll 1 maxpoll 1${mode === "interleaved" ? " xleave" : ""}`,
      `logdir ${folder.path}`,
      "log rawmeasurements",
      "logbanner 0",
      "",
    ].join("\n"),
  );
  await using _ = new RunningProgram(peer.program, {
    args: ["-x", "-d", "-f", file],
    env: peer.env,
    withoutClock: true,
    namespace: network.left.namespace,
  });
  await pause((SAMPLES + SETTLING + 2) * 2000);
  const text = await Deno.readTextFile(`${folder.path}/measurements.log`);
  const offsets = text.split("\n").map((row) => Number(row.trim().split(/\s+/)[11]));
  return offsets.filter((offset) => Number.isFinite(offset)).slice(-SAMPLES);
}

/** Mean and standard deviation, in microseconds. */
interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** Mean and standard deviation, in microseconds. */
function spread(offsets: readonly number[]): Spread {
  const mean = offsets.reduce((sum, each) => sum + each, 0) / offsets.length;
  const squares = offsets.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  return { mean: mean * 1e6, deviation: Math.sqrt(squares / (offsets.length - 1)) * 1e6 };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function toGoal(
  name: string,
  figure: { readonly value: number; readonly unit: string; readonly goal: number },
): Figure {
  const { value, unit, goal } = figure;
  return {
    name,
    ntpsd: value,
    peer: null,
    unit,
    ratio: Math.abs(value) / goal,
    goal,
    rounds: ROUNDS,
  };
}

function line(figure: Figure): string {
  const peer = figure.peer === null ? "" : `, chronyd ${figure.peer.toFixed(2)}`;
  const goal = figure.peer === null || figure.goal !== 1 ? figure.goal : `${figure.goal} x chronyd`;
  return `${figure.name.padEnd(34)} ${
    figure.ntpsd.toFixed(2)
  } ${figure.unit}${peer}; goal at most ${goal}`;
}
