/**
 * Hearing from the kernel that the real-time clock was set.
 *
 * The idea: a timer in real time that lies in the far future and is cancelled when the clock is
 * stepped; its descriptor becomes readable then and may be given to a `Poller`. Limits: steps only,
 * those of ntpsd included; a change of frequency is not reported. Waking from suspend may count as
 * a step.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import {
  CLOCK_REALTIME,
  ITIMERSPEC,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
  TFD_TIMER_ABSTIME,
  TFD_TIMER_CANCEL_ON_SET,
  TIMESPEC,
} from "../headers/time.ts";
import { lastErrno, libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import { closeDescriptor } from "../descriptor.ts";

const FAR_FUTURE_SECONDS = 0x7_ffff_ffffn;

/** Watches for steps of the real-time clock. */
export class ClockWatch {
  readonly #setting = allocate(ITIMERSPEC.sizeof);
  readonly #expirations = allocate(8);
  #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Begins to watch. */
  static open(): Result<ClockWatch, OsError> {
    const fd = libc().timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0) return failed({ call: "timerfd_create", what: "watch for steps of the clock" });
    const watch = new ClockWatch(fd);
    const armed = watch.#arm();
    if (armed.ok) return ok(watch);
    watch.close();
    return armed;
  }

  /** The descriptor, for a `Poller`; -1 after `close`. */
  get fd(): number {
    return this.#fd;
  }

  /** Tells whether the clock was set since the last call, and goes on watching. */
  wasSet(): boolean {
    assert(this.#fd >= 0, "A closed watch is not used");
    if (libc().read(this.#fd, this.#expirations.bytes, 8n) >= 0) return false;
    if (lastErrno() !== ERRNO.ECANCELED) return false;
    this.#arm();
    return true;
  }

  /** Ends the watch; may be called twice. */
  close(): void {
    if (this.#fd >= 0) closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  #arm(): Result<void, OsError> {
    const expiry = ITIMERSPEC.it_value + TIMESPEC.tv_sec;
    this.#setting.view.setBigInt64(expiry, FAR_FUTURE_SECONDS, true);
    const flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    const { bytes } = this.#setting;
    if (libc().timerfd_settime(this.#fd, flags, bytes, null) === 0) {
      return ok(undefined);
    }
    const code = lastErrno();
    // The clock was set while we armed: the timer is armed all the same and will say so.
    if (code === ERRNO.ECANCELED) return ok(undefined);
    return failed({ call: "timerfd_settime", what: "watch for steps of the clock", code });
  }
}
