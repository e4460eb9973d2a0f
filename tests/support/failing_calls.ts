/**
 * A C library that refuses: calls of it fail with chosen errors, on the process that tests.
 *
 * The idea: what is to be tested runs again and again, each time with another of its calls refused,
 * the first, the second, and so on until it comes to its end without meeting one; so no path is
 * forgotten that a refusal can lead to. The number of the error is put where the C library puts it.
 * Limits: calls that cannot fail, or only give back what was taken, are left alone.
 *
 * @module
 */
import { type AnyCall, libc, replaceCalls } from "../../ffi/libc.ts";

/** What a refusal says and whom it meets. */
export interface RefusedCalls {
  /** The number of the error, or what finds it for a call, counted from 0. */
  readonly errno: number | ((index: number) => number);
  /** Tells for a call, counted from 0, whether it is refused. */
  readonly meets: (call: string, index: number) => boolean;
}

/** What became of the calls while refusals were in force. */
export interface CallsMade {
  /** The names of all calls that could have been refused, in their order. */
  readonly calls: readonly string[];
  /** The name of the last that was refused. */
  readonly refused: string | undefined;
  /** How many descriptors were opened and not closed. */
  readonly left: number;
}

/** They cannot fail, or must not: memory and descriptors are given back by them. */
const SPARED = [
  "__errno_location",
  "clock_gettime",
  "close",
  "closedir",
  "freeaddrinfo",
  "freeifaddrs",
  "gai_strerror",
  "getenv",
  "geteuid",
  "getgid",
  "getpid",
  "getuid",
  "usleep",
];
const OPENING = ["epoll_create1", "eventfd", "open", "socket", "timerfd_create"];
const NULL_ON_FAILURE = ["opendir", "readdir", "if_indextoname", "getpwnam", "getpwuid"];
const ZERO_ON_FAILURE = ["isatty"];
const WIDE = ["syscall", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"];
/** The resolver has numbers of its own; this one says that errno tells more. */
const EAI_SYSTEM = -11;

/** Runs `use` while calls are refused, and hands back what it returned and which calls it made. */
export async function withRefusals<Value>(
  which: RefusedCalls,
  use: () => Value | Promise<Value>,
): Promise<CallsMade & { readonly value: Value }> {
  const { errno } = which;
  const calls: string[] = [];
  let refused: string | undefined;
  // Other test files run in this process too, so only what is opened here is counted.
  const open = new Set<unknown>();
  const note = (name: string, args: readonly unknown[], outcome: unknown) => {
    if (name === "close") open.delete(args[0]);
    if (OPENING.includes(name) && Number(outcome) >= 0) open.add(outcome);
    return outcome;
  };
  const wrap = (name: string, call: AnyCall): AnyCall => {
    if (SPARED.includes(name)) return (...args: unknown[]) => note(name, args, call(...args));
    return (...args: unknown[]) => {
      const index = calls.push(name) - 1;
      if (!which.meets(name, index)) return note(name, args, call(...args));
      refused = name;
      setErrno(typeof errno === "number" ? errno : errno(index));
      return failureOf(name);
    };
  };
  const real = Object.entries(libc()).map(([name, call]) => [name, wrap(name, call as AnyCall)]);
  // On the pool a refusal takes a turn of the event loop too, and its number is lost.
  const background = (name: string, call: AnyCall): AnyCall => {
    const wrapped = wrap(name, (...args) => () => call(...args));
    return async (...args) => {
      const outcome = wrapped(...args);
      if (typeof outcome === "function") return note(name, args, await outcome());
      await new Promise((resolve) => setTimeout(resolve));
      return outcome;
    };
  };
  const undo = replaceCalls({ here: Object.fromEntries(real), background });
  try {
    const value = await use();
    return { value, calls, refused, left: open.size };
  } finally {
    undo();
  }
}

function failureOf(name: string): unknown {
  if (NULL_ON_FAILURE.includes(name)) return null;
  if (ZERO_ON_FAILURE.includes(name)) return 0;
  if (name === "getaddrinfo") return EAI_SYSTEM;
  return WIDE.includes(name) ? -1n : -1;
}

/** Puts a number where the C library keeps the last error of this thread. */
export function setErrno(code: number): void {
  const place = libc().__errno_location();
  if (place === null) throw new Error("The C library has no errno");
  new Int32Array(Deno.UnsafePointerView.getArrayBuffer(place, 4))[0] = code;
}
