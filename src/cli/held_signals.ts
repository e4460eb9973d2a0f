/**
 * Signals from the first moment of the daemon on.
 *
 * The problem: until a handler is there a signal does what it does by itself: it ends the process (a reload that comes too early,
 * or one that means nothing to ntpsd), or as process 1 is lost (the first SIGTERM of a container). The idea: the first thing that
 * the program does is to listen; what comes before the daemon is ready is kept and handed over then. Limits: what
 * comes before the runtime has loaded the program is its starter's matter, who may block signals for that long.
 *
 * @module
 */
import {
  blockSignals,
  ignoreRealTimeSignals,
  isFirstProcess,
  reapChildren,
  unblockSignals,
} from "../../ffi/signals.ts";

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

const pending: Deno.Signal[] = [];
let handler: SignalHandler | undefined;

/** Begins to listen, if the words after the program's name mean the daemon: commands end by signals as any program does. */
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
 * Does what may put another program in the place of this one (or may not), without a signal being lost: what came before and
 * what comes now reaches whoever listens afterwards. Signals that the starter had blocked come after it, too.
 */
export async function overStart<Value>(start: () => Value): Promise<Value> {
  // What has come already is handed over by the event loop alone.
  await new Promise((resolve) => setTimeout(resolve, 0));
  blockSignals(pending.splice(0));
  try {
    return start();
  } finally {
    unblockSignals();
  }
}

function meet(signal: Deno.Signal): void {
  if (handler !== undefined) handler(signal);
  // The same signal twice means no more than once.
  else if (!pending.includes(signal)) pending.push(signal);
}
