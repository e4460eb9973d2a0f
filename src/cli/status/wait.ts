/**
 * `ntpsd wait`: ends when the clock is right, for scripts and units that must not start earlier.
 *
 * A daemon that cannot be reached yet is waited for as well: it may be about to start.
 *
 * @module
 */
import type { Result } from "../../base/result.ts";
import { parseDuration } from "../../config/duration.ts";
import { type StatusDocument, unhealthyReason } from "../../engine/status/snapshot.ts";
import { type Arguments, type Command, hasOption, JSON_OPTION, textOption } from "../command.ts";
import { formatSeconds } from "../display/quantity.ts";
import { plain } from "../display/style.ts";
import { EXIT } from "../exit_code.ts";
import { fetchStatus, STATUS_OPTIONS, type StatusFailure } from "./daemon_status.ts";

/** So often the daemon is asked. */
const INTERVAL_MILLISECONDS = 1000;

/** The command `wait`. */
export const waitCommand: Command = {
  name: "wait",
  summary: "wait until the clock is synchronised",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  options: {
    ...STATUS_OPTIONS,
    timeout: { type: "string", value: "D", doc: "give up after this time (never)" },
    "max-error": { type: "string", value: "D", doc: "wait until the error bound is below this" },
    json: JSON_OPTION,
  },
  more: `
Exit status: 0 the clock is synchronised; 1 it is not when the time is over.

Example:
  ntpsd wait --timeout 3m --max-error 10ms
`,
  async run(args, context) {
    const wanted = readOptions(args);
    if (typeof wanted === "string") {
      context.err(`ntpsd: ${wanted}\n`);
      return EXIT.usage;
    }
    const end = performance.now() + 1000 * wanted.timeout;
    for (;;) {
      const asked = await fetchStatus(args, context);
      if (!asked.ok && asked.error.exitCode === EXIT.usage) {
        context.err(`ntpsd: ${plain(asked.error.message)}\n`);
        return EXIT.usage;
      }
      const progress = progressOf(asked, wanted.maxError);
      const rest = end - performance.now();
      if (progress.isRight || rest <= 0) {
        const text = hasOption(args, "json")
          ? `${JSON.stringify({ synchronized: progress.isRight, reason: progress.text })}\n`
          : `${plain(progress.text)}\n`;
        context.out(text);
        return progress.isRight ? EXIT.done : EXIT.no;
      }
      await context.sleep(Math.min(INTERVAL_MILLISECONDS, rest));
    }
  },
};

interface Wanted {
  readonly timeout: number;
  readonly maxError: number;
}

function readOptions(args: Arguments): Wanted | string {
  const read = (name: string) => {
    const text = textOption(args, name);
    if (text === undefined) return Infinity;
    return parseDuration(text) ?? `--${name} wants a time such as 30s or 10ms, found "${text}"`;
  };
  const timeout = read("timeout"), maxError = read("max-error");
  if (typeof timeout === "string") return timeout;
  return typeof maxError === "string" ? maxError : { timeout, maxError };
}

/** Whether the clock is right, and what is to be said of it. */
function progressOf(
  asked: Result<StatusDocument, StatusFailure>,
  maxError: number,
): { readonly isRight: boolean; readonly text: string } {
  if (!asked.ok) return { isRight: false, text: asked.error.message };
  const { errorBoundSeconds: bound } = asked.value;
  const reason = unhealthyReason({ ...asked.value, functions: [] });
  if (reason !== undefined) return { isRight: false, text: reason };
  // a clock that counts as right by itself has no bound
  const isExact = bound === null ? maxError === Infinity : bound <= maxError;
  const error = bound === null ? "its error is not known" : `error at most ${formatSeconds(bound)}`;
  return { isRight: isExact, text: `The clock is synchronised, ${error}` };
}
