/**
 * Makes a whole scenario of what its file says: defaults, rules across tables, servers for sources
 * that have none.
 *
 * @module
 */
import type { Config } from "../../config/config.ts";
import type { ConfigPath } from "../../config/config_path.ts";
import { complete, completeIfWhole } from "../../config/key.ts";
import { formatElapsed } from "../date.ts";
import { buildChecks } from "./check.ts";
import { CLOCK_KEYS } from "./clock.ts";
import { buildEvents, serversOf } from "./event.ts";
import { LIMITS_KEYS } from "./limits.ts";
import type { Scenario } from "./scenario.ts";
import { type RawScenario, RUN_KEYS } from "./schema.ts";
import { buildServers, serverRows } from "./server.ts";
import { missingServers, withoutNts } from "./sources.ts";

/** What a scenario is made with. */
export interface BuildOptions {
  /** Where errors are told. */
  readonly root: ConfigPath;
  /** The configuration of ntpsd; undefined if it has errors, which are told elsewhere. */
  readonly config: Config | undefined;
}

/** Returns the scenario; undefined when something is missing that has been noted. */
export function buildScenario(
  raw: RawScenario,
  { root, config }: BuildOptions,
): Scenario | undefined {
  const rows = serverRows(raw.server ?? []);
  const defaults = raw["server-defaults"];
  const missing = config === undefined ? [] : missingServers(config, buildServers(rows, defaults));
  const servers = buildServers([...rows, ...missing.flatMap(({ rows }) => rows)], defaults);
  checkNames(servers.map(({ name }) => name), { raw, root });
  const events = buildEvents(raw.event ?? [], { start: RUN_KEYS.start.build(raw.start), root });
  const run = buildRun(raw, root);
  if (config === undefined || run === undefined) return undefined;
  const plain = withoutNts(config);
  return {
    ...run,
    machine: complete(CLOCK_KEYS, raw.clock),
    servers,
    events,
    config: plain.config,
    limits: complete(LIMITS_KEYS, raw.limits),
    checks: buildChecks(raw.check ?? []),
    notes: [
      ...missing.map(({ host }) => `${host} is simulated with the qualities of [server-defaults]`),
      ...plain.hosts.map((host) => `${host} is simulated without NTS`),
      ...events.filter(({ at }) => at > run.duration).map(({ at, label }) =>
        `"${label}" at ${formatElapsed(at)} is after the end of the run, and does not happen`
      ),
    ],
  };
}

/** Builds the keys at the top. */
function buildRun(raw: RawScenario, root: ConfigPath) {
  const run = completeIfWhole(RUN_KEYS, raw);
  if (run === undefined) return undefined;
  const { duration, measureFrom = duration / 4 } = run;
  // The default is always before the end.
  if (measureFrom >= duration) {
    root.key("measure-from").report("Wanted a time before the end of the run");
  }
  return { ...run, measureFrom };
}

function checkNames(
  names: readonly string[],
  { raw, root }: { readonly raw: RawScenario; readonly root: ConfigPath },
): void {
  const known = new Set(names);
  if (known.size !== names.length) {
    root.key("server").report("Wanted a different name for each server");
  }
  const check = (name: string, at: ConfigPath): void => {
    if (!known.has(name)) at.report(`Wanted the name of a server, found "${name}"`);
  };
  for (const [i, row] of (raw.event ?? []).entries()) {
    const at = root.key("event").index(i).key("server");
    for (const name of row === undefined ? [] : serversOf(row)) check(name, at);
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
