/**
 * The normal distribution's tail, and the likelihood of a value that is known to lie between two
 * soft edges.
 *
 * A sample that waited `e` seconds in queues has an error somewhere in ±e/2 (see `delay_model.ts`),
 * so it observes the offset as an interval, not as a bell curve. A Gaussian belief multiplied by an
 * interval is not Gaussian any more, but its mean and variance have closed forms (assumed density
 * filtering). What is left of the variance is computed as a sum of positive terms: the textbook's
 * difference of nearly equal numbers loses its sign when an observation is a million times sharper
 * than the belief. Limit: beyond some 37 standard deviations the evidence of a wide interval is
 * zero in a double, and is reported as such.
 *
 * @module
 */

const SQRT_2 = Math.SQRT2;
const INVERSE_SQRT_2PI = 0.398942280401432677939946;

/**
 * Chebyshev coefficients of ln(erfc(z)·exp(z²)/t) in 4t - 2 with t = 2/(2+z), from a 40-digit
 * evaluation.
 */
const ERFC_COEFFICIENTS: readonly number[] = [
  -1.3026537197817094,
  0.64196979235649026,
  0.019476473204185836,
  -0.0095615147868086316,
  -0.00094659534448203687,
  0.00036683949785276145,
  4.2523324806907772e-5,
  -2.0278578112534243e-5,
  -1.6242900046470255e-6,
  1.3036558355805232e-6,
  1.5626441722066143e-8,
  -8.5238095914926543e-8,
  6.5290544390988515e-9,
  5.0593434955514689e-9,
  -9.9136415649303309e-10,
  -2.2736512229318359e-10,
  9.6467911020155268e-11,
  2.3940380830391147e-12,
  -6.8860275264975534e-12,
  8.9448792730907257e-13,
  3.1309213993429581e-13,
  -1.1270822361367252e-13,
  3.8109052551892321e-16,
  7.106097613609237e-15,
];

/** Returns the density of the standard normal distribution. */
export function normalDensity(x: number): number {
  return INVERSE_SQRT_2PI * Math.exp(-0.5 * x * x);
}

/**
 * Returns the probability that a standard normal variable exceeds `x`; relative error below 1e-12,
 * in the tails too.
 */
export function normalTail(x: number): number {
  return 0.5 * erfc(x / SQRT_2);
}

/** Returns the complementary error function by a Chebyshev fit of erfc(x)·exp(x²) in 2/(2+x). */
function erfc(x: number): number {
  const z = Math.abs(x);
  const t = 2 / (2 + z);
  const ty = 4 * t - 2;
  let d = 0;
  let previous = 0;
  for (let j = ERFC_COEFFICIENTS.length - 1; j > 0; j--) {
    const next = ty * d - previous + (ERFC_COEFFICIENTS[j] ?? 0);
    previous = d;
    d = next;
  }
  const tail = t * Math.exp(-z * z + 0.5 * ((ERFC_COEFFICIENTS[0] ?? 0) + ty * d) - previous);
  return x >= 0 ? tail : 2 - tail;
}

/** The evidence of an observation, and what it makes of the belief. */
export interface Evidence {
  /** The natural logarithm of the observation's density under the belief. */
  logEvidence: number;
  /**
   * The first derivative of `logEvidence` by the belief's mean: the mean moves by the variance
   * times this.
   */
  slope: number;
  /** The variance afterwards as a part of the variance before; more than 0. */
  remaining: number;
}

/** An interval in which a value lies, with a density that may lean to one side. */
export interface SoftInterval {
  /** Where the density has risen by half. */
  readonly low: number;
  /** Where it has fallen by half; more than `low`. */
  readonly high: number;
  /** The density inside falls as exp(-tilt·x); 0 is uniform. */
  readonly tilt: number;
  /** The standard deviation by which the edges are blurred; more than 0. */
  readonly softness: number;
}

/**
 * Computes the evidence of a soft interval for a Gaussian belief of the given mean and variance,
 * into `out`. The evidence is -Infinity when belief and interval are too far apart for a double;
 * the belief does not change then.
 */
