/**
 * The real world for the commands.
 *
 * @module
 */
import { listFolder } from "../../ffi/file/directory.ts";
import { appendToFile, fileStatus, readFile, writeFileAtomic } from "../../ffi/file/files.ts";
import { ERRNO, osError } from "../../ffi/errno.ts";
import { environmentVariable } from "../../ffi/process/process.ts";
import { writePatiently, writeWaiting } from "../../ffi/process/standard_streams.ts";
import { err, ok } from "../base/result.ts";
import { visibleLayout, visibleText } from "../base/visible_text.ts";
import { randomSource } from "../system/random.ts";
import { EXIT } from "./exit_code.ts";
import { httpGet } from "./status/http_get.ts";
import type { CommandContext, ReadFile } from "./command_context.ts";
import type { Terminal } from "./watch/terminal.ts";

/** The longest text file that a command reads. */
const TEXT_FILE_MAX = 16 * 1024 * 1024;

/** How long the end of a service waits for a reader of standard error that reads nothing. */
const READER_PATIENCE_MILLISECONDS = 1000;

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

/** Returns the context of this process. */
export function realCommandContext(): CommandContext {
  const isTerminal = Deno.stdout.isTerminal();
  return {
    out: writeOutput,
    err: writeError,
    errSoon: writeErrorSoon,
    // Read only where colours are used: the environment costs the opening of a library.
    get color() {
      return isTerminal && !Deno.noColor && knowsColors(environmentVariable("TERM"));
    },
    columns: isTerminal ? terminalColumns() : undefined,
    terminal: realTerminal,
    readFile: readTextFile,
    listFolder,
    lookAtFiles: async (config, placeOf) => {
      // Loaded only now: other commands do without OpenSSL.
      const { lookAtFiles } = await import("../system/config_files.ts");
      return lookAtFiles(config, { now: Date.now() / 1000, placeOf });
    },
    closedToService: async (paths, user) => {
      const { closedToService } = await import("../system/secret_files.ts");
      return closedToService(paths, user);
    },
    httpGet,
    askServer: async (host, question) => {
      const { askServer } = await import("./query/query.ts");
      return askServer(host, question);
    },
    machineFacts: async () => {
      const { readMachineFacts } = await import("../system/machine_facts.ts");
      return readMachineFacts();
    },
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    lockSecret: async (path) => {
      const { lockSecret } = await import("../system/secret_files.ts");
      return lockSecret(path);
    },
    appendSecret: (path, text) =>
      appendToFile(path, { bytes: new TextEncoder().encode(text), mode: 0o600 }),
    replaceFile: (path, text) => {
      const there = fileStatus(path), bytes = new TextEncoder().encode(text);
      const mode = there.ok && there.value !== undefined ? there.value.mode & 0o777 : 0o644;
      return writeFileAtomic(path, { bytes, mode });
    },
    fetchText: async (url) => {
      const { fetchText } = await import("./leap/https.ts");
      return fetchText(url);
    },
    clockFacts: async () => {
      const { readClockFacts } = await import("../system/clock_facts.ts");
      return readClockFacts();
    },
    random: (bytes) => randomSource.fill(bytes),
  };
}

/** Reads a whole UTF-8 file; octets that are not UTF-8 become replacement characters. */
export function readTextFile(path: string): ReturnType<ReadFile> {
  const octets = readFile(path, TEXT_FILE_MAX);
  return octets.ok ? ok(new TextDecoder().decode(octets.value)) : err(octets.error);
}

async function realTerminal(): Promise<Terminal | undefined> {
  const isTerminal = Deno.stdout.isTerminal() && Deno.stdin.isTerminal();
  if (!isTerminal || !knowsColors(environmentVariable("TERM"))) return undefined;
  const { RealTerminal } = await import("./watch/real_terminal.ts");
  return new RealTerminal({
    write: (text) => writeAll(STANDARD_OUTPUT, text),
    visible: (text) => inLocale(visibleLayout(text)),
    get isUnicode() {
      return isUnicode();
    },
  });
}

function terminalColumns(): number | undefined {
  try {
    return Math.max(40, Deno.consoleSize().columns);
  } catch {
    return undefined;
  }
}

function knowsColors(terminal: string | undefined): boolean {
  return terminal !== undefined && terminal !== "" && terminal !== "dumb";
}

/**
 * Writes what a command says; where that is not possible, that is said and the program ends,
 * because nothing else counts.
 */
function writeOutput(text: string): void {
  const code = writeAll(STANDARD_OUTPUT, inLocale(visibleLayout(text)));
  // The reader has closed the pipe, as `head` does; there is no reader left.
  if (code === undefined || code === ERRNO.EPIPE) return;
  writeError(`ntpsd: ${osError({ call: "write", what: "write the output", code }).message}\n`);
  Deno.exit(EXIT.io);
}

/** Writes what went wrong; where that is not possible nothing more can be done. */
function writeError(text: string): void {
  writeAll(STANDARD_ERROR, errorText(text));
}

function writeErrorSoon(text: string): void {
  const bytes = new TextEncoder().encode(errorText(text));
  writePatiently(STANDARD_ERROR, { bytes, milliseconds: READER_PATIENCE_MILLISECONDS });
}

function errorText(text: string): string {
  return inLocale(text.split("\n").map(visibleText).join("\n"));
}

/** Writes all of it; undefined when done, else the number of the error. */
function writeAll(fd: number, text: string): number | undefined {
  const bytes = new TextEncoder().encode(text);
  try {
    return writeWaiting(fd, bytes);
  } catch {
    // The C library cannot be opened. The runtime does not say how much it wrote before it failed.
    return writeByRuntime(fd, bytes);
  }
}

function writeByRuntime(fd: number, bytes: Uint8Array): number | undefined {
  const stream = fd === STANDARD_OUTPUT ? Deno.stdout : Deno.stderr;
  try {
    for (let sent = 0; sent < bytes.length;) sent += stream.writeSync(bytes.subarray(sent));
    return undefined;
  } catch {
    return ERRNO.EIO;
  }
}

/**
 * The one sign that is not ASCII in what we write, for a terminal that does not know it; columns
 * stay where they are.
 */
function inLocale(text: string): string {
  if (!text.includes("±") || isUnicode()) return text;
  return text.replaceAll(/ {2}±/g, " +-").replaceAll("±", "+-");
}

/** Whether the locale of this process writes UTF-8 (locale(7)). */
function isUnicode(): boolean {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(environmentVariable).find((value) =>
    value !== undefined && value !== ""
  );
  return /utf-?8/i.test(locale ?? "");
}
