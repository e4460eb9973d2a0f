/**
 * A TLS session on a TCP connection: the waiting part of key exchange, for client and server alike.
 *
 * The idea: a session works on octets, this class carries them. Whoever owns it sets the deadline and keeps it by `close()`,
 * which ends every call that is waiting. Limits: at most `receivedMax` octets are taken from a peer, handshake included.
 *
 * @module
 */
import type { TlsFailure, TlsReason, TlsSession } from "../../ffi/openssl.ts";
import { present } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { closeQuietly, messageOf } from "./tcp_connect.ts";

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
  /** Makes the session; a listening server's is made only when the client has sent something. */
  readonly session: () => TlsSession;
  /** Which side sends the first octets. */
  readonly first: "us" | "peer";
  /** The most octets that are taken from the peer. */
  readonly receivedMax: number;
}

const READ_LENGTH = 4096;

/** A TLS session on a TCP connection; owns both. */
export class TlsConnection implements Disposable {
  readonly #options: TlsConnectionOptions;
  readonly #transport: Deno.TcpConn;
  readonly #buffer: Bytes;
  #session: TlsSession | undefined;
  #receivable: number;
  #closed = false;

  /** Takes over a connection, and the session when it is made. */
  constructor(transport: Deno.TcpConn, options: TlsConnectionOptions) {
    transport.setNoDelay(true); // the parts of an exchange are small and each is waited for
    this.#transport = transport;
    this.#options = options;
    this.#receivable = options.receivedMax;
    this.#buffer = new Uint8Array(Math.min(READ_LENGTH, options.receivedMax));
  }

  /** The session, for its keys and certificates; there is one once the handshake is complete. */
  get session(): TlsSession {
    return present(this.#session, "A session is used after its handshake began");
  }

  /** Carries the handshake to its end; a failure is told to the peer before it is returned. */
  async handshake(): Promise<Result<undefined, ConnectionFailure>> {
    if (this.#options.first === "us") this.#session = this.#options.session();
    else {
      const received = await this.#receive();
      if (!received.ok) return received;
      if (!received.value) return err(closedEarly());
    }
    for (;;) {
      const step = this.session.handshake();
      // What ends a handshake goes out together with what is written next, or before the next read.
      if (step.ok && step.value) return ok(undefined);
      const sent = await this.#flush();
      if (!step.ok) return step;
      if (!sent.ok) return sent;
      const received = await this.#receive();
      if (!received.ok) return received;
      if (!received.value) return err(closedEarly());
    }
  }

  /** Returns what the peer sent next, or undefined when it has closed its side. */
  async read(): Promise<Result<Bytes | undefined, ConnectionFailure>> {
    for (;;) {
      const part = this.session.read();
      if (!part.ok) {
        await this.#flush();
        return part;
      }
      if (part.value === "closed") return ok(undefined);
      if (part.value !== undefined) return ok(part.value);
      const sent = await this.#flush();
      if (!sent.ok) return sent;
      const received = await this.#receive();
      if (!received.ok) return received;
      // A connection that ends without close_notify is closed all the same: messages of key exchange tell their end.
      if (!received.value) return ok(undefined);
    }
  }

  /** Sends octets; with `last` the session's good-bye goes with them. */
  async write(
    octets: Bytes,
    options?: { readonly last: boolean },
  ): Promise<Result<undefined, ConnectionFailure>> {
    const written = this.session.write(octets);
    if (!written.ok) return written;
    if (options?.last) this.session.shutdown();
    return await this.#flush();
  }

  /** Sends the good-bye of a session that is complete, as far as that is possible without waiting long. */
  async sayGoodBye(): Promise<void> {
    if (this.#closed) return;
    this.session.shutdown();
    await this.#flush();
  }

  /** Takes and forgets what the peer still sends, so that it gets our last words instead of a reset. */
  async drain(): Promise<void> {
    try {
      await this.#transport.closeWrite();
      while (!this.#closed && this.#receivable > 0) {
        const length = await this.#transport.read(this.#buffer);
        if (length === null) return;
        this.#receivable -= length;
      }
    } catch {
      // The peer is gone, or we closed: nothing is left to take.
    }
  }

  /** Ends everything at once; closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#session?.close();
    closeQuietly(this.#transport);
  }

  /** Closes it, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Feeds the session with what comes next; false when the peer has closed. */
  async #receive(): Promise<Result<boolean, ConnectionFailure>> {
    if (this.#receivable <= 0) {
      return err({
        reason: "too-much-input",
        message: "The peer sent more than an exchange needs",
      });
    }
    const buffer = this.#buffer.subarray(0, this.#receivable);
    try {
      const length = await this.#transport.read(buffer);
      if (this.#closed) return err(lost("it was closed"));
      if (length === null) return ok(false);
      this.#receivable -= length;
      this.#session ??= this.#options.session();
      this.#session.feed(buffer.subarray(0, length));
      return ok(true);
    } catch (error) {
      return err(lost(messageOf(error)));
    }
  }

  async #flush(): Promise<Result<undefined, ConnectionFailure>> {
    if (this.#closed) return err(lost("it was closed"));
    const output = this.session.output();
    if (output === undefined) return ok(undefined);
    try {
      for (let at = 0; at < output.length;) {
        at += await this.#transport.write(output.subarray(at));
        if (this.#closed) return err(lost("it was closed"));
      }
      return ok(undefined);
    } catch (error) {
      return err(lost(messageOf(error)));
    }
  }
}

function closedEarly(): TlsFailure {
  return { reason: "closed", message: "The peer closed the connection during the handshake" };
}

function lost(why: string): ConnectionFailure {
  return { reason: "connection-lost", message: `The connection was lost: ${why}` };
}
