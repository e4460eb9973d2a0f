/**
 * The engine's state for readers: the document of `ntpsd status --json` and of HTTP /status, in the
 * names of the contract.
 *
 * @module
 */
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import type { StatusWord } from "../../selection/status.ts";

/** Every word for how the clock stands. */
export const SYSTEM_STATES = [
  "starting",
  "synchronized",
  "holdover",
  "unsynchronized",
  "monitoring",
] as const;

/** How the clock stands. */
export type SystemState = typeof SYSTEM_STATES[number];

/**
 * Tells whether the clock's error is known and bounded, which is what a health check wants to know:
 * kept by us, held over from when we had sources, or kept by another program and found right by our
 * measurements.
 */
export function isTimeKnown(state: SystemState): boolean {
  return state === "synchronized" || state === "holdover" || state === "monitoring";
}

/**
 * Tells why a daemon should not be sent clients, in one sentence: the time is not known, or what it
 * is to serve is not served. Undefined when all is well; files that cannot be written are no
 * reason, because the time that is served is right without them.
 */
export function unhealthyReason(
  document: Pick<StatusDocument, "state" | "why" | "functions">,
): string | undefined {
  const { state, why: reason, functions } = document;
  if (!isTimeKnown(state)) return reason === "" ? state : `${state}: ${reason}`;
  const closed = functions.find(({ kind, up }) =>
    !up && (kind === "server" || kind === "nts-ke-server")
  );
  return closed === undefined ? undefined : `${closed.kind} ${closed.name}: ${closed.reason}`;
}

