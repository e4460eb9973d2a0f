/**
 * One association as attackers see it: they read its requests if they are on the path, and deliver
 * packets to it.
 *
 * The idea: each attack is a change of a good answer, so that the same packet without the change is
 * the control beside it. What an attack must not touch is one comparable text. Limits: one server,
 * one request open at a time, a path of 20 ms.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ASSOCIATION_CONFIG } from "../support/association_config.ts";
import {
  Association,
  type AssociationOptions,
  type Reception,
} from "../../src/association/association.ts";
import type { AssociationConfig } from "../../src/association/config.ts";
import type { SendAction } from "../../src/association/events.ts";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import { addSeconds, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { SeededRandom } from "../../src/base/random.ts";
import {
  decodeHeader,
  emptyHeader,
  encodeHeader,
  type NtpHeader,
} from "../../src/protocol/header.ts";
import { referenceIdFromAscii } from "../../src/protocol/reference_id.ts";

/** What a packet changes of a good answer. */
export type Change = Partial<NtpHeader>;

/** 2026-01-01 or so, where both clocks start. */
const EPOCH = ntpTimestamp(0xed00_0000_0000_0000n);
const ZERO = ntpTimestamp(0n);

/** What changes a good answer into a kiss-o'-death with this code. */
export function kiss(code: string, change: Change = {}): Change {
  return { leapIndicator: 3, stratum: 0, referenceId: referenceIdFromAscii(code), ...change };
}

/** The least that is no origin timestamp of ours. */
export const WRONG_ORIGIN: Change = { originTimestamp: ntpTimestamp(0xed00_0000_1234_5678n) };

/** An origin timestamp of zero. */
export const ZERO_ORIGIN: Change = { originTimestamp: ZERO };

/** A crypto-NAK behind the header (RFC 5905 section 7.3). */
export const CRYPTO_NAK: Bytes = new Uint8Array(4);

/** A client of one server. */
export class Victim {
  /** Under attack. */
  readonly association: Association;
  #now = 0;
  #requests = 0;
  #request: SendAction | undefined;

  constructor(config: Partial<AssociationConfig> = {}, options: Partial<AssociationOptions> = {}) {
    this.association = new Association({
      id: 7,
      name: "time.example.org",
      address: { family: "ipv4", address: "192.0.2.1", port: 123 },
      config: { ...ASSOCIATION_CONFIG, ...config },
      random: new SeededRandom(1),
      allocateRequest: () => ++this.#requests,
      ...options,
    });
    this.association.start(0);
  }

  /** The open request. */
  get request(): SendAction {
    return this.#request ?? assert.fail("no request is open");
  }

  /** The header of the open request, as the true server reads it. */
  get asked(): NtpHeader {
    const decoded = decodeHeader(this.request.packet);
    return decoded.ok ? decoded.value : assert.fail(decoded.error);
  }

  /** Everything that an attack could change, but for the counters of what was dropped. */
  get state(): string {
    const of = this.association;
    return JSON.stringify([
      of.history.reach,
      of.poll,
      of.history.unansweredRequests,
      of.nextWakeup(),
      of.nextRequestAt,
      of.kiss,
      of.isStopped,
      of.isRefused,
      of.inBurst,
      of.history.serverState,
      of.history.lastResponseAt,
      of.sent,
      of.history.lastMeasurement?.transmitTimestamp.toString(),
    ], (_, value) => typeof value === "bigint" ? `${value}` : value);
  }

  /** What it believes that the server says of itself: leap indicator and stratum. */
  said(): readonly [leap: string | undefined, stratum: number | undefined] {
    const { serverState } = this.association.history;
    return [serverState?.leapIndicator, serverState?.stratum];
  }

  /** How often an answer was dropped for a reason. */
  dropped(reason: string): number {
    return Object.entries(this.association.history.dropped.snapshot())
      .find(([word]) => word === reason)?.[1] ?? 0;
  }

  /** Lets it ask at its own time. */
  ask(): this {
    for (let i = 0; i < 40; i++) {
      this.#now = Math.max(this.#now, this.association.nextWakeup());
      assert.ok(Number.isFinite(this.#now), "the association asks no more");
      const actions = this.association.handleTimer(this.#now);
      const sent = actions.find((action) => action.type === "send");
      if (sent === undefined) continue;
      this.#request = sent;
      return this;
    }
    return assert.fail("the association asks no more");
  }

  /** The header of a good answer to the open request, changed. */
  header(change: Change = {}): NtpHeader {
    return {
      ...emptyHeader(4, 4),
      stratum: 2,
      precision: -20,
      rootDelay: 1 / 64,
      rootDispersion: 1 / 128,
      referenceId: 0xc0000205,
      referenceTimestamp: addSeconds(EPOCH, this.#now - 10),
      originTimestamp: this.asked.transmitTimestamp,
      receiveTimestamp: addSeconds(EPOCH, this.#now + 0.01),
      transmitTimestamp: addSeconds(EPOCH, this.#now + 0.0101),
      ...change,
    };
  }

  /** The octets of that, with what follows the header. */
  answer(change: Change = {}, tail: Bytes = new Uint8Array(0)): Bytes {
    return concatBytes(encodeHeader(this.header(change)), tail);
  }

  /** Lets octets arrive at the socket of the open request. */
  deliver(packet: Bytes): Reception {
    return this.association.handleDatagram({
      type: "datagram",
      association: this.request.association,
      request: this.request.request,
      packet,
      transmitTimestamp: addSeconds(EPOCH, this.#now),
      transmitTimestamping: "kernel",
      receiveTimestamp: addSeconds(EPOCH, this.#now + 0.02),
      receiveTimestamping: "kernel",
    }, this.#now + 0.02);
  }

  /** Delivers a forgery, which must be dropped for this reason and change nothing else. */
  resists(forged: Bytes, reason: string): void {
    const before = this.state, dropped = this.dropped(reason);
    const { actions, measurement } = this.deliver(forged);
    assert.deepEqual([actions, measurement], [[], undefined], reason);
    assert.equal(this.state, before, reason);
    assert.equal(this.dropped(reason), dropped + 1, `dropped as ${reason}`);
  }

  /** Delivers the true answer, which must be measured. */
  measures(answer: Bytes = this.answer()): Reception {
    const reception = this.deliver(answer);
    const { dropped } = this.association.history;
    assert.notEqual(reception.measurement, undefined, JSON.stringify(dropped.snapshot()));
    return reception;
  }
}
