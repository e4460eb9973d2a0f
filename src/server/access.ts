/**
 * Which clients are served: prefixes to allow and to deny, of which the longest that holds the
 * client's address decides.
 *
 * The problem: ten thousand prefixes must not make a request noticeably dearer. The idea: prefixes
 * either nest or are disjoint, so at configuration time they are flattened into ranges of the
 * address space, each with one decision; a request costs a binary search over sorted words. Limits:
 * IPv4 and IPv6 are kept apart; a prefix of IPv4-mapped IPv6 addresses counts as the IPv4 prefix
 * that it is. Where both lists hold the same prefix, the denylist wins.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import { ipToBytes } from "../base/ip_address.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Client } from "./client.ts";

/** The client is served. */
export const ACCESS_ALLOW = 0;
/** The client is refused and gets no response. */
export const ACCESS_IGNORE = 1;
/** The client is refused with the kiss code DENY. */
export const ACCESS_DENY = 2;

/** What is decided on a client: one of the three numbers above. */
export type AccessDecision = 0 | 1 | 2;

/** A list of prefixes, and what happens to a client that it refuses. */
export interface AccessList {
  /**
   * Prefixes such as `192.0.2.0/24` or `2001:db8::/32`; an address alone is a prefix of its full
   * length.
   */
  readonly filter: readonly string[];
  /** Whether a client that is refused gets no response or a kiss. */
  readonly action: "ignore" | "deny";
}

/** The lists of a listener. */
export interface AccessLists {
  /** Refuses clients that are not in it; all are served when left out. */
  readonly allowlist?: AccessList | undefined;
  /** Refuses clients that are in it. */
  readonly denylist?: AccessList | undefined;
}

/** Flattened lists that decide on an address. */
export class AccessRules {
  readonly #starts4: Uint32Array;
  readonly #decisions4: Uint8Array;
  readonly #starts6: Uint32Array;
  readonly #decisions6: Uint8Array;

  private constructor(v4: Flattened, v6: Flattened) {
    this.#starts4 = v4.starts;
    this.#decisions4 = v4.decisions;
    this.#starts6 = v6.starts;
    this.#decisions6 = v6.decisions;
  }

  /** Reads the lists; the error is a sentence about the first prefix that is none. */
  static build(lists: AccessLists): Result<AccessRules, string> {
    const prefixes: Prefix[] = [];
    const { allowlist, denylist } = lists;
    const decided = [[allowlist, ACCESS_ALLOW], [denylist, decisionOf(denylist?.action)]] as const;
    for (const [list, decision] of decided) {
      for (const text of list?.filter ?? []) {
        const prefix = parsePrefix(text, decision);
        if (prefix === undefined) {
          return err(`Wanted a prefix such as 192.0.2.0/24 or 2001:db8::/32, found ${text}`);
        }
        prefixes.push(prefix);
      }
    }
    const otherwise = allowlist === undefined ? ACCESS_ALLOW : decisionOf(allowlist.action);
    const only = (family: number) => prefixes.filter((prefix) => prefix.family === family);
    return ok(
      new AccessRules(
        flatten(only(4), { bits: 32, otherwise }),
        flatten(only(6), { bits: 128, otherwise }),
      ),
    );
  }

  /** Decides on the address of a client. */
  decide(client: Client): AccessDecision {
    const { words, at } = client;
    return client.family === 4 ? this.#decide4(words[at] ?? 0) : this.#decide6(words, at);
  }

  #decide4(address: number): AccessDecision {
    const starts = this.#starts4;
    let low = 0, high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) <= address) low = middle;
      else high = middle;
    }
    return (this.#decisions4[low] ?? ACCESS_IGNORE) as AccessDecision;
  }

  #decide6(words: Uint32Array, at: number): AccessDecision {
    let low = 0, high = this.#decisions6.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (startsAtOrBefore(this.#starts6, 4 * middle, words, at)) low = middle;
      else high = middle;
    }
    return (this.#decisions6[low] ?? ACCESS_IGNORE) as AccessDecision;
  }
}

interface Prefix {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
  readonly decision: AccessDecision;
}

interface Flattened {
  readonly starts: Uint32Array;
  readonly decisions: Uint8Array;
}

function startsAtOrBefore(
  starts: Uint32Array,
  start: number,
  words: Uint32Array,
  at: number,
): boolean {
  for (let i = 0; i < 4; i++) {
    const a = starts[start + i] ?? 0, b = words[at + i] ?? 0;
    if (a !== b) return a < b;
  }
  return true;
}

function decisionOf(action: "ignore" | "deny" | undefined): AccessDecision {
  return action === "deny" ? ACCESS_DENY : ACCESS_IGNORE;
}

function parsePrefix(text: string, decision: AccessDecision): Prefix | undefined {
  const match = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(text);
  const octets = ipToBytes(match?.[1] ?? "");
  if (octets === undefined) return undefined;
  const bits = 8 * octets.length;
  const length = match?.[2] === undefined ? bits : Number(match[2]);
  if (length > bits) return undefined;
  let address = 0n;
  for (const octet of octets) address = (address << 8n) | BigInt(octet);
  const isMapped = bits === 128 && length >= 96 && address >> 32n === 0xffffn;
  const width = isMapped ? 32 : bits;
  const free = BigInt(bits - length);
  const first = (BigInt.asUintN(width, address) >> free) << free;
  const family = width === 32 ? 4 : 6;
  return { family, first, last: first + (1n << free) - 1n, decision };
}

/** Cuts nested prefixes into ranges of one decision each; the first begins at zero. */
function flatten(
  prefixes: readonly Prefix[],
  options: { readonly bits: number; readonly otherwise: AccessDecision },
): Flattened {
  const starts: bigint[] = [], decisions: AccessDecision[] = [];
  const emit = (start: bigint, decision: AccessDecision) => {
    if (starts.at(-1) === start) decisions[decisions.length - 1] = decision;
    else if (decisions.at(-1) !== decision) {
      starts.push(start);
      decisions.push(decision);
    }
  };
  emit(0n, options.otherwise);
  const open: Prefix[] = [];
  const closeBefore = (start: bigint) => {
    while (open.length > 0) {
      const inner = present(open.at(-1), "A prefix is open");
      if (inner.last >= start) return;
      open.pop();
      emit(inner.last + 1n, open.at(-1)?.decision ?? options.otherwise);
    }
  };
  for (const prefix of [...prefixes].sort(byStartThenWidest)) {
    closeBefore(prefix.first);
    open.push(prefix);
    emit(prefix.first, prefix.decision);
  }
  const end = 1n << BigInt(options.bits);
  closeBefore(end);
  while (starts.at(-1) === end) {
    starts.pop();
    decisions.pop();
  }
  return { starts: toWords(starts, options.bits), decisions: Uint8Array.from(decisions) };
}

/**
 * Sorts wide prefixes before those inside them; equal ones by decision, so that the denylist comes
 * last and wins.
 */
function byStartThenWidest(a: Prefix, b: Prefix): number {
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  if (a.last !== b.last) return a.last > b.last ? -1 : 1;
  return a.decision - b.decision;
}

function toWords(values: readonly bigint[], bits: number): Uint32Array {
  const words = bits / 32;
  const out = new Uint32Array(values.length * words);
  for (const [i, value] of values.entries()) {
    for (let k = 0; k < words; k++) {
      out[i * words + k] = Number((value >> BigInt(32 * (words - 1 - k))) & 0xffff_ffffn);
    }
  }
  return out;
}
