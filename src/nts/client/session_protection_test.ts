import assert from "node:assert/strict";
import { exchangeCertificate, exchangeOutcome } from "../../../tests/support/nts_sessions.ts";
import { fromHex } from "../../base/bytes.ts";
import { present } from "../../base/assert.ts";
import { SeededRandom } from "../../base/random.ts";
import { portableAead } from "../../crypto/portable.ts";
import type { SessionState } from "./session.ts";
import type { KeyExchangeOutcome } from "../key_exchange/outcome.ts";
import { SessionProtection } from "./session_protection.ts";

const HEADER = fromHex("23" + "00".repeat(39) + "0102030405060708")!;

function outcome(fill: number, change: Partial<KeyExchangeOutcome> = {}): KeyExchangeOutcome {
  return exchangeOutcome({
    keys: {
      clientToServer: new Uint8Array(32).fill(fill),
      serverToClient: new Uint8Array(32).fill(fill + 1),
    },
    cookies: Array.from({ length: 8 }, (_, i) => new Uint8Array(100).fill(16 * fill + i)),
    ...change,
  });
}

function start(now = 0, change: Partial<KeyExchangeOutcome> = {}) {
  const random = new SeededRandom(1);
  const options = { aead: portableAead, random, now };
  return { protection: SessionProtection.fromExchange(outcome(1, change), options), random };
}

Deno.test("an exchange is begun only when it is needed, alone, and not too soon", () => {
  const { protection, random } = start(1000);
  assert.equal(protection.beginKeyExchange(1000), false);
  for (let i = 0; i < 8; i++) assert.equal(protection.protect(HEADER, random).ok, true);
  assert.deepEqual(protection.protect(HEADER, random), { ok: false, error: "nts-no-cookies" });
  assert.equal(protection.beginKeyExchange(1009), false);
  assert.equal(protection.beginKeyExchange(1012), true);
  assert.equal(protection.beginKeyExchange(2000), false);
  protection.endKeyExchange({ ok: false, error: "The server is down" }, { now: 1013 });
  assert.equal(protection.beginKeyExchange(1020), false);
  assert.equal(protection.beginKeyExchange(1030), true);
  protection.endKeyExchange({ ok: true, value: outcome(2) }, { now: 1031 });
  assert.equal(protection.beginKeyExchange(1100), false);
  assert.equal(protection.protect(HEADER, random).ok, true);
  assert.deepEqual(protection.status, {
    cookies: 7,
    aead: 15,
    lastKeyExchange: 1031,
    provisional: false,
    failures: { "The server is down": 1 },
    dropped: {},
  });
});

Deno.test("keys whose certificate does not fit are renewed, once an hour at most, and stay until there are others", () => {
  const { protection, random } = start(1000);
  protection.renewKeys(1005);
  assert.equal(protection.beginKeyExchange(1009), false, "not too soon after the last one");
  assert.equal(protection.beginKeyExchange(1012), true);
  protection.endKeyExchange({ ok: false, error: "not yet valid" }, { now: 1013 });
  assert.equal(protection.protect(HEADER, random).ok, true);
  for (let now = 1014; now < 1005 + 3600; now++) {
    protection.renewKeys(now);
    assert.equal(protection.beginKeyExchange(now), false);
  }
  protection.renewKeys(1005 + 3600);
  assert.equal(protection.beginKeyExchange(1005 + 3600), true);
});

Deno.test("answers that are not authentic are failures, and are counted", () => {
  const { protection, random } = start();
  const sent = protection.protect(HEADER, random);
  assert.ok(sent.ok);
  const { packet, uniqueIdentifier } = sent.value;
  const nak = new Uint8Array([
    ...fromHex("e400" + "00".repeat(10) + "4e54534e" + "00".repeat(32))!,
    ...packet.slice(48, 84),
  ]);
  assert.deepEqual(protection.verify(nak, uniqueIdentifier), { ok: false, error: "nts-nak" });
  nak.set(new TextEncoder().encode("RATE"), 12);
  const kiss = { ok: false, error: "nts-unprotected-kiss" };
  assert.deepEqual(protection.verify(nak, uniqueIdentifier), kiss);
  const plain = { ok: false, error: "nts-not-protected" };
  assert.deepEqual(protection.verify(new Uint8Array(48).fill(0x24), uniqueIdentifier), plain);
  assert.deepEqual(protection.status.dropped, {
    "nts-nak": 1,
    "nts-unprotected-kiss": 1,
    "nts-not-protected": 1,
  });
  assert.equal(protection.beginKeyExchange(100), true);
});

