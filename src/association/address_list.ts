/**
 * Reads the addresses that a name server or a key exchange gave, and puts them in the order in
 * which they are tried.
 *
 * The problem: a resolver sorts addresses by rules that are the same on every host, so that all
 * hosts of a fleet would ask the same few servers of a pool; and what comes out of DNS need not be
 * the address of a server at all. The idea: which family comes when is the resolver's choice (RFC
 * 6724), which address of that family is chance. Limits: 64 addresses are read.
 *
 * @module
 */
import { type RandomSource, uniform } from "../base/random.ts";
import {
  formatAddress,
  plainAddress,
  type SocketAddress,
  socketAddress,
} from "../base/socket_address.ts";
import { isLoopback, otherThanUnicast } from "../base/unicast_address.ts";

const ADDRESSES_MAX = 64;

/** Addresses to try, in order, each once. */
export interface AddressList {
  /** May be empty. */
  readonly addresses: readonly SocketAddress[];
  /** Why some of what was given is not used, in a sentence; undefined when all is. */
  readonly reason: string | undefined;
}

/** How addresses are read. */
export interface AddressReading {
  /** The port at which they are asked. */
  readonly port: number;
  /** Those that are not used, see `ignoredAddresses`. */
  readonly ignored: ReadonlySet<string>;
  /** With it, addresses of one family change places by chance. */
  readonly shuffle?: RandomSource | undefined;
  /**
   * Whether those that gave the addresses may mean their own host by one that means this host here;
   * true if left out.
   */
  readonly mayBeLoopback?: boolean;
}

/** Reads numeric texts; those that are names or nonsense are left out. */
export function readAddresses(texts: readonly string[], options: AddressReading): AddressList {
  const found = new Map<string, SocketAddress>();
  let reason: string | undefined;
  for (const text of texts.slice(0, ADDRESSES_MAX)) {
    const read = socketAddress(text, options.port);
    if (read === undefined) continue;
    const address = plainAddress(read);
    const against = reasonAgainst(address.address, options);
    if (against === undefined) found.set(formatAddress(address), address);
    reason ??= against;
  }
  const addresses = [...found.values()];
  const { shuffle } = options;
  return { addresses: shuffle ? shuffleWithinFamilies(addresses, shuffle) : addresses, reason };
}

function reasonAgainst(address: string, options: AddressReading): string | undefined {
  const isOurs = options.mayBeLoopback === false && isLoopback(address);
  const kind = isOurs ? "this machine's own address" : otherThanUnicast(address);
  if (kind !== undefined) return `${address} is ${kind}, not that of a server`;
  if (!options.ignored.has(address)) return undefined;
  return `The address ${address} is ignored, as the configuration wants it`;
}

/** Reads the addresses that are not to be used, in whatever spelling. */
export function ignoredAddresses(texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.map((text) => {
    const address = socketAddress(text, 0);
    return address === undefined ? text : plainAddress(address).address;
  }));
}

function shuffleWithinFamilies(
  addresses: readonly SocketAddress[],
  random: RandomSource,
): readonly SocketAddress[] {
  const ipv4 = shuffled(addresses.filter(({ family }) => family === "ipv4"), random);
  const ipv6 = shuffled(addresses.filter(({ family }) => family === "ipv6"), random);
  return addresses.flatMap(({ family }) => (family === "ipv4" ? ipv4 : ipv6).shift() ?? []);
}

/** Durstenfeld's shuffle: every order is as likely as any other. */
function shuffled<Item>(items: readonly Item[], random: RandomSource): Item[] {
  const left = [...items], order: Item[] = [];
  while (left.length > 0) order.push(...left.splice(Math.floor(left.length * uniform(random)), 1));
  return order;
}
