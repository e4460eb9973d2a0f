/**
 * Published weaknesses of clients: forged, replayed and odd answers.
 *
 * @module
 */
import assert from "node:assert/strict";
import { macProtection } from "../../src/association/mac_protection.ts";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import { addSeconds, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { type MacKey, macKey } from "../../src/crypto/mac.ts";
import { CRYPTO_NAK, kiss, Victim, WRONG_ORIGIN, ZERO_ORIGIN } from "./victim.ts";

const KEY = key(1), OTHER_KEY = key(2);

function key(fill: number): MacKey {
  const made = macKey("AES128", new Uint8Array(16).fill(fill));
  return made.ok ? made.value : assert.fail(made.error);
}

/** A client that has a symmetric key with its server. */
function keyed(): Victim {
  return new Victim({}, { protection: macProtection(10, KEY) });
}

/** Puts a MAC behind a packet. */
function signed(packet: Bytes, keyId = 10, by = KEY): Bytes {
  const id = new Uint8Array(4);
  new DataView(id.buffer).setUint32(0, keyId);
  return concatBytes(packet, id, by.compute(packet));
}

Deno.test("CVE-2015-8138, CVE-2016-7431: an answer with an origin timestamp of zero does not pass for one", () => {
  const victim = new Victim().ask();
  victim.resists(victim.answer(ZERO_ORIGIN), "origin");
  victim.measures();
  // once more after an answer: that state is the one in which ntpd expected a zero
  victim.resists(victim.answer(ZERO_ORIGIN), "unexpected");
  victim.ask().resists(victim.answer(ZERO_ORIGIN), "origin");
});

Deno.test("CVE-2016-9042: forged answers with wrong origins do not void the one that is expected", () => {
  const victim = new Victim().ask();
  for (const forged of [ZERO_ORIGIN, WRONG_ORIGIN]) {
    for (let i = 0; i < 100; i++) victim.resists(victim.answer(forged), "origin");
  }
  victim.measures();
});

Deno.test("CVE-2015-7704: a kiss-o'-death that repeats nothing of the request stops nobody", () => {
  for (const code of ["RATE", "DENY", "RSTR"]) {
    const victim = new Victim().ask();
    for (const forged of [ZERO_ORIGIN, WRONG_ORIGIN]) {
      for (let i = 0; i < 20; i++) {
        victim.resists(victim.answer(kiss(code, { poll: 17, ...forged })), "origin");
      }
    }
    victim.measures();
    // the control: one with the right number is heard
    victim.ask().deliver(victim.answer(kiss(code, { poll: 10 })));
    assert.equal(
      victim.dropped({ RATE: "kiss-rate", DENY: "kiss-deny" }[code] ?? "kiss-restrict"),
      1,
    );
  }
});

Deno.test("CVE-2015-7705: a server that is made to rate-limit us by requests in our name still gives the time", () => {
  const victim = new Victim().ask();
  for (let i = 0; i < 200; i++) {
    victim.deliver(victim.answer(kiss("RATE", { poll: 17 })));
    victim.ask();
  }
  // never slower than the longest interval that is configured: 2^10 s and some chance
  assert.equal(victim.association.poll, 10);
  assert.equal(victim.association.isStopped, false);
  victim.measures();
  assert.equal(victim.association.kiss, undefined);
});

Deno.test("Malhotra 2016 pinning: RATE kisses of one day do not keep a source slow for ever", () => {
  const victim = new Victim({ pollIntervalLimits: { min: 4, max: 6 } });
  for (let i = 0; i < 50; i++) victim.ask().deliver(victim.answer(kiss("RATE", { poll: 17 })));
  assert.equal(victim.association.poll, 10);
  // the control: a server that means it is heeded, and each kiss holds for eight answers
  for (let i = 0; i < 7; i++) victim.ask().measures();
  assert.equal(victim.association.poll, 10);
  victim.ask().deliver(victim.answer(kiss("RATE", { poll: 10 })));
  for (let i = 0; i < 7; i++) victim.ask().measures();
  assert.equal(victim.association.poll, 10);
  for (let i = 0; i < 4 * 8; i++) victim.ask().measures();
  assert.ok(victim.association.poll <= 6, `still asks every 2^${victim.association.poll} s`);
});

Deno.test("Malhotra 2016 pinning: denials now and then keep nobody on the server of the attacker's choice", () => {
  const victim = new Victim();
  for (let i = 0; i < 50; i++) {
    for (let denied = 0; denied < 7; denied++) {
      victim.ask().deliver(victim.answer(kiss("DENY")));
      assert.equal(victim.association.isStopped, false);
    }
    victim.ask().measures();
  }
  // the control: a server that does nothing else for eight requests is believed
  for (let i = 0; i < 8; i++) victim.ask().deliver(victim.answer(kiss("DENY")));
  assert.equal(victim.association.isStopped, true);
});

Deno.test("CVE-2015-1798: without a MAC nothing is believed where a key is configured", () => {
  const victim = keyed().ask();
  victim.resists(victim.answer(), "not-authentic");
  victim.resists(signed(victim.answer(), 10, OTHER_KEY), "not-authentic");
  victim.measures(signed(victim.answer()));
});

Deno.test("CVE-2015-1799, CVE-2015-1853: what fails authentication changes no state of the association", () => {
  const victim = keyed();
  victim.ask().measures(signed(victim.answer()));
  victim.ask();
  const far = { transmitTimestamp: ntpTimestamp(1n), receiveTimestamp: ntpTimestamp(2n) };
  const changes = [{ stratum: 16 }, { leapIndicator: 3 }, far, kiss("RATE", { poll: 17 })];
  for (const change of changes) {
    victim.resists(victim.answer(change), "not-authentic");
    victim.resists(signed(victim.answer(change), 10, OTHER_KEY), "not-authentic");
  }
  victim.measures(signed(victim.answer()));
});

Deno.test("CVE-2014-9296: after a failed authentication the rest of the packet is not processed", () => {
  const victim = keyed().ask();
  const forged = signed(victim.answer({ stratum: 1, leapIndicator: 1 }));
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
  victim.resists(forged, "not-authentic");
  assert.deepEqual(victim.said(), [undefined, undefined]);
  victim.measures(signed(victim.answer({ stratum: 1, leapIndicator: 1 })));
  assert.deepEqual(victim.said(), ["insert", 1]);
});

Deno.test("CVE-2015-7871, CVE-2016-4957: a crypto-NAK authenticates nothing and ends nothing", () => {
  for (const victim of [keyed(), new Victim()]) {
    victim.ask();
    victim.resists(victim.answer({}, CRYPTO_NAK), "crypto-nak");
    victim.resists(victim.answer({ mode: 1 }, CRYPTO_NAK), "mode");
    victim.resists(victim.answer(ZERO_ORIGIN, CRYPTO_NAK), "origin");
  }
});

Deno.test("CVE-2016-1547, CVE-2016-4953: crypto-NAKs and bad MACs demobilise no association", () => {
  const victim = keyed();
  for (let i = 0; i < 30; i++) {
    victim.ask();
    victim.resists(victim.answer({}, CRYPTO_NAK), "crypto-nak");
    victim.resists(signed(victim.answer(), 10, OTHER_KEY), "not-authentic");
    victim.measures(signed(victim.answer()));
  }
  assert.equal(victim.association.history.reach, 0xff);
});

Deno.test("CVE-2016-4955, CVE-2015-7979: a bad packet in time does not tear the association down or clear what it knows", () => {
  const victim = keyed();
  victim.ask().measures(signed(victim.answer()));
  const { lastMeasurement, serverState } = victim.association.history;
  victim.ask().resists(victim.answer({}, CRYPTO_NAK), "crypto-nak");
  victim.resists(victim.answer({}, new Uint8Array(20)), "not-authentic");
  victim.resists(victim.answer({}, new Uint8Array(1)), "field-truncated");
  assert.equal(victim.association.history.lastMeasurement, lastMeasurement);
  assert.equal(victim.association.history.serverState, serverState);
  victim.measures(signed(victim.answer()));
});

Deno.test("CVE-2015-7974, CVE-2016-1567: the key of another server is no skeleton key", () => {
  const victim = keyed().ask();
  victim.resists(signed(victim.answer(), 11, OTHER_KEY), "not-authentic");
  victim.resists(signed(victim.answer(), 10, OTHER_KEY), "not-authentic");
  victim.resists(signed(victim.answer(), 11, KEY), "not-authentic");
  victim.measures(signed(victim.answer(), 10, KEY));
});

Deno.test("CVE-2016-4954: forged answers set neither leap indicator nor stratum", () => {
  const victim = new Victim();
  victim.ask().measures();
  victim.ask();
  for (const change of [{ leapIndicator: 1 }, { leapIndicator: 2 }, { stratum: 15 }]) {
    victim.resists(victim.answer({ ...change, ...ZERO_ORIGIN }), "origin");
    victim.resists(victim.answer({ ...change, ...WRONG_ORIGIN }), "origin");
  }
  assert.deepEqual(victim.said(), ["none", 2]);
  victim.measures(victim.answer({ leapIndicator: 1 }));
  assert.deepEqual(victim.said(), ["insert", 2]);
});

Deno.test("CVE-2016-1548, CVE-2016-4956: nobody flips a basic association to interleaved mode", () => {
  const victim = new Victim();
  victim.ask().measures();
  const before = victim.association.history.lastMeasurement;
  assert.ok(before !== undefined);
  victim.ask();
  // what an interleaved answer repeats: our receive timestamp, or a timestamp of the last exchange
  for (
    const originTimestamp of [
      victim.asked.receiveTimestamp,
      before.destinationTimestamp,
      before.originTimestamp,
      before.receiveTimestamp,
    ]
  ) {
    victim.resists(victim.answer({ originTimestamp }), "origin");
  }
  victim.measures();
});

Deno.test("CVE-2018-7184, CVE-2018-7185: packets with zero or old origins do not reset an interleaved association", () => {
  const victim = new Victim({ interleaved: true });
  victim.ask();
  let { transmitTimestamp } = victim.header();
  victim.measures();
  for (let i = 0; i < 5; i++) {
    victim.ask();
    const originTimestamp = victim.asked.receiveTimestamp;
    assert.notEqual(originTimestamp, 0n, "an interleaved answer is asked for");
    victim.resists(victim.answer(ZERO_ORIGIN), "origin");
    victim.resists(victim.answer({ originTimestamp: victim.asked.originTimestamp }), "origin");
    victim.resists(victim.answer({ originTimestamp, mode: 1 }), "mode");
    // the true answer tells when the one before it left; the first of these completes an exchange
    // that was measured already
    const { measurement } = victim.deliver(victim.answer({ originTimestamp, transmitTimestamp }));
    assert.equal(measurement?.interleaved, i === 0 ? undefined : true, `exchange ${i}`);
    ({ transmitTimestamp } = victim.header());
  }
});

Deno.test("CVE-2020-11868: packets without a valid origin do not put off the next request", () => {
  const victim = new Victim().ask();
  victim.measures();
  const due = victim.association.nextRequestAt;
  for (let i = 0; i < 1000; i++) {
    victim.resists(victim.answer(WRONG_ORIGIN), "unexpected");
  }
  assert.equal(victim.association.nextRequestAt, due);
  victim.ask();
  for (let i = 0; i < 1000; i++) {
    victim.resists(victim.answer({ ...WRONG_ORIGIN, poll: 17 }), "origin");
  }
  victim.measures();
});

Deno.test("CVE-2016-7426: a flood of forged answers does not use up the rate at which true ones are taken", () => {
  const victim = new Victim({ pollIntervalLimits: { min: 0, max: 0 }, initialPollInterval: 0 });
  for (let i = 0; i < 50; i++) {
    victim.ask();
    for (let forged = 0; forged < 100; forged++) victim.deliver(victim.answer(WRONG_ORIGIN));
    victim.measures();
  }
});

Deno.test("CVE-2015-5219, NtpBug2382: a precision of any value is read in no time", () => {
  for (let precision = -128; precision <= 127; precision++) {
    const victim = new Victim().ask();
    const { measurement } = victim.measures(victim.answer({ precision }));
    assert.equal(measurement?.precision, precision);
  }
});

Deno.test("CVE-2015-7855: no answer of any mode, version, length and tail reaches an assertion", () => {
  const victim = new Victim().ask();
  const good = victim.answer();
  for (let first = 0; first < 256; first++) {
    if ((first & 0x3f) === 0x24 || first % 8 === 4) continue;
    const forged = good.slice();
    forged[0] = first;
    victim.resists(forged, "mode");
  }
  for (let length = 0; length < 48; length++) victim.resists(good.slice(0, length), "too-short");
  victim.resists(concatBytes(good, new Uint8Array(2001)), "too-long");
  victim.measures();
});

Deno.test("CVE-2016-7427, CVE-2016-7428, CVE-2015-7973, CVE-2018-8956: broadcasts and peers are not listened to", () => {
  const victim = keyed().ask();
  for (const mode of [0, 1, 2, 3, 5, 6, 7]) {
    victim.resists(signed(victim.answer({ mode })), "mode");
  }
  victim.measures(signed(victim.answer()));
});

Deno.test("CVE-2014-9750, CVE-2014-9297: lengths of extension fields are checked against the packet", () => {
  const victim = new Victim().ask();
  const field = (length: number, octets: number) => {
    const bytes = new Uint8Array(octets);
    new DataView(bytes.buffer).setUint32(0, (0x2005 << 16) | length);
    return bytes;
  };
  for (
    const [length, octets, reason] of [
      [32, 28, "field-overrun"],
      [0xfffc, 28, "field-overrun"],
      [0, 28, "field-too-short"],
      [8, 28, "field-too-short"],
      [30, 32, "field-length"],
    ] as const
  ) {
    const before = victim.state;
    assert.deepEqual(victim.deliver(victim.answer({}, field(length, octets))).actions, [], reason);
    assert.equal(victim.state, before, `${length} in ${octets}`);
  }
  victim.measures(victim.answer({}, field(28, 28)));
});

Deno.test("CVE-2004-0657: a difference of more than 34 years comes out right", () => {
  const years = 365.25 * 86_400;
  for (const offset of [40 * years, -40 * years, 60 * years]) {
    const victim = new Victim().ask();
    const ahead = (timestamp: bigint) => addSeconds(ntpTimestamp(timestamp), offset);
    const good = victim.header();
    const { measurement } = victim.measures(victim.answer({
      referenceTimestamp: ntpTimestamp(0n),
      receiveTimestamp: ahead(good.receiveTimestamp),
      transmitTimestamp: ahead(good.transmitTimestamp),
    }));
    assert.ok(measurement !== undefined);
    const difference = Number(
      BigInt.asIntN(64, measurement.receiveTimestamp - measurement.originTimestamp),
    ) / 2 ** 32;
    assert.ok(Math.abs(difference - offset) < 1, `${difference} s instead of ${offset} s`);
  }
});

Deno.test("RFC 7384 replay: an answer counts once, and an old one never", () => {
  const victim = keyed().ask();
  const answer = signed(victim.answer());
  victim.measures(answer);
  victim.resists(answer, "unexpected");
  victim.ask().resists(answer, "origin");
  victim.measures(signed(victim.answer()));
});
