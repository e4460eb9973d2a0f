/**
 * `ntpsd convert`: makes a configuration of that of another time daemon, and prints it.
 *
 * @module
 */
import { isForbidden } from "../base/forbidden.ts";
import { err } from "../base/result.ts";
import { type Dialect, DIALECTS } from "../convert/detect.ts";
import type { Reader } from "../convert/read_lines.ts";
import { type Command, textOption } from "./command.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";

/** The command `convert`. */
export const convertCommand: Command = {
  name: "convert",
  summary: "make a configuration of that of another time daemon",
  operands: "FILE",
  operandsMin: 1,
  operandsMax: 1,
  options: {
    from: {
      type: "string",
      value: "FORMAT",
      words: DIALECTS,
      doc: "chrony, ntp, openntpd, timesyncd or ntpd-rs, if not clear",
    },
  },
  more: `
Prints an ntpsd.toml, with a comment for what has no equivalent. Reads
chrony.conf with the files it includes, ntp.conf (NTPsec and classic ntpd),
ntpd.conf (OpenNTPD), timesyncd.conf (systemd), and ntp.toml (ntpd-rs).

  ntpsd convert /etc/chrony/chrony.conf > ntpsd.toml && ntpsd check ntpsd.toml

Exit status: 0 done; 78 it cannot be converted; 74 or 77 it cannot be read.
`,
  async run(args, context) {
    const [file = ""] = args.operands;
    const from = textOption(args, "from");
    if (from !== undefined && !isDialect(from)) {
      context.err(`ntpsd convert: Wanted --from ${DIALECTS.join("|")}, found "${from}"\n`);
      return EXIT.usage;
    }
    return await convertFile({ file, dialect: from }, context);
  },
};

async function convertFile(
  { file, dialect }: { readonly file: string; readonly dialect: Dialect | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const text = context.readFile(file);
  if (!text.ok) {
    const { message, hint } = text.error;
    context.err(`ntpsd: ${message}${hint === undefined ? "" : ` (${hint})`}\n`);
    return isForbidden(text.error) ? EXIT.permission : EXIT.io;
  }
  // Loaded only now: the other commands do without.
  const { convert } = await import("../convert/convert.ts");
  const converted = convert({ file, text: text.value, dialect, reader: readerOf(context) });
  if (!converted.ok) {
    context.err(`ntpsd: ${converted.error}\n`);
    return EXIT.config;
  }
  context.out(converted.value.text);
  const { remarkCount } = converted.value;
  if (remarkCount > 0) {
    const what = remarkCount === 1 ? "1 comment says" : `${remarkCount} comments say`;
    context.err(`ntpsd: ${what} what has no equivalent, or differs\n`);
  }
  return EXIT.done;
}

function readerOf({ readFile, listFolder }: CommandContext): Reader {
  return {
    read(path) {
      const text = readFile(path);
      return text.ok ? text : err(text.error.message);
    },
    list(folder) {
      const names = listFolder(folder);
      if (!names.ok) return err(names.error.message);
      return names.value.length > 0 ? names : err(`${folder} is empty`);
    },
  };
}

function isDialect(word: string): word is Dialect {
  return DIALECTS.some((dialect) => dialect === word);
}
