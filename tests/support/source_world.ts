/**
 * A little world for tests of sources: addresses that behave each in their way, names, and time
 * that only the test moves.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { SourceGroupConfig } from "../../src/association/config.ts";
import type { SendAction, SourceAction } from "../../src/association/events.ts";
import { SourceGroup } from "../../src/association/source_group.ts";
import type { SourceGroupOptions } from "../../src/association/source_group_options.ts";
import { addSeconds, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { err, ok } from "../../src/base/result.ts";
import { decodeHeader, emptyHeader, encodeHeader } from "../../src/protocol/header.ts";
import { referenceIdFromAscii } from "../../src/protocol/reference_id.ts";

const EPOCH = ntpTimestamp(0xed00_0000_0000_0000n);

const CONFIG: SourceGroupConfig = {
  mode: "pool",
  address: "pool.example.org",
  host: "pool.example.org",
  port: 123,
  count: 3,
  ignore: [],
  certificateAuthority: undefined,
  aeadAlgorithms: [],
  iburst: true,
  pollIntervalLimits: { min: 4, max: 10 },
  initialPollInterval: 4,
  interleaved: false,
};

/** What a server does with a request. */
export type Behaviour = "answers" | "silent" | "denies";

/** A group in a little world of its own, where each address behaves in its way. */
export class SourceWorld {
  /** The source under test. */
  readonly group: SourceGroup;
  /** What each address does; one that is not named answers. */
  readonly behaviour = new Map<string, Behaviour>();
  /** What was told to the administrator. */
  readonly logs: string[] = [];
  /** The lookups, each answered at once by `names`. */
  readonly lookups: { readonly at: number; readonly lookup: number; readonly host: string }[] = [];
  /** The requests that were sent, by address. */
  readonly requests: { readonly at: number; readonly address: string }[] = [];
  /** The newest request. */
  lastRequest: SendAction | undefined = undefined;
  /** The key exchanges that were begun, for the test to end. */
  readonly exchanges: number[] = [];
  /** The time, in seconds. */
  now = 0;
  /** What a lookup brings: addresses, or the sentence of a failure. */
  names: readonly string[] | string = [];

  /** Makes a world with a source that is not started yet. */
  constructor(config: Partial<SourceGroupConfig> = {}, options: Partial<SourceGroupOptions> = {}) {
    let association = 0, request = 0, lookup = 0;
    this.group = new SourceGroup({
      config: { ...CONFIG, ...config },
      random: new SeededRandom(3),
      allocateAssociation: () => ++association,
      allocateRequest: () => ++request,
      allocateLookup: () => ++lookup,
      holderOf: () => undefined,
      ...options,
    });
  }

  /** The addresses that are asked now, sorted. */
  get addresses(): readonly string[] {
    return this.group.members.map(({ address }) => address.address).sort();
  }

  /** Starts the source. */
  start(): void {
    this.take(this.group.start(this.now));
  }

  /** Runs the group until a time; a bound on the steps finds timers that do not move on. */
  runTo(time: number): void {
    for (let step = 0; step < 100_000; step++) {
      const next = this.group.nextWakeup();
      if (next > time) {
        this.now = time;
        return;
      }
      this.now = Math.max(this.now, next);
      this.take(this.group.handleTimer(this.now));
    }
    assert.fail(`still busy at ${this.now} s`);
  }

  /** Does what the source wants done. */
  take(actions: readonly SourceAction[]): void {
    for (const action of actions) {
      if (action.type === "log") this.logs.push(action.message);
      if (action.type === "send") this.#answer(action);
      if (action.type === "exchange-keys") this.exchanges.push(action.association);
      if (action.type === "resolve") {
        this.lookups.push({ at: this.now, lookup: action.lookup, host: action.host });
        const result = typeof this.names === "string" ? err(this.names) : ok(this.names);
        this.take(
          this.group.handleResolved(
            { type: "resolved", lookup: action.lookup, result },
            this.now,
          ) ?? [],
        );
      }
    }
  }

  #answer(sent: SendAction): void {
    this.lastRequest = sent;
    this.requests.push({ at: this.now, address: sent.destination.address });
    const behaviour = this.behaviour.get(sent.destination.address) ?? "answers";
    if (behaviour === "silent") return;
    const request = decodeHeader(sent.packet);
    assert.ok(request.ok);
    const header = {
      ...emptyHeader(4, 4),
      stratum: behaviour === "denies" ? 0 : 2,
      referenceId: behaviour === "denies" ? referenceIdFromAscii("DENY") : 1,
      precision: -20,
      originTimestamp: request.value.transmitTimestamp,
      receiveTimestamp: addSeconds(EPOCH, this.now),
      transmitTimestamp: addSeconds(EPOCH, this.now),
    };
    this.deliver(encodeHeader(header));
  }

  /** Lets a packet arrive on the socket of the newest request. */
  deliver(packet: Uint8Array): void {
    if (this.lastRequest === undefined) return;
    const { association, request } = this.lastRequest;
    const reception = this.group.handleDatagram({
      type: "datagram",
      association,
      request,
      packet,
      transmitTimestamp: addSeconds(EPOCH, this.now),
      transmitTimestamping: "user",
      receiveTimestamp: addSeconds(EPOCH, this.now + 0.01),
      receiveTimestamping: "user",
    }, this.now);
    this.take(reception.actions);
  }
}
