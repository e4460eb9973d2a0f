/**
 * Sessions of Network Time Security for engines in tests: real keys and cookies, without a server that knows them.
 *
 * @module
 */
import type { KeyExchangeOutcome } from "../../src/association/border.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import type { Protections } from "../../src/engine/source_set.ts";
import { SessionProtection } from "../../src/nts/client/session_protection.ts";

/** Makes the sessions that an engine needs. */
export function sessionProtections(): Protections {
  const random = new SeededRandom(4);
  return {
    startSession: (_config, outcome, context) =>
      SessionProtection.fromExchange(outcome, { aead: portableAead, random, ...context }),
  };
}

let cookies = 0;

/** Makes the outcome of a key exchange, with cookies that no other has. */
export function exchangeOutcome(changes: Partial<KeyExchangeOutcome> = {}): KeyExchangeOutcome {
  return {
    aead: 15,
    keyC2s: new Uint8Array(32),
    keyS2c: new Uint8Array(32).fill(1),
    cookies: Array.from(
      { length: 8 },
      () => new Uint8Array(new Uint32Array(25).fill(++cookies).buffer),
    ),
    ntpServer: undefined,
    ntpPort: undefined,
    peerAddress: "192.0.2.7",
    compliantExporter: true,
    provisional: false,
    ...changes,
  };
}
