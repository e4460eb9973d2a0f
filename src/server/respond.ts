/**
 * The response path of the server: a batch of requests in, responses written in place, nothing
 * allocated for a packet.
 *
 * The idea: each request meets a row of tests, cheapest first: length, mode, version, source
 * address, access list, rate limit, and only then what follows the header. The first that fails
 * drops or refuses it. The header of a response is written as twelve words. Transmit timestamps
 * come last, when the whole batch is ready: response number n of the batch gets the time of the
 * call plus n times what sending one took lately, and after a sleep what the kernel's timestamps
 * have shown. Authenticated responses need theirs earlier, just before they are sealed.
 *
 * Never answered: modes other than 3 and 1 (and 0 in version 1, which had no modes), versions that
 * are not wanted, fewer than 48 octets, malformed extension fields, and requests with a MAC that
 * cannot be checked. No response is longer than its request; this is asserted for each.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { RandomSource } from "../base/random.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import { NTP_PORT } from "../base/ports.ts";
import type { NtsDropReason } from "../nts/server/server_fields.ts";
import { HEADER_LENGTH, MODE } from "../protocol/header.ts";
import { KISS_CODE } from "../protocol/kiss_code.ts";
import { PacketWalk } from "../protocol/packet_walk.ts";
import { ACCESS_ALLOW, ACCESS_DENY, type AccessRules } from "./access.ts";
import type { MacResponder, NtsResponder } from "./authentication.ts";
import type { Client } from "./client.ts";
import { addressProblem } from "./client_address.ts";
import type { ClientTable } from "./client_table.ts";
import type { HeaderTemplate } from "./clock_state.ts";
import { COUNTED, ServerCounters, type ServerDropReason } from "./counters.ts";
import { type InterleavedTable, NO_SLOT } from "./interleaved.ts";
import { KissLimiter } from "./kiss_limit.ts";
import { RATE_LIMITED, type RateLimiter } from "./rate_limit.ts";
import type { RequestBatch } from "./request_batch.ts";
import { requestKind } from "./request_kind.ts";
import { TransmitQueue } from "./transmit_queue.ts";

/** Reads the clock that is served as an NTP timestamp into `out[index]` and `out[index + 1]`. */
export type ReadClock = (out: Uint32Array, index: number) => void;

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

