/**
 * The addresses of this machine, for recognising our own time when it comes back to us.
 *
 * The idea: they are read at the start and now and then, because a machine often gets them only after the daemon has started.
 * Limits: a new address is known half a minute later.
 *
 * @module
 */
import { interfaceAddresses } from "../../ffi/interfaces.ts";
import { log } from "./log.ts";

/** So many calls of `readNowAndThen` make one reading. */
const READ_EVERY = 30;

/** Follows the addresses. */
export class OwnAddresses {
  #known: string | undefined;
  #calls = 0;
  #hasFailed = false;

  /** Reads the numeric addresses; undefined when they are as before, or cannot be read. */
  read(): readonly string[] | undefined {
    const read = interfaceAddresses();
    if (!read.ok) {
      if (!this.#hasFailed) {
        log.warning(`${read.error.message}; a server that follows us cannot be told from others`);
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

  /** The same, once in 30 calls; for a timer that comes every second. */
  readNowAndThen(): readonly string[] | undefined {
    return ++this.#calls % READ_EVERY === 0 ? this.read() : undefined;
  }
}
