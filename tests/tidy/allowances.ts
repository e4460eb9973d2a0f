/**
 * Offenders that were there when a house rule came: how many a file may still have.
 *
 * The problem: a rule that the code does not obey yet is either not written or not enforced. The
 * idea: the rule counts for all that is new, and each file has an allowance for what is old, which
 * can only shrink: an allowance that is larger than needed is a fault too. Limits: within a file a
 * new offender may take the place of an old one.
 *
 * @module
 */

/** A place that does not obey a rule. */
export interface Offence {
  /** Path from the root. */
  readonly path: string;
  /** The line, from 1. */
  readonly line: number;
  /** What is wrong there. */
  readonly what: string;
}

/** For each rule, how many offences a file may have. */
export type Allowances = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Compares what a rule found with what is allowed; each text that comes back is a fault. */
export function beyondAllowance(
  offences: readonly Offence[],
  allowed: Readonly<Record<string, number>>,
): readonly string[] {
  const found = Map.groupBy(offences, ({ path }) => path);
  const tooMany = [...found].flatMap(([path, there]) =>
    there.length > (allowed[path] ?? 0)
      ? there.map(({ line, what }) => `${path}:${line}: ${what}`)
      : []
  );
  const needless = Object.entries(allowed).filter(([path, count]) =>
    (found.get(path)?.length ?? 0) < count
  ).map(([path, count]) =>
    `${path}: ${count} are allowed and ${
      found.get(path)?.length ?? 0
    } are there; lower the allowance`
  );
  return [...tooMany, ...needless];
}

/** Makes the allowances that fit what was found, never above those that are there. */
export function lowered(
  offences: readonly Offence[],
  allowed: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const found = Map.groupBy(offences, ({ path }) => path);
  const fitting = Object.entries(allowed).map(([path, count]) =>
    [path, Math.min(count, found.get(path)?.length ?? 0)] as const
  );
  return Object.fromEntries(fitting.filter(([, count]) => count > 0));
}
