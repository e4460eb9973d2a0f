/**
 * Whether any client is left that the lists of a listener serve and that can reach it.
 *
 * The problem: lists that are right one by one can leave none together, and a list of networks that
 * cannot reach the listener's address does so alone. The idea: along the address space the decision
 * changes only where a prefix or a reachable range begins or has ended, so it is enough to look at
 * these addresses. Limits: which clients reach an address is judged by the kind of the address, not
 * by the routes of this machine.
 *
 * @module
 */
import { plainIpToBytes } from "../base/ip_address.ts";
import type { SocketAddress } from "../base/socket_address.ts";

/** The prefixes of a listener; the longest that holds an address decides on it by its list. */
export interface ClientLists {
  /** Serve these alone; all if left out. */
  readonly allowlist?: readonly string[] | undefined;
  /** Do not serve these; none if left out. */
  readonly denylist?: readonly string[] | undefined;
}

/** Tells whether no client is served at any of some places. */
export function servesNobody(lists: ClientLists, places: readonly SocketAddress[]): boolean {
  return places.every((place) => {
    const bits = place.family === "ipv4" ? 32 : 128;
    const reach = reachOf(place.address, bits);
    const rules = rulesOf(lists, bits);
    return !edges([...reach.within, ...reach.without, ...rules.ranges]).some((address) =>
      reach.within.some((range) => isIn(address, range)) &&
      !reach.without.some((range) => isIn(address, range)) && rules.serves(address)
    );
  });
}

/**
 * Returns the first of the prefixes that is wider than loopback, link-local and private networks
 * and from which requests can reach one of some places; undefined if there is none. A single
 * address is meant as it is written.
 */
export function publicPrefix(
  prefixes: readonly string[],
  places: readonly SocketAddress[],
): string | undefined {
  const own = OWN_NETWORKS.map(rangeOf), denylist = Object.values(LOOPBACK);
  return prefixes.find((text) => {
    const range = rangeOf(text);
    const isOwn = own.some((network) =>
      network?.bits === range?.bits && network !== undefined && range !== undefined &&
      isIn(range.first, network) && isIn(range.last, network)
    );
    const isSingle = range?.length === range?.bits;
    return !isOwn && !isSingle && !servesNobody({ allowlist: [text], denylist }, places);
  });
}

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

interface PrefixRange extends Range {
  readonly bits: number;
  readonly length: number;
}

/** Loopback addresses, and those that no client has. */
const LOOPBACK = { 32: "127.0.0.0/8", 128: "::1/128" } as const;
const NO_CLIENT = {
  32: ["0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32"],
  128: ["::/128", "ff00::/8"],
} as const;
const ALL = { 32: "0.0.0.0/0", 128: "::/0" } as const;

/** Networks whose addresses nobody outside can have: loopback, private, shared, link-local. */
const OWN_NETWORKS = [
  ...Object.values(LOOPBACK),
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
];

/** Returns which addresses can reach a listener: those within some ranges and without others. */
function reachOf(listener: string, bits: 32 | 128) {
  const ranges = (...texts: readonly string[]) =>
    texts.map((text) => rangeOf(text)).filter((range) => range !== undefined);
  const own = rangeOf(listener);
  const [loopback] = ranges(LOOPBACK[bits]);
  const isAny = own?.first === 0n;
  const isLoopback = own !== undefined && loopback !== undefined && isIn(own.first, loopback);
  return {
    within: ranges(isLoopback ? LOOPBACK[bits] : ALL[bits]),
    without: ranges(...NO_CLIENT[bits], ...(isAny || isLoopback ? [] : [LOOPBACK[bits]])),
  };
}

/** Reads the lists for the addresses of one length. */
function rulesOf({ allowlist, denylist }: ClientLists, bits: number) {
  const lengths = new Map<number, Map<string, boolean>>();
  const ranges: PrefixRange[] = [];
  for (const [list, isServed] of [[allowlist, true], [denylist, false]] as const) {
    for (const text of list ?? []) {
      const range = rangeOf(text);
      if (range?.bits !== bits) continue;
      ranges.push(range);
      const known = lengths.get(range.length) ?? new Map<string, boolean>();
      lengths.set(range.length, known.set(leadingBits(range.first, bits - range.length), isServed));
    }
  }
  const longestFirst = [...lengths].sort(([a], [b]) => b - a);
  const serves = (address: bigint): boolean => {
    for (const [length, known] of longestFirst) {
      const isServed = known.get(leadingBits(address, bits - length));
      if (isServed !== undefined) return isServed;
    }
    return allowlist === undefined;
  };
  return { ranges, serves };
}

/**
 * Returns an address without the last bits, as the text that a map finds it by: the hash of a
 * bigint is that of its last 64 bits alone, which are 0 in most networks of IPv6.
 */
function leadingBits(address: bigint, free: number): string {
  return (address >> BigInt(free)).toString(16);
}

/** The addresses at which a decision may change. */
function edges(ranges: readonly Range[]): readonly bigint[] {
  return ranges.flatMap(({ first, last }) => [first, last + 1n]);
}

function isIn(address: bigint, { first, last }: Range): boolean {
  return address >= first && address <= last;
}

/** Reads a prefix; one of IPv4 addresses in IPv6 clothes is the IPv4 prefix that it is. */
function rangeOf(text: string): PrefixRange | undefined {
  const [host = "", written] = text.split("/", 2);
  const octets = plainIpToBytes(host.split("%", 1)[0] ?? "");
  if (octets === undefined) return undefined;
  const bits = 8 * octets.length;
  const isMapped = bits === 32 && host.includes(":") && written !== undefined;
  const length = written === undefined ? bits : Number(written) - (isMapped ? 96 : 0);
  if (length < 0 || length > bits) return undefined;
  let address = 0n;
  for (const octet of octets) address = (address << 8n) | BigInt(octet);
  const free = BigInt(bits - length);
  const first = (address >> free) << free;
  return { first, last: first + (1n << free) - 1n, bits, length };
}
