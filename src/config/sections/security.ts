/**
 * The `[security]` section.
 *
 * @module
 */
import { boolean, text } from "../field.ts";
import { type Built, optional, type SectionKey } from "../key.ts";
import { section } from "../table_field.ts";

/** The keys of `[security]`. */
export const SECURITY_KEYS = {
  user: optional(text, {
    otherwise: '"ntpsd", else "nobody"',
    reload: "restart",
    foreign: "user",
    doc: 'The user to become if ntpsd is started by root. "root" stays root, with hardly any of ' +
      "its privileges.",
  }),
  seccomp: optional(boolean, {
    default: true,
    reload: "restart",
    doc: "Give up the system calls that are not needed after the start.",
  }),
};

/** The `[security]` section. */
export type SecurityConfig = Built<typeof SECURITY_KEYS>;

/** The `[security]` section. */
export const SECURITY: SectionKey<typeof SECURITY_KEYS> = section(
  SECURITY_KEYS,
  "The privileges that ntpsd drops.",
);
