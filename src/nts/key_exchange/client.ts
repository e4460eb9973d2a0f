/**
 * The client's side of NTS key establishment (RFC 8915 section 4), without the TLS connection that
 * carries it.
 *
 * The idea: `request()` gives the octets to send, `feed()` takes the octets that come, split
 * anywhere, and gives the response when it is complete. Every way to fail has a name, so that it
 * can be counted and shown. Limits: the response is at most 65536 octets and eight cookies of it
 * are kept; time limits are the caller's.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { NTP_PORT } from "../../base/ports.ts";
import { AEAD_ID, isNtsAeadId, type NtsAeadId } from "../../crypto/aead.ts";
import { COOKIE_JAR_SIZE, isUsableCookie } from "./cookies.ts";
import { type ExporterContexts, exporterContexts, oldGcmSivExporterContexts } from "./exporter.ts";
import type { AgreedParameters } from "./outcome.ts";
import {
  encodeMessage,
  ERROR_CODE,
  type KeyExchangeRecord,
  numbersOf,
  numbersRecord,
  PROTOCOL_NTPV4,
  RECORD,
  RecordReader,
  type RecordReason,
} from "./record.ts";

/** Why a key exchange failed, as far as the messages tell. */
export type KeyExchangeReason =
  | RecordReason
  | "closed-early"
  | "server-error-unrecognized-critical-record"
  | "server-error-bad-request"
  | "server-error-internal"
  | "server-error-unknown-code"
  | "server-warning"
  | "malformed-record"
  | "duplicate-record"
  | "unknown-critical-record"
  | "no-next-protocol"
  | "protocol-refused"
  | "protocol-not-offered"
  | "no-aead-algorithm"
  | "aead-algorithm-refused"
  | "aead-algorithm-not-offered"
  | "no-cookies"
  | "bad-ntp-server"
  | "bad-ntp-port";

/** What a key exchange agreed on, and how to make its keys. */
export interface KeyExchangeResponse extends AgreedParameters {
  /** The contexts from which the keys are exported. */
  readonly contexts: ExporterContexts;
  /**
   * The contexts of the keys to try after a first NAK, when it is open which ones the server
   * uses.
   */
  readonly alternativeContexts: ExporterContexts | undefined;
}

/** What the client asks for. */
export interface KeyExchangeClientOptions {
  /** Algorithms in order of preference, at least one. */
  readonly aeadIds: readonly NtsAeadId[];
}

/**
 * The algorithms that the client offers when it is not told otherwise: the one that every server
 * must have comes first.
 */
export const DEFAULT_CLIENT_AEAD_IDS: readonly NtsAeadId[] = [
  AEAD_ID.AES_SIV_CMAC_256,
  AEAD_ID.AES_128_GCM_SIV,
  AEAD_ID.AES_SIV_CMAC_512,
  AEAD_ID.AES_SIV_CMAC_384,
];

/** The longest response that is accepted, in octets (RFC 8915 section 4 asks for this many). */
export const RESPONSE_LENGTH_MAX = 65_536;

/** One key exchange as its client sees it. */
export class KeyExchangeClient {
  readonly #aeadIds: readonly NtsAeadId[];
  readonly #reader = new RecordReader(RESPONSE_LENGTH_MAX);
  #done = false;

  /** Prepares an exchange. */
  constructor(options: KeyExchangeClientOptions) {
    assert(options.aeadIds.length > 0, "At least one algorithm is offered");
    this.#aeadIds = options.aeadIds;
  }

