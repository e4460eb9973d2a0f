/**
 * Says in one sentence why several sources are not used, the most common reason first.
 *
 * @module
 */

/** The reasons that are told, at most. */
const CAUSES_MAX = 3;

/** Writes "A and 2 more: REASON; B: OTHER REASON"; reasons that differ by numbers alone count as one. */
export function describeCauses(
  faults: readonly { readonly name: string; readonly reason: string }[],
): string {
  const groups = Map.groupBy(faults, ({ reason }) => reason.replaceAll(/\d+(?:\.\d+)?/g, "N"));
  const causes = [...groups.values()].sort((a, b) => b.length - a.length).map((those) => {
    const [first] = those;
    const others = those.length === 1 ? "" : ` and ${those.length - 1} more`;
    return `${first?.name}${others}: ${first?.reason}`;
  });
  return [...causes.slice(0, CAUSES_MAX), ...(causes.length > CAUSES_MAX ? ["others"] : [])]
    .join("; ");
}
