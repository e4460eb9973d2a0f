/**
 * A TLS session on a TCP connection: the waiting part of key exchange, for client and server alike.
 *
 * The idea: a session works on octets, this class carries them. It may be ended at any moment by
 * `abort()` (a deadline, an eviction): the socket is closed, and every call that waits, or is made
 * later, fails. Memory of OpenSSL is given back by the owner alone, by `close()`, and not before
 * the last call has returned; so no moment is a wrong one for either. Limits: at most `receivedMax`
 * octets are taken from a peer, handshake included.
 *
 * @module
 */
import type { TlsFailure, TlsReason, TlsSession } from "../../ffi/openssl/mod.ts";
import { present } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { closeQuietly, messageOf } from "./tcp_connect.ts";
import { connectionTurns } from "./turns.ts";

/** Why a connection failed. */
export type ConnectionReason = TlsReason | "connection-lost" | "too-much-input";

/** A failure: the word to count, and a sentence. */
export interface ConnectionFailure {
  /** The word to count. */
  readonly reason: ConnectionReason;
  /** A sentence without a full stop. */
  readonly message: string;
}

/** How a connection begins. */
export interface TlsConnectionOptions {
  /**
   * A client's session, which speaks first; or what makes a server's, called when the client has
   * sent something.
   */
  readonly session: TlsSession | (() => TlsSession);
  /** The most octets that are taken from the peer. */
  readonly receivedMax: number;
}

const READ_LENGTH = 4096;

/** A TLS session on a TCP connection; owns both. */
export class TlsConnection implements Disposable {
  readonly #transport: Deno.TcpConn;
  readonly #makeSession: (() => TlsSession) | undefined;
  readonly #buffer: Bytes;
  #session: TlsSession | undefined;
  #receivable: number;
  #calls = 0;
  #isClosed = false;

  /** Takes over a connection and the session, also when that is made later. */
  constructor(transport: Deno.TcpConn, options: TlsConnectionOptions) {
    this.#transport = transport;
    if (typeof options.session === "function") this.#makeSession = options.session;
    else this.#session = options.session;
    sendAtOnce(transport); // the parts of an exchange are small and each is waited for
    this.#receivable = options.receivedMax;
    this.#buffer = new Uint8Array(Math.min(READ_LENGTH, options.receivedMax));
  }

  /** The session, for its keys and certificates; there is one once the handshake is complete. */
  get session(): TlsSession {
    return present(this.#session, "A session is used after its handshake began");
  }

  /** Carries the handshake to its end; a failure is told to the peer before it is returned. */
  async handshake(): Promise<Result<undefined, ConnectionFailure>> {
    return await this.#call(async () => {
      let step: Result<boolean | "end", ConnectionFailure> = this.#session?.handshake() ??
        ok(false);
      for (;;) {
        // What ends a handshake goes out together with what is written next, or before the next
        // read.
        if (step.ok && step.value === true) return ok(undefined);
        const sent = await this.#flush();
        if (!step.ok) return step;
        if (!sent.ok) return sent;
        if (step.value === "end") return err(closedEarly());
        step = await this.#receive((session) => session.handshake());
      }
    });
  }

  /** Returns what the peer sent next, or undefined when it has closed its side. */
  async read(): Promise<Result<Bytes | undefined, ConnectionFailure>> {
    return await this.#call(async () => {
      let part: Result<Bytes | "closed" | "end" | undefined, ConnectionFailure> = this.session
        .read();
      for (;;) {
        if (!part.ok) {
          await this.#flush();
          return part;
        }
        // A connection that ends without close_notify is closed all the same: messages of key
        // exchange tell their end.
        if (part.value === "closed" || part.value === "end") return ok(undefined);
        if (part.value !== undefined) return ok(part.value);
        const sent = await this.#flush();
        if (!sent.ok) return sent;
        part = await this.#receive((session) => session.read());
      }
    });
  }

  /** Sends octets; with `last` the session's good-bye goes with them. */
  async write(
    octets: Bytes,
    options?: { readonly last: boolean },
  ): Promise<Result<undefined, ConnectionFailure>> {
    return await this.#call(async () => {
      const written = this.session.write(octets);
      if (!written.ok) return written;
      if (options?.last) this.session.shutdown();
      return await this.#flush();
    });
  }

  /** Sends the good-bye of a session that is complete. */
  async sayGoodBye(): Promise<void> {
    await this.#call(async () => {
      this.session.shutdown();
      return await this.#flush();
    });
  }

  /**
   * Takes and forgets what the peer still sends, so that it gets our last words instead of a reset.
   */
  async drain(): Promise<void> {
    try {
      await this.#transport.closeWrite();
      while (this.#receivable > 0) {
        const length = await this.#transport.read(this.#buffer);
        if (length === null) return;
        this.#receivable -= length;
      }
    } catch {
      // The peer is gone, or we closed: nothing is left to take.
    }
  }

  /** Ends everything at once: what waits, and what is called later, fails. */
  abort(): void {
    closeQuietly(this.#transport);
  }

  /**
   * Ends everything and gives the memory back, when the last call has returned; closing again does
   * nothing.
   */
  close(): void {
    this.#isClosed = true;
    this.abort();
    this.#free();
  }

  /** Closes it, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Keeps the session for as long as something uses it. */
  async #call<Value>(
    work: () => Promise<Result<Value, ConnectionFailure>>,
  ): Promise<Result<Value, ConnectionFailure>> {
    if (this.#isClosed) return err(lost("it was closed"));
    this.#calls++;
    try {
      return await work();
    } finally {
      this.#calls--;
      this.#free();
    }
  }

  #free(): void {
    if (this.#isClosed && this.#calls === 0) this.#session?.close();
  }

  /**
   * Feeds the session with what comes next and lets it work on that, a server's when it is its
   * turn; "end" when the peer has closed.
   */
  async #receive<Value>(
    work: (session: TlsSession) => Result<Value, TlsFailure>,
  ): Promise<Result<Value | "end", ConnectionFailure>> {
    if (this.#receivable <= 0) {
      return err({
        reason: "too-much-input",
        message: "The peer sent more than an exchange needs",
      });
    }
    const buffer = this.#buffer.subarray(0, this.#receivable);
    let length: number | null;
    try {
      length = await this.#transport.read(buffer);
    } catch (error) {
      return err(lost(messageOf(error)));
    }
    if (length === null) return ok("end");
    this.#receivable -= length;
    const proceed = () => {
      this.#session ??= this.#makeSession?.();
      this.session.feed(buffer.subarray(0, length));
      return work(this.session);
    };
    // A client has the peers that it has chosen; a server has any number.
    return this.#makeSession === undefined ? proceed() : await connectionTurns.do(proceed);
  }

  async #flush(): Promise<Result<undefined, ConnectionFailure>> {
    const output = this.#session?.output();
    if (output === undefined) return ok(undefined);
    try {
      for (let at = 0; at < output.length;) {
        at += await this.#transport.write(output.subarray(at));
      }
      return ok(undefined);
    } catch (error) {
      return err(lost(messageOf(error)));
    }
  }
}

function sendAtOnce(transport: Deno.TcpConn): void {
  try {
    transport.setNoDelay(true);
  } catch {
    // The connection is gone already, which the first read will say.
  }
}

function closedEarly(): TlsFailure {
  return { reason: "closed", message: "The peer closed the connection during the handshake" };
}

function lost(cause: string): ConnectionFailure {
  return { reason: "connection-lost", message: `The connection was lost: ${cause}` };
}
