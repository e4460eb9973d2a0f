/**
 * Describes the state of Network Time Security of one source for readers.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import type { SourceGroup } from "../../association/source_group.ts";
import { toNanoseconds } from "../../base/nanoseconds.ts";
import { type NtpTimestamp, toUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { MonotonicSeconds } from "../../base/units.ts";
import { formatUtc } from "../../base/utc.ts";
import type { SourceConfig } from "../../config/config.ts";
import type { SourceDocument } from "./snapshot.ts";

/**
 * The middle of the time in which this program may run: timestamps are unfolded to the era nearest
 * to it.
 */
export const REFERENCE_ERA = 2_500_000_000_000_000_000n;

/** Describes the keys of a source, or of one of its members; null for a source without them. */
export function describeNts(
  source: {
    readonly config: SourceConfig;
    readonly group: SourceGroup;
    readonly association?: Association;
  },
  clock: { readonly now: MonotonicSeconds; readonly realtime: NtpTimestamp },
): SourceDocument["nts"] {
  const { config, group, association } = source;
  if (config.mode !== "nts" && config.mode !== "nts-pool") return null;
  const status = association?.protection?.status;
  const at = status?.lastKeyExchange;
  return {
    cookies: status?.cookies ?? 0,
    aead: status?.aead ?? null,
    lastKeyExchange: at === undefined ? null : formatPast(clock.now - at, clock.realtime),
    failures: { ...group.exchangeFailures, ...status?.dropped },
    provisional: status?.provisional ?? false,
  };
}

function formatPast(ago: number, realtime: NtpTimestamp): string {
  return formatUtc(toUnixNanoseconds(realtime, REFERENCE_ERA) - toNanoseconds(ago));
}