const VERSION_AND_POLL = 0x3800_ff00;
const VERSION = 0x3800_0000;
const UNSYNCHRONIZED = 3 << 30;
const KISS_POLL_DEFAULT = 6;
const POLL_MAX = 17;
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
  readonly #kissPoll: number;
  readonly #interleaved: InterleavedTable | undefined;
  readonly #nts: NtsResponder | undefined;
  readonly #requireNts: "ignore" | "deny" | undefined;
  readonly #keys: MacResponder | undefined;
  readonly #clients: ClientTable | undefined;
  readonly #onInternalError: ((error: unknown) => void) | undefined;
  readonly #kisses: KissLimiter;

  readonly #client: Client = { words: new Uint32Array(4), at: 0, family: 4 };
  readonly #receive = { seconds: 0, fraction: 0 };
  readonly #origin = { seconds: 0, fraction: 0 };
  readonly #time = new Uint32Array(2);
  /** The request that is looked at beyond its header; one object for all. */
  readonly #extended = { bytes: new Uint8Array(), offset: 0, length: 0 };
  readonly #walk = new PacketWalk();
  #now: MonotonicSeconds = 0;
  #slot = NO_SLOT;
  #isInterleaved = false;

  /** Answers nothing before `respond`. */
  constructor(options: ResponderOptions) {
    this.#template = options.template;
    this.#readClock = options.readClock;
    this.#versions = (options.versions ?? VERSIONS_DEFAULT).reduce((bits, v) => bits | (1 << v), 0);
    this.#access = options.access;
    this.#rateLimiter = options.rateLimiter;
    this.#kissPoll = Math.max(0, Math.min(POLL_MAX, options.kissPoll ?? KISS_POLL_DEFAULT));
    this.#interleaved = options.interleaved;
    this.#nts = options.nts;
    this.#requireNts = options.requireNts;
    this.#keys = options.keys;
    this.#clients = options.clients;
    this.#onInternalError = options.onInternalError;
    this.#kisses = new KissLimiter(options.random);
    this.transmits = new TransmitQueue(options.interleaved);
  }

  /** Answers a batch: writes the responses and queues them; the caller sends them at once. */
  respond(batch: RequestBatch, moment: BatchMoment): void {
    this.counters.beginBatch(batch.count);
    this.#template.age(moment.now);
    this.#now = moment.now;
    this.#rateLimiter?.advance(moment.now);
    this.#client.words = batch.peerWords;
    this.transmits.begin(batch.count, moment.hasSlept === true);
    for (let i = 0; i < batch.count; i++) this.#answerOrDrop(batch, i);
    if (this.transmits.isEmpty) return;
    this.#readClock(this.#time, 0);
    this.transmits.timestamp(batch, this.#time, moment.sendSeconds);
  }

  /** Forgets the timestamps of interleaved mode; to be called when the served clock was stepped. */
  clockStepped(): void {
    this.#interleaved?.clear();
    this.transmits.forgetTimestamps();
  }

  /** The boundary of a request: an error drops this one alone. */
  #answerOrDrop(batch: RequestBatch, i: number): void {
    try {
      this.#answer(batch, i);
    } catch (error) {
      this.counters.failRequest(i);
      this.#onInternalError?.(error);
    }
  }

  #answer(batch: RequestBatch, i: number): void {
    const length = batch.lengths[i] ?? 0;
    if (length < HEADER_LENGTH) return this.counters.drop("too-short");
    const first = batch.requests[i * batch.stride] ?? 0;
    const mode = first & 7, version = (first >>> 3) & 7, port = batch.peerPorts[i] ?? 0;
    if (!isRequest(mode, version, port)) return this.counters.drop("not-a-request");
    if (((this.#versions >>> version) & 1) === 0) return this.counters.drop("version");
    const client = this.#client;
    client.at = 4 * i;
    client.family = batch.peerFamilies[i] ?? 0;
    const problem = addressProblem(client, port);
    if (problem !== undefined) return this.counters.drop(problem);
    this.#clients?.count(client);
    if (this.#isRefused(batch, i)) return;
    if (length > HEADER_LENGTH) this.#answerExtended(batch, i, version);
    else if (this.#requireNts !== undefined) this.#refuseWithoutNts(batch, i);
    else this.#answerPlain(batch, i);
  }

  /** Applies the access lists and the rate limit. */
  #isRefused(batch: RequestBatch, i: number): boolean {
    const access = this.#access?.decide(this.#client) ?? ACCESS_ALLOW;
    if (access !== ACCESS_ALLOW) {
      this.counters.denied++;
      this.counters.drop("access-denied");
      if (access === ACCESS_DENY) this.#kiss(batch, i, KISS_CODE.deny);
      return true;
    }
    if (this.#rateLimiter?.check(this.#client) !== RATE_LIMITED) return false;
    this.counters.rateLimited++;
    this.counters.drop("rate-limited");
    this.#kiss(batch, i, KISS_CODE.rate);
    return true;
  }

  #refuseWithoutNts(batch: RequestBatch, i: number): void {
    this.counters.denied++;
    this.counters.drop("nts-required");
    if (this.#requireNts === "deny") this.#kiss(batch, i, KISS_CODE.deny);
  }

  #answerPlain(batch: RequestBatch, i: number): void {
    this.#writeResponse(batch, i);
    this.transmits.add(i, this.#slot, this.#isInterleaved);
    this.#queue(batch, i, HEADER_LENGTH);
  }

  #answerExtended(batch: RequestBatch, i: number, version: number): void {
    const extended = this.#extended;
    extended.bytes = batch.requests;
    extended.offset = i * batch.stride;
    extended.length = batch.lengths[i] ?? 0;
    this.#walk.start(extended, version);
    const kind = requestKind(this.#walk);
    if (kind === "malformed") return this.counters.drop("malformed-extension");
    if (kind === "nts") return this.#answerNts(batch, i);
    if (this.#requireNts !== undefined) return this.#refuseWithoutNts(batch, i);
    if (kind === "mac") return this.#answerMac(batch, i, this.#walk.length);
    if (kind === "unique-identifier" && this.#nts !== undefined) {
      // A server that knows Network Time Security echoes the identifier in any response (RFC 8915
      // section 5.3).
      if (this.#nts.check(extended) !== "plain") {
        return this.counters.drop("malformed-extension");
      }
      this.#writeResponse(batch, i);
      this.transmits.add(i, this.#slot, this.#isInterleaved);
      return this.#queue(batch, i, this.#nts.echo(batch.responses, extended.offset));
    }
    this.#answerPlain(batch, i);
  }

  #answerNts(batch: RequestBatch, i: number): void {
    const nts = this.#nts, offset = i * batch.stride;
    if (nts === undefined) return this.counters.drop("nts-not-served");
    const first = batch.requests[offset] ?? 0;
    // Network Time Security is for mode 3 of version 4 alone (RFC 8915 section 5).
    if ((first & 0x3f) !== 0x23) return this.counters.drop("not-a-request");
    const verdict = nts.check(this.#extended);
    switch (verdict) {
      case "protected":
        this.#writeResponse(batch, i);
        this.#timestampNow(batch, i);
        return this.#queue(batch, i, nts.protect(batch.responses, offset), COUNTED.ntsResponse);
      case "nts-nak-unknown-key":
      case "nts-nak-bad-cookie":
      case "nts-nak-not-authentic":
        this.#writeKiss(batch, i, KISS_CODE.ntsNak);
        return this.#queueKiss(batch, i, nts.nak(batch.responses, offset), COUNTED.ntsNak);
      case "plain":
        return this.counters.drop("nts-malformed-field");
      default:
        return this.counters.drop(verdict satisfies NtsDropReason);
    }
  }

  #answerMac(batch: RequestBatch, i: number, macLength: number): void {
    const keys = this.#keys, offset = i * batch.stride;
    if (keys === undefined) return this.counters.drop("unknown-key");
    const verdict = keys.check(this.#extended, macLength, this.#client);
    if (verdict !== "authentic") return this.counters.drop(verdict satisfies ServerDropReason);
    this.#writeResponse(batch, i);
    this.#timestampNow(batch, i);
    this.#queue(batch, i, keys.sign(batch.responses, offset));
  }

  /**
   * Writes all of a response's header but the transmit timestamp, and decides about interleaved
   * mode.
   */
  #writeResponse(batch: RequestBatch, i: number): void {
    const request = batch.requestView, response = batch.responseView, template = this.#template;
    const at = i * batch.stride;
    const head = request.getUint32(at);
    const mode = responseMode(head);
    const isClient = mode === MODE.server;
    response.setUint32(at, template.head | (head & VERSION_AND_POLL) | (mode << 24));
    response.setUint32(at + 4, template.rootDelay);
    response.setUint32(at + 8, template.rootDispersion);
    response.setUint32(at + 12, template.referenceId);
    response.setUint32(at + 16, template.referenceSeconds);
    response.setUint32(at + 20, template.referenceFraction);
    response.setUint32(at + 24, request.getUint32(at + 40));
    response.setUint32(at + 28, request.getUint32(at + 44));
    response.setUint32(at + 32, batch.receiveTimestamps[2 * i] ?? 0);
    // The last bit tells receive timestamps, which are odd, from transmit timestamps.
    response.setUint32(at + 36, (batch.receiveTimestamps[2 * i + 1] ?? 0) | 1);
    this.#slot = NO_SLOT;
    this.#isInterleaved = false;
    if (isClient && (request.getUint32(at + 28) & 1) === 1) this.#interleave(batch, at);
  }

  /**
   * Responses in interleaved mode if the client asks for it and is remembered; remembers it in any
   * case (RFC 9769 section 2).
   */
  #interleave(batch: RequestBatch, at: number): void {
    const table = this.#interleaved;
    if (table === undefined) return;
    const request = batch.requestView, response = batch.responseView;
    const origin = this.#origin, receive = this.#receive;
    origin.seconds = request.getUint32(at + 24);
    origin.fraction = request.getUint32(at + 28);
    receive.seconds = response.getUint32(at + 32);
    receive.fraction = response.getUint32(at + 36);
    const high = request.getUint32(at + 32), low = request.getUint32(at + 36);
    const differs = high !== request.getUint32(at + 40) || low !== request.getUint32(at + 44);
    const slot = differs ? table.find(this.#client, origin) : NO_SLOT;
    if (slot !== NO_SLOT) {
      this.#isInterleaved = true;
      response.setUint32(at + 24, high);
      response.setUint32(at + 28, low);
      response.setUint32(at + 40, table.transmitSeconds(slot));
      response.setUint32(at + 44, table.transmitFraction(slot));
    }
    this.#slot = table.save(this.#client, receive, slot);
    response.setUint32(at + 32, receive.seconds);
    response.setUint32(at + 36, receive.fraction);
  }

  /** Writes the transmit timestamp of a response that is about to be sealed. */
  #timestampNow(batch: RequestBatch, i: number): void {
    this.#readClock(this.#time, 0);
    this.transmits.timestampOne(batch, { index: i, slot: this.#slot }, {
      time: this.#time,
      isInterleaved: this.#isInterleaved,
    });
  }

  #queue(batch: RequestBatch, i: number, length: number, counted = 0): void {
    assert(length <= (batch.lengths[i] ?? 0), "No response is longer than its request");
    const isTimestamped = this.#slot !== NO_SLOT || this.transmits.isProbe;
    const mode = this.#isInterleaved ? COUNTED.interleaved : 0;
    batch.queueResponse(i, length, isTimestamped);
    this.counters.queue(counted | COUNTED.response | mode);
    if (isTimestamped) this.transmits.expect(this.#slot);
  }

  /** Sends a kiss, unless too many have been sent. */
  #kiss(batch: RequestBatch, i: number, code: number): void {
    if (!this.#kisses.allows(this.#client, this.#now)) return;
    this.#writeKiss(batch, i, code);
    this.#queueKiss(batch, i, HEADER_LENGTH);
  }

  /** Writes a kiss: leap indicator 3, stratum 0, no time of ours (RFC 5905 section 7.4). */
  #writeKiss(batch: RequestBatch, i: number, code: number): void {
    const request = batch.requestView, response = batch.responseView;
    const at = i * batch.stride;
    const head = request.getUint32(at);
    const wanted = code === KISS_CODE.rate ? this.#kissPoll : 0;
    const poll = Math.min(POLL_MAX, Math.max((head << 16) >> 24, wanted)) & 0xff;
    const mode = responseMode(head);
    const precision = this.#template.head & 0xff;
    const own = UNSYNCHRONIZED | (head & VERSION) | (mode << 24) | (poll << 8) | precision;
    response.setUint32(at, own);
    response.setUint32(at + 4, 0);
    response.setUint32(at + 8, 0);
    response.setUint32(at + 12, code);
    for (let field = 16; field < HEADER_LENGTH; field += 8) {
      // All timestamps are that of the request: what is compared fits, and nothing is learnt.
      response.setUint32(at + field, request.getUint32(at + 40));
      response.setUint32(at + field + 4, request.getUint32(at + 44));
    }
  }

  #queueKiss(batch: RequestBatch, i: number, length: number, counted = 0): void {
    assert(length <= (batch.lengths[i] ?? 0), "No kiss is longer than its request");
    batch.queueResponse(i, length);
    this.counters.queue(counted | COUNTED.kiss);
  }
}

/**
 * Tells whether a packet asks for a response. In version 1 the field of the mode was unused; a
 * request from another port than 123 is a client's (RFC 1059).
 */
function isRequest(mode: number, version: number, port: number): boolean {
  if (mode === MODE.client || mode === MODE.symmetricActive) return true;
  return mode === 0 && version === 1 && port !== NTP_PORT;
}

/** Returns the mode of the response to a request whose first word is `head`. */
function responseMode(head: number): number {
  return ((head >>> 24) & 7) === MODE.symmetricActive ? MODE.symmetricPassive : MODE.server;
}
