/**
 * What happens when the program finds a bug in itself: it says so, with what a developer needs, and ends with status 70.
 *
 * The idea: an assertion that fails means that nothing more can be relied on, least of all to set a clock, so nothing is caught
 * and carried on with. systemd starts the daemon anew.
 *
 * @module
 */
import { EXIT } from "./exit_code.ts";

/** Makes every error that nobody expected end the process with status 70. */
export function endOnBugs(): void {
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    endWith(event.error);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    endWith(event.reason);
  });
}

/** Returns what is told of an error that is a bug of ours. */
export function describeBug(error: unknown): string {
  const details = error instanceof Error
    ? error.stack ?? `${error.name}: ${error.message}`
    : String(error);
  return `ntpsd: This is a bug in ntpsd, please report it with these lines:\n${details}\n`;
}

function endWith(error: unknown): never {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(describeBug(error)));
  } finally {
    Deno.exit(EXIT.bug);
  }
}
