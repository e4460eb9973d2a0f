/**
 * The completion of each shell, asked of the shell itself: every command and every option.
 *
 * @module
 */
import assert from "node:assert/strict";
import { COMMANDS } from "../../src/cli/commands.ts";
import { LOG_LEVELS } from "../../src/config/config.ts";
import { SECTIONS } from "../../src/config/schema.ts";
import { haveProgram, run } from "../support/command.ts";
import { findPeer, type Peer } from "../support/debian_packages.ts";
import { ntpsd } from "../support/ntpsd.ts";
import { needs } from "../support/needs.ts";
import { temporaryFolder } from "../support/places.ts";

/** What a shell proposes for each of some lines. */
type Ask = (lines: readonly string[], folder: string) => Promise<readonly string[][]>;

const bash = await haveProgram("bash");
const zsh = await findPeer("zsh");
const fish = await findPeer("fish");

const SHELLS: readonly { shell: string; isThere: boolean; ask: Ask }[] = [
  { shell: "bash", isThere: bash, ask: askBash },
  { shell: "zsh", isThere: zsh !== undefined, ask: (...args) => askZsh(zsh, ...args) },
  { shell: "fish", isThere: fish !== undefined, ask: (...args) => askFish(fish, ...args) },
];

/** What is typed, and what has to be proposed, among other things or alone. */
const CASES: readonly { line: string; has?: readonly string[]; is?: readonly string[] }[] = [
  { line: "ntpsd ", is: [...COMMANDS.map(({ name }) => name), "help"] },
  { line: "ntpsd st", is: ["status"] },
  ...COMMANDS.map(({ name, options }) => ({
    line: `ntpsd ${name} --`,
    is: [...Object.keys(options), "help"].map((option) => `--${option}`),
  })),
  // without a command it is the daemon
  { line: "ntpsd --n", is: ["--no-adjust"] },
  { line: "ntpsd run --log-level ", has: LOG_LEVELS },
  { line: "ntpsd --log-level w", is: ["warning"] },
  { line: "ntpsd --log-level=w", is: ["warning"] },
  { line: "ntpsd run -c ntpsd.t", is: ["ntpsd.toml"] },
  { line: "ntpsd check with", is: ["with space.toml"] },
  { line: "ntpsd simulate ntpsd", is: ["ntpsd.toml"] },
  { line: "ntpsd status ntpsd", is: [] },
  { line: "ntpsd completion ", is: ["bash", "zsh", "fish"] },
  { line: "ntpsd help ", has: ["help", "configuration", ...COMMANDS.map(({ name }) => name)] },
  { line: "ntpsd help ", has: SECTIONS.flatMap(({ name, keys }) => [name, ...Object.keys(keys)]) },
  { line: "ntpsd nonsense --", is: [] },
];

for (const { shell, isThere, ask } of SHELLS) {
  Deno.test({
    name: `${shell} completes every command, option and value${needs(!isThere, shell)}`,
    ignore: !isThere,
    fn: async () => {
      await using temporary = await temporaryFolder();
      const folder = temporary.path;
      const { stdout: script } = await ntpsd(["completion", shell], { kind: "bundle" });
      await temporary.write("script", script);
      for (const file of ["ntpsd.toml", "with space.toml"]) {
        await Deno.writeTextFile(`${folder}/${file}`, "");
      }
      const found = await ask(CASES.map(({ line }) => line), folder);
      // fish repeats the option before the value
      const plain = found.map((words) => words.map((word) => word.replace(/^--[a-z-]+=/, "")));
      for (const [i, { line, has, is }] of CASES.entries()) {
        const proposed = new Set(plain[i]);
        if (is !== undefined) assert.deepEqual([...proposed].toSorted(), is.toSorted(), line);
        for (const word of has ?? []) assert.ok(proposed.has(word), `${line}: ${word}`);
      }
    },
  });
}

/** Sources the script and calls the function that bash would call. */
async function askBash(lines: readonly string[], folder: string): Promise<readonly string[][]> {
  const asked = `source ./script
while IFS= read -r line; do
  read -ra COMP_WORDS <<< "\${line//=/ = }"
  [[ $line == *" " ]] && COMP_WORDS+=("")
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _ntpsd
  printf '%s\\t' "\${COMPREPLY[@]}"
  echo
done`;
  const stdin = lines.map((line) => `${line}\n`).join("");
  const { stdout } = await run("bash", {
    args: ["--norc", "-c", asked],
    cwd: folder,
    stdin,
    timeoutMs: 60_000,
  });
  return readTable(stdout);
}

async function askFish(
  peer: Peer | undefined,
  lines: readonly string[],
  folder: string,
): Promise<readonly string[][]> {
  const asked = `source ./script
for line in $argv
    # beside each proposal stands what it means
    echo (complete -C "$line" | string split -f 1 \\t | string join \\t)
end`;
  const { stdout } = await run(peer?.program ?? "", {
    args: ["--no-config", "-c", asked, ...lines],
    cwd: folder,
    env: { ...peer?.env, HOME: folder },
    timeoutMs: 60_000,
  });
  return readTable(stdout);
}

/**
 * Starts an interactive zsh at a terminal of its own, whose first prompt completes each line and
 * writes down what was proposed.
 */
async function askZsh(
  peer: Peer | undefined,
  lines: readonly string[],
  folder: string,
): Promise<readonly string[][]> {
  const root = (peer?.program ?? "").replace(/\/bin\/zsh$/, "");
  const modules = `module_path=(${root}/usr/lib/*-linux-gnu/zsh/*(/))`;
  await Deno.writeTextFile(`${folder}/lines`, lines.map((line) => `${line}\n`).join(""));
  await Deno.writeTextFile(
    `${folder}/.zshrc`,
    `${modules}
fpath=(${root}/usr/share/zsh/functions/**/*(/))
autoload -Uz compinit && compinit -u -D
source ./script
compadd() {
  local -a kept
  # calls with these options fill lists and propose nothing
  if (( ! \${@[(I)-[OAD]]} )); then
    builtin compadd -A kept "$@"
    # file names come quoted
    proposed+=(\${(Q)kept})
  fi
  builtin compadd "$@"
}
zle-line-init() {
  local line
  local -a proposed
  while IFS= read -r line; do
    BUFFER=$line CURSOR=$#line proposed=()
    zle complete-word
    print -r -- "\${(pj:\\t:)proposed}" >> found
  done < lines
  exit
}
zle -N zle-line-init
`,
  );
  await run(peer?.program ?? "", {
    args: [
      "-f",
      "-c",
      `${modules}; zmodload zsh/zpty; zpty z '$0' -i; while zpty -r z; do :; done`,
      peer?.program ?? "",
    ],
    cwd: folder,
    env: { ...peer?.env, ZDOTDIR: folder, TERM: "dumb" },
    timeoutMs: 60_000,
  });
  return readTable(await Deno.readTextFile(`${folder}/found`));
}

/** Reads lines of words between tabulators. */
function readTable(text: string): readonly string[][] {
  return text.split("\n").slice(0, -1).map((line) => line.split("\t").filter(Boolean));
}
