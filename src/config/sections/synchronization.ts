/**
 * The `[synchronization]` section: its keys, and the rules between them and the sources.
 *
 * @module
 */
import { ipFamily } from "../../base/ip_address.ts";
import type { Seconds } from "../../base/units.ts";
import type { ConfigPath } from "../config_path.ts";
import { duration, durationAboveZero, either, integer, textThat, word } from "../field.ts";
import { type Built, complete, type Field, optional, type Row, type SectionKey } from "../key.ts";
import { section, table } from "../table_field.ts";
import { isAuthenticated, type SourceConfig } from "./source.ts";

const ENDLESS: Field<number> = {
  ...textThat('"inf"', (word) => word === "inf" ? Infinity : undefined),
  write: (value) => value === Infinity ? '"inf"' : undefined,
};
const THRESHOLD = either(duration(0), ENDLESS);

const DIRECTION_KEYS = {
  forward: optional(THRESHOLD, {
    default: Infinity,
    build: finite,
    doc: "The limit for a clock that is behind.",
  }),
  backward: optional(THRESHOLD, {
    default: Infinity,
    build: finite,
    doc: "The limit for a clock that is ahead.",
  }),
};

/** A limit that may differ forward and backward; undefined means none. */
export type StepPanicThreshold = Built<typeof DIRECTION_KEYS>;

const PANIC_THRESHOLD = either(THRESHOLD, table(DIRECTION_KEYS));

const KEYS = {
  "minimum-agreeing-sources": optional(integer(1, 100), {
    default: 3,
    otherwise: "3, or one less than there are sources if that is less",
    reload: "applied",
    foreign: "minsources minsane",
    doc: "How many sources must agree on the time before the clock is adjusted. A pool counts as " +
      "often as its `count`. Unless a number is written, sources with `trust` are enough by " +
      "themselves: as many as if there were no others, and at least two.",
  }),
  authentication: optional(word(["require", "prefer", "mix", "ignore"]), {
    default: "mix",
    reload: "applied",
    foreign: "authselectmode",
    doc:
      "How authenticated sources (NTS or a key) relate to the others when both are configured. " +
      "`mix`: the authenticated ones have `trust` and `require` unless they say otherwise, so " +
      "the others help and never decide. `prefer`: the others are used only while the " +
      "authenticated ones give no time. `require`: the others are only measured. `ignore`: all " +
      "sources are equal.",
  }),
  "max-distance": optional(durationAboveZero, {
    default: 1.5,
    reload: "applied",
    foreign: "maxdistance maxdist rootdistancemaxsec",
    doc: "A source whose root distance is larger is not used: half its round-trip delay to the " +
      "reference clock, and what it and the servers above it may be wrong by.",
  }),
  "single-step-panic-threshold": optional(PANIC_THRESHOLD, {
    default: 1000,
    build: bothDirections,
    reload: "applied",
    foreign: {
      "maxchange panicgate panic":
        "use single-step-panic-threshold and its like in [synchronization]",
    },
    doc: "ntpsd exits instead of making a larger correction than this at once, other than at the " +
      'start. It may be `"inf"`, or differ by direction: `{ forward = "1h", backward = "10s" ' +
      "}`.",
  }),
  // Without it the threshold is what discipline/step_policy.ts deems fit.
  "startup-step-panic-threshold": optional(PANIC_THRESHOLD, {
    otherwise: '1800; "inf" for a time that authenticated sources vouch for',
    build: bothDirections,
    reload: "applied",
    doc: "The same for the first correction after the start, and for the first time that " +
      "authenticated sources vouch for. They vouch for a time when enough of them agree " +
      "(`minimum-agreeing-sources`, or all of them if there are fewer) and fewer disagree; " +
      "sources with the same host of the key exchange, or the same public key, count once. A " +
      "machine that has no battery-backed clock and only plain sources needs `{ forward = " +
      '"inf", backward = "1d" }`.',
  }),
  "accumulated-step-panic-threshold": optional(THRESHOLD, {
    build: (sum) => sum === 0 ? undefined : finite(sum),
    reload: "applied",
    doc: "ntpsd exits when the sum of all its steps exceeds this. 0 means no limit.",
  }),
  "local-stratum": optional(integer(1, 16), {
    build: (stratum) => stratum === 16 ? undefined : stratum,
    reload: "applied",
    foreign: "local orphan",
    doc: "Serve the time of this machine's clock with this stratum when there is no source, on " +
      "isolated networks. 16 means never. Sources of this stratum or a larger one are not used, " +
      "so that two such servers that use each other have an order.",
  }),
  "reference-id": optional(
    textThat(
      "one to four ASCII characters or an IPv4 address",
      (id) => /^[!-~]{1,4}$/.test(id) || ipFamily(id) === "ipv4" ? id : undefined,
    ),
    {
      otherwise: '"127.127.1.1"',
      reload: "applied",
      doc: "The reference ID that is sent with `local-stratum`.",
    },
  ),
  "step-threshold": optional(duration(0), {
    default: 0.128,
    reload: "applied",
    foreign: "step stepback stepfwd",
    doc: "A larger offset than this is corrected in one step, if a step is still allowed. Every " +
      "other offset is corrected gradually.",
  }),
  "step-limit": optional(integer(-1, 1_000_000), {
    default: 3,
    reload: "applied",
    doc: "How many of the first updates of the clock may be steps. 0: none. -1: all, at any time.",
  }),
};

