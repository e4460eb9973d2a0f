/**
 * Source addresses and ports that get no response, because it cannot be sent there or would do harm
 * there.
 *
 * The problem: addresses and ports of requests are whatever their senders wrote. A response to port
 * 0 or to a broadcast address is refused by the kernel and delays the others of its batch; one to a
 * service that answers anything (echo, daytime, quote of the day, character generator) may begin an
 * exchange without end between two servers. The idea: such requests are dropped before anything is
 * done for them. Limits: addresses without a route are known to the kernel alone. Other low ports
 * are answered, because routers that translate addresses give a client of port 123 one of them.
 *
 * @module
 */
import type { Client } from "./client.ts";

/** Services that answer whatever they are sent (RFC 862, 867, 865, 864). */
const ANSWERING_PORTS: ReadonlySet<number> = new Set([7, 13, 17, 19]);

const ANSWERING_PORT_MAX = 19;

/** Why a request gets no response: what is wrong with its source. */
export type UnansweredSource = "source-port" | "source-address";

/**
 * Returns what is wrong with the source of a request; undefined when a response may be sent there.
 */
export function unansweredSource(client: Client, port: number): UnansweredSource | undefined {
  if (port <= ANSWERING_PORT_MAX && (port === 0 || ANSWERING_PORTS.has(port))) return "source-port";
  const { words, at } = client;
  const first = (words[at] ?? 0) >>> 24;
  switch (client.family) {
    case 4:
      // "This network", multicast, and the broadcast address (RFC 6890).
      if (first === 0 || (first & 0xf0) === 0xe0) return "source-address";
      return words[at] === 0xffff_ffff ? "source-address" : undefined;
    case 6:
      return first === 0xff || isUnspecified(words, at) ? "source-address" : undefined;
    default:
      return "source-address";
  }
}

function isUnspecified(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0 && words[at + 3] === 0;
}
