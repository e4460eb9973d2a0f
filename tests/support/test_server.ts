/**
 * A responder in a small world for the tests of this folder: a clock that stands still unless told,
 * and requests from octets.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { PPM } from "../../src/base/units.ts";
import { HeaderTemplate, type ServerClockState } from "../../src/server/clock_state.ts";
import { MemoryBatch, type MemoryRequest } from "./memory_batch.ts";
import { Responder, type ResponderOptions } from "../../src/server/respond.ts";

/** A clock that follows a server at stratum 2. */
export const SYNCHRONIZED: ServerClockState = {
  leapIndicator: 1,
  stratum: 3,
  precision: -20,
  rootDelay: 0.5,
  rootDispersion: 0.25,
  // PHI of RFC 5905 section 7.3
  dispersionRate: 15 * PPM,
  referenceId: 0xc0000263,
  referenceTimestamp: ntpTimestamp(0xe5f66300_12345678n),
  updatedAt: 1000,
};

/** What the tests change of a responder. */
export type TestOptions = Partial<Omit<ResponderOptions, "template" | "readClock" | "random">>;

/** A responder, the memory it works on, and the time it is told. */
export class TestServer {
  /** What the answers are copied from; tests that change the clock set it. */
  readonly template: HeaderTemplate;
  /** Under test; its counters are read by the tests. */
  readonly responder: Responder;
  /** The requests and answers of the last `ask`. */
  readonly batch = new MemoryBatch();
  /** What the served clock shows. */
  time: readonly [seconds: number, fraction: number] = [0xe5f66400, 0x80000001];
  /** The boot time. */
  now = 1000;
  /** What the sending of an answer is said to take. */
  sendSeconds = 0;
  /** Whether the process is said to have slept before the requests. */
  hasSlept = false;

  /** Starts with a fixed seed, so answers are the same in every run. */
  constructor(options: TestOptions = {}, state: ServerClockState = SYNCHRONIZED) {
    this.template = new HeaderTemplate(state);
    this.responder = new Responder({
      template: this.template,
      random: new SeededRandom(1),
      readClock: (out, index) => out.set(this.time, index),
      ...options,
    });
  }

  /** Answers requests and returns the answers by the number of the request. */
  ask(requests: readonly MemoryRequest[]): readonly (Bytes | undefined)[] {
    this.batch.fill(requests);
    const { now, sendSeconds, hasSlept } = this;
    this.responder.respond(this.batch, { now, sendSeconds, hasSlept });
    return requests.map((_, i) => this.batch.responseTo(i));
  }

  /** Answers one request. */
  askOne(octets: Uint8Array, more: Omit<MemoryRequest, "octets"> = {}): Bytes | undefined {
    return this.ask([{ octets, ...more }])[0];
  }
}

/** What the tests change of a request. */
export interface TestRequest {
  /** 4 when left out. */
  readonly version?: number;
  /** 3, a client's, when left out. */
  readonly mode?: number;
  /** An exponent of two seconds; 6 when left out. */
  readonly poll?: number;
  /** 64 bits; 0 when left out. */
  readonly origin?: bigint;
  /** 64 bits; 0 when left out, as basic mode wants it. */
  readonly receive?: bigint;
  /** 64 bits; a fixed number when left out. */
  readonly transmit?: bigint;
  /** What follows the 48 octets of the header. */
  readonly rest?: Uint8Array;
}

/** Writes a request. */
export function request(options: TestRequest = {}): Bytes {
  const { version = 4, mode = 3, poll = 6, rest = new Uint8Array() } = options;
  const octets = new Uint8Array(48 + rest.length);
  const view = new DataView(octets.buffer);
  octets[0] = (version << 3) | mode;
  octets[2] = poll;
  octets[3] = 0xfa;
  view.setBigUint64(24, options.origin ?? 0n);
  view.setBigUint64(32, options.receive ?? 0n);
  view.setBigUint64(40, options.transmit ?? 0x0123_4567_89ab_cdefn);
  octets.set(rest, 48);
  return octets;
}

/** Reads a timestamp of a packet. */
export function timestamp(packet: Uint8Array, offset: number): bigint {
  return new DataView(packet.buffer, packet.byteOffset).getBigUint64(offset);
}
