/**
 * Responses of a batch that wait for their transmit timestamps, and responses that have left and
 * for which the kernel's timestamp is still to come.
 *
 * The problem: the responses of a batch are handed over in one call but leave one after another,
 * about two microseconds apart. The idea: number n is timestamped with the time of the call plus n
 * times what one took lately, so that the length of the batch does not look like an offset to a
 * client of a busy server. After a sleep the first leaves later than later ones do
 * (`transmit_lead.ts`); now and then the kernel is asked for the timestamp of a response that came
 * alone, to know by how much. Limits: that is a forecast; interleaved mode gives the true time one
 * response later.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import { TWO_POW_32 } from "../base/ntp_timestamp.ts";
import type { WrittenResponse } from "./header_writer.ts";
import { type InterleavedTable, NO_SLOT } from "./interleaved.ts";
import type { RequestBatch } from "./request_batch.ts";
import { TransmitLead } from "./transmit_lead.ts";

const BATCH_MAX = 1024;
const PENDING = 1024;
const FORECAST_MAX: Seconds = 20e-6;
/**
 * Our own timestamp is a forecast, so the kernel's may be earlier by as much as the forecast of a
 * whole batch.
 */
const TIMESTAMP_EARLY_MAX: Seconds = 2e-3;
/** A timestamp that is later than this belongs to another response. */
const TIMESTAMP_LATE_MAX: Seconds = 0.1;

/** After a sleep, one in so many responses that come alone is timed. */
const PROBE_EVERY = 4;
const NO_PROBE = -1;

/** The waiting responses of one listener. */
export class TransmitQueue {
  readonly #table: InterleavedTable | undefined;
  readonly #indices = new Int32Array(BATCH_MAX);
  readonly #slots = new Int32Array(BATCH_MAX);
  readonly #serials = new Uint32Array(BATCH_MAX);
  readonly #interleaved = new Uint8Array(BATCH_MAX);
  #count = 0;
  #batch!: RequestBatch;

  readonly #pendingSlots = new Int32Array(PENDING).fill(NO_SLOT);
  readonly #pendingSerials = new Uint32Array(PENDING);
  #nextId = 0;
  #outstanding = 0;
  readonly #transmit = { serial: 0, seconds: 0, fraction: 0 };

  readonly #plainLead = new TransmitLead();
  /** Of responses that are sealed after they are timestamped. */
  readonly #sealedLead = new TransmitLead();
  #hasSlept = false;
  #untilProbe = 1;
  /** Whether the response of this batch is to be timed. */
  #isProbe = false;
  /** The response that is timed: its number, its kind, and the reading of the clock. */
  #probeId = NO_PROBE;
  #isProbeSealed = false;
  readonly #probeTime = new Uint32Array(2);

  /** Notes transmit times in this table, if there is one. */
  constructor(table: InterleavedTable | undefined) {
    this.#table = table;
  }

