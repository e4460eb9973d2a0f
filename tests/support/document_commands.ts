/**
 * The command lines that documents print, as somebody would copy them.
 *
 * @module
 */

/** One command line and where it stands. */
export interface DocumentCommand {
  /** The document and the line: `README.md:10`. */
  readonly place: string;
  /** The command without prompt and remark. */
  readonly line: string;
}

const PROGRAMS = [
  "ntpsd",
  "./ntpsd",
  "./dist/ntpsd",
  "sudo",
  "install",
  "systemctl",
  "systemd-sysusers",
  "podman",
  "docker",
  "npx",
  "deno",
  "certbot",
];

/** Finds the command lines of a document: in indented and fenced blocks, and as inline code. */
export function documentCommands(name: string, text: string): readonly DocumentCommand[] {
  const commands: DocumentCommand[] = [];
  const lines = text.replaceAll("\\\n", " ").split("\n");
  for (const [i, line] of lines.entries()) {
    const place = `${name}:${i + 1}`;
    // A line of a block may be output: that has no program's name in front, or no known one.
    const block = /^ {4}(?:\$ )?(\S.*)$/.exec(line)?.[1];
    const found = block === undefined
      ? [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "")
      : withoutRemark(block).split(" && ");
    for (const command of found) {
      if (isCommand(command)) commands.push({ place, line: command.trim() });
    }
  }
  return commands;
}

/** Cuts off what stands behind two spaces or more: an explanation, perhaps after a number sign. */
function withoutRemark(line: string): string {
  return line.split(/ {2,}|\s+#/)[0] ?? "";
}

function isCommand(text: string): boolean {
  const [program = "", ...rest] = text.trim().split(/\s+/);
  if (program === "deno" && rest[0] !== "task") return false;
  // What ntpsd prints begins with its version.
  return PROGRAMS.includes(program) && !/^[\d.]+,?$/.test(rest[0] ?? "");
}
