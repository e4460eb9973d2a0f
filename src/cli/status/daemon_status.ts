/**
 * Asks the running daemon for its status document, for the commands that show it.
 *
 * @module
 */
import { describeFault } from "../../base/describe_fault.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { parseSocketAddress } from "../../base/socket_address.ts";
import { STATUS_ADDRESS, STATUS_PORT } from "../../config/sections/observability.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { type Arguments, complain, hasOption, type Option, textOption } from "../command.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { DEFAULT_CONFIG_FILE, loadConfig } from "../load_config.ts";
import { plain } from "../display/style.ts";
import type { CommandContext } from "../command_context.ts";

/** Why there is no status document. */
export interface StatusFailure {
  /** A sentence. */
  readonly message: string;
  /** With what the command ends. */
  readonly exitCode: ExitCode;
}

/** The options that say which daemon is asked. */
export const STATUS_OPTIONS: Readonly<Record<string, Option>> = {
  at: {
    type: "string",
    value: "ADDR",
    doc: `the daemon's observability.listen (as in ${DEFAULT_CONFIG_FILE}, else ${STATUS_ADDRESS})`,
  },
};

/** What a command says of a status document, and with what it ends. */
export interface Shown {
  /** Text with the end of its last line. */
  readonly text: string;
  /** With what the command ends. */
  readonly exitCode: ExitCode;
}

/**
 * Fetches the status document of the daemon that the arguments mean, and writes what `show` makes
 * of it. Another program may answer at the daemon's address while it does not run: a document that
 * cannot be shown is told, and is no bug of ours.
 */
export async function showStatus(
  { args, context }: { readonly args: Arguments; readonly context: CommandContext },
  show: (document: StatusDocument) => Shown,
): Promise<ExitCode> {
  const status = await fetchStatus(args, context);
  const shown = status.ok ? tryToShow(status.value, show) : status;
  if (shown.ok) context.out(shown.value.text);
  else if (shown.error.exitCode === EXIT.usage) {
    context.err(`ntpsd: ${plain(shown.error.message)}\n`);
  } else complain({ message: shown.error.message, json: hasOption(args, "json") }, context);
  return shown.ok ? shown.value.exitCode : shown.error.exitCode;
}

function tryToShow(
  document: StatusDocument,
  show: (document: StatusDocument) => Shown,
): Result<Shown, StatusFailure> {
  try {
    return ok(show(document));
  } catch (error) {
    const message = "The server is not ntpsd of this version: its status document cannot be " +
      `shown (${describeFault(error)}); --json prints it as it is`;
    return err({ message, exitCode: EXIT.unavailable });
  }
}

/** Fetches the status document of the daemon that the arguments mean. */
export async function fetchStatus(
  args: Arguments,
  context: CommandContext,
): Promise<Result<StatusDocument, StatusFailure>> {
  const address = statusAddress(textOption(args, "at"), context);
  if (!address.ok) return address;
  const response = await context.httpGet(address.value, "/status");
  if (!response.ok) {
    return err({
      message:
        `${response.error}. Is the daemon running? If it listens elsewhere, say so with --at ADDR`,
      exitCode: EXIT.unavailable,
    });
  }
  const document = response.value.status === 200 ? parseDocument(response.value.body) : undefined;
  if (document !== undefined) return ok(document);
  const message =
    `The server at ${address.value} is not ntpsd (HTTP status ${response.value.status})`;
  return err({ message, exitCode: EXIT.unavailable });
}

/** Decides where to ask: --at, else the configuration in the usual place, else the default. */
function statusAddress(
  at: string | undefined,
  { readFile }: CommandContext,
): Result<string, StatusFailure> {
  if (at !== undefined) {
    const named = at.replace(/^localhost(?=:|$)/, "127.0.0.1");
    const parsed = parseSocketAddress(named, STATUS_PORT);
    if (parsed === undefined || parsed.port === 0) {
      const message =
        `--at wants a numeric address or localhost, with a port, such as ${STATUS_ADDRESS}, found "${at}"`;
      return err({ message, exitCode: EXIT.usage });
    }
    return ok(reachable(parsed.address, parsed.port));
  }
  const loaded = loadConfig(undefined, readFile);
  // A configuration that cannot be read does not prevent asking at the usual address.
  const listen = loaded.ok ? loaded.value.config.observability.listen : STATUS_ADDRESS;
  if (listen === undefined) {
    const message = `observability.listen is switched off in ${DEFAULT_CONFIG_FILE}`;
    return err({ message, exitCode: EXIT.unavailable });
  }
  const parsed = parseSocketAddress(listen);
  return ok(parsed === undefined ? listen : reachable(parsed.address, parsed.port));
}

/** A daemon that listens on all addresses is asked on loopback. */
function reachable(address: string, port: number): string {
  const target = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return target.includes(":") ? `[${target}]:${port}` : `${target}:${port}`;
}

function parseDocument(body: string): StatusDocument | undefined {
  try {
    const document = JSON.parse(body);
    const isStatus = typeof document?.state === "string" && Array.isArray(document.sources);
    return isStatus ? document : undefined;
  } catch {
    return undefined;
  }
}
