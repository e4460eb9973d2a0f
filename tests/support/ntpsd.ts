/**
 * ntpsd itself, as the tests start it: from source, as the bundle, or as the built executable.
 *
 * The idea: whatever the kind, it runs with its own permissions alone, and as a daemon always with
 * `-x` or without the capability to set the clock, so that no test can touch the clock of the
 * machine. Limits: the builds in dist/ are made anew when a source file is younger than they are.
 *
 * @module
 */
import { type CommandResult, fromFileUrl, run, runAny } from "./command.ts";
import { withLock } from "./lock.ts";
import { freePort, type TemporaryFolder, temporaryFolder } from "./places.ts";
import { RunningProgram } from "./process.ts";
import { PATIENCE_MS, waitUntil } from "./wait_until.ts";

/** The forms in which ntpsd can be started. */
export const KINDS = ["source", "bundle", "executable"] as const;

/** One of the forms. */
export type Kind = typeof KINDS[number];

/** How a command line of ntpsd begins. */
export interface Launch {
  /** The program to start. */
  readonly program: string;
  /** Arguments before ntpsd's own. */
  readonly args: readonly string[];
}

/** What a daemon is to do. */
export interface DaemonOptions {
  /** The configuration, without `[observability] listen`, which is chosen here. */
  readonly config: string;
  /** The form; from source unless given. */
  readonly kind?: Kind;
  /** How it is started, if it is none of the forms. */
  readonly launch?: Launch;
  /** Further arguments after `run -x -c FILE`. */
  readonly args?: readonly string[];
  /** A network namespace to run in. */
  readonly namespace?: string;
}

/** What tests read of one source in the status document. */
export interface SourceStatus {
  /** The configured or resolved name. */
  readonly name: string;
  /** The numeric address with port. */
  readonly address: string;
  /** The status word. */
  readonly status: string;
  /** The sentence beside it. */
  readonly reason: string;
  /** The reach register, 0 to 255. */
  readonly reach: number;
  /** The server's stratum. */
  readonly stratum: number;
  /** Offset of the server. */
  readonly offsetSeconds: number;
  /** What the last sample alone showed. */
  readonly measuredOffsetSeconds?: number | null;
  /** Requests sent. */
  readonly sent: number;
  /** Answers received. */
  readonly received: number;
  /** Packets that brought nothing, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** How packets are authenticated. */
  readonly authentication: string;
  /** Keys and cookies; null without them. */
  readonly nts: {
    /** Unused cookies. */
    readonly cookies: number;
    /** The number of the algorithm. */
    readonly aead: number | null;
    /** When keys were exchanged last; null if not by this run. */
    readonly lastKeyExchange: string | null;
    /** What went wrong, by reason. */
    readonly failures: Readonly<Record<string, number>>;
    /** Whether the certificate waits for a time that is known. */
    readonly provisional: boolean;
  } | null;
}

/** What tests read of the status document. */
export interface Status {
  /** The version of ntpsd. */
  readonly version: string;
  /** The state word. */
  readonly state: string;
  /** Whether the clock is adjusted; never in tests. */
  readonly adjusting: boolean;
  /** Why the state is not "synchronized". */
  readonly why: string;
  /** Own stratum. */
  readonly stratum: number;
  /** Combined offset. */
  readonly offsetSeconds: number;
  /** How fast the clock runs of itself, in parts per million. */
  readonly frequencyPpm: number;
  /** The standard deviation of the error of that. */
  readonly skewPpm: number;
  /** How often the clock was stepped. */
  readonly steps: { readonly count: number };
  /** Faults of ntpsd itself that it has survived. */
  readonly internalErrors: number;
  /** All sources. */
  readonly sources: readonly SourceStatus[];
  /** All servers. */
  readonly servers: readonly {
    /** Where it listens, as configured. */
    readonly listen: string;
    /** Requests that came. */
    readonly received: number;
    /** Answers with the time. */
    readonly answered: number;
    /** What was not answered, by reason. */
    readonly dropped: Readonly<Record<string, number>>;
    /** What became of those with Network Time Security. */
    readonly nts: { readonly answered: number; readonly naks: number };
  }[];
  /** All servers of keys. */
  readonly ntsKe: readonly {
    /** Exchanges that brought keys. */
    readonly completed: number;
    /** Those that brought none, by reason. */
    readonly failed: Readonly<Record<string, number>>;
  }[];
  /** What is configured, and whether it works. */
  readonly functions: readonly {
    /** What it is. */
    readonly kind: string;
    /** Its address or path. */
    readonly name: string;
    /** Whether it works. */
    readonly up: boolean;
  }[];
}

