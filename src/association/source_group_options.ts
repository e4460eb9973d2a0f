/**
 * What a group of servers is made of: its configuration, and what it asks of the engine.
 *
 * @module
 */
import type { RandomSource } from "../base/random.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { KeyExchangeOutcome } from "../nts/key_exchange/outcome.ts";
import type { Association } from "./association.ts";
import type { SourceGroupConfig } from "./config.ts";
import type { PacketProtection, SessionStart } from "./protection.ts";

/** What a group is made of. */
export interface SourceGroupOptions {
  /** What was configured. */
  readonly config: SourceGroupConfig;
  /** Where random numbers and intervals come from. */
  readonly random: RandomSource;
  /** Gives a new number for each member, never the same twice. */
  readonly allocateAssociation: () => number;
  /** Gives a new number for each request, never the same twice. */
  readonly allocateRequest: () => number;
  /** Gives a new number for each lookup, never the same twice. */
  readonly allocateLookup: () => number;
  /**
   * Names another source that asks the server at this address with more right than a member, or
   * than one that is to come.
   */
  readonly holderOf: (address: SocketAddress, member?: Association) => string | undefined;
  /** Makes the protection of a plain member that has a symmetric key; none if left out. */
  readonly protect?: () => PacketProtection;
  /**
   * Makes the session of a member from its first key exchange; needed with Network Time Security.
   */
  readonly startSession?: (outcome: KeyExchangeOutcome, start: SessionStart) => PacketProtection;
}
