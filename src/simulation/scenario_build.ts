/**
 * Makes a whole scenario of what its file says: defaults, rules across keys, servers for sources
 * that have none.
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import type { Config, SourceConfig } from "../config/config.ts";
import type { ConfigPath } from "../config/config_path.ts";
import { ipFamily } from "../base/ip_address.ts";
import { NANOSECONDS_PER_SECOND, SECONDS_PER_DAY } from "../base/units.ts";
import { NTP_PORT } from "../base/ports.ts";
import type { DelayModel } from "./delay.ts";
import type {
  Check,
  Limits,
  MachineModel,
  Scenario,
  ScenarioEvent,
  ServerChange,
  ServerModel,
} from "./scenario.ts";
import type {
  RawChange,
  RawCheck,
  RawClock,
  RawEvent,
  RawLimits,
  RawPath,
  RawScenario,
  RawServer,
  RawWander,
} from "./scenario_schema.ts";

/**
 * Reads the configuration that belongs to the scenario; undefined when it has errors, which it has
 * noted.
 */
export type ConfigReader = () => Config | undefined;

/** 2026-03-01T00:00:00Z. */
const START_DEFAULT = 1_772_323_200_000_000_000n;
const PATH_DEFAULT: DelayModel = {
  delay: 0.01,
  jitter: 0.001,
  distribution: "exponential",
  shape: 1.5,
  loss: 0,
};
/**
 * How many servers a pool has that no server is written for, beyond those that are used at a time.
 */
const POOL_SPARE = 4;

/** Returns the scenario; undefined when something is missing that has been noted. */
export function buildScenario(
  raw: RawScenario,
  { root, readConfig }: { root: ConfigPath; readConfig: ConfigReader },
): Scenario | undefined {
  const notes: string[] = [];
  const config = readConfig();
  const rows = raw.server ?? [];
  const written = rows.flatMap((row, i) => row === undefined ? [] : buildServers(row, i));
  const servers = written.map((server, i) => complete(server, { defaults: raw, index: i + 1 }));
  if (config !== undefined) {
    for (const name of missingNames(config, servers)) {
      notes.push(`${name.name} is simulated with the qualities of [server-defaults]`);
      for (const part of name.parts) {
        servers.push(complete(part, { defaults: raw, index: servers.length + 1 }));
      }
    }
  }
  checkNames(servers, { raw, root });
  const events = buildEvents(raw, root);
  if (config === undefined || raw.name === undefined || raw.duration === undefined) {
    return undefined;
  }
  return {
    name: raw.name,
    description: raw.description ?? "",
    duration: raw.duration,
    measureFrom: raw["measure-from"] ?? raw.duration / 4,
    seed: raw.seed ?? 1,
    start: raw.start ?? START_DEFAULT,
    machine: buildMachine(raw.clock),
    servers,
    events,
    config: withoutNts(config, notes),
    limits: buildLimits(raw.limits),
    checks: (raw.check ?? []).flatMap((row) => row === undefined ? [] : [buildCheck(row)]),
    notes,
  };
}

/**
 * The `[[source]]` sections for a scenario that has none: one for each server, in the order of the
 * file.
 */
export function defaultSources(raw: RawScenario): readonly Record<string, unknown>[] {
  const rows = (raw.server ?? []).flatMap((row, i) =>
    row === undefined ? [] : buildServers(row, i)
  );
  return rows.map((row) => ({ mode: "server", address: row.name ?? "", iburst: true }));
}

/** Copies a row `count` times, each with its own name. */
function buildServers(row: RawServer, index: number): readonly RawServer[] {
  const name = row.name ?? `server-${index + 1}`;
  if (row.count === undefined || row.count === 1) return [{ ...row, name }];
  return Array.from({ length: row.count }, (_, i) => ({ ...row, name: `${name}-${i + 1}` }));
}

function complete(
  row: RawServer,
  { defaults, index }: { defaults: RawScenario; index: number },
): ServerModel {
  const common: Partial<RawServer> = defaults["server-defaults"] ?? {};
  const merged: RawServer = { ...common, ...defined(row) } as RawServer;
  const pools = row.pool === undefined ? [] : [row.pool].flat();
  const change = buildChange(merged);
  return {
    name: row.name ?? `server-${index}`,
    address: row.address ?? simulatedAddress(index),
    pools,
    ...buildWander(merged),
    offset: 0,
    alive: true,
    refuses: false,
    stratum: 1,
    referenceId: "GPS",
    leap: "none",
    rootDelay: 0,
    rootDispersion: 0,
    precision: -25,
    turnaround: 10e-6,
    kiss: undefined,
    kissInterval: 0,
    attack: "none",
    ...change,
    frequency: change.frequency ?? 0,
    forward: { ...PATH_DEFAULT, ...change.forward },
    backward: { ...PATH_DEFAULT, ...change.backward },
  };
}

/** Addresses out of the block that is kept for documentation and tests (RFC 5737, RFC 3849). */
function simulatedAddress(index: number): string {
  return index < 255 ? `192.0.2.${index}` : `2001:db8::${index.toString(16)}`;
}

