/**
 * The clock of a network interface (PTP hardware clock), to make real time of its timestamps.
 *
 * The idea: the kernel reads real time, the interface's clock and real time again, several times in
 * one call; the quickest of these is the best. Converting a timestamp reads the pair anew, so that
 * little time lies between the timestamp and the reading. Limits: a reading crosses the bus and
 * takes some microseconds; which interface made a timestamp the timestamp does not say, so a socket
 * that uses this is tied to that interface.
 *
 * @module
 */
import type { UnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { NANOSECONDS_PER_SECOND } from "../../src/base/units.ts";
import { closeDescriptor } from "../descriptor.ts";
import { failed, type OsError } from "../errno.ts";
import { O_CLOEXEC, O_RDONLY } from "../headers/file.ts";
import {
  PTP_CLOCK_TIME,
  PTP_SYS_OFFSET,
  PTP_SYS_OFFSET_ARGUMENT,
  PTP_SYS_OFFSET_EXTENDED,
  PTP_SYS_OFFSET_EXTENDED_ARGUMENT,
} from "../headers/timestamping.ts";
import { libc } from "../libc.ts";
import { allocate, cString } from "../memory.ts";
import { type PhcReading, PhcRelation } from "./phc_relation.ts";
import type { HardwareClock } from "./udp_socket.ts";

const SAMPLES = 5;
/** The argument of a request, by how many times each sample has of its own. */
const ARGUMENTS = { 2: PTP_SYS_OFFSET_ARGUMENT, 3: PTP_SYS_OFFSET_EXTENDED_ARGUMENT } as const;

/** A network interface's clock, open for reading. */
export class PhcClock implements HardwareClock {
  readonly #path: string;
  readonly #relation = new PhcRelation();
  readonly #offsets = allocate(PTP_SYS_OFFSET_EXTENDED_ARGUMENT.sizeof);
  #fd: number;
  #extended = true;

  private constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  /**
   * Opens /dev/ptpN by the number that `readHardwareTimestamping` gives, and reads it once to see
   * that it works.
   */
  static open(index: number): Result<PhcClock, OsError> {
    const path = `/dev/ptp${index}`;
    const what = `open the hardware clock ${path}`;
    const fd = libc().open(cString(path) ?? new Uint8Array(1), O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
      return failed({ call: "open", what, hint: `The user needs read access to ${path}` });
    }
    const clock = new PhcClock(fd, path);
    const read = clock.read();
    if (read.ok) return ok(clock);
    clock.close();
    return read;
  }

  /**
   * Reads the interface's clock and real time together, and takes the reading into account for
   * conversions.
   */
  read(): Result<PhcReading, OsError> {
    if (this.#extended && this.#ask(PTP_SYS_OFFSET_EXTENDED, ARGUMENTS[3])) return this.#accept(3);
    // Not every driver has the better call.
    this.#extended = false;
    if (this.#ask(PTP_SYS_OFFSET, ARGUMENTS[2])) return this.#accept(2);
    return failed({ call: "ioctl", what: `read the hardware clock ${this.#path}` });
  }

  /**
   * Converts a timestamp of this interface to real time; undefined when the clock cannot be read or
   * the timestamp is old.
   */
  toRealtime(hardwareNanoseconds: bigint): UnixNanoseconds | undefined {
    if (this.#fd >= 0) this.read();
    return this.#relation.toRealtime(hardwareNanoseconds);
  }

  /** Forgets earlier readings, because real time was stepped. */
  reset(): void {
    this.#relation.reset();
  }

  /** Closes the clock; may be called twice. */
  close(): void {
    if (this.#fd >= 0) closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  #ask(request: bigint, argument: (typeof ARGUMENTS)[2 | 3]): boolean {
    this.#offsets.bytes.fill(0, 0, argument.ts);
    this.#offsets.view.setUint32(argument.n_samples, SAMPLES, true);
    return libc().ioctl(this.#fd, request, this.#offsets.bytes) === 0;
  }

  /** A sample begins every `stride` times: three of its own, or two and the first of the next. */
  #accept(stride: 2 | 3): Result<PhcReading, OsError> {
    const reading = quickestReading(this.#offsets.view, { samples: SAMPLES, stride });
    this.#relation.add(reading);
    return ok(reading);
  }
}

/**
 * Chooses the quickest of `samples` readings, each real time, hardware, real time, from the
 * kernel's answer, where one begins every `stride` times.
 */
export function quickestReading(
  view: DataView,
  layout: { readonly samples: number; readonly stride: 2 | 3 },
): PhcReading {
  let best: PhcReading | undefined;
  for (let i = 0; i < layout.samples; i++) {
    const at = ARGUMENTS[layout.stride].ts + i * layout.stride * PTP_CLOCK_TIME.sizeof;
    const before = readTime(view, at), after = readTime(view, at + 2 * PTP_CLOCK_TIME.sizeof);
    const windowNanoseconds = Number(after - before);
    if (best !== undefined && best.windowNanoseconds <= windowNanoseconds) continue;
    const hardware = readTime(view, at + PTP_CLOCK_TIME.sizeof);
    best = { hardware, realtime: before + (after - before) / 2n, windowNanoseconds };
  }
  return best ?? { hardware: 0n, realtime: 0n, windowNanoseconds: Infinity };
}

function readTime(view: DataView, at: number): bigint {
  const seconds = view.getBigInt64(at + PTP_CLOCK_TIME.sec, true);
  return seconds * NANOSECONDS_PER_SECOND + BigInt(view.getUint32(at + PTP_CLOCK_TIME.nsec, true));
}