/** One row of `ntpsd sources`. */
export interface SourceDocument {
  /** The address as configured; members of one pool share it. */
  readonly name: string;
  /** Numeric, with the port; null until one is known. */
  readonly address: string | null;
  /** As configured. */
  readonly mode: "server" | "pool" | "nts" | "nts-pool";
  /** What selection makes of it. */
  readonly status: StatusWord;
  /** One sentence that says why. */
  readonly reason: string;
  /** The last eight requests, the newest in bit 0: a set bit is an answered one. */
  readonly reach: number;
  /** 1 to 15, or 16 when the server says that it has no time; null before the first answer. */
  readonly stratum: number | null;
  /** Four letters or an address; null before the first answer. */
  readonly referenceId: string | null;
  /** The time between requests, a power of two. */
  readonly pollSeconds: number;
  /** Null before the first answer. */
  readonly lastReplySecondsAgo: number | null;
  /**
   * Positive when the source is ahead of the local clock; estimated for now, not the last sample.
   */
  readonly offsetSeconds: number | null;
  /** The round trip of a packet that meets no queue. */
  readonly delaySeconds: number | null;
  /** One standard deviation of the offset, without what asymmetry may add. */
  readonly dispersionSeconds: number | null;
  /** How far samples commonly lie from the estimate. */
  readonly jitterSeconds: number | null;
  /** Half the width of the interval in which selection believes the true offset to lie. */
  readonly errorBoundSeconds: number | null;
  /** Who timestamped the last sample on our side, the worse of both directions. */
  readonly timestamping: "hardware" | "kernel" | "user" | null;
  /**
   * What the last sample alone showed when it was taken, before any filtering; positive when the
   * server is ahead.
   */
  readonly measuredOffsetSeconds?: number | null;
  /** As configured, whether it has worked yet or not. */
  readonly authentication: "none" | "nts" | "mac";
  /** Null for a source without Network Time Security. */
  readonly nts: {
    readonly cookies: number;
    readonly aead: number | null;
    readonly lastKeyExchange: string | null;
    readonly failures: Readonly<Record<string, number>>;
    readonly provisional: boolean;
  } | null;
  /** Requests. */
  readonly sent: number;
  /** Requests that this machine could not send. */
  readonly sendFailures: number;
  /** Packets that came in, dropped ones included. */
  readonly received: number;
  /** Packets that were not used, by reason; only reasons that occurred. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** One listener of the NTP server. */
export interface ServerDocument {
  /** The address and port as configured. */
  readonly listen: string;
  /** Datagrams, whatever they held. */
  readonly received: number;
  /** Answers with the time, authenticated or not; kisses are not among them. */
  readonly answered: number;
  /** Clients refused by access lists or for want of Network Time Security. */
  readonly denied: number;
  /** Requests beyond the rate limit that were not answered. */
  readonly rateLimited: number;
  /** Requests that got no answer, or only a kiss, by reason; only reasons that occurred. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Protected answers, and kisses NTSN. */
  readonly nts: { readonly answered: number; readonly naks: number };
  /** Answers in interleaved mode, among those answered. */
  readonly interleaved: number;
  /** Kisses of all kinds that were sent. */
  readonly kisses: number;
  /** Requests of the control protocol that were answered. */
  readonly controlAnswered: number;
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
  /** The address and port as configured. */
  readonly listen: string;
  /** Connections that came in. */
  readonly accepted: number;
  /** Exchanges that gave cookies. */
  readonly completed: number;
  /** The others, by reason; only reasons that occurred. */
  readonly failed: Readonly<Record<string, number>>;
}

/** The listener of the status over HTTP. */
export interface HttpDocument {
  /** The address and port. */
  readonly listen: string;
  /** Connections that came in. */
  readonly accepted: number;
  /** Connections whose request was answered. */
  readonly completed: number;
  /** The others, by reason; only reasons that occurred. */
  readonly failed: Readonly<Record<string, number>>;
  /** Connections that are open. */
  readonly open: number;
}

/** What a configuration may ask of the daemon beside the clock. */
export type FunctionKind =
  | "configuration"
  | "server"
  | "nts-ke-server"
  | "certificate"
  | "http"
  | "chronyc"
  | "ntpq"
  | "keyset"
  | "statistics"
  | "drift-file"
  | "leap-seconds-file";

/** One such function, and whether it works. */
export interface FunctionDocument {
  /** What it is. */
  readonly kind: FunctionKind;
  /** Its address or path, as configured. */
  readonly name: string;
  /** Whether it works at this moment. */
  readonly up: boolean;
  /** One sentence that says why not; empty when it works. */
  readonly reason: string;
}

/** What the engine itself knows; the daemon adds the rest. */
export interface EngineSnapshot {
  /** How the clock stands. */
  readonly state: SystemState;
  /** Whether the clock may be adjusted: configured and permitted. */
  readonly adjusting: boolean;
  /**
   * One sentence that says why, when the state is not synchronised, or is so by `local-stratum`
   * alone; empty otherwise.
   */
  readonly why: string;
  /** 1 to 15; 16 when unsynchronised. */
  readonly stratum: number;
  /** What is announced; unknown when unsynchronised. */
  readonly leap: LeapIndicator;
  /** Four letters or an address; INIT when unsynchronised. */
  readonly referenceId: string;
  /** RFC 3339, UTC; null before the first update. */
  readonly referenceTime: string | null;
  /** What is still to be taken out of the clock, positive when it must go forward. */
  readonly offsetSeconds: number | null;
  /** The correction that keeps the clock in step, slews left out; positive makes it faster. */
  readonly frequencyPpm: number;
  /** One standard deviation of the frequency. */
  readonly skewPpm: number | null;
  /** The round trip to the primary source by way of all servers in between. */
  readonly rootDelaySeconds: number;
  /** All that may be wrong besides half of the root delay. */
  readonly rootDispersionSeconds: number;
  /** Half of the root delay and all of the root dispersion; null before the first update. */
  readonly errorBoundSeconds: number | null;
  /** The time between requests to the reference; null without one. */
  readonly updateIntervalSeconds: number | null;
  /** The sum is one of absolute values. */
  readonly steps: { readonly count: number; readonly accumulatedSeconds: number };
  /** In the order of the configuration; a pool has a row for each member. */
  readonly sources: readonly SourceDocument[];
}

/** The status document as a whole. */
export interface StatusDocument extends EngineSnapshot {
  /** That of ntpsd, as `ntpsd --version` shows it. */
  readonly version: string;
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  /** Empty when no time is served. */
  readonly servers: readonly ServerDocument[];
  /** Empty when no keys are served. */
  readonly ntsKe: readonly NtsKeDocument[];
  /** Null when the status is not served over HTTP. */
  readonly http: HttpDocument | null;
  /** Listeners and files that are configured, whether they work or not. */
  readonly functions: readonly FunctionDocument[];
  /**
   * How often ntpsd fell back from hardware timestamps to those of the kernel, by reason; only
   * reasons that occurred. "not-offered", "not-enabled" and "clock-closed" count the checks of an
   * interface, one in a quarter of an hour.
   */
  readonly hardwareTimestampFallbacks: Readonly<Record<string, number>>;
  /** How many errors of ntpsd itself have ended one of its tasks since the start. */
  readonly internalErrors: number;
}
