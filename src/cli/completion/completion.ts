/**
 * `ntpsd completion`: prints what a shell needs to complete the command line.
 *
 * The idea: everything comes from the tables that the help is made of, commands with their options
 * and the words of the configuration, so that nothing can be forgotten. Limits: values are
 * completed where they are files or one of a few words; hosts are left to the shell's own means.
 *
 * @module
 */
import { configurationWords } from "../../config/reference.ts";
import { COMMON_OPTIONS } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { plain } from "../display/style.ts";
import { helpTopics } from "../topics.ts";
import { bashScript } from "./bash.ts";
import { type Completed, proposalsFor } from "./completed.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

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
        err(
          `ntpsd completion: Wanted ${SHELLS.join(", ")}, found "${
            plain(word ?? "")
          }"\nTry "ntpsd completion --help"\n`,
        );
        return Promise.resolve(EXIT.usage);
      }
      out(completionScript(shell, commands()));
      return Promise.resolve(EXIT.done);
    },
  };
}

function completionScript(shell: Shell, commands: readonly Command[]): string {
  const write = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  return write([...commands.map(completed), completedHelp(commands)]);
}

function completed({ name, summary, options, operandWords, operands }: Command): Completed {
  return {
    name,
    summary,
    options: Object.entries({ ...options, ...COMMON_OPTIONS }),
    proposals: proposalsFor(operandWords, operands),
  };
}

/** Returns what follows `ntpsd help`, which is not in the table of commands. */
function completedHelp(commands: readonly Command[]): Completed {
  return {
    name: "help",
    summary: "explain a command, or a section or key of the configuration",
    options: Object.entries(COMMON_OPTIONS),
    proposals: [...new Set([...helpTopics(commands), ...configurationWords()])],
  };
}
