/**
 * Patterns for the names of files, as shells have them.
 *
 * @module
 */

/** Tells whether a name has wildcards. */
export function isShellPattern(name: string): boolean {
  return /[*?[]/.test(name);
}

/**
 * Makes an expression of a pattern of the shell (glob(7)); names with a dot first are hidden. What
 * follows a star is taken where it first occurs and never looked for again, as `(?=(...))\1` does:
 * else a pattern with many stars takes for ever.
 */
export function shellPattern(pattern: string): RegExp {
  const [first = "", ...others] = pattern.split(/\*+/).map((part) =>
    part.replaceAll(/[\\^$.|+(){}[\]]/g, "\\$&").replaceAll("?", ".")
  );
  const last = others.pop();
  const middle = others.map((part, i) => `(?=(.*?${part}))\\${i + 1}`).join("");
  return new RegExp(`^(?!\\.)${first}${middle}${last === undefined ? "" : `.*${last}`}$`);
}
