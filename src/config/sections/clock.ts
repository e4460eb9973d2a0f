/**
 * The `[clock]` section.
 *
 * @module
 */
import { boolean, either, number, word } from "../field.ts";
import { type Built, optional, type SectionKey } from "../key.ts";
import { fileToRead, stateFile } from "../path_field.ts";
import { section } from "../table_field.ts";

/** The keys of `[clock]`. */
export const CLOCK_KEYS = {
  adjust: optional(either(boolean, word(["auto"])), {
    default: "auto",
    reload: "restart",
    foreign: {
      "enable disable":
        'write adjust = false in [clock] for "disable ntp", and leave the others out',
    },
    doc: 'Whether the clock is corrected. `"auto"`: yes if the process may do so (CAP_SYS_TIME); ' +
      "otherwise ntpsd only measures, and says so. `true`: yes; ntpsd exits with status 77 if " +
      "it may not. `false`: never.",
  }),
  "drift-file": optional(stateFile(), {
    reload: "applied",
    foreign: "driftfile",
    doc: "Where the frequency error of the clock is kept, so that a restart begins with it.",
  }),
  "max-frequency-ppm": optional(number(0, 500), {
    default: 500,
    reload: "applied",
    foreign: "maxdrift",
    doc: "The largest frequency error of the clock that is accepted, in parts per million.",
  }),
  "max-slew-ppm": optional(number(1, 100_000), {
    default: 83_333,
    reload: "applied",
    foreign: "maxslewrate",
    doc: "The largest rate at which an offset is corrected, in parts per million: 83333 corrects " +
      "one second in twelve.",
  }),
  "max-clock-error-ppm": optional(number(0, 100_000), {
    default: 1,
    reload: "applied",
    foreign: "maxclockerror",
    doc: "How much the frequency of the clock may change unnoticed between two measurements, in " +
      "parts per million. The error bound grows at this rate between measurements. A clock in a " +
      "room with sudden changes of temperature may need more.",
  }),
  "leap-seconds-file": optional(fileToRead(), {
    reload: "applied",
    foreign: "leapsectz leapseclist leapfile",
    doc:
      "A list of leap seconds, usually /usr/share/zoneinfo/leap-seconds.list. It is read at the " +
      "start, after SIGHUP, and once a day if it has changed, and it gives the kernel the " +
      "offset of TAI. While the list is valid, its leap seconds are announced even if no source " +
      "announces them, and those that only sources announce are ignored. Without a valid list " +
      "the majority of the sources decides, for the end of June and of December only. A damaged " +
      "list is not used.",
  }),
};

/** The `[clock]` section. */
export type ClockConfig = Built<typeof CLOCK_KEYS>;

/** The `[clock]` section. */
export const CLOCK: SectionKey<typeof CLOCK_KEYS> = section(
  CLOCK_KEYS,
  "The clock of this machine.",
);
