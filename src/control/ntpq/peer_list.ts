/**
 * The variables of an association, as ntpd tells them (RFC 5905 section 9.1).
 *
 * @module
 */
import { addSeconds, fromUnixNanoseconds, ZERO_TIMESTAMP } from "../../base/ntp_timestamp.ts";
import type { PeerVariables } from "../../engine/status/peer_variables.ts";
import { LEAP } from "../../protocol/leap_indicator.ts";
import { formatReferenceId } from "../../protocol/reference_id.ts";
import { MODE, STRATUM_MAX } from "../../protocol/header.ts";
import type { StatusWord } from "../../selection/status.ts";
import type { ControlView } from "../control_view.ts";
import {
  hexadecimal,
  milliseconds,
  quoted,
  timestampText,
  type Variables,
} from "./variable_list.ts";

const FILTER_LENGTH = 8;
/** What stands in a filter for a sample that there is not. */
const NO_SAMPLE_DISPERSION = 16;
const NO_COOKIES = -1;

/** Why a source is not used, as bits of ntpd's packet tests. */
const FLASH: Readonly<Partial<Record<StatusWord, number>>> = {
  "unsynchronized": 0x20,
  "distant": 0x400,
  "loop": 0x800,
  "unreachable": 0x1000,
  "starting": 0x1000,
  "kissed": 0x8,
};

/** Returns the number of an association: 16 bits that are not zero. */
export function associationNumber({ id }: PeerVariables): number | undefined {
  return id === undefined ? undefined : (id % 0xffff) + 1;
}

/** Returns the variables of a source that has an address. */
export function peerList(peer: PeerVariables, view: ControlView): Variables {
  const { document, address, server, measurement, recent } = peer;
  const now = fromUnixNanoseconds(view.now);
  const { lastReplySecondsAgo: age } = document;
  const received = age === null ? ZERO_TIMESTAMP : addSeconds(now, -age);
  const poll = Math.round(Math.log2(document.pollSeconds));
  const isNamed = peer.config.host !== address?.address;
  return new Map([
    ["srcadr", address?.address ?? "0.0.0.0"],
    ["srcport", `${address?.port ?? 0}`],
    ["dstadr", address?.family === "ipv6" ? "::" : "0.0.0.0"],
    ["dstport", "0"],
    ["leap", `${server === undefined ? LEAP.unknown : LEAP[server.leapIndicator]}`],
    ["hmode", `${MODE.client}`],
    ["stratum", `${document.stratum ?? STRATUM_MAX}`],
    ["ppoll", `${poll}`],
    ["hpoll", `${poll}`],
    ["precision", `${server?.precision ?? 0}`],
    ["rootdelay", milliseconds(server?.rootDelay, 3)],
    ["rootdisp", milliseconds(server?.rootDispersion, 3)],
    ["refid", referenceText(peer)],
    ["reftime", timestampText(server?.referenceTimestamp ?? ZERO_TIMESTAMP)],
    ["rec", timestampText(received)],
    ["xmt", timestampText(measurement?.transmitTimestamp ?? ZERO_TIMESTAMP)],
    ["reach", hexadecimal(document.reach)],
    ["unreach", `${peer.unanswered}`],
    ["delay", milliseconds(document.delaySeconds)],
    ["offset", milliseconds(document.offsetSeconds)],
    ["jitter", milliseconds(document.jitterSeconds)],
    ["dispersion", milliseconds(document.dispersionSeconds)],
    ["keyid", `${peer.config.key ?? 0}`],
    ["filtdelay", filterText(recent.map(({ delay }) => delay), 0)],
    ["filtoffset", filterText(recent.map(({ offset }) => offset), 0)],
    ["pmode", `${document.received === 0 ? 0 : MODE.server}`],
    [
      "filtdisp",
      filterText(recent.map(() => document.dispersionSeconds ?? 0), NO_SAMPLE_DISPERSION),
    ],
    ["flash", hexadecimal(FLASH[document.status] ?? 0)],
    ["headway", "0"],
    ...(isNamed ? [["srchost", quoted(peer.config.host)] as const] : []),
    ["ntscookies", `${document.nts?.cookies ?? NO_COOKIES}`],
    ["sent", `${document.sent}`],
    ["received", `${document.received}`],
    ["badauth", `${count(peer, ["not-authentic", "crypto-nak", "nts-nak"])}`],
    ["bogusorg", `${count(peer, ["origin"])}`],
    ["oldpkt", `${count(peer, ["duplicate", "unexpected"])}`],
    ["seldisp", `${count(peer, ["root-distance"])}`],
    ["selbroken", "0"],
    ["candidate", document.status === "selected" || document.status === "combined" ? "1" : "0"],
    ["timerec", `${Math.round(age ?? 0)}`],
    ["timereach", `${Math.round(age ?? 0)}`],
  ]);
}

function referenceText({ server, address }: PeerVariables): string {
  if (server === undefined) return "INIT";
  const { referenceId, stratum } = server;
  // dotted also for sources with IPv6: that is what ntpq reads
  const isLetters = stratum <= 1 || stratum >= STRATUM_MAX;
  const family = isLetters ? address?.family : "ipv4";
  const text = formatReferenceId(referenceId, {
    stratum,
    ...(family === undefined ? {} : { family }),
  });
  return text.replaceAll(/[^\x21-\x7e]|[,"=]/g, "?");
}

function filterText(values: readonly number[], missing: number): string {
  return Array.from({ length: FILTER_LENGTH }, (_, i) => milliseconds(values[i] ?? missing, 2))
    .join(" ");
}

function count({ document: { dropped } }: PeerVariables, reasons: readonly string[]): number {
  return reasons.reduce((sum, reason) => sum + (dropped[reason] ?? 0), 0);
}
