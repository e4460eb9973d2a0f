/**
 * One exchange with an NTP server outside of the daemon: ask, wait, check, compute. The clock is read and never touched.
 *
 * The idea: the same request, the same tests of the answer and the same sockets as the daemon uses, but one socket and one wait
 * at a time. Limits: an answer that fails a test is passed over until the time is up, because anyone can send one; the reason
 * of the last is told then.
 *
 * @module
 */
import { realtimeNow } from "../../../ffi/clock/clock.ts";
import { Poller } from "../../../ffi/poller.ts";
import { UdpSocket } from "../../../ffi/socket/udp_socket.ts";
import {
  type Answer,
  leapIndicatorOf,
  readResponse,
  worseTimestamping,
} from "../../association/response.ts";
import type { DropReason } from "../../association/drop_reason.ts";
import { offsetAndDelay } from "../../association/exchange.ts";
import type { LeapIndicator, Timestamping } from "../../association/measurement.ts";
import { contentFault } from "../../association/outcome.ts";
import { type ExchangeTimestamps, isSynchronized } from "../../association/packet_tests.ts";
import type { PacketProtection } from "../../association/protection.ts";
import { makeRequestHeader, type PendingRequest } from "../../association/request.ts";
import { fromUnixNanoseconds, type NtpTimestamp } from "../../base/ntp_timestamp.ts";
import type { RandomSource } from "../../base/random.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { SocketAddress } from "../../base/socket_address.ts";
import type { Seconds } from "../../base/units.ts";
import { formatReferenceId } from "../../protocol/reference_id.ts";
import { dropText } from "./drop_text.ts";

/** What one exchange tells. */
export interface Sample {
  /** The server's stratum, 1 to 15. */
  readonly stratum: number;
  /** What the server follows, as text. */
  readonly referenceId: string;
  /** Whether a leap second is announced. */
  readonly leap: LeapIndicator;
  /** Positive when the server is ahead. */
  readonly offset: Seconds;
  /** The round-trip delay; the grain of a coarse clock may make it negative. */
  readonly delay: Seconds;
  /** The grain of the server's clock, as an exponent of two seconds. */
  readonly precision: number;
  /** The server's delay to its reference clock. */
  readonly rootDelay: Seconds;
  /** The server's dispersion to its reference clock. */
  readonly rootDispersion: Seconds;
  /** The worse of the two local timestamps. */
  readonly timestamping: Timestamping;
}

/** Protects requests and verifies answers, like that of an association; a plain exchange has none. */
export type QueryProtection =
  & Pick<PacketProtection, "authentication" | "protect" | "verify">
  & {
    /** Why the last answer was not believed, in a sentence. */
    readonly whyNot: string | undefined;
  };

/** How to ask. */
export interface ExchangeOptions {
  /** Where the unguessable octets come from. */
  readonly random: RandomSource;
  /** How long to wait for the answer. */
  readonly timeout: Seconds;
  /** How packets are authenticated; not at all when left out. */
  readonly protection?: QueryProtection;
}

/** How long the kernel's timestamp of the request is waited for once the answer is there. */
const TIMESTAMP_WAIT: Seconds = 0.005;

/** Asks a server once; the error is a sentence. */
export async function exchange(
  server: SocketAddress,
  options: ExchangeOptions,
): Promise<Result<Sample, string>> {
  const opened = UdpSocket.open({ peer: server });
  if (!opened.ok) return err(opened.error.message);
  const poller = Poller.open();
  if (!poller.ok) {
    opened.value.close();
    return err(poller.error.message);
  }
  const added = poller.value.add(opened.value.fd);
  try {
    if (!added.ok) return err(added.error.message);
    return await new Exchange(opened.value, poller.value, options).run();
  } finally {
    poller.value.close();
    opened.value.close();
  }
}

interface Timestamp {
  readonly time: NtpTimestamp;
  readonly kind: Timestamping;
}

class Exchange {
  readonly #socket: UdpSocket;
  readonly #poller: Poller;
  readonly #options: ExchangeOptions;
  #sent: Timestamp = { time: fromUnixNanoseconds(0n), kind: "user" };
  #transmitId = -1;
  /** Why the last answer was passed over, or what the network said. */
  #refusal: string | undefined;
  #unreachable = false;

  constructor(socket: UdpSocket, poller: Poller, options: ExchangeOptions) {
    this.#socket = socket;
    this.#poller = poller;
    this.#options = options;
  }

