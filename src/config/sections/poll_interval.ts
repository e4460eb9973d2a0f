/**
 * How often a source is asked: the keys of `[source-defaults]`, which every `[[source]]` has too,
 * and the rules between them.
 *
 * @module
 */
import type { PollExponent } from "../../base/units.ts";
import type { ConfigPath } from "../config_path.ts";
import { pollExponent } from "../field.ts";
import { type Built, complete, optional, type Row, type SectionKey } from "../key.ts";
import { section, table } from "../table_field.ts";

/**
 * A second, and a day and a half: the shortest and the longest that may be asked for (RFC 5905
 * section 7.2).
 */
const POLL_EXPONENT = pollExponent(0, 17);

const LIMITS_DEFAULT = { min: 4, max: 10 };

const LIMIT_KEYS = {
  min: optional(POLL_EXPONENT, {
    default: LIMITS_DEFAULT.min,
    doc: "The shortest interval, as an exponent of two seconds.",
  }),
  max: optional(POLL_EXPONENT, {
    default: LIMITS_DEFAULT.max,
    doc: "The longest interval, as an exponent of two seconds.",
  }),
};

/** How often a source may be asked: both limits are exponents of two seconds. */
export type PollIntervalLimits = Built<typeof LIMIT_KEYS>;

/** The keys about the poll interval. */
export const POLL_KEYS = {
  "poll-interval-limits": optional(table(LIMIT_KEYS), {
    default: LIMITS_DEFAULT,
    build: (limits) => complete(LIMIT_KEYS, limits),
    reload: "applied",
    foreign: {
      "minpoll maxpoll pollintervalminsec pollintervalmaxsec":
        "use poll-interval-limits = { min = ..., max = ... }",
    },
    doc: "How often a source may be polled. Both limits are exponents of two seconds: 4 is 16 " +
      "seconds, 6 is 64 seconds, 10 is 1024 seconds. ntpsd chooses the interval within them.",
  }),
  "initial-poll-interval": optional(POLL_EXPONENT, {
    default: 4,
    otherwise: "4, within the limits",
    reload: "new-servers",
    doc: "The first interval, as an exponent of two seconds.",
  }),
};

/** The `[source-defaults]` section. */
export const SOURCE_DEFAULTS: SectionKey<typeof POLL_KEYS> = section(
  POLL_KEYS,
  "Defaults for the sources that do not set these keys themselves.",
);

/** What is written of these keys. */
export type PollRow = Row<typeof POLL_KEYS>;

/** What there is beside the keys of a source. */
export interface PollContext {
  /** The `[source-defaults]` section. */
  readonly defaults: PollRow | undefined;
  /** The source. */
  readonly at: ConfigPath;
}

/** What holds for one source. */
interface PollIntervals {
  readonly pollIntervalLimits: PollIntervalLimits;
  readonly initialPollInterval: PollExponent;
}

/**
 * Returns what holds for a source: what is written there, else in `[source-defaults]`, else the
 * defaults within these limits.
 */
export function pollIntervals(
  row: PollRow,
  { defaults, at }: PollContext,
): PollIntervals {
  const limits = limitsOf(row, { defaults, at });
  const own = row["initial-poll-interval"];
  if (own !== undefined && limits.min <= limits.max && (own < limits.min || own > limits.max)) {
    at.key("initial-poll-interval").report(
      `Wanted an integer within the limits from ${limits.min} to ${limits.max}, found ${own}`,
    );
  }
  const { initialPollInterval: common } = complete(POLL_KEYS, defaults);
  const wanted = own ?? common;
  return {
    pollIntervalLimits: limits,
    initialPollInterval: Math.max(limits.min, Math.min(limits.max, wanted)),
  };
}

/** Reports limits of `[source-defaults]` that contradict themselves. */
export function checkPollDefaults(defaults: PollRow | undefined, at: ConfigPath): void {
  const limits = defaults?.["poll-interval-limits"];
  if (limits !== undefined && usable(limits) === undefined) {
    reportLimits(complete(LIMIT_KEYS, limits), at);
  }
}

function limitsOf(
  row: PollRow,
  { defaults, at }: PollContext,
): PollIntervalLimits {
  const own = row["poll-interval-limits"];
  const common = usable(defaults?.["poll-interval-limits"]);
  const { min: usualMin, max: usualMax } = LIMITS_DEFAULT;
  const min = own?.min ?? common?.min ?? Math.min(usualMin, own?.max ?? common?.max ?? usualMin);
  const max = own?.max ?? common?.max ?? Math.max(usualMax, min);
  if (min > max && own !== undefined) reportLimits({ min, max }, at);
  return { min, max };
}

/**
 * Leaves out limits that contradict themselves: they are reported where they stand, not at every
 * source.
 */
function usable(limits: PollRow["poll-interval-limits"]): typeof limits {
  return (limits?.min ?? 0) > (limits?.max ?? Infinity) ? undefined : limits;
}

function reportLimits({ min, max }: PollIntervalLimits, at: ConfigPath): void {
  at.key("poll-interval-limits").report(
    `Wanted min not above max, found min = ${min}, max = ${max}`,
  );
}
