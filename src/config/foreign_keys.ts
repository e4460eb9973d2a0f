/**
 * Words of other time daemons, and what to write here instead.
 *
 * @module
 */

const HINTS: Readonly<Record<string, string>> = {
  "algorithm": "ntpsd's estimator learns these values by itself",
  "rate-limiting-cache-size": "use rate-limit = { interval = 3, burst = 8, leak = 2 }",
  "rate-limiting-cutoff-ms": "use rate-limit = { interval = 3, burst = 8, leak = 2 }",
  "max-sources": "use count",
  "ca": "use certificate-authority",
  "observation-path": "the status is served over HTTP, see observability.listen",
  "observation-permissions": "the status is served over HTTP, see observability.listen",
  "metrics-exporter-listen": "metrics are at /metrics of observability.listen",
  "certificate-path": "use certificate-chain-path",
  "ntp-version": "the version of the protocol is chosen by itself",
  "driftfile": "use drift-file in [clock]",
  "drift-file": "it belongs into [clock]",
  "adjust": "it belongs into [clock]",
  "makestep": "use step-threshold and step-limit in [synchronization]",
  "maxslewrate": "use max-slew-ppm in [clock]",
  "authselectmode": "use authentication in [synchronization]",
  "authentication": "it belongs into [synchronization]",
  "minsources": "use minimum-agreeing-sources in [synchronization]",
  "minimum-agreeing-sources": "it belongs into [synchronization]",
  "step-threshold": "it belongs into [synchronization]",
  "local-stratum": "it belongs into [synchronization]",
  "log-level": "it belongs into [observability]",
  "leapsectz": "use leap-seconds-file in [clock]",
  "leapseclist": "use leap-seconds-file in [clock]",
  "leapfile": "use leap-seconds-file in [clock]",
  "minpoll": "use poll-interval-limits = { min = ..., max = ... }",
  "maxpoll": "use poll-interval-limits = { min = ..., max = ... }",
  "xleave": "use interleaved = true",
  "allow": 'use allowlist = { filter = [...], action = "ignore" }',
  "deny": 'use denylist = { filter = [...], action = "ignore" }',
  "ntsdumpdir": "use cookie-storage-path in [nts], key-storage-path in [keyset]",
  "ntsservercert": "use certificate-chain-path in [[nts-ke-server]]",
  "ntsserverkey": "use private-key-path in [[nts-ke-server]]",
  "keyfile": "use file in [keys]",
  "sources": "write [[source]]",
  "servers": "write [[server]]",
};

/** Returns what to write instead of a key of another program, or of a key in the wrong section; undefined if it is unknown. */
export function hintFor(key: string): string | undefined {
  return Object.hasOwn(HINTS, key) ? HINTS[key] : undefined;
}
