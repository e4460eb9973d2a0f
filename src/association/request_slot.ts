/**
 * The one open request of an association: sent, awaited for a while, closed; and what became of
 * those that could not be sent.
 *
 * Limits: when to ask is for `poll_timer.ts`; what a response says is for `response.ts`.
 *
 * @module
 */
import { assert, present } from "../base/assert.ts";
import type { NtpTimestamp } from "../base/ntp_timestamp.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import type { AssociationOptions } from "./association_options.ts";
import type { CloseAction, SendAction, SendFailedEvent } from "./events.ts";
import { makeRequest, type PendingRequest } from "./request.ts";

/** Responses that take longer are worth nothing, and are not awaited. */
const RESPONSE_WAIT: Seconds = 4;

/** What a slot needs to know of its association. */
export type RequestSlotOptions = Pick<
  AssociationOptions,
  "id" | "address" | "protection" | "random" | "allocateRequest"
>;

/** Sends one request at a time. */
export class RequestSlot {
  readonly #options: RequestSlotOptions;
  #pending: PendingRequest | undefined = undefined;
  #sent = 0;
  #failures = 0;
  #lastFailure: string | undefined = undefined;
  #hasFailedLocally = false;

  /** Makes a slot without request. */
  constructor(options: RequestSlotOptions) {
    this.#options = options;
  }

  /** Requests that were handed out. */
  get sent(): number {
    return this.#sent;
  }

  /** Requests that could not be sent or delivered. */
  get failures(): number {
    return this.#failures;
  }

  /** Why the newest request could not be sent or delivered; undefined when it could. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** Whether the newest request has not left this machine. */
  get hasFailedLocally(): boolean {
    return this.#hasFailedLocally;
  }

  /** Whether a request is open. */
  get isOpen(): boolean {
    return this.#pending !== undefined;
  }

  /** From when on no response to the open request is awaited; Infinity when none is open. */
  get expiresAt(): MonotonicSeconds {
    return this.#pending?.expiresAt ?? Infinity;
  }

  /** Returns the request with this number if it is the open one. */
  pending(id: number): PendingRequest | undefined {
    return this.#pending?.id === id ? this.#pending : undefined;
  }

  /**
   * Makes a request and opens it; none if the protection has no cookies left. `interleavedOrigin`
   * as for `makeRequestHeader`.
   */
  send(
    now: MonotonicSeconds,
    interleavedOrigin: NtpTimestamp | undefined,
  ): readonly SendAction[] {
    assert(this.#pending === undefined, "One request is open at a time");
    const { id: association, address, protection, random } = this.#options;
    const made = makeRequest({ random, protection, interleavedOrigin });
    if (made === undefined) return [];
    const request = this.#options.allocateRequest();
    this.#pending = { ...made.expected, id: request, expiresAt: now + RESPONSE_WAIT };
    this.#sent++;
    this.#hasFailedLocally = false;
    return [{ type: "send", association, request, destination: address, packet: made.packet }];
  }

  /**
   * Notes that the open request could not be sent or delivered. One that may have left stays open,
   * since a forged refusal must not keep the true response out.
   */
  noteFailure({ reason, isLocal }: SendFailedEvent): void {
    assert(this.#pending !== undefined, "A failure is one of the open request");
    this.#failures++;
    this.#lastFailure = reason;
    this.#hasFailedLocally = isLocal === true;
  }

  /** Something came back for the open request, good or not: the way to the server is there. */
  noteDatagram(): void {
    this.#lastFailure = undefined;
  }

  /** Closes the open request, which must be there. */
  close(): CloseAction {
    const { id } = present(this.#pending, "A request is open");
    this.#pending = undefined;
    return { type: "close", request: id };
  }

  /** Closes the open request if there is one. */
  closeIfOpen(): readonly CloseAction[] {
    return this.#pending === undefined ? [] : [this.close()];
  }
}
