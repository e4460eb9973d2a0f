/**
 * Whether a source may take part in the selection at all (the "fit" routine of RFC 5905 section
 * 11.2.1), with the sentence that says why not.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import { STRATUM_MAX } from "../protocol/header.ts";
import type { Candidate } from "./candidate.ts";
import type { SourceStatus } from "./status.ts";

/** Samples that differ more than this among themselves tell nothing. */
const JITTER_MAX: Seconds = 1;

/** So many requests without answer are a start; more are silence. */
const STARTING_REQUESTS = 4;

/**
 * Returns the status of a source that is not to be used, undefined for one that is fit (RFC 5905
 * section A.5.5.3).
 */
export function rejection(
  candidate: Candidate,
  limits: {
    readonly samplesMin: number;
    readonly distanceMax: Seconds;
    /** Servers from this stratum on are no better than we are without them. */
    readonly stratumLimit: number | undefined;
    /** Whether sources without authentication are only watched. */
    readonly mustBeAuthenticated?: boolean;
  },
): SourceStatus | undefined {
  const { stratum, samples, rootDistance, jitter } = candidate;
  const refusal = serverFault(candidate);
  if (refusal !== undefined) return refusal;
  if (limits.stratumLimit !== undefined && stratum >= limits.stratumLimit) {
    const reason = `Its stratum ${stratum} is no better than our local-stratum ` +
      `${limits.stratumLimit}`;
    return { status: "distant", reason };
  }
  if (samples < limits.samplesMin) {
    return { status: "starting", reason: `Has ${samples} of ${limits.samplesMin} samples` };
  }
  if (!(Number.isFinite(candidate.offset) && rootDistance >= 0 && jitter >= 0)) {
    return { status: "distant", reason: "What it tells is beyond what can be computed with" };
  }
  if (candidate.contradiction !== undefined) {
    return { status: "falseticker", reason: candidate.contradiction.reason };
  }
  if (!(rootDistance <= limits.distanceMax)) {
    const reason = `Error bound ${durationText(rootDistance)} is above the limit of ` +
      durationText(limits.distanceMax);
    return { status: "distant", reason };
  }
  if (jitter > JITTER_MAX) {
    const reason = `Samples differ by ${durationText(jitter)}, the limit is ` +
      durationText(JITTER_MAX);
    return { status: "jittery", reason };
  }
  if (limits.mustBeAuthenticated && !candidate.isAuthenticated) {
    const reason = 'Not authenticated, and authentication is "require" in [synchronization]';
    return { status: "no-select", reason };
  }
  if (candidate.noSelect) {
    return { status: "no-select", reason: "Only watched, as the configuration wants it" };
  }
  return undefined;
}

/** What the server itself, or our handling of it, leaves to be wished for. */
function serverFault(candidate: Candidate): SourceStatus | undefined {
  const { stratum, samples, unanswered } = candidate;
  if ((candidate.faults ?? 0) > 0) {
    const reason =
      `Left out for an hour: handling it failed ${candidate.faults} times inside ntpsd ` +
      "(internal-error)";
    return { status: "distant", reason };
  }
  if (candidate.isDenied) {
    return { status: "kissed", reason: "The server denies service" };
  }
  if (candidate.isLoop) {
    return { status: "loop", reason: "The server is this daemon itself, or follows it" };
  }
  if (!candidate.isReachable) {
    return samples === 0 && unanswered <= STARTING_REQUESTS
      ? { status: "starting", reason: "Waits for its first answer" }
      : {
        status: "unreachable",
        reason: candidate.silence ?? `Did not answer the last ${unanswered} requests`,
      };
  }
  if (!candidate.isSynchronized) {
    const reason = `The server says that it is not synchronised (stratum ${stratum})`;
    return { status: "unsynchronized", reason };
  }
  if (stratum + 1 >= STRATUM_MAX) {
    const reason = `Its stratum ${stratum} is the last: a clock that follows it counts as ` +
      "unsynchronised";
    return { status: "distant", reason };
  }
  return undefined;
}

/** Writes a duration with its sign and a fitting unit: `-500.123 ms`. */
export function durationText(seconds: Seconds): string {
  const size = Math.abs(seconds);
  if (size >= 1) return `${seconds.toFixed(3)} s`;
  if (size >= 1e-3) return `${(seconds * 1e3).toFixed(3)} ms`;
  return `${(seconds * 1e6).toFixed(3)} us`;
}
