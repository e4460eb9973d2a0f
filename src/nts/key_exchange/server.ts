/**
 * The server's side of NTS key establishment (RFC 8915 section 4), without the TLS connection that
 * carries it.
 *
 * The idea: `feed()` takes octets, split anywhere, and tells what to do: wait, send a response that
 * ends the exchange, or export the keys of the algorithm that was chosen and come back with
 * `complete()`. Every request gets a response, an Error record when it deserves one. Limits: a
 * request is at most `REQUEST_LENGTH_MAX` octets; time limits are the caller's, who calls
 * `timedOut()`.
 *
 * AES-128-GCM-SIV is chosen for a client that does not send record 1024 only when nothing else
 * fits, because an old chrony would then export other keys than RFC 8915 has.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { AEAD_ID, type NtsAeadId } from "../../crypto/aead.ts";
import { COOKIE_JAR_SIZE } from "./cookies.ts";
import { type ExporterContexts, exporterContexts } from "./exporter.ts";
import {
  encodeMessage,
  ERROR_CODE,
  type KeyExchangeRecord,
  numbersOf,
  numbersRecord,
  PROTOCOL_NTPV4,
  RECORD,
  RecordReader,
} from "./record.ts";

/** What a server offers. */
export interface KeyExchangeServerOptions {
  /**
   * The algorithms that it has; 15 is one of them (RFC 8915 section 4.1.5). The client's order
   * decides.
   */
  readonly aeadIds: readonly NtsAeadId[];
  /** The name or address of the time server, when it is not this host. */
  readonly ntpServer: string | undefined;
  /** The port of the time server, when it is not 123. */
  readonly ntpPort: number | undefined;
}

/** Why a request was refused. */
export type RequestReason =
  | "unrecognized-critical-record"
  | "bad-request"
  | "request-too-long"
  | "closed-early"
  | "timeout"
  | "internal-error"
  | "no-common-protocol"
  | "no-common-aead-algorithm";

/** What to do next. */
export type ServerStep =
  | { readonly kind: "wait" }
  | {
    readonly kind: "export-keys";
    readonly aeadId: NtsAeadId;
    readonly contexts: ExporterContexts;
  }
  | { readonly kind: "refuse"; readonly response: Bytes; readonly reason: RequestReason };

/** The longest request that is accepted, in octets (RFC 8915 section 4 asks for 1024). */
export const REQUEST_LENGTH_MAX = 4096;

/** One key exchange as its server sees it. */
export class KeyExchangeServer {
  readonly #options: KeyExchangeServerOptions;
  readonly #reader = new RecordReader(REQUEST_LENGTH_MAX);
  #state: "reading" | "exporting" | "over" = "reading";
  #chosen: Choice | undefined;

  /** Prepares to serve one connection. */
  constructor(options: KeyExchangeServerOptions) {
    assert(options.aeadIds.includes(AEAD_ID.AES_SIV_CMAC_256), "A server has AES-SIV-CMAC-256");
    this.#options = options;
  }

  /** Takes octets that came; after a step other than "wait" nothing more is fed. */
  feed(bytes: Uint8Array): ServerStep {
    assert(this.#state === "reading", "A request that is complete is not fed");
    const message = this.#reader.push(bytes);
    if (!message.ok) {
      const long = message.error === "message-too-long";
      return this.#refuse(ERROR_CODE.BAD_REQUEST, long ? "request-too-long" : "bad-request");
    }
    if (message.value === undefined) return { kind: "wait" };
    return this.#decide(message.value);
  }

  /** Tells what to send when no complete request came in time (RFC 8915 section 4.1.3, error 1). */
  timedOut(): ServerStep {
    return this.#refuse(ERROR_CODE.BAD_REQUEST, "timeout");
  }

  /** Tells what to send when the client ends its stream before its request is complete. */
  closed(): ServerStep {
    return this.#refuse(ERROR_CODE.BAD_REQUEST, "closed-early");
  }

  /**
   * Tells what to send when we cannot answer, for example because keys or cookies fail (error 2).
   */
  internalError(): ServerStep {
    return this.#refuse(ERROR_CODE.INTERNAL_SERVER_ERROR, "internal-error");
  }

  /**
   * Returns the response, after the keys were exported and eight cookies with them made (RFC 8915
   * section 4, figure 3).
   */
  complete(cookies: readonly Bytes[]): Bytes {
    assert(this.#state === "exporting", "An exchange is completed after its keys are exported");
    assert(
      cookies.length > 0 && cookies.length <= COOKIE_JAR_SIZE,
      "One to eight cookies are sent",
    );
    this.#state = "over";
    const chosen = this.#chosen;
    assert(chosen !== undefined, "An algorithm is chosen before an exchange is completed");
    const records = [
      numbersRecord(RECORD.NEXT_PROTOCOL, { critical: true, numbers: [PROTOCOL_NTPV4] }),
      numbersRecord(RECORD.AEAD_ALGORITHM, { critical: true, numbers: [chosen.aeadId] }),
    ];
    if (chosen.echoCompliantExporter) {
      records.push(
        numbersRecord(RECORD.COMPLIANT_GCM_SIV_EXPORTER, { critical: false, numbers: [] }),
      );
    }
    records.push(...this.#whereToAsk());
    for (const body of cookies) records.push({ critical: false, type: RECORD.NEW_COOKIE, body });
    return encodeMessage(records);
  }

  #decide(records: readonly KeyExchangeRecord[]): ServerStep {
    const request = readRequest(records);
    if (typeof request === "string") {
      const unknown = request === "unrecognized-critical-record";
      const code = unknown ? ERROR_CODE.UNRECOGNIZED_CRITICAL_RECORD : ERROR_CODE.BAD_REQUEST;
      return this.#refuse(code, request);
    }
    if (!request.protocols.includes(PROTOCOL_NTPV4)) return this.#refuseProtocol();
    if (request.aeadIds === undefined) return this.#refuse(ERROR_CODE.BAD_REQUEST, "bad-request");
    const aeadId = chooseAead(this.#options.aeadIds, request);
    if (aeadId === undefined) return this.#refuseAead();
    this.#state = "exporting";
    const echoCompliantExporter = aeadId === AEAD_ID.AES_128_GCM_SIV && request.compliantExporter;
    this.#chosen = { aeadId, echoCompliantExporter };
    return { kind: "export-keys", aeadId, contexts: exporterContexts(aeadId) };
  }

  #whereToAsk(): KeyExchangeRecord[] {
    const { ntpServer, ntpPort } = this.#options;
    const records: KeyExchangeRecord[] = [];
    // Critical: a client that ignored them would ask a server that cannot read its cookies.
    if (ntpServer !== undefined) {
      const body = new TextEncoder().encode(ntpServer);
      records.push({ critical: true, type: RECORD.NTP_SERVER, body });
    }
    if (ntpPort !== undefined) {
      records.push(numbersRecord(RECORD.NTP_PORT, { critical: true, numbers: [ntpPort] }));
    }
    return records;
  }

  #refuse(code: number, reason: RequestReason): ServerStep {
    this.#state = "over";
    const record = numbersRecord(RECORD.ERROR, { critical: true, numbers: [code] });
    return { kind: "refuse", response: encodeMessage([record]), reason };
  }

  #refuseProtocol(): ServerStep {
    this.#state = "over";
    const none = numbersRecord(RECORD.NEXT_PROTOCOL, { critical: true, numbers: [] });
    return { kind: "refuse", response: encodeMessage([none]), reason: "no-common-protocol" };
  }

