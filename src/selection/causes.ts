/**
 * Says in one sentence why several sources are not used, the most common reason first.
 *
 * @module
 */

/** The reasons that are told, at most. */
const CAUSES_MAX = 3;
/** The names that are told, at most. */
const NAMES_MAX = 4;

/** Writes "A, B, C, D and 96 more", in the order of the alphabet. */
export function describeNames(names: readonly string[]): string {
  const told = names.toSorted().slice(0, NAMES_MAX).join(", ");
  return names.length > NAMES_MAX ? `${told} and ${names.length - NAMES_MAX} more` : told;
}

/**
 * Writes "A and 2 more: REASON; B: OTHER REASON"; reasons that differ by numbers or by the source's
 * own name and address alone count as one.
 */
export function describeCauses(
  reasons: readonly { readonly name: string; readonly reason: string }[],
): string {
  const groups = Map.groupBy(reasons, kindOf);
  const ordered = [...groups.values()].sort((a, b) => b.length - a.length);
  const rest = ordered.slice(CAUSES_MAX).flat().length;
  const causes = ordered.slice(0, CAUSES_MAX).map((those) => {
    const [first] = those;
    const others = those.length === 1 ? "" : ` and ${those.length - 1} more`;
    return `${first?.name}${others}: ${first?.reason}`;
  });
  return [...causes, ...(rest === 0 ? [] : [rest === 1 ? "1 other" : `${rest} others`])].join("; ");
}

/**
 * Returns a reason without what is the source's own; a name has the form `HOST` or
 * `HOST (ADDRESS:PORT)`.
 */
function kindOf({ name, reason }: { readonly name: string; readonly reason: string }): string {
  const own = name.split(/[\s()]+/).filter((word) => /[.:]/.test(word));
  const impersonal = own.reduce((text, word) => text.replaceAll(word, "IT"), reason);
  return impersonal.replaceAll(/\[[\w:.%]+\]/g, "IT").replaceAll(/\d+(?:\.\d+)?/g, "N");
}
