/**
 * `ntpsd wait`: ends when the clock is right, for scripts and units that must not start earlier.
 *
 * A daemon that cannot be reached yet is waited for as well: it may be about to start. One that the
 * configuration lets answer nowhere is not. Limits: where the time ends while the daemon is asked,
 * it still has a second, so that the last word is that of the daemon.
 *
 * @module
 */
import type { Result } from "../../base/result.ts";
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
/** So long one question may take at most, and at least, when the time is over. */
const ASKING_MAX_MILLISECONDS = 15_000;
const ASKING_MIN_MILLISECONDS = 1000;

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
    "max-error": {
      type: "string",
      value: "D",
      doc: "wait until the error bound is at most this",
    },
    json: JSON_OPTION,
  },
  more: `
Exit status: 0 the clock is synchronised; 1 it is not when the time is over;
69 the daemon cannot be asked, because observability.listen is "off".

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
    const json = hasOption(args, "json");
    let known: Progress = { isRight: false, text: "The daemon does not respond" };
    for (;;) {
      const asked = await within(end, { asking: fetchStatus(args, context), context });
      if (asked?.ok === false && asked.error.isLasting === true) {
        const { message, exitCode } = asked.error;
        if (exitCode === EXIT.usage) context.err(`ntpsd: ${plain(message)}\n`);
        else tell({ isRight: false, text: message }, { json, context });
        return exitCode;
      }
      // a question that the end cuts off leaves what is known
      if (asked !== undefined) known = progressOf(asked, wanted.maxError);
      const rest = end - performance.now();
      if (known.isRight || rest <= 0) {
        tell(known, { json, context });
        return known.isRight ? EXIT.done : EXIT.no;
      }
      await context.sleep(Math.min(INTERVAL_MILLISECONDS, rest));
    }
  },
};

function tell(
  { isRight, text }: Progress,
  { json, context }: { readonly json: boolean; readonly context: CommandContext },
): void {
  if (json) context.out(`${JSON.stringify({ synchronized: isRight, reason: text })}\n`);
  else if (isRight) context.out(`${plain(text)}\n`);
  else context.err(`ntpsd: ${plain(text)}\n`);
}

/** Waits for a response until the end, or a little longer; undefined when there is none by then. */
function within(
  end: number,
  { asking, context }: {
    readonly asking: ReturnType<typeof fetchStatus>;
    readonly context: CommandContext;
  },
): Promise<Awaited<ReturnType<typeof fetchStatus>> | undefined> {
  const rest = Math.max(ASKING_MIN_MILLISECONDS, end - performance.now());
  if (rest > ASKING_MAX_MILLISECONDS) return asking;
  return Promise.race([asking, context.sleep(rest).then(() => undefined)]);
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
  if (maxError === 0) return "--max-error wants a time above zero, because no clock is exact";
  if (typeof timeout === "string") return timeout;
  return typeof maxError === "string" ? maxError : { timeout, maxError };
}

/** Whether the clock is right, and what is to be said of it. */
interface Progress {
  readonly isRight: boolean;
  readonly text: string;
}

function progressOf(asked: Result<StatusDocument, StatusFailure>, maxError: number): Progress {
  if (!asked.ok) return { isRight: false, text: asked.error.message };
  const { errorBoundSeconds: bound, state } = asked.value;
  const reason = unhealthyReason({ ...asked.value, functions: [] });
  if (reason !== undefined) return { isRight: false, text: reason };
  // a clock that counts as right by itself has no bound
  const isKnown = typeof bound === "number" && bound >= 0;
  const isExact = isKnown ? bound <= maxError : maxError === Infinity;
  const error = isKnown ? `error at most ${formatSeconds(bound)}` : "its error is not known";
  const wanted = isExact ? "" : `, and at most ${formatSeconds(maxError)} is wanted`;
  const clock = state === "monitoring"
    ? "The clock is measured and left alone (monitoring)"
    : "The clock is synchronised";
  return { isRight: isExact, text: `${clock}, ${error}${wanted}` };
}
