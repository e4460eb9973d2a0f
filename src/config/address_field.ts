/**
 * Readers for addresses: of sources, of listeners, and of prefixes in access lists.
 *
 * @module
 */
import {
  type AddressFamily,
  ipFamily,
  ipFromBytes,
  ipToBytes,
  plainIpToBytes,
} from "../base/ip_address.ts";
import { NTP_PORT, NTS_KE_PORT } from "../base/ports.ts";
import {
  formatSocketAddress,
  type HostPort,
  parseHostPort,
  parseSocketAddress,
} from "../base/socket_address.ts";
import { textThat } from "./field.ts";
import type { Field } from "./key.ts";
import { type AddressError, listenAddressError, sourceAddressError } from "./special_address.ts";

/** What a source's address reads as: as written, and taken apart. */
export interface SourceAddress extends HostPort {
  /** As the administrator wrote it. */
  readonly text: string;
}

/**
 * Reads `host`, `host:port`, an IP address, or `[IPv6]:port`. An IPv6 address that seems to end in
 * a port is remarked on.
 */
export const sourceAddress: Field<SourceAddress> = withoutDoubt(usable(
  textThat(
    'a host name or an IP address, with a port if need be ("ntp.example.net", "192.0.2.1:123", "[2001:db8::1]:123")',
    (text) => {
      const parts = parseHostPort(text);
      return parts !== undefined && isHost(parts.host) ? { text, ...parts } : undefined;
    },
    { hint: sourceHint },
  ),
  ({ host }) => sourceAddressError(host),
));

/** Reads a host name or an IP address without a port. */
export const hostName: Field<string> = textThat(
  "a host name or an IP address",
  (text) => isHost(text) ? text : undefined,
);

/** Reads the numeric address and port of a listener, and brings it to its canonical form. */
export function listenAddress(defaultPort: number): Field<string> {
  return usable(
    textThat(
      `a numeric address, with a port if it is not ${defaultPort} ("0.0.0.0:${defaultPort}" for all IPv4, "[::]:${defaultPort}" for all)`,
      (text) => {
        const address = parseSocketAddress(text, defaultPort);
        return address === undefined || address.port === 0
          ? undefined
          : formatSocketAddress(address);
      },
      { hint: (text) => listenHint(text, defaultPort) },
    ),
    (listen) => listenAddressError(parseHostPort(listen)?.host ?? ""),
  );
}

const PORT_AT_END = new RegExp(`^(.*):(${NTP_PORT}|${NTS_KE_PORT})$`);

/** Remarks on an address such as `2001:db8::1:123`, whose end is a group and no port. */
function withoutDoubt(field: Field<SourceAddress>): Field<SourceAddress> {
  return {
    wanted: field.wanted,
    read(value, at) {
      const read = field.read(value, at);
      const [, address = "", port] = PORT_AT_END.exec(read?.text ?? "") ?? [];
      if (ipFamily(address) === "ipv6") {
        at.remark(
          `:${port} is the end of the IPv6 address here, not a port`,
          `with a port write "[${address}]:${port}", without one "[${read?.text}]"`,
        );
      }
      return read;
    },
  };
}

function sourceHint(text: string): string | undefined {
  const [word = ""] = text.trim().split(/\s+/);
  if (word !== text && word !== "") return `write "${word}" alone; options are keys of their own`;
  if (/^[a-z]+:\/\//i.test(text)) return "write the host alone, without what stands before it";
  const ipv6 = /^([0-9a-f:]*::?[0-9a-f:]*):([0-9]{1,5})$/i.exec(text);
  return ipv6 === null
    ? undefined
    : `with a port the address stands in brackets: "[${ipv6[1]}]:${ipv6[2]}"`;
}

function listenHint(text: string, defaultPort: number): string | undefined {
  const port = /:([0-9]{1,5})$/.exec(text)?.[1] ?? defaultPort;
  if (/^(\*|any)?(:[0-9]+)?$/.test(text)) return `for all addresses write "[::]:${port}"`;
  if (/^localhost(:|$)/.test(text)) return `write "127.0.0.1:${port}" or "[::1]:${port}"`;
  return /^[a-z]/i.test(text)
    ? "names and interfaces are not looked up: write the address"
    : undefined;
}

/** Refuses addresses that are well written and of no use, each with what to do instead. */
function usable<Value>(
  field: Field<Value>,
  errorOf: (value: Value) => AddressError | undefined,
): Field<Value> {
  return {
    wanted: field.wanted,
    read(value, at) {
      const read = field.read(value, at);
      const error = read === undefined ? undefined : errorOf(read);
      if (error === undefined) return read;
      at.report(error.message, error.suggestion);
      return undefined;
    },
  };
}

/** Reads a numeric IP address and brings it to its canonical form. */
export const ipAddress: Field<string> = textThat(
  "an IP address without a port",
  (text) => {
    const bytes = ipToBytes(text);
    return bytes === undefined ? undefined : ipFromBytes(bytes);
  },
);

const PREFIX = textThat(
  'a prefix in CIDR notation ("192.0.2.0/24", "2001:db8::/32") or one IP address',
  readPrefix,
);

/**
 * Reads a prefix such as `192.0.2.0/24`, or one address; the bits beyond the prefix are cleared,
 * which is remarked on.
 */
export const prefix: Field<string> = {
  wanted: PREFIX.wanted,
  read(value, at) {
    const read = PREFIX.read(value, at);
    if (read === undefined || typeof value !== "string") return read;
    const [address = ""] = value.split("/"), [network = ""] = read.split("/");
    if (readPrefix(address) !== readPrefix(network)) {
      at.remark(
        `${value} has bits beyond its prefix and means ${read}`,
        `write "${read}", or the address alone if one machine is meant`,
      );
    }
    return read;
  },
};

/** Reads a prefix and writes it in its canonical form; undefined when it is none. */
export function readPrefix(text: string): string | undefined {
  const match = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(text);
  const bytes = ipToBytes(match?.[1] ?? "");
  if (bytes === undefined) return undefined;
  const bits = match?.[2] === undefined ? bytes.length * 8 : Number(match[2]);
  if (bits > bytes.length * 8) return undefined;
  const network = bytes.map((octet, i) => octet & maskOctet(bits - 8 * i));
  return `${ipFromBytes(network)}/${bits}`;
}

/** Returns the family whose clients a prefix contains; IPv4-mapped IPv6 addresses are of IPv4. */
export function prefixFamily(prefix: string): AddressFamily {
  const [address = ""] = prefix.split("/", 1);
  return plainIpToBytes(address)?.length === 4 ? "ipv4" : "ipv6";
}

/** Returns a mask of the leading `bits` of one octet; any integer, also negative or beyond 8. */
function maskOctet(bits: number): number {
  return bits <= 0 ? 0 : bits >= 8 ? 0xff : 0xff & (0xff << (8 - bits));
}

/**
 * Tells whether text is a numeric address (with a zone) or a host name; what looks like a mistyped
 * IPv4 address is neither.
 */
function isHost(text: string): boolean {
  const [address = "", zone] = text.split("%", 2);
  const bytes = ipToBytes(address);
  if (bytes !== undefined) return zone === undefined || (bytes.length === 16 && zone !== "");
  if (zone !== undefined || text.length > 253) return false;
  const labels = text.replace(/\.$/, "").split(".");
  // The C library reads numbers alone as an IPv4 address: 1.2.3, 0x7f.1.
  if (labels.every((label) => /^(0x[0-9a-f]*|[0-9]*)$/i.test(label))) return false;
  return labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));
}
