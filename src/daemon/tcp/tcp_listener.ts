/**
 * A TCP listener for unknown clients: accepts connections, keeps them in a table of fixed
 * size, and gives each a deadline and a boundary.
 *
 * The problem: a client may send nothing, send slowly, read nothing, reset at any moment, come in
 * crowds, or cause an internal error; none of that may hold others up or end the process. The idea:
 * what serves a connection is one function that says how it went. The listener alone lets in (so
 * many in a row, see `src/system/turns.ts`), counts, evicts (see `connection_table.ts`), ends what
 * takes too long by closing its socket, and catches whatever is thrown, so that it costs that
 * connection and nothing else.
 *
 * Limits: one thread. When file descriptors run out, connections of the largest crowd are closed
 * for those that wait.
 *
 * @module
 */
import { bindHint } from "../../../ffi/socket/bind_hint.ts";
import { openFilesLimit } from "../../../ffi/process/process.ts";
import { assert } from "../../base/assert.ts";
import { describeFault } from "../../base/describe_fault.ts";
import { ReasonCounter } from "../../base/reason_counter.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { SocketAddress } from "../../base/socket_address.ts";
import {
  type Closable,
  ConnectionTable,
  networkPrefix,
  originOf,
  PrefixLimit,
  type PrefixRate,
} from "./connection_table.ts";
import { log } from "../../system/log.ts";
import { closeQuietly, messageOf } from "../../system/tcp_connect.ts";
import { connectionTurns } from "../../system/turns.ts";

/** Why a connection failed, whatever is served on it. */
export type ListenerReason =
  | "connection-lost"
  | "evicted"
  | "internal-error"
  | "out-of-descriptors"
  | "rate-limited"
  | "stopped"
  | "timeout";

/** How a listener is run. */
export interface TcpListenerOptions<Reason extends string> {
  /** Where to listen; port 0 takes a free one. */
  readonly listen: SocketAddress;
  /** What is served, as the beginning of a sentence for the log. */
  readonly name: string;
  /** How many connections there may be at most. */
  readonly connectionsMax: number;
  /** The most that a connection may last, in milliseconds. */
  readonly lifetimeMs: number;
  /**
   * How many connections of one network prefix are let in; this host itself is not limited. No
   * limit when left out.
   */
  readonly rate?: PrefixRate;
  /**
   * Serves a connection and tells how it went; the listener closes the socket afterwards. When the
   * connection is ended from outside its socket is closed, so that whatever waits on it fails; what
   * the socket throws then may be passed on.
   */
  serve(connection: TcpConnection<Reason>): Promise<"completed" | Reason | ListenerReason>;
}

/** What a listener has done. */
export interface ListenerStatus {
  /** Where it listens, with the port that the system chose when it was asked for port 0. */
  readonly listen: SocketAddress;
  /** Connections that were accepted. */
  readonly accepted: number;
  /** Connections that came to a good end. */
  readonly completed: number;
  /** Connections that did not, by reason; `out-of-descriptors` counts attempts to accept one. */
  readonly failed: Readonly<Record<string, number>>;
  /** Connections that are open. */
  readonly open: number;
}

/** One accepted connection. */
export class TcpConnection<Reason extends string> implements Closable {
  /** The socket. */
  readonly transport: Deno.TcpConn;
  #endedBecause: Reason | ListenerReason | undefined;

  /** Takes over a socket. */
  constructor(transport: Deno.TcpConn) {
    this.transport = transport;
  }

  /** Why the connection was ended from outside; undefined as long as it was not. */
  get endedBecause(): Reason | ListenerReason | undefined {
    return this.#endedBecause;
  }

  /** Ends the connection at once: its socket is closed. The first reason counts. */
  end(because: Reason | ListenerReason): void {
    this.#endedBecause ??= because;
    closeQuietly(this.transport);
  }

  /** Ends it because the listener stops. */
  close(): void {
    this.end("stopped");
  }

  /**
   * Waits for work on the connection; when that takes longer the connection is ended, which makes
   * the work fail.
   */
  async within<Value>(
    milliseconds: number,
    limited: { readonly work: Promise<Value>; readonly because: Reason | ListenerReason },
  ): Promise<Value> {
    const timer = setTimeout(() => this.end(limited.because), milliseconds);
    try {
      return await limited.work;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Descriptors that no listener takes: for sockets of NTP, files, and what the runtime needs. */
const DESCRIPTORS_KEPT = 128;
/** So many connections are closed at once when descriptors have run out. */
const EVICTED_AT_ONCE = 16;
/** A pause when descriptors or memory ran out and nothing is left to be closed. */
const PAUSE_MS = 100;
/** After so many failures in a row others get their turn, whatever it was. */
const FAILURES_IN_A_ROW = 64;

/**
 * What accept(2) says when it cannot go on at once; everything else concerns the one connection.
 */
const EXHAUSTED: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Says why a listener was not opened, and what can be done. */
export function describeListenError(error: unknown, port: number): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the port is in use, perhaps by another ntpsd; stop that, or choose another port";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "this machine has no such address; choose another";
  }
  const isRefused = error instanceof Deno.errors.PermissionDenied;
  return isRefused ? `permission denied. ${bindHint(port)}` : messageOf(error);
}

/** A listener. */
export class TcpListener<Reason extends string> {
  readonly #options: TcpListenerOptions<Reason>;
  readonly #listener: Deno.TcpListener;
  readonly #connections: ConnectionTable<TcpConnection<Reason>>;
  readonly #limit: PrefixLimit | undefined;
  readonly #failed = new ReasonCounter<Reason | ListenerReason>();
  readonly #running = new Set<Promise<void>>();
  readonly #told = new Set<string>();
  #accepted = 0;
  #completed = 0;
  #failuresInARow = 0;
  #stopped = false;

