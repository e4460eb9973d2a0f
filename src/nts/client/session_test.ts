import fc from "../../../tests/support/properties.ts";
import assert from "node:assert/strict";
import { type Bytes, fromHex, toHex } from "../../base/bytes.ts";
import { SeededRandom } from "../../base/random.ts";
import { portableAead } from "../../crypto/portable.ts";
import { NtsClientSession, type SessionState } from "./session.ts";
import { CookieCodec, cookieLength } from "../server/cookie.ts";
import { CookieJar } from "./cookie_jar.ts";
import { COOKIE_JAR_SIZE } from "../key_exchange/cookies.ts";
import { decodeCookieStore, encodeCookieStore } from "./cookie_store.ts";
import type { SessionKeys } from "../key_exchange/exporter.ts";
import { Keyset } from "../server/keyset.ts";
import { RandomPool } from "../server/random_pool.ts";
import { NtsServerFields } from "../server/server_fields.ts";

const DAY = 86_400;
const HEADER = fromHex("23" + "00".repeat(39) + "0102030405060708")!;
const day = (n: number) => BigInt(n) * BigInt(DAY) * 1_000_000_000n;

/** A time server with its own keyset, in memory. */
class TestServer {
  readonly keyset: Keyset;
  readonly #cookies: CookieCodec;
  readonly #fields: NtsServerFields;

  constructor(seed: number) {
    const random = new RandomPool(new SeededRandom(seed));
    const start = { now: day(20_000), random: new SeededRandom(seed) };
    this.keyset = Keyset.create({ rotationInterval: DAY, staleKeyCount: 2 }, start);
    this.#cookies = new CookieCodec({ keyset: this.keyset, aead: portableAead, random });
    this.#fields = new NtsServerFields({ cookies: this.#cookies, aead: portableAead, random });
  }

  keyExchange(aeadId: 15 | 30, keys: SessionKeys, alternativeKeys?: SessionKeys): SessionState {
    const cookies = Array.from({ length: 8 }, () => {
      this.#cookies.load(aeadId, keys);
      const cookie = new Uint8Array(cookieLength(aeadId));
      this.#cookies.seal(cookie, 0);
      return cookie;
    });
    return {
      aeadId,
      keys,
      alternativeKeys,
      cookies,
      ntpServer: undefined,
      ntpPort: 123,
      authenticBefore: false,
    };
  }

