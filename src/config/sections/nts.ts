/**
 * The `[nts]` section: the client's side of Network Time Security.
 *
 * @module
 */
import { boolean } from "../field.ts";
import { type Built, optional, type SectionKey } from "../key.ts";
import { stateFile } from "../path_field.ts";
import { section } from "../table_field.ts";

/** What stands behind the path of the cookies for the file with the time that has passed. */
export const TIME_BOUND_SUFFIX = ".time-bound";

/** The keys of `[nts]`. */
export const NTS_KEYS = {
  "cookie-storage-path": optional(stateFile({ isSecret: true, suffixes: [TIME_BOUND_SUFFIX] }), {
    reload: "applied",
    doc: "Where cookies and keys are kept, so that a restart needs no key exchange. The file is " +
      "secret.",
  }),
  strict: optional(boolean, {
    default: false,
    reload: "restart",
    foreign: {
      "nocerttimecheck":
        "leave it out: certificates are checked once the time is known, see strict in [nts]",
    },
    doc:
      "Never accept a certificate whose dates do not fit the clock, not even provisionally at a " +
      "start with a wrong clock.",
  }),
};

/** The `[nts]` section. */
export type NtsConfig = Built<typeof NTS_KEYS>;

/** The `[nts]` section. */
export const NTS: SectionKey<typeof NTS_KEYS> = section(
  NTS_KEYS,
  "Network Time Security of the client.",
);
