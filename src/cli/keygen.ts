/**
 * `ntpsd keygen`: makes symmetric keys, as a line to print or in a key file.
 *
 * @module
 */
import { toHex } from "../base/bytes.ts";
import type { CommandContext, FileFailure } from "./command_context.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type KeyFile, parseKeyFile } from "../config/key_file.ts";
import {
  type Arguments,
  type Command,
  complain,
  hasOption,
  JSON_OPTION,
  textOption,
} from "./command.ts";
import { EXIT, type ExitCode, exitOfFile } from "./exit_code.ts";
import { plain } from "./display/style.ts";

/** Octets of a new key by its type. */
const KEY_LENGTH = {
  AES128: 16,
  AES256: 32,
  SHA1: 20,
  SHA256: 32,
  SHA384: 48,
  SHA512: 64,
  MD5: 16,
} as const;

/** What ntpd calls types otherwise, and its limits. */
const NTPD_NAMES: Readonly<Partial<Record<KeyTypeName, string>>> = {
  AES128: "AES",
  AES256: "AES-256",
};
const NTPD_ID_MAX = 65_535;
const NTPD_LENGTH_MAX = 32;

type KeyTypeName = keyof typeof KEY_LENGTH;

const TYPES = Object.keys(KEY_LENGTH) as readonly KeyTypeName[];
const ID_MAX = 4_294_967_295;

/** The command `keygen`. */
export const keygenCommand: Command = {
  name: "keygen",
  summary: "make a symmetric key",
  operands: "[FILE]",
  operandsMin: 0,
  operandsMax: 1,
  options: {
    type: {
      type: "string",
      short: "t",
      value: "TYPE",
      words: TYPES,
      doc: `${TYPES.join(", ")} (AES128)`,
    },
    id: { type: "string", value: "N", doc: "the number of the key (the next free one)" },
    ntpd: { type: "boolean", doc: "write the line as ntpd reads it, not as chrony does" },
    json: JSON_OPTION,
  },
  more: `
With FILE the key is added to that file; a new one others may not read (mode
0600), and one that others may read or change is refused; without it the line is
printed. Both ends of an association need the same line. As root it says what is
to be done so that the service may read the file.

Exit status: 0 made; 74 or 77 the file cannot be read or written, or is open to
others; 78 the file has errors.

Example:
  ntpsd keygen /etc/ntpsd/ntp.keys
`,
  async run(args, context) {
    return await makeKey(args, context);
  },
};

async function makeKey(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const added = await add(args, context);
  if (!added.ok) {
    complain({ message: added.error.message, json: hasOption(args, "json") }, context);
    return added.error.exitCode;
  }
  const { id, type, line, path } = added.value;
  const shown = path === undefined ? line : `Key ${id} (${type}) was added to ${path}`;
  const document = path === undefined ? { id, type, line } : { id, type, file: path };
  context.out(hasOption(args, "json") ? `${JSON.stringify(document)}\n` : `${shown}\n`);
  const closed = path === undefined ? undefined : await context.closedToService?.([path]);
  if (path !== undefined && closed !== undefined && closed.paths.length > 0) {
    context.err(
      `ntpsd: The user ${closed.user}, whom the unit runs ntpsd as, may not read it: ` +
        `${shareCommand(closed.user, path)}\n`,
    );
  }
  return EXIT.done;
}

/** The command with which root shares a file with the group of a user. */
export function shareCommand(user: string, path: string): string {
  return `chown root:${user} ${plain(path)} && chmod 640 ${plain(path)}`;
}

interface NewKey {
  readonly id: number;
  readonly type: KeyTypeName;
  readonly line: string;
  readonly path: string | undefined;
  /** What is added to the file. */
  readonly text: string;
}

/** Makes a key and adds it to its file, if there is one; others that do so meanwhile wait. */
async function add(args: Arguments, context: CommandContext): Promise<Result<NewKey, KeyError>> {
  const wanted = readOptions(args);
  if (!wanted.ok) return wanted;
  const { path } = wanted.value;
  if (path === undefined) return prepare(wanted.value, { before: "", context });
  const locked = await context.lockSecret(path);
  if (!locked.ok) return err(ioError(locked.error));
  const before = contentOf(path, context);
  const made = before.ok ? prepare(wanted.value, { before: before.value, context }) : before;
  const written = made.ok ? context.appendSecret(path, made.value.text) : ok(undefined);
  locked.value();
  return written.ok ? made : err(ioError(written.error));
}

/** Why no key is made. */
interface KeyError {
  readonly message: string;
  readonly exitCode: ExitCode;
}

/** What key is wanted. */
interface WantedKey {
  readonly type: KeyTypeName;
  /** Its number; the next free one if undefined. */
  readonly id: number | undefined;
  /** The file to add it to. */
  readonly path: string | undefined;
  readonly isForNtpd: boolean;
}

function readOptions(args: Arguments): Result<WantedKey, KeyError> {
  const type = typeOf(textOption(args, "type") ?? "AES128");
  if (type === undefined) return usage(`--type wants one of ${TYPES.join(", ")}`);
  const id = numberOf(textOption(args, "id"));
  if (id === "none") return usage(`--id wants a number from 1 to ${ID_MAX}`);
  const [path] = args.operands;
  return ok({ type, id, path, isForNtpd: hasOption(args, "ntpd") });
}

function prepare(
  wanted: WantedKey,
  { before, context }: { readonly before: string; readonly context: CommandContext },
): Result<NewKey, KeyError> {
  const { type, path, isForNtpd } = wanted;
  const { keys } = parseKeyFile(before);
  const id = wanted.id ?? nextId(keys);
  if (keys.has(id)) return usage(`${path} has a key ${id}; leave --id out for the next free one`);
  if (isForNtpd && id > NTPD_ID_MAX) return usage(`ntpd knows numbers up to ${NTPD_ID_MAX}`);
  const length = KEY_LENGTH[type];
  const secret = new Uint8Array(isForNtpd ? Math.min(length, NTPD_LENGTH_MAX) : length);
  context.random(secret);
  const line = isForNtpd
    ? `${id} ${NTPD_NAMES[type] ?? type} ${toHex(secret)}`
    : `${id} ${type} HEX:${toHex(secret).toUpperCase()}`;
  const isOpen = before !== "" && !before.endsWith("\n");
  return ok({ id, type, line, path, text: `${isOpen ? "\n" : ""}${line}\n` });
}

function usage(message: string): Result<never, KeyError> {
  return err({ message, exitCode: EXIT.usage });
}

function typeOf(text: string): KeyTypeName | undefined {
  return TYPES.find((type) => type === text.toUpperCase());
}

function numberOf(text: string | undefined): number | "none" | undefined {
  if (text === undefined) return undefined;
  const number = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= ID_MAX ? number : "none";
}

/** A file that is not there is made; one with errors is left alone. */
function contentOf(path: string, { readFile }: CommandContext): Result<string, KeyError> {
  const read = readFile(path);
  if (!read.ok) return read.error.name === "ENOENT" ? ok("") : err(ioError(read.error));
  const [error] = parseKeyFile(read.value).errors;
  if (error === undefined) return read;
  const message = `${path}:${error.line}: ${error.message}; correct that first`;
  return err({ message, exitCode: EXIT.config });
}

function ioError(failure: FileFailure): KeyError {
  const { message, hint } = failure;
  return {
    message: hint === undefined ? message : `${message} (${hint})`,
    exitCode: exitOfFile(failure),
  };
}

function nextId(keys: KeyFile["keys"]): number {
  let id = 1;
  while (keys.has(id)) id++;
  return id;
}
