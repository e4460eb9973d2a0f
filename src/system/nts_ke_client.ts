/**
 * The client's side of NTS key exchange over the network (RFC 8915 section 4): resolve, connect,
 * handshake, ask, export the keys.
 *
 * The idea: one call, one deadline over everything, one result with a word for each way to fail;
 * nothing is thrown. Exchanges are independent of one another. Addresses of a name are tried side
 * by side, each a little later than the one before, and the first connection wins. The
 * certificate's dates are judged here, after the handshake, so that a certificate whose only fault
 * is the date can be told from one that is false (see
 * `engine/authenticated_time/certificate_time.ts` for what follows from that).
 *
 * Limits: no proxy, no revocation lists; a response is at most 65,536 octets.
 *
 * @module
 */
import type { OpenSsl, PeerCertificates, TlsClientContext } from "../../ffi/openssl/mod.ts";
import { resolveName } from "../../ffi/resolver.ts";
import { type Bytes, toHex } from "../base/bytes.ts";
import { describeFault } from "../base/describe_fault.ts";
import { err, ok, type Result } from "../base/result.ts";
import { formatAddress, type SocketAddress } from "../base/socket_address.ts";
import { aeadParameters, type NtsAeadId } from "../crypto/aead.ts";
import { digest } from "../crypto/digest.ts";
import {
  EXPORTER_LABEL,
  type ExporterContexts,
  type SessionKeys,
} from "../nts/key_exchange/exporter.ts";
import {
  DEFAULT_CLIENT_AEAD_IDS,
  KeyExchangeClient,
  type KeyExchangeReason,
  type KeyExchangeResponse,
  RESPONSE_LENGTH_MAX,
} from "../nts/key_exchange/client.ts";
import type { CertificateDatePolicy } from "../nts/key_exchange/date_policy.ts";
import type {
  DateReason,
  ExchangeCertificate,
  KeyExchangeOutcome,
} from "../nts/key_exchange/outcome.ts";
import { closeQuietly, type Connected, connectToFirst } from "./tcp_connect.ts";
import { type ConnectionReason, TlsConnection } from "./tls_connection.ts";

/** Why there are no keys. */
export type ExchangeReason =
  | KeyExchangeReason
  | ConnectionReason
  | "name-not-found"
  | "name-not-resolved"
  | "connection-refused"
  | "timeout";

/** A failure: the word to count, and a sentence. */
export interface ExchangeFailure {
  /** The word to count. */
  readonly reason: ExchangeReason;
  /** A sentence without a full stop. */
  readonly message: string;
  /** Whether no server was reached, because there was no name or no way to it. */
  readonly isLocal?: boolean;
}

