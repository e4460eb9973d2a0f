/**
 * What chrony's command protocol tells of our clock and of what we serve.
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import { toUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { LEAP } from "../../protocol/leap_indicator.ts";
import { LOCAL_REFERENCE_ID } from "../../protocol/reference_id.ts";
import { ipFamily } from "../../base/ip_address.ts";
import { totalOf } from "../../base/reason_counter.ts";
import type { ControlView } from "../control_view.ts";
import { NEVER, type RepeatedFields, type ReportAddress, ResponseWriter } from "./response.ts";
import type { ChronyRequest } from "./request.ts";

const CLIENTS_MAX = 8;
const UNKNOWN_INTERVAL = 127;
const MANUAL_SAMPLES_MAX = 16;

/** Tells of the clock: `chronyc tracking`. */
export function tracking(request: RepeatedFields, view: ControlView): Bytes {
  const { status, served, updates } = view;
  const writer = new ResponseWriter(request, { code: 5, length: 104 });
  if (!served.synchronized && status.state !== "synchronized") return unsynchronized(writer);
  const isLocal = !served.synchronized;
  return writer
    .u32(served.synchronized ? served.referenceId : LOCAL_REFERENCE_ID)
    .address(isLocal ? { kind: "none" } : referenceAddress(view))
    .u16(status.stratum)
    .u16(LEAP[status.leap])
    .time(
      served.synchronized ? toUnixNanoseconds(served.referenceTimestamp, view.now) : view.now,
    )
    .float(status.offsetSeconds)
    .float(-updates.last)
    .float(updates.rms)
    .float(-status.frequencyPpm)
    .float(0)
    .float(status.skewPpm)
    .float(status.rootDelaySeconds)
    .float(status.rootDispersionSeconds)
    .float(status.updateIntervalSeconds)
    .done();
}

/** A clock that is not synchronised is told of as chronyd does. */
function unsynchronized(writer: ResponseWriter): Bytes {
  return writer.u32(0).address({ kind: "none" }).u16(0).u16(LEAP.unknown).time(undefined)
    .float(0).float(0).float(0).float(0).float(0).float(0).float(1).float(1).float(0).done();
}

function referenceAddress({ peers }: ControlView): ReportAddress {
  const selected = peers.find(({ document }) => document.status === "selected");
  const address = selected?.address?.address;
  return address === undefined ? { kind: "none" } : { kind: "address", address };
}

/** Tells how many sources there are. */
export function sourceCount(request: RepeatedFields, { peers }: ControlView): Bytes {
  return new ResponseWriter(request, { code: 2, length: 32 }).u32(peers.length).done();
}

/** Tells how many sources are asked: `chronyc activity`. */
export function activity(request: RepeatedFields, { peers }: ControlView): Bytes {
  const unresolved = peers.filter(({ address }) => address === undefined).length;
  return new ResponseWriter(request, { code: 12, length: 48 })
    .u32(peers.length - unresolved).u32(0).u32(0).u32(0).u32(unresolved)
    .done();
}

/** Tells that no time was ever entered by hand: `chronyc manual list`. */
export function manualList(request: RepeatedFields): Bytes {
  return new ResponseWriter(request, { code: 18, length: 416 })
    .u32(0).zeros(MANUAL_SAMPLES_MAX * 24).done();
}

/** Counts of the server, in the words of chrony. */
interface ServerCounts {
  readonly requests: number;
  readonly exchanges: number;
  readonly commands: number;
  readonly droppedRequests: number;
  readonly droppedExchanges: number;
  readonly authenticated: number;
  readonly interleaved: number;
}

function serverCounts({ servers, ntsKe }: StatusDocument, commands: number): ServerCounts {
  const add = <Row>(rows: readonly Row[], of: (row: Row) => number) =>
    rows.reduce((sum, row) => sum + of(row), 0);
  return {
    requests: add(servers, ({ received }) => received),
    exchanges: add(ntsKe, ({ accepted }) => accepted),
    commands,
    droppedRequests: add(
      servers,
      ({ received, answered, controlAnswered }) =>
        Math.max(0, received - answered - controlAnswered),
    ),
    droppedExchanges: add(ntsKe, ({ failed }) => totalOf(failed)),
    authenticated: add(servers, ({ nts }) => nts.answered),
    interleaved: add(servers, ({ interleaved }) => interleaved),
  };
}

/** Tells what was served, in the form that fits the client's version: `chronyc serverstats`. */
export function serverStatistics(
  { request, view, commands }: {
    readonly request: RepeatedFields & { readonly length: number };
    readonly view: ControlView;
    /** How many requests of this protocol there were. */
    readonly commands: number;
  },
): Bytes {
  const counts = serverCounts(view.status, commands);
  const { requests, exchanges, droppedRequests, droppedExchanges, authenticated } = counts;
  const seven = [requests, exchanges, commands, droppedRequests, droppedExchanges, 0, 0];
  const eleven = [...seven, authenticated, counts.interleaved, 0, 0];
  if (request.length >= 196) {
    const writer = new ResponseWriter(request, { code: 25, length: 196 });
    for (const count of eleven) writer.u64(count);
    return writer.zeros(6 * 8).ones(4 * 8).done();
  }
  if (request.length >= 72) {
    const writer = new ResponseWriter(request, { code: 24, length: 72 });
    for (const count of eleven) writer.u32(count);
    return writer.done();
  }
  if (request.length >= 60) {
    const writer = new ResponseWriter(request, { code: 22, length: 60 });
    for (const count of [...seven, authenticated]) writer.u32(count);
    return writer.done();
  }
  return new ResponseWriter(request, { code: 14, length: 48 })
    .u32(requests).u32(commands).u32(droppedRequests).u32(0).u32(0).done();
}

/** Tells who asks, where such a table is kept: `chronyc clients`; undefined where it is not. */
export function clients(request: ChronyRequest, { status }: ControlView): Bytes | undefined {
  const tables = status.servers.flatMap((server) => server.clients ?? []);
  if (!status.servers.some((server) => server.clients !== undefined)) return undefined;
  const first = request.u32(0);
  const wanted = Math.min(request.u32(4), CLIENTS_MAX);
  const rows = tables.slice(first, first + wanted);
  const writer = new ResponseWriter(request, { code: 21, length: 520 })
    .u32(tables.length).u32(first + rows.length).u32(rows.length);
  for (const { prefix, requests } of rows) {
    const [address = ""] = prefix.split("/", 1);
    writer.address(
      ipFamily(address) === undefined ? { kind: "none" } : { kind: "address", address },
    )
      .u32(requests).zeros(20)
      .u8(UNKNOWN_INTERVAL).u8(UNKNOWN_INTERVAL).u8(UNKNOWN_INTERVAL).u8(UNKNOWN_INTERVAL)
      .u32(0).u32(NEVER).u32(NEVER);
  }
  return writer.zeros((CLIENTS_MAX - rows.length) * 60).done();
}
