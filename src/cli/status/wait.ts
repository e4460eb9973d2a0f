/**
 * `ntpsd wait`: ends when the clock is right, for scripts and units that must not start earlier.
 *
 * A daemon that cannot be reached yet is waited for as well: it may be about to start.
 *
 * @module
 */
import { err, type Result } from "../../base/result.ts";
import { parseDuration } from "../../config/duration.ts";
import { type StatusDocument, unhealthyReason } from "../../engine/status/snapshot.ts";
import { type Arguments, type Command, hasOption, JSON_OPTION, textOption } from "../command.ts";
import type { CommandContext } from "../command_context.ts";
import { formatSeconds } from "../display/quantity.ts";
import { plain } from "../display/style.ts";
import { EXIT } from "../exit_code.ts";
import { fetchStatus, STATUS_OPTIONS, type StatusFailure } from "./daemon_status.ts";

/** So often the daemon is asked. */
const INTERVAL_MILLISECONDS = 1000;
/** So long one question may take at most. */
const ASKING_MAX_MILLISECONDS = 15_000;

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
      const asked = await within(end, { asking: fetchStatus(args, context), context });
      if (!asked.ok && asked.error.exitCode === EXIT.usage) {
        context.err(`ntpsd: ${plain(asked.error.message)}\n`);
        return EXIT.usage;
      }
      const progress = progressOf(asked, wanted.maxError);
      const rest = end - performance.now();
      if (progress.isRight || rest <= 0) {
        const { isRight, text } = progress;
        const document = { synchronized: isRight, reason: text };
        if (hasOption(args, "json")) context.out(`${JSON.stringify(document)}\n`);
        else if (isRight) context.out(`${plain(text)}\n`);
        else context.err(`ntpsd: ${plain(text)}\n`);
        return progress.isRight ? EXIT.done : EXIT.no;
      }
      await context.sleep(Math.min(INTERVAL_MILLISECONDS, rest));
    }
  },
};

/** A daemon that is silent has no longer than there is. */
function within(
  end: number,
  { asking, context }: {
    readonly asking: ReturnType<typeof fetchStatus>;
    readonly context: CommandContext;
  },
): ReturnType<typeof fetchStatus> {
  const rest = Math.max(0, end - performance.now());
  if (rest > ASKING_MAX_MILLISECONDS) return asking;
  const silent = err({ message: "The daemon does not respond", exitCode: EXIT.unavailable });
  return Promise.race([asking, context.sleep(rest).then(() => silent)]);
}

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
  const isKnown = typeof bound === "number" && bound >= 0;
  const isExact = isKnown ? bound <= maxError : maxError === Infinity;
  const error = isKnown ? `error at most ${formatSeconds(bound)}` : "its error is not known";
  const wanted = isExact ? "" : `, and at most ${formatSeconds(maxError)} is wanted`;
  return { isRight: isExact, text: `The clock is synchronised, ${error}${wanted}` };
}