function buildWander(row: RawWander): Pick<ServerModel, "wander" | "temperature" | "aging"> {
  const temperature = row.temperature;
  const aging = row["aging-ppm-per-day"];
  return {
    wander: row.wander ?? 0,
    temperature: temperature === undefined ? undefined : {
      amplitude: temperature["amplitude-ppm"] ?? 0,
      period: temperature.period ?? 3600,
    },
    aging: aging === undefined ? undefined : { ppmPerDay: aging },
  };
}

/** What a row says of a server and its path, and nothing that it does not say. */
function buildChange(row: RawChange): ServerChange {
  const forward = buildPath(row, "forward");
  const backward = buildPath(row, "backward");
  return defined({
    offset: row.offset,
    frequency: row["frequency-ppm"],
    alive: row.alive,
    refuses: row.refuses,
    stratum: row.stratum,
    referenceId: row["reference-id"],
    leap: row.leap,
    rootDelay: row["root-delay"],
    rootDispersion: row["root-dispersion"],
    precision: row.precision,
    turnaround: row.turnaround,
    kissInterval: row["kiss-interval"],
    attack: row.attack,
    ...(row.kiss === undefined ? {} : { kiss: row.kiss }),
    ...(Object.keys(forward).length === 0 ? {} : { forward }),
    ...(Object.keys(backward).length === 0 ? {} : { backward }),
  });
}

function buildPath(row: RawChange, direction: "forward" | "backward"): Partial<DelayModel> {
  const side = row[direction] ?? {};
  const sign = direction === "forward" ? 0.5 : -0.5;
  const half = row.asymmetry === undefined ? 0 : row.asymmetry * sign;
  const common = buildDirection(row);
  if (row.asymmetry !== undefined) {
    const mean = row.delay ?? PATH_DEFAULT.delay;
    Object.assign(common, { delay: Math.max(0, mean + half) });
  }
  return { ...common, ...buildDirection(side) };
}

function buildDirection(row: Partial<RawPath>): Partial<DelayModel> {
  const { congestion, bursts } = row;
  return defined({
    delay: row.delay,
    jitter: row.jitter,
    distribution: row.distribution,
    shape: row.shape,
    loss: row.loss,
    ...(congestion === undefined ? {} : {
      congestion: { factor: congestion.factor ?? 1, period: congestion.period ?? SECONDS_PER_DAY },
    }),
    ...(bursts === undefined ? {} : {
      bursts: { factor: bursts.factor ?? 1, length: bursts.length ?? 1, gap: bursts.gap ?? 1 },
    }),
  });
}

/** Leaves out the keys that are undefined. */
function defined<Table extends object>(
  table: Table,
): { [Key in keyof Table]: NonNullable<Table[Key]> } {
  const entries = Object.entries(table).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Table]: NonNullable<Table[Key]> };
}

function buildMachine(row: RawClock | undefined): MachineModel {
  const drift = row?.["drift-file"];
  return {
    ...buildWander(row ?? ({} as RawWander)),
    frequency: row?.["frequency-ppm"] ?? 50,
    offset: row?.offset ?? 0.1,
    precision: row?.precision ?? 0,
    timestampNoise: row?.["timestamp-noise"] ?? 0,
    timestamping: row?.timestamping ?? "kernel",
    driftFile: drift === undefined ? undefined : {
      frequency: drift["frequency-ppm"] ?? 0,
      skew: drift["skew-ppm"] ?? 1,
    },
  };
}

function buildEvents(raw: RawScenario, root: ConfigPath): readonly ScenarioEvent[] {
  const events = (raw.event ?? []).flatMap((row, i) => {
    if (row?.at === undefined || row.kind === undefined) return [];
    const at = root.key("event").index(i);
    const event = buildEvent(row, at);
    if (event?.kind === "leap" && !isMidnight(raw, event.at)) {
      at.key("at").report("Wanted the end of a day in UTC, where leap seconds are");
    }
    return event === undefined ? [] : [event];
  });
  checkSleep(events, root);
  return events.toSorted((a, b) => a.at - b.at);
}

/** While the machine sleeps, only servers change. */
function checkSleep(events: readonly ScenarioEvent[], root: ConfigPath): void {
  for (const sleep of events) {
    if (sleep.kind !== "suspend") continue;
    for (const event of events) {
      const isDuring = event.at >= sleep.at && event.at <= sleep.at + sleep.duration;
      if (event === sleep || !isDuring) continue;
      if (event.kind === "server-change" || event.kind === "leap") continue;
      root.key("event").report(`Wanted no "${event.kind}" while the machine sleeps`);
    }
  }
}

function isMidnight(raw: RawScenario, at: number): boolean {
  const start = raw.start ?? START_DEFAULT;
  return (start / NANOSECONDS_PER_SECOND + BigInt(Math.round(at))) % BigInt(SECONDS_PER_DAY) ===
      0n &&
    Number.isInteger(at);
}

