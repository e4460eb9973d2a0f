/**
 * The variables of the system, as ntpd tells them: of the clock (RFC 5905 section 11.1), of the
 * kernel, and counters.
 *
 * @module
 */
import {
  fromUnixNanoseconds,
  type NtpTimestamp,
  ZERO_TIMESTAMP,
} from "../../base/ntp_timestamp.ts";
import { NANOSECONDS_PER_SECOND } from "../../base/units.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { MODE } from "../../protocol/header.ts";
import { LEAP } from "../../protocol/leap_indicator.ts";
import { formatReferenceId } from "../../protocol/reference_id.ts";
import type { ControlView } from "../control_view.ts";
import { associationNumber } from "./peer_list.ts";
import {
  hexadecimal,
  milliseconds,
  quoted,
  timestampText,
  type Variables,
} from "./variable_list.ts";

/** What is told of the machine. */
export interface SystemDetails {
  /** The precision of the clock, an exponent of two seconds. */
  readonly precision: number;
  /** The name of the operating system. */
  readonly system: string;
  /** How many requests of this protocol there were. */
  readonly requests: number;
}

/** Returns what `rv` shows without names. */
export function clockList(view: ControlView, { precision, system }: SystemDetails): Variables {
  const { status, served, updates } = view;
  const reference = selectedPeer(view);
  return new Map([
    ["leap", `${served.synchronized ? served.leapIndicator : LEAP[status.leap]}`],
    ["stratum", `${status.stratum}`],
    ["precision", `${precision}`],
    ["rootdelay", milliseconds(status.rootDelaySeconds, 3)],
    ["rootdisp", milliseconds(status.rootDispersionSeconds, 3)],
    ["rootdist", milliseconds(status.errorBoundSeconds, 3)],
    ["refid", referenceText(view)],
    ["reftime", timestampText(referenceTime(view))],
    ["tc", `${Math.round(Math.log2(status.updateIntervalSeconds ?? 1))}`],
    ["peer", `${reference === undefined ? 0 : associationNumber(reference) ?? 0}`],
    ["offset", milliseconds(status.offsetSeconds)],
    ["frequency", status.frequencyPpm.toFixed(6)],
    ["sys_jitter", milliseconds(updates.rms)],
    ["clk_jitter", milliseconds(reference?.document.jitterSeconds)],
    ["clock", timestampText(fromUnixNanoseconds(view.now))],
    ["processor", quoted("")],
    ["system", quoted(system)],
    ["version", quoted(`ntpsd ${status.version}`)],
    ["clk_wander", (status.skewPpm ?? 0).toFixed(6)],
    ["mintc", "0"],
  ]);
}

/** Returns all variables of the system; names that ntpd has and ntpsd has not are left out. */
export function systemList(view: ControlView, details: SystemDetails): Variables {
  return new Map([
    ...clockList(view, details),
    ...referenceList(view),
    ...kernelList(view, details),
    ...serverList(view, details),
    ...keyExchangeList(view),
  ]);
}

function selectedPeer({ peers }: ControlView) {
  return peers.find(({ document }) => document.status === "selected");
}

function referenceText({ served, status }: ControlView): string {
  if (!served.synchronized) return status.state === "synchronized" ? status.referenceId : "INIT";
  return formatReferenceId(served.referenceId, { stratum: served.stratum });
}

/** A clock that counts as right is its own reference at any time. */
function referenceTime({ served, status, now }: ControlView): NtpTimestamp {
  if (served.synchronized) return served.referenceTimestamp;
  return status.state === "synchronized" ? fromUnixNanoseconds(now) : ZERO_TIMESTAMP;
}

function referenceList(view: ControlView): Variables {
  const reference = selectedPeer(view);
  if (reference?.address === undefined) return new Map();
  return new Map([["peeradr", reference.address.address], ["peermode", `${MODE.client}`]]);
}

