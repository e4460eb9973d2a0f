/**
 * Which addresses the `[[server]]` sections serve.
 *
 * The problem: users of ntpd and chrony expect both families without asking for them, users of ntpd-rs know that `[::]` serves
 * both, and one who writes a section for each family must not find the port taken. The rule: `[::]` serves IPv4 as well unless
 * another section listens on an IPv4 address with the same port; then it serves IPv6 alone. The system's own default
 * (net.ipv6.bindv6only) plays no part.
 *
 * @module
 */
import { parseSocketAddress, type SocketAddress } from "../base/socket_address.ts";

/** Tells whether the listener `listen` serves IPv4 and IPv6, given the listeners of all sections, itself among them or not. */
export function isDualStack(listen: string, all: readonly string[]): boolean {
  const own = parseSocketAddress(listen);
  if (own?.address !== "::") return false;
  return !all.map((other) => parseSocketAddress(other)).some((other) =>
    other?.family === "ipv4" && other.port === own.port
  );
}

/** Returns the places that listeners serve, in order, given those of all sections; one that serves both families counts as two. */
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
