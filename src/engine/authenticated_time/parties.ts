/**
 * How many independent parties stand behind some servers: those who share a host or a key are one.
 *
 * The problem: names, addresses and certificates cost an operator nothing, so neither of them says
 * how many have to lie together. The idea: who shares the host of the key exchange or the public
 * key with another is the same party, and so is a server that shares either with that one. Limits:
 * who has certificates for several hosts, each with a key of its own, is several parties.
 *
 * @module
 */

/** What a server is known by. */
export interface Identified {
  /** The host of its key exchange, or its address, in one spelling. */
  readonly host: string;
  /** What tells its public key from others; undefined where it has none, or none is known. */
  readonly key: string | undefined;
}

/** Counts the parties. */
export function countParties(servers: readonly Identified[]): number {
  const partyOf = new Map<string, Set<string>>();
  for (const { host, key } of servers) {
    const names = [`host ${host}`, ...(key === undefined ? [] : [`key ${key}`])];
    const party = new Set(names.flatMap((name) => [name, ...partyOf.get(name) ?? []]));
    for (const name of party) partyOf.set(name, party);
  }
  return new Set(partyOf.values()).size;
}
