/**
 * Who is served, as lines of a configuration say it one after the other.
 *
 * The most special network that holds an address decides, in chrony and ntpd as in ntpsd, so the
 * rules are kept as they are; what becomes of them is two lists. A network is known by its leading
 * bits as text, and what a later line clears is looked up when the lists are made, so that there
 * may be ten thousands of lines.
 *
 * @module
 */
import { ipToBytes } from "../base/ip_address.ts";

const ALL = ["0.0.0.0/0", "::/0"] as const;

/** Rules about networks, of which the most special one decides. */
export class AccessTable {
  readonly #rules = new Map<string, Rule>();
  /** When what is inside of a network was cleared last, by the network's bits. */
  readonly #cleared = new Map<string, number>();
  readonly #clearedLengths = new Set<number>();
  /** Networks that are refused, and that ntpsd cannot name. */
  readonly #unnamed: string[] = [];
  #lines = 0;

  /** Allows or refuses a network in its canonical form. */
  set(network: string, isAllowed: boolean): void {
    this.#rules.set(network, { isAllowed, bits: bitsOf(network), line: ++this.#lines });
  }

  /**
   * Refuses what ntpsd cannot name: it stays among the networks that are refused as it is written,
   * so that no server comes of the lists that would serve it.
   */
  refuseUnnamed(text: string): void {
    this.#unnamed.push(text);
  }

  /** Removes the rules about what is inside of a network. */
  clearInside(network: string): void {
    const bits = bitsOf(network);
    this.#cleared.set(bits, ++this.#lines);
    this.#clearedLengths.add(bits.length);
  }

  /** Whether this very network is refused. */
  isRefused(network: string): boolean {
    const rule = this.#rules.get(network);
    return rule?.isAllowed === false && this.#isLeft(rule);
  }

  /** Whether an address is allowed: the smallest network that holds it decides. */
  allows(address: string): boolean {
    const bits = bitsOf(`${address}/128`);
    const holding = [...this.#rules.values()].filter((rule) =>
      bits.startsWith(rule.bits) && this.#isLeft(rule)
    );
    return holding.sort((a, b) => b.bits.length - a.bits.length)[0]?.isAllowed === true;
  }

  /** The networks that are allowed, undefined for all; and those inside of them that are not. */
  get lists(): { readonly allow: readonly string[] | undefined; readonly deny: readonly string[] } {
    const left = [...this.#rules].filter(([, rule]) => this.#isLeft(rule));
    const allowed = left.filter(([, { isAllowed }]) => isAllowed);
    const denied = left.filter(([network, { isAllowed }]) => !isAllowed && !isAll(network));
    const allow = allowed.map(([network]) => network);
    const isOpen = ALL.every((network) => allow.includes(network)) &&
      !isAnyInside(allowed.map(bitsOfRule), denied.map(bitsOfRule));
    const deny = [...denied.map(([network]) => network), ...this.#unnamed];
    return { allow: isOpen ? undefined : allow, deny };
  }

  /** Whether no later line has cleared what a rule is inside of. */
  #isLeft({ bits, line }: Rule): boolean {
    return !outside(bits, this.#clearedLengths).some((outer) =>
      (this.#cleared.get(outer) ?? 0) > line
    );
  }
}

interface Rule {
  readonly isAllowed: boolean;
  /** As `bitsOf` tells them. */
  readonly bits: string;
  /** When it was set. */
  readonly line: number;
}

function bitsOfRule([, { bits }]: readonly [string, Rule]): string {
  return bits;
}

/** Whether one of some networks is inside of one of others, all told by their bits. */
function isAnyInside(inner: readonly string[], outer: readonly string[]): boolean {
  const places = new Set(outer), lengths = new Set(outer.map(({ length }) => length));
  return inner.some((bits) => outside(bits, lengths).some((each) => places.has(each)));
}

/** Returns the bits of the networks of certain lengths that hold a smaller one. */
function outside(bits: string, lengths: ReadonlySet<number>): readonly string[] {
  return [...lengths].filter((length) => length < bits.length)
    .map((length) => bits.slice(0, length));
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
