/**
 * Answers of a batch that wait for their transmit timestamps, and answers that have left and wait for the kernel's word on when.
 *
 * The problem: the answers of a batch are handed over in one call but leave one after another, about two microseconds apart. The
 * idea: number n is timestamped with the time of the call plus n times what one took lately, so that a client of a busy server
 * is not led astray by the length of the batch. Limits: that is a forecast; interleaved mode gives the truth one answer later.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import { type InterleavedTable, NO_SLOT } from "./interleaved.ts";
import type { RequestBatch } from "./request_batch.ts";

const BATCH_MAX = 1024;
const PENDING = 1024;
const TWO_POW_32 = 4_294_967_296;
const FORECAST_MAX: Seconds = 20e-6;
/** Our own timestamp is a forecast, so the kernel's may be earlier by as much as the forecast of a whole batch. */
const TIMESTAMP_EARLY_MAX: Seconds = 2e-3;
/** A timestamp that is later than this belongs to another answer. */
const TIMESTAMP_LATE_MAX: Seconds = 0.1;

/** The waiting answers of one listener. */
export class TransmitQueue {
  readonly #table: InterleavedTable | undefined;
  readonly #indices = new Int32Array(BATCH_MAX);
  readonly #places = new Int32Array(BATCH_MAX);
  readonly #serials = new Uint32Array(BATCH_MAX);
  readonly #interleaved = new Uint8Array(BATCH_MAX);
  #count = 0;

  readonly #pendingPlaces = new Int32Array(PENDING).fill(NO_SLOT);
  readonly #pendingSerials = new Uint32Array(PENDING);
  #nextId = 0;
  #outstanding = 0;
  readonly #transmit = { serial: 0, seconds: 0, fraction: 0 };

  /** Notes transmit times in this table, if there is one. */
  constructor(table: InterleavedTable | undefined) {
    this.#table = table;
  }

  /** Whether no answer of the batch waits for a timestamp. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /**
   * Adds the answer to request `index`; `place` is where the client is remembered for interleaved mode, and an interleaved answer
   * has its transmit timestamp already.
   */
  add(index: number, place: number, isInterleaved: boolean): void {
    const count = this.#count++;
    assert(count < BATCH_MAX, "A batch is bounded");
    this.#indices[count] = index;
    this.#places[count] = place;
    this.#interleaved[count] = isInterleaved ? 1 : 0;
    if (place !== NO_SLOT) this.#serials[count] = this.#serialAt(place);
  }

