/**
 * Follows a server to the primary server: each server names the one that it follows by its
 * reference ID, which is an IPv4 address or the hash of an IPv6 address (RFC 5905 section 7.3).
 *
 * Limits: a hash looks like an address. Of a server that was asked over IPv4 the reference ID is
 * taken to be an address; silence then says that it may be none. Of one asked over IPv6 it is not
 * followed, so that no stranger gets packets.
 *
 * @module
 */
import { ipFamily, ipToBytes } from "../../base/ip_address.ts";
import { parseSocketAddress } from "../../base/socket_address.ts";
import { isLoopback, otherThanUnicast } from "../../base/unicast_address.ts";
import type { QueryResult } from "../query/report.ts";

/** More servers than strata are a circle of changing addresses. */
const SERVERS_MAX = 16;

/** Why the chain ends. */
export type ChainEnd = "stratum-1" | "silence" | "loop" | "no-address" | "limit";

/** What was found. */
export interface Chain {
  /** In the order in which they were asked; the last may be silent. */
  readonly servers: readonly QueryResult[];
  /** Why it ends. */
  readonly end: ChainEnd;
  /** The same in a sentence. */
  readonly reason: string;
}

/** Asks one server after the other. */
export async function followChain(
  host: string,
  ask: (host: string) => Promise<QueryResult>,
): Promise<Chain> {
  const servers: QueryResult[] = [];
  for (let next = host; servers.length < SERVERS_MAX;) {
    const result = await ask(next);
    servers.push(result);
    const step = stepAfter(result, servers);
    if ("end" in step) return { servers, ...step };
    next = step.next;
  }
  return { servers, end: "limit", reason: `No primary server among ${SERVERS_MAX} servers` };
}

type Step = { readonly next: string } | Pick<Chain, "end" | "reason">;

function stepAfter(result: QueryResult, asked: readonly QueryResult[]): Step {
  const { name, stratum, error } = result;
  const id = result.referenceId ?? "";
  if (!result.ok) {
    const guess = asked.length > 1
      ? "; its address is a reference ID, which may be the hash of an IPv6 address as well"
      : "";
    return { end: "silence", reason: `${name}: ${error ?? "No response"}${guess}` };
  }
  if (stratum === 1) {
    return { end: "stratum-1", reason: `${name} has a reference clock of its own: ${id || "-"}` };
  }
  const other = otherThanServer(id);
  if (other !== undefined) return { end: "no-address", reason: `${name} follows ${other}` };
  return asked.some(({ address }) => hostOf(address) === id)
    ? { end: "loop", reason: `${name} follows ${id}, which is in the chain already` }
    : { next: id };
}

/** Says what a reference ID is instead of the address of a server; undefined when it is one. */
function otherThanServer(id: string): string | undefined {
  if (ipFamily(id) === "ipv4") {
    if (isLoopback(id)) return `its own clock or machine: reference ID ${id}`;
    const kind = otherThanUnicast(id);
    return kind === undefined ? undefined : `no server that can be asked: ${id} is ${kind}`;
  }
  const octets = /^[0-9A-F]{8}$/.test(id) ? id.match(/../g) : null;
  if (octets === null) return `a reference ID that is no address: ${id || "-"}`;
  const address = octets.map((octet) => Number.parseInt(octet, 16)).join(".");
  return `a server that its reference ID does not name for certain: ${id} is the hash of an IPv6 ` +
    `address, or the address ${address}, which "ntpsd trace ${address}" tries`;
}

/** The address without its port; IPv4 also where it is written as IPv6. */
function hostOf(address: string | null): string | undefined {
  const host = address === null ? undefined : parseSocketAddress(address)?.address;
  const octets = host?.startsWith("::ffff:") ? ipToBytes(host) : undefined;
  return octets === undefined ? host : octets.subarray(12).join(".");
}
