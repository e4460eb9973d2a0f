/**
 * One server at one address, asked again and again: when to ask, what to send, what to believe of
 * the responses.
 *
 * The problem: anyone can send us packets, and a server may be wrong, overloaded or gone. The idea:
 * a machine without input or output. Time comes in as an argument, requests and closings go out as
 * actions; a response must repeat the random number of the one open request before anything else in
 * it is looked at, and then pass every test of RFC 5905 section 8. What is dropped is counted by
 * reason, never thrown and never logged packet by packet. Limits: what the offsets are worth is for
 * the discipline; whether to ask another server instead is for `source_group.ts`.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { formatSocketAddress, type SocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds, PollExponent } from "../base/units.ts";
import type { NtpHeader } from "../protocol/header.ts";
import type { Kiss } from "../protocol/kiss_code.ts";
import type { AssociationOptions } from "./association_options.ts";
import { ResponseContents } from "./response_contents.ts";
import { readResponse } from "./response.ts";
import type { AssociationConfig } from "./config.ts";
import type {
  AssociationAction,
  DatagramEvent,
  LogAction,
  SendFailedEvent,
  SourceAction,
} from "./events.ts";
import { exchangeKeys } from "./exchange_keys.ts";
import type { DropReason } from "./drop_reason.ts";
import { type KissCode, Kisses } from "./kisses.ts";
import type { Measurement } from "./measurement.ts";
import { PollTimer } from "./poll_timer.ts";
import type { PacketProtection } from "./protection.ts";
import { REACH_LENGTH } from "./reach.ts";
import { RequestSlot } from "./request_slot.ts";
import { ServerHistory } from "./server_history.ts";

export type { AssociationOptions } from "./association_options.ts";
export type { ServerState } from "./response_contents.ts";

/** What became of a packet. */
export interface Reception {
  /** What is to be done. */
  readonly actions: readonly SourceAction[];
  /** There when the packet passed all tests. */
  readonly measurement: Measurement | undefined;
}

/** After this many requests without response the rest of a burst is left out. */
const BURST_UNANSWERED_MAX = 4;

/** After this many requests without response a server that has never answered is silent. */
const NEW_UNANSWERED_MAX = 5;

/** One server at one address. */
export class Association {
  /** Names the association in events and actions. */
  readonly id: number;
  /** How messages call it. */
  readonly name: string;
  /** Where requests go. */
  readonly address: SocketAddress;
  /** How messages call it, with the address. */
  readonly fullName: string;
  #config: AssociationConfig;
  /** How packets are authenticated; undefined means not at all. */
  readonly protection: PacketProtection | undefined;
  /** What has come from the server so far. */
  readonly history = new ServerHistory();
  readonly #request: RequestSlot;
  readonly #timer: PollTimer;
  readonly #contents = new ResponseContents();
  readonly #kisses: Kisses;
  #isStopped = false;

