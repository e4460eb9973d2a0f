/**
 * How many independent parties stand behind some servers: servers that share a host or a key are
 * one.
 *
 * The problem: names, addresses and certificates cost an operator nothing, so none of them says how
 * many operators have to lie together. The idea: servers that share the host of the key exchange or
 * the public key are one party, and so is a server that shares either with one of them. Limits: an
 * operator with certificates for several hosts, each with a key of its own, is several parties.
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
