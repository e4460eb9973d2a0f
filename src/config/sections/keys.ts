/**
 * The sections about keys: `[keyset]`, which seal the cookies of the NTS server, and `[keys]`, the
 * symmetric ones.
 *
 * @module
 */
import {
  ROTATION_INTERVAL_MAX,
  ROTATION_INTERVAL_MIN,
  STALE_KEY_COUNT_MAX,
} from "../../base/keyset_limits.ts";
import { SECONDS_PER_DAY } from "../../base/units.ts";
import { integer, wholeSeconds } from "../field.ts";
import { type Built, optional, required, type SectionKey } from "../key.ts";
import { fileToRead, stateFile } from "../path_field.ts";
import { section } from "../table_field.ts";

/** The keys of `[keyset]`. */
export const KEYSET_KEYS = {
  "stale-key-count": optional(integer(0, STALE_KEY_COUNT_MAX), {
    default: 7,
    reload: "applied",
    doc: "How many old keys are kept, so that cookies made with them remain valid.",
  }),
  "key-rotation-interval": optional(wholeSeconds(ROTATION_INTERVAL_MIN, ROTATION_INTERVAL_MAX), {
    default: SECONDS_PER_DAY,
    reload: "new-keys",
    foreign: "ntsrotate",
    doc: "How often a new key is made.",
  }),
  "key-storage-path": optional(stateFile({ isSecret: true }), {
    otherwise: "none, and the keys are lost at exit",
    reload: "applied",
    doc: "Where the keys are kept, so that clients need no new key exchange after a restart. The " +
      "file is secret.",
  }),
};

/** The `[keyset]` section: the keys that encrypt the server's cookies. */
export type KeysetConfig = Built<typeof KEYSET_KEYS>;

/** The `[keyset]` section. */
export const KEYSET: SectionKey<typeof KEYSET_KEYS> = section(
  KEYSET_KEYS,
  "The keys that encrypt the cookies of the NTS server.",
);

const SYMMETRIC_KEYS_KEYS = {
  file: required(fileToRead({ isSecret: true }), {
    reload: "applied",
    foreign: {
      "keyfile keys": "use file in [keys]",
      "trustedkey requestkey controlkey": "leave it out: every key of the file in [keys] is used",
    },
    doc: "A file of symmetric keys in the format of chrony or ntpd. The file is secret.",
  }),
};

/** The `[keys]` section. */
export const SYMMETRIC_KEYS: SectionKey<typeof SYMMETRIC_KEYS_KEYS> = section(
  SYMMETRIC_KEYS_KEYS,
  "Symmetric keys.",
);
