/**
 * What happens when the program finds a bug in itself: it says so, with what a developer needs, and
 * ends with status 70.
 *
 * The idea: an assertion that fails means that nothing more can be relied on, least of all to set a
 * clock, so that is never carried on with; systemd starts the daemon anew. Of another error that
 * reached the top the daemon knows that it concerned one task, which is gone: it counts it and goes
 * on, because nothing from outside may end it.
 *
 * @module
 */
import { writeAtOnce } from "../../ffi/process/line_writer.ts";
import { visibleLayout } from "../base/visible_text.ts";
import { EXIT } from "./exit_code.ts";

/** What a command does about an unexpected error; true if it goes on. */
export type BugHandler = (error: unknown) => boolean;

const STANDARD_ERROR = 2;

let handler: BugHandler | undefined;

/** Makes every unexpected error end the process with status 70, unless a handler goes on. */
export function endOnBugs(): void {
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    meet(event.error);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    meet(event.reason);
  });
}

/** Asks `handle` from now on. */
export function handleBugs(handle: BugHandler): void {
  handler = handle;
}

/** Returns what is told of an error that is a bug of ours. */
export function describeBug(error: unknown): string {
  const details = error instanceof Error
    ? error.stack ?? `${error.name}: ${error.message}`
    : String(error);
  return `ntpsd: This is a bug in ntpsd, please report it with these lines:\n${details}\n`;
}

/** Ends the process for a bug, and says so. */
export function endWithBug(error: unknown): never {
  try {
    const text = visibleLayout(describeBug(error));
    writeAtOnce(STANDARD_ERROR, new TextEncoder().encode(text));
  } finally {
    Deno.exit(EXIT.bug);
  }
}

function meet(error: unknown): void {
  if (handler?.(error) !== true) endWithBug(error);
}
