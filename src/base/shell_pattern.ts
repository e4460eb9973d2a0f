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
  const parts = [""];
  for (const [token] of pattern.matchAll(TOKEN)) {
    if (token.startsWith("*")) parts.push("");
    else parts.push((parts.pop() ?? "") + expressionOf(token));
  }
  const [first = "", ...others] = parts;
  const last = others.pop();
  const middle = others.map((part, i) => `(?=(.*?${part}))\\${i + 1}`).join("");
  return new RegExp(`^(?!\\.)${first}${middle}${last === undefined ? "" : `.*${last}`}$`, "su");
}

/** Stars, a set of characters in brackets, or one character. */
const TOKEN = /\*+|\[[!^]?\]?[^\]]*\]|./gsu;

/** Writes one character, or what stands for one, as an expression. */
function expressionOf(token: string): string {
  if (token === "?") return ".";
  const [, not, set] = /^\[([!^]?)(\]?[^\]]*)\]$/su.exec(token) ?? [];
  if (set === undefined) return escaped(token);
  // a range that runs backward holds nothing, as in a shell
  const members = [...set.matchAll(/(.)-(.)|./gsu)].flatMap(([all, from, to]) =>
    from === undefined || to === undefined
      ? [escaped(all)]
      : from <= to
      ? [`${escaped(from)}-${escaped(to)}`]
      : []
  );
  return `[${not ? "^" : ""}${members.join("")}]`;
}

function escaped(characters: string): string {
  return characters.replaceAll(/[\\^$.|?*+(){}[\]/-]/gu, "\\$&");
}
