/**
 * What the commands see of the world: where their text goes, files, and the terminal.
 *
 * The idea: commands get this as an argument, so that tests run them without a terminal, a file or
 * a network.
 *
 * @module
 */
import type { AddressFamily } from "../base/ip_address.ts";
import type { Result } from "../base/result.ts";
import type { Seconds } from "../base/units.ts";
import type { Config } from "../config/config.ts";
import type { FilesBeside, UnreadableFile } from "../config/include.ts";
import type { Place } from "../config/merge.ts";
import type { ClockFacts } from "../system/clock_facts.ts";
import type { FileFindings } from "../system/config_files.ts";
import type { ClosedFiles } from "../system/secret_files.ts";
import type { MachineFacts } from "../system/machine_facts.ts";
import type { QueryResult } from "./query/report.ts";
import type { Terminal } from "./watch/terminal.ts";

/** Why a file could not be read. */
export type FileFailure = UnreadableFile;

/** Reads a whole text file. */
export type ReadFile = FilesBeside["readFile"];

/** Fetches a path over HTTP from a numeric address and port; the error is a sentence. */
export type HttpGet = (address: string, path: string) => Promise<Result<HttpResponse, string>>;

/** The response to a request over HTTP. */
export interface HttpResponse {
  /** The status code. */
  readonly status: number;
  /** The text after the headers. */
  readonly body: string;
}

/** How a server is asked once. */
export interface ServerQuestion {
  /** How long to wait for the response. */
  readonly timeout: Seconds;
  /** The only family to use; both if undefined. */
  readonly family: AddressFamily | undefined;
}

/** Returns where a key of the configuration stands. */
export type PlaceOf = (path: string) => Place;

/** What a command may use. */
export interface CommandContext {
  /** Writes text to standard output; the end of the line is part of the text. */
  out(text: string): void;
  /** Writes text to standard error; the end of the line is part of the text. */
  err(text: string): void;
  /**
   * The same for a service, which ends although nothing reads; left out where `err` never waits.
   */
  errSoon?(text: string): void;
  /** Whether standard output understands colours and wants them. */
  readonly color: boolean;
  /** The width of the terminal in columns; undefined if standard output is none. */
  readonly columns: number | undefined;
  /** The terminal, for what draws on it; undefined where standard input or output is none. */
  readonly terminal: () => Promise<Terminal | undefined>;
  /** Reads a whole text file. */
  readonly readFile: ReadFile;
  /** Lists the names in a folder. */
  readonly listFolder: FilesBeside["listFolder"];
  /** Looks at the files that a configuration names; left out where there are none. */
  readonly lookAtFiles?: (config: Config, placeOf: PlaceOf) => Promise<FileFindings>;
  /** Finds the files that the user of the service cannot read; left out where there are none. */
  readonly closedToService?: (
    paths: readonly string[],
    user?: string,
  ) => Promise<ClosedFiles | undefined>;
  /** Asks over HTTP. */
  readonly httpGet: HttpGet;
  /** Asks a server, `HOST[:PORT]`, for the time. */
  readonly askServer: (host: string, question: ServerQuestion) => Promise<QueryResult>;
  /** Looks at this machine. */
  readonly machineFacts: () => Promise<MachineFacts>;
  /** Waits for some milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /**
   * Makes a file that others may not read if it is not there, and keeps other commands from adding
   * to it until the function that it returns is called. One that is open to others is refused.
   */
  readonly lockSecret: (path: string) => Promise<Result<() => void, FileFailure>>;
  /**
   * Adds text at the end of a file, whose owner and mode stay; a new one others may not read. The
   * error is a sentence.
   */
  readonly appendSecret: (path: string, text: string) => Result<void, FileFailure>;
  /** Replaces a file as a whole, with its mode; a new one all may read. The error is a sentence. */
  readonly replaceFile: (path: string, text: string) => Result<void, FileFailure>;
  /** Gets a text over HTTPS; the error is a sentence. */
  readonly fetchText: (url: string) => Promise<Result<string, string>>;
  /** Reads the clock. */
  readonly clockFacts: () => Promise<ClockFacts>;
  /** Fills the array with bits that nobody can guess. */
  readonly random: (bytes: Uint8Array) => void;
}
