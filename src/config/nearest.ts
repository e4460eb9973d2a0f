/**
 * Finds the word that was probably meant.
 *
 * The idea: the edit distance of Damerau and Levenshtein in its restricted form (a swap of
 * neighbours counts once), and a word is only proposed when it is near enough to be a slip. Limits:
 * words are short; the cost is the product of their lengths, so longer input than 64 characters is
 * not compared at all.
 *
 * @module
 */

/**
 * Returns the candidate nearest to `word`, or undefined when none is near enough to be a slip of
 * the pen.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > 64) return undefined;
  const wanted = sameSpelling(word);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, sameSpelling(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? beginning(wanted, candidates);
}

/**
 * Finds the candidate of which the word is the beginning: who writes `drift` means `drift-file`.
 */
function beginning(wanted: string, candidates: Iterable<string>): string | undefined {
  if (wanted.length < 3) return undefined;
  for (const candidate of candidates) {
    if (sameSpelling(candidate).startsWith(wanted)) return candidate;
  }
  return undefined;
}

/**
 * Returns the word without what makes no difference: users of other programs write `noselect` in
 * place of `no-select`.
 */
export function sameSpelling(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, "");
}

/**
 * Returns how many insertions, deletions, replacements and swaps of neighbours turn one text into
 * the other.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replace, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