  #refuseAead(): ServerStep {
    this.#state = "over";
    const response = encodeMessage([
      numbersRecord(RECORD.NEXT_PROTOCOL, { critical: true, numbers: [PROTOCOL_NTPV4] }),
      numbersRecord(RECORD.AEAD_ALGORITHM, { critical: true, numbers: [] }),
    ]);
    return { kind: "refuse", response, reason: "no-common-aead-algorithm" };
  }
}

interface Choice {
  readonly aeadId: NtsAeadId;
  readonly echoCompliantExporter: boolean;
}

interface Request {
  readonly protocols: readonly number[];
  readonly aeadIds: readonly number[] | undefined;
  readonly compliantExporter: boolean;
}

/** What has been read of a request so far. */
interface Draft {
  protocols: readonly number[] | undefined;
  aeadIds: readonly number[] | undefined;
  compliantExporter: boolean;
  /** The types of the records so far. */
  readonly seen: Set<number>;
}

type MalformedReason = "unrecognized-critical-record" | "bad-request";

function chooseAead(ours: readonly NtsAeadId[], request: Request): NtsAeadId | undefined {
  const common = (request.aeadIds ?? [])
    .map((id) => ours.find((own) => own === id))
    .filter((id) => id !== undefined);
  const unambiguous = common.find((id) =>
    id !== AEAD_ID.AES_128_GCM_SIV || request.compliantExporter
  );
  return unambiguous ?? common[0];
}

function readRequest(records: readonly KeyExchangeRecord[]): Request | MalformedReason {
  const draft: Draft = {
    protocols: undefined,
    aeadIds: undefined,
    compliantExporter: false,
    seen: new Set(),
  };
  for (const record of records) {
    const reason = readRecord(draft, record);
    if (reason !== undefined) return reason;
    draft.seen.add(record.type);
  }
  const { protocols, aeadIds, compliantExporter } = draft;
  return protocols === undefined ? "bad-request" : { protocols, aeadIds, compliantExporter };
}

function readRecord(draft: Draft, record: KeyExchangeRecord): MalformedReason | undefined {
  const isAgain = draft.seen.has(record.type);
  switch (record.type) {
    case RECORD.NEXT_PROTOCOL:
      draft.protocols = numbersOf(record.body);
      return isAgain || !record.critical || !draft.protocols?.length ? "bad-request" : undefined;
    case RECORD.AEAD_ALGORITHM:
      draft.aeadIds = numbersOf(record.body);
      return isAgain || !draft.aeadIds?.length ? "bad-request" : undefined;
    case RECORD.ERROR:
    case RECORD.WARNING:
    case RECORD.NEW_COOKIE:
      return "bad-request"; // a client must not send these (sections 4.1.3, 4.1.4, 4.1.6)
    case RECORD.NTP_SERVER:
      return isAgain ? "bad-request" : undefined; // a wish, which we do not grant
    case RECORD.NTP_PORT:
      return isAgain || record.body.length !== 2 ? "bad-request" : undefined;
    case RECORD.COMPLIANT_GCM_SIV_EXPORTER:
      draft.compliantExporter ||= record.body.length === 0;
      return undefined;
    default:
      return record.critical ? "unrecognized-critical-record" : undefined;
  }
}
