/**
 * A time server with everything (symmetric keys, Network Time Security, interleaved mode, limits),
 * and cookies of it.
 *
 * Its keys are the same in every run, so that a genuine request can be kept as a seed.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bytes } from "../../src/base/bytes.ts";
import { type RandomSource, SeededRandom } from "../../src/base/random.ts";
import type { NtsAeadId } from "../../src/crypto/aead.ts";
import { type MacKey, macKey } from "../../src/crypto/mac.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { CookieCodec, cookieLength } from "../../src/nts/server/cookie.ts";
import type { SessionKeys } from "../../src/nts/key_exchange/exporter.ts";
import { Keyset } from "../../src/nts/server/keyset.ts";
import { RandomPool } from "../../src/nts/server/random_pool.ts";
import { buildRequest } from "../../src/nts/client/request_fields.ts";
import { NtsServerFields } from "../../src/nts/server/server_fields.ts";
import { AccessRules } from "../../src/server/access.ts";
import { SymmetricKeys } from "../../src/server/authentication.ts";
import { ClientTable } from "../../src/server/client_table.ts";
import { InterleavedTable } from "../../src/server/interleaved.ts";
import { RateLimiter } from "../../src/server/rate_limit.ts";
import { request, TestServer } from "../support/test_server.ts";

const NOW = 1_700_000_000_000_000_000n;
/** The types of the server's keys; their numbers are from 1. */
export const KEY_TYPES = [
  "MD5",
  "SHA1",
  "SHA256",
  "SHA384",
  "SHA512",
  "AES128",
  "AES256",
] as const;

/** The server's symmetric keys by number. */
export const KEYS: ReadonlyMap<number, MacKey> = new Map(KEY_TYPES.map((type, i) => {
  const key = macKey(type, new Uint8Array(type === "AES256" ? 32 : 16).fill(1));
  assert.ok(key.ok);
  return [i + 1, key.value];
}));

function makeNts() {
  const keyset = Keyset.create({ rotationInterval: 86_400, staleKeyCount: 2 }, {
    now: NOW,
    random: new SeededRandom(1),
  });
  const random = new RandomPool(new SeededRandom(2));
  const cookies = new CookieCodec({ keyset, aead: portableAead, random });
  return { cookies, fields: new NtsServerFields({ cookies, aead: portableAead, random }) };
}

const NTS = makeNts();

/**
 * What a server is like: with limits and lists, without, for Network Time Security alone, with
 * nothing at all.
 */
export type ServerKind = "limited" | "open" | "nts-only" | "bare";

/** Makes a server that throws where the real one would count an internal error. */
export function makeServer(kind: ServerKind): TestServer {
  const random = new SeededRandom(3);
  const access = AccessRules.build({
    denylist: { filter: ["198.51.100.0/24"], action: "deny" },
    allowlist: { filter: ["0.0.0.0/0", "2001:db8::/32"], action: "ignore" },
  });
  assert.ok(access.ok);
  const limits = {
    access: access.value,
    clients: new ClientTable(random),
    interleaved: new InterleavedTable({ clients: 64, random }),
    rateLimiter: new RateLimiter({ interval: 3, burst: 8, leak: 2, clients: 64, random }),
  };
  return new TestServer({
    ...(kind === "limited" ? limits : {}),
    ...(kind === "bare" ? { versions: [3, 4] } : { nts: NTS.fields }),
    ...(kind === "nts-only" ? { requireNts: "deny" } : {}),
    ...(kind === "bare" ? {} : { keys: new SymmetricKeys(KEYS) }),
    onInternalError: (error) => {
      throw error;
    },
  });
}

/** Makes a cookie that the server opens. */
export function makeCookie(aeadId: NtsAeadId, keys: SessionKeys): Bytes {
  NTS.cookies.load(aeadId, keys);
  const cookie = new Uint8Array(cookieLength(aeadId));
  NTS.cookies.seal(cookie, 0);
  return cookie;
}

/** Makes keys of the length that an algorithm wants. */
export function makeKeys(aeadId: NtsAeadId, [c2s, s2c]: readonly [number, number]): SessionKeys {
  const { keyLength } = portableAead(aeadId).parameters;
  return {
    clientToServer: new Uint8Array(keyLength).fill(c2s),
    serverToClient: new Uint8Array(keyLength).fill(s2c),
  };
}

/** Makes a request with Network Time Security that the server answers. */
export function protectedRequest(
  random: RandomSource = new SeededRandom(4),
  { aeadId = 15, placeholders = 1, header = request() }: {
    readonly aeadId?: NtsAeadId;
    readonly placeholders?: number;
    readonly header?: Bytes;
  } = {},
): Bytes {
  const keys = makeKeys(aeadId, [0xc5, 0x5c]);
  const cookie = makeCookie(aeadId, keys);
  const aead = portableAead(aeadId, keys.clientToServer);
  return buildRequest({ header, cookie, placeholders, aead }, random).packet;
}
