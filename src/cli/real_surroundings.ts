/**
 * The real world for the commands.
 *
 * @module
 */
import { readFile } from "../../ffi/files.ts";
import { err, ok } from "../base/result.ts";
import { httpGet } from "./http_get.ts";
import type { ReadFile, Surroundings } from "./surroundings.ts";

/** The longest text file that a command reads. */
const TEXT_FILE_MAX = 16 * 1024 * 1024;

/** Returns the surroundings of this process. */
export function realSurroundings(): Surroundings {
  const isTerminal = Deno.stdout.isTerminal();
  return {
    out: (text) => writeAll(Deno.stdout, text),
    err: (text) => writeAll(Deno.stderr, text),
    color: isTerminal && !Deno.noColor,
    columns: isTerminal ? terminalColumns() : undefined,
    readFile: readTextFile,
    httpGet,
  };
}

/** Reads a whole UTF-8 file; octets that are not UTF-8 become replacement characters. */
export function readTextFile(path: string): ReturnType<ReadFile> {
  const octets = readFile(path, TEXT_FILE_MAX);
  return octets.ok ? ok(new TextDecoder().decode(octets.value)) : err(octets.error);
}

function terminalColumns(): number | undefined {
  try {
    return Math.max(40, Deno.consoleSize().columns);
  } catch {
    return undefined;
  }
}

function writeAll(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let sent = 0; sent < bytes.length;) sent += stream.writeSync(bytes.subarray(sent));
  } catch (error) {
    // Whoever reads us has seen enough, as `head` does; there is nobody left to tell.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
