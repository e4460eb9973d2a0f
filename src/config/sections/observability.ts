/**
 * The `[observability]` section.
 *
 * @module
 */
import { hostName, listenAddress } from "../address_field.ts";
import { boolean, either, list, word } from "../field.ts";
import { type Built, optional, type SectionKey } from "../key.ts";
import { stateFolder } from "../path_field.ts";
import { section } from "../table_field.ts";

/** The words for how much is logged, the most first. */
export const LOG_LEVELS = ["trace", "debug", "info", "warning", "error"] as const;

/** The words for how much is logged. */
export type LogLevel = typeof LOG_LEVELS[number];

/** The TCP port of the status. */
export const STATUS_PORT = 9975;

/** Where the status is served unless the configuration says otherwise. */
export const STATUS_ADDRESS = `127.0.0.1:${STATUS_PORT}`;

const HTTP = "the status is served over HTTP, see listen in [observability]";

/** The keys of `[observability]`. */
export const OBSERVABILITY_KEYS = {
  "log-level": optional(word([...LOG_LEVELS, "warn"]), {
    default: "info",
    build: (level): LogLevel => level === "warn" ? "warning" : level,
    reload: "applied",
    foreign: {
      "logfile logconfig logbanner logchange mailonchange":
        "the log goes to standard error; use log-level in [observability]",
    },
    doc: "How much is logged. The log goes to standard error.",
  }),
  listen: optional(either(listenAddress(STATUS_PORT), word(["off", ""])), {
    default: STATUS_ADDRESS,
    build: (address) => address === "" || address === "off" ? undefined : address,
    reload: "applied",
    foreign: {
      "observation-path observation-permissions": HTTP,
      "metrics-exporter-listen": "metrics are at /metrics of listen in [observability]",
    },
    doc:
      "Where the status is served over HTTP, for `ntpsd status`, Prometheus and health checks. " +
      '`"off"` switches it off. Everyone who can connect can read the status.',
  }),
  hosts: optional(list(hostName, "a list of names"), {
    default: [],
    reload: "applied",
    doc: "Host names under which the status may be requested on a loopback address, for example " +
      "from a proxy. `localhost`, loopback addresses and the name of this machine are always " +
      "allowed. A listener that the network can reach responds under any name.",
  }),
  "ready-when-synchronized": optional(boolean, {
    default: false,
    reload: "restart",
    doc: "Report to the service manager that ntpsd is ready only when the clock is known to be " +
      "right, for services that must not start earlier. Otherwise ntpsd is ready as soon as it " +
      "runs.",
  }),
  "statistics-path": optional(stateFolder(), {
    reload: "applied",
    foreign: "log logdir statsdir statistics filegen dumpdir",
    doc:
      "A directory for files with every measurement and every update of the clock. There is one " +
      "file a day, kept for 30 days.",
  }),
};

/** The `[observability]` section. */
export type ObservabilityConfig = Built<typeof OBSERVABILITY_KEYS>;

/** The `[observability]` section. */
export const OBSERVABILITY: SectionKey<typeof OBSERVABILITY_KEYS> = section(
  OBSERVABILITY_KEYS,
  "What ntpsd reports of itself.",
);
