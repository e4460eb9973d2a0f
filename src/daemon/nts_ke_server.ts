/**
 * The server's side of NTS key exchange over the network (RFC 8915 section 4): one listener, many clients at once.
 *
 * The problem: anybody may connect, send nothing, send slowly, or handshake for ever. The idea: each connection has a deadline
 * for its handshake and another for its request and takes a bounded number of octets; the table of connections lets newcomers
 * in at the cost of the largest crowd; handshakes, which cost most, are limited for each network prefix; and nothing is kept
 * for a client that has sent nothing but its place in the table.
 *
 * Limits: one thread; a handshake holds the others up for as long as OpenSSL takes: with its version 3.0 and P-256 some
 * 0.3 ms, with RSA of 2048 bits about 1 ms.
 *
 * @module
 */
import type { OpenSsl, TlsServerContext } from "../../ffi/openssl.ts";
import { assert, unreachable } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { ReasonCounter } from "../base/reason_counter.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import { aeadParameters, type NtsAeadId } from "../crypto/aead.ts";
import { type CookieCodec, OWN_COOKIE_LENGTH_MAX } from "../nts/cookie.ts";
import { COOKIE_JAR_SIZE } from "../nts/cookie_jar.ts";
import { EXPORTER_LABEL, type SessionKeys } from "../nts/exporter.ts";
import {
  KeyExchangeServer,
  type KeyExchangeServerOptions,
  REQUEST_LENGTH_MAX,
  type RequestReason,
  type ServerStep,
} from "../nts/key_exchange_server.ts";
import {
  ConnectionTable,
  networkPrefix,
  PrefixLimit,
  type PrefixRate,
} from "./connection_table.ts";
import { closeQuietly, messageOf } from "./tcp_connect.ts";
import { type ConnectionReason, TlsConnection } from "./tls_connection.ts";

/** Why a connection brought no keys. */
export type ServiceReason =
  | RequestReason
  | ConnectionReason
  | "handshake-timeout"
  | "rate-limited"
  | "evicted"
  | "stopped";

/** How a server is run. */
export interface NtsKeServerOptions {
  /** The library. */
  readonly openssl: OpenSsl;
  /** Returns the context for a new connection, so that a certificate can be replaced any time. */
  readonly context: () => TlsServerContext;
  /** Where to listen. */
  readonly listen: SocketAddress;
  /** What is offered to clients. */
  readonly offer: KeyExchangeServerOptions;
  /** Makes the cookies for new keys; undefined when that is impossible now. */
  readonly makeCookies: (aeadId: NtsAeadId, keys: SessionKeys) => readonly Bytes[] | undefined;
  /** The most that a handshake, and then a request, may take. */
  readonly timeoutMs: number;
  /** How many connections there may be. */
  readonly concurrentConnections: number;
  /** How many handshakes of one network prefix are let through; this host itself is not limited. */
  readonly handshakeRate?: PrefixRate;
}

/** What a server has done. */
export interface NtsKeServerStatus {
  /** Where it listens, with the port that the system chose when it was asked for port 0. */
  readonly listen: SocketAddress;
  /** Connections that were accepted. */
  readonly accepted: number;
  /** Exchanges that brought keys. */
  readonly completed: number;
  /** Connections that brought none, by reason. */
  readonly failed: Readonly<Record<string, number>>;
  /** Connections that are open. */
  readonly open: number;
}

/** The rate that is not felt by honest networks and bounds what one network can take of the processor. */
export const HANDSHAKE_RATE: PrefixRate = { burst: 1024, perSecond: 64 };

// A ClientHello and Finished take about 600 octets; certificates are not asked of clients.
const RECEIVED_MAX = 16_384 + REQUEST_LENGTH_MAX;
const DRAIN_MS = 250;
const ACCEPT_AGAIN_MS = 100;

/** A listener for key exchange. */
export class NtsKeServer {
  readonly #options: NtsKeServerOptions;
  readonly #listener: Deno.TcpListener;
  readonly #connections: ConnectionTable<Visitor>;
  readonly #limit: PrefixLimit;
  readonly #failed = new ReasonCounter<ServiceReason>();
  readonly #running = new Set<Promise<void>>();
  #accepted = 0;
  #completed = 0;
  #stopped = false;

  private constructor(options: NtsKeServerOptions, listener: Deno.TcpListener) {
    this.#options = options;
    this.#listener = listener;
    this.#connections = new ConnectionTable(options.concurrentConnections);
    this.#limit = new PrefixLimit(options.handshakeRate ?? HANDSHAKE_RATE);
  }

  /** Starts to listen; fails with a sentence when the address cannot be had. */
  static start(options: NtsKeServerOptions): Result<NtsKeServer, string> {
    assert(options.timeoutMs > 0, "A deadline lies ahead");
    const { address: hostname, port } = options.listen;
    try {
      const listener = Deno.listen({ hostname, port, transport: "tcp" });
      const server = new NtsKeServer(options, listener);
      server.#run(server.#acceptAll());
      return ok(server);
    } catch (error) {
      const where = `${hostname} port ${port}`;
      return err(`Cannot listen for NTS key exchange on ${where}: ${messageOf(error)}`);
    }
  }

  /** Returns what was done so far. */
  status(): NtsKeServerStatus {
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
  }

  #run(work: Promise<void>): void {
    this.#running.add(work);
    work.finally(() => this.#running.delete(work));
  }

  async #acceptAll(): Promise<void> {
    while (!this.#stopped) {
      try {
        const transport = await this.#listener.accept();
        this.#accepted++;
        this.#run(this.#receive(transport));
      } catch {
        if (this.#stopped) return;
        // The client is gone already, or file descriptors ran out: the latter needs a pause.
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
      }
    }
  }

