/**
 * What the service manager is told: that the daemon is ready, and in one line how it is doing.
 *
 * The idea: the line is made from the status document, like everything else that is shown, and sent
 * when another word holds, or after a while when only numbers have changed. Readiness means that
 * the daemon does its work, or, if configured so, that the clock is right; until then the service
 * manager is asked for patience. Where it watches over the daemon it hears at each update that the
 * daemon is alive, so one whose event loop hangs is started again. Limits: without a service
 * manager nothing is sent.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import { visibleText } from "../../base/visible_text.ts";
import { notifyService, type ServiceNotice } from "../../../ffi/process/sd_notify.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import {
  type FunctionDocument,
  isTimeKnown,
  type StatusDocument,
} from "../../engine/status/snapshot.ts";

/** Changes of numbers alone are told so seldom. */
const INTERVAL: Seconds = 30;
/** So much more time is asked for while readiness has to wait. */
const PATIENCE_MICROSECONDS = 60_000_000;

/** What of the status is told. */
export type NoticedStatus = Pick<
  StatusDocument,
  "state" | "why" | "stratum" | "offsetSeconds" | "sources" | "functions"
>;

/** Tells the service manager about one daemon. */
export class ServiceNotices {
  readonly #waitsForTime: boolean;
  readonly #isWatched: boolean;
  readonly #notify: (notice: ServiceNotice) => unknown;
  #isReady = false;
  #words = "";
  #toldAt: MonotonicSeconds = -Infinity;

  /**
   * `waitsForTime`: whether readiness means that the clock is right; `isWatched`: whether the
   * service manager must hear at each update that the daemon is alive.
   */
  constructor(
    options: { readonly waitsForTime: boolean; readonly isWatched: boolean },
    notify: (notice: ServiceNotice) => unknown = (notice) => notifyService(notice),
  ) {
    this.#waitsForTime = options.waitsForTime;
    this.#isWatched = options.isWatched;
    this.#notify = notify;
  }

  /** Tells what is new; to be called about once a second. */
  update(status: NoticedStatus, now: MonotonicSeconds): void {
    const becomesReady = !this.#isReady && (!this.#waitsForTime || isTimeKnown(status.state));
    const words = serviceWords(status);
    const isDue = now - this.#toldAt >= INTERVAL;
    const alive = this.#isWatched ? { watchdog: true } as const : {};
    if (!becomesReady && !isDue && words === this.#words) {
      if (this.#isWatched) this.#notify(alive);
      return;
    }
    this.#isReady ||= becomesReady;
    this.#words = words;
    this.#toldAt = now;
    this.#notify({
      ...alive,
      ...(becomesReady ? { ready: true } : {}),
      ...(this.#isReady ? {} : { extendTimeoutMicroseconds: PATIENCE_MICROSECONDS }),
      status: serviceLine(status),
    });
  }

  /** Tells that the daemon begins to end. */
  stopping(): void {
    this.#notify({ stopping: true, status: "Ending" });
  }
}

/** Writes the line: how the clock stands, and what does not work. */
export function serviceLine(status: NoticedStatus): string {
  const { offsetSeconds, stratum } = status;
  const numbers = isTimeKnown(status.state) && offsetSeconds !== null
    ? `, stratum ${stratum}, offset ${(offsetSeconds * 1e3).toFixed(3)} ms`
    : "";
  return visibleText(
    [`${clockWords(status)}${numbers}`, ...faultWords(status.functions)].join("; "),
  );
}

/** What in the line is worth telling at once. */
function serviceWords(status: NoticedStatus): string {
  return [clockWords(status), ...faultWords(status.functions)].join("; ");
}

function clockWords({ state, why: reason, sources }: NoticedStatus): string {
  const lead = sources.find(({ status }) => status === "selected")?.name;
  switch (state) {
    case "synchronized":
      return lead === undefined ? "Synchronised" : `Synchronised to ${lead}`;
    case "monitoring":
      return lead === undefined ? "Monitoring" : `Monitoring, led by ${lead}`;
    case "holdover":
      return `Running on without sources: ${reason}`;
    case "starting":
      return reason === "" ? "Measuring the sources" : `Measuring the sources: ${reason}`;
    case "unsynchronized":
      return `Not synchronised: ${reason}`;
    default:
      return unreachable(state);
  }
}

function faultWords(functions: readonly FunctionDocument[]): readonly string[] {
  const down = functions.filter(({ up }) => !up);
  // What others miss is told before what only we miss.
  const first = down.find(({ kind }) => kind.endsWith("server")) ?? down[0];
  if (first === undefined) return [];
  const { kind, name, reason } = first;
  return [`${down.length} of ${functions.length} functions down: ${kind} ${name}: ${reason}`];
}