  /** Notes that the kernel will number and timestamp an answer, which is queued for that; `place` is where its client is remembered. */
  expect(place: number): void {
    const slot = this.#nextId % PENDING;
    if (this.#pendingPlaces[slot] === NO_SLOT) this.#outstanding++;
    this.#pendingPlaces[slot] = place;
    this.#pendingSerials[slot] = this.#serialAt(place);
    this.#nextId = (this.#nextId + 1) >>> 0;
  }

  /** Forgets the answers of a batch that will not be sent. */
  discard(): void {
    this.#count = 0;
  }

  /** Timestamps all that wait, the first with the `time` given (seconds and fraction). */
  timestamp(batch: RequestBatch, time: Uint32Array, sendSeconds: Seconds): void {
    const step = Math.min(FORECAST_MAX, sendSeconds) * TWO_POW_32;
    const view = batch.responseView;
    let seconds = time[0] ?? 0, fraction = time[1] ?? 0;
    for (let n = 0; n < this.#count; n++) {
      const at = (this.#indices[n] ?? 0) * batch.stride;
      if (this.#interleaved[n] === 0) {
        view.setUint32(at + 40, seconds);
        // The last bit tells transmit timestamps, which are even, from receive timestamps.
        view.setUint32(at + 44, fraction & ~1);
      }
      const place = this.#places[n] ?? NO_SLOT;
      if (place !== NO_SLOT) this.#note(place, this.#serials[n] ?? 0, seconds, fraction);
      fraction += step;
      if (fraction >= TWO_POW_32) {
        fraction -= TWO_POW_32;
        seconds = (seconds + 1) >>> 0;
      }
    }
    this.#count = 0;
  }

  /** Timestamps one answer at once. */
  timestampOne(
    batch: RequestBatch,
    answer: { readonly index: number; readonly place: number },
    timestamp: { readonly time: Uint32Array; readonly isInterleaved: boolean },
  ): void {
    const seconds = timestamp.time[0] ?? 0, fraction = timestamp.time[1] ?? 0;
    const at = answer.index * batch.stride;
    if (!timestamp.isInterleaved) {
      batch.responseView.setUint32(at + 40, seconds);
      batch.responseView.setUint32(at + 44, fraction & ~1);
    }
    if (answer.place === NO_SLOT) return;
    this.#note(answer.place, this.#serialAt(answer.place), seconds, fraction);
  }

  /** Notes when the answer left that was the `id`-th, from 0, of those for which the kernel was asked. */
  noteTransmit(
    id: number,
    time: { readonly seconds: number; readonly fraction: number },
  ): void {
    if ((this.#nextId - id) >>> 0 > PENDING) return;
    const slot = id % PENDING;
    const place = this.#pendingPlaces[slot] ?? NO_SLOT;
    if (place === NO_SLOT) return;
    this.#pendingPlaces[slot] = NO_SLOT;
    this.#outstanding--;
    if (!this.#isPlausible(place, time)) return;
    this.#note(place, this.#pendingSerials[slot] ?? 0, time.seconds, time.fraction);
  }

  /**
   * Numbers the answers for which the kernel is asked anew from 0, as the kernel does after a restart. The last `waiting` of
   * them are still to be sent, and keep what is noted of them; for the others no timestamp will come.
   */
  restartIds(waiting = 0): void {
    assert(waiting <= BATCH_MAX, "A batch is bounded");
    const places = this.#indices, serials = this.#serials;
    for (let i = 0; i < waiting; i++) {
      const slot = ((this.#nextId - waiting + i) >>> 0) % PENDING;
      places[i] = this.#pendingPlaces[slot] ?? NO_SLOT;
      serials[i] = this.#pendingSerials[slot] ?? 0;
    }
    this.forgetTimestamps();
    for (let i = 0; i < waiting; i++) {
      const place = places[i] ?? NO_SLOT;
      this.#pendingPlaces[i] = place;
      this.#pendingSerials[i] = serials[i] ?? 0;
      if (place !== NO_SLOT) this.#outstanding++;
    }
    this.#nextId = waiting;
  }

  /** Whether the kernel owes timestamps. */
  get awaitsTimestamps(): boolean {
    return this.#outstanding > 0;
  }

  /** Gives up the timestamps that have not come. */
  forgetTimestamps(): void {
    this.#pendingPlaces.fill(NO_SLOT);
    this.#outstanding = 0;
  }

  /** The serial number of what is saved at `place` now. */
  #serialAt(place: number): number {
    return this.#table?.serialAt(place) ?? 0;
  }

  /** Whether a timestamp can belong to the answer saved at `place`: not before our own, and soon after. */
  #isPlausible(
    place: number,
    time: { readonly seconds: number; readonly fraction: number },
  ): boolean {
    const table = this.#table;
    if (table === undefined) return false;
    const fractions = (time.fraction - table.transmitFraction(place)) / TWO_POW_32;
    const late = ((time.seconds - table.transmitSeconds(place)) | 0) + fractions;
    return late > -TIMESTAMP_EARLY_MAX && late < TIMESTAMP_LATE_MAX;
  }

  #note(place: number, serial: number, seconds: number, fraction: number): void {
    const transmit = this.#transmit;
    transmit.serial = serial;
    transmit.seconds = seconds;
    transmit.fraction = fraction;
    this.#table?.noteTransmit(place, transmit);
  }
}
