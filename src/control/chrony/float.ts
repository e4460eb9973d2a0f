/**
 * The floating-point numbers of chrony's command protocol: seven bits of signed exponent and 25 of
 * signed coefficient, value = coefficient * 2^(exponent - 25).
 *
 * @module
 */

const COEFFICIENT_BITS = 25;
const COEFFICIENT_MAX = 2 ** (COEFFICIENT_BITS - 1) - 1;
const EXPONENT_MIN = -64;
const EXPONENT_MAX = 63;
/** Some readers take smaller numbers for huge ones; nothing that is told is so small. */
const SMALLEST = 2 ** -40;

/**
 * Encodes a number as 32 bits. What is not a number, or so small that it means nothing, is zero;
 * what is too large is the largest that there is.
 */
export function encodeFloat(value: number): number {
  const size = Math.abs(value);
  if (!(size >= SMALLEST)) return 0;
  const sign = value < 0 ? -1 : 1;
  let exponent = Math.max(EXPONENT_MIN, Math.floor(Math.log2(size)) + 1);
  let coefficient = Math.round(size * 2 ** (COEFFICIENT_BITS - exponent));
  while (coefficient > COEFFICIENT_MAX && exponent <= EXPONENT_MAX) {
    exponent++;
    coefficient = Math.round(size * 2 ** (COEFFICIENT_BITS - exponent));
  }
  if (exponent > EXPONENT_MAX) return pack(EXPONENT_MAX, sign * COEFFICIENT_MAX);
  return pack(exponent, sign * coefficient);
}

function pack(exponent: number, coefficient: number): number {
  return ((exponent << COEFFICIENT_BITS) | (coefficient & (2 ** COEFFICIENT_BITS - 1))) >>> 0;
}
