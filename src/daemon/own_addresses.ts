/**
 * The addresses of this machine and its way to the world: for recognising our own time when it
 * comes back to us, and for asking again as soon as there may be a way to servers.
 *
 * The idea: the addresses are read at the start and every ten seconds, because a machine often gets
 * them only after the daemon has started; the address from which datagrams to the world would leave
 * is asked for at every look, about once a second, since that costs two sockets and no packet.
 * Limits: a change further away than the own routing table is not noticed.
 *
 * @module
 */
import { interfaceAddresses } from "../../ffi/interfaces.ts";
import { routeSource } from "../../ffi/route.ts";
import { log } from "../system/log.ts";

/** So many calls of `look` make one reading of the addresses. */
const READ_EVERY = 10;

/** What has changed since the last look. */
export type NetworkChange =
  | { readonly type: "own-addresses"; readonly addresses: readonly string[] }
  | { readonly type: "network-changed" };

/** Reads the system; a test has other ways. */
export interface NetworkReader {
  /** Lists the addresses. */
  readonly addresses: typeof interfaceAddresses;
  /** Tells the way to the world. */
  readonly route: typeof routeSource;
}

/** Follows addresses and routes. */
export class OwnAddresses {
  readonly #reader: NetworkReader;
  #known: string | undefined;
  #route: string;
  #calls = 0;
  #hasFailed = false;

  /** Looks at the system's own state if nothing else is given. */
  constructor(reader: NetworkReader = { addresses: interfaceAddresses, route: routeSource }) {
    this.#reader = reader;
    this.#route = this.#readRoute();
  }

  /** Reads the numeric addresses; undefined when they are as before, or cannot be read. */
  read(): readonly string[] | undefined {
    const read = this.#reader.addresses();
    if (!read.ok) {
      if (!this.#hasFailed) {
        log.warning(`${read.error.message}; servers that follow this one cannot be recognised`);
      }
      this.#hasFailed = true;
      return undefined;
    }
    const addresses = read.value.map(({ address }) => address.address).sort();
    const text = addresses.join(" ");
    if (text === this.#known) return undefined;
    this.#known = text;
    return addresses;
  }

  /** Tells what has changed, if anything; for a timer that comes every second. */
  look(): NetworkChange | undefined {
    const route = this.#readRoute();
    const hasMoved = route !== this.#route;
    this.#route = route;
    const isDue = ++this.#calls % READ_EVERY === 0;
    const addresses = hasMoved || isDue ? this.read() : undefined;
    if (addresses !== undefined) return { type: "own-addresses", addresses };
    return hasMoved ? { type: "network-changed" } : undefined;
  }

  #readRoute(): string {
    return `${this.#reader.route("ipv4") ?? ""} ${this.#reader.route("ipv6") ?? ""}`;
  }
}
