/**
 * The C library, opened once, at first use.
 *
 * Calls that wait are made on the thread pool by `background.ts`; what is called, with which types,
 * is in `libc_symbols.ts`.
 *
 * @module
 */
import { LIBC_SYMBOLS } from "./libc_symbols.ts";

/** The functions of the C library that ntpsd uses, by their own names. */
export type LibC = Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"];

let library: { readonly symbols: LibC; readonly errno: Deno.UnsafePointerView } | undefined;
let replaced: StandIns | undefined;

/**
 * Returns the C library, which is opened at its first use, so that nothing happens at import, and
 * never closed.
 */
export function libc(): LibC {
  library ??= openLibrary();
  return library.symbols;
}

/**
 * Returns `errno` of this thread. To be called in the very next statement after the call that
 * failed, before anything else can run; it makes no call itself but reads the one place where this
 * thread's number lies.
 */
export function lastErrno(): number {
  library ??= openLibrary();
  return library.errno.getInt32();
}

/** A function of any kind. */
export type AnyCall = (...args: unknown[]) => unknown;

/** What stands in for functions of the C library, for tests of what the system can refuse. */
export interface StandIns {
  /** Those of the foreground, by their names. */
  readonly here: Partial<Record<keyof LibC, AnyCall>>;
  /** Returns what stands in for a function of the thread pool; for itself when left out. */
  readonly background?: (name: string, real: AnyCall) => AnyCall;
}

/**
 * Puts others in the place of some functions, for tests and nothing else; returns what undoes it.
 */
export function replaceCalls(standIns: StandIns): () => void {
  const real = library ??= openLibrary();
  library = { ...real, symbols: { ...real.symbols, ...standIns.here } as LibC };
  replaced = standIns;
  return () => {
    library = real;
    replaced = undefined;
  };
}

/**
 * Returns what is to be called in the place of a function of the thread pool: itself, but for
 * tests.
 */
export function standIn(name: string, real: AnyCall): AnyCall {
  return replaced?.background?.(name, real) ?? real;
}

function openLibrary(): NonNullable<typeof library> {
  const { symbols } = Deno.dlopen("libc.so.6", LIBC_SYMBOLS);
  const pointer = symbols.__errno_location();
  if (pointer === null) throw new Error("The C library has no errno");
  return { symbols, errno: new Deno.UnsafePointerView(pointer) };
}