export function intervalEvidence(
  interval: SoftInterval,
  belief: { readonly mean: number; readonly variance: number },
  out: Evidence,
): Evidence {
  const softVariance = interval.softness * interval.softness;
  const variance = belief.variance + softVariance;
  const sigma = Math.sqrt(variance);
  const { low, high, tilt } = interval;
  const middle = 0.5 * (low + high);
  const width = high - low;
  const mean = belief.mean - tilt * variance;
  const cut = width < NARROW * sigma
    ? narrowCut((middle - mean) / sigma, width / sigma)
    : wideCut((low - mean) / sigma, (high - mean) / sigma);
  if (cut.logMass === -Infinity) return setEvidence(out, -Infinity, 0, 1);
  const tiltTerm = tilt === 0
    ? 0
    : -tilt * (belief.mean - middle) + 0.5 * tilt * tilt * variance - logSinhc(0.5 * tilt * width);
  return setEvidence(
    out,
    cut.logMass - Math.log(width) + tiltTerm,
    cut.mean / sigma - tilt,
    (softVariance + belief.variance * cut.variance) / variance,
  );
}

/** Computes the evidence of a Gaussian observation for a Gaussian belief, into `out`. */
export function gaussianEvidence(
  observation: { readonly mean: number; readonly variance: number },
  belief: { readonly mean: number; readonly variance: number },
  out: Evidence,
): Evidence {
  const variance = belief.variance + observation.variance;
  const residual = observation.mean - belief.mean;
  return setEvidence(
    out,
    -0.5 * (residual * residual / variance + Math.log(2 * Math.PI * variance)),
    residual / variance,
    observation.variance / variance,
  );
}

/** What is left of the standard normal distribution between two bounds. */
interface Cut {
  /** The logarithm of the probability. */
  readonly logMass: number;
  readonly mean: number;
  /** Positive, and at most 1. */
  readonly variance: number;
}

/**
 * Below this width, in standard deviations, the closed form loses more digits than a narrow cut
 * leaves out.
 */
const NARROW = 1e-2;
/**
 * No cut at least `NARROW` wide leaves less variance; a smaller one is what rounding made of it.
 */
const WIDE_VARIANCE_MIN = NARROW * NARROW / 16;

function wideCut(alpha: number, beta: number): Cut {
  const mass = normalMass(alpha, beta);
  if (!(mass > 0)) return NO_CUT;
  const densityAlpha = normalDensity(alpha) / mass;
  const densityBeta = normalDensity(beta) / mass;
  const mean = densityAlpha - densityBeta;
  const variance = 1 + edge(alpha, densityAlpha) - edge(beta, densityBeta) - mean * mean;
  return {
    logMass: Math.log(mass),
    mean,
    variance: Math.min(1, Math.max(WIDE_VARIANCE_MIN, variance)),
  };
}

const NO_CUT: Cut = { logMass: -Infinity, mean: 0, variance: 1 };

/** An edge at infinity has no density. */
function edge(at: number, density: number): number {
  return density === 0 ? 0 : at * density;
}

/** Over a narrow cut around `centre` the density is an exponential, wherever that is. */
function narrowCut(centre: number, width: number): Cut {
  const half = 0.5 * width;
  const k = centre * half;
  return {
    logMass: Math.log(width * INVERSE_SQRT_2PI) - 0.5 * centre * centre + logSinhc(k),
    mean: centre - half * langevin(k),
    variance: half * half * langevinSlope(k),
  };
}

/** Returns coth(k) - 1/k, the mean of an exponential density on -1..1. */
function langevin(k: number): number {
  if (Math.abs(k) < 0.02) return k * (1 / 3 - k * k / 45);
  return 1 / Math.tanh(k) - 1 / k;
}

/** Returns 1/k² - 1/sinh(k)², its variance. */
function langevinSlope(k: number): number {
  if (Math.abs(k) < 0.02) return 1 / 3 - k * k / 15;
  const sinh = Math.sinh(k);
  return 1 / (k * k) - 1 / (sinh * sinh);
}

/**
 * Returns the probability between two bounds of a standard normal variable, without cancellation in
 * the tails.
 */
function normalMass(alpha: number, beta: number): number {
  if (alpha > 0) return normalTail(alpha) - normalTail(beta);
  if (beta < 0) return normalTail(-beta) - normalTail(-alpha);
  return 1 - tailBesideOne(-alpha) - tailBesideOne(beta);
}

/** From here on a tail is less than the last digit of 1. */
const TAIL_END = 9;

function tailBesideOne(x: number): number {
  return x > TAIL_END ? 0 : normalTail(x);
}

/** Returns ln(sinh(x)/x). */
function logSinhc(x: number): number {
  const a = Math.abs(x);
  if (a < 1e-4) return a * a / 6;
  return a + Math.log((1 - Math.exp(-2 * a)) / (2 * a));
}

function setEvidence(
  out: Evidence,
  logEvidence: number,
  slope: number,
  remaining: number,
): Evidence {
  out.logEvidence = logEvidence;
  out.slope = slope;
  out.remaining = remaining;
  return out;
}
