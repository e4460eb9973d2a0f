/**
 * A simulated NTP server: a clock that is right or wrong in a stated way, and answers that are
 * honest or not.
 *
 * The idea: it answers real packets with real packets (RFC 5905 section 7.3), so the whole path
 * through codec, checks and association is tested. Limits: no extension fields, no authentication,
 * basic mode only.
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import { addSeconds, type NtpTimestamp, ntpTimestamp } from "../base/ntp_timestamp.ts";
import type { Bytes } from "../base/bytes.ts";
import { ipToBytes } from "../base/ip_address.ts";
import type { Seconds } from "../base/units.ts";
import { HEADER_LENGTH, MODE } from "../protocol/header.ts";
import { LEAP, type LeapIndicator } from "../protocol/leap_indicator.ts";
import type { Draws } from "./draws.ts";
import { SimulatedOscillator } from "./oscillator.ts";
import type { ServerChange, ServerModel } from "./scenario/server.ts";

/** What a server draws from. */
export interface ServerDraws {
  /** The wander of its clock. */
  readonly clock: Draws;
  /** The bits of its timestamps below its precision. */
  readonly grain: Draws;
}

/** Timestamps of a clock that is so precise are exact. */
const PRECISION_FINE = -25;

/** A moment by true time, as a server needs it. */
export interface ServingTime {
  /** Seconds since the start of the scenario. */
  readonly time: Seconds;
  /** The true time as a timestamp. */
  readonly timestamp: NtpTimestamp;
  /** The leap second that is due. */
  readonly announced: LeapIndicator;
}

/** A running server. Its time only goes forward. */
export class SimulatedServer {
  #model: ServerModel;
  readonly #oscillator: SimulatedOscillator;
  readonly #grain: Draws;
  #lastRequest = -Infinity;
  #previousResponse: Bytes | undefined;
  #requests = 0;

  /** Starts a server. */
  constructor(model: ServerModel, draws: ServerDraws) {
    this.#model = model;
    this.#grain = draws.grain;
    this.#oscillator = new SimulatedOscillator(model, draws.clock);
  }

  /** What the server is now. */
  get model(): ServerModel {
    return this.#model;
  }

  /** How many requests have reached it, alive or dead. */
  get requests(): number {
    return this.#requests;
  }

  /** Changes what the server is from `time` on. */
  change(change: ServerChange, time: Seconds): void {
    this.#oscillator.advance(time);
    if (change.frequency !== undefined) {
      this.#oscillator.stepFrequency(change.frequency - this.#model.frequency);
    }
    const forward = { ...this.#model.forward, ...change.forward };
    const backward = { ...this.#model.backward, ...change.backward };
    this.#model = { ...this.#model, ...change, forward, backward };
  }

  /** What its clock shows more than true time at `time`. */
  clockError(time: Seconds): Seconds {
    this.#oscillator.advance(time);
    return this.#model.offset + this.#oscillator.phaseError;
  }

  /** Returns the response to a request that arrives now, or undefined when there is none. */
  respond(request: Uint8Array, now: ServingTime): Bytes | undefined {
    this.#requests++;
    const sinceLast = now.time - this.#lastRequest;
    this.#lastRequest = now.time;
    const first = request[0] ?? 0;
    if (!this.#model.alive || request.length < HEADER_LENGTH || (first & 7) !== MODE.client) {
      return undefined;
    }
    const receive = addSeconds(now.timestamp, this.clockError(now.time));
    const leap = this.#model.leap === "none" ? now.announced : this.#model.leap;
    const transmit = addSeconds(receive, this.#model.turnaround);
    const timestamps = { receive: this.#read(receive), transmit: this.#read(transmit) };
    const response = encodeResponse(this.#model, { request, timestamps, leap });
    const { kiss, kissInterval } = this.#model;
    const isDenied = kiss !== undefined && (kissInterval === 0 || sinceLast < kissInterval);
    if (isDenied) makeKiss(response, kiss);
    return response;
  }

  /**
   * Returns what an adversary sends in the server's name beside `response`; undefined when none
   * does.
   */
  forge(response: Bytes, draws: Draws): Bytes | undefined {
    const previous = this.#previousResponse;
    this.#previousResponse = response;
    switch (this.#model.attack) {
      case "none":
        return undefined;
      case "replay":
        return previous;
      case "wrong-origin":
        return guessedOrigin(response, draws);
      case "false-kiss": {
        const packet = guessedOrigin(response, draws);
        makeKiss(packet, "DENY");
        return packet;
      }
      case "garbage": {
        const packet = new Uint8Array(Math.floor(draws.uniform() * 200));
        for (let i = 0; i < packet.length; i++) packet[i] = draws.uniform() * 256;
        return packet;
      }
      default:
        return unreachable(this.#model.attack);
    }
  }

  /** What a clock of this precision shows: the bits below it are random (RFC 5905 section 6). */
  #read(time: NtpTimestamp): NtpTimestamp {
    if (this.#model.precision <= PRECISION_FINE) return time;
    const grain = 2 ** (32 + this.#model.precision);
    const random = Math.floor(this.#grain.uniform() * grain);
    return ntpTimestamp(time - (time % BigInt(grain)) + BigInt(random));
  }
}

function encodeResponse(
  model: ServerModel,
  { request, timestamps, leap }: {
    request: Uint8Array;
    timestamps: { receive: NtpTimestamp; transmit: NtpTimestamp };
    leap: LeapIndicator;
  },
): Bytes {
  const packet = new Uint8Array(HEADER_LENGTH);
  const view = new DataView(packet.buffer);
  const version = ((request[0] ?? 0) >> 3) & 7;
  packet[0] = (LEAP[leap] << 6) | (version << 3) | MODE.server;
  packet[1] = model.stratum > 15 ? 0 : model.stratum;
  packet[2] = request[2] ?? 0;
  view.setInt8(3, model.precision);
  view.setUint32(4, shortFormat(model.rootDelay));
  view.setUint32(8, shortFormat(model.rootDispersion));
  packet.set(referenceIdBytes(model.referenceId), 12);
  view.setBigUint64(16, addSeconds(timestamps.receive, -8));
  packet.set(request.subarray(40, 48), 24);
  view.setBigUint64(32, timestamps.receive);
  view.setBigUint64(40, timestamps.transmit);
  return packet;
}

/**
 * Turns a response into a kiss-o'-death: leap unknown, stratum 0, the code as reference id (RFC
 * 5905 section 7.4).
 */
function makeKiss(packet: Bytes, code: string): void {
  packet[0] = (packet[0] ?? 0) | 0xc0;
  packet[1] = 0;
  packet.set(referenceIdBytes(code), 12);
}

function guessedOrigin(response: Bytes, draws: Draws): Bytes {
  const packet = response.slice();
  for (let i = 24; i < 32; i++) packet[i] = draws.uniform() * 256;
  return packet;
}

/** The 16.16 format, rounded up so that what was measured is never told as zero. */
function shortFormat(seconds: Seconds): number {
  return Math.min(0xffff_ffff, Math.ceil(seconds * 65_536));
}

function referenceIdBytes(text: string): Uint8Array {
  const address = ipToBytes(text);
  if (address !== undefined) return address.subarray(0, 4);
  const bytes = new Uint8Array(4);
  for (let i = 0; i < Math.min(4, text.length); i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
