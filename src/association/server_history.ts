/**
 * What has come from one server so far: which requests were answered, what was dropped and why, and
 * what its last response said.
 *
 * The idea: everything here is only told to others (selection, status, logs); what follows for the
 * next request is decided by `association.ts`. Limits: the last eight requests and the last
 * response are remembered, the rest is counted.
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import type { MonotonicSeconds } from "../base/units.ts";
import type { NtpHeader } from "../protocol/header.ts";
import { DroppedResponses } from "./dropped_responses.ts";
import type { Measurement } from "./measurement.ts";
import { ReachRegister } from "./reach.ts";
import { type ResponseContent, type ServerState, serverStateOf } from "./response_contents.ts";

/** The history of one server. */
export class ServerHistory {
  /** Packets that brought no measurement, by reason. */
  readonly dropped = new DroppedResponses();
  readonly #reach = new ReachRegister();
  #received = 0;
  #lastResponseAt: MonotonicSeconds | undefined = undefined;
  #lastMeasurement: Measurement | undefined = undefined;
  #serverState: ServerState | undefined = undefined;

  /** The last eight requests, the newest in bit 0: a set bit is an answered one. */
  get reach(): number {
    return this.#reach.bits;
  }

  /** Whether any of the last eight requests was answered. */
  get isReachable(): boolean {
    return this.#reach.isReachable;
  }

  /**
   * How many requests in a row, up to the newest, brought no usable response; 8 and more mean that
   * the server is dead.
   */
  get unansweredRequests(): number {
    return this.#reach.unanswered;
  }

  /** Whether so many unanswered requests in a row are more than this path commonly loses. */
  get isLossUnusual(): boolean {
    return this.#reach.isLossUnusual;
  }

  /** Packets that came in, dropped ones included. */
  get received(): number {
    return this.#received;
  }

  /** When the last response came that was no kiss. */
  get lastResponseAt(): MonotonicSeconds | undefined {
    return this.#lastResponseAt;
  }

  /** The last exchange that passed all tests. */
  get lastMeasurement(): Measurement | undefined {
    return this.#lastMeasurement;
  }

  /** What the server said of itself in its last response that was no kiss. */
  get serverState(): ServerState | undefined {
    return this.#serverState;
  }

  /** Notes that a request is being sent. */
  noteRequest(): void {
    this.#reach.noteRequest();
  }

  /** Counts a packet, whatever is in it. */
  noteDatagram(): void {
    this.#received++;
  }

  /** Notes what an authentic response said; returns its measurement if it has one. */
  noteResponse(
    content: ResponseContent,
    { header, now }: { readonly header: NtpHeader; readonly now: MonotonicSeconds },
  ): Measurement | undefined {
    const measurement = this.#noteContent(content);
    if (content.kind === "rejected") return undefined;
    this.dropped.noteGood();
    this.#reach.noteResponse();
    this.#lastResponseAt = now;
    this.#serverState = serverStateOf(header);
    return measurement;
  }

  #noteContent(content: ResponseContent): Measurement | undefined {
    switch (content.kind) {
      case "measurement":
        this.#lastMeasurement = content.measurement;
        return content.measurement;
      case "repetition":
        return undefined;
      case "unsynchronized":
        this.dropped.add("unsynchronized");
        return undefined;
      case "rejected":
        this.dropped.add(content.reason);
        return undefined;
      default:
        return unreachable(content);
    }
  }
}