  /**
   * Returns the octets to send once the TLS handshake is complete (RFC 8915 section 4, figure 3).
   */
  request(): Bytes {
    const records = [
      numbersRecord(RECORD.NEXT_PROTOCOL, { critical: true, numbers: [PROTOCOL_NTPV4] }),
      numbersRecord(RECORD.AEAD_ALGORITHM, { critical: true, numbers: this.#aeadIds }),
    ];
    if (this.#aeadIds.includes(AEAD_ID.AES_128_GCM_SIV)) {
      records.push(
        numbersRecord(RECORD.COMPLIANT_GCM_SIV_EXPORTER, { critical: false, numbers: [] }),
      );
    }
    return encodeMessage(records);
  }

  /**
   * Takes octets that came; returns the response when it is complete and undefined while more is
   * awaited. After a response or a failure the exchange is over and the machine is not used again.
   */
  feed(bytes: Uint8Array): Result<KeyExchangeResponse | undefined, KeyExchangeReason> {
    assert(!this.#done, "A key exchange that is over is not fed");
    const message = this.#reader.push(bytes);
    if (message.ok && message.value === undefined) return ok(undefined);
    this.#done = true;
    if (!message.ok) return message;
    return interpret(message.value ?? [], this.#aeadIds);
  }

  /**
   * Tells why the exchange failed when the server closes the connection before `feed` gave a
   * response.
   */
  closed(): KeyExchangeReason {
    this.#done = true;
    return "closed-early";
  }
}

/** What has been read of a response so far. */
interface Draft {
  protocols?: readonly number[];
  aeadIds?: readonly number[];
  readonly cookies: Bytes[];
  ntpServer?: string;
  ntpPort?: number;
  compliantExporter: boolean;
}

function interpret(
  records: readonly KeyExchangeRecord[],
  offered: readonly NtsAeadId[],
): Result<KeyExchangeResponse, KeyExchangeReason> {
  // An Error record overrules whatever else the message holds (RFC 8915 section 4.1.3).
  const failure = records.find((record) => record.type === RECORD.ERROR);
  if (failure !== undefined) return err(errorReason(failure));
  const draft: Draft = { cookies: [], compliantExporter: false };
  for (const record of records) {
    const reason = readRecord(draft, record);
    if (reason !== undefined) return err(reason);
  }
  return conclude(draft, offered);
}

function errorReason(record: KeyExchangeRecord): KeyExchangeReason {
  switch (record.body.length === 2 ? numbersOf(record.body)?.[0] : undefined) {
    case ERROR_CODE.UNRECOGNIZED_CRITICAL_RECORD:
      return "server-error-unrecognized-critical-record";
    case ERROR_CODE.BAD_REQUEST:
      return "server-error-bad-request";
    case ERROR_CODE.INTERNAL_SERVER_ERROR:
      return "server-error-internal";
    default:
      return "server-error-unknown-code";
  }
}

function readRecord(draft: Draft, record: KeyExchangeRecord): KeyExchangeReason | undefined {
  switch (record.type) {
    case RECORD.NEXT_PROTOCOL:
      return readProtocols(draft, record);
    case RECORD.WARNING:
      return "server-warning"; // none is defined, and unknown ones are errors (section 4.1.4)
    case RECORD.AEAD_ALGORITHM:
      return readAeadIds(draft, record.body);
    case RECORD.NEW_COOKIE:
      // A cookie that cannot travel in a packet is of no use, but the others may be.
      if (isUsableCookie(record.body) && draft.cookies.length < COOKIE_JAR_SIZE) {
        draft.cookies.push(record.body);
      }
      return undefined;
    case RECORD.NTP_SERVER:
      return readServer(draft, record.body);
    case RECORD.NTP_PORT:
      return readPort(draft, record.body);
    case RECORD.COMPLIANT_GCM_SIV_EXPORTER:
      if (record.body.length === 0) draft.compliantExporter = true;
      return undefined;
    default:
      return record.critical ? "unknown-critical-record" : undefined;
  }
}

function readProtocols(draft: Draft, record: KeyExchangeRecord): KeyExchangeReason | undefined {
  if (draft.protocols !== undefined) return "duplicate-record";
  const protocols = numbersOf(record.body);
  if (!record.critical || protocols === undefined) return "malformed-record";
  draft.protocols = protocols;
  return undefined;
}

function readAeadIds(draft: Draft, body: Bytes): KeyExchangeReason | undefined {
  if (draft.aeadIds !== undefined) return "duplicate-record";
  const aeadIds = numbersOf(body);
  if (aeadIds === undefined || aeadIds.length > 1) return "malformed-record";
  draft.aeadIds = aeadIds;
  return undefined;
}

function readServer(draft: Draft, body: Bytes): KeyExchangeReason | undefined {
  if (draft.ntpServer !== undefined) return "duplicate-record";
  const name = String.fromCharCode(...body.subarray(0, 256));
  // Names, dotted decimals and IPv6 text, without brackets, zone or port (section 4.1.7).
  if (name.length > 255 || !/^[0-9A-Za-z_.:-]+$/.test(name)) return "bad-ntp-server";
  draft.ntpServer = name;
  return undefined;
}

function readPort(draft: Draft, body: Bytes): KeyExchangeReason | undefined {
  if (draft.ntpPort !== undefined) return "duplicate-record";
  const port = body.length === 2 ? numbersOf(body)?.[0] : undefined;
  if (port === undefined || port === 0) return "bad-ntp-port";
  draft.ntpPort = port;
  return undefined;
}

function conclude(
  draft: Draft,
  offered: readonly NtsAeadId[],
): Result<KeyExchangeResponse, KeyExchangeReason> {
  const reason = protocolReason(draft.protocols);
  if (reason !== undefined) return err(reason);
  if (draft.aeadIds === undefined) return err("no-aead-algorithm");
  const aeadId = draft.aeadIds[0];
  if (aeadId === undefined) return err("aead-algorithm-refused");
  if (!isNtsAeadId(aeadId) || !offered.includes(aeadId)) return err("aead-algorithm-not-offered");
  if (draft.cookies.length === 0) return err("no-cookies");
  const open = aeadId === AEAD_ID.AES_128_GCM_SIV && !draft.compliantExporter;
  return ok({
    aeadId,
    cookies: draft.cookies,
    ntpServer: draft.ntpServer,
    ntpPort: draft.ntpPort ?? NTP_PORT,
    // A server that does not echo record 1024 is most likely an old chrony; the other keys come
    // after its first NAK.
    contexts: open ? oldGcmSivExporterContexts() : exporterContexts(aeadId),
    alternativeContexts: open ? exporterContexts(aeadId) : undefined,
  });
}

/** Says why the protocols that the server chose are not ours; undefined when they are. */
function protocolReason(protocols: readonly number[] | undefined): KeyExchangeReason | undefined {
  if (protocols === undefined) return "no-next-protocol";
  if (protocols.some((protocol) => protocol !== PROTOCOL_NTPV4)) return "protocol-not-offered";
  return protocols.length === 0 ? "protocol-refused" : undefined;
}
