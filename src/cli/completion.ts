/**
 * `ntpsd completion`: prints what a shell needs to complete the command line.
 *
 * The idea: everything comes from the tables that the help is made of, commands with their options
 * and the words of the configuration, so that nothing can be forgotten. Limits: values are
 * completed where they are files or one of a few words; hosts are left to the shell's own means.
 *
 * @module
 */
import { configurationWords } from "../config/reference.ts";
import { COMMON_OPTIONS } from "./args.ts";
import type { Command, Option } from "./command.ts";
import { EXIT } from "./exit_code.ts";
import { helpTopics } from "./topics.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = typeof SHELLS[number];

/** Makes the command; `commands` gives all of them, this one included. */
export function completionCommand(commands: () => readonly Command[]): Command {
  return {
    name: "completion",
    summary: "print the completion of the command line for a shell",
    operands: SHELLS.join("|"),
    operandsMin: 1,
    operandsMax: 1,
    operandWords: SHELLS,
    options: {},
    more: `
bash: ntpsd completion bash > /usr/share/bash-completion/completions/ntpsd
zsh:  ntpsd completion zsh > /usr/share/zsh/vendor-completions/_ntpsd
fish: ntpsd completion fish > /usr/share/fish/vendor_completions.d/ntpsd.fish
`,
    run(args, { out, err }) {
      const [word] = args.operands;
      const shell = SHELLS.find((each) => each === word);
      if (shell === undefined) {
        err(`ntpsd completion: Wanted ${SHELLS.join(", ")}\nTry "ntpsd completion --help"\n`);
        return Promise.resolve(EXIT.usage);
      }
      out(completionScript(shell, commands()));
      return Promise.resolve(EXIT.done);
    },
  };
}

/** One command as a shell sees it. */
interface Line {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly (readonly [name: string, option: Option])[];
  /** Words that operands may be; empty when they are files or anything. */
  readonly words: readonly string[];
  readonly takesFiles: boolean;
}

function completionScript(shell: Shell, commands: readonly Command[]): string {
  const lines: Line[] = commands.map((command) => ({
    name: command.name,
    summary: command.summary,
    options: Object.entries({ ...command.options, ...COMMON_OPTIONS }),
    words: command.operandWords ?? [],
    takesFiles: takesFile(command.operands),
  }));
  const topics = [...new Set([...helpTopics(commands), ...configurationWords()])];
  const summary = "explain a command, or a section or key of the configuration";
  lines.push({ name: "help", summary, options: [], words: topics, takesFiles: false });
  const write = { bash, zsh, fish }[shell];
  return write(lines);
}

/** Tells whether what is written in a line of usage stands for a file. */
function takesFile(usage: string | undefined): boolean {
  return usage !== undefined && /FILE|\.toml/.test(usage);
}

function formsOf([name, { short }]: Line["options"][number]): readonly string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}

function bash(lines: readonly Line[]): string {
  const run = lines[0]?.name ?? "";
  const cases = lines.map((line) => {
    const files: string[] = [], others: string[] = [], chosen: string[] = [];
    for (const option of line.options) {
      const { type, value, words } = option[1];
      const forms = formsOf(option).join("|");
      if (words !== undefined) chosen.push(`${forms}) words="${words.join(" ")}" ;;`);
      else if (type === "string") (takesFile(value) ? files : others).push(forms);
    }
    const flags = line.options.flatMap(formsOf).join(" ");
    const values = [
      ...chosen,
      ...(files.length > 0 ? [`${files.join("|")}) files=1 ;;`] : []),
      ...(others.length > 0 ? [`${others.join("|")}) ;;`] : []),
      `*) words="${line.words.join(" ")}"${line.takesFiles ? " files=1" : ""} flags="${flags}" ;;`,
    ];
    return `    ${line.name})
      case $previous in
${values.map((value) => `        ${value}`).join("\n")}
      esac ;;`;
  });
  return `# made by "ntpsd completion bash"
_ntpsd() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command=\${COMP_WORDS[1]} words="" flags="" files=""
  if [[ $COMP_CWORD -eq 1 && $current != -* ]]; then
    COMPREPLY=($(compgen -W "${lines.map(({ name }) => name).join(" ")}" -- "$current"))
    return
  fi
  [[ $command == -* ]] && command=${run}
  case $command in
${cases.join("\n")}
  esac
  [[ $current == -* ]] && words=$flags && files=""
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -F _ntpsd ntpsd
`;
}

function zsh(lines: readonly Line[]): string {
  const run = lines[0]?.name ?? "";
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = (text: string) => text.replaceAll(/[\[\]:\\]/g, "\\$&");
  const specs = lines.map((line) => {
    const options = line.options.map((option) => {
      const { type, value, words, doc } = option[1];
      const action = words !== undefined
        ? `(${words.join(" ")})`
        : takesFile(value)
        ? "_files"
        : " ";
      const argument = type === "string" ? `:${escaped(value ?? "value")}:${action}` : "";
      const forms = formsOf(option);
      const form = forms.length === 1 ? forms.join("") : `{${forms.join(",")}}`;
      return `${form}${quoted(`[${escaped(doc)}]${argument}`)}`;
    });
    const operands = line.words.length > 0
      ? [quoted(`*:word:(${line.words.join(" ")})`)]
      : line.takesFiles
      ? [quoted("*:file:_files")]
      : [];
    const all = [...options, ...operands];
    return `    ${line.name}) _arguments ${all.length > 0 ? all.join(" ") : "':'"} ;;`;
  });
  const commands = lines.map(({ name, summary }) => quoted(`${name}:${escaped(summary)}`));
  return `#compdef ntpsd
# made by "ntpsd completion zsh"
_ntpsd() {
  local -a commands=(
    ${commands.join("\n    ")}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  local command=$words[2]
  if [[ $command == -* ]]; then
    command=${run}
  else
    shift words
    (( CURRENT-- ))
  fi
  case $command in
${specs.join("\n")}
  esac
}
# read by compinit it is called at once, else it is only made known
if [[ $funcstack[1] == _ntpsd ]]; then _ntpsd "$@"; else compdef _ntpsd ntpsd; fi
`;
}

function fish(lines: readonly Line[]): string {
  const quoted = (text: string) => `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
  const names = lines.map(({ name }) => name).join(" ");
  const rows = [`# made by "ntpsd completion fish"`, `complete -c ntpsd -f`];
  for (const [i, line] of lines.entries()) {
    rows.push(
      `complete -c ntpsd -n __fish_use_subcommand -a ${line.name} -d ${quoted(line.summary)}`,
    );
    const seen = `__fish_seen_subcommand_from ${line.name}`;
    // options without a command are those of the daemon
    const when = i === 0 ? `${seen}; or not __fish_seen_subcommand_from ${names}` : seen;
    for (const [name, { type, short, value, words, doc }] of line.options) {
      const form = short === undefined ? `-l ${name}` : `-s ${short} -l ${name}`;
      const argument = words !== undefined
        ? ` -x -a ${quoted(words.join(" "))}`
        : takesFile(value)
        ? " -r -F"
        : type === "string"
        ? " -x"
        : "";
      rows.push(`complete -c ntpsd -n ${quoted(when)} ${form}${argument} -d ${quoted(doc)}`);
    }
    if (line.words.length > 0) {
      rows.push(`complete -c ntpsd -n ${quoted(seen)} -a ${quoted(line.words.join(" "))}`);
    }
    if (line.takesFiles) rows.push(`complete -c ntpsd -n ${quoted(seen)} -F`);
  }
  return `${rows.join("\n")}\n`;
}
