/**
 * The server's side of NTS key exchange over the network (RFC 8915 section 4): one listener, many
 * clients at once.
 *
 * The problem: any client may connect, send nothing, send slowly, or handshake without end. The
 * idea: each connection has a deadline for its handshake and another for its request and takes a
 * bounded number of octets; the listener (`src/daemon/tcp/tcp_listener.ts`) lets newcomers in at
 * the cost of the largest crowd and limits handshakes, which cost most, for each network prefix;
 * and nothing is kept for a client that has sent nothing but its place in the table.
 *
 * Limits: one thread; a handshake holds the others up for as long as OpenSSL takes: with its
 * version 3.0 and P-256 some 0.3 ms, with RSA of 2048 bits about 1 ms.
 *
 * @module
 */
import type { OpenSsl, TlsServerContext } from "../../../ffi/openssl/mod.ts";
import { assert, unreachable } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { err, type Result } from "../../base/result.ts";
import type { SocketAddress } from "../../base/socket_address.ts";
import { aeadParameters, type NtsAeadId } from "../../crypto/aead.ts";
import { type CookieCodec, OWN_COOKIE_LENGTH_MAX } from "../../nts/server/cookie.ts";
import { COOKIE_JAR_SIZE } from "../../nts/key_exchange/cookies.ts";
import { EXPORTER_LABEL, type SessionKeys } from "../../nts/key_exchange/exporter.ts";
import {
  KeyExchangeServer,
  type KeyExchangeServerOptions,
  REQUEST_LENGTH_MAX,
  type RequestReason,
  type ServerStep,
} from "../../nts/key_exchange/server.ts";
import type { PrefixRate } from "../tcp/connection_table.ts";
import {
  describeListenError,
  type ListenerReason,
  type TcpConnection,
  TcpListener,
} from "../tcp/tcp_listener.ts";
import { type ConnectionReason, TlsConnection } from "../../system/tls_connection.ts";

/** Why a connection brought no keys. */
export type ServiceReason =
  | RequestReason
  | ConnectionReason
  | ListenerReason
  | "handshake-timeout";

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

/**
 * The rate that is not felt by honest networks and bounds what one network can take of the
 * processor.
 */
const HANDSHAKE_RATE: PrefixRate = { burst: 1024, perSecond: 64 };

// A ClientHello and Finished take about 600 octets; certificates are not asked of clients.
const RECEIVED_MAX = 16_384 + REQUEST_LENGTH_MAX;
const DRAIN_MS = 250;

type Outcome = "completed" | ServiceReason;

/** A listener for key exchange; `completed` counts the exchanges that brought keys. */
export type NtsKeListener = TcpListener<ServiceReason>;

/** Starts to listen; the error is a sentence that says why the address cannot be used. */
export function startNtsKeServer(options: NtsKeServerOptions): Result<NtsKeListener, string> {
  assert(options.timeoutMs > 0, "A deadline lies ahead");
  const { listen, timeoutMs } = options;
  const where = `${listen.address} port ${listen.port}`;
  const started = TcpListener.start<ServiceReason>({
    listen,
    name: `Key exchange on ${where}`,
    connectionsMax: options.concurrentConnections,
    // For the handshake, the request, and a client that does not take the response.
    lifetimeMs: 3 * timeoutMs + DRAIN_MS,
    rate: options.handshakeRate ?? HANDSHAKE_RATE,
    serve: (connection) => new KeyExchangeConnection(options, connection).serve(),
  });
  if (started.ok) return started;
  const reason = describeListenError(started.error, listen.port);
  return err(`Cannot listen for NTS key exchange on ${where}: ${reason}`);
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
class KeyExchangeConnection {
  readonly #options: NtsKeServerOptions;
  readonly #connection: TcpConnection<ServiceReason>;
  readonly #tls: TlsConnection;

  constructor(options: NtsKeServerOptions, connection: TcpConnection<ServiceReason>) {
    this.#options = options;
    this.#connection = connection;
    this.#tls = new TlsConnection(connection.transport, {
      session: () => options.openssl.accept(options.context()),
      receivedMax: RECEIVED_MAX,
    });
  }

  /** Carries the exchange to its end. */
  async serve(): Promise<Outcome> {
    using _tls = this.#tls;
    const outcome = await this.#exchange();
    return outcome === "completed" ? outcome : this.#connection.endedBecause ?? outcome;
  }

  async #exchange(): Promise<Outcome> {
    const { timeoutMs, offer } = this.#options;
    const work = this.#tls.handshake();
    const complete = await this.#connection.within(timeoutMs, {
      work,
      because: "handshake-timeout",
    });
    if (!complete.ok) return complete.error.reason;
    const machine = new KeyExchangeServer(offer);
    const step = await this.#readRequest(machine);
    return typeof step === "string" ? step : await this.#answer(machine, step);
  }

  /** Reads until the request is whole or its time is over; the latter is answered too. */
  async #readRequest(machine: KeyExchangeServer): Promise<ServerStep | ServiceReason> {
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), this.#options.timeoutMs);
    try {
      for (;;) {
        const part = await Promise.race([this.#tls.read(), late.promise]);
        if (part === "late") return machine.timedOut();
        if (!part.ok) return part.error.reason;
        if (part.value === undefined) return machine.closed();
        const step = machine.feed(part.value);
        if (step.kind !== "wait") return step;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #answer(machine: KeyExchangeServer, step: ServerStep): Promise<Outcome> {
    switch (step.kind) {
      case "wait":
        return "internal-error";
      case "refuse":
        return await this.#refuse(step);
      case "export-keys": {
        const cookies = this.#cookies(step);
        if (cookies === undefined) return await this.#refuse(machine.internalError());
        const sent = await this.#tls.write(machine.complete(cookies), { last: true });
        return sent.ok ? "completed" : sent.error.reason;
      }
      default:
        return unreachable(step);
    }
  }

  #cookies(step: ServerStep & { readonly kind: "export-keys" }): readonly Bytes[] | undefined {
    const { aeadId, contexts } = step;
    const length = aeadParameters(aeadId).keyLength;
    const label = EXPORTER_LABEL;
    const exported = (context: Bytes) =>
      this.#tls.session.exportKeyingMaterial({ label, context, length });
    const keys = {
      clientToServer: exported(contexts.clientToServer),
      serverToClient: exported(contexts.serverToClient),
    };
    try {
      return this.#options.makeCookies(aeadId, keys);
    } finally {
      keys.clientToServer.fill(0);
      keys.serverToClient.fill(0);
    }
  }

  /**
   * Sends an Error record (or an empty choice), and gives the client time to read it before the
   * connection goes.
   */
  async #refuse(step: ServerStep): Promise<ServiceReason> {
    if (step.kind !== "refuse") return "internal-error";
    const { reason, response } = step;
    const sent = await this.#tls.write(response, { last: true });
    // What ends the waiting is not why there are no keys, so the reason stays.
    if (sent.ok) await this.#drain();
    return reason;
  }

  async #drain(): Promise<void> {
    const timer = setTimeout(() => this.#tls.abort(), DRAIN_MS);
    await this.#tls.drain();
    clearTimeout(timer);
  }
}
