/**
 * A plain estimator of the time, to be compared with: medians and straight lines.
 *
 * The problem: whether an error is large in some world can only be said beside what another clock
 * reaches there, with the same packets. The idea: the offset of UTC against the bare oscillator is
 * a slow curve. Of each source, every sample is replaced by the median of itself and its two
 * neighbours on each side, and a line is fitted to these by least squares: over the last 64
 * samples, or half as many until they lie on both sides of it by turns. The sources are combined by the median of what their lines say. The result counts at once when a
 * sample has come, and until the next. Limits: it knows nothing of delays, routes or wander; it
 * trusts whichever half of the sources is in the middle.
 *
 * @module
 */

/** What a source showed when the bare oscillator stood at `raw`. */
export interface OffsetSample {
  /** What the bare oscillator showed, in seconds. */
  readonly raw: number;
  /** How much UTC was ahead of that, in seconds. */
  readonly offset: number;
}

/** A line through the samples: `offset` at `raw`, and what it grows by each second. */
export interface Line extends OffsetSample {
  readonly slope: number;
}

const SAMPLES_MAX = 64, SAMPLES_MIN = 8, NEIGHBOURS = 2;
/** A source that has been silent for so many of its intervals says nothing any more. */
const SILENCE_MAX = 8;

/** The estimate of UTC by all sources. */
export class PlainEstimator {
  readonly #sources = new Map<string, OffsetSample[]>();
  readonly #lines = new Map<string, Line>();
  #combined: Line | undefined;

  /** Takes a sample of a source, whose samples come in order. */
  take(source: string, sample: OffsetSample): void {
    const samples = this.#sources.get(source) ?? [];
    this.#sources.set(source, samples);
    samples.push(sample);
    if (samples.length > SAMPLES_MAX) samples.shift();
    this.#lines.set(source, lineThrough(samples));
    this.#combined = this.#combine(sample.raw);
  }

  /** Forgets all samples, as the machine has slept; the estimate stays until the next sample. */
  forget(): void {
    this.#sources.clear();
    this.#lines.clear();
  }

  /** How much UTC is ahead of the bare oscillator; undefined before the first sample. */
  offsetAt(raw: number): number | undefined {
    return this.#combined === undefined ? undefined : valueAt(this.#combined, raw);
  }

  /** What UTC gains on the bare oscillator each second. */
  get slope(): number {
    return this.#combined?.slope ?? 0;
  }

  #combine(raw: number): Line {
    const lines: Line[] = [];
    for (const [source, samples] of this.#sources) {
      const last = samples.at(-1)?.raw ?? raw, previous = samples.at(-2)?.raw ?? last;
      const line = this.#lines.get(source);
      const isSilent = raw - last > SILENCE_MAX * Math.max(16, last - previous);
      if (line !== undefined && !isSilent) lines.push(line);
    }
    return {
      raw,
      offset: median(lines.map((line) => valueAt(line, raw))),
      slope: median(lines.map(({ slope }) => slope)),
    };
  }
}

/** Fits the line through the longest stretch of samples that it describes. */
export function lineThrough(samples: readonly OffsetSample[]): Line {
  for (let length = samples.length;; length = Math.ceil(length / 2)) {
    const stretch = samples.slice(-length);
    const line = leastSquares(medians(stretch));
    if (length <= SAMPLES_MIN || isDescribed(stretch, line)) return line;
  }
}

/**
 * Whether the samples lie on both sides of the line by turns, as chance has it: the number of
 * stretches on one side is half that of the samples, with a standard deviation of half its root.
 */
function isDescribed(samples: readonly OffsetSample[], line: Line): boolean {
  const sides = samples.map((sample) => sample.offset > valueAt(line, sample.raw));
  const turns = sides.filter((side, i) => i > 0 && side !== sides[i - 1]).length;
  return turns >= samples.length / 2 - 0.9 * Math.sqrt(samples.length);
}

/** Each sample is replaced by the sample in the middle of it and its neighbours. */
function medians(samples: readonly OffsetSample[]): readonly OffsetSample[] {
  if (samples.length < SAMPLES_MIN) return samples;
  return samples.slice(NEIGHBOURS, -NEIGHBOURS).map((sample, i) => {
    const around = samples.slice(i, i + 2 * NEIGHBOURS + 1);
    return around.toSorted((a, b) => a.offset - b.offset)[NEIGHBOURS] ?? sample;
  });
}

function leastSquares(samples: readonly OffsetSample[]): Line {
  const raw = mean(samples.map((sample) => sample.raw));
  const offset = mean(samples.map((sample) => sample.offset));
  let square = 0, product = 0;
  for (const sample of samples) {
    square += (sample.raw - raw) ** 2;
    product += (sample.raw - raw) * (sample.offset - offset);
  }
  return { raw, offset, slope: square === 0 ? 0 : product / square };
}

function valueAt(line: Line, raw: number): number {
  return line.offset + line.slope * (raw - line.raw);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? 0;
  return (at(sorted.length >> 1) + at((sorted.length - 1) >> 1)) / 2;
}