/** The `[synchronization]` section. */
export const SYNCHRONIZATION: SectionKey<typeof KEYS> = section(
  KEYS,
  "When the clock is adjusted, and how.",
);

/** The `[synchronization]` section. */
export interface SynchronizationConfig extends Built<typeof KEYS> {
  /**
   * So many trusted sources that agree are enough, although they are fewer than must agree of all:
   * sources that decide nothing keep the clock from nothing either. Undefined if the number that
   * must agree is written, or if fewer than two are trusted.
   */
  readonly minimumTrustedSources: number | undefined;
}

/** The `[synchronization]` section as it is read. */
export type SynchronizationRow = Row<typeof KEYS>;

/** Returns what authenticated sources are to the others. */
export function authenticationOf(
  row: SynchronizationRow | undefined,
): SynchronizationConfig["authentication"] {
  return complete(KEYS, row).authentication;
}

/** Builds the section for the sources that could be read, of so many sections of sources. */
export function buildSynchronization(
  row: SynchronizationRow | undefined,
  { sources, sectionCount, root }: {
    readonly sources: readonly SourceConfig[];
    readonly sectionCount: number;
    readonly root: ConfigPath;
  },
): SynchronizationConfig {
  const at = root.key("synchronization");
  const section = { ...complete(KEYS, row), minimumTrustedSources: undefined };
  if (row?.["reference-id"] !== undefined && section.localStratum === undefined) {
    at.key("reference-id").remark("Has no effect without local-stratum");
  }
  const { authentication } = section;
  const count = usableCount(sources, authentication);
  if (authentication === "require" && count === 0 && sources.some(({ noSelect }) => !noSelect)) {
    at.key("authentication").report(
      'No source is authenticated, and authentication is "require"',
      "the clock would never be set",
    );
    return section;
  }
  const agreeing = at.key("minimum-agreeing-sources");
  const written = row?.["minimum-agreeing-sources"];
  if (written === undefined) {
    const usual = section.minimumAgreeingSources;
    return {
      ...section,
      minimumAgreeingSources: lowered({ usual, count }, agreeing),
      minimumTrustedSources: enoughTrusted({ usual, count: trustedCount(sources) }),
    };
  }
  // A section with an error of its own is missing from the count: its error is told, this would be
  // none.
  const isComplete = sources.length === sectionCount;
  if (isComplete && sources.length > 0 && written > count) {
    agreeing.report(
      `Wanted at most ${count}, as many sources as there can be, found ${written}`,
      "the clock would never be set",
    );
  }
  return section;
}

/** Counts the sources that may decide; a pool as often as it has members. */
function usableCount(
  sources: readonly SourceConfig[],
  authentication: SynchronizationConfig["authentication"],
): number {
  const usable = sources.filter((source) =>
    !source.noSelect && (authentication !== "require" || isAuthenticated(source))
  );
  return usable.reduce((sum, { count }) => sum + count, 0);
}

/** Counts the sources that outvote the others; a pool as often as it has members. */
function trustedCount(sources: readonly SourceConfig[]): number {
  return sources.filter(({ trust, noSelect }) => trust && !noSelect)
    .reduce((sum, { count }) => sum + count, 0);
}

/**
 * Decides how many of `count` trusted sources are enough, whatever the others say: as many as if
 * there were no others, but a lone one never is.
 */
function enoughTrusted(
  { usual, count }: { readonly usual: number; readonly count: number },
): number | undefined {
  return count < 2 ? undefined : Math.max(2, Math.min(usual, count - 1));
}

/**
 * Decides how many of `count` sources must agree if the administrator does not: as usual, but
 * always one less than there are sources, so that one of them may be wrong or gone; a single source
 * is followed as it is.
 */
function lowered(
  { usual, count }: { readonly usual: number; readonly count: number },
  at: ConfigPath,
): number {
  const chosen = Math.max(1, Math.min(usual, count - 1));
  if (count > 0 && chosen < usual) {
    const sources = count === 1 ? "is one source" : `are ${count} sources`;
    at.remark(
      `Lowered from ${usual} to ${chosen}, because there ${sources}`,
      "with four sources or more, a wrong one is found even while another one is down",
    );
  }
  return chosen;
}

function bothDirections(
  written: number | Row<typeof DIRECTION_KEYS>,
): StepPanicThreshold {
  if (typeof written !== "number") return complete(DIRECTION_KEYS, written);
  return { forward: finite(written), backward: finite(written) };
}

function finite(value: Seconds): Seconds | undefined {
  return value === Infinity ? undefined : value;
}
