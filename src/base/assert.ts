/**
 * Assertions about ourselves: always on, the process ends with status 70. Not for anything that a
 * packet or a configuration could cause. Only the boundary of a source, connection, request or
 * datagram catches one: it drops that one, and counts and tells it.
 *
 * @module
 */

/** Thrown when the program finds that it contradicts itself. */
export class AssertionFailure extends Error {
  /** Tells it in a report from errors of other origin. */
  override readonly name = "AssertionFailure";
}

/** Throws `AssertionFailure` unless the condition holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Returns the value, or throws `AssertionFailure` when it is missing. */
export function present<Value>(value: Value | undefined | null, message: string): Value {
  if (value === undefined || value === null) throw new AssertionFailure(message);
  return value;
}

/** Marks the end of a switch over a union that has a case for every member. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`Unexpected value ${String(value)}`);
}