/** What to exchange, with whom. */
export interface ExchangeOptions {
  /** The library. */
  readonly openssl: OpenSsl;
  /** The certificates to trust. */
  readonly context: TlsClientContext;
  /**
   * The file from which the context has them, to be kept in the outcome; the system's when left
   * out.
   */
  readonly certificateAuthority?: string | undefined;
  /** Host name or address of the key exchange server; its certificate must name it. */
  readonly host: string;
  /** TCP port of the key exchange server. */
  readonly port: number;
  /** How dates are judged. */
  readonly dates: CertificateDatePolicy;
  /**
   * So many of the name's addresses are tried last, so that exchanges with one pool reach different
   * servers; 0 if left out.
   */
  readonly addressesSkipped?: number;
  /** Algorithms in order of preference. */
  readonly aeadIds?: readonly NtsAeadId[];
  /** The most that everything may take; 10 seconds when left out. */
  readonly timeoutMs?: number;
  /** Ends the exchange early. */
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 10_000;
const HANDSHAKE_LENGTH_MAX = 160_000;
const ADDRESSES_TRIED_MAX = 8;

/**
 * Exchanges keys; returns them or the reason why there are none, at the latest after the deadline.
 */
export async function exchangeKeys(
  options: ExchangeOptions,
): Promise<Result<KeyExchangeOutcome, ExchangeFailure>> {
  const ended = new AbortController();
  const stop = () => ended.abort();
  const timer = setTimeout(stop, timeoutOf(options));
  options.signal?.addEventListener("abort", stop);
  if (options.signal?.aborted) stop();
  const progress = { isResolved: false };
  try {
    const running = exchange(options, { signal: ended.signal, progress });
    const result = await untilAborted(running, ended.signal);
    const isDone = result !== undefined && (result.ok || !ended.signal.aborted);
    return isDone ? result : endedEarly(options, progress);
  } catch (error) {
    // The boundary: whatever a server made us stumble over costs this exchange alone.
    const message = `The exchange with ${placeOf(options)} failed with an internal error, ${
      describeFault(error)
    }`;
    return fail("internal-error", message);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
    ended.abort(); // for what still runs: a slow resolver, other addresses
  }
}

function timeoutOf({ timeoutMs = TIMEOUT_MS }: ExchangeOptions): number {
  return timeoutMs;
}

function placeOf({ host, port }: ExchangeOptions): string {
  return `${host}:${port}`;
}

/** Says why an exchange ended before it was done. */
function endedEarly(
  options: ExchangeOptions,
  { isResolved }: { readonly isResolved: boolean },
): { readonly ok: false; readonly error: ExchangeFailure } {
  const place = placeOf(options), time = `${timeoutOf(options)} ms`;
  if (options.signal?.aborted) return fail("timeout", `The exchange with ${place} was given up`);
  return isResolved
    ? fail("timeout", `The exchange with ${place} took longer than ${time}`)
    : failLocally("timeout", `Looking up ${options.host} took longer than ${time}`);
}

/** Waits for a promise, but no longer than until the signal; then undefined. */
async function untilAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | undefined> {
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function exchange(
  options: ExchangeOptions,
  run: { readonly signal: AbortSignal; readonly progress: { isResolved: boolean } },
): Promise<Result<KeyExchangeOutcome, ExchangeFailure>> {
  const { signal } = run;
  const addresses = await resolve(options);
  if (!addresses.ok) return addresses;
  run.progress.isResolved = true;
  if (signal.aborted) return fail("timeout", "The exchange was given up");
  const connected = await connectToFirst(addresses.value, signal);
  if (!connected.ok) {
    return err({ reason: "connection-refused" as const, ...connected.error });
  }
  const { transport } = connected.value;
  using _transport = { [Symbol.dispose]: () => closeQuietly(transport) };
  return await exchangeOver(connected.value, { options, signal });
}

async function exchangeOver(
  { transport, address }: Connected,
  { options, signal }: { readonly options: ExchangeOptions; readonly signal: AbortSignal },
): Promise<Result<KeyExchangeOutcome, ExchangeFailure>> {
  const { openssl, context, host, dates } = options;
  const session = openssl.connect(context, {
    host,
    // A refusal during the handshake is told to the server; what is to be accepted is judged later.
    time: dates.outside === "refuse" ? dates.now : "unchecked",
  });
  if (!session.ok) return session;
  using connection = new TlsConnection(transport, {
    session: session.value,
    receivedMax: HANDSHAKE_LENGTH_MAX + RESPONSE_LENGTH_MAX,
  });
  const abort = () => connection.abort();
  signal.addEventListener("abort", abort);
  try {
    if (signal.aborted) return fail("timeout", "The exchange was given up");
    return await talk(connection, { options, peerAddress: formatAddress(address) });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function talk(
  connection: TlsConnection,
  { options, peerAddress }: { readonly options: ExchangeOptions; readonly peerAddress: string },
): Promise<Result<KeyExchangeOutcome, ExchangeFailure>> {
  const complete = await connection.handshake();
  if (!complete.ok) return complete;
  const certificates = connection.session.peerCertificates();
  const dates = checkDates(certificates, options);
  if (!dates.ok) return dates;
  const machine = new KeyExchangeClient({ aeadIds: options.aeadIds ?? DEFAULT_CLIENT_AEAD_IDS });
  const sent = await connection.write(machine.request());
  if (!sent.ok) return sent;
  const response = await readResponse(connection, machine);
  if (!response.ok) return response;
  const { contexts, alternativeContexts, ...agreed } = response.value;
  const { aeadId } = agreed;
  const exported = (of: ExporterContexts) => exportKeys(connection, { aeadId, contexts: of });
  const keys = exported(contexts);
  const alternativeKeys = alternativeContexts && exported(alternativeContexts);
  await connection.sayGoodBye();
  return ok({
    ...agreed,
    keys,
    alternativeKeys,
    peerAddress,
    provisional: dates.value,
    certificate: certificateOf(certificates, options),
  });
}

function certificateOf(
  { leaf, notBefore, notAfter, publicKey, chain }: PeerCertificates,
  { host, certificateAuthority }: ExchangeOptions,
): ExchangeCertificate {
  const identity = toHex(digest("SHA256", publicKey));
  return { leaf, notBefore, notAfter, identity, host, certificateAuthority, chain };
}

async function readResponse(
  connection: TlsConnection,
  machine: KeyExchangeClient,
): Promise<Result<KeyExchangeResponse, ExchangeFailure>> {
  for (;;) {
    const part = await connection.read();
    if (!part.ok) return part;
    if (part.value === undefined) return refuse(machine.closed());
    const response = machine.feed(part.value);
    if (!response.ok) return refuse(response.error);
    if (response.value !== undefined) return ok(response.value);
  }
}

/**
 * Checks the dates; returns the reason why the certificate is only provisionally accepted, or
 * undefined.
 */
function checkDates(
  certificates: PeerCertificates,
  options: ExchangeOptions,
): Result<DateReason | undefined, ExchangeFailure> {
  const { now, outside, lowerBound, boundAdvice = "" } = options.dates;
  const { notBefore, notAfter } = certificates;
  if (!Number.isFinite(notBefore) || !Number.isFinite(notAfter)) {
    const message = "The certificate was refused: its dates, or its issuer's, cannot be read";
    return err({ reason: "certificate-invalid", message });
  }
  if (lowerBound !== undefined && notAfter < lowerBound) {
    const ended = new Date(notAfter * 1000).toISOString();
    const passed = new Date(lowerBound * 1000).toISOString();
    const message = `The certificate was refused: it ended ${ended}, and ${passed} has certainly ` +
      `passed${boundAdvice}`;
    return err({ reason: "certificate-expired", message });
  }
  const { host } = options;
  const verified = options.context.verifyChain(certificates.chain, { host, time: now });
  if (verified.ok) return ok(undefined);
  const { reason } = verified.error;
  const isOnlyDates = reason === "certificate-expired" || reason === "certificate-not-yet-valid";
  if (isOnlyDates && outside === "accept-provisionally") return ok(reason);
  return verified;
}

function exportKeys(
  connection: TlsConnection,
  of: { readonly aeadId: NtsAeadId; readonly contexts: ExporterContexts },
): SessionKeys {
  const length = aeadParameters(of.aeadId).keyLength;
  const material = (context: Bytes) =>
    connection.session.exportKeyingMaterial({ label: EXPORTER_LABEL, context, length });
  return {
    clientToServer: material(of.contexts.clientToServer),
    serverToClient: material(of.contexts.serverToClient),
  };
}

async function resolve(
  options: ExchangeOptions,
): Promise<Result<readonly SocketAddress[], ExchangeFailure>> {
  const { host, port } = options;
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  const resolved = await resolveName(bare, { port });
  if (resolved.ok) {
    const found = resolved.value;
    const first = (options.addressesSkipped ?? 0) % Math.max(1, found.length);
    return ok([...found.slice(first), ...found.slice(0, first)].slice(0, ADDRESSES_TRIED_MAX));
  }
  const { temporary, message } = resolved.error;
  return failLocally(temporary ? "name-not-resolved" : "name-not-found", message);
}

function refuse(
  reason: KeyExchangeReason,
): { readonly ok: false; readonly error: ExchangeFailure } {
  const words = reason.replaceAll("-", " ");
  return err({ reason, message: `The server's response cannot be used: ${words}` });
}

function fail(
  reason: ExchangeReason,
  message: string,
): { readonly ok: false; readonly error: ExchangeFailure } {
  return err({ reason, message });
}

/** No server was asked anything. */
function failLocally(
  reason: ExchangeReason,
  message: string,
): { readonly ok: false; readonly error: ExchangeFailure } {
  return err({ reason, message, isLocal: true });
}
