/**
 * What became of the requests to a listener, counted by reason.
 *
 * The idea: the response path adds to numbers in an array by index; names are put beside them only
 * for a snapshot. Each request has one outcome: a response with the time, a Network Time Security
 * NAK, a response of the control protocol, or a reason why it was dropped (of which a kiss may
 * tell). A batch that fails halfway is counted as what became of it. Limits: counts are doubles,
 * exact to 2^53.
 *
 * @module
 */
import type { NtsDropReason } from "../nts/server/server_fields.ts";
import type { UnansweredSource } from "./client_address.ts";

/** Why a request got no response, or only a kiss. */
export type ServerDropReason =
  | "too-short"
  | "not-a-request"
  | "control"
  | "version"
  | UnansweredSource
  | "access-denied"
  | "rate-limited"
  | "malformed-extension"
  | "unknown-key"
  | "bad-mac"
  | "nts-required"
  | "nts-not-served"
  | "send-failed"
  | "internal-error"
  | NtsDropReason;

/** The reasons in the order of the counts; a reason's number is its index. */
const REASONS = [
  "too-short",
  "not-a-request",
  "control",
  "version",
  "source-port",
  "source-address",
  "access-denied",
  "rate-limited",
  "malformed-extension",
  "unknown-key",
  "bad-mac",
  "nts-required",
  "nts-not-served",
  "send-failed",
  "internal-error",
  "nts-malformed-field",
  "nts-too-many-fields",
  "nts-no-unique-identifier",
  "nts-duplicate-unique-identifier",
  "nts-short-unique-identifier",
  "nts-no-cookie",
  "nts-duplicate-cookie",
  "nts-no-authenticator",
  "nts-duplicate-authenticator",
  "nts-malformed-authenticator",
  "nts-short-nonce",
  "nts-malformed-encrypted-field",
  "nts-encrypted-cookie",
] as const satisfies readonly ServerDropReason[];

const INDEX = new Map<ServerDropReason, number>(REASONS.map((reason, i) => [reason, i]));

/** What a response counts as; one may be several. */
export const COUNTED = {
  response: 1,
  interleaved: 2,
  ntsResponse: 4,
  kiss: 8,
  ntsNak: 16,
} as const;

/** What is the outcome of its request; another kiss tells of a reason that was counted. */
const OUTCOME = COUNTED.response | COUNTED.ntsNak;

const BATCH_MAX = 1024;

/** Counts of one listener. The response path adds to them; others read them. */
export class ServerCounters {
  /** Datagrams that arrived. */
  received = 0;
  /** Responses with the time, authenticated or not; kisses are not among them. */
  answered = 0;
  /** Responses in interleaved mode, among those answered. */
  interleaved = 0;
  /** Requests refused by access lists or for want of Network Time Security. */
  denied = 0;
  /** Requests beyond the rate limit that were not answered. */
  rateLimited = 0;
  /** Kisses of all kinds that were sent. */
  kisses = 0;
  /** Responses protected by Network Time Security. */
  ntsAnswered = 0;
  /** Network Time Security NAKs. */
  ntsNaks = 0;
  /** Requests of the control protocol that were answered. */
  controlAnswered = 0;

  readonly #dropped = new Float64Array(REASONS.length);
  /** What was counted of each response of the batch, in the order in which they are sent. */
  readonly #queued = new Uint8Array(BATCH_MAX);
  #queuedCount = 0;
  /** How many of them, from the first, were sent or were found to be refused by the system. */
  #handedOver = 0;
  #batchCount = 0;
  /** How many requests of the batch have an outcome. */
  #outcomes = 0;

  /** Begins a batch of requests. */
  beginBatch(count: number): void {
    this.received += count;
    this.#batchCount = count;
    this.#outcomes = this.#queuedCount = this.#handedOver = 0;
  }

  /** Ends a batch: what was queued and not found to be refused was sent. */
  endBatch(): void {
    this.beginBatch(0);
  }