function buildEvent(row: RawEvent, at: ConfigPath): ScenarioEvent | undefined {
  const kind = row.kind ?? "restart";
  const servers = row.server === undefined ? [] : [row.server].flat();
  const place = servers.length === 0 ? "" : ` ${servers.join(", ")}`;
  const base = { at: row.at ?? 0, label: row.label ?? `${kind.replaceAll("-", " ")}${place}` };
  const missing = (key: string): undefined =>
    at.key(key).report(`Missing for a ${kind}`) as undefined;
  switch (kind) {
    case "server-change":
    case "route-change":
      return { ...base, kind: "server-change", servers, change: buildChange(row) };
    case "server-dies":
      return {
        ...base,
        kind: "server-change",
        servers,
        change: { ...buildChange(row), alive: false },
      };
    case "server-returns":
      return {
        ...base,
        kind: "server-change",
        servers,
        change: { ...buildChange(row), alive: true },
      };
    case "suspend":
      if (row.duration === undefined) return missing("duration");
      if (row.duration + (row.error ?? 0) < 0) {
        at.key("error").report(
          "Wanted no more backward than the sleep is long: the boot-time clock never goes back",
        );
        return undefined;
      }
      return { ...base, kind, duration: row.duration, error: row.error ?? 0 };
    case "clock-step":
      return row.step === undefined ? missing("step") : { ...base, kind, step: row.step };
    case "clock-frequency":
    case "oscillator-step":
      if (row["frequency-ppm"] === undefined) return missing("frequency-ppm");
      return { ...base, kind, frequency: row["frequency-ppm"] };
    case "leap": {
      if (row.leap !== "insert" && row.leap !== "delete") return missing("leap");
      return { ...base, kind, leap: row.leap, announce: row.announce ?? SECONDS_PER_DAY };
    }
    case "network-down":
    case "network-up":
    case "restart":
      return { ...base, kind };
    default:
      return unreachable(kind);
  }
}

function buildLimits(row: RawLimits | undefined): Limits {
  return {
    maxError: row?.["max-error"],
    rmsError: row?.["rms-error"],
    timeTo1ms: row?.["time-to-1ms"],
    timeTo100us: row?.["time-to-100us"],
    steps: row?.steps,
    requestsPerServer: row?.["requests-per-server"],
    boundCoverage: row?.["bound-coverage"],
    medianBound: row?.["median-bound"],
    mustNotSelect: row?.["must-not-select"] ?? [],
    mustLog: row?.["must-log"] ?? [],
    mustNotLog: row?.["must-not-log"] ?? [],
    panic: row?.panic ?? false,
  };
}

function buildCheck(row: RawCheck): Check {
  return {
    at: row.at ?? 0,
    state: row.state ?? [],
    sources: row.sources ?? {},
    error: row["max-error"],
    frequencyError: row["max-frequency-error-ppm"],
    leap: row.leap,
    kernelSynchronized: row["kernel-synchronized"],
  };
}

/** Sources of the configuration that no server stands for, with the servers to make for them. */
function missingNames(
  config: Config,
  servers: readonly ServerModel[],
): readonly { readonly name: string; readonly parts: readonly RawServer[] }[] {
  return config.sources.flatMap((source) => {
    const isKnown = servers.some(({ name, pools, address }) =>
      name === source.host || address === source.host || pools.includes(source.host)
    );
    return isKnown ? [] : [{ name: source.host, parts: standIns(source) }];
  });
}

function standIns(source: SourceConfig): readonly RawServer[] {
  const row = { name: source.host } as RawServer;
  if (source.mode === "server" || source.mode === "nts") {
    return [ipFamily(source.host) === undefined ? row : { ...row, address: source.host }];
  }
  return Array.from({ length: source.count + POOL_SPARE }, (_, i) => ({
    ...row,
    name: `${source.host}-${i + 1}`,
    pool: source.host,
  }));
}

/** Sources with NTS become plain ones: the simulated network is its own witness. */
function withoutNts(config: Config, notes: string[]): Config {
  const sources = config.sources.map((source): SourceConfig => {
    if (source.mode !== "nts" && source.mode !== "nts-pool") return source;
    notes.push(`${source.host} is simulated without NTS`);
    return { ...source, mode: source.mode === "nts" ? "server" : "pool", port: NTP_PORT };
  });
  return { ...config, sources };
}

function checkNames(
  servers: readonly ServerModel[],
  { raw, root }: { raw: RawScenario; root: ConfigPath },
): void {
  const known = new Set(servers.map((server) => server.name));
  if (known.size !== servers.length) {
    root.key("server").report("Wanted a different name for each server");
  }
  const check = (name: string, at: ConfigPath): void => {
    if (!known.has(name)) at.report(`Wanted the name of a server, found "${name}"`);
  };
  for (const [i, row] of (raw.event ?? []).entries()) {
    for (const name of row?.server === undefined ? [] : [row.server].flat()) {
      check(name, root.key("event").index(i).key("server"));
    }
  }
  for (const name of raw.limits?.["must-not-select"] ?? []) {
    check(name, root.key("limits").key("must-not-select"));
  }
  for (const [i, row] of (raw.check ?? []).entries()) {
    for (const name of Object.keys(row?.sources ?? {})) {
      check(name, root.key("check").index(i).key("sources"));
    }
  }
}
