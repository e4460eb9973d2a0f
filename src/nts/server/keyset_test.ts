import fc from "../../../tests/support/properties.ts";
import assert from "node:assert/strict";
import { type Bytes, concatBytes, fromHex, toHex } from "../../base/bytes.ts";
import { SeededRandom } from "../../base/random.ts";
import { sealBytes } from "../../crypto/aead.ts";
import { portableAead } from "../../crypto/portable.ts";
import { CookieCodec, cookieLength } from "./cookie.ts";
import { Keyset } from "./keyset.ts";
import { RandomPool } from "./random_pool.ts";

const DAY = 86_400;
const day = (n: number) => BigInt(n) * BigInt(DAY) * 1_000_000_000n;
const START = 20_000;
const create = (staleKeyCount: number) =>
  Keyset.create({ rotationInterval: DAY, staleKeyCount }, {
    now: day(START),
    random: new SeededRandom(7),
  });
const ids = (keyset: Keyset) => keyset.accepted().map((key) => key.id);
const keys = (keyset: Keyset) => keyset.accepted().map((key) => `${key.id} ${toHex(key.key)}`);

function restored(bytes: Bytes, staleKeyCount: number): Keyset {
  const keyset = Keyset.restore(bytes, staleKeyCount);
  assert.ok(keyset.ok, keyset.ok ? "" : keyset.error);
  return keyset.value;
}

Deno.test("rotation keeps the current key, the next and as many stale ones as are wanted", () => {
  const keyset = create(2);
  assert.deepEqual(ids(keyset), [START, START + 1]);
  assert.equal(keyset.nextRotation(), day(START + 1));
  assert.deepEqual(keyset.advance(day(START + 1) - 1n), { ok: true, value: 0 });
  assert.deepEqual(keyset.advance(day(START + 1)), { ok: true, value: 1 });
  assert.deepEqual(ids(keyset), [START + 1, START + 2, START]);
  assert.deepEqual(keyset.advance(day(START + 4)), { ok: true, value: 3 });
  assert.deepEqual(ids(keyset), [START + 4, START + 5, START + 3, START + 2]);
});

Deno.test("a clock that goes back rotates nothing, and one far ahead is refused", () => {
  const keyset = create(1);
  const before = keys(keyset);
  assert.deepEqual(keyset.advance(day(START - 100)), { ok: true, value: 0 });
  assert.deepEqual(keyset.advance(-1n), { ok: true, value: 0 });
  assert.deepEqual(keyset.advance(day(START + 100_001)), { ok: false, error: "too-far-ahead" });
  assert.deepEqual(keys(keyset), before);
});

Deno.test("the key that was next becomes current, and the current stale, unchanged", () => {
  const keyset = create(2);
  const [current, next] = keys(keyset);
  keyset.advance(day(START + 1));
  assert.equal(keys(keyset)[0], next);
  assert.equal(keys(keyset)[2], current);
});

Deno.test("servers that start from one file have the same keys ever after, in whatever steps they advance", () => {
  const file = create(3).serialise();
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 6 }), (steps) => {
      const a = restored(file, 3);
      const b = restored(file, 3);
      const sorted = steps.toSorted((x, y) => x - y);
      for (const step of sorted) a.advance(day(START + step));
      b.advance(day(START + (sorted.at(-1) ?? 0)));
      assert.deepEqual(keys(a), keys(b));
    }),
    { numRuns: 30 },
  );
});

Deno.test("all keys of all generations differ", () => {
  const keyset = create(64);
  keyset.advance(day(START + 64));
  const seen = new Set(keyset.accepted().map((key) => toHex(key.key)));
  assert.equal(seen.size, 66);
});

Deno.test("what was serialised is restored, with fewer stale keys if fewer are wanted", () => {
  const keyset = create(4);
  keyset.advance(day(START + 9));
  assert.deepEqual(keys(restored(keyset.serialise(), 4)), keys(keyset));
  assert.deepEqual(ids(restored(keyset.serialise(), 1)), [START + 9, START + 10, START + 8]);
  assert.equal(restored(keyset.serialise(), 4).rotationInterval, DAY);
});

Deno.test("a file reveals no key older than its stale ones", () => {
  const keyset = create(1);
  const oldKey = keyset.accepted()[0]?.key;
  assert.ok(oldKey !== undefined);
  const oldFile = toHex(keyset.serialise());
  keyset.advance(day(START + 2));
  const file = toHex(keyset.serialise());
  assert.ok(!file.includes(toHex(oldKey)));
  assert.ok(!file.includes(oldFile.slice(40, 104)));
});

Deno.test("a damaged file has its reason, and no octets make it throw", () => {
  const keyset = create(2);
  keyset.advance(day(START + 2));
  const file = keyset.serialise();
  const reason = (bytes: Bytes) => {
    const read = Keyset.restore(bytes, 2);
    return read.ok ? "ok" : read.error;
  };
  const changed = (at: number, to: number) => file.with(at, to) as Bytes;
  assert.equal(reason(new Uint8Array(0)), "not-a-keyset");
  assert.equal(reason(file.slice(1)), "not-a-keyset");
  assert.equal(reason(file.slice(0, 10)), "wrong-length");
  assert.equal(reason(file.slice(0, -1)), "wrong-length");
  assert.equal(reason(changed(19, 3)), "wrong-length");
  assert.equal(reason(changed(16, 255)), "wrong-length");
  assert.equal(reason(changed(30, (file[30] ?? 0) ^ 1)), "wrong-checksum");
  assert.equal(reason(changed(11, 0)), "wrong-checksum");
  fc.assert(fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
    assert.notEqual(reason(changed(at, (file[at] ?? 0) ^ flip)), "ok");
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    assert.notEqual(reason(new Uint8Array(bytes)), "ok");
  }));
});

