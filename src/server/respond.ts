/**
 * The response path of the server: a batch of requests in, responses written in place, nothing
 * allocated for a packet.
 *
 * The idea: each request meets a row of tests, cheapest first: length, mode, version, source
 * address, access list, rate limit, and only then what follows the header. The first that fails
 * drops or refuses it. Transmit timestamps come last, when the whole batch is ready: response
 * number n of the batch gets the time of the call plus n times what sending one took lately, and
 * after a sleep what the kernel's timestamps have shown. Authenticated responses need theirs
 * earlier, just before they are sealed.
 *
 * Never answered: modes other than 3 and 1 (and 0 in version 1, which had no modes), versions that
 * are not wanted, fewer than 48 octets, malformed extension fields, and requests with a MAC that
 * cannot be checked. No response is longer than its request; this is asserted for each.
 *
 * @module
 */
import { assert, unreachable } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import { NTP_PORT } from "../base/ports.ts";
import { HEADER_LENGTH, MODE } from "../protocol/header.ts";
import { KISS_CODE } from "../protocol/kiss_code.ts";
import { PacketWalk } from "../protocol/packet_walk.ts";
import { ACCESS_ALLOW, ACCESS_DENY, type AccessRules } from "./access.ts";
import type { MacResponder, NtsResponder } from "./authentication.ts";
import type { Client } from "./client.ts";
import { unansweredSource } from "./client_address.ts";
import type { ClientTable } from "./client_table.ts";
import type { HeaderTemplate } from "./clock_state.ts";
import { COUNTED, ServerCounters } from "./counters.ts";
import { HeaderWriter } from "./header_writer.ts";
import { type InterleavedTable, NO_SLOT } from "./interleaved.ts";
import { KissLimiter } from "./kiss_limit.ts";
import { RATE_LIMITED, type RateLimiter } from "./rate_limit.ts";
import type { RequestBatch } from "./request_batch.ts";
import { requestKind } from "./request_kind.ts";
import { TransmitQueue } from "./transmit_queue.ts";

/** Reads the clock that is served as an NTP timestamp into `out[index]` and `out[index + 1]`. */
export type ReadClock = (out: Uint32Array, index: number) => void;

/** Takes a datagram of the control protocol and its place in the batch; tells if it answered. */
export type ControlHandler = (datagram: Bytes, index: number) => boolean;

/** How a listener answers. What is marked as shared is one object for all listeners. */
export interface ResponderOptions {
  /** What is said of the clock; shared. */
  readonly template: HeaderTemplate;
  /** Reads the clock; shared. */
  readonly readClock: ReadClock;
  /** For the limit of kisses. */
  readonly random: RandomSource;
  /** The versions that are answered, 1 to 7; 1 to 4 when left out. */
  readonly versions?: readonly number[];
  /** Which clients are served; all when left out. */
  readonly access?: AccessRules | undefined;
  /** How often a client is answered; without limit when left out. */
  readonly rateLimiter?: RateLimiter | undefined;
  /** The smallest poll exponent that a RATE kiss asks for; 6 when left out. */
  readonly kissPoll?: number;
  /** The state of interleaved mode, shared; basic mode alone when left out. */
  readonly interleaved?: InterleavedTable | undefined;
  /** Network Time Security; such requests are dropped when left out. */
  readonly nts?: NtsResponder | undefined;
  /** What happens to requests without Network Time Security; they are answered when left out. */
  readonly requireNts?: "ignore" | "deny" | undefined;
  /** Symmetric keys; requests with a MAC are dropped when left out. */
  readonly keys?: MacResponder | undefined;
  /** Receives the error of each request that could not be answered by a fault of ntpsd. */
  readonly onInternalError?: ((error: unknown) => void) | undefined;
  /**
   * Takes what may be a request of the control protocol, mode 6; such are dropped when left out.
   */
  readonly control?: ControlHandler | undefined;
  /** The busy clients; not counted when left out. */
  readonly clients?: ClientTable | undefined;
}

/** The time of a batch. */
export interface BatchMoment {
  /** The boot time. */
  readonly now: MonotonicSeconds;
  /** How long the sending of one response takes, as measured lately. */
  readonly sendSeconds: Seconds;
  /** Whether the process has slept before the requests came; not so when left out. */
  readonly hasSlept?: boolean;
}

const VERSIONS_DEFAULT: readonly number[] = [1, 2, 3, 4];

/** Answers the requests that come to one listener. */
export class Responder {
  /** What became of the requests. */
  readonly counters = new ServerCounters();
  /** The responses whose transmit timestamps the kernel owes. */
  readonly transmits: TransmitQueue;
  readonly #template: HeaderTemplate;
  readonly #readClock: ReadClock;
  readonly #versions: number;
  readonly #access: AccessRules | undefined;
  readonly #rateLimiter: RateLimiter | undefined;
  readonly #interleaved: InterleavedTable | undefined;
  readonly #nts: NtsResponder | undefined;
  readonly #requireNts: "ignore" | "deny" | undefined;
  readonly #keys: MacResponder | undefined;
  readonly #clients: ClientTable | undefined;
  readonly #control: ControlHandler | undefined;
  readonly #onInternalError: ((error: unknown) => void) | undefined;
  readonly #kisses: KissLimiter;

