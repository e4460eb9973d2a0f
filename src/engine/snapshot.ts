/**
 * The engine's state for readers: the document of `ntpsd status --json` and of HTTP /status, in the names of the contract.
 *
 * @module
 */
import type { LeapIndicator } from "../association/measurement.ts";
import type { SourceStatus } from "../selection/status.ts";

/** How the clock stands. */
export type SystemState =
  | "starting"
  | "synchronized"
  | "holdover"
  | "unsynchronized"
  | "monitoring";

/**
 * Tells whether the clock's error is known and bounded, which is what a health check wants to know: kept by us, held over
 * from when we had sources, or kept by somebody else and found right by our measurements.
 */
export function isTimeKnown(state: SystemState): boolean {
  return state === "synchronized" || state === "holdover" || state === "monitoring";
}

/** One row of `ntpsd sources`. */
export interface SourceDocument {
  readonly name: string;
  readonly address: string | null;
  readonly mode: "server" | "pool" | "nts" | "nts-pool";
  readonly status: SourceStatus;
  readonly reason: string;
  /** The last eight requests, the newest in bit 0: a set bit is an answered one. */
  readonly reach: number;
  readonly stratum: number | null;
  readonly referenceId: string | null;
  readonly pollSeconds: number;
  readonly lastReplySecondsAgo: number | null;
  readonly offsetSeconds: number | null;
  readonly delaySeconds: number | null;
  readonly dispersionSeconds: number | null;
  readonly jitterSeconds: number | null;
  /** Half the width of the interval in which selection believes the true offset to lie. */
  readonly errorBoundSeconds: number | null;
  readonly timestamping: "hardware" | "kernel" | "user" | null;
  readonly authentication: "none" | "nts" | "mac";
  readonly nts: {
    readonly cookies: number;
    readonly aead: number | null;
    readonly lastKeyExchange: string | null;
    readonly failures: Readonly<Record<string, number>>;
    readonly provisional: boolean;
  } | null;
  readonly sent: number;
  readonly received: number;
  readonly dropped: Readonly<Record<string, number>>;
}

/** One listener of the NTP server. */
export interface ServerDocument {
  readonly listen: string;
  readonly received: number;
  readonly answered: number;
  readonly denied: number;
  readonly rateLimited: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly nts: { readonly answered: number; readonly naks: number };
  /** Answers in interleaved mode, among those answered. */
  readonly interleaved?: number;
  /** Kisses of all kinds that were sent. */
  readonly kisses?: number;
  /** The busiest clients, addresses cut to a prefix; only if configured. */
  readonly clients?: readonly {
    readonly prefix: string;
    readonly requests: number;
    /** The count may be too high by this. */
    readonly error: number;
  }[];
}

/** One listener of the NTS key exchange server. */
export interface NtsKeDocument {
  readonly listen: string;
  readonly accepted: number;
  readonly completed: number;
  readonly failed: Readonly<Record<string, number>>;
}

/** What the engine itself knows; the daemon adds the rest. */
export interface EngineSnapshot {
  readonly state: SystemState;
  readonly adjusting: boolean;
  /** One sentence that says why, when the state is not synchronised; empty otherwise. */
  readonly why: string;
  readonly stratum: number;
  readonly leap: LeapIndicator;
  readonly referenceId: string;
  /** RFC 3339, UTC; null before the first update. */
  readonly referenceTime: string | null;
  readonly offsetSeconds: number | null;
  readonly frequencyPpm: number;
  readonly skewPpm: number | null;
  readonly rootDelaySeconds: number;
  readonly rootDispersionSeconds: number;
  readonly errorBoundSeconds: number | null;
  readonly updateIntervalSeconds: number | null;
  readonly steps: { readonly count: number; readonly accumulatedSeconds: number };
  readonly sources: readonly SourceDocument[];
}

/** The status document as a whole. */
export interface StatusDocument extends EngineSnapshot {
  readonly version: string;
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  readonly servers: readonly ServerDocument[];
  readonly ntsKe: readonly NtsKeDocument[];
}