function codecOf(keyset: Keyset, seed = 3): CookieCodec {
  return new CookieCodec({
    keyset,
    aead: portableAead,
    random: new RandomPool(new SeededRandom(seed)),
  });
}

function makeCookie(codec: CookieCodec, aeadId: 15 | 16 | 17 | 30, fill = 1): Bytes {
  const { keyLength } = portableAead(aeadId).parameters;
  codec.load(aeadId, {
    serverToClient: new Uint8Array(keyLength).fill(fill),
    clientToServer: new Uint8Array(keyLength).fill(fill + 1),
  });
  const cookie = new Uint8Array(cookieLength(aeadId));
  assert.equal(codec.seal(cookie, 0), cookie.length);
  return cookie;
}

const openCookie = (codec: CookieCodec, cookie: Bytes) =>
  codec.open(cookie, { offset: 0, length: cookie.length }) ?? "ok";

Deno.test("cookies have the lengths that peers accept, and open to what was sealed", () => {
  const lengths: readonly (readonly [15 | 16 | 17 | 30, number])[] = [
    [15, 100],
    [16, 132],
    [17, 164],
    [30, 68],
  ];
  const codec = codecOf(create(2));
  for (const [aeadId, length] of lengths) {
    const cookie = makeCookie(codec, aeadId, 5);
    assert.equal(cookie.length, length);
    makeCookie(codec, 15, 90);
    assert.equal(openCookie(codec, cookie), "ok");
    assert.equal(codec.aeadId, aeadId);
    assert.equal(codec.plaintext[codec.serverToClientOffset], 5);
    assert.equal(codec.plaintext[codec.clientToServerOffset - 1], 5);
    assert.equal(codec.plaintext[codec.clientToServerOffset], 6);
  }
});

Deno.test("two cookies of one client have nothing in common but the key identifier", () => {
  const codec = codecOf(create(2));
  const a = makeCookie(codec, 15);
  const b = makeCookie(codec, 15);
  assert.deepEqual(a.slice(0, 4), b.slice(0, 4));
  for (let i = 4; i + 4 <= a.length; i += 4) {
    assert.notDeepEqual(a.slice(i, i + 4), b.slice(i, i + 4));
  }
});

Deno.test("cookies live as long as their key is current or stale, and no longer", () => {
  const keyset = create(2);
  const codec = codecOf(keyset);
  const cookie = makeCookie(codec, 15);
  for (let n = 1; n <= 2; n++) {
    keyset.advance(day(START + n));
    codec.refresh();
    assert.equal(openCookie(codec, cookie), "ok");
  }
  keyset.advance(day(START + 3));
  codec.refresh();
  assert.equal(openCookie(codec, cookie), "unknown-key");
});

Deno.test("a server whose clock is behind opens the cookies of the next generation", () => {
  const file = create(1).serialise();
  const behind = codecOf(restored(file, 1));
  const aheadKeyset = restored(file, 1);
  aheadKeyset.advance(day(START + 1));
  assert.equal(openCookie(behind, makeCookie(codecOf(aheadKeyset), 17)), "ok");
});

Deno.test("changed, cut, strange cookies are refused and leave the contents at hand alone", () => {
  const codec = codecOf(create(1));
  const cookie = makeCookie(codec, 15, 40);
  const other = codecOf(Keyset.create({ rotationInterval: DAY, staleKeyCount: 1 }, {
    now: day(START),
    random: new SeededRandom(8),
  }));
  assert.equal(openCookie(codec, makeCookie(other, 15)), "not-authentic");
  fc.assert(
    fc.property(fc.nat(99), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const reason = openCookie(codec, cookie.with(at, (cookie[at] ?? 0) ^ flip) as Bytes);
      assert.ok(reason === "not-authentic" || at < 4 && reason === "unknown-key");
      assert.equal(codec.plaintext[codec.serverToClientOffset], 40);
    }),
  );
  for (let length = 0; length < 100; length += 4) {
    assert.notEqual(openCookie(codec, cookie.slice(0, length)), "ok");
  }
  assert.equal(openCookie(codec, new Uint8Array(1024)), "bad-content");
});

Deno.test("an authentic cookie with strange contents is refused", () => {
  const keyset = create(1);
  const codec = codecOf(keyset);
  const key = keyset.accepted()[0];
  assert.ok(key !== undefined);
  const cookie = (plaintext: Bytes) => {
    const id = fromHex(START.toString(16).padStart(8, "0"))!;
    const nonce = new Uint8Array(12);
    const options = { nonce, associatedData: new Uint8Array(0), plaintext };
    return concatBytes(id, nonce, sealBytes(portableAead(15, key.key), options));
  };
  const contents = (aeadId: number, length: number) => {
    const bytes = new Uint8Array(4 + length);
    bytes[1] = aeadId;
    return bytes;
  };
  assert.equal(openCookie(codec, cookie(contents(15, 64))), "ok");
  assert.equal(openCookie(codec, cookie(contents(15, 60))), "bad-content");
  assert.equal(openCookie(codec, cookie(contents(15, 128))), "bad-content");
  assert.equal(openCookie(codec, cookie(contents(17, 64))), "bad-content");
  assert.equal(openCookie(codec, cookie(contents(2, 64))), "bad-content");
  assert.equal(openCookie(codec, cookie(contents(0, 0))), "bad-content");
});
