/**
 * The completion of zsh.
 *
 * @module
 */
import type { Option } from "../command.ts";
import { type Completed, formsOf, type Proposals, proposalsFor } from "./completed.ts";

/** Returns the script that zsh reads, by `source` or from a folder of its `fpath`. */
export function zshScript(commands: readonly Completed[]): string {
  const names = commands.map(({ name, summary }) => quote(`${name}:${escape(summary)}`));
  return `#compdef ntpsd
# Completion of ntpsd for zsh, printed by "ntpsd completion zsh".
_ntpsd() {
  local command=run
  local -a commands=(
${names.map((name) => `    ${name}`).join("\n")}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  if [[ $words[2] != -* ]]; then
    command=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  case $command in
${commands.map(commandCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _ntpsd ]]; then _ntpsd "$@"; else compdef _ntpsd ntpsd; fi
`;
}

function commandCase({ name, options, proposals }: Completed): string {
  const specs = options.map(([long, option]) => optionSpec(long, option));
  const operands = proposals.length === 0 ? [] : [quote(`*:operand:${action(proposals)}`)];
  return `    ${name}) _arguments -s ${[...specs, ...operands].join(" ")} ;;`;
}

/** Returns what `_arguments` wants of an option: its forms, its sentence, and its value. */
function optionSpec(name: string, option: Option): string {
  const forms = formsOf(name, option);
  const value = option.type === "string"
    ? `:${option.value ?? "VALUE"}:${action(proposalsFor(option.words, option.value))}`
    : "";
  const about = `[${escape(option.doc)}]${value}`;
  // The long form takes its value after an equals sign too.
  const written = forms.map((form) => value !== "" && form.startsWith("--") ? `${form}=` : form);
  const group = forms.length === 1 ? "" : `(${forms.join(" ")})`;
  return written.map((form) => quote(group + form + about)).join(" ");
}

function action(proposals: Proposals): string {
  if (proposals === "files") return "_files";
  return proposals.length === 0 ? " " : `(${proposals.join(" ")})`;
}

function escape(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
