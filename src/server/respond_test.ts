import assert from "node:assert/strict";
import { type Bytes, concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { SeededRandom } from "../base/random.ts";
import { macKey } from "../crypto/mac.ts";
import type { NtsRequestKind } from "../nts/server/server_fields.ts";
import { decodePacket } from "../protocol/packet.ts";
import { ipToBytes } from "../base/ip_address.ts";
import { AccessRules } from "./access.ts";
import { type NtsResponder, SymmetricKeys } from "./authentication.ts";
import { ClientTable } from "./client_table.ts";
import { unsynchronizedClock } from "./clock_state.ts";
import { InterleavedTable } from "./interleaved.ts";
import { RateLimiter } from "./rate_limit.ts";
import { request, TestServer, timestamp } from "../../tests/support/test_server.ts";

function answered(response: Bytes | undefined): Bytes {
  assert.ok(response !== undefined, "A response is wanted");
  return response;
}

Deno.test("a request is answered with every field in its place", () => {
  const server = new TestServer();
  server.now = 1100;
  const response = server.askOne(request({ poll: 10 }), { received: [0xe5f66300, 0x7ffffffe] });
  // Root delay 0.5 s; dispersion 0.25 s + 100 s * 15 ppm = 0.2515 s, rounded up to 2^-16 s: 0x4063.
  assert.equal(
    toHex(answered(response)),
    "64030aec" + "00008000" + "00004063" + "c0000263" + "e5f6630012345678" +
      "0123456789abcdef" + "e5f663007fffffff" + "e5f6640080000000",
  );
  const counts = server.responder.counters.snapshot();
  assert.equal(counts.received, 1);
  assert.equal(counts.answered, 1);
  assert.deepEqual(counts.dropped, {});
});

Deno.test("the captured request of a real client gets a response that decodes", () => {
  // Captured client packet of ntpd-rs, see reference protocol facts 5.1.
  const octets = fromHex(
    "230206e8000003ff0000037d5ec69f0fe5f662987b61b9afe5f663667b64995de5f6636681405590e5f663a8761dde48",
  );
  assert.ok(octets !== undefined);
  const decoded = decodePacket(answered(new TestServer().askOne(octets)));
  assert.ok(decoded.ok);
  assert.equal(decoded.value.header.mode, 4);
  assert.equal(decoded.value.header.originTimestamp, 0xe5f663a8761dde48n);
});

Deno.test("version and mode follow the request", () => {
  const server = new TestServer();
  const first = (version: number, mode: number) => server.askOne(request({ version, mode }))?.[0];
  assert.equal(first(4, 3), 0x64);
  assert.equal(first(3, 3), 0x5c);
  assert.equal(first(4, 1), 0x62);
  assert.equal(first(3, 1), 0x5a);
  assert.equal(first(2, 3), 0x54);
  assert.equal(first(1, 3), 0x4c);
  assert.equal(first(1, 1), 0x4a);
  for (const mode of [0, 2, 4, 5, 6, 7]) assert.equal(first(4, mode), undefined);
  for (const version of [0, 5, 6, 7]) assert.equal(first(version, 3), undefined);
  const only4 = new TestServer({ versions: [4] });
  assert.equal(only4.askOne(request({ version: 3 })), undefined);
  assert.deepEqual(server.responder.counters.snapshot().dropped, {
    "not-a-request": 6,
    version: 4,
  });
});

Deno.test("version 1 had no modes: who asks from another port than a server's is a client", () => {
  const server = new TestServer();
  const octets = request({ version: 1, mode: 0 });
  const response = answered(server.askOne(octets));
  assert.equal(response[0], 0x4c);
  assert.equal(timestamp(response, 24), timestamp(octets, 40));
  assert.equal(server.askOne(octets, { port: 123 }), undefined);
  for (const version of [0, 2, 3, 4]) {
    assert.equal(server.askOne(request({ version, mode: 0 })), undefined, `version ${version}`);
  }
  assert.deepEqual(server.responder.counters.snapshot().dropped, { "not-a-request": 5 });
  const rare = new TestServer({ rateLimiter: noRate() });
  assert.equal((rare.askOne(octets), rare.askOne(octets)?.[0]), 0xcc, "a kiss has a mode too");
});

Deno.test("where no response can go, or where it would do harm, none is sent", () => {
  const server = new TestServer();
  const from = (client: readonly number[], port = 40_000) =>
    server.askOne(request(), { client, port }) !== undefined;
  const v6 = (...words: readonly [number, number]) => [
    ...[words[0] >> 8, words[0] & 0xff],
    ...new Array<number>(13).fill(0),
    words[1],
  ];
  for (const port of [0, 7, 13, 17, 19]) assert.equal(from([192, 0, 2, 1], port), false);
  const bad = [
    [0, 0, 0, 0],
    [0, 1, 2, 3],
    [224, 0, 1, 1],
    [239, 255, 255, 255],
    [255, 255, 255, 255],
    v6(0, 0),
    v6(0xff02, 1),
    v6(0xff0e, 0x0101 & 0xff),
  ];
  for (const client of bad) assert.equal(from(client), false, client.join("."));
  assert.deepEqual(server.responder.counters.snapshot().dropped, {
    "source-port": 5,
    "source-address": bad.length,
  });
  const good = [[10, 0, 0, 1], [127, 0, 0, 1], [223, 255, 255, 254], v6(0, 1), v6(0xfe80, 1)];
  for (const client of good) assert.equal(from(client), true, client.join("."));
  // Routers that translate addresses map port 123 to any port below 512; servers ask each other
  // from 123.
  for (const port of [1, 53, 123, 511, 65_535]) assert.equal(from([192, 0, 2, 1], port), true);
});

function noRate(): RateLimiter {
  return new RateLimiter({ interval: 5, burst: 1, leak: undefined, random: new SeededRandom(1) });
}

Deno.test("an unsynchronised server says so: leap 3, stratum 0, INIT", () => {
  const response = answered(new TestServer({}, unsynchronizedClock(-20)).askOne(request()));
  assert.equal(
    toHex(response.subarray(0, 24)),
    "e40006ec" + "00".repeat(8) + "494e4954" + "00".repeat(8),
  );
});

Deno.test("the responses of a batch are timestamped one after another", () => {
  const server = new TestServer();
  server.time = [0xffff_ffff, 0xffff_f000];
  server.sendSeconds = 2 ** -20;
  const responses = server.ask([1, 2, 3].map(() => ({ octets: request() })));
  assert.deepEqual(
    responses.map((response) => timestamp(answered(response), 40)),
    [0xffffffff_fffff000n, 0n, 0x1000n],
  );
});

Deno.test("extension fields that are not known are passed over, malformed ones are not answered", () => {
  const server = new TestServer();
  const field = (type: number, length: number) => {
    const octets = new Uint8Array(length);
    new DataView(octets.buffer).setUint32(0, (type << 16) | length);
    return octets;
  };
  assert.equal(server.askOne(request({ rest: field(0x2005, 28) }))?.length, 48);
  assert.equal(server.askOne(request({ rest: field(0x0104, 36) }))?.length, 48);
  const bad = [
    field(0x2005, 16),
    field(0x2005, 28).subarray(0, 27),
    concatBytes(field(0x2005, 28), new Uint8Array(3)),
    concatBytes(field(0x2005, 28), new Uint8Array(4)),
    new Uint8Array(1),
  ];
  for (const rest of bad) assert.equal(server.askOne(request({ rest })), undefined);
  assert.equal(server.responder.counters.dropped("malformed-extension"), bad.length);
  assert.equal(server.askOne(request({ rest: field(0x0204, 104) })), undefined);
  assert.equal(server.responder.counters.dropped("nts-not-served"), 1);
});

Deno.test("symmetric keys: the right MAC is answered with a MAC, others not at all", () => {
  const key = macKey("SHA1", new Uint8Array(20).fill(7)),
    cmac = macKey("AES128", new Uint8Array(16).fill(9));
  assert.ok(key.ok && cmac.ok);
  const keys = new SymmetricKeys(new Map([[10, key.value], [11, cmac.value]]));
  const server = new TestServer({ keys });
  const signed = (version: number, keyId: number, signer: SymmetricKeys) => {
    // The helper's own signer makes the request: it signs 48 octets with the key it checked last.
    const octets = request({ version, rest: new Uint8Array(keyId === 10 ? 24 : 20) });
    new DataView(octets.buffer).setUint32(48, keyId);
    signer.check({ bytes: octets, offset: 0, length: octets.length }, octets.length - 48);
    signer.sign(octets, 0);
    return octets;
  };
  for (const [version, keyId, length] of [[4, 10, 72], [3, 10, 72], [4, 11, 68]] as const) {
    const response = answered(server.askOne(signed(version, keyId, keys)));
    assert.equal(response.length, length);
    const client: SymmetricKeys = new SymmetricKeys(new Map([[10, key.value], [11, cmac.value]]));
    assert.equal(client.check({ bytes: response, offset: 0, length }, length - 48), "authentic");
    assert.notEqual(timestamp(response, 40), 0n);
  }
  const forged = signed(4, 10, keys);
  forged[47] = (forged[47] ?? 0) ^ 1;
  assert.equal(server.askOne(forged), undefined);
  assert.equal(server.responder.counters.dropped("bad-mac"), 1);
  const unknown = signed(4, 10, keys);
  unknown[51] = 99;
  assert.equal(server.askOne(unknown), undefined);
  assert.equal(new TestServer().askOne(signed(4, 10, keys)), undefined);
  assert.equal(server.askOne(request({ version: 3, rest: new Uint8Array(72) })), undefined);
  assert.equal(server.responder.counters.dropped("unknown-key"), 2);
});

Deno.test("a key that is bound to addresses is unknown to others", () => {
  const key = macKey("SHA1", new Uint8Array(20).fill(7));
  const rules = AccessRules.build({
    allowlist: { filter: ["192.0.2.0/24", "2001:db8::/32"], action: "ignore" },
  });
  assert.ok(key.ok && rules.ok);
  const table = new Map([[10, key.value]]);
  const server = new TestServer({ keys: new SymmetricKeys(table, new Map([[10, rules.value]])) });
  const signer = new SymmetricKeys(table);
  const signed = request({ rest: new Uint8Array(24) });
  new DataView(signed.buffer).setUint32(48, 10);
  signer.check({ bytes: signed, offset: 0, length: signed.length }, 24);
  signer.sign(signed, 0);
  for (const address of ["192.0.2.9", "2001:db8::9"].map(ipToBytes)) {
    assert.equal(answered(server.askOne(signed, { client: [...address ?? []] })).length, 72);
  }
  for (const address of ["192.0.3.9", "2001:db9::9"].map(ipToBytes)) {
    assert.equal(server.askOne(signed, { client: [...address ?? []] }), undefined);
  }
  assert.equal(server.responder.counters.dropped("unknown-key"), 2);
});

/** Says of every request what it was told to, and appends a mark of 4 octets. */
class FakeNts implements NtsResponder {
  kind: NtsRequestKind = "protected";
  check(): NtsRequestKind {
    return this.kind;
  }
  protect(answer: Bytes, offset: number): number {
    // The transmit timestamp is there before the response is sealed.
    assert.notEqual(timestamp(answer.subarray(offset), 40), 0n);
    return this.#mark(answer, offset, 1);
  }
  nak(answer: Bytes, offset: number): number {
    return this.#mark(answer, offset, 2);
  }
  echo(answer: Bytes, offset: number): number {
    return this.#mark(answer, offset, 3);
  }
  #mark(answer: Bytes, offset: number, mark: number): number {
    answer.fill(mark, offset + 48, offset + 52);
    return 52;
  }
}

