/**
 * Files of state under fuzz: what is damaged is refused and never half believed, what is right is
 * written again as it was.
 *
 * A decoder with a checksum refuses noise at its first test. So the first octet of an input says
 * whether the rest is taken as the file, or gets a checksum that fits, and then whatever it says
 * must be made sense of or refused.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, concatBytes, toHex } from "../../src/base/bytes.ts";
import { randomBytes, type RandomSource, SeededRandom } from "../../src/base/random.ts";
import { aeadParameters } from "../../src/crypto/aead.ts";
import { digest } from "../../src/crypto/digest.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { formatDrift, parseDrift } from "../../src/system/drift_text.ts";
import { NtsClientSession, type SessionState } from "../../src/nts/client/session.ts";
import { decodeCookieStore, encodeCookieStore } from "../../src/nts/client/cookie_store.ts";
import { Keyset } from "../../src/nts/server/keyset.ts";
import {
  decodeTimeBound,
  encodeTimeBound,
} from "../../src/engine/authenticated_time/time_bound.ts";
import { driftText } from "./grammar_texts.ts";
import { below, chance, pick, several } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

const STALE_MAX = 64;
const NOW = 1_700_000_000_000_000_000n;
const DRIFT_MAX = 500;
const YEAR_9999 = 253_402_300_799;
const encode = (text: string): Bytes => new TextEncoder().encode(text);
const textOf = (octets: Uint8Array): string => new TextDecoder().decode(octets);

/** The targets. */
export const FILE_TARGETS: readonly FuzzTarget[] = [
  {
    name: "keyset",
    oracle:
      "a keyset with a checksum that fits is written again as it was and rotates; any other is refused, and one with a bit turned",
    budget: 700,
    seeds: ["00", "01" + toHex(content(new SeededRandom(1)))],
    generate: (random) => concatBytes(Uint8Array.of(below(random, 2)), content(random)),
    run: fuzzKeyset,
  },
  {
    name: "cookie-store",
    oracle:
      "a store with a checksum that fits is written again as it was and its sessions can be used; any other is refused",
    budget: 500,
    seeds: ["00", "01" + toHex(encode('{"version":1,"sources":[]}\n'))],
    generate: (random) => concatBytes(Uint8Array.of(below(random, 2)), encode(storeText(random))),
    run: fuzzCookieStore,
  },
  {
    name: "time-bound",
    oracle: "a bound is a whole second before the year 10000, written again as it was",
    budget: 2000,
    seeds: [toHex(encodeTimeBound(1_700_000_000))],
    generate: (random) => encodeTimeBound(random.uint32() * pick(random, [0, 1, 60, 1e6])),
    run(octets) {
      const bound = decodeTimeBound(octets);
      if (!bound.ok) return;
      assert.ok(Number.isInteger(bound.value) && bound.value >= 0 && bound.value <= YEAR_9999);
      assert.deepEqual(decodeTimeBound(encodeTimeBound(bound.value)), bound);
    },
  },
  {
    name: "drift",
    oracle: "a drift is within its limits and read again as it was written, to a millionth",
    budget: 2000,
    seeds: [toHex(encode("12.345678 0.1\n")), toHex(encode("-3.5\n"))],
    generate: (random) => encode(driftText(random)),
    run(octets) {
      const text = textOf(octets);
      const drift = parseDrift(text, DRIFT_MAX);
      if (!drift.ok) return assert.ok(drift.error.length > 0 && !drift.error.endsWith("."));
      const { frequency, skew } = drift.value;
      assert.ok(Math.abs(frequency) <= DRIFT_MAX && skew >= 0 && skew <= 1e6);
      const again = parseDrift(formatDrift(drift.value), DRIFT_MAX);
      assert.ok(again.ok && Math.abs(again.value.frequency - frequency) < 1e-6);
      assert.ok(Math.abs(again.value.skew - skew) < 1e-6);
      // A file that was cut while it was written is never another frequency.
      assert.equal(parseDrift(text.replace(/\n$/, ""), DRIFT_MAX).ok, /\n\n$/.test(text));
    },
  },
];

