/**
 * Reads the words after a command: strictly, and with a proposal for every word that is not known.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import { nearest } from "../config/nearest.ts";
import { optionHint } from "./foreign_words.ts";
import type { Arguments, Command, Option } from "./command.ts";
import { type OptionToken, tokensOf } from "./tokens.ts";

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  help: { type: "boolean", short: "h", doc: "show this help" },
};

/**
 * Reads the arguments of a command; the error is a sentence for the user. An option with two values
 * is one.
 */
export function readArguments(
  command: Command,
  words: readonly string[],
): Result<Arguments, string> {
  const options: Record<string, string | boolean | undefined> = {};
  const operands: string[] = [];
  for (const token of tokensOf(words, optionsOf(command))) {
    if (token.kind === "operand") {
      operands.push(token.value);
      continue;
    }
    const value = readOption(command, token);
    if (!value.ok) return value;
    const before = options[token.name];
    if (before !== undefined && before !== value.value) {
      return err(`${token.rawName} wants one value, found "${before}" and "${value.value}"`);
    }
    options[token.name] = value.value;
  }
  if (options["help"] === true) return ok({ options, operands });
  if (operands.length > command.operandsMax) return err(surplusOf(command, operands));
  if (operands.length < command.operandsMin) {
    return err(`Wanted ${operandsWanted(command)}, found none`);
  }
  return ok({ options, operands });
}

/** The options of a command by name, with those that every command has. */
function optionsOf(command: Command): Readonly<Record<string, Option>> {
  return { ...command.options, ...COMMON_OPTIONS };
}

function readOption(
  command: Command,
  token: OptionToken,
): Result<string | boolean, string> {
  const known = optionsOf(command);
  const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
  if (option === undefined) return err(unknownOption(command, token.rawName));
  if (option.type === "boolean") {
    return token.value === undefined ? ok(true) : err(`${token.rawName} takes no value`);
  }
  if (token.value === undefined || token.value === "") {
    return err(`${token.rawName} wants a value: ${token.rawName} ${option.value ?? "VALUE"}`);
  }
  return ok(token.value);
}

function unknownOption(command: Command, found: string): string {
  const hint = command.isDaemon === true ? optionHint(found) : undefined;
  if (hint !== undefined) return `Unknown option ${found}; ${hint}`;
  const near = nearest(found.replace(/^-+/, ""), Object.keys(optionsOf(command)));
  return near === undefined || !found.startsWith("--")
    ? `Unknown option ${found}`
    : `Unknown option ${found}; did you mean --${near}?`;
}

function surplusOf(command: Command, operands: readonly string[]): string {
  const { operandsMax: most } = command;
  if (most === 0) return `Wanted options only, found "${operands[0]}"`;
  const wanted = most === 1 ? "one" : `at most ${most} of`;
  const what = command.operands.replace(/^\[(.*)\]$/, "$1");
  const found = most === 1 ? operands.map((word) => `"${word}"`).join(" and ") : operands.length;
  return `Wanted ${wanted} ${what}, found ${found}`;
}

function operandsWanted(command: Command): string {
  return command.operands === "" ? "options only" : command.operands;
}
