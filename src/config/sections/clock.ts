/**
 * The `[clock]` section.
 *
 * @module
 */
import { boolean, either, number, path, word } from "../field.ts";
import { type Built, optional, type SectionKey } from "../key.ts";
import { section } from "../table_field.ts";

/** The keys of `[clock]`. */
export const CLOCK_KEYS = {
  adjust: optional(either(boolean, word(["auto"])), {
    default: "auto",
    reload: "restart",
    foreign: { "enable disable": "use adjust = false in [clock] to leave the clock alone" },
    doc:
      'Whether the clock is corrected. `"auto"`: if the process may (CAP_SYS_TIME), else ntpsd only measures and says so. `true`: it ' +
      "ends with status 77 if it may not. `false`: never.",
  }),
  "drift-file": optional(path, {
    reload: "applied",
    foreign: "driftfile",
    doc: "Where the clock's frequency error is kept, so that a restart begins with it.",
  }),
  "max-frequency-ppm": optional(number(0, 500), {
    default: 500,
    reload: "applied",
    foreign: "maxdrift",
    doc: "The largest frequency error of the clock that is believed, in parts per million.",
  }),
  "max-slew-ppm": optional(number(1, 100_000), {
    default: 83_333,
    reload: "applied",
    foreign: "maxslewrate",
    doc:
      "How fast an offset is corrected at most, in parts per million: 83333 corrects one second in twelve.",
  }),
  "max-clock-error-ppm": optional(number(0, 100_000), {
    default: 1,
    reload: "applied",
    foreign: "maxclockerror",
    doc:
      "How much the frequency of the clock may change between two measurements without notice, in parts per million. The error " +
      "bound grows by this from one measurement to the next. A clock in a room whose temperature jumps may need more.",
  }),
  "leap-seconds-file": optional(path, {
    reload: "applied",
    foreign: "leapsectz leapseclist leapfile",
    doc:
      "A list of leap seconds, usually /usr/share/zoneinfo/leap-seconds.list, read at the start, after SIGHUP and once a day if " +
      "it has changed. It gives the kernel the offset of TAI. While it is valid its leap seconds are announced even if no source " +
      "does, and those that only sources announce are not believed. Without a valid list a majority of the sources is believed, for " +
      "the end of June and of December only. A damaged list is not used.",
  }),
};

/** The `[clock]` section. */
export type ClockConfig = Built<typeof CLOCK_KEYS>;

/** The `[clock]` section. */
export const CLOCK: SectionKey<typeof CLOCK_KEYS> = section(
  CLOCK_KEYS,
  "The clock of this machine.",
);
