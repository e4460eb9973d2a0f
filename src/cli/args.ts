/**
 * Reads the words after a command: strictly, and with a proposal for every word that is not known.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { err, ok, type Result } from "../base/result.ts";
import { nearest } from "../config/nearest.ts";
import type { Arguments, Command, Option } from "./command.ts";

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  help: { type: "boolean", short: "h", doc: "show this help" },
};

/** Reads the arguments of a command; the error is a sentence for the user. Later options override earlier ones. */
export function readArguments(
  command: Command,
  words: readonly string[],
): Result<Arguments, string> {
  const known: Readonly<Record<string, Option>> = { ...command.options, ...COMMON_OPTIONS };
  const parsed = tokens(known, words);
  const options: Record<string, string | boolean | undefined> = {};
  const operands: string[] = [];
  for (const token of parsed) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const value = readOption(known, token);
    if (!value.ok) return value;
    options[token.name] = value.value;
  }
  if (options["help"] === true) return ok({ options, operands });
  const surplus = operands[command.operandsMax];
  if (surplus !== undefined) return err(`Wanted ${operandsWanted(command)}, found "${surplus}"`);
  if (operands.length < command.operandsMin) {
    return err(`Wanted ${operandsWanted(command)}, found none`);
  }
  return ok({ options, operands });
}

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];

/** Splits the words into tokens without judging them: the messages of the library would not name what was meant. */
function tokens(known: Readonly<Record<string, Option>>, words: readonly string[]): Token[] {
  const options = Object.fromEntries(
    Object.entries(known).map(([name, option]) => [name, {
      type: option.type,
      ...(option.short === undefined ? {} : { short: option.short }),
    }]),
  );
  const parsed = parseArgs({
    args: [...words],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return parsed.tokens;
}

function readOption(
  known: Readonly<Record<string, Option>>,
  token: Extract<Token, { kind: "option" }>,
): Result<string | boolean, string> {
  const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
  if (option === undefined) return err(unknownOption(known, token.rawName));
  if (option.type === "boolean") {
    return token.value === undefined ? ok(true) : err(`${token.rawName} takes no value`);
  }
  if (token.value === undefined || token.value === "") {
    return err(`${token.rawName} wants a value: ${token.rawName} ${option.value ?? "VALUE"}`);
  }
  return ok(token.value);
}

function unknownOption(known: Readonly<Record<string, Option>>, found: string): string {
  const near = nearest(found.replace(/^-+/, ""), Object.keys(known));
  return near === undefined || !found.startsWith("--")
    ? `Unknown option ${found}`
    : `Unknown option ${found}; did you mean --${near}?`;
}

function operandsWanted(command: Command): string {
  return command.operands === "" ? "options only" : command.operands;
}
