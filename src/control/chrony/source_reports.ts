/**
 * What chrony's command protocol tells of the sources.
 *
 * Offsets of these reports are positive when the local clock is ahead, but for that of NTP data,
 * which is positive when it is behind; ours are positive when the source is ahead.
 *
 * @module
 */
import { difference, toUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { PeerVariables } from "../../engine/status/peer_variables.ts";
import { totalOf } from "../../base/reason_counter.ts";
import { LEAP } from "../../protocol/leap_indicator.ts";
import { NTP_VERSION } from "../../protocol/header.ts";
import type { KeyType } from "../../config/key_file.ts";
import type { StatusWord } from "../../selection/status.ts";
import type { ControlView } from "../control_view.ts";
import type { ChronyRequest } from "./request.ts";
import { NEVER, type ReportAddress, ResponseWriter } from "./response.ts";

/** A request about one source. */
export interface SourceQuestion {
  /** The request. */
  readonly request: ChronyRequest;
  /** What is known of the source. */
  readonly peer: PeerVariables;
  /** Its place in the list, from 0. */
  readonly index: number;
  /** The state of this moment. */
  readonly view: ControlView;
}

const MODE_CLIENT = 0;
const LEAP_UNKNOWN = LEAP.unknown;

/** Marks of `chronyc sources` by their number. */
const SOURCE_STATE = {
  selected: 0,
  unselectable: 1,
  falseticker: 2,
  jittery: 3,
  combined: 4,
  selectable: 5,
} as const;

const STATES: Readonly<Record<StatusWord, keyof typeof SOURCE_STATE>> = {
  "selected": "selected",
  "combined": "combined",
  "candidate": "selectable",
  "outlier": "selectable",
  "falseticker": "falseticker",
  "jittery": "jittery",
  "unreachable": "unselectable",
  "unsynchronized": "unselectable",
  "distant": "selectable",
  "loop": "unselectable",
  "no-select": "unselectable",
  "kissed": "unselectable",
  "starting": "unselectable",
};

/** Letters of `chronyc selectdata`. */
const LETTERS: Readonly<Record<StatusWord, string>> = {
  "selected": "*",
  "combined": "+",
  "candidate": "U",
  "outlier": "L",
  "falseticker": "x",
  "jittery": "~",
  "unreachable": "M",
  "unsynchronized": "s",
  "distant": "D",
  "loop": "s",
  "no-select": "N",
  "kissed": "M",
  "starting": "M",
};

const OPTION = { noSelect: 1, prefer: 2, trust: 4, require: 8 } as const;

/** Numbers of the kinds of keys. */
const KEY_TYPES: Readonly<Record<KeyType, number>> = {
  md5: 1,
  sha1: 2,
  sha256: 3,
  sha384: 4,
  sha512: 5,
  aes128: 13,
  aes256: 14,
};

/** The length of keys by the number of the AEAD algorithm. */
const AEAD_KEY_BITS: Readonly<Record<number, number>> = { 15: 256, 16: 384, 17: 512, 30: 128 };
const AUTHENTICATION = { none: 0, mac: 1, nts: 2 } as const;

/** Tests of RFC 5905 and chrony's own, and flags above them. */
const NTP_DATA_FLAGS = { allTests: 0x3ff, interleaved: 0x4000, authenticated: 0x8000 } as const;
const TIMESTAMP_LETTERS = { hardware: "H", kernel: "K", user: "D" } as const;

/** Returns the address of a source as reports have it. */
function addressOf({ peer, index }: Pick<SourceQuestion, "peer" | "index">): ReportAddress {
  if (peer.address === undefined) return { kind: "unresolved", index: index + 1 };
  return { kind: "address", address: peer.address.address };
}

/** Tells of one source: `chronyc sources`. */
export function sourceData(question: SourceQuestion): Bytes {
  const { request, peer: { document } } = question;
  return new ResponseWriter(request, { code: 3, length: 76 })
    .address(addressOf(question))
    .u16(Math.round(Math.log2(document.pollSeconds)))
    .u16(document.stratum ?? 0)
    .u16(SOURCE_STATE[STATES[document.status]])
    .u16(MODE_CLIENT)
    .u16(0)
    .u16(document.reach)
    .u32(Math.round(document.lastReplySecondsAgo ?? NEVER))
    .float(-(document.measuredOffsetSeconds ?? 0))
    .float(-(document.offsetSeconds ?? 0))
    .float(document.errorBoundSeconds)
    .done();
}

/** Tells what the samples of a source show: `chronyc sourcestats`. */
export function sourceStatistics(question: SourceQuestion): Bytes {
  const { request, view } = question;
  const { document, samples, recent, server } = question.peer;
  const newest = recent[0], oldest = recent.at(-1);
  const interval = newest === undefined || oldest === undefined || recent.length < 2
    ? 0
    : (newest.at - oldest.at) / (recent.length - 1);
  const isKnown = samples > 0;
  return new ResponseWriter(request, { code: 6, length: 84 })
    .u32(server?.referenceId ?? 0)
    .address(addressOf(question))
    .u32(samples)
    .u32(signRuns(question.peer))
    .u32(Math.round(interval * Math.max(0, samples - 1)))
    .float(isKnown ? document.jitterSeconds : 4)
    .float(0)
    .float(isKnown ? view.status.skewPpm : 2000)
    .float(-(document.offsetSeconds ?? 0))
    .float(document.dispersionSeconds)
    .done();
}

/** How often the last samples went from one side of their mean to the other, and once more. */
function signRuns({ recent }: PeerVariables): number {
  if (recent.length === 0) return 0;
  const mean = recent.reduce((sum, { offset }) => sum + offset, 0) / recent.length;
  const signs = recent.map(({ offset }) => offset >= mean);
  return 1 + signs.filter((sign, i) => i > 0 && sign !== signs[i - 1]).length;
}

/** Tells of the last packet of a source: `chronyc ntpdata`. */
export function ntpData(question: SourceQuestion): Bytes {
  const { request, view } = question;
  const { document, measurement, server, address } = question.peer;
  const isNew = request.length >= 172;
  const held = measurement === undefined
    ? 0
    : difference(measurement.transmitTimestamp, measurement.receiveTimestamp);
  const letter = measurement === undefined ? "I" : TIMESTAMP_LETTERS[measurement.timestamping];
  const good = document.received - totalOf(document.dropped);
  const writer = new ResponseWriter(
    request,
    isNew ? { code: 26, length: 172 } : {
      code: 16,
      length: 152,
    },
  )
    .address(addressOf(question))
    .address({ kind: "none" })
    .u16(address?.port ?? 0)
    .u8(server === undefined ? LEAP_UNKNOWN : LEAP[server.leapIndicator])
    .u8(NTP_VERSION)
    .u8(4)
    .u8(server?.stratum ?? 0)
    .u8(Math.round(Math.log2(document.pollSeconds)))
    .u8(server?.precision ?? 0)
    .float(server?.rootDelay)
    .float(server?.rootDispersion)
    .u32(server?.referenceId ?? 0)
    .time(
      server === undefined ? undefined : toUnixNanoseconds(server.referenceTimestamp, view.now),
    )
    .float(document.measuredOffsetSeconds)
    .float(question.peer.recent[0]?.delay)
    .float(document.dispersionSeconds)
    .float(held)
    .float(0)
    .u16(ntpDataFlags(question.peer))
    .u8(letter.charCodeAt(0))
    .u8(letter.charCodeAt(0))
    .u32(document.sent)
    .u32(document.received)
    .u32(good)
    .u32(good);
  return isNew ? writer.zeros(16).ones(16).done() : writer.ones(12).done();
}

function ntpDataFlags({ measurement, document }: PeerVariables): number {
  if (measurement === undefined) return 0;
  const { allTests, interleaved, authenticated } = NTP_DATA_FLAGS;
  return allTests | (measurement.interleaved ? interleaved : 0) |
    (document.authentication === "none" ? 0 : authenticated);
}

/** Tells the name of a source as it was configured: `chronyc sourcename`. */
export function sourceName({ request, peer }: SourceQuestion): Bytes {
  return new ResponseWriter(request, { code: 19, length: 284 }).text(peer.config.host, 256).done();
}

/** Tells how packets of a source are authenticated: `chronyc authdata`. */
export function authenticationData({ request, peer, view }: SourceQuestion): Bytes {
  const { document, config, unanswered } = peer;
  const { authentication, nts, dropped } = document;
  const writer = new ResponseWriter(request, { code: 20, length: 52 })
    .u16(AUTHENTICATION[authentication]);
  if (authentication === "none") return writer.zeros(22).done();
  if (nts === null) {
    const kind = config.key === undefined ? undefined : view.keyKind(config.key);
    return writer
      .u16(kind === undefined ? 0 : KEY_TYPES[kind.algorithm])
      .u32(config.key ?? 0)
      .u16(kind?.bits ?? 0)
      .u16(0)
      .u32(NEVER)
      .zeros(8)
      .done();
  }
  const exchanged = nts.lastKeyExchange;
  const isExchanged = exchanged !== null;
  const ago = isExchanged ? Number(view.now / 1_000_000n) - Date.parse(exchanged) : undefined;
  return writer
    .u16(nts.aead ?? 0)
    .u32(isExchanged ? 1 : 0)
    .u16(AEAD_KEY_BITS[nts.aead ?? 0] ?? 0)
    .u16(isExchanged ? Math.min(unanswered, 0xffff) : totalOf(nts.failures))
    .u32(ago === undefined ? NEVER : Math.max(0, Math.round(ago / 1000)))
    .u16(nts.cookies)
    .u16(0)
    .u16(dropped["nts-nak"] ?? 0)
    .u16(0)
    .done();
}

/** Tells why a source is selected or not: `chronyc selectdata`. */
export function selectionData(question: SourceQuestion): Bytes {
  const { request } = question;
  const { document, config, server } = question.peer;
  const { offsetSeconds: offset, errorBoundSeconds: bound } = document;
  const isMeasured = offset !== null && bound !== null;
  const options = (config.noSelect ? OPTION.noSelect : 0) | (config.prefer ? OPTION.prefer : 0) |
    (config.trust ? OPTION.trust : 0) | (config.require ? OPTION.require : 0);
  return new ResponseWriter(request, { code: 23, length: 76 })
    .u32(server?.referenceId ?? 0)
    .address(addressOf(question))
    .u8(LETTERS[document.status].charCodeAt(0))
    .u8(document.authentication === "none" ? 0 : 1)
    .u8(server === undefined ? LEAP_UNKNOWN : LEAP[server.leapIndicator])
    .u8(0)
    .u16(options)
    .u16(options)
    .u32(Math.round(document.lastReplySecondsAgo ?? NEVER))
    .float(1)
    .float(isMeasured ? -offset - bound : 0)
    .float(isMeasured ? -offset + bound : 0)
    .done();
}
