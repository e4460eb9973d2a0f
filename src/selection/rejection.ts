/**
 * Whether a source may take part in the selection at all (the "fit" routine of RFC 5905 section
 * 11.2.1), with the sentence that says why not.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import { STRATUM_MAX } from "../protocol/header.ts";
import { LEAP } from "../protocol/leap_indicator.ts";
import type { Candidate } from "./candidate.ts";
import type { SourceStatus } from "./status.ts";

/** Samples that differ more than this among themselves tell nothing. */
const JITTER_MAX: Seconds = 1;

/** So many requests without response are a start; more are silence. */
const STARTING_REQUESTS = 4;

/** What is asked of a source that takes part. */
export interface RejectionLimits {
  /** How many samples it must have. */
  readonly samplesMin: number;
  /** How large its root distance may be. */
  readonly distanceMax: Seconds;
  /** Servers from this stratum on are no better than we are without them. */
  readonly stratumLimit: number | undefined;
  /** Whether sources without authentication are only watched. */
  readonly mustBeAuthenticated?: boolean;
}

/**
 * Returns the status of a source that is not to be used, undefined for one that is fit (RFC 5905
 * section A.5.5.3).
 */
export function rejection(
  candidate: Candidate,
  limits: RejectionLimits,
): SourceStatus | undefined {
  return ofHandling(candidate) ?? ofServer(candidate) ?? ofStratum(candidate, limits) ??
    ofSamples(candidate, limits) ?? ofErrors(candidate, limits) ??
    ofConfiguration(candidate, limits);
}

/** How we get on with the server. */
function ofHandling(candidate: Candidate): SourceStatus | undefined {
  if ((candidate.faults ?? 0) > 0) {
    const reason =
      `Left out for an hour: handling it failed ${candidate.faults} times inside ntpsd ` +
      "(internal-error)";
    return { status: "distant", reason };
  }
  if (candidate.isDenied) return { status: "kissed", reason: "The server denies service" };
  if (candidate.isLoop) {
    return { status: "loop", reason: "The server is this daemon itself, or follows it" };
  }
  return undefined;
}

/** What the server says, if it says anything. */
function ofServer(candidate: Candidate): SourceStatus | undefined {
  const { stratum, samples, unanswered } = candidate;
  if (!candidate.isReachable) {
    return samples === 0 && unanswered <= STARTING_REQUESTS
      ? { status: "starting", reason: "Waits for its first response" }
      : {
        status: "unreachable",
        reason: candidate.silence ?? `Did not answer the last ${unanswered} requests`,
      };
  }
  if (!candidate.isSynchronized) {
    // a stratum that a synchronised server may have leaves only the leap indicator as the cause
    const cause = stratum >= 1 && stratum < STRATUM_MAX
      ? `leap indicator ${LEAP.unknown}`
      : `stratum ${stratum}`;
    const reason = `The server says that it is not synchronised (${cause})`;
    return { status: "unsynchronized", reason };
  }
  return undefined;
}

function ofStratum(
  { stratum }: Candidate,
  { stratumLimit }: RejectionLimits,
): SourceStatus | undefined {
  if (stratum + 1 >= STRATUM_MAX) {
    const reason = `Its stratum ${stratum} is the last: a clock that follows it counts as ` +
      "unsynchronised";
    return { status: "distant", reason };
  }
  if (stratumLimit === undefined || stratum < stratumLimit) return undefined;
  const reason = `Its stratum ${stratum} is no better than our local-stratum ${stratumLimit}`;
  return { status: "distant", reason };
}

/** Whether its samples can be a time. */
function ofSamples(
  { samples, offset, rootDistance, jitter, contradiction }: Candidate,
  { samplesMin }: RejectionLimits,
): SourceStatus | undefined {
  if (samples < samplesMin) {
    return { status: "starting", reason: `Has ${samples} of ${samplesMin} samples` };
  }
  if (!(Number.isFinite(offset) && rootDistance >= 0 && jitter >= 0)) {
    return {
      status: "distant",
      reason: "Its offset, root distance or jitter is not a usable number",
    };
  }
  return contradiction && { status: "falseticker", reason: contradiction.reason };
}

/** Whether its errors are small enough. */
function ofErrors(
  { rootDistance, jitter }: Candidate,
  { distanceMax }: RejectionLimits,
): SourceStatus | undefined {
  if (!(rootDistance <= distanceMax)) {
    const reason = `Error bound ${durationText(rootDistance)} is above the limit of ` +
      `${durationText(distanceMax)} (max-distance)`;
    return { status: "distant", reason };
  }
  if (jitter <= JITTER_MAX) return undefined;
  const reason = `Samples differ by ${durationText(jitter)}, the limit is ` +
    durationText(JITTER_MAX);
  return { status: "jittery", reason };
}

function ofConfiguration(
  candidate: Candidate,
  limits: RejectionLimits,
): SourceStatus | undefined {
  if (limits.mustBeAuthenticated && !candidate.isAuthenticated) {
    const reason = 'Not authenticated, and authentication is "require" in [synchronization]';
    return { status: "no-select", reason };
  }
  if (!candidate.noSelect) return undefined;
  return { status: "no-select", reason: "Only measured, as configured" };
}

/** What is longer says no more: servers can state any number. */
const SECONDS_SHOWN_MAX = 1e9;

/** Writes a duration with its sign and a fitting unit: `-500.123 ms`. */
export function durationText(seconds: Seconds): string {
  const size = Math.abs(seconds);
  if (size > SECONDS_SHOWN_MAX) {
    return seconds < 0 ? `less than -${SECONDS_SHOWN_MAX} s` : `more than ${SECONDS_SHOWN_MAX} s`;
  }
  if (size >= 1) return `${seconds.toFixed(3)} s`;
  if (size >= 1e-3) return `${(seconds * 1e3).toFixed(3)} ms`;
  return `${(seconds * 1e6).toFixed(3)} us`;
}
