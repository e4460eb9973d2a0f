/**
 * Tells a fault of ours for the log: which, and where.
 *
 * The problem: whatever was thrown at a boundary may quote what an outsider sent, and that must not
 * reach the log. The idea: only our own assertions speak for themselves; of everything else the
 * class is told, and of all the first places in the code. Limits: a line of at most some 400
 * characters, printable ASCII alone.
 *
 * @module
 */
import { AssertionFailure } from "./assert.ts";

const PLACES_MAX = 3;
const LENGTH_MAX = 400;

/** Returns a sentence without full stop about whatever was thrown. */
export function describeFault(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `a ${typeof thrown} was thrown`;
  const said = thrown instanceof AssertionFailure
    ? `${thrown.name}: ${thrown.message}`
    : thrown.name;
  const text = [said, ...placesOf(thrown)].join(" ");
  return text.replaceAll(/[^ -~]/g, "?").slice(0, LENGTH_MAX);
}

/**
 * The first places of the stack; they stand behind the message, which is not to be taken for them.
 */
function placesOf(error: Error): readonly string[] {
  const stack = String(error.stack ?? "");
  const at = stack.indexOf(error.message);
  return stack.slice(at < 0 ? 0 : at + error.message.length).split("\n")
    .filter((line) => /^ +at /.test(line))
    .slice(0, PLACES_MAX)
    .map((line) => line.trim());
}
