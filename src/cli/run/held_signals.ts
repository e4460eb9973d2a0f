/**
 * Signals from the first moment of the daemon on.
 *
 * The problem: until a handler is there a signal does what it does by itself: it ends the process
 * (a reload that comes too early, or one that means nothing to ntpsd), or as process 1 is lost (the
 * first SIGTERM of a container). The idea: the first thing that the program does is to listen; what
 * comes before the daemon is ready is kept and handed over then. Limits: what comes before the
 * runtime has loaded the program is for the starting process, which may block signals for that
 * long.
 *
 * @module
 */
import {
  blockSignals,
  endBySignals,
  ignoreRealTimeSignals,
  isFirstProcess,
  reapChildren,
  restoreActions,
  type SignalActions,
  unblockSignals,
} from "../../../ffi/process/signals.ts";

/** Handles one signal. */
export type SignalHandler = (signal: Deno.Signal) => void;

/** All that end a process by themselves and that a program can catch without harm. */
const HELD: readonly Deno.Signal[] = [
  "SIGTERM",
  "SIGINT",
  "SIGQUIT",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGIO",
  "SIGPWR",
  "SIGSTKFLT",
  "SIGXCPU",
  "SIGXFSZ",
];

/** Those that tell the daemon to end. */
const ENDING: readonly Deno.Signal[] = ["SIGTERM", "SIGINT", "SIGQUIT"];
/** The runtime passes a signal on from its handler to a pipe, to a task, to us. */
const TURNS = 3;

const pending: Deno.Signal[] = [];
let handler: SignalHandler | undefined;

/**
 * Begins to listen, if the words after the program's name mean the daemon: commands end by signals
 * as any program does.
 */
export function holdSignals(words: readonly string[]): void {
  const [first] = words;
  if (first !== undefined && first !== "run" && !first.startsWith("-")) return;
  for (const signal of HELD) Deno.addSignalListener(signal, () => meet(signal));
  ignoreRealTimeSignals();
  if (isFirstProcess()) Deno.addSignalListener("SIGCHLD", reapChildren);
}

/** Hands every signal to `handle` from now on, those first that have come already. */
export function takeSignals(handle: SignalHandler): void {
  handler = handle;
  for (const signal of pending.splice(0)) handle(signal);
}

/**
 * Does what may put another program in the place of this one (or may not), without a signal being
 * lost: what has come reaches the handler that is set afterwards, and so do signals that the
 * starter had blocked. `start` awaits `brink` right before it starts the other program. From then
 * on a signal that is to end the daemon ends it at once, for all that this program could keep of it
 * is gone with it; only as process 1, which the kernel ends by no signal, a millisecond is left in
 * which one is lost.
 */
export async function overStart<Value>(
  start: (brink: () => Promise<void>) => Promise<Value>,
): Promise<Value> {
  let actions: SignalActions = new Map();
  const brink = async () => {
    if (!isFirstProcess()) actions = endBySignals(ENDING);
    // What has come already is handed over by the event loop alone.
    for (let turn = 0; turn < TURNS; turn++) await new Promise((go) => setTimeout(go, 1));
    blockSignals(pending.splice(0));
  };
  try {
    return await start(brink);
  } finally {
    restoreActions(actions);
    unblockSignals();
  }
}

function meet(signal: Deno.Signal): void {
  if (handler !== undefined) handler(signal);
  // The same signal twice means no more than once.
  else if (!pending.includes(signal)) pending.push(signal);
}