Deno.test("requests with Network Time Security go to those who know it", () => {
  const nts = new FakeNts();
  const server = new TestServer({ nts });
  const rest = new Uint8Array(104);
  new DataView(rest.buffer).setUint32(0, (0x0204 << 16) | 104);
  const response = answered(server.askOne(request({ rest })));
  assert.equal(toHex(response.subarray(48)), "01010101");
  assert.equal(toHex(response.subarray(0, 4)), "640306ec");
  nts.kind = "nts-nak-bad-cookie";
  const nak = answered(server.askOne(request({ rest })));
  assert.equal(toHex(nak.subarray(48)), "02020202");
  assert.equal(toHex(nak.subarray(0, 4)), "e40006ec");
  assert.equal(toHex(nak.subarray(12, 16)), "4e54534e");
  assert.equal(timestamp(nak, 24), 0x0123456789abcdefn);
  nts.kind = "nts-short-nonce";
  assert.equal(server.askOne(request({ rest })), undefined);
  assert.equal(server.responder.counters.dropped("nts-short-nonce"), 1);
  nts.kind = "protected";
  assert.equal(server.askOne(request({ rest, mode: 1 })), undefined);
  nts.kind = "plain";
  const identifier = new Uint8Array(36);
  new DataView(identifier.buffer).setUint32(0, (0x0104 << 16) | 36);
  const echo = answered(server.askOne(request({ rest: identifier })));
  assert.equal(toHex(echo.subarray(48)), "03030303");
  assert.notEqual(timestamp(echo, 40), 0n);
  const { nts: counts } = server.responder.counters.snapshot();
  assert.deepEqual(counts, { answered: 1, naks: 1 });
});

