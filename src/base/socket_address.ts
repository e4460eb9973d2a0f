/**
 * Where a datagram comes from or goes to: a numeric address and a port.
 *
 * The idea: one plain, comparable shape for the whole program; names are resolved elsewhere.
 * Limits: the scope of a link-local IPv6 address is an interface index, as the kernel gives it (RFC
 * 4007 section 11); interface names are for the system side to look up.
 *
 * @module
 */
import { type AddressFamily, canonicalIp, ipFamily, plainIpToBytes } from "./ip_address.ts";

/** A numeric IP address with a port, 0 to 65535. */
export interface SocketAddress {
  /** The family; says how `address` is to be read. */
  readonly family: AddressFamily;
  /** Canonical numeric text, without brackets and without zone (RFC 5952). */
  readonly address: string;
  /** The UDP or TCP port, 0 to 65535. */
  readonly port: number;
  /** The interface index of a link-local IPv6 address. */
  readonly scopeId?: number;
}

/**
 * A host as an administrator writes it: a name or a numeric address, with a port if one was
 * written.
 */
export interface HostPort {
  /** A name or numeric text, without brackets; the zone, if any, still attached as `%zone`. */
  readonly host: string;
  /** The port, 1 to 65535; absent when none was written. */
  readonly port?: number;
}

/**
 * Makes a socket address from numeric text and a port; undefined when the text is not numeric or
 * the port out of range.
 */
export function socketAddress(address: string, port: number): SocketAddress | undefined {
  const [text = "", zone] = address.split("%", 2);
  const family = ipFamily(text);
  if (family === undefined || !Number.isInteger(port) || port < 0 || port > 65535) return undefined;
  const canonical = canonicalIp(text) ?? text;
  if (zone === undefined) return { family, address: canonical, port };
  if (family !== "ipv6" || !/^[1-9][0-9]{0,9}$/.test(zone)) return undefined;
  return { family, address: canonical, port, scopeId: Number(zone) };
}

/** Writes `192.0.2.1:123`, `[2001:db8::1]:123` or `[fe80::1%2]:123`. */
export function formatSocketAddress(address: SocketAddress): string {
  const host = formatAddress(address);
  return address.family === "ipv6" ? `[${host}]:${address.port}` : `${host}:${address.port}`;
}

/** Writes the address without port and brackets: `192.0.2.1`, `2001:db8::1`, `fe80::1%2`. */
export function formatAddress(address: SocketAddress): string {
  return address.scopeId === undefined ? address.address : `${address.address}%${address.scopeId}`;
}

/**
 * Returns an IPv4 address in IPv6 clothes as itself, any other as it is (RFC 4291 section 2.5.5.2).
 */
export function plainAddress(address: SocketAddress): SocketAddress {
  if (!address.address.startsWith("::ffff:")) return address;
  const bytes = plainIpToBytes(address.address);
  return bytes?.length === 4
    ? { family: "ipv4", address: bytes.join("."), port: address.port }
    : address;
}

/** Tells whether a listener at an address hears at all addresses of the machine. */
export function isWildcard({ address }: SocketAddress): boolean {
  return address === "0.0.0.0" || address === "::";
}

/**
 * Returns the IPv4 address that a translator reaches by one of the well-known prefix (RFC 6052
 * section 2.1), any other as `plainAddress`.
 */
export function translatedAddress(address: SocketAddress): SocketAddress {
  const bytes = address.address.startsWith("64:ff9b::")
    ? plainIpToBytes(address.address)
    : undefined;
  const isTranslated = bytes?.length === 16 && bytes.subarray(4, 12).every((octet) => octet === 0);
  return isTranslated
    ? { family: "ipv4", address: bytes.subarray(12).join("."), port: address.port }
    : plainAddress(address);
}

/** Tells whether two addresses are the same endpoint; both in canonical text. */
export function equalSocketAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && a.address === b.address && a.family === b.family &&
    a.scopeId === b.scopeId;
}

/**
 * Reads `192.0.2.1:123` or `[2001:db8::1]:123` (zone as a number: `[fe80::1%2]:123`), the port left
 * out only if `defaultPort` is given; undefined when it is not that.
 */
export function parseSocketAddress(text: string, defaultPort?: number): SocketAddress | undefined {
  const parts = parseHostPort(text);
  const port = parts?.port ?? defaultPort;
  return parts === undefined || port === undefined ? undefined : socketAddress(parts.host, port);
}

/**
 * Splits `host`, `host:port`, `[v6]`, `[v6]:port` or bare `v6` text; undefined when it is none of
 * them. What the host is made of is not judged, but it has no white space, slash or bracket, and is
 * at most 255 characters long.
 */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^\[([^\s/[\]]+)\](?::([0-9]+))?$/.exec(text);
  if (match !== null) return withPort(match[1] ?? "", match[2]);
  if (!/^[^\s/[\]]+$/.test(text)) return undefined;
  const colons = text.split(":").length - 1;
  if (colons >= 2) {
    return ipFamily(text.split("%", 1)[0] ?? "") === "ipv6" ? withPort(text, undefined) : undefined;
  }
  const [host = "", port] = text.split(":");
  return withPort(host, port);
}

function withPort(host: string, port: string | undefined): HostPort | undefined {
  if (host === "" || host.length > 255) return undefined;
  if (port === undefined) return { host };
  const value = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0;
  return value >= 1 && value <= 65535 ? { host, port: value } : undefined;
}
