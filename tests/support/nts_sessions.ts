/**
 * Sessions of Network Time Security for engines in tests: with real keys and cookies that no server
 * knows, or without cryptography.
 *
 * @module
 */
import type {
  ExchangeCertificate,
  KeyExchangeOutcome,
} from "../../src/nts/key_exchange/outcome.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { PacketProtection } from "../../src/association/protection.ts";
import { type RandomSource, SeededRandom } from "../../src/base/random.ts";
import { err, ok } from "../../src/base/result.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import type { Protections } from "../../src/engine/sources/source_set.ts";
import { SessionProtection } from "../../src/nts/client/session_protection.ts";

/** Makes the sessions that an engine needs. */
export function sessionProtections(): Protections {
  const random = new SeededRandom(4);
  return {
    startSession: (outcome, context) =>
      SessionProtection.fromExchange(outcome, { aead: portableAead, random, ...context }),
  };
}

/** Makes real sessions whose packets are plain, for worlds where what servers say is the matter. */
export function unprotectedSessions(random: RandomSource): Protections {
  return {
    startSession: (outcome, start) =>
      Object.assign(
        SessionProtection.fromExchange(outcome, { aead: portableAead, random, ...start }),
        {
          protect: (header: Bytes) => ok({ packet: header, uniqueIdentifier: new Uint8Array(0) }),
          verify: () => ok(undefined),
        },
      ),
  };
}

/** What a session without cryptography is like. */
export interface PlainSessionOptions {
  /** When its keys were exchanged, in seconds of the boot-time clock. */
  readonly now?: number;
  /** After so many seconds it exchanges keys again. */
  readonly renewal?: number;
  /** Whether the time server knows the keys. */
  readonly isGenuine?: boolean;
}

/**
 * Makes a session whose packets are plain: it counts exchanges and certificates, and takes what the
 * server says for authentic.
 */
export function plainSession(
  outcome: KeyExchangeOutcome,
  { now = 0, renewal = Infinity, isGenuine = true }: PlainSessionOptions = {},
): PacketProtection {
  let { certificate } = outcome;
  let isProvisional = outcome.provisional !== undefined;
  let exchangedAt = now;
  let isRenewalWanted = false;
  return {
    authentication: "nts",
    get certificate() {
      return certificate;
    },
    get isProvisional() {
      return isProvisional;
    },
    get status() {
      const counts = { cookies: 8, aead: 15, lastKeyExchange: 0, failures: {}, dropped: {} };
      return { ...counts, provisional: isProvisional };
    },
    protect: (packet) => ok({ packet, uniqueIdentifier: new Uint8Array(0) }),
    verify: () => isGenuine ? ok({}) : err("nts-nak"),
    confirmCertificate: () => isProvisional = false,
    renewKeys: (at) => isRenewalWanted = at - exchangedAt >= 3600,
    beginKeyExchange(at) {
      if (!isRenewalWanted && at - exchangedAt < renewal) return false;
      isRenewalWanted = false;
      exchangedAt = at;
      return true;
    },
    endKeyExchange(result) {
      if (!result.ok) return;
      isProvisional = result.value.provisional !== undefined;
      certificate = result.value.certificate;
    },
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
    cookies: changes.cookies ?? freshCookies(),
    ntpServer: undefined,
    ntpPort: 123,
    peerAddress: "192.0.2.7",
    provisional: undefined,
    certificate: exchangeCertificate(),
    ...changes,
  };
}

function freshCookies(): readonly Bytes[] {
  const cookie = () => new Uint8Array(new Uint32Array(25).fill(++cookies).buffer);
  return Array.from({ length: 8 }, cookie);
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
