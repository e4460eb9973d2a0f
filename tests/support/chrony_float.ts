/**
 * Reads the numbers of chrony's command protocol, as its clients do.
 *
 * @module
 */
/** Decodes 32 bits; any are some number. */
export function decodeFloat(bits: number): number {
  const exponent = bits >> 25;
  const coefficient = (bits << 7) >> 7;
  return coefficient * 2 ** (exponent - 25);
}