/**
 * Whether a daemon that may not set the clock follows its first source, and has for so many
 * responses.
 */
export function follows(status: Status, responses = 3): boolean {
  return status.state === "monitoring" && (status.sources[0]?.received ?? 0) >= responses;
}

/** A daemon that runs. */
export interface Daemon extends AsyncDisposable {
  /** The program. */
  readonly process: RunningProgram;
  /** The path of its configuration file, which may be rewritten. */
  readonly configPath: string;
  /** A folder for its files. */
  readonly folder: TemporaryFolder;
  /** Where it tells its status, `127.0.0.1:PORT`. */
  readonly at: string;
  /** Rewrites the configuration, `[observability]` added as at the start. */
  configure(config: string): Promise<void>;
  /** Reads its status; undefined while it does not answer. */
  status(): Promise<Status | undefined>;
  /**
   * Waits until the status is as wanted; throws with the last one and the log when time runs out.
   */
  waitForStatus(wanted: (status: Status) => boolean, timeoutMs?: number): Promise<Status>;
}

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const BUILT: Readonly<Record<Exclude<Kind, "source">, { path: string; task: string }>> = {
  bundle: { path: `${ROOT}dist/ntpsd.js`, task: "tools/bundle.ts" },
  executable: { path: `${ROOT}dist/ntpsd`, task: "tools/compile.ts" },
};
const PERMISSIONS = ["--quiet", "--no-prompt", "--allow-net", "--allow-ffi"];

/**
 * Tells how ntpsd of a kind is started, building it first if it is missing or older than its
 * sources.
 */
export async function launch(kind: Kind): Promise<Launch> {
  if (kind === "source") {
    const config = `--config=${ROOT}deno.json`;
    return { program: Deno.execPath(), args: ["run", ...PERMISSIONS, config, `${ROOT}main.ts`] };
  }
  const { path, task } = BUILT[kind];
  await (building[kind] ??= withLock(`${path}.lock`, () => buildIfStale(path, task)));
  if (kind === "executable") return { program: path, args: [] };
  return { program: Deno.execPath(), args: ["run", ...PERMISSIONS, "--no-config", path] };
}

const building: Partial<Record<Kind, Promise<void>>> = {};

/** Runs a command of ntpsd to its end. Never for the daemon: use `startDaemon`. */
export async function ntpsd(
  args: readonly string[],
  options: { readonly kind?: Kind; readonly timeoutMs?: number; readonly namespace?: string } = {},
): Promise<CommandResult> {
  const start = await launch(options.kind ?? "source");
  const timeoutMs = options.timeoutMs ?? PATIENCE_MS;
  const all = [...start.args, ...args];
  if (options.namespace === undefined) return await runAny(start.program, { args: all, timeoutMs });
  const inside = ["netns", "exec", options.namespace, start.program, ...all];
  return await runAny("ip", { args: inside, timeoutMs });
}

/**
 * Runs the daemon's own command line without the capability to set the clock, and without further
 * ones, for faults at its start; it must end by itself within `timeoutMs`.
 */
export async function ntpsdWithoutClock(
  args: readonly string[],
  options: {
    readonly kind?: Kind;
    readonly timeoutMs?: number;
    /** In the words of setpriv, such as `net_bind_service`. */
    readonly without?: readonly string[];
  } = {},
): Promise<CommandResult> {
  const start = await launch(options.kind ?? "source");
  const list = ["sys_time", ...options.without ?? []].map((name) => `-${name}`).join(",");
  const drop = [`--bounding-set=${list}`, `--inh-caps=${list}`, `--ambient-caps=${list}`];
  const all = [...drop, start.program, ...start.args, ...args];
  return await runAny("setpriv", { args: all, timeoutMs: options.timeoutMs ?? PATIENCE_MS });
}

