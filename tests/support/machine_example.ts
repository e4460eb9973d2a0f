/**
 * A machine on which all is well, for the tests of what looks at it.
 *
 * @module
 */
import type { MachineFacts } from "../../src/system/machine_facts.ts";

/** Makes what is known of a machine, with changes. */
export function exampleMachine(changes: Partial<MachineFacts> = {}): MachineFacts {
  return {
    processes: [{ id: 1, name: "systemd", args: [] }, { id: 42, name: "ntpsd", args: ["run"] }],
    enabledUnits: ["cron.service", "ntpsd.service"],
    isPortTaken: false,
    isRoot: true,
    maySetClock: true,
    mayBindLowPorts: true,
    unprivilegedPorts: 1024,
    openssl: { version: "OpenSSL 3.0.19 27 Jan 2026" },
    hasAuthorities: true,
    clocksource: "tsc",
    container: undefined,
    leapFile: { path: "/usr/share/zoneinfo/leap-seconds.list", expiresAt: 1_900_000_000 },
    interfaces: [{ name: "eth0", isCapable: false }],
    now: 1_790_000_000,
    ...changes,
  };
}