  readonly #client: Client = { words: new Uint32Array(4), at: 0, family: 4 };
  readonly #headers: HeaderWriter;
  readonly #time = new Uint32Array(2);
  /** The request that is looked at beyond its header; one object for all. */
  readonly #extended = { bytes: new Uint8Array(), offset: 0, length: 0 };
  readonly #walk = new PacketWalk();
  #now: MonotonicSeconds = 0;
  /** The batch that is answered. */
  #batch!: RequestBatch;
  /** The request that is answered: its number, and where it and its response begin. */
  #index = 0;
  #at = 0;

  /** Answers nothing before `respond`. */
  constructor(options: ResponderOptions) {
    this.#template = options.template;
    this.#readClock = options.readClock;
    this.#versions = (options.versions ?? VERSIONS_DEFAULT).reduce((bits, v) => bits | (1 << v), 0);
    this.#access = options.access;
    this.#rateLimiter = options.rateLimiter;
    this.#interleaved = options.interleaved;
    this.#nts = options.nts;
    this.#requireNts = options.requireNts;
    this.#keys = options.keys;
    this.#clients = options.clients;
    this.#control = options.control;
    this.#onInternalError = options.onInternalError;
    this.#kisses = new KissLimiter(options.random);
    this.#headers = new HeaderWriter(options);
    this.transmits = new TransmitQueue(options.interleaved);
  }

  /** Answers a batch: writes the responses and queues them; the caller sends them at once. */
  respond(batch: RequestBatch, moment: BatchMoment): void {
    this.counters.beginBatch(batch.count);
    this.#template.age(moment.now);
    this.#now = moment.now;
    this.#rateLimiter?.advance(moment.now);
    this.#client.words = batch.peerWords;
    this.#batch = batch;
    this.#headers.begin(batch);
    this.transmits.begin(batch, moment.hasSlept === true);
    for (let i = 0; i < batch.count; i++) this.#answerOrDrop(i);
    if (this.transmits.isEmpty) return;
    this.#readClock(this.#time, 0);
    this.transmits.timestamp(this.#time, moment.sendSeconds);
  }

  /** Forgets the timestamps of interleaved mode; to be called when the served clock was stepped. */
  clockStepped(): void {
    this.#interleaved?.clear();
    this.transmits.forgetTimestamps();
  }

  /** The boundary of a request: an error drops this one alone. */
  #answerOrDrop(index: number): void {
    try {
      this.#index = index;
      this.#at = index * this.#batch.stride;
      this.#answer();
    } catch (error) {
      this.counters.failRequest(index);
      this.#onInternalError?.(error);
    }
  }