Deno.test("where Network Time Security is required, plain requests are ignored or denied", () => {
  const quiet = new TestServer({ nts: new FakeNts(), requireNts: "ignore" });
  assert.equal(quiet.askOne(request()), undefined);
  const loud = new TestServer({ nts: new FakeNts(), requireNts: "deny" });
  assert.equal(toHex(answered(loud.askOne(request())).subarray(12, 16)), "44454e59");
  assert.equal(loud.responder.counters.denied, 1);
  assert.equal(loud.responder.counters.answered, 0);
});

Deno.test("denied clients get a kiss with leap 3 and stratum 0 now and then, or nothing", () => {
  const access = (action: "ignore" | "deny") => {
    const built = AccessRules.build({ denylist: { filter: ["192.0.2.0/24"], action } });
    assert.ok(built.ok);
    return built.value;
  };
  assert.equal(new TestServer({ access: access("ignore") }).askOne(request()), undefined);
  const server = new TestServer({ access: access("deny") });
  const kiss = answered(server.askOne(request({ version: 3, poll: 8 })));
  assert.equal(
    toHex(kiss),
    "dc0008ec" + "00".repeat(8) + "44454e59" + "0123456789abcdef".repeat(4),
  );
  const responses = server.ask(Array.from({ length: 20 }, () => ({ octets: request() })));
  assert.equal(responses.filter((response) => response !== undefined).length, 1);
  assert.equal(server.responder.counters.denied, 21);
  assert.equal(server.responder.counters.kisses, 2);
});

