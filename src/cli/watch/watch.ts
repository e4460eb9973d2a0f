/**
 * The loop of `ntpsd watch`: asks the daemon, draws, waits for a key or the next look.
 *
 * @module
 */
import { parseDuration } from "../../config/duration.ts";
import { type Arguments, textOption } from "../command.ts";
import type { CommandContext } from "../command_context.ts";
import { painter, plain } from "../display/style.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { fetchStatus } from "../status/daemon_status.ts";
import { OffsetHistory } from "./offset_history.ts";
import { choose, drawScreen, NO_CHOICE, type Picture } from "./screen.ts";
import type { Terminal } from "./terminal.ts";

const INTERVAL_MIN_SECONDS = 0.1;
/** So long a key is waited for while the daemon is asked. */
const KEY_MILLISECONDS = 50;

/** Shows the daemon until a key ends it. */
export async function watch(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const reason = await show(args, context);
  if (reason === undefined) return EXIT.done;
  context.err(`ntpsd watch: ${plain(reason)}\n`);
  return EXIT.usage;
}

/** Does so; returns why it cannot, if so. */
async function show(args: Arguments, context: CommandContext): Promise<string | undefined> {
  const text = textOption(args, "interval") ?? "1s";
  const interval = parseDuration(text);
  if (interval === undefined || interval < INTERVAL_MIN_SECONDS) {
    return `--interval wants a time from ${INTERVAL_MIN_SECONDS} s on, found "${text}"`;
  }
  const terminal = await context.terminal();
  if (terminal === undefined) {
    return 'It draws on a terminal; "ntpsd status" and "ntpsd sources" print once';
  }
  terminal.open();
  try {
    return await follow(args, { context, terminal, milliseconds: 1000 * interval });
  } finally {
    terminal.close();
  }
}

async function follow(
  args: Arguments,
  { context, terminal, milliseconds }: {
    readonly context: CommandContext;
    readonly terminal: Terminal;
    readonly milliseconds: number;
  },
): Promise<string | undefined> {
  const paint = painter(context.color), { isUnicode } = terminal;
  let picture: Picture = {
    document: undefined,
    at: 0,
    error: undefined,
    history: new OffsetHistory(),
    choice: NO_CHOICE,
  };
  let look: ReturnType<typeof fetchStatus> | undefined = undefined, nextLook = 0;
  for (;;) {
    if (performance.now() >= nextLook) look ??= fetchStatus(args, context);
    terminal.draw(drawScreen(picture, { ...terminal.size(), isUnicode, paint, now: Date.now() }));
    // a daemon that does not answer keeps no key waiting
    const rest = look === undefined ? nextLook - performance.now() : KEY_MILLISECONDS;
    const key = await terminal.key(Math.max(0, rest));
    const asked = await settled(look);
    if (asked !== undefined) {
      if (!asked.ok && asked.error.exitCode === EXIT.usage) return asked.error.message;
      if (asked.ok) picture.history.note(asked.value.sources);
      picture = asked.ok
        ? { ...picture, document: asked.value, at: Date.now(), error: undefined }
        : { ...picture, error: asked.error.message };
      look = undefined;
      nextLook = performance.now() + milliseconds;
    }
    if (key === "quit") return undefined;
    if (key === undefined) continue;
    const { sources = [] } = picture.document ?? {};
    picture = { ...picture, choice: choose(picture.choice, { key, sources }) };
  }
}

/** Returns what a promise has brought; undefined while it is pending, or if there is none. */
function settled<Value>(promise: Promise<Value> | undefined): Promise<Value | undefined> {
  return Promise.race([promise, Promise.resolve(undefined)]);
}