  answer(packet: Bytes): Bytes {
    const out = new Uint8Array(2048);
    const kind = this.#fields.check({ bytes: packet, offset: 0, length: packet.length });
    if (kind === "protected") {
      out.set(fromHex("2402")!);
      return out.slice(0, this.#fields.protect(out, 0));
    }
    assert.match(kind, /^nts-nak-/);
    out.set(fromHex("e400" + "00".repeat(10) + "4e54534e")!);
    return out.slice(0, this.#fields.nak(out, 0));
  }

  rotate(days: number): void {
    this.keyset.advance(day(20_000 + days));
    this.#cookies.refresh();
  }
}

function keysOf(length: number, fill = 1): SessionKeys {
  return {
    clientToServer: new Uint8Array(length).fill(fill),
    serverToClient: new Uint8Array(length).fill(fill + 1),
  };
}

function poll(
  session: NtsClientSession,
  options: { server: TestServer; lost?: boolean; seed: number },
) {
  const sent = session.protect(HEADER, new SeededRandom(options.seed));
  if (!sent.ok) return sent.error;
  if (options.lost) return "lost";
  const answer = options.server.answer(sent.value.packet);
  const verified = session.verify(answer, sent.value.uniqueIdentifier);
  return verified.ok ? verified.value.kind : verified.error;
}

Deno.test("a jar gives every cookie out once and holds at most eight", () => {
  const operation = fc.oneof(fc.constant("take"), fc.integer({ min: 0, max: 40 }));
  fc.assert(
    fc.property(fc.array(operation, { minLength: 80, maxLength: 200 }), (operations) => {
      const jar = new CookieJar();
      const taken: string[] = [];
      for (const step of operations) {
        if (typeof step === "number") jar.add(new Uint8Array(16).fill(step));
        else {
          const cookie = jar.take();
          if (cookie !== undefined) taken.push(toHex(cookie));
        }
        assert.ok(jar.size <= COOKIE_JAR_SIZE);
      }
      assert.equal(new Set(taken).size, taken.length);
    }),
  );
});

Deno.test("a jar refuses cookies that cannot travel, and prefers new ones to old", () => {
  const jar = new CookieJar();
  for (const length of [0, 4, 8, 13, 101, 1028, 65_532]) {
    assert.equal(jar.add(new Uint8Array(length)), false);
  }
  for (let i = 0; i < 10; i++) jar.add(new Uint8Array(12).fill(i));
  assert.deepEqual(jar.contents().map((cookie) => cookie[0]), [2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(jar.placeholdersWanted(), 0);
  jar.take();
  assert.equal(jar.placeholdersWanted(), 0);
  jar.take();
  assert.equal(jar.placeholdersWanted(), 1);
  for (let i = 0; i < 6; i++) jar.take();
  assert.equal(jar.take(), undefined);
  assert.equal(jar.placeholdersWanted(), 7);
});

Deno.test("no packet of a session repeats a cookie, a unique identifier or a nonce, whatever is lost", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 25 }), (losses) => {
      const server = new TestServer(5);
      const session = new NtsClientSession({ aead: portableAead });
      session.install(server.keyExchange(15, keysOf(32)));
      const random = new SeededRandom(1);
      const seen = new Set<string>();
      for (const lost of losses) {
        if (session.needsKeyExchange() !== undefined) {
          session.install(server.keyExchange(15, keysOf(32)));
        }
        const sent = session.protect(HEADER, random);
        assert.ok(sent.ok);
        const { packet, uniqueIdentifier } = sent.value;
        const nonce = packet.slice(-32, -16);
        for (const part of [uniqueIdentifier, packet.slice(88, 188), nonce]) {
          assert.ok(!seen.has(toHex(part)));
          seen.add(toHex(part));
        }
        if (lost) continue;
        const verified = session.verify(server.answer(packet), uniqueIdentifier);
        assert.ok(verified.ok && verified.value.kind === "authentic");
        assert.equal(session.cookieCount, 8);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("without keys and without cookies nothing is sent, and a key exchange is wanted", () => {
  const session = new NtsClientSession({ aead: portableAead });
  const server = new TestServer(1);
  assert.equal(session.needsKeyExchange(), "no-keys");
  assert.equal(poll(session, { server, seed: 1 }), "nts-no-keys");
  session.install(server.keyExchange(15, keysOf(32)));
  for (let i = 0; i < 8; i++) {
    assert.equal(session.needsKeyExchange(), undefined);
    assert.equal(poll(session, { server, seed: i, lost: true }), "lost");
  }
  assert.equal(session.needsKeyExchange(), "no-cookies");
  assert.equal(poll(session, { server, seed: 9 }), "nts-no-cookies");
  assert.equal(session.export(), undefined);
});

Deno.test("after a rotation beyond the stale keys a NAK leads to a new key exchange, and old cookies are used till then", () => {
  const server = new TestServer(1);
  const session = new NtsClientSession({ aead: portableAead });
  session.install(server.keyExchange(15, keysOf(32)));
  assert.equal(poll(session, { server, seed: 1 }), "authentic");
  server.rotate(2);
  assert.equal(poll(session, { server, seed: 2 }), "authentic");
  server.rotate(10);
  assert.equal(poll(session, { server, seed: 3 }), "nak");
  assert.equal(session.needsKeyExchange(), "refused");
  assert.equal(poll(session, { server, seed: 4 }), "nak");
  session.install(server.keyExchange(15, keysOf(32, 7)));
  assert.equal(session.needsKeyExchange(), undefined);
  assert.equal(session.cookieCount, 8);
  assert.equal(poll(session, { server, seed: 5 }), "authentic");
  const few = server.keyExchange(15, keysOf(32, 11));
  session.install({ ...few, cookies: few.cookies.slice(0, 2) });
  assert.equal(session.cookieCount, 2, "the old cookies are gone");
});

Deno.test("a forged NAK is forgotten when the authentic answer comes before the next poll", () => {
  const server = new TestServer(1);
  const session = new NtsClientSession({ aead: portableAead });
  session.install(server.keyExchange(15, keysOf(32)));
  const sent = session.protect(HEADER, new SeededRandom(1));
  assert.ok(sent.ok);
  const { packet, uniqueIdentifier } = sent.value;
  const forged = new Uint8Array([
    ...fromHex("e400" + "00".repeat(10) + "4e54534e" + "00".repeat(32))!,
    ...packet.slice(48, 84),
  ]);
  assert.deepEqual(session.verify(forged, uniqueIdentifier), { ok: true, value: { kind: "nak" } });
  assert.equal(session.needsKeyExchange(), "refused");
  assert.equal(session.verify(server.answer(packet), uniqueIdentifier).ok, true);
  assert.equal(session.needsKeyExchange(), undefined);
});

Deno.test("when it is open which keys the server has, the first NAK switches to the other pair, once", () => {
  for (const serverUsesOld of [true, false]) {
    const server = new TestServer(1);
    const old = keysOf(16, 1);
    const compliant = keysOf(16, 9);
    const state = server.keyExchange(30, serverUsesOld ? old : compliant);
    const session = new NtsClientSession({ aead: portableAead });
    session.install({ ...state, keys: old, alternativeKeys: compliant });
    if (!serverUsesOld) assert.equal(poll(session, { server, seed: 1 }), "nak");
    assert.equal(session.needsKeyExchange(), undefined);
    assert.equal(poll(session, { server, seed: 2 }), "authentic");
    assert.equal(session.export()?.alternativeKeys, undefined);
    server.rotate(10);
    assert.equal(poll(session, { server, seed: 3 }), "nak");
    assert.equal(session.needsKeyExchange(), "refused");
  }
});

Deno.test("answers to other requests, without protection or under other keys are dropped", () => {
  const server = new TestServer(1);
  const session = new NtsClientSession({ aead: portableAead });
  session.install(server.keyExchange(15, keysOf(32)));
  const first = session.protect(HEADER, new SeededRandom(1));
  const second = session.protect(HEADER, new SeededRandom(2));
  assert.ok(first.ok && second.ok);
  const late = session.verify(server.answer(first.value.packet), second.value.uniqueIdentifier);
  assert.deepEqual(late, { ok: false, error: "nts-wrong-unique-identifier" });
  const plain = new Uint8Array(48).fill(2);
  assert.deepEqual(session.verify(plain, second.value.uniqueIdentifier), {
    ok: false,
    error: "nts-not-protected",
  });
  const answer = server.answer(second.value.packet);
  session.install(server.keyExchange(15, keysOf(32, 50)));
  assert.deepEqual(session.verify(answer, second.value.uniqueIdentifier), {
    ok: false,
    error: "nts-not-authentic",
  });
});

Deno.test("a session goes on after a restart with the cookies that were not sent", () => {
  const server = new TestServer(1);
  const session = new NtsClientSession({ aead: portableAead });
  session.install({
    ...server.keyExchange(15, keysOf(32)),
    ntpServer: "ntp.example",
    ntpPort: 4123,
    keyIdentity: "ab",
  });
  poll(session, { server, seed: 1 });
  poll(session, { server, seed: 2, lost: true });
  const state = session.export();
  assert.ok(state !== undefined);
  const file = encodeCookieStore(new Map([["ke.example", state]]));
  const read = decodeCookieStore(file);
  assert.ok(read.ok);
  const restored = read.value.get("ke.example");
  assert.deepEqual(restored, state);
  assert.equal(restored?.cookies.length, 7);
  assert.equal(restored?.authenticBefore, true);
  const again = new NtsClientSession({ aead: portableAead, restored: restored! });
  assert.equal(poll(again, { server, seed: 3 }), "authentic");
  assert.equal(again.cookieCount, 8);
});

Deno.test("a damaged cookie store is refused as a whole, and nothing makes it throw", () => {
  const state = new TestServer(1).keyExchange(15, keysOf(32));
  const file = encodeCookieStore(
    new Map([["a", state], ["b", { ...state, alternativeKeys: keysOf(32) }]]),
  );
  const reason = (bytes: Bytes) => {
    const read = decodeCookieStore(bytes);
    return read.ok ? "ok" : read.error;
  };
  assert.equal(reason(file), "ok");
  assert.equal(reason(new Uint8Array(0)), "not-a-cookie-store");
  assert.equal(reason(file.slice(0, -1)), "wrong-checksum");
  assert.equal(reason(new Uint8Array((1 << 20) + 1)), "too-long");
  const tampered = (change: Partial<SessionState>) =>
    reason(encodeCookieStore(new Map([["a", { ...state, ...change }]])));
  assert.equal(tampered({}), "ok");
  assert.equal(tampered({ keyIdentity: 7 as unknown as string }), "bad-content");
  assert.equal(tampered({ aeadId: 2 as 15 }), "bad-content");
  assert.equal(tampered({ keys: keysOf(16) }), "bad-content");
  assert.equal(tampered({ cookies: [new Uint8Array(13)] }), "bad-content");
  assert.equal(
    tampered({ cookies: Array.from({ length: 9 }, () => new Uint8Array(16)) }),
    "bad-content",
  );
  assert.equal(tampered({ ntpPort: 0 }), "bad-content");
  fc.assert(fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
    // The line end behind the checksum is not looked at.
    if (at !== 64) assert.notEqual(reason(file.with(at, (file[at] ?? 0) ^ flip) as Bytes), "ok");
  }));
});
