/**
 * Published weaknesses of Network Time Security: cookies of any length and number, replay,
 * refusals, downgrade.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, concatBytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { SeededRandom } from "../../src/base/random.ts";
import type { NtsAeadId } from "../../src/crypto/aead.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { KeyExchangeClient } from "../../src/nts/key_exchange/client.ts";
import { exchangeOutcome } from "../support/nts_sessions.ts";
import { SessionProtection } from "../../src/nts/client/session_protection.ts";
import { encodeField, FIELD_TYPE } from "../../src/protocol/extension_field.ts";
import { request, TestServer } from "../support/test_server.ts";
import {
  AEAD_ID,
  cookie,
  cookieField,
  IDENTIFIER,
  KEYS,
  operations,
  sealedRequest,
  secureServer,
} from "./nts_place.ts";
import { kiss, Victim } from "./victim.ts";

const NTS_NAK = kiss("NTSN");

function placeholder(length: number): Bytes {
  return encodeField(FIELD_TYPE.ntsCookiePlaceholder, new Uint8Array(length));
}

/** The answer of a server with the same keys to the open request of the victim. */
function protectedResponse(victim: Victim): Bytes {
  const server = secureServer();
  const { receiveTimestamp, transmitTimestamp } = victim.header();
  const words = (time: bigint) => [Number(time >> 32n), Number(time & 0xffff_ffffn)] as const;
  server.time = words(transmitTimestamp);
  const response = server.askOne(victim.request.packet, { received: words(receiveTimestamp) });
  return response ?? assert.fail("the server knows these keys");
}

/** A client that has exchanged keys with the server. */
function secureVictim(cookies = 8): { victim: Victim; protection: SessionProtection } {
  const protection = SessionProtection.fromExchange(
    exchangeOutcome({
      aeadId: AEAD_ID,
      keys: KEYS,
      cookies: Array.from({ length: cookies }, () => cookie()),
    }),
    { aead: portableAead, random: new SeededRandom(3), now: 0 },
  );
  return { victim: new Victim({}, { protection }), protection };
}

Deno.test("CVE-2023-33192: cookies of every length are refused or opened, with and without NTS", () => {
  const server = secureServer(), plain = new TestServer();
  for (let length = 0; length <= 260; length += 4) {
    const packet = sealedRequest([IDENTIFIER, cookieField(new Uint8Array(length).fill(length))]);
    assert.equal(plain.askOne(packet), undefined);
    const response = server.askOne(packet);
    assert.ok(response === undefined || response[1] === 0, `${length} octets get a NAK or nothing`);
  }
  // a length in the field that its octets do not have
  for (const claim of [4, 8, 20, 101, 0xfffc]) {
    const packet = sealedRequest();
    new DataView(packet.buffer).setUint16(48 + IDENTIFIER.length + 2, claim);
    assert.equal(server.askOne(packet)?.[1] ?? 0, 0);
  }
  for (const at of [server, plain]) {
    assert.equal(at.responder.counters.dropped("internal-error"), 0);
  }
  assert.equal(server.askOne(sealedRequest())?.[1], 3, "the true request is answered");
});

Deno.test("CVE-2023-4012: a server without NTS drops a request with it and goes on", () => {
  const server = new TestServer();
  assert.equal(server.askOne(sealedRequest()), undefined);
  assert.equal(server.responder.counters.dropped("nts-not-served"), 1);
  assert.equal(server.askOne(request())?.length, 48);
  assert.equal(secureServer().askOne(sealedRequest())?.[1], 3);
});

