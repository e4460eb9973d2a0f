/**
 * The texts of `ntpsd --help` and `ntpsd COMMAND --help`.
 *
 * @module
 */
import { COMMON_OPTIONS } from "./args.ts";
import type { Command, Option } from "./command.ts";
import { PAGE_WIDTH } from "./display/table.ts";
import { wrapText } from "../base/wrap_text.ts";

/** Returns the help for the program as a whole. */
export function programHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `ntpsd keeps this machine's clock right and serves time to others, safely.

Usage: ntpsd [COMMAND] [OPTION...]

Commands:
${lines.join("\n")}

Without a command, ntpsd runs as the daemon. "ntpsd COMMAND --help" tells more,
"ntpsd help configuration" lists every key of the configuration, and
"ntpsd help NAME" those of one section, or one key.
`;
}

/** Returns the help for one command. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS });
  const forms = options.map(([name, option]) => optionForm(name, option));
  const width = Math.max(...forms.map((form) => form.length));
  const indent = " ".repeat(width + 4);
  const lines = options.flatMap(([, option], i) => {
    const line = `  ${(forms[i] ?? "").padEnd(width)}  `;
    const [first = "", ...rest] = wrapText(option.doc, { width: PAGE_WIDTH - indent.length });
    return [line + first, ...rest.map((more) => indent + more)];
  });
  const more = command.more === "" ? "" : `\n${command.more.trim()}\n`;
  return `${usageLine(command)}

${capital(command.summary)}.

Options:
${lines.join("\n")}
${more}`;
}

/** Returns the line of usage of a command. */
function usageLine(command: Command): string {
  const operands = command.operands === "" ? "" : ` ${command.operands}`;
  return `Usage: ntpsd ${command.name} [OPTION...]${operands}`;
}

function optionForm(name: string, option: Option): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const value = option.type === "string" ? ` ${option.value ?? "VALUE"}` : "";
  return `${short}--${name}${value}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