  /** Makes an association that does nothing until it is started. */
  constructor(options: AssociationOptions) {
    this.id = options.id;
    this.name = options.name;
    this.address = options.address;
    const where = formatSocketAddress(this.address);
    this.fullName = this.name === where ? where : `${this.name} (${where})`;
    this.#config = options.config;
    this.protection = options.protection;
    this.#request = new RequestSlot(options);
    this.#timer = new PollTimer({
      limits: options.config.pollIntervalLimits,
      initial: options.config.initialPollInterval,
      random: options.random,
    });
    this.#kisses = new Kisses(this.#timer, this.history.dropped);
  }

  /**
   * Whether the newest request was answered, or all of them for a while were not; unknown in
   * between.
   */
  get health(): "answers" | "silent" | "unknown" {
    if (this.lastSendFailure !== undefined && !this.#request.isOpen) return "silent";
    const isNew = this.history.lastResponseAt === undefined;
    if (this.history.unansweredRequests >= (isNew ? NEW_UNANSWERED_MAX : REACH_LENGTH)) {
      return "silent";
    }
    return isNew || this.history.unansweredRequests > 0 ? "unknown" : "answers";
  }

  /** What is wrong with a server that is silent, or seems to be: a predicate for a sentence. */
  get report(): string {
    if (this.lastSendFailure !== undefined) return `cannot be queried: ${this.lastSendFailure}`;
    const { recent } = this.history.dropped;
    if (recent !== undefined) return `sends responses that are dropped: ${recent}`;
    return `did not answer the last ${this.history.unansweredRequests} requests`;
  }

  /** What was configured. */
  get config(): AssociationConfig {
    return this.#config;
  }

  /** Takes over a changed configuration of the same server; what is known of it stays. */
  reconfigure(config: AssociationConfig): void {
    this.#config = config;
    this.#timer.setLimits(config.pollIntervalLimits);
  }

  /** The poll exponent in force, after limits and RATE kisses. */
  get poll(): PollExponent {
    return this.#timer.poll;
  }

  /** Whether requests of a burst are still to come. */
  get inBurst(): boolean {
    return this.#timer.inBurst;
  }

  /** Requests that were handed out. */
  get sent(): number {
    return this.#request.sent;
  }

  /** Requests that could not be sent or delivered. */
  get sendFailures(): number {
    return this.#request.failures;
  }

  /** Why the newest request could not be sent or delivered; undefined when it could. */
  get lastSendFailure(): string | undefined {
    return this.#request.lastFailure;
  }

  /** The last kiss, until a proper response comes. */
  get kiss(): KissCode | undefined {
    return this.#kisses.last;
  }

  /**
   * Whether the server refuses us: it denies service, and nothing but denials has come for eight
   * requests, or it has proved itself.
   */
  get isDenied(): boolean {
    return this.#isStopped || (!this.history.isReachable && this.#kisses.isDenial);
  }

  /** Whether the last word of the server was a denial. */
  get isRefused(): boolean {
    return this.#isStopped || this.#kisses.isDenial;
  }

  /** When the next request is due; Infinity when none is. */
  get nextRequestAt(): MonotonicSeconds {
    return this.#timer.due;
  }

  /** Whether it asks no more, because the server has refused us for good. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Begins to ask: at once, but for a little chance. To be called once. */
  start(now: MonotonicSeconds): void {
    assert(this.#timer.due === Infinity && !this.#isStopped, "An association is started once");
    this.#timer.start(now, this.config.iburst);
  }

  /** When `handleTimer` wants to be called; Infinity for never. */
  nextWakeup(): MonotonicSeconds {
    return Math.min(this.#timer.due, this.#request.expiresAt);
  }

  /**
   * Gives up a response that is overdue, and asks when it is time; harmless when called too early.
   */
  handleTimer(now: MonotonicSeconds): readonly AssociationAction[] {
    const actions: AssociationAction[] = [];
    if (now >= this.#request.expiresAt) {
      actions.push(this.#request.close());
      const { isReachable, isLossUnusual, unansweredRequests } = this.history;
      if (isReachable && isLossUnusual) this.#timer.retrySoon(unansweredRequests);
      this.#timer.retryAgain();
    }
    if (now >= this.#timer.due) actions.push(...this.#ask(now));
    return actions;
  }

  /** Tests a packet; whatever its octets, it never throws. */
  handleDatagram(event: DatagramEvent, now: MonotonicSeconds): Reception {
    this.history.noteDatagram();
    const pending = this.#request.pending(event.request);
    if (pending === undefined) return this.#drop("unexpected");
    this.#request.noteDatagram();
    const response = readResponse(event.packet, pending);
    if (!response.ok) return this.#drop(response.error);
    // from here on the server itself has spoken: nothing else is awaited for this request
    const closing = this.#request.close();
    const { kiss, header } = response.value;
    if (kiss !== undefined && kiss !== "unsynchronized") {
      return { actions: [closing, ...this.#handleKiss(kiss, header)], measurement: undefined };
    }
    const content = this.#contents.read(response.value, event);
    const wasReachable = this.history.isReachable;
    const measurement = this.history.noteResponse(content, { header, now });
    if (content.kind !== "rejected") this.#noteAnswered(wasReachable, now);
    return { actions: [closing], measurement };
  }

  /** Takes that a request could not be sent or delivered; one that has not left is closed. */
  handleSendFailed(event: SendFailedEvent, now: MonotonicSeconds): readonly AssociationAction[] {
    if (this.#request.pending(event.request) === undefined) return [];
    this.#request.noteFailure(event);
    if (!this.#request.hasFailedLocally) return [];
    this.protection?.takeBack?.();
    this.#timer.retryLocally(now);
    return this.#request.closeIfOpen();
  }

  /** Takes the poll interval that the discipline wants, within the limits. */
  setPoll(exponent: PollExponent): void {
    this.#timer.setPoll(exponent);
  }

  /** Asks soon again, because the last answer was hardly believable: the next one tells. */
  askForSecond(): void {
    this.#timer.retrySoon(0);
  }

  /**
   * Begins a burst, because the clock is not to be trusted; declined when the last one was a short
   * while ago.
   */
  requestBurst(now: MonotonicSeconds, begin: "at-once" | "spread" = "at-once"): boolean {
    return this.#timer.requestBurst(now, begin);
  }

  /**
   * Makes the next request due as soon as manners allow; for a protection that has just got its
   * keys.
   */
  requestSoon(now: MonotonicSeconds): void {
    this.#timer.requestSoon(now);
  }

  /** There may be a way to the server now that there was not before: asks within seconds. */
  askAgain(now: MonotonicSeconds): void {
    this.protection?.restartBackoff?.(now);
    this.#timer.askAgain(now, this.#request.hasFailedLocally ? "has-not-left" : "has-left");
  }

  /**
   * A key exchange has failed: if there can be no request without one, asks when the next may
   * start.
   */
  waitForKeys(): void {
    const at = this.protection?.nextKeyExchangeAt;
    if (at !== undefined) this.#timer.requestBy(at);
  }

  /** Voids what the local clock timestamped before it was stepped. */
  clockStepped(now: MonotonicSeconds): readonly AssociationAction[] {
    this.#contents.forgetExchange();
    if (!this.#request.isOpen) return [];
    this.#timer.requestSoon(now);
    return [this.#request.close()];
  }

  /** Gives up for good; the association is not used any more. */
  stop(): readonly AssociationAction[] {
    this.#isStopped = true;
    this.#timer.stop();
    return this.#request.closeIfOpen();
  }

  #ask(now: MonotonicSeconds): readonly AssociationAction[] {
    const actions: AssociationAction[] = [...this.#request.closeIfOpen()];
    if (this.protection?.beginKeyExchange?.(now, this.#isUnheard) === true) {
      actions.push(exchangeKeys(this.id, this.config));
    }
    if (this.#timer.isBurstUnderWay && this.history.unansweredRequests >= BURST_UNANSWERED_MAX) {
      this.#timer.abandonBurst();
      if (now < this.#timer.due) return actions;
    }
    this.history.noteRequest();
    this.#timer.noteSent(now);
    const origin = this.config.interleaved
      ? this.#contents.origin(this.history.unansweredRequests - 1)
      : undefined;
    return [...actions, ...this.#request.send(now, origin)];
  }

  /**
   * Whether the server has not answered although it could have, and keys for another algorithm may
   * be what it wants.
   */
  get #isUnheard(): boolean {
    return this.history.lastResponseAt === undefined &&
      this.history.unansweredRequests >= BURST_UNANSWERED_MAX &&
      this.lastSendFailure === undefined && this.config.aeadAlgorithms.length !== 1;
  }

  /** The server answers: goes on at the normal rate, or measures at once what has come back. */
  #noteAnswered(wasReachable: boolean, now: MonotonicSeconds): void {
    this.#timer.noteResponse();
    this.#kisses.clear();
    if (!wasReachable && this.config.iburst) this.#timer.requestBurst(now);
  }

  /**
   * RFC 5905 section 7.4 says stop; without authentication that is done only when eight requests
   * had no better response.
   */
  #handleKiss(
    kiss: Exclude<Kiss, "unsynchronized">,
    header: NtpHeader,
  ): readonly AssociationAction[] {
    this.#contents.forgetExchange();
    const isBelieved = this.protection !== undefined ||
      this.history.unansweredRequests >= REACH_LENGTH;
    const { warnings, mustStop } = this.#kisses.take(kiss, { header, isBelieved });
    const actions: AssociationAction[] = warnings.map((text) => this.#log("warning", text));
    if (mustStop) actions.push(...this.stop());
    return actions;
  }

  #drop(reason: DropReason): Reception {
    this.history.dropped.add(reason);
    return { actions: [], measurement: undefined };
  }

  #log(level: LogAction["level"], text: string): LogAction {
    const message = `Source ${this.fullName} ${text}`;
    return { type: "log", level, message, source: this.name };
  }
}
