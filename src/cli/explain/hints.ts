/**
 * What can be done about a source that is out, or a part of the daemon that does not work.
 *
 * The idea: the reason of the daemon says what is wrong, in numbers; the hint says what a person
 * does next. Limits: the hint goes by what the status document shows; of its sentences it reads
 * only why a listener is not open, why requests do not leave or arrive, and why responses are
 * dropped.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import type { FunctionKind, SourceDocument, StatusDocument } from "../../engine/status/snapshot.ts";

/** Returns what to do about the clock; undefined when nothing is to be done. */
export function clockHint({ state, sources }: StatusDocument): string | undefined {
  switch (state) {
    case "synchronized":
      return undefined;
    case "starting":
    case "unsynchronized":
      if (sources.length === 0) return "add a [[source]] to the configuration";
      return state === "starting"
        ? "wait some seconds; if it stays so, see what the sources below wait for"
        : "see below what each source lacks, and repair or replace it";
    case "holdover":
      return "bring the sources back before the error has grown too large";
    case "monitoring":
      return "nothing if another program adjusts the clock; otherwise start ntpsd without -x, " +
        'with adjust = "auto" in [clock] and CAP_SYS_TIME';
    default:
      return unreachable(state);
  }
}

/** Returns what to do about a source; undefined when it is in use. */
export function sourceHint(
  source: SourceDocument,
  all: readonly SourceDocument[],
): string | undefined {
  switch (source.status) {
    case "selected":
    case "combined":
      return undefined;
    case "candidate":
      return all.some(({ status }) => status === "selected")
        ? "nothing, it stands by"
        : "add sources, or repair the others, until enough of them agree";
    case "outlier":
      return "nothing, the others suffice; a server nearer by would add more";
    case "falseticker":
      return 'compare it with others by "ntpsd query"; if it stays wrong, remove it and tell its ' +
        "operator";
    case "jittery":
      return "look for what holds up packets on the way to it, or use a server nearer by";
    case "unreachable":
      return unreachableHint(source);
    case "unsynchronized":
      return "its operator must repair it; use another server until then";
    case "distant":
      return (source.dropped["internal-error"] ?? 0) > 0
        ? "report this bug of ntpsd with what the log says of it; the source is tried again"
        : "use a server with less delay or nearer to a reference clock, or raise max-distance in " +
          "[synchronization]";
    case "loop":
      return "remove it, this machine cannot be its own source";
    case "no-select":
      return "nothing if that is meant; otherwise remove no-select, or authenticate it where that " +
        "is required";
    case "kissed":
      return "ask its operator for service, or replace it";
    case "starting":
      return source.received === 0 && source.sent > 1
        ? `wait; if it stays silent, ${unreachableHint(source)}`
        : "wait until it has responded a few times";
    default:
      return unreachable(source.status);
  }
}

/** Why requests do not leave this machine, and that the server sent them back. */
const NO_WAY = /ENETUNREACH|ENETDOWN|EAFNOSUPPORT|network is unreachable|network is down/i;
const REFUSED = /ECONNREFUSED|connection refused/i;

/** Responses that are dropped for a reason that only the server can have caused. */
const DROPPED = /responses are dropped: (?!unexpected|origin|too-short)([a-z-]+)/;

function unreachableHint(source: SourceDocument): string {
  const { address, mode, nts } = source;
  const isNts = mode === "nts" || mode === "nts-pool";
  if (isNts && nts?.aead === null) {
    return "check its name and its certificate, and that its TCP port for key exchange (usually " +
      "4460) can be reached";
  }
  if (address === null) return "check its name, and that this machine can look up names";
  const dropped = DROPPED.exec(source.reason)?.[1];
  if (dropped !== undefined) return droppedHint(dropped, source);
  const port = address.slice(address.lastIndexOf(":") + 1);
  if (NO_WAY.test(source.reason)) {
    const family = address.startsWith("[") ? "IPv6" : "IPv4";
    return `give this machine a route to it (it is of ${family}), or use a server that it has a way to`;
  }
  if (REFUSED.test(source.reason)) {
    return `nothing serves UDP port ${port} there: correct its address, or replace it`;
  }
  return `check that firewalls let UDP port ${port} through to it and back, or replace it`;
}

/** The way there and back is open, since responses come. */
function droppedHint(dropped: string, { authentication }: SourceDocument): string {
  if (dropped.startsWith("kiss-")) return "ask its operator for service, or replace it";
  return authentication === "mac" && /^(crypto-nak|not-authentic)$/.test(dropped)
    ? "let it have the same key of the same number as this machine, or replace it"
    : "its operator must repair it; use another server until then";
}

/** Returns what to do about a part of the daemon that does not work, for its reason. */
export function functionHint(kind: FunctionKind, reason = ""): string {
  switch (kind) {
    case "configuration":
      return 'correct it; "ntpsd check" tells all of its errors, and "systemctl reload ntpsd" reads ' +
        "it again";
    case "server":
      return listenerHint(reason, { protocol: "UDP", key: "listen in [[server]]" });
    case "nts-ke-server":
      return listenerHint(reason, { protocol: "TCP", key: "listen in [[nts-ke-server]]" });
    case "certificate":
      return 'renew the certificate; "ntpsd check" examines it with its key';
    case "http":
      return listenerHint(reason, { protocol: "TCP", key: "listen in [observability]" });
    case "chronyc":
      return listenerHint(reason, { protocol: "UDP", key: "chronyc in [control]" });
    case "ntpq":
      return listenerHint(reason, { protocol: "UDP", key: "ntpq in [control]" });
    case "keyset":
      return "let the user of ntpsd write key-storage-path in [keyset]; otherwise the cookies of " +
        "clients are void after a restart";
    case "statistics":
      return "make room for statistics-path in [observability], and let the user of ntpsd write it";
    case "drift-file":
      return "let the user of ntpsd read and write drift-file in [clock]";
    case "leap-seconds-file":
      return "update the list (usually the package tzdata), or correct leap-seconds-file in [clock]";
    default:
      return unreachable(kind);
  }
}

/** Why a listener is not open, by what its reason says. */
const NO_ADDRESS = /cannot assign requested address|does not have the address|no such address/i;
const TAKEN = /address already in use|port is in use/i;
const FORBIDDEN = /permission denied|operation not permitted/i;

function listenerHint(
  reason: string,
  { protocol, key }: { readonly protocol: "UDP" | "TCP"; readonly key: string },
): string {
  const list = protocol === "UDP" ? '"ss -ulpn"' : '"ss -tlpn"';
  if (NO_ADDRESS.test(reason)) return `give this machine the address, or change ${key}`;
  if (TAKEN.test(reason)) {
    return `stop what else has this ${protocol} port (${list}), or change ${key}`;
  }
  if (FORBIDDEN.test(reason)) {
    return `restart ntpsd by its unit or as root, which grants CAP_NET_BIND_SERVICE, or change ${key}`;
  }
  return `do what the reason says, or change ${key}`;
}
