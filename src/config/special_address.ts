/**
 * Addresses that no source can have, and the many spellings of one address.
 *
 * Limits: only what the text itself shows; what a name leads to is found out when it is asked.
 *
 * @module
 */
import { canonicalIp, plainIpToBytes } from "../base/ip_address.ts";
import { otherThanUnicast } from "../base/unicast_address.ts";

/** Why an address is not taken, and what to do instead. */
export interface AddressError {
  /** A sentence. */
  readonly message: string;
  /** What would help. */
  readonly suggestion: string;
}

/** The drivers of ntpd that are in use still, by the third number of `127.127.t.u`. */
const DRIVERS: Readonly<Record<number, string>> = {
  1: "the local clock",
  8: "a serial receiver",
  18: "a telephone service",
  20: "an NMEA receiver",
  22: "a pulse per second",
  28: "shared memory",
  46: "gpsd",
};

/**
 * Returns why a numeric address cannot be a source's; undefined for a name and for an address that
 * can.
 */
export function sourceAddressError(host: string): AddressError | undefined {
  const [text = "", zone] = host.split("%", 2);
  const bytes = plainIpToBytes(text);
  if (bytes === undefined) return undefined;
  const [first, second, driver = 0] = bytes;
  if (bytes.length === 4 && first === 127 && second === 127) return referenceClock(text, driver);
  if (bytes.length === 16 && zone === undefined && isLinkLocal(bytes)) {
    return linkLocalError(text, `"${text}%eth0"`);
  }
  return unicastError(text, bytes);
}

/** Returns why nothing can listen at a numeric address; undefined when something can. */
export function listenAddressError(host: string): AddressError | undefined {
  const [text = "", zone] = host.split("%", 2);
  const bytes = plainIpToBytes(text);
  if (bytes === undefined) return undefined;
  if (isMulticast(bytes)) return multicast(text);
  if (bytes.length === 4 || !isLinkLocal(bytes)) return undefined;
  return zone === undefined
    ? linkLocalError(text, `"${text}%2", its number in "ip link"`)
    : undefined;
}

/**
 * Returns the one spelling of a host and a port: names in small letters and without the dot at the
 * end, addresses in canonical text, an IPv4 address in IPv6 clothes as itself.
 */
export function canonicalHost(host: string): string {
  const [text = "", zone] = host.split("%", 2);
  const bytes = plainIpToBytes(text);
  if (bytes === undefined) return host.toLowerCase().replace(/\.$/, "");
  const canonical = bytes.length === 4 ? bytes.join(".") : canonicalIp(text) ?? text;
  return zone === undefined ? canonical : `${canonical}%${zone}`;
}

/** Returns why an address is not that of one host; undefined if it is. */
function unicastError(text: string, bytes: Uint8Array): AddressError | undefined {
  const kind = otherThanUnicast(text);
  if (kind === undefined) return undefined;
  if (bytes.every((octet) => octet === 0)) return wildcard(text);
  if (isMulticast(bytes)) return multicast(text);
  const message = `${text} is ${kind}`;
  return kind === "the broadcast address"
    ? { message, suggestion: "name one server: broadcasts are not listened to" }
    : { message: `${message}, not that of a server`, suggestion: "name the server to ask" };
}

function isMulticast(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  return bytes.length === 4 ? (first & 0xf0) === 0xe0 : first === 0xff;
}

function referenceClock(text: string, driver: number): AddressError {
  const name = Object.hasOwn(DRIVERS, driver) ? ` (${DRIVERS[driver]})` : "";
  return {
    message: `${text} is ntpd's way to name a reference clock${name}, and no server`,
    suggestion: driver === 1
      ? "remove it; to serve time without a source write local-stratum in [synchronization]"
      : "ntpsd only uses servers on the network: name a server that has this clock",
  };
}

function wildcard(text: string): AddressError {
  return {
    message: `${text} stands for all addresses of this machine and is no server`,
    suggestion: "name the server to ask",
  };
}

function multicast(text: string): AddressError {
  return {
    message: `${text} is a multicast address`,
    suggestion: "name one address: multicast is not used",
  };
}

function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

function linkLocalError(text: string, example: string): AddressError {
  return {
    message: `The link-local address ${text} needs the interface on which it is`,
    suggestion: `write it after a %: ${example}`,
  };
}
