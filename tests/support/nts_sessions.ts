/**
 * Sessions of Network Time Security for engines in tests: real keys and cookies, without a server that knows them.
 *
 * @module
 */
import type {
  ExchangeCertificate,
  KeyExchangeOutcome,
} from "../../src/nts/key_exchange/outcome.ts";
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
let identities = 0;

/** Makes the outcome of a key exchange, with cookies that no other has. */
export function exchangeOutcome(changes: Partial<KeyExchangeOutcome> = {}): KeyExchangeOutcome {
  return {
    aeadId: 15,
    keys: { clientToServer: new Uint8Array(32), serverToClient: new Uint8Array(32).fill(1) },
    alternativeKeys: undefined,
    cookies: Array.from(
      { length: 8 },
      () => new Uint8Array(new Uint32Array(25).fill(++cookies).buffer),
    ),
    ntpServer: undefined,
    ntpPort: 123,
    peerAddress: "192.0.2.7",
    provisional: undefined,
    certificate: exchangeCertificate(),
    ...changes,
  };
}

/** Describes a certificate that is valid for long, of a key that no other has. */
export function exchangeCertificate(
  changes: Partial<ExchangeCertificate> = {},
): ExchangeCertificate {
  const host = changes.host ?? "nts.example";
  const notAfter = changes.notAfter ?? 4e9;
  return {
    leaf: { subject: `CN=${host}`, notAfter },
    notBefore: 0,
    notAfter,
    identity: `key ${++identities}`,
    host,
    certificateAuthority: undefined,
    chain: [],
    ...changes,
  };
}
