/**
 * Structures and constants of the headers about clocks and timers.
 *
 * The constants come from <time.h>, <sys/timerfd.h>, <sys/timex.h>.
 *
 * @module
 */
import type { StructLayout } from "./struct_layout.ts";

/** A time with nanoseconds. */
export const TIMESPEC = {
  type: "struct timespec",
  header: "time.h",
  sizeof: 16,
  tv_sec: 0,
  tv_nsec: 8,
} as const satisfies StructLayout;

/** A time with microseconds; with nanoseconds in their place in `struct timex` under `STA_NANO`. */
export const TIMEVAL = {
  type: "struct timeval",
  header: "sys/time.h",
  sizeof: 16,
  tv_sec: 0,
  tv_usec: 8,
} as const satisfies StructLayout;

/** When a timer expires. */
export const ITIMERSPEC = {
  type: "struct itimerspec",
  header: "time.h",
  sizeof: 32,
  it_interval: 0,
  it_value: 16,
} as const satisfies StructLayout;

/** The kernel's clock discipline (clock_adjtime(2)). */
export const TIMEX = {
  type: "struct timex",
  header: "sys/timex.h",
  sizeof: 208,
  modes: 0,
  offset: 8,
  freq: 16,
  maxerror: 24,
  esterror: 32,
  status: 40,
  constant: 48,
  time: 72,
  tick: 88,
  tai: 160,
} as const satisfies StructLayout;

/** A date in its parts, as OpenSSL writes it. */
export const TM = {
  type: "struct tm",
  header: "time.h",
  sizeof: 56,
  tm_sec: 0,
  tm_min: 4,
  tm_hour: 8,
  tm_mday: 12,
  tm_mon: 16,
  tm_year: 20,
} as const satisfies StructLayout;

/** Real time, which can be set. */
export const CLOCK_REALTIME = 0;
/** Runs evenly since the start, and stands still while the machine sleeps. */
export const CLOCK_MONOTONIC = 1;
/** Runs evenly since the start, also while the machine sleeps. */
export const CLOCK_BOOTTIME = 7;

/** The descriptor of a timer is closed at an exec. */
export const TFD_CLOEXEC = 0x80000;
/** Reading a timer does not wait. */
export const TFD_NONBLOCK = 0x800;
/** The time of a timer is a point in time, no span. */
export const TFD_TIMER_ABSTIME = 1;
/** The timer is cancelled when real time is set. */
export const TFD_TIMER_CANCEL_ON_SET = 2;

/** Set `timex.offset`, which the kernel's loop slews. */
export const ADJ_OFFSET = 0x1;
/** Set `timex.freq`. */
export const ADJ_FREQUENCY = 0x2;
/** Set `timex.maxerror`. */
export const ADJ_MAXERROR = 0x4;
/** Set `timex.esterror`. */
export const ADJ_ESTERROR = 0x8;
/** Set `timex.status`. */
export const ADJ_STATUS = 0x10;
/** Set `timex.tai`, whose new value the call takes from `timex.constant`. */
export const ADJ_TAI = 0x80;
/** Step the clock by `timex.time`. */
export const ADJ_SETOFFSET = 0x100;
/** Count in nanoseconds from now on (`STA_NANO`). */
export const ADJ_NANO = 0x2000;
/** Set `timex.tick`. */
export const ADJ_TICK = 0x4000;
/** Slew by `timex.offset` as adjtime(3) does, in place of what is left of an earlier one. */
export const ADJ_OFFSET_SINGLESHOT = 0x8001;

/** The kernel's phase-locked loop is on. */
export const STA_PLL = 0x1;
/** A second is inserted at the end of the day. */
export const STA_INS = 0x10;
/** A second is deleted at the end of the day. */
export const STA_DEL = 0x20;
/** The clock is not synchronised. */
export const STA_UNSYNC = 0x40;
/** The kernel counts in nanoseconds, not microseconds. */
export const STA_NANO = 0x2000;

/** Result of clock_adjtime(2): no leap second ahead. */
export const TIME_OK = 0;
/** Result of clock_adjtime(2): a second will be inserted. */
export const TIME_INS = 1;
/** Result of clock_adjtime(2): a second will be deleted. */
export const TIME_DEL = 2;
/** Result of clock_adjtime(2): the inserted second is running. */
export const TIME_OOP = 3;
/** Result of clock_adjtime(2): the leap second is over. */
export const TIME_WAIT = 4;
/** Result of clock_adjtime(2): the clock is not synchronised. */
export const TIME_ERROR = 5;
