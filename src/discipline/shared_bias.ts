/**
 * What the bias of a new source has in common with those of sources that follow the same reference.
 *
 * Sources behind one reference share its error, so their biases are correlated. The filter may have
 * learned something of the old biases by now, and a covariance that contradicts it would not be
 * positive definite any more. So the new bias is a sum of parts of the old ones and a part of its
 * own: whatever is known of those, the sum is a random variable.
 *
 * @module
 */
import type { BiasModel } from "./clock_filter.ts";

/** Two sources with one reference are taken to share this part of the smaller one's bias. */
const SHARED_PART = 0.8;

/** A source that follows the same reference as the new one. */
export interface RelatedBias {
  /** Where the filter keeps its bias. */
  readonly slot: number;
  /** The variance that its bias was given. */
  readonly variance: number;
}

/** Writes a bias of the given variance as parts of related ones and a part of its own. */
export function shareBias(variance: number, related: readonly RelatedBias[]): BiasModel {
  const shares: number[] = [];
  let ownVariance = variance;
  const parts = solve(
    related.map((a) => related.map((b) => a === b ? a.variance : shared(a.variance, b.variance))),
    related.map((other) => shared(variance, other.variance)),
  );
  for (const [i, other] of related.entries()) {
    const part = parts[i] ?? 0;
    shares[other.slot] = part;
    ownVariance -= part * shared(variance, other.variance);
  }
  // rounding must not make it negative
  return { ownVariance: Math.max(0, ownVariance), shares };
}

function shared(a: number, b: number): number {
  return SHARED_PART * Math.min(a, b);
}

/** Solves a symmetric positive definite system by elimination. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0]);
  for (let k = 0; k < n; k++) {
    const pivotRow = rows[k] ?? [];
    const pivot = pivotRow[k] ?? 0;
    for (const row of rows.slice(k + 1)) {
      const factor = pivot > 0 ? (row[k] ?? 0) / pivot : 0;
      for (let j = k; j <= n; j++) row[j] = (row[j] ?? 0) - factor * (pivotRow[j] ?? 0);
    }
  }
  const result = new Array<number>(n).fill(0);
  for (let k = n - 1; k >= 0; k--) {
    const row = rows[k] ?? [];
    let sum = row[n] ?? 0;
    for (let j = k + 1; j < n; j++) sum -= (row[j] ?? 0) * (result[j] ?? 0);
    const pivot = row[k] ?? 0;
    result[k] = pivot > 0 ? sum / pivot : 0;
  }
  return result;
}