Deno.test("beyond the rate limit a few kisses ask for a longer poll, and some requests are answered", () => {
  const rateLimiter = new RateLimiter({
    interval: 3,
    burst: 4,
    leak: 2,
    clients: 64,
    random: new SeededRandom(1),
  });
  const server = new TestServer({ rateLimiter, kissPoll: 7 });
  const responses = server.ask(Array.from({ length: 64 }, () => ({ octets: request() })));
  const codes = responses.map((response) =>
    response === undefined ? "" : toHex(response.subarray(0, 4))
  );
  assert.equal(codes.filter((code) => code === "e40007ec").length, 2);
  const answers = codes.filter((code) => code === "640306ec").length;
  assert.ok(answers > 4 + 5 && answers < 4 + 30, `${answers} answers, about 19 are expected`);
  assert.equal(server.responder.counters.rateLimited, 64 - answers);
});

Deno.test("busy clients are counted by prefix", () => {
  const clients = new ClientTable(new SeededRandom(1));
  const server = new TestServer({ clients });
  const v6 = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1];
  server.ask([
    { octets: request(), client: [192, 0, 2, 1] },
    { octets: request(), client: [192, 0, 2, 200] },
    { octets: request(), client: v6 },
    { octets: request({ mode: 6 }), client: [198, 51, 100, 1] },
  ]);
  assert.deepEqual(clients.busiest(5), [
    { prefix: "192.0.2.0/24", requests: 2, error: 0 },
    { prefix: "2001:db8:1::/48", requests: 1, error: 0 },
  ]);
});

