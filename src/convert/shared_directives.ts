/**
 * What several dialects have in common: addresses with ports, networks, listeners, and the reasons
 * for lines without equivalent.
 *
 * @module
 */
import { ipFamily } from "../base/ip_address.ts";
import { NTP_PORT } from "../base/ports.ts";
import { readPrefix } from "../config/address_field.ts";
import { foreignLineHint } from "../config/foreign_keys.ts";
import type { Draft, DraftTable, Place, Value } from "./draft.ts";
import type { Line } from "./read_lines.ts";

/** Where ntpsd keeps its state: the folder of another program belongs to that program's user. */
export const STATE = "/var/lib/ntpsd";

/** The leap seconds of the time zone database, as a list. */
export const LEAP_SECONDS = "/usr/share/zoneinfo/leap-seconds.list";

/** All addresses of a family. */
export const WILDCARDS = { ipv4: "0.0.0.0", ipv6: "::" } as const;

/** What rate-limit can be, least and most: a rate that is near is better than none. */
export const RATE_LIMITS = { interval: [-19, 12], burst: [1, 255], leak: [1, 4] } as const;

/** Why a line with a known word is not taken. */
export const NOT_UNDERSTOOD = "its value is not understood";

/** Sets a key to a number, brought within its limits, which is told; false if it is none. */
export function setNumber(
  draft: Draft,
  path: string,
  { value, least, most }: {
    readonly value: string | undefined;
    readonly least: number;
    readonly most: number;
  },
): boolean {
  const number = value === undefined || value === "" ? NaN : Number(value);
  if (!Number.isFinite(number)) return false;
  const used = Math.max(least, Math.min(most, number));
  const [section = "", key = ""] = path.split(".");
  tellLimited(draft.section(section), { name: key, text: value, used });
  return draft.set(path, used);
}

/** Says that a number had to be brought within the limits of ntpsd, or is none. */
export function tellLimited(
  { remarks }: Pick<DraftTable, "remarks">,
  { name, text, used }: {
    readonly name: string;
    readonly text: string | undefined;
    readonly used: number | undefined;
  },
): void {
  if (text === undefined || Number(text) === used) return;
  const reason = used === undefined ? NOT_UNDERSTOOD : `ntpsd allows ${used} here`;
  remarks.push({ reason: `${name} ${text}: ${reason}` });
}

/** Writes a host with a port; without one, and with the usual one, the host alone. */
export function hostWithPort(
  host: string,
  { port, usual = NTP_PORT }: {
    readonly port: string | undefined;
    readonly usual?: number | undefined;
  },
): string {
  if (port === undefined || Number(port) === usual) return host;
  return ipFamily(host) === "ipv6" ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads a whole number; undefined for anything else. */
export function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[+-]?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Reads a number that is not negative; undefined for anything else. */
export function positiveNumber(text: string | undefined): number | undefined {
  const number = text === undefined || text === "" ? NaN : Number(text);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

const NETWORK_LENGTH_MAX = 64;

/**
 * Reads a network: CIDR, an address with a mask, or the first octets of an IPv4 network; undefined
 * for a name.
 */
export function network(text: string, mask?: string): string | undefined {
  if (text.length > NETWORK_LENGTH_MAX) return undefined;
  const bits = mask === undefined ? undefined : maskBits(mask);
  if (mask !== undefined && bits === undefined) return undefined;
  const whole = bits === undefined ? text : `${text}/${bits}`;
  const partial = /^(\d+)\.?(\d*)\.?(\d*)\.?(?:\/(\d+))?$/.exec(whole);
  if (partial === null) return readPrefix(whole);
  const octets = [1, 2, 3].map((i) => partial[i] ?? "").filter((octet) => octet !== "");
  const address = [...octets, "0", "0", "0"].slice(0, 4).join(".");
  return readPrefix(`${address}/${partial[4] ?? 8 * octets.length}`);
}

/** Why a network of an access list cannot be taken. */
export function noNetwork(text: string, mask?: string): string {
  return mask === undefined && readPrefix(text.replace(/\/.*$/, "")) === undefined
    ? "names are not looked up in access lists: write the address"
    : "an access list wants a network such as 192.0.2.0/24";
}

/** Counts the leading ones of a mask such as 255.255.255.0. */
function maskBits(mask: string): number | undefined {
  if (ipFamily(mask) === undefined) return undefined;
  const hex = ipFamily(mask) === "ipv6"
    ? mask.split(":").map((group) => group === "" ? "" : group.padStart(4, "0")).join("")
    : mask.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0")).join("");
  const binary = [...hex].map((digit) => parseInt(digit, 16).toString(2).padStart(4, "0")).join("");
  return /^1*0*$/.test(binary) ? binary.replace(/0+$/, "").length : undefined;
}

/** Limits a poll interval to what ntpsd knows; undefined if it is no number. */
export function pollExponent(text: string | undefined): number | undefined {
  const exponent = wholeNumber(text);
  return exponent === undefined ? undefined : Math.max(0, Math.min(17, exponent));
}

/** Returns limits of the poll interval, if any is given; `max` is never below `min`. */
export function pollLimits(
  min: number | undefined,
  max: number | undefined,
): { readonly min?: number; readonly max?: number } | undefined {
  if (min === undefined && max === undefined) return undefined;
  const most = min !== undefined && max !== undefined ? Math.max(min, max) : max;
  return {
    ...(min === undefined ? {} : { min }),
    ...(most === undefined ? {} : { max: most }),
  };
}

/** Why a line with an unknown word has no equivalent. */
export const UNKNOWN_NAME = "ntpsd has nothing of this name";

/** Says why a line has no equivalent: in the words in which its directive is answered anywhere. */
export function reasonOf({ word }: Pick<Line, "word">): string {
  return foreignLineHint(`${word} ...`) ?? UNKNOWN_NAME;
}

/** Notes options of a source that have no equivalent, at the source. */
export function withoutOptions(table: DraftTable, place: Place, options: readonly string[]): void {
  for (const option of options) {
    const [word = ""] = option.replace(/^-(?=[46]$)/, "ipv").split(" ");
    table.remarks.push({ place: { ...place, text: option }, reason: reasonOf({ word }) });
  }
}

/** Whom a server serves, and where. */
export interface Serving {
  /** The addresses; all if there are none. */
  readonly addresses: readonly string[];
  /** The port. */
  readonly port: number;
  /** Who is served; all if undefined. */
  readonly allow: readonly string[] | undefined;
  /** Who is not served. */
  readonly deny: readonly string[];
  /** The rate limit. */
  readonly rateLimit: Value | undefined;
}

/** Adds the servers: one for each address. */
export function addServers(draft: Draft, serving: Serving): readonly DraftTable[] {
  const { port, allow, deny, rateLimit } = serving;
  const addresses = serving.addresses.length === 0 ? ["::"] : [...new Set(serving.addresses)];
  return addresses.map((address) => {
    const host = ipFamily(address) === "ipv6" ? `[${address}]` : address;
    return draft.add("server", {
      listen: `${host}:${port}`,
      allowlist: allow === undefined ? undefined : { filter: unique(allow), action: "ignore" },
      denylist: deny.length === 0 ? undefined : { filter: unique(deny), action: "ignore" },
      "rate-limit": rateLimit,
    });
  });
}

function unique(networks: readonly string[]): readonly string[] {
  return [...new Set(networks)];
}
