/**
 * Asks the running daemon for its status document, for the commands that show it.
 *
 * @module
 */
import { err, ok, type Result } from "../../base/result.ts";
import { parseSocketAddress } from "../../base/socket_address.ts";
import { STATUS_ADDRESS, STATUS_PORT } from "../../config/sections/observability.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { type Arguments, complain, hasOption, type Option, textOption } from "../command.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { DEFAULT_CONFIG_FILE, loadConfig } from "../load_config.ts";
import type { CommandContext } from "../command_context.ts";
import { readStatusDocument } from "./document_shape.ts";

/** Why there is no status document. */
export interface StatusFailure {
  /** A sentence. */
  readonly message: string;
  /** With what the command ends. */
  readonly exitCode: ExitCode;
  /** Present if asking again brings nothing else. */
  readonly isLasting?: true;
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
 * of it.
 */
export async function showStatus(
  { args, context }: { readonly args: Arguments; readonly context: CommandContext },
  show: (document: StatusDocument) => Shown,
): Promise<ExitCode> {
  const status = await fetchStatus(args, context);
  if (!status.ok) {
    const { message, exitCode } = status.error;
    const json = exitCode !== EXIT.usage && hasOption(args, "json");
    complain({ message, json }, context);
    return exitCode;
  }
  const shown = show(status.value);
  context.out(shown.text);
  return shown.exitCode;
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
  const { status, body } = response.value;
  const document = status === 200 ? readStatusDocument(body) : undefined;
  if (document?.ok === true) return document;
  const place = document?.error ?? "";
  const message = place === ""
    ? `The server at ${address.value} is not ntpsd (HTTP status ${status})`
    : `The server at ${address.value} is not ntpsd of this version: ` +
      `"${place}" of its status document is missing, or no value that it can have`;
  return err({ message, exitCode: EXIT.unavailable });
}

/** Decides where to ask: --at, else the configuration in the usual place, else the default. */
function statusAddress(
  at: string | undefined,
  context: CommandContext,
): Result<string, StatusFailure> {
  if (at !== undefined) {
    const named = at.replace(/^localhost(?=:|$)/, "127.0.0.1");
    const parsed = parseSocketAddress(named, STATUS_PORT);
    if (parsed === undefined || parsed.port === 0) {
      const message =
        `--at wants a numeric address or localhost, with a port, such as ${STATUS_ADDRESS}, found "${at}"`;
      return err({ message, exitCode: EXIT.usage, isLasting: true });
    }
    return ok(reachable(parsed.address, parsed.port));
  }
  const loaded = loadConfig(undefined, context);
  // A configuration that cannot be read does not prevent asking at the usual address.
  const listen = loaded.ok ? loaded.value.config.observability.listen : STATUS_ADDRESS;
  if (listen === undefined) {
    const message = `The daemon cannot be asked: observability.listen is switched off in ` +
      `${DEFAULT_CONFIG_FILE}. If another daemon is meant, say so with --at ADDR`;
    return err({ message, exitCode: EXIT.unavailable, isLasting: true });
  }
  const parsed = parseSocketAddress(listen);
  return ok(parsed === undefined ? listen : reachable(parsed.address, parsed.port));
}

/** A daemon that listens on all addresses is asked on loopback. */
function reachable(address: string, port: number): string {
  const target = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return target.includes(":") ? `[${target}]:${port}` : `${target}:${port}`;
}
