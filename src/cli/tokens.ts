/**
 * Splits the words after a command into options and operands, and judges none of them.
 *
 * They are split by the Utility Conventions of POSIX (section 12.2) and as GNU programs do it:
 * letters may stand together, the value of an option is the rest of its word or the next one,
 * options may follow operands, and after "--" all are operands. Limits: long options cannot be
 * shortened.
 *
 * The library of Node that does the same takes longer to load than all else that a short command
 * needs.
 *
 * @module
 */
import type { Option } from "./command.ts";

/** An option or an operand. */
export type Token = OptionToken | { readonly kind: "operand"; readonly value: string };

/** An option that was given. */
export interface OptionToken {
  /** Tells it from an operand. */
  readonly kind: "option";
  /** Its long name; for a letter that is not known, the letter. */
  readonly name: string;
  /** As it was written, without its value. */
  readonly rawName: string;
  /** Undefined where there is none. */
  readonly value: string | undefined;
}

/** Splits words; options that are not known take no value but one after "=". */
export function tokensOf(
  words: readonly string[],
  known: Readonly<Record<string, Option>>,
): readonly Token[] {
  const left = [...words];
  const tokens: Token[] = [];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === "--") {
      for (const value of left.splice(0)) tokens.push({ kind: "operand", value });
    } else if (word.startsWith("--")) tokens.push(longOption(word.slice(2), { known, left }));
    else if (word.startsWith("-") && word !== "-") {
      tokens.push(...letterOptions(word.slice(1), { known, left }));
    } else tokens.push({ kind: "operand", value: word });
  }
  return tokens;
}

/** What a word is read by: the options that there are, and the words after it. */
interface Context {
  readonly known: Readonly<Record<string, Option>>;
  /** The first is taken where it is the value of an option. */
  readonly left: string[];
}

function longOption(text: string, { known, left }: Context): OptionToken {
  const equal = text.indexOf("=", 1);
  const name = equal < 0 ? text : text.slice(0, equal);
  const following = equal < 0 && takesValue(name, known) ? left.shift() : undefined;
  const value = equal < 0 ? following : text.slice(equal + 1);
  return { kind: "option", name, rawName: `--${name}`, value };
}

function letterOptions(letters: string, { known, left }: Context): readonly OptionToken[] {
  const tokens: OptionToken[] = [];
  for (let i = 0; i < letters.length; i++) {
    const letter = letters.charAt(i), rest = letters.slice(i + 1), rawName = `-${letter}`;
    const name = Object.keys(known).find((each) => known[each]?.short === letter) ?? letter;
    if (takesValue(name, known)) {
      const value = rest === "" ? left.shift() : rest;
      return [...tokens, { kind: "option", name, rawName, value }];
    }
    tokens.push({ kind: "option", name, rawName, value: undefined });
  }
  return tokens;
}

function takesValue(name: string, known: Context["known"]): boolean {
  return Object.hasOwn(known, name) && known[name]?.type === "string";
}
