/**
 * TCP connections to the first of several addresses that answers.
 *
 * The idea: an address that does not answer must not hold up the others, and one that does must not
 * be flooded, so the attempts start one after the other, each a little after the one before or as
 * soon as that failed, and the first connection wins (after RFC 8305 section 5).
 *
 * @module
 */
import { osError } from "../../ffi/errno.ts";
import { err, ok, type Result } from "../base/result.ts";
import { formatAddress, formatSocketAddress, type SocketAddress } from "../base/socket_address.ts";

/** A connection and the address that it goes to. */
export interface Connected {
  /** The connection; the caller owns it. */
  readonly transport: Deno.TcpConn;
  /** The address that was reached. */
  readonly address: SocketAddress;
}

const NEXT_ADDRESS_AFTER_MS = 250;

/** There is no way to the address. */
const NO_WAY: ReadonlySet<string> = new Set([
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "EADDRNOTAVAIL",
]);

/** Why there is no connection. */
export interface ConnectFailure {
  /** A sentence. */
  readonly message: string;
  /** Whether no address could even be tried, because there is no way to any. */
  readonly isLocal: boolean;
}

/**
 * Connects to the first address that answers; fails with a sentence when none does or the signal
 * ends it.
 */
export async function connectToFirst(
  addresses: readonly SocketAddress[],
  signal: AbortSignal,
): Promise<Result<Connected, ConnectFailure>> {
  const race = new ConnectionRace();
  const stop = () => race.end();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await race.run(addresses);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Attempts to connect that run side by side until one of them succeeds. */
class ConnectionRace {
  readonly #decided = new AbortController();
  #winner: Connected | undefined;
  #failure: ConnectFailure = { message: "Cannot connect: no address is known", isLocal: true };

  constructor() {
    // Deno.connect (2.9) looks at its signal once more when it has the connection, and loses an
    // open socket if it throws then. Without that look it hands the connection over, and `#attempt`
    // closes it.
    this.#decided.signal.throwIfAborted = () => {};
  }

  /** Ends all attempts. */
  end(): void {
    this.#decided.abort();
  }

  async run(addresses: readonly SocketAddress[]): Promise<Result<Connected, ConnectFailure>> {
    const { signal } = this.#decided;
    const attempts: Promise<void>[] = [];
    for (const address of addresses) {
      if (signal.aborted) break;
      const started = this.#attempt(address);
      attempts.push(started);
      await Promise.race([started, sleep(NEXT_ADDRESS_AFTER_MS, signal)]);
    }
    await Promise.all(attempts);
    this.end(); // wakes what still sleeps
    return this.#winner === undefined ? err(this.#failure) : ok(this.#winner);
  }

  async #attempt(address: SocketAddress): Promise<void> {
    const { signal } = this.#decided;
    try {
      const { port } = address;
      const transport = await Deno.connect({ hostname: formatAddress(address), port, signal });
      if (signal.aborted) return closeQuietly(transport);
      this.#winner = { transport, address };
      this.end();
    } catch (error) {
      // What is aborted because another one won leaves no trace.
      if (signal.aborted) return;
      const { message, name } = connectFailure(address, messageOf(error));
      this.#failure = { message, isLocal: this.#failure.isLocal && NO_WAY.has(name) };
    }
  }
}

/**
 * Says it as all failed calls are told of; the runtime has no class of errors for most of them, but
 * their numbers.
 */
function connectFailure(
  address: SocketAddress,
  cause: string,
): { readonly message: string; readonly name: string } {
  const what = `connect to ${formatSocketAddress(address)}`;
  const code = Number(/\(os error (\d+)\)/.exec(cause)?.[1] ?? 0);
  return code === 0
    ? { message: `Cannot ${what}: ${cause}`, name: "" }
    : osError({ call: "connect", what, code });
}

/** Waits; the signal ends it early. */
async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  const timer = setTimeout(wake, milliseconds);
  signal.addEventListener("abort", wake);
  if (signal.aborted) wake();
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", wake);
}

/** Closes a connection or listener that may be closed already. */
export function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It was closed before, by the other end of a race.
  }
}

/** Returns the message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
