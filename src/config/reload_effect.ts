/**
 * What a reload does with a changed key: most are applied at once, a few hold from the next start on.
 *
 * The problem: a reload that announces a change and ignores it lies. The idea: every key of the schema stands in this table, a test sees
 * to it, and the log says the effect beside each change.
 *
 * @module
 */

/** What becomes of a changed key. */
export type ReloadEffect =
  /** It holds when the reload is done. */
  | "applied"
  /** It holds from the next start on. */
  | "restart"
  /** It holds for servers that are asked anew from then on. */
  | "new-servers"
  /** The file of the keys says otherwise, until it is removed. */
  | "new-keys";

/** What the log says of each. */
const WORDS: Readonly<Record<ReloadEffect, string>> = {
  "applied": "applied",
  "restart": "takes effect at the next start",
  "new-servers": "applied to servers that are asked anew",
  "new-keys": "takes effect when the keys are made anew",
};

/** The effect of every key, by its section; a key of a table within has that of the table. */
export const RELOAD_EFFECTS: Readonly<Record<string, Readonly<Record<string, ReloadEffect>>>> = {
  "source-defaults": { "poll-interval-limits": "applied", "initial-poll-interval": "new-servers" },
  "source": {
    "mode": "applied",
    "address": "applied",
    "count": "applied",
    "ignore": "applied",
    "certificate-authority": "applied",
    "aead-algorithms": "applied",
    "iburst": "new-servers",
    "prefer": "applied",
    "trust": "applied",
    "require": "applied",
    "no-select": "applied",
    "key": "applied",
    "poll-interval-limits": "applied",
    "initial-poll-interval": "new-servers",
    "interleaved": "applied",
  },
  "server": {
    "listen": "applied",
    "allowlist": "applied",
    "denylist": "applied",
    "rate-limit": "applied",
    "require-nts": "applied",
    "accept-ntp-versions": "applied",
    "interleaved": "applied",
    "reuse-port": "applied",
    "client-table": "applied",
  },
  "nts-ke-server": {
    "listen": "applied",
    "certificate-chain-path": "applied",
    "private-key-path": "applied",
    "key-exchange-timeout-ms": "applied",
    "concurrent-connections": "applied",
    "ntp-server": "applied",
    "ntp-port": "applied",
  },
  "keyset": {
    "stale-key-count": "applied",
    "key-rotation-interval": "new-keys",
    "key-storage-path": "applied",
  },
  "keys": { "file": "applied" },
  "synchronization": {
    "authentication": "applied",
    "minimum-agreeing-sources": "applied",
    "single-step-panic-threshold": "applied",
    "startup-step-panic-threshold": "applied",
    "accumulated-step-panic-threshold": "applied",
    "local-stratum": "applied",
    "reference-id": "applied",
    "step-threshold": "applied",
    "step-limit": "applied",
  },
  "clock": {
    "adjust": "restart",
    "drift-file": "applied",
    "max-frequency-ppm": "applied",
    "max-slew-ppm": "applied",
    "leap-seconds-file": "applied",
  },
  "nts": { "cookie-storage-path": "applied", "strict": "restart" },
  "observability": {
    "log-level": "applied",
    "listen": "applied",
    "hosts": "applied",
    "ready-when-synchronized": "restart",
    "statistics-path": "applied",
  },
  "security": { "user": "restart", "seccomp": "restart" },
};

/** Returns what the log says of a changed key, `poll-interval-limits.max` of a section, to follow the change in brackets. */
export function effectOf(section: string, key: string): string {
  const [first = ""] = key.split(".");
  const effect = RELOAD_EFFECTS[section]?.[first];
  return effect === undefined ? "applied" : WORDS[effect];
}
