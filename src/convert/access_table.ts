/**
 * Who is served, as lines of a configuration say it one after the other.
 *
 * The most special network that holds an address decides, in chrony and ntpd as in ntpsd, so the
 * rules are kept as they are; what becomes of them is two lists. A network is known by its leading
 * bits as text, so that there may be ten thousands of them.
 *
 * @module
 */
import { ipToBytes } from "../base/ip_address.ts";

const ALL = ["0.0.0.0/0", "::/0"] as const;

/** Rules about networks, of which the most special one decides. */
export class AccessTable {
  readonly #rules = new Map<string, Rule>();

  /** Allows or refuses a network in its canonical form. */
  set(network: string, isAllowed: boolean): void {
    this.#rules.set(network, { isAllowed, bits: bitsOf(network) });
  }

  /** Removes the rules about what is inside of a network. */
  clearInside(network: string): void {
    const outer = bitsOf(network);
    for (const [each, { bits }] of [...this.#rules]) {
      if (bits.length > outer.length && bits.startsWith(outer)) this.#rules.delete(each);
    }
  }

  /** Whether this very network is refused. */
  isRefused(network: string): boolean {
    return this.#rules.get(network)?.isAllowed === false;
  }

  /** The networks that are allowed, undefined for all; and those inside of them that are not. */
  get lists(): { readonly allow: readonly string[] | undefined; readonly deny: readonly string[] } {
    const allow = this.#networks(true);
    const deny = this.#networks(false).filter((network) => !isAll(network));
    const isOpen = ALL.every((network) => allow.includes(network));
    return { allow: isOpen && !this.#isAnyInsideOf(deny) ? undefined : allow, deny };
  }

  /** Whether a network is allowed inside of one that is not. */
  #isAnyInsideOf(denied: readonly string[]): boolean {
    const outer = new Set(denied.map(bitsOf));
    const lengths = new Set([...outer].map(({ length }) => length));
    return [...this.#rules.values()].some(({ isAllowed, bits }) =>
      isAllowed &&
      [...lengths].some((length) => length < bits.length && outer.has(bits.slice(0, length)))
    );
  }

  #networks(isAllowed: boolean): readonly string[] {
    return [...this.#rules].flatMap(([network, rule]) =>
      rule.isAllowed === isAllowed ? [network] : []
    );
  }
}

interface Rule {
  readonly isAllowed: boolean;
  /** As `bitsOf` tells them. */
  readonly bits: string;
}

/** Returns both families of the addresses that a line without a network is about, or one. */
export function wholeSpace(family?: "ipv4" | "ipv6"): readonly string[] {
  return family === undefined ? ALL : [family === "ipv4" ? ALL[0] : ALL[1]];
}

function isAll(network: string): boolean {
  return ALL.some((each) => each === network);
}

/** Returns the family and the leading bits of a network, which are those of all inside of it. */
function bitsOf(network: string): string {
  const [address = "", length] = network.split("/");
  const octets = [...ipToBytes(address) ?? []];
  const bits = octets.map((octet) => octet.toString(2).padStart(8, "0")).join("");
  return `${octets.length}:${bits.slice(0, Number(length))}`;
}
