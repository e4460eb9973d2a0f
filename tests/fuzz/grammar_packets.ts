/**
 * Packets and records of key exchanges that are right, or wrong in one place: headers, extension
 * fields, authentication codes, and what Network Time Security puts into them.
 *
 * @module
 */
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import { addSeconds, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import type { RandomSource } from "../../src/base/random.ts";
import { randomUint64, uniform } from "../../src/base/random.ts";
import { RECORD } from "../../src/nts/key_exchange/record.ts";
import { FIELD_TYPE } from "../../src/protocol/extension_field.ts";
import { emptyHeader, encodeHeader, type NtpHeader } from "../../src/protocol/header.ts";
import { below, between, chance, noise, pick, several } from "./mutate.ts";

const NO_OCTETS: Bytes = new Uint8Array();
const KISSES = ["RATE", "DENY", "RSTR", "NTSN", "INIT", "STEP", "XXXX"] as const;
/** Lengths of what may close a packet: a NAK, codes of each digest, and what is none. */
const TRAILERS = [4, 8, 12, 20, 24, 28, 36, 52, 68, 72, 76] as const;
const FIELD_TYPES: readonly number[] = [...Object.values(FIELD_TYPE), 0x0002, 0x2005, 0xf323, 0];
/** Where the transmit timestamp of a header begins. */
const TRANSMIT = 40;
const ERA = ntpTimestamp(0xed00_0000_0000_0000n);

/** Makes a header of any mode. */
export function anyHeader(random: RandomSource): Bytes {
  const version = chance(random, 0.7) ? 4 : below(random, 8);
  const mode = chance(random, 0.6) ? pick(random, [3, 4, 1] as const) : below(random, 8);
  const octets = noise(random, 48);
  octets[0] = (below(random, 4) << 6) | (version << 3) | mode;
  if (chance(random, 0.5)) octets[1] = below(random, 17);
  if (chance(random, 0.5)) octets.fill(0, 24, 40);
  if (chance(random, 0.1)) octets.fill(0, TRANSMIT);
  return octets;
}

/** Makes the header of a request. */
export function requestHeader(random: RandomSource): Bytes {
  const octets = anyHeader(random);
  const version = chance(random, 0.8) ? 4 : 1 + below(random, 4);
  octets[0] = (version << 3) | (chance(random, 0.9) ? 3 : 1);
  return octets;
}

/** Makes an answer that fits a request, but for what a liar changes. */
export function responseTo(
  request: Uint8Array,
  random: RandomSource,
  now = addSeconds(ERA, below(random, 1000)),
): Bytes {
  const view = new DataView(request.buffer, request.byteOffset, request.length);
  const origin = ntpTimestamp(request.length >= 48 ? view.getBigUint64(TRANSMIT) : 0n);
  const odd = (probability: number) => chance(random, probability);
  const kiss = odd(0.1);
  const shift = odd(0.1) ? between(random, 1e-6, 2 ** 33) * (odd(0.5) ? 1 : -1) : 0;
  const at = addSeconds(now, shift);
  const header: NtpHeader = {
    ...emptyHeader(odd(0.03) ? below(random, 8) : 4, odd(0.02) ? below(random, 8) : 4),
    leapIndicator: odd(0.1) ? below(random, 4) : 0,
    stratum: kiss ? 0 : odd(0.05) ? below(random, 256) : 1 + below(random, 15),
    poll: odd(0.1) ? below(random, 256) - 128 : 6,
    precision: odd(0.1) ? below(random, 256) - 128 : -20,
    rootDelay: uniform(random) * (odd(0.05) ? 65_535 : 0.1),
    rootDispersion: uniform(random) * (odd(0.05) ? 65_535 : 0.1),
    referenceId: kiss ? wordOf(pick(random, KISSES)) : random.uint32(),
    referenceTimestamp: odd(0.1) ? ntpTimestamp(randomUint64(random)) : addSeconds(at, -16),
    originTimestamp: odd(0.05) ? ntpTimestamp(randomUint64(random)) : origin,
    receiveTimestamp: odd(0.03) ? ntpTimestamp(0n) : at,
    transmitTimestamp: odd(0.03) ? ntpTimestamp(0n) : addSeconds(at, odd(0.05) ? -1 : 1e-5),
  };
  return encodeHeader(header);
}

/** Makes what may follow a header: fields, and what closes the packet. */
export function rest(random: RandomSource): Bytes {
  const fields = several(chance(random, 0.02) ? 40 : below(random, 5), () => field(random));
  return concatBytes(...fields, trailer(random));
}

/** Makes an extension field; one in ten says a length that it does not have. */
export function field(
  random: RandomSource,
  type = pick(random, FIELD_TYPES),
  body: Uint8Array = noise(random, 4 * below(random, chance(random, 0.1) ? 100 : 30)),
): Bytes {
  const padding = (4 - body.length % 4) % 4;
  const octets = concatBytes(new Uint8Array(4), body, new Uint8Array(padding));
  const view = new DataView(octets.buffer);
  view.setUint16(0, type);
  view.setUint16(2, chance(random, 0.1) ? random.uint32() & 0xffff : octets.length);
  return octets;
}

/** Makes an authenticator field (RFC 8915 section 5.6) around octets that no key has sealed. */
export function authenticator(random: RandomSource): Bytes {
  const nonce = noise(random, chance(random, 0.8) ? 16 : below(random, 40));
  const sealed = noise(random, 16 + (chance(random, 0.5) ? 0 : below(random, 300)));
  const pad = (length: number) => new Uint8Array((4 - length % 4) % 4);
  const head = new Uint8Array(4);
  const view = new DataView(head.buffer);
  view.setUint16(0, chance(random, 0.1) ? random.uint32() & 0xffff : nonce.length);
  view.setUint16(2, chance(random, 0.1) ? random.uint32() & 0xffff : sealed.length);
  const body = concatBytes(head, nonce, pad(nonce.length), sealed, pad(sealed.length));
  return field(random, FIELD_TYPE.ntsAuthenticator, body);
}

/** Makes a request or an answer with all that may follow. */
export function packet(random: RandomSource): Bytes {
  const header = chance(random, 0.5) ? anyHeader(random) : requestHeader(random);
  return concatBytes(header, chance(random, 0.3) ? NO_OCTETS : rest(random));
}

/** Makes a message of a key exchange, of a client or of a server. */
export function keyExchangeMessage(random: RandomSource, side: "client" | "server"): Bytes {
  const needed = side === "client"
    ? [record(RECORD.NEXT_PROTOCOL, words(0), true), record(RECORD.AEAD_ALGORITHM, aeads(random))]
    : [
      record(RECORD.NEXT_PROTOCOL, words(0), true),
      record(RECORD.AEAD_ALGORITHM, words(pick(random, [15, 15, 15, 30, 30, 17]))),
      ...several(below(random, 10), () => cookieRecord(random)),
    ];
  const further = several(chance(random, 0.6) ? 0 : below(random, 4), () => anyRecord(random));
  const parts = [...needed, ...further];
  if (chance(random, 0.1)) parts.splice(below(random, parts.length), 1);
  if (chance(random, 0.1)) parts.push(pick(random, parts));
  if (chance(random, 0.2)) parts.reverse();
  const end = chance(random, 0.95) ? record(RECORD.END_OF_MESSAGE, NO_OCTETS, true) : NO_OCTETS;
  return concatBytes(...parts, end, chance(random, 0.03) ? noise(random, 5) : NO_OCTETS);
}

function cookieRecord(random: RandomSource): Bytes {
  const length = chance(random, 0.8) ? 100 : below(random, 1200);
  return record(RECORD.NEW_COOKIE, noise(random, length));
}

function anyRecord(random: RandomSource): Bytes {
  const type = chance(random, 0.8) ? pick(random, Object.values(RECORD)) : below(random, 0x8000);
  const isServer = type === RECORD.NTP_SERVER && chance(random, 0.8);
  const name = pick(random, ["ntp.example.net", "192.0.2.7", "2001:db8::1", "a b", "[::]", ""]);
  const body = isServer ? new TextEncoder().encode(name) : noise(random, below(random, 7));
  return record(type, body, chance(random, 0.3));
}

function record(type: number, body: Uint8Array, isCritical = false): Bytes {
  const head = words(type | (isCritical ? 0x8000 : 0), body.length);
  return concatBytes(head, body);
}

function aeads(random: RandomSource): Bytes {
  return words(...several(1 + below(random, 4), () => pick(random, [15, 30, 17, 16, 1, 0xffff])));
}

function words(...numbers: readonly number[]): Bytes {
  return new Uint8Array(numbers.flatMap((number) => [number >> 8, number & 0xff]));
}

function trailer(random: RandomSource): Bytes {
  if (chance(random, 0.4)) return NO_OCTETS;
  const length = chance(random, 0.8) ? pick(random, TRAILERS) : below(random, 80);
  return chance(random, 0.3) ? new Uint8Array(length) : noise(random, length);
}

function wordOf(text: string): number {
  return [...text].reduce((word, letter) => word * 256 + letter.charCodeAt(0), 0);
}
