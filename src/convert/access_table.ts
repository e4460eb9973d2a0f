/**
 * Who is served, as lines of a configuration say it one after the other.
 *
 * The most special network that holds an address decides, in chrony and ntpd as in ntpsd, so the
 * rules are kept as they are; what becomes of them is two lists.
 *
 * @module
 */
import { readPrefix } from "../config/address_field.ts";

const ALL = ["0.0.0.0/0", "::/0"] as const;

/** Rules about networks, of which the most special one decides. */
export class AccessTable {
  readonly #rules = new Map<string, boolean>();

  /** Allows or refuses a network in its canonical form. */
  set(network: string, isAllowed: boolean): void {
    this.#rules.set(network, isAllowed);
  }

  /** Removes the rules about what is inside of a network. */
  clearInside(network: string): void {
    for (const each of [...this.#rules.keys()]) {
      if (isInside(each, network)) this.#rules.delete(each);
    }
  }

  /** Whether this very network is refused. */
  isRefused(network: string): boolean {
    return this.#rules.get(network) === false;
  }

  /** The networks that are allowed, undefined for all; and those inside of them that are not. */
  get lists(): { readonly allow: readonly string[] | undefined; readonly deny: readonly string[] } {
    const allow = this.#networks(true);
    const deny = this.#networks(false).filter((network) => !isAll(network));
    const isOpen = ALL.every((network) => allow.includes(network));
    const isPlain = !allow.some((network) => deny.some((outer) => isInside(network, outer)));
    return { allow: isOpen && isPlain ? undefined : allow, deny };
  }

  #networks(isAllowed: boolean): readonly string[] {
    return [...this.#rules].flatMap(([network, is]) => is === isAllowed ? [network] : []);
  }
}

/** Returns both families of the addresses that a line without a network is about, or one. */
export function wholeSpace(family?: "ipv4" | "ipv6"): readonly string[] {
  return family === undefined ? ALL : [family === "ipv4" ? ALL[0] : ALL[1]];
}

function isAll(network: string): boolean {
  return ALL.some((each) => each === network);
}

function isInside(network: string, outer: string): boolean {
  const [address, bits] = network.split("/"), [, outerBits] = outer.split("/");
  return Number(bits) > Number(outerBits) && readPrefix(`${address}/${outerBits}`) === outer;
}