  /** Whether no response of the batch waits for a timestamp. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /**
   * Begins a batch; `hasSlept` tells whether the process has slept before the requests came.
   * Responses of the last batch that were not sent are forgotten.
   */
  begin(batch: RequestBatch, hasSlept: boolean): void {
    this.#batch = batch;
    this.#count = 0;
    this.#hasSlept = hasSlept;
    this.#isProbe = hasSlept && batch.count === 1 && --this.#untilProbe <= 0;
    if (this.#isProbe) this.#untilProbe = PROBE_EVERY;
  }

  /** Whether the kernel is to time the response of this batch, whether or not a client wants it. */
  get isProbe(): boolean {
    return this.#isProbe;
  }

  /** Adds a response. */
  add({ index, slot, isInterleaved }: WrittenResponse): void {
    const count = this.#count++;
    assert(count < BATCH_MAX, "A batch is bounded");
    this.#indices[count] = index;
    this.#slots[count] = slot;
    this.#interleaved[count] = isInterleaved ? 1 : 0;
    if (slot !== NO_SLOT) this.#serials[count] = this.#serialAt(slot);
  }

  /**
   * Notes that the kernel will number and timestamp a response, which is queued for that; `slot` is
   * where its client is remembered, if it is.
   */
  expect(slot: number): void {
    const pending = this.#nextId % PENDING;
    if (this.#pendingSlots[pending] !== NO_SLOT) this.#outstanding--;
    if (slot !== NO_SLOT) this.#outstanding++;
    this.#pendingSlots[pending] = slot;
    this.#pendingSerials[pending] = this.#serialAt(slot);
    if (this.#isProbe) this.#probeId = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
  }

  /** Timestamps all that wait, the first with the `time` given (seconds and fraction). */
  timestamp(time: Uint32Array, sendSeconds: Seconds): void {
    this.#putForward(time, false);
    const step = Math.min(FORECAST_MAX, sendSeconds) * TWO_POW_32;
    const { responseView: view, stride } = this.#batch;
    let seconds = time[0] ?? 0, fraction = time[1] ?? 0;
    for (let n = 0; n < this.#count; n++) {
      const at = (this.#indices[n] ?? 0) * stride;
      if (this.#interleaved[n] === 0) {
        view.setUint32(at + 40, seconds);
        // The last bit tells transmit timestamps, which are even, from receive timestamps.
        view.setUint32(at + 44, fraction & ~1);
      }
      const slot = this.#slots[n] ?? NO_SLOT;
      if (slot !== NO_SLOT) this.#note(slot, this.#serials[n] ?? 0, seconds, fraction);
      fraction += step;
      if (fraction >= TWO_POW_32) {
        fraction -= TWO_POW_32;
        seconds = (seconds + 1) >>> 0;
      }
    }
    this.#count = 0;
  }

  /** Timestamps one response at once, with the `time` given (seconds and fraction). */
  timestampOne({ index, slot, isInterleaved }: WrittenResponse, time: Uint32Array): void {
    this.#putForward(time, true);
    const seconds = time[0] ?? 0, fraction = time[1] ?? 0;
    if (!isInterleaved) {
      const { responseView: view, stride } = this.#batch;
      view.setUint32(index * stride + 40, seconds);
      view.setUint32(index * stride + 44, fraction & ~1);
    }
    if (slot !== NO_SLOT) this.#note(slot, this.#serialAt(slot), seconds, fraction);
  }

  /**
   * Notes when the response left that was the `id`-th, from 0, of those for which the kernel was
   * asked.
   */
  noteTransmit(
    id: number,
    time: { readonly seconds: number; readonly fraction: number },
  ): void {
    if ((this.#nextId - id) >>> 0 > PENDING) return;
    if (id === this.#probeId) this.#learn(time);
    const pending = id % PENDING;
    const slot = this.#pendingSlots[pending] ?? NO_SLOT;
    if (slot === NO_SLOT) return;
    this.#pendingSlots[pending] = NO_SLOT;
    this.#outstanding--;
    if (!this.#isPlausible(slot, time)) return;
    this.#note(slot, this.#pendingSerials[pending] ?? 0, time.seconds, time.fraction);
  }

  /**
   * Numbers the responses for which the kernel is asked anew from 0, as the kernel does after a
   * restart. The last `waiting` of them are still to be sent, and keep what is noted of them; for
   * the others no timestamp will come.
   */
  restartIds(waiting = 0): void {
    assert(waiting <= BATCH_MAX, "A batch is bounded");
    const slots = this.#indices, serials = this.#serials;
    for (let i = 0; i < waiting; i++) {
      const pending = ((this.#nextId - waiting + i) >>> 0) % PENDING;
      slots[i] = this.#pendingSlots[pending] ?? NO_SLOT;
      serials[i] = this.#pendingSerials[pending] ?? 0;
    }
    this.forgetTimestamps();
    for (let i = 0; i < waiting; i++) {
      const slot = slots[i] ?? NO_SLOT;
      this.#pendingSlots[i] = slot;
      this.#pendingSerials[i] = serials[i] ?? 0;
      if (slot !== NO_SLOT) this.#outstanding++;
    }
    this.#nextId = waiting;
  }

  /** Whether the kernel owes timestamps. */
  get awaitsTimestamps(): boolean {
    return this.#outstanding > 0 || this.#probeId !== NO_PROBE;
  }

  /** Gives up the timestamps that have not come. */
  forgetTimestamps(): void {
    this.#pendingSlots.fill(NO_SLOT);
    this.#outstanding = 0;
    this.#probeId = NO_PROBE;
  }

  /** Puts a reading of the clock forward to when the first response leaves after a sleep. */
  #putForward(time: Uint32Array, isSealed: boolean): void {
    if (!this.#hasSlept) return;
    if (this.#isProbe) {
      this.#probeTime.set(time);
      this.#isProbeSealed = isSealed;
    }
    const { seconds } = isSealed ? this.#sealedLead : this.#plainLead;
    const fraction = (time[1] ?? 0) + Math.floor(seconds * TWO_POW_32);
    if (fraction >= TWO_POW_32) time[0] = (time[0] ?? 0) + 1;
    time[1] = fraction;
  }

  #learn(time: { readonly seconds: number; readonly fraction: number }): void {
    this.#probeId = NO_PROBE;
    const fractions = (time.fraction - (this.#probeTime[1] ?? 0)) / TWO_POW_32;
    const taken = ((time.seconds - (this.#probeTime[0] ?? 0)) | 0) + fractions;
    (this.#isProbeSealed ? this.#sealedLead : this.#plainLead).learn(taken);
  }

  /** The serial number of what is saved at `slot` now. */
  #serialAt(slot: number): number {
    return this.#table?.serialAt(slot) ?? 0;
  }

  /**
   * Whether a timestamp can belong to the response saved at `slot`: not before our own, and soon
   * after.
   */
  #isPlausible(
    slot: number,
    time: { readonly seconds: number; readonly fraction: number },
  ): boolean {
    const table = this.#table;
    if (table === undefined) return false;
    const fractions = (time.fraction - table.transmitFraction(slot)) / TWO_POW_32;
    const late = ((time.seconds - table.transmitSeconds(slot)) | 0) + fractions;
    return late > -TIMESTAMP_EARLY_MAX && late < TIMESTAMP_LATE_MAX;
  }

  #note(slot: number, serial: number, seconds: number, fraction: number): void {
    const transmit = this.#transmit;
    transmit.serial = serial;
    transmit.seconds = seconds;
    transmit.fraction = fraction;
    this.#table?.noteTransmit(slot, transmit);
  }
}
