/**
 * The action that begins a key exchange.
 *
 * @module
 */
import type { AssociationConfig } from "./config.ts";
import type { ExchangeKeysAction } from "./events.ts";

/** Begins a key exchange with the host of a source, for the association with this number. */
export function exchangeKeys(association: number, config: AssociationConfig): ExchangeKeysAction {
  const { host, port, certificateAuthority, aeadAlgorithms } = config;
  return {
    type: "exchange-keys",
    association,
    host,
    port,
    certificateAuthority,
    aeadAlgorithms,
  };
}
