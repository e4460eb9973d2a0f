/**
 * Turns what was read into the configuration that the program uses, and checks the rules that
 * concern several sections.
 *
 * The idea: every rule notes its error at the key that the administrator would change, and the
 * building goes on, so that all errors are told together. The result counts only if no error was
 * noted. Things that are allowed but look like a mistake become remarks. Limits: the rules within a
 * section stand beside its keys, in `sections/`.
 *
 * @module
 */
import type { Config } from "./config.ts";
import type { ConfigPath } from "./config_path.ts";
import { complete } from "./key.ts";
import { checkListeners } from "./listener_rules.ts";
import { servedPlaces } from "./listen.ts";
import type { RawConfig } from "./schema.ts";
import { CLOCK_KEYS } from "./sections/clock.ts";
import { CONTROL_KEYS } from "./sections/control.ts";
import { KEYSET_KEYS } from "./sections/keys.ts";
import { NTS_KEYS } from "./sections/nts.ts";
import { buildNtsKeServers } from "./sections/nts_ke_server.ts";
import { OBSERVABILITY_KEYS } from "./sections/observability.ts";
import { SECURITY_KEYS } from "./sections/security.ts";
import { buildServers } from "./sections/server.ts";
import { buildSources } from "./sections/source.ts";
import { publicPrefix, servesNobody } from "./served_clients.ts";
import { authenticationOf, buildSynchronization } from "./sections/synchronization.ts";

/**
 * Fills in defaults and checks the rules across keys; sections with errors are left out of the
 * result.
 */
export function buildConfig(raw: RawConfig, root: ConfigPath): Config {
  const rows = raw.source ?? [];
  const sources = buildSources(rows, {
    defaults: raw["source-defaults"],
    authentication: authenticationOf(raw.synchronization),
    hasKeyFile: raw.keys?.file !== undefined,
    root,
  });
  const servers = buildServers(raw.server ?? [], { givesCookies: givesCookies(raw), root });
  const servesNtp = (raw.server ?? []).length > 0;
  const ntsKeServers = buildNtsKeServers(raw["nts-ke-server"] ?? [], { servesNtp, root });
  const config: Config = {
    sources: sources.filter(isPresent),
    servers: servers.filter(isPresent),
    ntsKeServers: ntsKeServers.filter(isPresent),
    keyset: complete(KEYSET_KEYS, raw.keyset),
    keysFile: raw.keys?.file,
    synchronization: buildSynchronization(raw.synchronization, {
      sources: sources.filter(isPresent),
      sectionCount: rows.length,
      root,
    }),
    clock: complete(CLOCK_KEYS, raw.clock),
    nts: complete(NTS_KEYS, raw.nts),
    observability: complete(OBSERVABILITY_KEYS, raw.observability),
    control: complete(CONTROL_KEYS, raw.control),
    security: complete(SECURITY_KEYS, raw.security),
  };
  checkListeners({
    servers,
    ntsKeServers,
    status: config.observability.listen,
    control: config.control,
  }, root);
  checkControlClients(config, root);
  checkForgedClients(config, root);
  const hasLocal = config.synchronization.localStratum !== undefined;
  const serves = servesNtp || ntsKeServers.length > 0;
  checkRoles({ hasSources: rows.length > 0, hasLocal, serves }, root);
  return config;
}

/**
 * Tells whether clients can have cookies for the servers here: from here, or from another machine
 * that shares its keys.
 */
function givesCookies(raw: RawConfig): boolean {
  return (raw["nts-ke-server"] ?? []).length > 0 || raw.keyset?.["key-storage-path"] !== undefined;
}

/** Notes that nobody can ask where chrony's command protocol is served. */
function checkControlClients({ control }: Config, root: ConfigPath): void {
  const { chronyc, allowlist } = control;
  if (chronyc === undefined || !servesNobody({ allowlist }, servedPlaces([chronyc]))) return;
  root.key("control").key("allowlist").warn(
    `No address of the list can reach ${chronyc}, so no chronyc has a response`,
    "add the prefixes of those who may ask",
  );
}

/** Notes that responses to ntpq, which are long, go to addresses that strangers can forge. */
function checkForgedClients({ control, servers }: Config, root: ConfigPath): void {
  const { ntpq, allowlist } = control;
  const places = [
    ...servedPlaces(servers.map(({ listen }) => listen)),
    ...servedPlaces(ntpq === undefined ? [] : [ntpq]),
  ];
  const forged = ntpq === "off" ? undefined : publicPrefix(allowlist, places);
  if (forged === undefined) return;
  root.key("control").key("allowlist").warn(
    `Strangers can forge addresses of ${forged}, and a response to ntpq is longer than its request`,
    'allow only loopback and private networks, or leave the protocol out with ntpq = "off"',
  );
}

/** Notes what is allowed, but leaves the daemon with less to do than was probably meant. */
function checkRoles(
  { hasSources, hasLocal, serves }: {
    readonly hasSources: boolean;
    readonly hasLocal: boolean;
    readonly serves: boolean;
  },
  root: ConfigPath,
): void {
  if (!hasSources && !serves) {
    root.warn(
      "No sources and no servers: ntpsd has nothing to do",
      "add [[source]]; without a configuration file ntpsd uses public servers",
    );
  } else if (!hasSources && !hasLocal) {
    root.warn("No sources: the clock is left as it is", "add a [[source]] section");
  }
}

function isPresent<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
