/**
 * Which addresses the `[[server]]` sections serve, and which listeners cannot be open together.
 *
 * The problem: users of ntpd and chrony expect both families without asking for them, users of
 * ntpd-rs know that `[::]` serves both, and one who writes a section for each family must not find
 * the port taken. The rule: `[::]` serves IPv4 as well unless another section listens on an IPv4
 * address with the same port; then it serves IPv6 alone. The system's own default
 * (net.ipv6.bindv6only) plays no part. Over TCP `[::]` takes both families always. A listener on
 * all addresses of a family and one on a single address of it exclude each other at one port: the
 * kernel refuses whichever comes second.
 *
 * @module
 */
import { parseHostPort, parseSocketAddress, type SocketAddress } from "../base/socket_address.ts";
import { canonicalHost } from "./special_address.ts";

/**
 * How two listeners are in each other's way: the same address, or one on all addresses and one on a
 * single one.
 */
export type Collision = "same" | "covered";

/** What a listener takes up. */
export interface Listener {
  /** The transport. */
  readonly transport: "udp" | "tcp";
  /** Address and port as they are written. */
  readonly listen: string;
}

/** The same, taken apart, so that many can be compared. */
export interface Place {
  /** The transport. */
  readonly transport: "udp" | "tcp";
  /** The address, in its canonical form. */
  readonly host: string;
  /** The port. */
  readonly port: number | undefined;
}

/** Returns the place of a listener. */
export function placeOf({ transport, listen }: Listener): Place {
  const { host = "", port } = parseHostPort(listen) ?? {};
  return { transport, host: canonicalHost(host), port };
}

/** Tells how two listeners collide; undefined when both can be open. */
export function collisionOf(one: Listener, other: Listener): Collision | undefined {
  return collisionAt(placeOf(one), placeOf(other));
}

/** The same of their places. */
export function collisionAt(first: Place, second: Place): Collision | undefined {
  if (first.transport !== second.transport || first.port !== second.port) return undefined;
  if (first.host === second.host) return "same";
  return covers(first, second) || covers(second, first) ? "covered" : undefined;
}

/**
 * Tells whether the listener `listen` serves IPv4 and IPv6, given the listeners of all sections,
 * itself among them or not.
 */
export function isDualStack(listen: string, all: readonly string[]): boolean {
  const own = parseSocketAddress(listen);
  if (own?.address !== "::") return false;
  return !all.map((other) => parseSocketAddress(other)).some((other) =>
    other?.family === "ipv4" && other.port === own.port
  );
}

/**
 * Returns the places that listeners serve, in order, given those of all sections; one that serves
 * both families counts as two.
 */
export function servedPlaces(
  listens: readonly string[],
  all: readonly string[] = listens,
): readonly SocketAddress[] {
  return listens.flatMap((listen) => {
    const place = parseSocketAddress(listen);
    if (place === undefined) return [];
    if (!isDualStack(listen, all)) return [place];
    return [place, { family: "ipv4", address: "0.0.0.0", port: place.port }];
  });
}

/**
 * Tells whether a UDP address and port is served by one of the `[[server]]` sections, whose
 * listeners are given: by the address itself or by one on all addresses.
 */
export function takenBy(servers: readonly string[], listen: string): boolean {
  const wanted = parseSocketAddress(listen);
  return servedPlaces(servers).some(({ address, family, port }) =>
    port === wanted?.port && family === wanted.family &&
    (address === wanted.address || address === "0.0.0.0" || address === "::")
  );
}

/** Over TCP `[::]` takes IPv4 too, whatever else listens. */
function covers({ host, transport }: Place, other: Place): boolean {
  const isIpv6 = other.host.includes(":");
  if (host === "0.0.0.0") return !isIpv6;
  return host === "::" && (isIpv6 || transport === "tcp");
}