/** Makes what stands before the checksum of a keyset. */
function content(random: RandomSource): Bytes {
  const count = below(random, chance(random, 0.1) ? 70 : 5);
  const head = new Uint8Array(20);
  head.set(encode("ntpsdks1"));
  const view = new DataView(head.buffer);
  view.setUint32(8, pick(random, [60, 3600, 86_400, 86_400, 0, 0xffff_ffff]));
  view.setUint32(12, chance(random, 0.8) ? 19_675 - below(random, 3) : random.uint32());
  view.setUint32(16, chance(random, 0.9) ? count : random.uint32());
  return concatBytes(head, randomBytes(random, 32 + 32 * count));
}

function fuzzKeyset(octets: Bytes): void {
  const isRight = (octets[0] ?? 0) % 2 === 1;
  const said = octets.slice(1);
  const file = isRight ? concatBytes(said, digest("SHA256", said)) : said;
  const restored = Keyset.restore(file, STALE_MAX);
  if (!isRight) return assert.equal(restored.ok, false, "noise has no right checksum");
  if (!restored.ok) return;
  const keyset = restored.value;
  assert.equal(toHex(keyset.serialise()), toHex(file));
  assert.ok(keyset.accepted().length <= STALE_MAX + 2);
  for (const at of [0, 11, 19, 40, file.length - 1]) {
    const damaged = file.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    assert.equal(Keyset.restore(damaged, STALE_MAX).ok, false, `octet ${at}`);
  }
  const before = keyset.currentId;
  const target = BigInt(before + 2) * BigInt(keyset.rotationInterval) * 1_000_000_000n;
  if (target > 2n * NOW || before > 0xffff_fff0) return;
  const rotated = keyset.advance(target);
  assert.deepEqual(rotated, { ok: true, value: 2 });
  assert.equal(keyset.currentId, before + 2);
}

function fuzzCookieStore(octets: Bytes): void {
  const isRight = (octets[0] ?? 0) % 2 === 1;
  const said = octets.slice(1);
  const file = isRight ? concatBytes(encode(`${toHex(digest("SHA256", said))}\n`), said) : said;
  const decoded = decodeCookieStore(file);
  if (!isRight) return assert.equal(decoded.ok, false, "noise has no right checksum");
  if (!decoded.ok) return;
  const again = decodeCookieStore(encodeCookieStore(decoded.value));
  assert.deepEqual(again, decoded);
  for (const restored of decoded.value.values()) {
    const session = new NtsClientSession({ aead: portableAead, restored });
    const asked = session.protect(new Uint8Array(48), new SeededRandom(1));
    assert.equal(asked.ok, restored.cookies.length > 0);
    session.close();
  }
}

/** Writes a store as the daemon does, or nearly. */
function storeText(random: RandomSource): string {
  const sessions = new Map(
    several(below(random, 4), (i) => [`h${i} ${i}`, state(random)] as const),
  );
  const text = textOf(encodeCookieStore(sessions)).slice(65);
  if (chance(random, 0.5)) return text;
  const [from, to] = pick(random, CHANGES);
  return text.replace(from, to);
}

const CHANGES: readonly (readonly [RegExp, string])[] = [
  [/"aead":\d+/, '"aead":15.5'],
  [/"port":\d+/, '"port":0'],
  [/"cookies":\[/, '"cookies":["00",'],
  [/"cookies":\[[^\]]*\]/, '"cookies":{}'],
  [/"name":"[^"]*"/, '"name":"__proto__"'],
  [/"keys":/, '"keys":null,"x":'],
  [/"server":"[^"]*"/, '"server":"\\u202e\\u0000"'],
  [/"keyIdentity":"\w+"/, '"keyIdentity":7'],
  [/"authenticBefore":\w+/, '"authenticBefore":"yes"'],
  [/"version":1/, '"version":2'],
  [/^\{/, "[{"],
];

function state(random: RandomSource): SessionState {
  const aeadId = pick(random, [15, 16, 17, 30] as const);
  const { keyLength } = aeadParameters(aeadId);
  const keys = () => ({
    clientToServer: randomBytes(random, keyLength),
    serverToClient: randomBytes(random, keyLength),
  });
  return {
    aeadId,
    keys: keys(),
    alternativeKeys: chance(random, 0.3) ? keys() : undefined,
    cookies: several(below(random, 9), () => randomBytes(random, 4 * (3 + below(random, 40)))),
    ntpServer: chance(random, 0.5) ? undefined : "ntp.example.net",
    ntpPort: 123,
    authenticBefore: chance(random, 0.5),
    ...(chance(random, 0.5) ? {} : { keyIdentity: "0123456789abcdef" }),
  };
}
