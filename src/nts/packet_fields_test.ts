import fc from "../../tests/support/properties.ts";
import assert from "node:assert/strict";
import { CAPTURED_REQUEST, CAPTURED_RESPONSE } from "../../tests/vectors/nts_packets.ts";
import { type Bytes, concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { SeededRandom } from "../base/random.ts";
import { type NtsAeadId, openBytes, sealBytes } from "../crypto/aead.ts";
import { portableAead } from "../crypto/portable.ts";
import { encodeField, FIELD_TYPE } from "../protocol/extension_field.ts";
import { readFields } from "../protocol/packet.ts";
import { CookieCodec, cookieLength } from "./server/cookie.ts";
import { Keyset } from "./server/keyset.ts";
import { RandomPool } from "./server/random_pool.ts";
import { encodeAuthenticator } from "./authenticator.ts";
import { buildRequest } from "./client/request_fields.ts";
import { verifyResponse } from "./client/response_fields.ts";
import { NtsServerFields } from "./server/server_fields.ts";

const hex = (text: string): Bytes => fromHex(text)!;
const keyset = Keyset.create({ rotationInterval: 86_400, staleKeyCount: 2 }, {
  now: 1_700_000_000_000_000_000n,
  random: new SeededRandom(1),
});
const random = new RandomPool(new SeededRandom(2));
const cookies = new CookieCodec({ keyset, aead: portableAead, random });
const server = new NtsServerFields({ cookies, aead: portableAead, random });
const AEAD_IDS: readonly NtsAeadId[] = [15, 16, 17, 30];

const HEADER = hex("23" + "00".repeat(39) + "0102030405060708");
const IDENTIFIER = encodeField(FIELD_TYPE.uniqueIdentifier, new Uint8Array(32).fill(0xaa));

function client(aeadId: NtsAeadId) {
  const { keyLength } = portableAead(aeadId).parameters;
  const keys = {
    clientToServer: new Uint8Array(keyLength).fill(0xc5),
    serverToClient: new Uint8Array(keyLength).fill(0x5c),
  };
  return {
    keys,
    requests: portableAead(aeadId, keys.clientToServer),
    answers: portableAead(aeadId, keys.serverToClient),
    cookie(): Bytes {
      cookies.load(aeadId, keys);
      const cookie = new Uint8Array(cookieLength(aeadId));
      cookies.seal(cookie, 0);
      return cookie;
    },
  };
}

interface Shape {
  readonly fields?: readonly Bytes[];
  readonly inner?: Bytes;
  readonly nonce?: Bytes;
  readonly padding?: number;
  readonly after?: Bytes;
}

/** A request out of arbitrary parts, sealed correctly over whatever they are. */
function request(shape: Shape = {}, aeadId: NtsAeadId = 15): Bytes {
  const peer = client(aeadId);
  const fields = shape.fields ?? [IDENTIFIER, encodeField(FIELD_TYPE.ntsCookie, peer.cookie())];
  const associatedData = concatBytes(HEADER, ...fields);
  const nonce = shape.nonce ?? new Uint8Array(peer.requests.parameters.nonceLength).fill(9);
  const plaintext = shape.inner ?? new Uint8Array(0);
  const ciphertext = sealBytes(peer.requests, { nonce, associatedData, plaintext });
  const authenticator = concatBytes(
    encodeAuthenticator({ nonce, ciphertext }),
    new Uint8Array(shape.padding ?? 0),
  );
  new DataView(authenticator.buffer).setUint16(2, authenticator.length);
  return concatBytes(associatedData, authenticator, shape.after ?? new Uint8Array(0));
}

/** Puts the packet somewhere into a larger buffer, as a receive buffer is. */
function check(packet: Bytes) {
  const bytes = concatBytes(new Uint8Array(64).fill(0x77), packet, new Uint8Array(64).fill(0x77));
  return server.check({ bytes, offset: 64, length: packet.length });
}

/** Answers with a header of stratum 2 the last request that was checked. */
function answer(build: "protect" | "nak" | "echo"): Bytes {
  const out = new Uint8Array(2100).fill(0xee);
  const header = hex(
    "24" + (build === "nak" ? "00" : "02") + "00".repeat(10) + "4e54534e" + "00".repeat(32),
  );
  out.set(header, 20);
  const length = server[build](out, 20);
  assert.ok(
    out.slice(0, 20).every((octet) => octet === 0xee),
    "nothing is written before the answer",
  );
  assert.ok(
    out.slice(20 + length).every((octet) => octet === 0xee),
    "nothing is written behind it",
  );
  return out.slice(20, 20 + length);
}

const cookieField = (aeadId: NtsAeadId = 15) =>
  encodeField(FIELD_TYPE.ntsCookie, client(aeadId).cookie());
const placeholder = (length: number) =>
  encodeField(FIELD_TYPE.ntsCookiePlaceholder, new Uint8Array(length));

Deno.test("the captured request is authentic under its key, and ours has its layout", () => {
  const packet = hex(CAPTURED_REQUEST.packet);
  const fields = readFields(packet.slice(48));
  assert.ok(fields.ok);
  assert.deepEqual(fields.value.map((field) => [field.type, field.length]), [
    [0x0104, 36],
    [0x0204, 172],
    [0x0404, 40],
  ]);
  const aead = portableAead(17, hex(CAPTURED_REQUEST.key));
  const opened = openBytes(aead, {
    nonce: packet.slice(264, 280),
    associatedData: packet.slice(0, 256),
    ciphertext: packet.slice(280, 296),
  });
  assert.deepEqual(opened, new Uint8Array(0));
  const rebuilt = buildRequest({
    header: packet.slice(0, 48),
    cookie: packet.slice(88, 256),
    placeholders: 0,
    aead,
  }, {
    uint32: () => 0,
    // The captured random octets in the order in which they are drawn.
    fill: (bytes) => bytes.set(bytes.length === 32 ? packet.slice(52, 84) : packet.slice(264, 280)),
  });
  assert.equal(toHex(rebuilt.packet), CAPTURED_REQUEST.packet);
});

Deno.test("the captured answer is authentic under its key and brings one cookie", () => {
  const verified = verifyResponse(hex(CAPTURED_RESPONSE.packet), {
    uniqueIdentifier: hex(CAPTURED_RESPONSE.uniqueIdentifier),
    aead: portableAead(17, hex(CAPTURED_RESPONSE.key)),
    authenticBefore: false,
  });
  assert.ok(verified.ok && verified.value.kind === "authentic");
  assert.deepEqual(verified.value.cookies.map((cookie) => cookie.length), [168]);
  assert.equal(verified.value.authenticLength, 84);
});

Deno.test("the captured packets with any one bit changed are dropped", () => {
  const expected = {
    uniqueIdentifier: hex(CAPTURED_RESPONSE.uniqueIdentifier),
    aead: portableAead(17, hex(CAPTURED_RESPONSE.key)),
    authenticBefore: true,
  };
  const packet = hex(CAPTURED_RESPONSE.packet);
  fc.assert(
    fc.property(fc.nat(packet.length - 1), fc.nat(7), (at, bit) => {
      const changed = packet.with(at, (packet[at] ?? 0) ^ (1 << bit)) as Bytes;
      assert.equal(verifyResponse(changed, expected).ok, false);
    }),
    { numRuns: 500 },
  );
});

Deno.test("client and server understand each other: every algorithm, every number of placeholders", () => {
  for (const aeadId of AEAD_IDS) {
    const peer = client(aeadId);
    for (let placeholders = 0; placeholders <= 7; placeholders++) {
      const sent = buildRequest({
        header: HEADER,
        cookie: peer.cookie(),
        placeholders,
        aead: peer.requests,
      }, new SeededRandom(placeholders));
      assert.ok(sent.packet.length <= 1280);
      const fitting = aeadId === 17 ? Math.min(placeholders, 5) : placeholders;
      assert.equal(check(sent.packet), "protected");
      const got = answer("protect");
      assert.equal(got.length, sent.packet.length, "the answer is as long as the request");
      const verified = verifyResponse(got, {
        uniqueIdentifier: sent.uniqueIdentifier,
        aead: peer.answers,
        authenticBefore: false,
      });
      assert.ok(verified.ok && verified.value.kind === "authentic");
      assert.equal(verified.value.cookies.length, 1 + fitting);
      for (const cookie of verified.value.cookies) {
        const next = buildRequest(
          { header: HEADER, cookie, placeholders: 0, aead: peer.requests },
          new SeededRandom(99),
        );
        assert.equal(check(next.packet), "protected");
      }
    }
  }
});

Deno.test("placeholders count only when they are as long as the cookie, encrypted or not, and at most seven", () => {
  const count = (shape: Shape) => {
    const packet = request(shape);
    assert.equal(check(packet), "protected");
    const got = answer("protect");
    assert.ok(got.length <= packet.length);
    const uniqueIdentifier = new Uint8Array(32).fill(0xaa);
    const options = { uniqueIdentifier, aead: client(15).answers, authenticBefore: true };
    const verified = verifyResponse(got, options);
    assert.ok(verified.ok && verified.value.kind === "authentic");
    const { cookies } = verified.value;
    assert.equal(got.length, 48 + 36 + 40 + 104 * cookies.length, "there is nothing more in it");
    return cookies.length;
  };
  const good = placeholder(100);
  const with_ = (...more: Bytes[]) => ({ fields: [IDENTIFIER, cookieField(), ...more] });
  assert.equal(count(with_(good)), 2);
  assert.equal(count({ fields: [good, IDENTIFIER, good, cookieField()] }), 3);
  assert.equal(count(with_(placeholder(96), placeholder(104), good)), 2);
  assert.equal(count(with_(...Array.from({ length: 12 }, () => good))), 8);
  assert.equal(count({ inner: concatBytes(good, good) }), 3);
  assert.equal(count({ inner: concatBytes(placeholder(96), hex("f0000004")) }), 1);
  assert.equal(count({ after: good }), 1);
});

Deno.test("what violates the rules is dropped, each with its reason", () => {
  const two = (field: Bytes) => ({ fields: [IDENTIFIER, cookieField(), field] });
  const withoutAuthenticator = concatBytes(HEADER, IDENTIFIER, cookieField());
  const field = (body: string) => encodeField(FIELD_TYPE.ntsAuthenticator, hex(body));
  const cases: readonly (readonly [string, Bytes, string])[] = [
    ["no identifier", request({ fields: [cookieField()] }), "nts-no-unique-identifier"],
    ["two identifiers", request(two(IDENTIFIER)), "nts-duplicate-unique-identifier"],
    [
      "short identifier",
      request({
        fields: [encodeField(FIELD_TYPE.uniqueIdentifier, new Uint8Array(28)), cookieField()],
      }),
      "nts-short-unique-identifier",
    ],
    ["no cookie", request({ fields: [IDENTIFIER] }), "nts-no-cookie"],
    ["two cookies", request(two(cookieField())), "nts-duplicate-cookie"],
    ["no authenticator", withoutAuthenticator, "nts-no-authenticator"],
    [
      "two authenticators",
      request({ after: field("00".repeat(36)) }),
      "nts-duplicate-authenticator",
    ],
    [
      "identifier behind",
      request({ fields: [cookieField()], after: IDENTIFIER }),
      "nts-no-unique-identifier",
    ],
    ["cookie behind", request({ fields: [IDENTIFIER], after: cookieField() }), "nts-no-cookie"],
    ["encrypted cookie", request({ inner: cookieField() }), "nts-encrypted-cookie"],
    ["encrypted identifier", request({ inner: IDENTIFIER }), "nts-encrypted-cookie"],
    ["inner length 0", request({ inner: hex("f0000000") }), "nts-malformed-encrypted-field"],
    ["inner length 6", request({ inner: hex("f00000060000") }), "nts-malformed-encrypted-field"],
    ["inner overrun", request({ inner: hex("f0000008") }), "nts-malformed-encrypted-field"],
    ["inner half header", request({ inner: hex("f000") }), "nts-malformed-encrypted-field"],
    ["short nonce", request({ nonce: new Uint8Array(12) }), "nts-short-nonce"],
    ["shortest nonce", request({ nonce: new Uint8Array(1), padding: 8 }), "nts-short-nonce"],
    ["one octet left", request({ after: hex("00") }), "nts-malformed-field"],
    ["four octets left", request({ after: hex("00000000") }), "nts-malformed-field"],
    ["field of 12", request({ after: hex("f000000c" + "00".repeat(24)) }), "nts-malformed-field"],
    ["field of 0", request({ after: hex("f0000000" + "00".repeat(24)) }), "nts-malformed-field"],
    ["odd length", request({ after: hex("f0000012" + "00".repeat(24)) }), "nts-malformed-field"],
    ["overrun", request({ after: hex("f000ffff" + "00".repeat(24)) }), "nts-malformed-field"],
    [
      "many fields",
      request({ after: hex(("f0000010" + "00".repeat(12)).repeat(40)) }),
      "nts-too-many-fields",
    ],
    [
      "nonce of 0",
      concatBytes(withoutAuthenticator, field("00000010" + "00".repeat(32))),
      "nts-malformed-authenticator",
    ],
    [
      "ciphertext of 15",
      concatBytes(withoutAuthenticator, field("0010000f" + "00".repeat(32))),
      "nts-malformed-authenticator",
    ],
    [
      "nonce overrun",
      concatBytes(withoutAuthenticator, field("ffff0010" + "00".repeat(32))),
      "nts-malformed-authenticator",
    ],
    [
      "ciphertext overrun",
      concatBytes(withoutAuthenticator, field("00100014" + "00".repeat(32))),
      "nts-malformed-authenticator",
    ],
  ];
  for (const [name, packet, kind] of cases) assert.equal(check(packet), kind, name);
});

Deno.test("an authenticator holds at most 32 fields", () => {
  const inner = (count: number) => hex("f0000004".repeat(count));
  assert.equal(check(request({ inner: inner(32) })), "protected");
  assert.equal(check(request({ inner: inner(33) })), "nts-malformed-encrypted-field");
});

Deno.test("additional padding makes up for a short nonce, and fields and a MAC behind are ignored", () => {
  assert.equal(check(request({ nonce: new Uint8Array(12), padding: 4 })), "protected");
  assert.equal(check(request({ nonce: new Uint8Array(1), padding: 12 })), "protected");
  assert.equal(check(request({ nonce: new Uint8Array(40) })), "protected");
  assert.equal(check(request({ padding: 16 }, 30)), "protected");
  assert.equal(check(request({ after: encodeField(0xf000, new Uint8Array(24)) })), "protected");
  assert.equal(check(request({ after: new Uint8Array(20) })), "protected");
  assert.equal(check(request({ after: new Uint8Array(24).fill(1) })), "protected");
});

Deno.test("a NAK answers cookies that cannot be opened and requests that are not authentic", () => {
  const packet = request();
  const changed = (at: number) => packet.with(at, (packet[at] ?? 0) ^ 1) as Bytes;
  assert.equal(check(changed(88)), "nts-nak-unknown-key");
  assert.equal(check(changed(100)), "nts-nak-bad-cookie");
  assert.equal(check(changed(40)), "nts-nak-not-authentic");
  assert.equal(check(changed(packet.length - 1)), "nts-nak-not-authentic");
  const foreign = { fields: [IDENTIFIER, encodeField(FIELD_TYPE.ntsCookie, new Uint8Array(1000))] };
  assert.equal(check(request(foreign)), "nts-nak-bad-cookie");
  const got = answer("nak");
  assert.equal(got.length, 84);
  assert.deepEqual(got.slice(48), IDENTIFIER);
  const expected = {
    uniqueIdentifier: new Uint8Array(32).fill(0xaa),
    aead: client(15).answers,
    authenticBefore: true,
  };
  assert.deepEqual(verifyResponse(got, expected), { ok: true, value: { kind: "nak" } });
});

Deno.test("a unique identifier is echoed to plain requests too, and nothing else is", () => {
  assert.equal(check(HEADER), "plain");
  assert.equal(answer("echo").length, 48);
  assert.equal(check(concatBytes(HEADER, IDENTIFIER)), "plain");
  assert.deepEqual(answer("echo").slice(48), IDENTIFIER);
  assert.equal(check(concatBytes(HEADER, IDENTIFIER, new Uint8Array(20).fill(3))), "plain");
  assert.deepEqual(answer("echo").slice(48), IDENTIFIER);
  assert.equal(check(concatBytes(HEADER, encodeField(0xf323, new Uint8Array(24)))), "plain");
  assert.equal(answer("echo").length, 48);
  assert.equal(check(concatBytes(HEADER, IDENTIFIER, IDENTIFIER)), "plain");
  assert.equal(answer("echo").length, 48);
  assert.equal(check(concatBytes(HEADER, placeholder(100))), "plain");
  assert.equal(check(concatBytes(HEADER, hex("ffff"))), "plain");
});

Deno.test("whatever comes, the server neither throws nor answers longer than the request", () => {
  const seeds = [request(), request({ inner: placeholder(100) }), request({}, 30), request({}, 17)];
  const mutation = fc.record({
    seed: fc.constantFrom(...seeds),
    at: fc.nat(400),
    to: fc.nat(255),
    cut: fc.nat(400),
    insert: fc.uint8Array({ maxLength: 24 }),
    keep: fc.boolean(),
  });
  fc.assert(
    fc.property(mutation, ({ seed, at, to, cut, insert, keep }) => {
      const bytes = seed.slice();
      if (!keep) bytes[48 + at % (bytes.length - 48)] = to;
      const place = 48 + cut % (bytes.length - 47);
      const packet = concatBytes(bytes.slice(0, place), insert, bytes.slice(place + to % 8));
      const kind = check(packet);
      if (kind === "protected") assert.ok(answer("protect").length <= packet.length);
      else if (kind === "plain") assert.ok(answer("echo").length <= packet.length);
      else if (kind.startsWith("nts-nak-")) assert.ok(answer("nak").length <= packet.length);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the client drops answers that break the rules, each with its reason", () => {
  const uniqueIdentifier = new Uint8Array(32).fill(0xaa);
  const peer = client(15);
  const header = hex("24" + "02" + "00".repeat(46));
  const make = (fields: readonly Bytes[], inner: Bytes, after: Bytes = new Uint8Array(0)) => {
    const associatedData = concatBytes(header, ...fields);
    const nonce = new Uint8Array(16);
    const ciphertext = sealBytes(peer.answers, { nonce, associatedData, plaintext: inner });
    return concatBytes(associatedData, encodeAuthenticator({ nonce, ciphertext }), after);
  };
  const verify = (packet: Bytes, authenticBefore = true) => {
    const verified = verifyResponse(packet, {
      uniqueIdentifier,
      aead: peer.answers,
      authenticBefore,
    });
    if (!verified.ok) return verified.error;
    switch (verified.value.kind) {
      case "authentic":
        return `${verified.value.cookies.length} cookies`;
      case "nak":
        return "nak";
      case "kiss":
        return verified.value.kiss;
    }
  };
  const none = new Uint8Array(0);
  const other = encodeField(FIELD_TYPE.uniqueIdentifier, new Uint8Array(32).fill(0xab));
  const cookie = encodeField(FIELD_TYPE.ntsCookie, new Uint8Array(100));
  assert.equal(verify(make([IDENTIFIER], cookie)), "1 cookies");
  assert.equal(verify(make([IDENTIFIER], none)), "0 cookies");
  assert.equal(
    verify(make([IDENTIFIER, cookie], concatBytes(hex("f0000004"), cookie))),
    "1 cookies",
  );
  assert.equal(
    verify(make([IDENTIFIER], concatBytes(...Array.from({ length: 10 }, () => cookie)))),
    "8 cookies",
  );
  assert.equal(
    verify(make([IDENTIFIER], none, encodeField(0xf000, new Uint8Array(24)))),
    "0 cookies",
  );
  assert.equal(verify(make([IDENTIFIER], none, new Uint8Array(20))), "0 cookies");
  assert.equal(verify(make([], cookie)), "nts-no-unique-identifier");
  assert.equal(verify(make([other], cookie)), "nts-wrong-unique-identifier");
  assert.equal(verify(make([], cookie, IDENTIFIER)), "nts-no-unique-identifier");
  assert.equal(verify(make([IDENTIFIER, IDENTIFIER], cookie)), "nts-duplicate-unique-identifier");
  assert.equal(verify(make([IDENTIFIER], hex("f0000008"))), "nts-malformed-encrypted-field");
  assert.equal(verify(make([IDENTIFIER], hex("f0000002"))), "nts-malformed-encrypted-field");
  const second = encodeAuthenticator({ nonce: new Uint8Array(16), ciphertext: new Uint8Array(16) });
  assert.equal(verify(make([IDENTIFIER], none, second)), "nts-duplicate-authenticator");
  assert.equal(verify(make([IDENTIFIER], none, hex("0000"))), "nts-malformed-field");
  assert.equal(verify(concatBytes(header, IDENTIFIER)), "nts-not-protected");
  assert.equal(verify(header), "nts-not-protected");
  assert.equal(verify(header.slice(0, 47)), "nts-bad-length");
  assert.equal(verify(new Uint8Array(3000)), "nts-bad-length");
});

Deno.test("kisses need the unique identifier, except others than the NAK before the first authentic answer", () => {
  const expected = { uniqueIdentifier: new Uint8Array(32).fill(0xaa), aead: client(15).answers };
  const kiss = (code: string, echo: boolean, authenticBefore: boolean) => {
    const header = concatBytes(
      hex("e400" + "00".repeat(10)),
      new TextEncoder().encode(code),
      new Uint8Array(32),
    );
    const packet = echo ? concatBytes(header, IDENTIFIER) : header;
    const verified = verifyResponse(packet, { ...expected, authenticBefore });
    return verified.ok ? verified.value.kind : verified.error;
  };
  assert.equal(kiss("NTSN", true, true), "nak");
  assert.equal(kiss("NTSN", false, false), "nts-no-unique-identifier");
  assert.equal(kiss("RATE", true, true), "kiss");
  assert.equal(kiss("RATE", false, true), "nts-no-unique-identifier");
  assert.equal(kiss("RATE", false, false), "kiss");
  assert.equal(kiss("INIT", true, true), "nts-not-protected");
});

Deno.test("the client never throws on any octets", () => {
  const expected = {
    uniqueIdentifier: hex(CAPTURED_RESPONSE.uniqueIdentifier),
    aead: portableAead(17, hex(CAPTURED_RESPONSE.key)),
    authenticBefore: false,
  };
  const packet = hex(CAPTURED_RESPONSE.packet);
  fc.assert(
    fc.property(fc.nat(packet.length), fc.uint8Array({ maxLength: 120 }), (keep, rest) => {
      verifyResponse(concatBytes(packet.slice(0, keep), rest), expected);
    }),
    { numRuns: 2000 },
  );
});
