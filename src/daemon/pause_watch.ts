/**
 * Looks every few seconds whether the machine may have stood still, by its hardware clock.
 *
 * Reading that clock may take milliseconds, so it is done on the thread pool. Where it cannot be
 * read, that is tried again a minute later; one that jumps all the time is no witness, and would
 * keep the sources being asked. Limits: the first hardware clock of the machine.
 *
 * @module
 */
import { realtimeNow } from "../../ffi/clock/clock.ts";
import { readFileInBackground } from "../../ffi/file/files.ts";
import { fromNanoseconds } from "../base/nanoseconds.ts";
import type { Seconds } from "../base/units.ts";
import { log } from "../system/log.ts";
import { PauseDetector } from "../system/pause_detector.ts";

/** The hardware clock in seconds of the Unix epoch. */
const HARDWARE_CLOCK = "/sys/class/rtc/rtc0/since_epoch";
const FILE_MAX = 4096;
/** So many ticks, of a second each, from look to look. */
const LOOK_EVERY = 2;
/** So many ticks after a failure. */
const RETRY_AFTER = 60;
/** A hardware clock that jumps more often than this in so many ticks is not believed. */
const JUMPS_MAX = 60;
const JUMPS_TICKS = 3600;
/** A look that took longer compares clocks of different moments. */
const LOOK_MAX: Seconds = 0.5;

const JUMPS = "The hardware clock jumps again and again: for up to an hour it is not believed";

/** Reads the hardware clock as text; undefined where that cannot be done. */
export type ReadHardwareClock = () => Promise<string | undefined>;

/** Watches one machine. */
export class PauseWatch {
  readonly #onPause: (seconds: Seconds) => void;
  readonly #read: ReadHardwareClock;
  readonly #now: () => bigint;
  readonly #detector = new PauseDetector();
  #ticks = 0;
  #isReading = false;
  #jumps = 0;

  /** `onPause` gets the time for which the machine may have stood still. */
  constructor(
    onPause: (seconds: Seconds) => void,
    { read = readHardwareClock, now = realtimeNow }: {
      readonly read?: ReadHardwareClock;
      readonly now?: () => bigint;
    } = {},
  ) {
    this.#onPause = onPause;
    this.#read = read;
    this.#now = now;
  }

  /** Looks when it is time; to be called about once a second. */
  tick(): void {
    this.#ticks++;
    if (this.#ticks % JUMPS_TICKS === 0) this.#jumps = 0;
    if (this.#isReading || this.#ticks < 0 || this.#ticks % LOOK_EVERY !== 0) return;
    void this.#look();
  }

  /** The real-time clock was set. */
  clockStepped(): void {
    this.#detector.clockStepped();
  }

  async #look(): Promise<void> {
    this.#isReading = true;
    const before = this.#seconds();
    const text = await this.#read().catch(() => undefined);
    const realtime = this.#seconds();
    this.#isReading = false;
    if (text === undefined || !/^-?\d{1,12}\s*$/.test(text)) {
      this.#ticks = -RETRY_AFTER;
      return;
    }
    const took = realtime - before;
    if (took < 0 || took > LOOK_MAX) return;
    const paused = this.#detector.look({ hardware: Number(text), realtime });
    if (paused === 0) return;
    this.#jumps++;
    if (this.#jumps <= JUMPS_MAX) this.#onPause(paused);
    if (this.#jumps === JUMPS_MAX) log.warning(JUMPS);
  }

  #seconds(): Seconds {
    return fromNanoseconds(this.#now());
  }
}

async function readHardwareClock(): Promise<string | undefined> {
  const read = await readFileInBackground(HARDWARE_CLOCK, FILE_MAX);
  return read.ok ? new TextDecoder().decode(read.value) : undefined;
}
