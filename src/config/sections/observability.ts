/**
 * The `[observability]` section.
 *
 * @module
 */
import { hostName, listenAddress } from "../address_field.ts";
import { boolean, directory, either, list, word } from "../field.ts";
import { type Built, optional, type SectionKey } from "../key.ts";
import { section } from "../table_field.ts";

/** The words for how much is logged, the most first. */
export const LOG_LEVELS = ["trace", "debug", "info", "warning", "error"] as const;

/** The words for how much is logged. */
export type LogLevel = typeof LOG_LEVELS[number];

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
    doc: "How much is logged; the log goes to standard error.",
  }),
  listen: optional(either(listenAddress(9975), word([""])), {
    default: "127.0.0.1:9975",
    build: (address) => address === "" ? undefined : address,
    reload: "applied",
    foreign: {
      "observation-path observation-permissions": HTTP,
      "cmdport cmdallow cmddeny cmdratelimit bindcmdaddress bindcmddevice opencommands": HTTP,
      "metrics-exporter-listen": "metrics are at /metrics of listen in [observability]",
    },
    doc:
      "Where the status is served over HTTP, for `ntpsd status`, Prometheus and health checks; empty text switches it off. Whoever " +
      "can reach it can read it.",
  }),
  hosts: optional(list(hostName, "a list of names"), {
    default: [],
    reload: "applied",
    doc:
      "Names under which the status may be asked on a loopback address, for a proxy before it, say; `localhost`, loopback addresses and " +
      "the name of this machine always may. A listener that the network can reach answers under any name.",
  }),
  "ready-when-synchronized": optional(boolean, {
    default: false,
    reload: "restart",
    doc:
      "Tell the service manager that ntpsd is ready only when the clock is known to be right, for services that must not start before; " +
      "otherwise as soon as it works.",
  }),
  "statistics-path": optional(directory, {
    reload: "applied",
    foreign: "log logdir statsdir statistics filegen dumpdir",
    doc:
      "A directory for files of every measurement and every update of the clock, one file a day, kept for 30 days.",
  }),
};

/** The `[observability]` section. */
export type ObservabilityConfig = Built<typeof OBSERVABILITY_KEYS>;

/** The `[observability]` section. */
export const OBSERVABILITY: SectionKey<typeof OBSERVABILITY_KEYS> = section(
  OBSERVABILITY_KEYS,
  "What ntpsd tells of itself.",
);
