/**
 * How far the clocks of servers wander, as their samples show beside those of the others.
 *
 * The joint filter gives each source a bias that hardly moves. A server whose clock drifts or
 * wanders moves it, and from one sample to the next the filter cannot tell whether this server
 * moves or all others do: it believes the nearest, of which the smallest bias is expected. The kept
 * samples together can tell. A line through what a source showed beside the joint estimate has a
 * slope, and the slopes of servers that keep time agree, wherever the joint estimate went. A source
 * whose slope differs from the middle one has a clock that wanders, and its bias is allowed to.
 *
 * Limits: of two sources both share the blame. A drift that is smaller than what the noise of the
 * samples makes of a slope stays unseen.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { SourceTrack } from "./source_track.ts";

/** So many samples of a source make a line. */
const SAMPLES_MIN = 12;
/** A difference of slopes counts beyond so many of its standard deviations, squared. */
const SIGNIFICANT_SQUARE = 16;
/** A witness admits an error of at most so many times the square of the own one. */
const WITNESS_RATIO = 4;
/** What the sources show of servers in general counts as so many times their own word. */
const GENERAL_WEIGHT = 2;
/** The square of a normal deviate is below this in one of two cases. */
const MEDIAN_SQUARE = 0.455;
/** What was learned is taken over when the bias may wander so many times more, or less. */
const CHANGE = 4;

interface SampleBeside {
  readonly time: Seconds;
  readonly beside: Seconds;
  readonly weight: number;
}

/** A line through what one source showed beside the joint estimate. */
export interface SourceSlope {
  /** Seconds per second. */
  readonly slope: number;
  /** Of the slope, by the noise of the samples. */
  readonly variance: number;
  /** The expected square of the server's own error, by its own account. */
  readonly serverVariance: number;
  /** From the first to the last sample. */
  readonly span: Seconds;
  /** Whether it counts when the middle is sought. */
  readonly hasVote: boolean;
}

/**
 * Learns from the samples of the sources in the joint filter how far their servers wander. Returns
 * whether one wanders much more than was known, so that the filter has believed it too firmly.
 */
export function learnServerWander(
  tracks: readonly SourceTrack[],
  voters: ReadonlySet<SourceTrack>,
): boolean {
  const lines = tracks.flatMap((track) => {
    const line = slopeOf(track);
    return line === undefined ? [] : [{ track, line: { ...line, hasVote: voters.has(track) } }];
  });
  const wanders = wandersOf(lines.map(({ line }) => line));
  let isMuchMore = false;
  for (const [i, { track }] of lines.entries()) {
    const wander = present(wanders[i], "Each line has a wander");
    const before = track.biasWander + track.serverWander;
    const now = track.biasWander + wander;
    if (now <= CHANGE * before && before <= CHANGE * now) continue;
    isMuchMore ||= now > before;
    track.serverWander = wander;
  }
  return isMuchMore;
}

/**
 * Returns how fast the variance of each server's time grows, square seconds in a second: by how
 * much its slope differs from the middle one, and by how much those of all do.
 */
export function wandersOf(lines: readonly SourceSlope[]): readonly number[] {
  const voting = lines.filter(({ hasVote }) => hasVote);
  if (lines.length < 2 || voting.length === 0) return lines.map(() => 0);
  const squares = new Map(lines.map((line) => [line, squareBeside(line, voting)]));
  const squareOf = (line: SourceSlope) => present(squares.get(line), "Each slope has a square");
  const half = voting.map(squareOf).toSorted((a, b) => a - b)[(voting.length - 1) >> 1];
  const general = present(half, "There are slopes") / MEDIAN_SQUARE;
  // a wander that adds up to what the slope does over the span
  return lines.map((line) =>
    (GENERAL_WEIGHT * general + squareOf(line)) / (GENERAL_WEIGHT + 1) * line.span
  );
}

/**
 * By how much a slope differs from the middle one, squared, without what is chance. A server that
 * admits a much larger error is no witness against this one.
 */
function squareBeside(line: SourceSlope, voting: readonly SourceSlope[]): number {
  const witnesses = voting.filter((other) =>
    other === line || other.serverVariance <= WITNESS_RATIO * line.serverVariance
  );
  if (witnesses.length === 0) return 0;
  const middle = middleOf(witnesses);
  const chance = SIGNIFICANT_SQUARE * (line.variance + middle.variance);
  return Math.max(0, (line.slope - middle.slope) ** 2 - chance);
}

/** The middle slope by weight, where none weighs more than the one after it; of two, the mean. */
function middleOf(lines: readonly SourceSlope[]): Pick<SourceSlope, "slope" | "variance"> {
  const precisions = lines.map(({ variance }) => 1 / Math.sqrt(variance));
  const most = precisions.toSorted((a, b) => b - a)[1] ?? Infinity;
  const weighed = lines.map(({ slope, variance }, i) => ({
    slope,
    variance,
    weight: Math.min(most, present(precisions[i], "Each line has a precision")),
  }));
  weighed.sort((a, b) => a.slope - b.slope);
  const whole = weighed.reduce((sum, { weight }) => sum + weight, 0);
  const variance = weighed.reduce(
    (sum, each) => sum + (each.weight / whole) ** 2 * each.variance,
    0,
  );
  if (weighed.length === 2) {
    return { slope: weighed.reduce((sum, { slope }) => sum + 0.5 * slope, 0), variance };
  }
  let left = 0.5 * whole;
  const middle = weighed.find(({ weight }) => (left -= weight) <= 0) ?? weighed.at(-1);
  return { slope: present(middle, "There are lines").slope, variance };
}

/** The line through the samples of the present route; undefined for too few. */
function slopeOf(track: SourceTrack): Omit<SourceSlope, "hasVote"> | undefined {
  const route = track.delays.route;
  const samples: SampleBeside[] = [];
  for (const sample of track.samples) {
    const { time, beside } = sample;
    if (beside === undefined || sample.route !== route) continue;
    samples.push({ time, beside, weight: 1 / track.varianceOf(sample) });
  }
  const first = samples[0], last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < SAMPLES_MIN) return undefined;
  const line = fitLine(samples, first.time);
  return line && { ...line, serverVariance: track.serverVariance, span: last.time - first.time };
}

/**
 * Fits a line by weighted least squares; times are counted from `start`. Undefined where all
 * samples are of one time.
 */
function fitLine(
  samples: readonly SampleBeside[],
  start: Seconds,
): Pick<SourceSlope, "slope" | "variance"> | undefined {
  let whole = 0, times = 0, besides = 0;
  for (const { time, beside, weight } of samples) {
    whole += weight;
    times += weight * (time - start);
    besides += weight * beside;
  }
  const middle = times / whole + start, mean = besides / whole;
  let squares = 0, products = 0;
  for (const { time, beside, weight } of samples) {
    squares += weight * (time - middle) ** 2;
    products += weight * ((time - middle) * (beside - mean));
  }
  if (!(squares > 0)) return undefined;
  const slope = products / squares;
  let scatter = 0;
  for (const { time, beside, weight } of samples) {
    scatter += weight * (beside - mean - slope * (time - middle)) ** 2;
  }
  return { slope, variance: Math.max(1, scatter / (samples.length - 2)) / squares };
}
