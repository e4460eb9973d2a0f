/**
 * What the configuration asks of the daemon beside the clock, and whether each of it works:
 * listeners, statistics, files.
 *
 * The problem: a daemon that goes on without a part must not look like one that is whole. The idea:
 * the owner of a part tells this table, which logs each change once, in pairs, and is what
 * status, metrics, health checks and the service manager read. Limits: it retries nothing; the
 * owner of a part does.
 *
 * @module
 */
import type { FunctionDocument, FunctionKind } from "../../engine/status/snapshot.ts";
import { type Log, log } from "../../system/log.ts";

/** One part: what it is, and which of its kind. */
export interface FunctionId {
  /** What it is. */
  readonly kind: FunctionKind;
  /** Its address or path, as configured. */
  readonly name: string;
}

/** How each kind begins a sentence of the log. */
const WORDS: Readonly<Record<FunctionKind, string>> = {
  "configuration": "Configuration",
  "server": "Server",
  "nts-ke-server": "Key exchange on",
  "certificate": "Certificate of key exchange on",
  "http": "Status over HTTP on",
  "chronyc": "Responses to chronyc on",
  "ntpq": "Responses to ntpq on",
  "keyset": "Keys for cookies in",
  "statistics": "Statistics in",
  "drift-file": "Drift file",
  "leap-seconds-file": "List of leap seconds",
};

/** The kinds whose words are in the plural. */
const PLURAL: ReadonlySet<FunctionKind> = new Set(["keyset", "statistics", "chronyc", "ntpq"]);

/** The states of all parts that are configured. */
export class FunctionStates {
  readonly #log: Pick<Log, "info" | "error">;
  /**
   * By kind and name, in the order in which they were first told of; an empty reason means that it
   * works.
   */
  readonly #states = new Map<string, FunctionDocument>();
  /** What has worked before. */
  readonly #worked = new Set<string>();

  /** Nothing is configured yet. */
  constructor(to: Pick<Log, "info" | "error"> = log) {
    this.#log = to;
  }

  /** Notes that a part works. */
  up({ kind, name }: FunctionId): void {
    const key = keyOf(kind, name);
    const again = this.#worked.has(key) ? " again" : "";
    const verb = PLURAL.has(kind) ? "work" : "works";
    if (this.#states.get(key)?.up === false) {
      this.#log.info(`${WORDS[kind]} ${name} ${verb}${again}`);
    }
    this.#states.set(key, { kind, name, up: true, reason: "" });
    this.#worked.add(key);
  }

  /** Notes that a part does not work, and why; the same reason is logged once. */
  down({ kind, name }: FunctionId, reason: string): void {
    const before = this.#states.get(keyOf(kind, name));
    if (before?.reason === reason) return;
    this.#log.error(`${WORDS[kind]} ${name}: ${reason}`);
    this.toldDown({ kind, name }, reason);
  }

  /** Notes the same where the log tells it already. */
  toldDown({ kind, name }: FunctionId, reason: string): void {
    this.#states.set(keyOf(kind, name), { kind, name, up: false, reason });
  }

  /** Forgets the parts of a kind that are not configured any more. */
  keepOnly(kind: FunctionKind, names: readonly string[]): void {
    for (const [key, state] of this.#states) {
      if (state.kind !== kind || names.includes(state.name)) continue;
      this.#states.delete(key);
      this.#worked.delete(key);
    }
  }

  /** Describes all parts for status. */
  documents(): readonly FunctionDocument[] {
    return [...this.#states.values()];
  }
}

function keyOf(kind: FunctionKind, name: string): string {
  return `${kind} ${name}`;
}
