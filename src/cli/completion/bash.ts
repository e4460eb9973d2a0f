/**
 * The completion of bash.
 *
 * @module
 */
import { type Completed, formsOf, type Proposals, proposalsFor } from "./completed.ts";

/** Returns the script that bash reads. */
export function bashScript(commands: readonly Completed[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# Completion of ntpsd for bash, printed by "ntpsd completion bash".
_ntpsd() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command=run
  COMPREPLY=()
  # bash takes --option=value for three words.
  if [[ $word == "=" ]]; then word=""
  elif [[ $before == "=" ]]; then before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD > 1)) && [[ \${COMP_WORDS[1]} != -* ]]; then command=\${COMP_WORDS[1]}; fi
  case "$command $before" in
${commands.flatMap(valueCases).join("\n")}
  esac
  if ((COMP_CWORD == 1)) && [[ $word != -* ]]; then _ntpsd_words "${names}"; return; fi
  case "$command" in
${commands.map(commandCase).join("\n")}
  esac
}
_ntpsd_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }
_ntpsd_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -F _ntpsd ntpsd
`;
}

/** Returns the branches for the values of a command's options. */
function valueCases({ name, options }: Completed): readonly string[] {
  return options.filter(([, { type }]) => type === "string").map(([long, option]) => {
    const patterns = formsOf(long, option).map((form) => `"${name} ${form}"`).join(" | ");
    return `    ${patterns}) ${propose(proposalsFor(option.words, option.value))}; return ;;`;
  });
}

function commandCase({ name, options, proposals }: Completed): string {
  const forms = options.flatMap(([long, option]) => formsOf(long, option)).join(" ");
  return `    ${name}) if [[ $word == -* ]]; then _ntpsd_words "${forms}"; else ${
    propose(proposals)
  }; fi ;;`;
}

function propose(proposals: Proposals): string {
  if (proposals === "files") return "_ntpsd_files";
  return proposals.length === 0 ? ":" : `_ntpsd_words "${proposals.join(" ")}"`;
}
