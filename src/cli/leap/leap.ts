/**
 * Shows what is known of leap seconds, and renews the table.
 *
 * What was fetched replaces a table only if it is whole, has not expired and says more; a newer one
 * is never lost.
 *
 * @module
 */
import { err, ok, type Result } from "../../base/result.ts";
import {
  formatDay,
  type LeapTable,
  parseLeapTable,
  type SecondsSince1900,
} from "../../engine/leap/leap_table.ts";
import { type Arguments, complain, hasOption, textOption } from "../command.ts";
import type { CommandContext } from "../command_context.ts";
import { plain } from "../display/style.ts";
import { EXIT, type ExitCode, exitOfFile } from "../exit_code.ts";
import { formatFailure, loadConfig } from "../load_config.ts";
import { fetchStatus } from "../status/daemon_status.ts";
import { LIST_ADDRESS } from "./list_address.ts";
import { isComplete, leapDocument, leapLines, type LeapReport } from "./report.ts";

/** Does what the command says. */
export async function leap(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const json = hasOption(args, "json");
  const done = await work(args, context);
  if (!done.ok) {
    complain({ ...done.error, json: json && done.error.exitCode !== EXIT.usage }, context);
    return done.error.exitCode;
  }
  const { report, told } = done.value;
  const lines = json ? [JSON.stringify(leapDocument(report))] : [...told, ...leapLines(report)];
  context.out(lines.map((line) => `${line}\n`).join(""));
  return isComplete(report) ? EXIT.done : EXIT.no;
}

/** Renews the table if that is wanted, and looks. */
async function work(
  args: Arguments,
  context: CommandContext,
): Promise<Result<{ readonly report: LeapReport; readonly told: readonly string[] }, Failure>> {
  const file = fileOf(args, context);
  if (!file.ok) return file;
  const place = { file: file.value, context };
  const isFetched = hasOption(args, "fetch");
  if (!isFetched && textOption(args, "url") !== undefined) return usage("--url wants --fetch");
  const renewed = isFetched ? await renew(args, place) : undefined;
  if (renewed?.ok === false) return renewed;
  const report = await look(args, place);
  return report.ok
    ? ok({ report: report.value, told: renewed === undefined ? [] : [renewed.value] })
    : report;
}

function usage(message: string): Result<never, Failure> {
  return err({ message, exitCode: EXIT.usage });
}

/** Why the command cannot do its work. */
interface Failure {
  /** A sentence. */
  readonly message: string;
  /** The text for a person, if it is another one. */
  readonly text?: string;
  readonly exitCode: ExitCode;
}

interface Place {
  /** The file of the table, if one is named. */
  readonly file: string | undefined;
  readonly context: CommandContext;
}

/** Finds the file of the table. */
function fileOf(args: Arguments, context: CommandContext): Result<string | undefined, Failure> {
  const [operand] = args.operands;
  if (operand !== undefined) return ok(operand);
  const loaded = loadConfig(textOption(args, "config"), context);
  if (loaded.ok) return ok(loaded.value.config.clock.leapSecondsFile);
  const { exitCode } = loaded.error, text = formatFailure(loaded.error);
  return err({ message: text.trimEnd().split("\n")[0] ?? "", text, exitCode });
}

async function look(
  args: Arguments,
  { file, context }: Place,
): Promise<Result<LeapReport, Failure>> {
  const table = file === undefined
    ? err("none is named: set leap-seconds-file in [clock]")
    : readTable(file, context);
  const status = await fetchStatus(args, context);
  if (!status.ok && status.error.exitCode === EXIT.usage) return status;
  const isNamed = textOption(args, "at") !== undefined;
  return ok({
    file,
    table: table.ok ? table.value : undefined,
    error: table.ok ? undefined : table.error,
    clock: await context.clockFacts(),
    daemon: status.ok ? status.value.leap : undefined,
    silence: isNamed && !status.ok ? status.error.message : undefined,
  });
}

function readTable(file: string, { readFile }: CommandContext): Result<LeapTable, string> {
  const text = readFile(file);
  if (!text.ok) return err(text.error.message);
  const table = parseLeapTable(text.value);
  return table.ok ? table : err(`${file} cannot be used: ${table.error}`);
}

/** Replaces the file by the newest table; returns what was done, in a sentence. */
async function renew(
  args: Arguments,
  { file, context }: Place,
): Promise<Result<string, Failure>> {
  if (file === undefined) {
    return usage("No file is named for the table: write FILE, or leap-seconds-file in [clock]");
  }
  const address = textOption(args, "url") ?? LIST_ADDRESS;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") {
    return usage("--url wants an address such as https://example.net/leap-seconds.list");
  }
  const isTable = isReplaceable(file, context);
  if (!isTable.ok) return isTable;
  const text = await context.fetchText(address);
  if (!text.ok) return err({ message: text.error, exitCode: EXIT.unavailable });
  const table = parseLeapTable(text.value);
  const { secondsSince1900 } = await context.clockFacts();
  const reason = table.ok ? expiryOf(table.value, secondsSince1900) : table.error;
  if (!table.ok || reason !== undefined) {
    return err({
      message: `What ${address} has is not used: ${reason}`,
      exitCode: EXIT.unavailable,
    });
  }
  const known = readTable(file, context);
  const name = plain(file), day = formatDay(table.value.expiresAt);
  if (known.ok && known.value.expiresAt >= table.value.expiresAt) {
    return ok(`${name} is as new as what ${plain(address)} has`);
  }
  const written = context.replaceFile(file, text.value);
  return written.ok
    ? ok(`${name} is written; it is valid until ${day}`)
    : err({ message: written.error.message, exitCode: exitOfFile(written.error) });
}

/** A file is replaced only by what it was: a table, whole or damaged, or nothing at all. */
function isReplaceable(file: string, { readFile }: CommandContext): Result<void, Failure> {
  const text = readFile(file);
  if (!text.ok) {
    const { message, name } = text.error;
    return name === "ENOENT" ? ok(undefined) : err({ message, exitCode: exitOfFile({ name }) });
  }
  if (text.value.trim() === "" || /^#[$@h]/m.test(text.value)) return ok(undefined);
  return usage(`${file} is no table of leap seconds, and is not replaced`);
}

function expiryOf({ expiresAt }: LeapTable, now: SecondsSince1900): string | undefined {
  return expiresAt > now ? undefined : `it has expired on ${formatDay(expiresAt)}`;
}
