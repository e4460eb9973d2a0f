/**
 * Division of whole numbers that rounds down, also below zero.
 *
 * @module
 */

/** Returns the quotient rounded down; the language's own division rounds towards zero. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && (a < 0n) !== (b < 0n) ? quotient - 1n : quotient;
}