Deno.test("CVE-2026-26076: many requests for cookies in one packet cost what eight cookies cost", () => {
  const cost = (packet: Bytes) => {
    const before = { ...operations };
    const response = secureServer().askOne(packet);
    assert.ok((response?.length ?? 0) <= packet.length);
    return [operations.opens - before.opens, operations.seals - before.seals];
  };
  const honest = sealedRequest([IDENTIFIER, cookieField(), ...Array(7).fill(placeholder(100))]);
  // the cookie and the request are opened; eight cookies and the answer are sealed
  assert.deepEqual(cost(honest), [2, 9]);
  const greedy = (count: number, length: number) =>
    sealedRequest([IDENTIFIER, cookieField(), ...Array(count).fill(placeholder(length))]);
  assert.deepEqual(cost(greedy(15, 100)), [2, 9]);
  // tiny placeholders, as in the advisory, count for nothing, and so many fields are none of a
  // request
  assert.deepEqual(cost(greedy(20, 12)), [2, 2]);
  assert.deepEqual(cost(greedy(100, 12)), [0, 0]);
  const twice = sealedRequest([IDENTIFIER, ...Array.from({ length: 8 }, () => cookieField())]);
  assert.deepEqual(cost(twice).slice(0, 1), [0], "of several cookies none is opened");
});

Deno.test("CVE-2026-102483: placeholders beyond eight cookies end no daemon", () => {
  const server = secureServer();
  for (let count = 0; count <= 60; count++) {
    for (const length of [12, 16, 100, 104]) {
      const fields = Array(count).fill(placeholder(length));
      const packet = sealedRequest([IDENTIFIER, cookieField(), ...fields]);
      if (packet.length > 2048) continue;
      const response = server.askOne(packet);
      assert.ok((response?.length ?? 0) <= packet.length, `${count} of ${length} octets`);
    }
  }
  assert.equal(server.responder.counters.dropped("internal-error"), 0);
  assert.equal(server.askOne(sealedRequest())?.[1], 3);
});

Deno.test("CVE-2026-102486: lengths of nonce and ciphertext beyond the field are refused", () => {
  const server = secureServer();
  const refused = () => server.responder.counters.dropped("nts-malformed-authenticator");
  const claims = [0, 1, 15, 17, 20, 28, 32, 36, 40, 100, 0x7fff, 0xfffc, 0xffff];
  for (const nonce of claims) {
    for (const ciphertext of claims) {
      const packet = sealedRequest(undefined, (authenticator) => {
        new DataView(authenticator.buffer).setUint32(4, nonce * 65_536 + ciphertext);
        return authenticator;
      });
      const before = refused(), response = server.askOne(packet);
      assert.equal(response?.[1] ?? 0, 0, `${nonce} and ${ciphertext}`);
      // beyond the 32 octets that the field has for both
      const isBeyond = 4 * (Math.ceil(nonce / 4) + Math.ceil(ciphertext / 4)) > 32;
      if (isBeyond) assert.equal(refused(), before + 1, `${nonce} and ${ciphertext}`);
    }
  }
  // octets that an earlier request has left in the buffer do not make a short one whole
  for (const cut of [4, 8, 16, 20]) {
    assert.equal(server.askOne(sealedRequest())?.[1], 3);
    const short = sealedRequest(undefined, (authenticator) => {
      new DataView(authenticator.buffer).setUint16(2, authenticator.length - cut);
      return authenticator.slice(0, -cut);
    });
    assert.equal(server.askOne(short), undefined, `${cut} octets cut`);
  }
  assert.equal(server.responder.counters.dropped("internal-error"), 0);
  assert.equal(server.askOne(sealedRequest())?.[1], 3);
});

Deno.test("RFC 8915 replay: an authentic answer counts for its own request alone", () => {
  const { victim } = secureVictim();
  victim.ask();
  const old = protectedResponse(victim);
  victim.measures(old);
  assert.equal(victim.association.history.reach, 1);
  victim.ask();
  victim.resists(old, "origin");
  // the old one with the new random number in its header is not authentic, the new header with old
  // fields neither
  const renumbered = old.slice();
  renumbered.set(victim.request.packet.subarray(40, 48), 24);
  victim.resists(renumbered, "not-authentic");
  victim.measures(protectedResponse(victim));
  assert.equal(victim.association.history.reach, 3);
});

Deno.test("RFC 8915 downgrade: with NTS no plain answer is believed, nor one with a MAC", () => {
  const { victim } = secureVictim();
  victim.ask();
  victim.resists(victim.answer(), "not-authentic");
  victim.resists(victim.answer({}, new Uint8Array(20).fill(1)), "not-authentic");
  victim.resists(victim.answer({ version: 3 }), "not-authentic");
  const stripped = protectedResponse(victim).slice(0, 48 + 36);
  victim.resists(stripped, "not-authentic");
  victim.measures(protectedResponse(victim));
  assert.equal(victim.association.history.reach, 1);
});