Deno.test("interleaved mode: basic, basic and remembered, then the true time of the previous response", () => {
  const server = new TestServer({
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
  });
  const first = answered(server.askOne(request({ transmit: 1000n }), { received: [200, 10] }));
  assert.equal(timestamp(first, 32), (200n << 32n) | 11n);
  assert.equal(server.batch.queued[0]?.timestamp, false);
  server.time = [216, 500];
  const ask = (receive: bigint, origin: bigint, received: readonly [number, number]) =>
    answered(server.askOne(request({ origin, receive, transmit: 2000n }), { received }));
  const second = ask(77n, timestamp(first, 32), [216, 20]);
  assert.equal(
    timestamp(second, 24),
    2000n,
    "nothing is remembered yet, so this response is basic",
  );
  assert.equal(timestamp(second, 40), (216n << 32n) | 500n);
  assert.equal(server.batch.queued[0]?.timestamp, true);
  server.responder.transmits.noteTransmit(0, { seconds: 216, fraction: 601 });
  server.responder.transmits.noteTransmit(1, { seconds: 216, fraction: 9999 });
  server.time = [232, 500];
  const third = ask(78n, timestamp(second, 32), [232, 30]);
  assert.equal(timestamp(third, 24), 78n, "origin is the request's receive timestamp");
  assert.equal(timestamp(third, 32), (232n << 32n) | 31n);
  assert.equal(timestamp(third, 40), (216n << 32n) | 600n, "the kernel's time, made even");
  const again = ask(79n, timestamp(second, 32), [233, 30]);
  assert.equal(timestamp(again, 24), 2000n, "a saved receive timestamp serves once");
  const fourth = ask(80n, timestamp(third, 32), [248, 30]);
  assert.equal(
    timestamp(fourth, 40),
    (232n << 32n) | 500n,
    "without the kernel's word, our own time",
  );
  assert.equal(server.responder.counters.interleaved, 2);
});

Deno.test("a timestamp that cannot belong to the response is not believed", () => {
  const server = new TestServer({
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
  });
  server.time = [216, 500];
  const ask = (origin: bigint) =>
    answered(server.askOne(request({ origin, receive: 78n }), { received: [216, 0] }));
  for (const [id, seconds] of [[0, 215], [2, 217]] as const) {
    const saved = ask(0x5_00000001n);
    server.responder.transmits.noteTransmit(id, { seconds, fraction: 500 });
    assert.equal(timestamp(ask(timestamp(saved, 32)), 40), (216n << 32n) | 500n);
  }
});

Deno.test("after a step of the clock, answers are basic until new timestamps are there", () => {
  const server = new TestServer({
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
  });
  const ask = (origin: bigint) =>
    answered(server.askOne(request({ origin, receive: 78n }), { received: [300, 0] }));
  const first = ask(0x5_00000001n);
  server.responder.clockStepped();
  const second = ask(timestamp(first, 32));
  assert.notEqual(timestamp(second, 24), 78n);
  assert.equal(timestamp(ask(timestamp(second, 32)), 24), 78n);
});

Deno.test("a control request that was answered is counted as that, and a silent one as dropped", () => {
  const server = new TestServer({ control: (datagram) => datagram.length === 12 });
  const octets = (length: number) => new Uint8Array(length).fill(0x16);
  server.ask([12, 12, 13, 48].map((length) => ({ octets: octets(length) })));
  const { received, answered, controlAnswered, dropped } = server.responder.counters.snapshot();
  assert.deepEqual({ received, answered, controlAnswered, dropped }, {
    received: 4,
    answered: 0,
    controlAnswered: 2,
    dropped: { control: 2 },
  });
});

Deno.test("interleaved mode needs differing timestamps, the same address and mode 3", () => {
  const server = new TestServer({
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
  });
  const saved = () => {
    const response = answered(server.askOne(request({ origin: 0x5_00000001n, receive: 5n })));
    return timestamp(response, 32);
  };
  const isInterleaved = (response: Bytes | undefined) => timestamp(answered(response), 24) === 78n;
  const transmit = 78n;
  let origin = saved();
  assert.equal(isInterleaved(server.askOne(request({ origin, receive: 78n }))), true);
  origin = saved();
  const other = server.askOne(request({ origin, receive: 78n }), { client: [192, 0, 2, 9] });
  assert.equal(isInterleaved(other), false);
  assert.equal(isInterleaved(server.askOne(request({ origin, receive: 78n, mode: 1 }))), false);
  origin = saved();
  assert.equal(
    timestamp(answered(server.askOne(request({ origin, receive: transmit, transmit }))), 24),
    transmit,
  );
  assert.equal(server.responder.counters.interleaved, 1);
});
