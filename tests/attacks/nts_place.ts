/**
 * A client and a server of Network Time Security in memory, with the cryptography that both have,
 * counted.
 *
 * The idea: requests are sealed correctly over whatever fields an attacker wants in them, so that
 * what is refused is refused for these. Limits: one algorithm, AES-SIV-CMAC-256.
 *
 * @module
 */
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { type Aead, sealBytes } from "../../src/crypto/aead.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { CookieCodec, cookieLength } from "../../src/nts/server/cookie.ts";
import type { SessionKeys } from "../../src/nts/key_exchange/exporter.ts";
import { Keyset } from "../../src/nts/server/keyset.ts";
import { RandomPool } from "../../src/nts/server/random_pool.ts";
import { encodeAuthenticator } from "../../src/nts/authenticator.ts";
import { NtsServerFields } from "../../src/nts/server/server_fields.ts";
import { encodeField, FIELD_TYPE } from "../../src/protocol/extension_field.ts";
import { request, TestServer } from "../support/test_server.ts";

/** The algorithm. */
export const AEAD_ID = 15;
/** The keys of the client. */
export const KEYS: SessionKeys = {
  clientToServer: new Uint8Array(32).fill(0xc5),
  serverToClient: new Uint8Array(32).fill(0x5c),
};
/** A unique identifier without a fault. */
export const IDENTIFIER: Bytes = encodeField(
  FIELD_TYPE.uniqueIdentifier,
  new Uint8Array(32).fill(0xaa),
);

/** How often the server used its cryptography. */
export const operations = { seals: 0, opens: 0 };

const start = { now: 1_700_000_000_000_000_000n, random: new SeededRandom(1) };
const keyset = Keyset.create({ rotationInterval: 86_400, staleKeyCount: 2 }, start);
const random = new RandomPool(new SeededRandom(2));
const cookies = new CookieCodec({ keyset, aead: counted, random });
const fields = new NtsServerFields({ cookies, aead: counted, random });

/** A server with Network Time Security. */
export function secureServer(): TestServer {
  return new TestServer({ nts: fields });
}

/** A fresh cookie. */
export function cookie(): Bytes {
  cookies.load(AEAD_ID, KEYS);
  const made = new Uint8Array(cookieLength(AEAD_ID));
  cookies.seal(made, 0);
  return made;
}

/** A field that carries a cookie; a fresh one unless given. */
export function cookieField(content: Bytes = cookie()): Bytes {
  return encodeField(FIELD_TYPE.ntsCookie, content);
}

/**
 * A request with these fields, sealed as it should be; `change` has its way with the authenticator.
 */
export function sealedRequest(
  parts: readonly Bytes[] = [IDENTIFIER, cookieField()],
  change: (authenticator: Bytes) => Bytes = (authenticator) => authenticator,
): Bytes {
  const associatedData = concatBytes(request(), ...parts);
  const nonce = new Uint8Array(16).fill(9);
  const aead = portableAead(AEAD_ID, KEYS.clientToServer);
  const sealed = { nonce, associatedData, plaintext: new Uint8Array(0) };
  const authenticator = encodeAuthenticator({ nonce, ciphertext: sealBytes(aead, sealed) });
  return concatBytes(associatedData, change(authenticator));
}

/** The portable algorithms, which count what they do. */
function counted(id: Parameters<typeof portableAead>[0], key?: Bytes): Aead {
  const aead = portableAead(id, key);
  return {
    parameters: aead.parameters,
    setKey: (bytes, offset) => aead.setKey(bytes, offset),
    seal(operation) {
      operations.seals++;
      return aead.seal(operation);
    },
    open(operation) {
      operations.opens++;
      return aead.open(operation);
    },
    close: () => aead.close(),
  };
}