Deno.test("RFC 8915 5.7 refusals: forged NAKs and kisses neither stop a source nor make it exchange keys while it is answered", () => {
  const { victim, protection } = secureVictim();
  for (let i = 0; i < 20; i++) {
    victim.ask();
    // whoever sees the request can repeat its identifier, and nothing more
    const identifier = victim.request.packet.slice(48, 48 + 36);
    const wrong = identifier.with(20, (identifier[20] ?? 0) ^ 1) as Bytes;
    victim.resists(victim.answer(NTS_NAK, wrong), "nts-nak");
    assert.equal(protection.status.dropped["nts-wrong-unique-identifier"], i + 1);
    victim.resists(victim.answer(NTS_NAK, identifier), "nts-nak");
    victim.resists(victim.answer(kiss("DENY"), identifier), "not-authentic");
    victim.resists(victim.answer(kiss("RATE", { poll: 17 }), identifier), "not-authentic");
    victim.measures(protectedResponse(victim));
    assert.equal(protection.beginKeyExchange(1e6 + i), false);
  }
  assert.equal(victim.association.history.reach, 0xff);
  // the control: where only NAKs come, new keys are wanted
  victim.ask().resists(victim.answer(NTS_NAK, victim.request.packet.slice(48, 84)), "nts-nak");
  assert.equal(protection.beginKeyExchange(2e6), true);
});

Deno.test("RFC 8915 unlinkability: no request repeats a cookie, an identifier or anything else of another", () => {
  const { victim } = secureVictim();
  const seen = new Set<string>();
  for (let i = 0; i < 30; i++) {
    victim.ask();
    const { packet } = victim.request;
    for (const part of [packet.slice(40, 48), packet.slice(52, 84), packet.slice(88, 188)]) {
      assert.equal(seen.has(toHex(part)), false);
      seen.add(toHex(part));
    }
    // every second answer is lost, and with it its cookies
    if (i % 2 === 0) victim.measures(protectedResponse(victim));
  }
  assert.equal(seen.size, 90);
});

Deno.test("RFC 8915 4.1.5: a key exchange does not agree on an algorithm that was not offered", () => {
  const answer = (aead: string) =>
    fromHex(`80010002000080040002${aead}00050064${"00".repeat(100)}80000000`) ?? assert.fail();
  const outcome = (offered: readonly NtsAeadId[], aead: string) => {
    const client = new KeyExchangeClient({ aeadIds: offered });
    const fed = client.feed(answer(aead));
    return fed.ok ? fed.value?.aeadId : fed.error;
  };
  assert.equal(outcome([17], "0011"), 17);
  // weaker, of another kind, reserved, and one that nobody has
  for (const aead of ["000f", "001e", "0000", "0001", "ffff"]) {
    assert.equal(outcome([17], aead), "aead-algorithm-not-offered", aead);
  }
});

Deno.test("RFC 8915 4.1.7: the server that a key exchange names is a name, whatever octets come", () => {
  const outcome = (name: Bytes) => {
    const record = concatBytes(Uint8Array.of(0, 6, name.length >> 8, name.length & 0xff), name);
    const head = fromHex("80010002000080040002000f") ?? assert.fail();
    const tail = fromHex(`00050064${"00".repeat(100)}80000000`) ?? assert.fail();
    const fed = new KeyExchangeClient({ aeadIds: [15] }).feed(concatBytes(head, record, tail));
    return fed.ok ? fed.value?.ntpServer : fed.error;
  };
  const text = (of: string) => new TextEncoder().encode(of);
  assert.equal(outcome(text("ntp.example.org")), "ntp.example.org");
  const odd = ["", "a b", "a\n", "a\0", "a\x9b31m", "../etc", "a;b", "a".repeat(256), "ä"];
  for (const name of odd) {
    assert.equal(outcome(text(name)), "bad-ntp-server", JSON.stringify(name));
  }
});