  /**
   * Ends a batch of `count` requests that an internal error cut short, wherever it was: responses
   * that were not handed over to the system are none, and requests without an outcome are dropped.
   */
  abandonBatch(count: number): void {
    if (this.#batchCount === 0) this.beginBatch(count);
    while (this.#handedOver < this.#queuedCount) this.#takeBack("internal-error");
    this.drop("internal-error", this.#batchCount - this.#outcomes);
    this.endBatch();
  }

  /** Counts a response that is queued to be sent, by its parts: numbers of `COUNTED`, added up. */
  queue(parts: number): void {
    this.#queued[this.#queuedCount++] = parts;
    if (parts === COUNTED.response) this.answered++;
    else this.#count(parts, 1);
    if ((parts & OUTCOME) !== 0) this.#outcomes++;
  }

  /**
   * Takes the response at a position of the queue out of the counts again, because the system
   * refused to send it. Those before it were sent.
   */
  unsent(position: number): void {
    this.#handedOver = position;
    this.#takeBack("send-failed");
  }

  /**
   * Counts an internal error at request `index` of the batch, unless it has an outcome already: a
   * response that is queued is sent all the same.
   */
  failRequest(index: number): void {
    if (this.#outcomes === index) this.drop("internal-error");
  }

  #takeBack(reason: ServerDropReason): void {
    const parts = this.#queued[this.#handedOver++] ?? 0;
    this.#count(parts, -1);
    if ((parts & OUTCOME) === 0) return;
    this.#outcomes--;
    this.drop(reason);
  }

  #count(parts: number, by: 1 | -1): void {
    if ((parts & COUNTED.response) !== 0) this.answered += by;
    if ((parts & COUNTED.interleaved) !== 0) this.interleaved += by;
    if ((parts & COUNTED.ntsResponse) !== 0) this.ntsAnswered += by;
    if ((parts & COUNTED.kiss) !== 0) this.kisses += by;
    if ((parts & COUNTED.ntsNak) !== 0) this.ntsNaks += by;
  }

  /** Counts a request of the control protocol that was answered, beside the queue. */
  answerControl(): void {
    this.controlAnswered++;
    this.#outcomes++;
  }

  /** Counts requests that were not answered. */
  drop(reason: ServerDropReason, amount = 1): void {
    const index = INDEX.get(reason) ?? 0;
    this.#dropped[index] = (this.#dropped[index] ?? 0) + amount;
    this.#outcomes += amount;
  }

  /** Returns how many requests were dropped for a reason. */
  dropped(reason: ServerDropReason): number {
    return this.#dropped[INDEX.get(reason) ?? 0] ?? 0;
  }

  /**
   * Returns the counts as the status document has them; reasons that have not occurred are left
   * out.
   */
  snapshot(): ServerCounts {
    const dropped: Record<string, number> = {};
    for (const [i, reason] of REASONS.entries()) {
      const count = this.#dropped[i] ?? 0;
      if (count > 0) dropped[reason] = count;
    }
    return {
      received: this.received,
      answered: this.answered,
      interleaved: this.interleaved,
      denied: this.denied,
      rateLimited: this.rateLimited,
      kisses: this.kisses,
      dropped,
      nts: { answered: this.ntsAnswered, naks: this.ntsNaks },
      controlAnswered: this.controlAnswered,
    };
  }
}

/** What a listener has counted. */
export interface ServerCounts {
  /** Datagrams, whatever they held. */
  readonly received: number;
  /** Responses with the time, in basic or interleaved mode; kisses are not among them. */
  readonly answered: number;
  /** Responses in interleaved mode, among those answered. */
  readonly interleaved: number;
  /** Requests that the access rules refuse, with a kiss or without. */
  readonly denied: number;
  /** Requests of clients that ask too often. */
  readonly rateLimited: number;
  /** Kisses of all kinds that were sent. */
  readonly kisses: number;
  /** Datagrams that got no response, by reason; only reasons that occurred. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Responses protected by NTS, and the kisses NTSN. */
  readonly nts: { readonly answered: number; readonly naks: number };
  /** Requests of the control protocol that were answered, with one datagram or more. */
  readonly controlAnswered: number;
}