Deno.test("the sentences of failures that are counted are bounded", () => {
  const { protection, random } = start();
  for (let i = 0; i < 8; i++) protection.protect(HEADER, random);
  let now = 0;
  for (let i = 0; i < 50; i++) {
    now += 500_000;
    assert.equal(protection.beginKeyExchange(now), true);
    protection.endKeyExchange({ ok: false, error: `Failure ${i}` }, { now });
  }
  const { failures } = protection.status;
  assert.equal(Object.keys(failures).length, 33);
  assert.equal(failures["other"], 18);
});

Deno.test("keys behind a provisional certificate are not saved until it is confirmed", () => {
  const { protection } = start(0, { provisional: "certificate-expired" });
  assert.equal(protection.status.provisional, true);
  assert.equal(protection.export(), undefined);
  protection.confirmCertificate();
  const saved = protection.export();
  assert.equal(saved?.cookies.length, 8);
  const options = { aead: portableAead, random: new SeededRandom(2) };
  const resumed = SessionProtection.resume(saved!, options);
  assert.equal(resumed.status.cookies, 8);
  assert.equal(resumed.status.lastKeyExchange, undefined);
});

Deno.test("what tells the public key from others is saved with the keys, until there are others", () => {
  const certificate = (identity: string) => exchangeCertificate({ identity });
  const { protection } = start(0, { certificate: certificate("one") });
  const options = { aead: portableAead, random: new SeededRandom(2) };
  const saved = present(protection.export(), "There are keys");
  const resumed = SessionProtection.resume(saved, options);
  assert.deepEqual([resumed.certificate, resumed.keyIdentity], [undefined, "one"]);
  assert.equal(resumed.export()?.keyIdentity, "one", "over a second restart too");
  for (let i = 0; i < 8; i++) resumed.protect(HEADER, options.random);
  assert.equal(resumed.beginKeyExchange(1000), true);
  const value = outcome(2, { certificate: certificate("two") });
  resumed.endKeyExchange({ ok: true, value }, { now: 1001 });
  assert.deepEqual([resumed.keyIdentity, resumed.export()?.keyIdentity], ["two", "two"]);
});

Deno.test("a later exchange that names another time server is told", () => {
  const { protection, random } = start();
  for (let i = 0; i < 8; i++) protection.protect(HEADER, random);
  assert.equal(protection.beginKeyExchange(100), true);
  const value = outcome(2, { ntpServer: "other.example", ntpPort: 4123 });
  assert.equal(protection.movedTo, undefined);
  protection.endKeyExchange({ ok: true, value }, { now: 101 });
  assert.deepEqual(protection.movedTo, { ntpServer: "other.example", ntpPort: 4123 });
});

/**
 * Sends requests until there are no cookies left or so many are sent, and returns the cookies in
 * them.
 */
function cookiesSent(protection: SessionProtection, count: number): readonly string[] {
  const sent: string[] = [];
  for (let i = 0; i < count; i++) {
    const before = protection.export()?.cookies[0];
    if (!protection.protect(new Uint8Array(48), new SeededRandom(i)).ok) break;
    if (before !== undefined) sent.push(before.toHex());
  }
  return sent;
}

Deno.test("no cookie is sent by two runs, whenever the first one crashes", () => {
  const cookies = Array.from({ length: 8 }, (_, i) => new Uint8Array(100).fill(i + 1));
  const options = { aead: portableAead, random: new SeededRandom(1) };
  const state: SessionState = {
    aeadId: 15,
    keys: { clientToServer: new Uint8Array(32), serverToClient: new Uint8Array(32) },
    alternativeKeys: undefined,
    cookies,
    ntpServer: undefined,
    ntpPort: 123,
    authenticBefore: true,
  };
  for (let before = 0; before <= 8; before++) {
    for (let after = 0; after <= 8; after++) {
      const first = SessionProtection.resume(state, options);
      const sent = [...cookiesSent(first, before)];
      const aside = first.setAside();
      assert.equal(aside !== undefined, before <= 2, "four go, and two stay");
      sent.push(...cookiesSent(first, after));
      // once more changes nothing while there are too few
      if (after > 0) assert.equal(first.setAside(), aside);
      if (aside === undefined) continue;
      assert.equal(aside.cookies.length, 4);
      sent.push(...cookiesSent(SessionProtection.resume(aside, options), 8));
      assert.equal(new Set(sent).size, sent.length, `${before} and ${after} requests`);
    }
  }
});

Deno.test("a request that never left gives its cookie back, once", () => {
  const protection = SessionProtection.fromExchange(outcome(1), {
    aead: portableAead,
    random: new SeededRandom(1),
    now: 1000,
  });
  const before = protection.export()?.cookies;
  protection.protect(new Uint8Array(48), new SeededRandom(2));
  protection.takeBack();
  protection.takeBack();
  assert.deepEqual(protection.export()?.cookies, before);
});
