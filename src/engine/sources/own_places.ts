/**
 * Where this machine is reached and serves time, so that selection recognises it in a source.
 *
 * Limits: where a listener of ours is closed, another program may serve; that place is not ours.
 *
 * @module
 */
import type { Config } from "../../config/config.ts";
import { servedPlaces } from "../../config/listen.ts";
import { type OwnIdentity, ownIdentity } from "../../selection/loop.ts";

/** Keeps the addresses and listeners of this machine. */
export class OwnPlaces {
  #addresses: readonly string[];
  #listens: readonly string[];
  #closed: readonly string[] = [];
  #identity: OwnIdentity;

  /** `addresses` are numeric, without ports. */
  constructor(config: Config, addresses: readonly string[]) {
    this.#addresses = addresses;
    this.#listens = listensOf(config);
    this.#identity = this.#identify();
  }

  /** By what selection recognises this machine. */
  get identity(): OwnIdentity {
    return this.#identity;
  }

  /** Takes over changed listeners. */
  reconfigure(config: Config): void {
    this.#listens = listensOf(config);
    this.#identity = this.#identify();
  }

  /**
   * Takes over the addresses that this machine has now, and which of our listeners are not open;
   * what is left out is as before.
   */
  update(
    { addresses = this.#addresses, closed = this.#closed }: {
      readonly addresses?: readonly string[];
      readonly closed?: readonly string[];
    },
  ): void {
    this.#addresses = addresses;
    this.#closed = closed;
    this.#identity = this.#identify();
  }

  #identify(): OwnIdentity {
    const open = this.#listens.filter((listen) => !this.#closed.includes(listen));
    return ownIdentity(this.#addresses, servedPlaces(open, this.#listens));
  }
}

function listensOf({ servers }: Config): readonly string[] {
  return servers.map(({ listen }) => listen);
}