  #answer(): void {
    const batch = this.#batch, index = this.#index;
    const length = batch.lengths[index] ?? 0;
    const first = batch.requests[this.#at] ?? 0, port = batch.peerPorts[index] ?? 0;
    if (length < HEADER_LENGTH) return this.#dropOther("too-short");
    if (!isRequest(first, port)) return this.#dropOther("not-a-request");
    const version = (first >>> 3) & 7;
    if (((this.#versions >>> version) & 1) === 0) return this.counters.drop("version");
    const client = this.#client;
    client.at = 4 * index;
    client.family = batch.peerFamilies[index] ?? 0;
    const reason = unansweredSource(client, port);
    if (reason !== undefined) return this.counters.drop(reason);
    this.#clients?.count(client);
    if (this.#isRefused()) return;
    if (length > HEADER_LENGTH) this.#answerExtended(version);
    else if (this.#requireNts !== undefined) this.#refuseWithoutNts();
    else this.#answerPlain();
  }

  /** Drops what asks for no time, but hands on what may be a request of the control protocol. */
  #dropOther(reason: "too-short" | "not-a-request"): void {
    const batch = this.#batch, index = this.#index, length = batch.lengths[index] ?? 0;
    const isControl = length > 0 && ((batch.requests[this.#at] ?? 0) & 7) === MODE.control;
    if (!isControl || this.#control === undefined) return this.counters.drop(reason);
    const datagram = batch.requests.slice(this.#at, this.#at + length);
    if (this.#control(datagram, index)) this.counters.answerControl();
    else this.counters.drop("control");
  }

  /** Applies the access lists and the rate limit. */
  #isRefused(): boolean {
    const access = this.#access?.decide(this.#client) ?? ACCESS_ALLOW;
    if (access !== ACCESS_ALLOW) {
      this.counters.denied++;
      this.counters.drop("access-denied");
      if (access === ACCESS_DENY) this.#kiss(KISS_CODE.deny);
      return true;
    }
    if (this.#rateLimiter?.check(this.#client) !== RATE_LIMITED) return false;
    this.counters.rateLimited++;
    this.counters.drop("rate-limited");
    this.#kiss(KISS_CODE.rate);
    return true;
  }

  #refuseWithoutNts(): void {
    this.counters.denied++;
    this.counters.drop("nts-required");
    if (this.#requireNts === "deny") this.#kiss(KISS_CODE.deny);
  }

  #answerPlain(): void {
    this.#writeResponse();
    this.#queue(HEADER_LENGTH);
  }

  /** Writes a response whose transmit timestamp comes when the whole batch is ready. */
  #writeResponse(): void {
    const headers = this.#headers;
    headers.writeResponse(this.#index, this.#client);
    this.transmits.add(headers);
  }

  #answerExtended(version: number): void {
    const extended = this.#extended, batch = this.#batch;
    extended.bytes = batch.requests;
    extended.offset = this.#at;
    extended.length = batch.lengths[this.#index] ?? 0;
    this.#walk.start(extended, version);
    const kind = requestKind(this.#walk);
    if (kind === "malformed") return this.counters.drop("malformed-extension");
    if (kind === "nts") return this.#answerNts();
    if (this.#requireNts !== undefined) return this.#refuseWithoutNts();
    if (kind === "mac") return this.#answerMac(this.#walk.length);
    if (kind === "unique-identifier" && this.#nts !== undefined) {
      // A server that knows Network Time Security echoes the identifier in any response (RFC 8915
      // section 5.3).
      if (this.#nts.check(extended) !== "plain") {
        return this.counters.drop("malformed-extension");
      }
      this.#writeResponse();
      return this.#queue(this.#nts.echo(batch.responses, extended.offset));
    }
    this.#answerPlain();
  }

  #answerNts(): void {
    const nts = this.#nts, { requests, responses } = this.#batch;
    if (nts === undefined) return this.counters.drop("nts-not-served");
    // Network Time Security is for mode 3 of version 4 alone (RFC 8915 section 5).
    if (((requests[this.#at] ?? 0) & 0x3f) !== 0x23) return this.counters.drop("not-a-request");
    const kind = nts.check(this.#extended);
    switch (kind) {
      case "protected":
        this.#writeSealedResponse();
        return this.#queue(nts.protect(responses, this.#at), COUNTED.ntsResponse);
      case "nts-nak-unknown-key":
      case "nts-nak-bad-cookie":
      case "nts-nak-not-authentic":
        this.#headers.writeKiss(this.#index, KISS_CODE.ntsNak);
        return this.#queueKiss(nts.nak(responses, this.#at), COUNTED.ntsNak);
      case "plain":
        return this.counters.drop("nts-malformed-field");
      case "nts-malformed-field":
      case "nts-too-many-fields":
      case "nts-no-unique-identifier":
      case "nts-duplicate-unique-identifier":
      case "nts-short-unique-identifier":
      case "nts-no-cookie":
      case "nts-duplicate-cookie":
      case "nts-no-authenticator":
      case "nts-duplicate-authenticator":
      case "nts-malformed-authenticator":
      case "nts-short-nonce":
      case "nts-malformed-encrypted-field":
      case "nts-encrypted-cookie":
        return this.counters.drop(kind);
      default:
        return unreachable(kind);
    }
  }

  #answerMac(macLength: number): void {
    const keys = this.#keys;
    if (keys === undefined) return this.counters.drop("unknown-key");
    const outcome = keys.check(this.#extended, macLength, this.#client);
    if (outcome !== "authentic") return this.counters.drop(outcome);
    this.#writeSealedResponse();
    this.#queue(keys.sign(this.#batch.responses, this.#at));
  }

  /** Writes a response that is about to be sealed, transmit timestamp included. */
  #writeSealedResponse(): void {
    const headers = this.#headers;
    headers.writeResponse(this.#index, this.#client);
    this.#readClock(this.#time, 0);
    this.transmits.timestampOne(headers, this.#time);
  }

  #queue(length: number, counted = 0): void {
    const batch = this.#batch, { slot, isInterleaved } = this.#headers;
    assert(length <= (batch.lengths[this.#index] ?? 0), "No response is longer than its request");
    const isTimestamped = slot !== NO_SLOT || this.transmits.isProbe;
    const mode = isInterleaved ? COUNTED.interleaved : 0;
    batch.queueResponse(this.#index, length, isTimestamped);
    this.counters.queue(counted | COUNTED.response | mode);
    if (isTimestamped) this.transmits.expect(slot);
  }

  /** Sends a kiss, unless too many have been sent. */
  #kiss(code: number): void {
    if (!this.#kisses.allows(this.#client, this.#now)) return;
    this.#headers.writeKiss(this.#index, code);
    this.#queueKiss(HEADER_LENGTH);
  }

  #queueKiss(length: number, counted = 0): void {
    const batch = this.#batch;
    assert(length <= (batch.lengths[this.#index] ?? 0), "No kiss is longer than its request");
    batch.queueResponse(this.#index, length);
    this.counters.queue(counted | COUNTED.kiss);
  }
}

/**
 * Tells whether a packet with this first octet asks for a response. In version 1 the field of the
 * mode was unused; a request from another port than 123 is a client's (RFC 1059).
 */
function isRequest(first: number, port: number): boolean {
  const mode = first & 7;
  if (mode === MODE.client || mode === MODE.symmetricActive) return true;
  return mode === 0 && ((first >>> 3) & 7) === 1 && port !== NTP_PORT;
}