  async run(): Promise<Result<Sample, string>> {
    const { random, protection, timeout } = this.#options;
    const header = makeRequestHeader(random);
    const request = protection === undefined
      ? ok({ packet: header.octets, uniqueIdentifier: new Uint8Array() })
      : protection.protect(header.octets, random);
    if (!request.ok) return request;
    const pending: PendingRequest = {
      ...header,
      id: 0,
      uniqueIdentifier: request.value.uniqueIdentifier,
      sentAt: 0,
      expiresAt: Infinity,
    };
    this.#sent = { time: fromUnixNanoseconds(realtimeNow()), kind: "user" };
    const sent = this.#socket.send(request.value.packet);
    if (!sent.ok) return err(sent.error.message);
    this.#transmitId = sent.value;
    const deadline = performance.now() + timeout * 1000;
    for (;;) {
      const left = (deadline - performance.now()) / 1000;
      if (left <= 0) return err(this.#refusal ?? "No answer");
      const ready = await this.#poller.wait(left);
      if (!ready.ok) return err(ready.error.message);
      this.#readQueue();
      if (this.#unreachable) return err(this.#refusal ?? "Unreachable");
      const sample = await this.#receive(pending);
      if (sample !== undefined) return sample;
    }
  }

  /** Takes the kernel's timestamp of the request, and errors that the network reports, out of the error queue. */
  #readQueue(): void {
    for (let i = 0; i < 8; i++) {
      const entry = this.#socket.readQueue();
      if (!entry.ok || entry.value === undefined) return;
      if (entry.value.type === "error") {
        this.#refusal = entry.value.error.message;
        this.#unreachable = true;
      } else if (entry.value.transmitId === this.#transmitId) {
        const { transmitTimestamp, timestampKind } = entry.value;
        this.#sent = { time: fromUnixNanoseconds(transmitTimestamp), kind: timestampKind };
      }
    }
  }

  /** Reads datagrams until one is the answer; undefined when none is. */
  async #receive(request: PendingRequest): Promise<Result<Sample, string> | undefined> {
    for (let i = 0; i < 8; i++) {
      const received = this.#socket.receive();
      if (!received.ok) return err(received.error.message);
      if (received.value === undefined) return undefined;
      const { bytes, receiveTimestamp, timestampKind } = received.value;
      const answer = readResponse(bytes, request, this.#options.protection);
      this.#refusal = answer.ok ? undefined : this.#sentenceOf(answer.error, bytes);
      if (!answer.ok) continue;
      if (this.#sent.kind === "user") {
        await this.#poller.wait(TIMESTAMP_WAIT);
        this.#readQueue();
      }
      const arrived = { time: fromUnixNanoseconds(receiveTimestamp), kind: timestampKind };
      return this.#judge(answer.value, arrived);
    }
    return undefined;
  }

  #sentenceOf(reason: DropReason, bytes: Uint8Array): string {
    const isUnproven = reason === "not-authentic" || reason === "nts-nak";
    return (isUnproven ? this.#options.protection?.whyNot : undefined) ?? dropText(reason, bytes);
  }

  #judge({ header, kiss }: Answer, arrived: Timestamp): Result<Sample, string> {
    if (kiss !== undefined && kiss !== "unsynchronized") {
      return err(
        `The server refuses to answer: kiss code ${
          formatReferenceId(header.referenceId, { stratum: 0 })
        }`,
      );
    }
    if (!isSynchronized(header)) {
      return err(
        `The server says that it is not synchronised (leap indicator ${header.leapIndicator}, stratum ${header.stratum})`,
      );
    }
    const times: ExchangeTimestamps = {
      originTimestamp: this.#sent.time,
      receiveTimestamp: header.receiveTimestamp,
      transmitTimestamp: header.transmitTimestamp,
      destinationTimestamp: arrived.time,
    };
    const fault = contentFault(header, times, undefined);
    if (fault !== undefined) return err(dropText(fault));
    const family = this.#socket.peer.family;
    return ok({
      stratum: header.stratum,
      referenceId: formatReferenceId(header.referenceId, { stratum: header.stratum, family }),
      leap: leapIndicatorOf(header),
      ...offsetAndDelay(times),
      precision: header.precision,
      rootDelay: header.rootDelay,
      rootDispersion: header.rootDispersion,
      timestamping: worseTimestamping(this.#sent.kind, arrived.kind),
    });
  }
}
