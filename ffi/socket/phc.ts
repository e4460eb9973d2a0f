/**
 * The clock of a network interface (PTP hardware clock), to make real time of its timestamps.
 *
 * The idea: the kernel reads real time, the interface's clock and real time again, several times in one call; the quickest of
 * these is the best. Converting a timestamp reads the pair anew, so that little time lies between the timestamp and the reading.
 * Limits: a reading crosses the bus and takes some microseconds; which interface made a timestamp the timestamp does not say, so a
 * socket that uses this is tied to that interface.
 *
 * @module
 */
import type { UnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { NANOSECONDS_PER_SECOND } from "../../src/base/units.ts";
import { failed, type OsError } from "../errno.ts";
import { libc } from "../libc.ts";
import { allocate, cString } from "../memory.ts";
import { type PhcReading, PhcRelation } from "./phc_relation.ts";
import type { HardwareClock } from "./udp_socket.ts";
import { closeDescriptor } from "./socket_option.ts";

const O_RDONLY_CLOEXEC = 0x80000;
const PTP_SYS_OFFSET_EXTENDED = 0xc4c0_3d09n;
const PTP_SYS_OFFSET = 0x4340_3d05n;
const SAMPLES = 5;
const EXTENDED_SIZE = 1216;
const SAMPLES_AT = 16;
const TIME_SIZE = 16;

/** A network interface's clock, open for reading. */
export class PhcClock implements HardwareClock {
  readonly #path: string;
  readonly #relation = new PhcRelation();
  readonly #offsets = allocate(EXTENDED_SIZE);
  #fd: number;
  #extended = true;

  private constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  /** Opens /dev/ptpN by the number that `readHardwareTimestamping` gives, and reads it once to see that it works. */
  static open(index: number): Result<PhcClock, OsError> {
    const path = `/dev/ptp${index}`;
    const what = `open the hardware clock ${path}`;
    const fd = libc().open(cString(path) ?? new Uint8Array(1), O_RDONLY_CLOEXEC, 0);
    if (fd < 0) {
      return failed({ call: "open", what, hint: `The user needs read access to ${path}` });
    }
    const clock = new PhcClock(fd, path);
    const read = clock.read();
    if (read.ok) return ok(clock);
    clock.close();
    return read;
  }

  /** Reads the interface's clock and real time together, and takes the reading into account for conversions. */
  read(): Result<PhcReading, OsError> {
    if (this.#extended && this.#ask(PTP_SYS_OFFSET_EXTENDED)) return this.#accept(3);
    // Not every driver has the better call.
    this.#extended = false;
    if (this.#ask(PTP_SYS_OFFSET)) return this.#accept(2);
    return failed({ call: "ioctl", what: `read the hardware clock ${this.#path}` });
  }

  /** Converts a timestamp of this interface to real time; undefined when the clock cannot be read or the timestamp is old. */
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

  #ask(request: bigint): boolean {
    this.#offsets.bytes.fill(0, 0, SAMPLES_AT);
    this.#offsets.view.setUint32(0, SAMPLES, true);
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
 * Chooses the quickest of `samples` readings, each real time, hardware, real time (16 octets each: seconds 8, nanoseconds 4), that
 * begin at octet 16 of the kernel's answer, one every `stride` times.
 */
export function quickestReading(
  view: DataView,
  layout: { readonly samples: number; readonly stride: 2 | 3 },
): PhcReading {
  let best: PhcReading | undefined;
  for (let i = 0; i < layout.samples; i++) {
    const at = SAMPLES_AT + i * layout.stride * TIME_SIZE;
    const before = readTime(view, at), after = readTime(view, at + 2 * TIME_SIZE);
    const windowNanoseconds = Number(after - before);
    if (best !== undefined && best.windowNanoseconds <= windowNanoseconds) continue;
    const hardware = readTime(view, at + TIME_SIZE);
    best = { hardware, realtime: before + (after - before) / 2n, windowNanoseconds };
  }
  return best ?? { hardware: 0n, realtime: 0n, windowNanoseconds: Infinity };
}

function readTime(view: DataView, at: number): bigint {
  return view.getBigInt64(at, true) * NANOSECONDS_PER_SECOND + BigInt(view.getUint32(at + 8, true));
}
