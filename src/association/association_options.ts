/**
 * What an association is made of.
 *
 * @module
 */
import type { RandomSource } from "../base/random.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { AssociationConfig } from "./config.ts";
import type { PacketProtection } from "./protection.ts";

/** What an association is made of. */
export interface AssociationOptions {
  /** Names the association in events and actions. */
  readonly id: number;
  /** How messages call it. */
  readonly name: string;
  /** Where requests go. */
  readonly address: SocketAddress;
  /** What was configured. */
  readonly config: AssociationConfig;
  /** Where random numbers and intervals come from. */
  readonly random: RandomSource;
  /** Gives a new number for each request, never the same twice. */
  readonly allocateRequest: () => number;
  /** Plain packets if left out. */
  readonly protection?: PacketProtection | undefined;
}
