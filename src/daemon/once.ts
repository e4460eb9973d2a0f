/**
 * `--once`: waits until the clock is right, or has been measured if it must not be touched, then
 * ends the daemon.
 *
 * @module
 */
import type { Config } from "../config/config.ts";
import type { EngineSnapshot } from "../engine/status/snapshot.ts";
import { clockPosition } from "../base/clock_position.ts";
import type { Seconds } from "../base/units.ts";
import { log } from "../system/log.ts";

/** After this time without agreement it is given up. */
const PATIENCE_MILLISECONDS = 60_000;
/** An offset that counts as set. */
const GOOD_ENOUGH: Seconds = 5e-3;

/** Why the watch ends the daemon. */
export type OnceEnd = "told" | "no-time" | "panic";

/**
 * Returns a configuration with which the first update steps the whole offset, and that is all; a
 * clock that is only measured needs none.
 */
export function onceConfig(
  config: Config,
  { noAdjust }: { readonly noAdjust: boolean },
): Config {
  if (noAdjust || config.clock.adjust === false) return config;
  const synchronization = { ...config.synchronization, stepThreshold: 0, stepLimit: 1 };
  return { ...config, synchronization };
}

/** Watches the state of a daemon that is to end by itself. */
export class OnceWatch {
  #done = false;

  /**
   * Begins to wait; returns the timer of the patience, to be cleared. `panic` is asked which panic
   * threshold keeps the clock from being set, a sentence; with one, trying again later is of no
   * use.
   */
  start({ panic, stop, patience = PATIENCE_MILLISECONDS }: {
    readonly panic: () => string | undefined;
    readonly stop: (end: OnceEnd) => void;
    /** In milliseconds; a minute when left out. */
    readonly patience?: number;
  }): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      if (this.#done) return;
      const reason = panic();
      log.error(
        reason ?? "No time was found within a minute; see the warnings above, or try again later",
      );
      stop(reason === undefined ? "no-time" : "panic");
    }, patience);
  }

  /** Looks at the state, and ends the daemon if all is done. */
  look(snapshot: () => EngineSnapshot, stop: (end: OnceEnd) => void): void {
    if (this.#done) return;
    const { state, adjusting, offsetSeconds, errorBoundSeconds } = snapshot();
    if (offsetSeconds === null || errorBoundSeconds === null) return;
    const isSet = state === "synchronized" && Math.abs(offsetSeconds) < GOOD_ENOUGH;
    if (adjusting ? !isSet : state === "starting") return;
    this.#done = true;
    const bound = `${(errorBoundSeconds * 1e3).toFixed(3)} ms`;
    log.info(
      adjusting
        ? `The clock is set; its error is below ${bound}`
        : `The clock is ${
          clockPosition(offsetSeconds)
        } the sources, error below ${bound}; it was not touched`,
    );
    queueMicrotask(() => stop("told"));
  }
}