  private constructor(options: TcpListenerOptions<Reason>, listener: Deno.TcpListener) {
    this.#options = options;
    this.#listener = listener;
    this.#connections = new ConnectionTable(affordable(options.connectionsMax));
    this.#limit = options.rate === undefined ? undefined : new PrefixLimit(options.rate);
  }

  /** Starts to listen; the error is what the system said. */
  static start<Reason extends string>(
    options: TcpListenerOptions<Reason>,
  ): Result<TcpListener<Reason>, unknown> {
    assert(options.lifetimeMs > 0, "A deadline lies ahead");
    const { address: hostname, port } = options.listen;
    try {
      return ok(TcpListener.on(Deno.listen({ hostname, port, transport: "tcp" }), options));
    } catch (error) {
      return err(error);
    }
  }

  /** Serves on a socket that listens already, and owns it from then on. */
  static on<Reason extends string>(
    socket: Deno.TcpListener,
    options: TcpListenerOptions<Reason>,
  ): TcpListener<Reason> {
    const listener = new TcpListener(options, socket);
    listener.#run(listener.#acceptAll());
    return listener;
  }

  /** Returns what was done so far. */
  status(): ListenerStatus {
    const { port } = this.#listener.addr;
    return {
      listen: { ...this.#options.listen, port },
      accepted: this.#accepted,
      completed: this.#completed,
      failed: this.#failed.snapshot(),
      open: this.#connections.size,
    };
  }

  /** Stops listening, closes all connections and waits until nothing runs any more. */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      closeQuietly(this.#listener);
      this.#connections.closeAll();
    }
    while (this.#running.size > 0) await Promise.all(this.#running);
    await connectionTurns.rest();
  }

  /** Keeps work that never fails until it is done. */
  #run(work: Promise<void>): void {
    this.#running.add(work);
    void work.then(() => this.#running.delete(work));
  }

  async #acceptAll(): Promise<void> {
    while (!this.#stopped) {
      try {
        const transport = await this.#listener.accept();
        await connectionTurns.do(() => this.#run(this.#receive(transport)));
        this.#failuresInARow = 0;
      } catch (error) {
        if (this.#stopped) return;
        await this.#acceptFailed(error);
      }
    }
  }

  async #acceptFailed(error: unknown): Promise<void> {
    const { code } = error as { readonly code?: unknown };
    if (EXHAUSTED.has(code)) {
      this.#failed.add("out-of-descriptors");
      this.#tellOnce(`runs short of file descriptors or memory (${code}), and closes connections`);
      return await pause(this.#evict(EVICTED_AT_ONCE) ? 1 : PAUSE_MS);
    }
    // The client was gone before it could be let in.
    this.#accepted++;
    this.#failed.add("connection-lost");
    if (++this.#failuresInARow % FAILURES_IN_A_ROW === 0) await pause(0);
  }

  /** The boundary: whatever happens on a connection ends here. */
  async #receive(transport: Deno.TcpConn): Promise<void> {
    this.#accepted++;
    const connection = new TcpConnection<Reason>(transport);
    let outcome: "completed" | Reason | ListenerReason;
    try {
      outcome = await this.#admit(connection);
    } catch (error) {
      if (isConnectionError(error)) outcome = connection.endedBecause ?? "connection-lost";
      else {
        outcome = "internal-error";
        this.#tellOnce(`failed on a connection with an internal error, ${describeFault(error)}`);
      }
    } finally {
      closeQuietly(transport);
    }
    if (outcome === "completed") this.#completed++;
    else this.#failed.add(outcome);
  }

  async #admit(
    connection: TcpConnection<Reason>,
  ): Promise<"completed" | Reason | ListenerReason> {
    const { hostname } = connection.transport.remoteAddr;
    const prefix = networkPrefix(hostname);
    const limit = prefix === undefined ? undefined : this.#limit;
    if (limit?.take(prefix ?? "", performance.now() / 1000) === false) return "rate-limited";
    if (this.#stopped) return "stopped";
    const origin = originOf(hostname);
    this.#connections.add(origin, connection)?.end("evicted");
    try {
      return await connection.within(this.#options.lifetimeMs, {
        work: this.#options.serve(connection),
        because: "timeout",
      });
    } finally {
      this.#connections.remove(origin, connection);
    }
  }

  /** Closes up to `count` connections; tells whether there were any. */
  #evict(count: number): boolean {
    for (let i = 0; i < count; i++) {
      const connection = this.#connections.evict();
      if (connection === undefined) return i > 0;
      connection.end("evicted");
    }
    return true;
  }

  #tellOnce(what: string): void {
    if (this.#told.size > 0 && (this.#told.has(what) || this.#told.size >= 8)) return;
    this.#told.add(what);
    log.warning(`${this.#options.name} ${what}; further ones are only counted`);
  }
}

/**
 * How many connections a listener can have without taking the descriptors that others need; at
 * least eight.
 */
export function affordable(connections: number): number {
  const limit = openFilesLimit();
  if (!limit.ok) return connections;
  const half = Math.floor((limit.value - DESCRIPTORS_KEPT) / 2);
  return Math.min(connections, Math.max(8, half));
}

/** Tells errors of a socket, which a peer can cause, from errors of ours. */
function isConnectionError(error: unknown): boolean {
  if (error instanceof Deno.errors.BadResource) return true; // closed while something waited
  if (error instanceof Deno.errors.Interrupted) return true;
  return error instanceof Error && "code" in error && /^E[A-Z]+$/.test(String(error.code));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