  async #receive(transport: Deno.TcpConn): Promise<void> {
    const prefix = networkPrefix(transport.remoteAddr.hostname);
    if (prefix !== undefined && !this.#limit.take(prefix, performance.now() / 1000)) {
      this.#failed.add("rate-limited");
      return closeQuietly(transport);
    }
    const place = prefix ?? "this host";
    const visitor = new Visitor(this.#options, transport);
    const evicted = this.#connections.add(place, visitor);
    evicted?.close("evicted");
    const outcome = await visitor.serve();
    this.#connections.remove(place, visitor);
    if (outcome === "completed") this.#completed++;
    else this.#failed.add(outcome);
  }
}

// One for all, because those who seal remember the buffers that they have seen.
const cookieBuffer = new Uint8Array(OWN_COOKIE_LENGTH_MAX);

/** Makes the eight cookies of an answer out of a codec (RFC 8915 section 4.1.6). */
export function cookiesFrom(codec: CookieCodec): NtsKeServerOptions["makeCookies"] {
  return (aeadId, keys) => {
    codec.load(aeadId, keys);
    return Array.from({ length: COOKIE_JAR_SIZE }, () => {
      const length = codec.seal(cookieBuffer, 0);
      return cookieBuffer.slice(0, length);
    });
  };
}

/** One client. */
class Visitor {
  readonly #options: NtsKeServerOptions;
  readonly #transport: Deno.TcpConn;
  #connection: TlsConnection | undefined;
  #closedBecause: ServiceReason | undefined;
  #late = false;

  constructor(options: NtsKeServerOptions, transport: Deno.TcpConn) {
    this.#options = options;
    this.#transport = transport;
  }

  /** Ends the connection at once; what waits on it ends with the reason. */
  close(because: ServiceReason = "stopped"): void {
    this.#closedBecause ??= because;
    if (this.#connection === undefined) closeQuietly(this.#transport);
    else this.#connection.close();
  }

  /** Carries the exchange to its end and closes the connection. */
  async serve(): Promise<"completed" | ServiceReason> {
    const outcome = await this.#exchange();
    this.close();
    return outcome;
  }

  async #exchange(): Promise<"completed" | ServiceReason> {
    const { openssl, context, timeoutMs } = this.#options;
    const connection = new TlsConnection(this.#transport, {
      session: () => openssl.accept(context()),
      first: "peer",
      receivedMax: RECEIVED_MAX,
    });
    this.#connection = connection;
    const complete = await this.#within(timeoutMs, {
      work: connection.handshake(),
      late: () => this.close("handshake-timeout"),
    });
    if (!complete.ok) return this.#closedBecause ?? complete.error.reason;
    const machine = new KeyExchangeServer(this.#options.offer);
    const late = Promise.withResolvers<ServerStep>();
    const step = await this.#within(timeoutMs, {
      work: Promise.race([this.#readRequest(connection, machine), late.promise]),
      late: () => {
        this.#late = true;
        late.resolve(machine.timedOut());
      },
    });
    return typeof step === "string" ? step : await this.#answer(connection, { machine, step });
  }

  async #readRequest(
    connection: TlsConnection,
    machine: KeyExchangeServer,
  ): Promise<ServerStep | ServiceReason> {
    for (;;) {
      const part = await connection.read();
      if (!part.ok) return this.#closedBecause ?? part.error.reason;
      if (this.#late) return "timeout"; // the machine has said its last word
      if (part.value === undefined) return machine.closed();
      const step = machine.feed(part.value);
      if (step.kind !== "wait") return step;
    }
  }

  async #answer(
    connection: TlsConnection,
    decided: { readonly machine: KeyExchangeServer; readonly step: ServerStep },
  ): Promise<"completed" | ServiceReason> {
    const { machine, step } = decided;
    switch (step.kind) {
      case "wait":
        return "internal-error";
      case "refuse":
        return await this.#refuse(connection, step);
      case "export-keys": {
        const cookies = this.#cookies(connection, step);
        if (cookies === undefined) return await this.#refuse(connection, machine.internalError());
        const sent = await connection.write(machine.complete(cookies), { last: true });
        return sent.ok ? "completed" : this.#closedBecause ?? sent.error.reason;
      }
      default:
        return unreachable(step);
    }
  }

  #cookies(
    connection: TlsConnection,
    step: ServerStep & { readonly kind: "export-keys" },
  ): readonly Bytes[] | undefined {
    const { aeadId, contexts } = step;
    const length = aeadParameters(aeadId).keyLength;
    const label = EXPORTER_LABEL;
    const exported = (context: Bytes) =>
      connection.session.exportKeyingMaterial({ label, context, length });
    const keys = {
      clientToServer: exported(contexts.clientToServer),
      serverToClient: exported(contexts.serverToClient),
    };
    const cookies = this.#options.makeCookies(aeadId, keys);
    keys.clientToServer.fill(0);
    keys.serverToClient.fill(0);
    return cookies;
  }

  /** Sends an Error record (or an empty choice), and gives the client time to read it before the connection goes. */
  async #refuse(connection: TlsConnection, step: ServerStep): Promise<ServiceReason> {
    if (step.kind !== "refuse") return "internal-error";
    const sent = await connection.write(step.response, { last: true });
    if (sent.ok) {
      await this.#within(DRAIN_MS, { work: connection.drain(), late: () => this.close() });
    }
    return step.reason;
  }

  async #within<Value>(
    milliseconds: number,
    options: { readonly work: Promise<Value>; readonly late: () => void },
  ): Promise<Value> {
    const timer = setTimeout(options.late, milliseconds);
    try {
      return await options.work;
    } finally {
      clearTimeout(timer);
    }
  }
}