/** What `kerninfo` shows, in the units of ntpd: milliseconds and parts per million. */
function kernelList({ kernel }: ControlView, { precision }: SystemDetails): Variables {
  if (kernel === undefined) return new Map();
  return new Map([
    ["koffset", "0"],
    ["kfreq", kernel.frequencyPpm.toFixed(6)],
    ["kmaxerr", milliseconds(kernel.maxErrorSeconds, 3)],
    ["kesterr", milliseconds(kernel.estimatedErrorSeconds, 3)],
    ["kstflags", quoted(kernel.synchronized ? "nano" : "nano unsync")],
    ["ktimeconst", "0"],
    ["kprecis", milliseconds(2 ** precision)],
    ["kfreqtol", "500"],
    ["tai", `${kernel.taiOffsetSeconds}`],
  ]);
}

/** Counters of the server in the names of ntpd: in all, and since a reset that never was. */
function serverList({ status, now }: ControlView, { requests }: SystemDetails): Variables {
  const { servers } = status;
  const sum = (of: (server: StatusDocument["servers"][number]) => number) =>
    servers.reduce((total, server) => total + of(server), 0);
  const dropped = (reasons: readonly string[]) =>
    sum(({ dropped }) => reasons.reduce((total, each) => total + (dropped[each] ?? 0), 0));
  const uptime = Number(now / NANOSECONDS_PER_SECOND) - Date.parse(status.startedAt) / 1000;
  const received = sum((server) => server.received);
  const seconds = `${Math.max(0, Math.round(uptime))}`;
  const counters: readonly (readonly [string, number])[] = [
    ["received", received],
    ["thisver", received],
    ["oldver", 0],
    ["badformat", dropped(["too-short", "malformed-extension", "not-a-request", "version"])],
    ["badauth", dropped(["unknown-key", "bad-mac"])],
    ["declined", 0],
    ["restricted", sum(({ denied }) => denied)],
    ["limited", sum(({ rateLimited }) => rateLimited)],
    ["kodsent", sum(({ kisses }) => kisses)],
    ["processed", sum(({ answered }) => answered)],
  ];
  return new Map([
    ["ss_uptime", seconds],
    ["ss_reset", seconds],
    ["ss_reset_r", seconds],
    ["ss_numctlreq", `${requests}`],
    ...counters.flatMap(([name, count]) =>
      [[`ss_${name}`, `${count}`], [`ss_${name}_r`, `${count}`]] as const
    ),
    ["mru_enabled", hexadecimal(0)],
    ["mru_depth", "0"],
    ["mru_maxdepth", "0"],
    ["iostats_reset", seconds],
    ["io_received", `${received}`],
    ["io_sent", `${sum(sentBy)}`],
  ]);
}

/** Counts responses; one of the control protocol may be several datagrams and counts as one. */
function sentBy(
  { answered, kisses, controlAnswered }: StatusDocument["servers"][number],
): number {
  return answered + kisses + controlAnswered;
}

/** What `ntsinfo` shows. */
function keyExchangeList({ status: { servers, ntsKe, sources } }: ControlView): Variables {
  const add = (values: readonly number[]) => `${values.reduce((sum, value) => sum + value, 0)}`;
  const all = (counts: Readonly<Record<string, number>>) => Object.values(counts);
  const nts = sources.filter((source) => source.nts !== null);
  return new Map([
    ["nts_client_send", add(nts.map(({ sent }) => sent))],
    ["nts_client_recv_good", add(nts.map(({ received }) => received))],
    ["nts_client_recv_bad", add(nts.flatMap(({ dropped }) => all(dropped)))],
    ["nts_server_recv_good", add(servers.map((server) => server.nts.answered))],
    ["nts_server_recv_bad", add(servers.map((server) => server.nts.naks))],
    ["nts_server_send", add(servers.map((server) => server.nts.answered))],
    ["nts_ke_serves_good", add(ntsKe.map(({ completed }) => completed))],
    ["nts_ke_serves_bad", add(ntsKe.flatMap(({ failed }) => all(failed)))],
    ["nts_ke_probes_good", add(nts.map((each) => each.nts?.lastKeyExchange === null ? 0 : 1))],
    ["nts_ke_probes_bad", add(nts.flatMap((each) => all(each.nts?.failures ?? {})))],
  ]);
}
