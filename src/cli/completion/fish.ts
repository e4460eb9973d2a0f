/**
 * The completion of fish.
 *
 * @module
 */
import type { Option } from "../command.ts";
import { type Completed, type Proposals, proposalsFor } from "./completed.ts";

/** Returns the script that fish reads. */
export function fishScript(commands: readonly Completed[]): string {
  return `# Completion of ntpsd for fish, printed by "ntpsd completion fish".
function __ntpsd_command
    set -l words (commandline -opc)
    if test (count $words) -lt 2; or string match -q -- '-*' $words[2]
        echo run
    else
        echo $words[2]
    end
end
function __ntpsd_is
    test (__ntpsd_command) = $argv[1]
end
complete -c ntpsd -f
${commands.flatMap(commandLines).join("\n")}
`;
}

function commandLines({ name, summary, options, proposals }: Completed): readonly string[] {
  const first = "test (count (commandline -opc)) -eq 1";
  const isIt = `complete -c ntpsd -n '__ntpsd_is ${name}'`;
  const operands = proposals.length === 0
    ? []
    : [`complete -c ntpsd -n '__ntpsd_is ${name}; and not ${first}' ${action(proposals)}`];
  return [
    `complete -c ntpsd -n '${first}' -a ${name} -d ${quote(summary)}`,
    ...options.map(([long, option]) => `${isIt} ${optionWords(long, option)}`),
    ...operands,
  ];
}

function optionWords(name: string, { type, short, value, words, doc }: Option): string {
  const forms = short === undefined ? [] : [`-s ${short}`];
  const proposals = proposalsFor(words, value);
  const arity = proposals === "files" ? "-r" : "-x";
  const taken = type === "boolean" ? [] : [arity, action(proposals)];
  return [...forms, `-l ${name}`, ...taken, `-d ${quote(doc)}`].filter(Boolean).join(" ");
}

function action(proposals: Proposals): string {
  if (proposals === "files") return "-F";
  return proposals.length === 0 ? "" : `-a ${quote(proposals.join(" "))}`;
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}
