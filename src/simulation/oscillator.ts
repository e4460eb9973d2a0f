/**
 * A simulated quartz oscillator: how far it runs fast or slow, and what that adds up to.
 *
 * The idea: the frequency is constant within each second of true time and changes at its end, so
 * the phase is a sum and is exact whenever it is read. At the end of each second the frequency
 * takes a normal random step (random-walk wander); a sinusoid (the temperature of a room), a linear
 * ageing and steps from outside come on top. Limits: no white or flicker noise of phase, which a
 * disciplined clock does not see at intervals of seconds.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { PPM, type Ppm, type Seconds, SECONDS_PER_DAY } from "../base/units.ts";
import { CompensatedSum } from "./compensated_sum.ts";
import type { Draws } from "./draws.ts";

/** What an oscillator is like. */
export interface OscillatorModel {
  /** The frequency error at the start, without the sinusoid. */
  readonly frequency: Ppm;
  /**
   * Standard deviation of the step that the relative frequency takes each second (1e-9 is a good
   * quartz).
   */
  readonly wander: number;
  /** A swing of the frequency with the temperature, zero at the start and rising. */
  readonly temperature?: { readonly amplitude: Ppm; readonly period: Seconds } | undefined;
  /** Linear change of the frequency in a day. */
  readonly agingPpmPerDay?: Ppm;
}

/** A running oscillator. Time starts at 0 and only goes forward. */
export class SimulatedOscillator {
  readonly #model: OscillatorModel;
  readonly #draws: Draws;
  /** The random walk and the steps: relative frequency without sinusoid and ageing. */
  #walk: number;
  /** Relative frequency within the second that runs now. */
  #frequency: number;
  #time = 0;
  /** The end of the second that runs now. */
  #boundary = 1;
  readonly #phase = new CompensatedSum();

  /** Starts an oscillator that draws its wander from `draws`. */
  constructor(model: OscillatorModel, draws: Draws) {
    this.#model = model;
    this.#draws = draws;
    this.#walk = model.frequency * PPM;
    this.#frequency = this.#frequencyAt(0);
  }

  /**
   * Lets true time pass up to `time` (seconds since the start), and returns how much the phase
   * error grew.
   */
  advance(time: Seconds): Seconds {
    assert(time >= this.#time, "A simulated oscillator cannot go back");
    const growth = new CompensatedSum();
    while (time >= this.#boundary) {
      growth.add(this.#frequency * (this.#boundary - this.#time));
      this.#time = this.#boundary;
      this.#boundary += 1;
      if (this.#model.wander > 0) this.#walk += this.#model.wander * this.#draws.normal();
      this.#frequency = this.#frequencyAt(this.#time);
    }
    growth.add(this.#frequency * (time - this.#time));
    this.#time = time;
    this.#phase.add(growth.value);
    return growth.value;
  }

  /** Adds a lasting step to the frequency from now on. */
  stepFrequency(step: Ppm): void {
    this.#walk += step * PPM;
    this.#frequency += step * PPM;
  }

  /** The seconds since the start. */
  get time(): Seconds {
    return this.#time;
  }

  /** What the oscillator, left alone, shows more than true time. */
  get phaseError(): Seconds {
    return this.#phase.value;
  }

  /** How much too fast it runs now, as a ratio. */
  get relativeFrequency(): number {
    return this.#frequency;
  }

  #frequencyAt(time: number): number {
    const { temperature, agingPpmPerDay = 0 } = this.#model;
    let frequency = this.#walk;
    if (temperature !== undefined) {
      // The middle of the second stands for the whole of it.
      const angle = 2 * Math.PI * (time + 0.5) / temperature.period;
      frequency += temperature.amplitude * PPM * Math.sin(angle);
    }
    return frequency + agingPpmPerDay * PPM * (time / SECONDS_PER_DAY);
  }
}