/** Starts a daemon with `-x`; does not wait for anything. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const start = options.launch ?? await launch(options.kind ?? "source");
  const folder = await temporaryFolder();
  const at = `127.0.0.1:${await freePort()}`;
  const whole = (config: string) => `${config}\n[observability]\nlisten = "${at}"\n`;
  const configPath = await folder.write("ntpsd.toml", whole(options.config));
  const process = new RunningProgram(start.program, {
    args: [...start.args, "run", "-x", "-c", configPath, ...(options.args ?? [])],
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  });
  const { namespace } = options;
  const status = () => namespace === undefined ? fetchStatus(at) : askStatus(at, namespace);
  return {
    process,
    configPath,
    folder,
    at,
    status,
    configure: (config) => Deno.writeTextFile(configPath, whole(config)),
    waitForStatus: (wanted, timeoutMs) => waitForStatus({ process, status, wanted, timeoutMs }),
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/**
 * Starts a daemon with `-x` and waits until every listener that its configuration names is open.
 */
export async function startServer(options: DaemonOptions): Promise<Daemon> {
  const count = (section: string) => options.config.split(`[[${section}]]`).length - 1;
  const daemon = await startDaemon(options);
  try {
    await daemon.waitForStatus(({ servers, ntsKe }) =>
      servers.length >= count("server") && ntsKe.length >= count("nts-ke-server")
    );
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
  return daemon;
}

async function waitForStatus(watch: {
  readonly process: RunningProgram;
  readonly status: () => Promise<Status | undefined>;
  readonly wanted: (status: Status) => boolean;
  readonly timeoutMs: number | undefined;
}): Promise<Status> {
  let last: Status | undefined;
  const look = async () => {
    if (watch.process.over) throw new Error(`The daemon ended: ${watch.process.stderr}`);
    last = await watch.status() ?? last;
    return last !== undefined && watch.wanted(last) ? last : undefined;
  };
  return await waitUntil(look, {
    timeoutMs: watch.timeoutMs ?? PATIENCE_MS,
    everyMs: 200,
    what: () =>
      `the wanted status; last was ${JSON.stringify(last, null, 1)}\n${watch.process.stderr}`,
  });
}

async function fetchStatus(at: string): Promise<Status | undefined> {
  try {
    const response = await fetch(`http://${at}/status`, { signal: AbortSignal.timeout(2000) });
    return await response.json() as Status;
  } catch {
    return undefined;
  }
}

async function askStatus(at: string, namespace: string): Promise<Status | undefined> {
  const said = await ntpsd(["status", "--json", "--at", at], { namespace });
  try {
    const told = JSON.parse(said.stdout) as Status | { readonly error: string };
    // It listens a moment after its start.
    return "error" in told ? undefined : told;
  } catch {
    return undefined;
  }
}

async function buildIfStale(path: string, task: string): Promise<void> {
  const built = (await Deno.stat(path).catch(() => undefined))?.mtime?.getTime() ?? 0;
  const changed = await Promise.all(
    ["main.ts", "deno.json", "src", "ffi", "tools"].map(lastChange),
  );
  if (built > Math.max(...changed)) return;
  const args = ["run", "--quiet", "--no-prompt", "-P=tools", `${ROOT}${task}`];
  await run(Deno.execPath(), { args, cwd: ROOT });
}

/** Finds when a file, or any file in a folder, was changed last; tests do not count. */
async function lastChange(name: string): Promise<number> {
  const path = `${ROOT}${name}`;
  const info = await Deno.stat(path);
  if (!info.isDirectory) return name.endsWith("_test.ts") ? 0 : info.mtime?.getTime() ?? 0;
  const entries = await Array.fromAsync(Deno.readDir(path));
  const times = await Promise.all(entries.map((entry) => lastChange(`${name}/${entry.name}`)));
  return Math.max(0, ...times);
}
