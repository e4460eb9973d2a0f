/**
 * Published weaknesses of servers: control packets, amplification, loops, floods, access lists,
 * tables that strangers fill.
 *
 * @module
 */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Bytes, concatBytes, equalConstantTime } from "../../src/base/bytes.ts";
import { ipToBytes } from "../../src/base/ip_address.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { macKey } from "../../src/crypto/mac.ts";
import { AccessRules } from "../../src/server/access.ts";
import { SymmetricKeys } from "../../src/server/authentication.ts";
import { ClientTable } from "../../src/server/client_table.ts";
import { InterleavedTable } from "../../src/server/interleaved.ts";
import { RateLimiter } from "../../src/server/rate_limit.ts";
import { ChronyResponder } from "../../src/control/chrony/respond.ts";
import { NtpqResponder } from "../../src/control/ntpq/respond.ts";
import { exampleControlView } from "../support/control_example.ts";
import { request, TestServer, timestamp } from "../support/test_server.ts";

const made = macKey("AES128", new Uint8Array(16).fill(7));
const KEY = made.ok ? made.value : assert.fail(made.error);
const random = () => new SeededRandom(1);

/** A server that has everything: keys, a rate limit, interleaved mode, counts of clients. */
function fullServer(): TestServer {
  return new TestServer({
    keys: new SymmetricKeys(new Map([[1, KEY]])),
    clients: new ClientTable(random()),
    interleaved: new InterleavedTable({ random: random() }),
  });
}

/** A packet of mode 6 as ntpq sends it (RFC 9327 section 2). */
function controlPacket(opcode: number, data: string, version = 2): Bytes {
  const text = new TextEncoder().encode(data);
  const header = Uint8Array.of(version << 3 | 6, opcode, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  new DataView(header.buffer).setUint16(10, text.length);
  return concatBytes(header, text, new Uint8Array(-text.length & 3));
}

/** A packet of mode 7 as ntpdc sends it. */
function privatePacket(code: number, items = new Uint8Array(0)): Bytes {
  return concatBytes(Uint8Array.of(0x17, 0, 3, code, 0, 0, 0, 0), items, new Uint8Array(184));
}

/**
 * Sends packets, none of which may be answered, and after them an honest request, which must be.
 */
function silent(packets: readonly Bytes[], server = fullServer()): void {
  for (const packet of packets) {
    // as it is, from the port of another server, and cut to a request's length
    assert.equal(server.askOne(packet), undefined);
    assert.equal(server.askOne(packet, { port: 123 }), undefined);
    assert.equal(server.askOne(concatBytes(packet, new Uint8Array(48)).slice(0, 48)), undefined);
  }
  assert.equal(server.responder.counters.dropped("internal-error"), 0);
  assert.equal(server.askOne(request())?.length, 48);
}

/** What would change something, by its number in the packet. */
const WRITING: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 9, 11, 31]);

/**
 * Sends control packets to the server of time, which is silent, and to what answers `ntpq`: that
 * refuses whatever would change something, and tells no more than it has to tell.
 */
function harmless(packets: readonly Bytes[]): void {
  silent(packets);
  const view = exampleControlView();
  const parts = { view: () => view, random: random(), precision: -22, system: "Linux" };
  const responder = new NtpqResponder(parts);
  for (const packet of packets) {
    for (const message of responder.respond(packet, { client: "127.0.0.1:4000", now: 1 })) {
      const bits = message[1] ?? 0;
      assert.ok(message.length <= 480);
      assert.ok(bits >= 0x80, "it is a response");
      if (WRITING.has(bits & 0x1f)) assert.ok((bits & 0x40) !== 0 && message.length === 12);
    }
  }
}

/** Puts a MAC with the server's key behind a packet. */
function signed(packet: Bytes): Bytes {
  return concatBytes(packet, Uint8Array.of(0, 0, 0, 1), KEY.compute(packet));
}

Deno.test("CVE-2013-5211: REQ_MON_GETLIST and REQ_MON_GETLIST_1 bring no list of clients", () => {
  silent([privatePacket(20), privatePacket(42)]);
});

Deno.test("CVE-2014-5209: no request of mode 7 is told the access lists", () => {
  silent([privatePacket(16), privatePacket(16, new Uint8Array(64))]);
});

Deno.test("CVE-2009-3563, CVE-2010-0292: an error response of mode 7 gets no error response", () => {
  const response = privatePacket(42);
  response[0] = 0x97;
  response[4] = 0x40;
  silent([response, Uint8Array.of(0x97, 0, 0, 0), Uint8Array.of(0x17)]);
});

Deno.test("CVE-2016-2516, CVE-2016-2517, CVE-2016-2518, CVE-2015-7848: no request of mode 7 configures anything", () => {
  const addresses = new Uint8Array(64).fill(127);
  silent(Array.from({ length: 256 }, (_, code) => privatePacket(code, addresses)));
});

Deno.test("CVE-2001-0414: a long readvar of mode 6 finds no buffer", () => {
  harmless([controlPacket(2, "stratum=" + "A".repeat(468))]);
});

Deno.test("CVE-2014-9295, CVE-2017-6458, CVE-2015-7975: crafted control packets find no buffer", () => {
  const long = "x".repeat(1000);
  harmless([
    controlPacket(2, `${long}=${long}`),
    controlPacket(8, long),
    controlPacket(2, "\0=\0,,"),
  ]);
});

Deno.test("CVE-2015-5146, CVE-2015-7703, CVE-2015-7849, CVE-2015-7854, CVE-2015-5194, CVE-2015-5195, CVE-2017-6463, CVE-2019-6442: nothing is configured by control packets, authentic ones among them", () => {
  const lines = [
    "server 192.0.2.1\0",
    'keys "/dev/zero"',
    "pidfile /etc/passwd",
    "driftfile /etc/passwd",
    "unpeer 192.0.2.1",
    "logconfig a+b",
    "statistics timingstats",
    "trustedkey 1 ... 4294967295",
    "\xff\0(((",
  ];
  harmless(lines.flatMap((line) => [controlPacket(8, line), signed(controlPacket(8, line))]));
});

Deno.test("CVE-2015-7976, CVE-2015-7851: saveconfig writes no file", () => {
  harmless([controlPacket(9, "../../etc/ntp.conf"), signed(controlPacket(9, "a;b|c"))]);
});

Deno.test("CVE-2016-9310, CVE-2016-9311: no trap is set, and nobody is told of it", () => {
  harmless([controlPacket(6, "addr=192.0.2.9,port=4"), controlPacket(31, "")]);
});

Deno.test("CVE-2016-7434, CVE-2019-6444, CVE-2019-6445: mrulist and other crafted queries are not answered", () => {
  harmless([
    controlPacket(10, "nonce, laddr=[]:Hrags=32, laddr=[]:WOP"),
    controlPacket(12, ""),
    controlPacket(10, "nonce=0, frags=32, addr.0=[", 4),
    controlPacket(3, "\x01".repeat(468)),
  ]);
});

Deno.test("CVE-2016-2519, CVE-2018-7182, CVE-2019-6443, CVE-2019-8936: no value of a control packet is taken apart", () => {
  const values = ["=", 'a="', " ".repeat(500), `sys.${"9".repeat(400)}`];
  harmless(
    values.flatMap((value) =>
      [1, 2, 3, 5, 8, 9].map((code) => signed(controlPacket(code, value, 4)))
    ),
  );
});

Deno.test("CVE-2012-4502, CVE-2012-4503, CVE-2015-1822: command packets of chrony are no requests, and at their own port bring no more than they are", () => {
  const command = (code: number, length: number) => {
    const packet = new Uint8Array(length);
    packet.set([6, 1, 0, 0, code >> 8, code & 0xff]);
    return packet;
  };
  const commands = [command(27, 28), command(28, 500), command(44, 1024), command(0xffff, 28)];
  silent(commands);
  const responder = new ChronyResponder(exampleControlView);
  for (const packet of commands) {
    for (const response of responder.respond(packet)) assert.ok(response.length <= packet.length);
  }
});

Deno.test("CVE-2014-0021: no answer is longer than its request, whatever the request", () => {
  const server = fullServer();
  let answered = 0;
  for (let first = 0; first < 256; first++) {
    for (const length of [1, 12, 28, 47, 48, 52, 68, 72, 76, 104, 500]) {
      const octets = new Uint8Array(length);
      octets[0] = first;
      const response = server.askOne(octets);
      assert.ok((response?.length ?? 0) <= length, `${length} octets with ${first}`);
      if (response !== undefined) answered++;
    }
  }
  assert.ok(answered > 0);
  assert.equal(server.askOne(signed(request()))?.length, 68);
});

Deno.test("CVE-2024-2169: two servers that are set upon each other fall silent at once", () => {
  const limited = new RateLimiter({ interval: 12, burst: 1, leak: undefined, random: random() });
  const [left, right] = [fullServer(), new TestServer({ rateLimiter: limited })];
  for (let first = 0; first < 256; first++) {
    const packet = request();
    packet[0] = first;
    let passing: Bytes | undefined = packet;
    let passes = 0;
    // the packet has the address of the other one as its source, and so has each answer
    for (; passing !== undefined && passes < 10; passes++) {
      const server: TestServer = passes % 2 === 0 ? right : left;
      passing = server.askOne(passing, { port: 123 });
    }
    assert.ok(passes <= 2, `${passes} passes of a packet that begins with ${first}`);
  }
  assert.notEqual(left.askOne(request({ mode: 1 }), { port: 123 }), undefined);
});

Deno.test("CVE-2010-0293: a hundred thousand clients take no more memory than one", () => {
  const clients = new ClientTable(random());
  const rateLimiter = new RateLimiter({ interval: 3, burst: 8, leak: 2, random: random() });
  const interleaved = new InterleavedTable({ random: random() });
  const server = new TestServer({ clients, rateLimiter, interleaved });
  const bytes = [rateLimiter.byteLength, interleaved.byteLength];
  // each in a network of its own
  const batch = (high: number) =>
    Array.from({ length: 64 }, (_, low) => ({
      octets: request({ origin: 1n, receive: 5n }),
      client: [10 + (high >> 10), (high >> 2) & 0xff, (high & 3) << 6 | low, 1],
    }));
  for (let high = 0; high < 2000; high++) server.ask(batch(high));
  assert.deepEqual([rateLimiter.byteLength, interleaved.byteLength], bytes);
  assert.ok(clients.busiest(1_000_000).length <= 2048);
  assert.notEqual(server.askOne(request()), undefined);
});

Deno.test("CVE-2015-7705: requests in the name of a client do not silence it: some of its own are answered", () => {
  const limit = { interval: 5, burst: 1, leak: 2, random: random() };
  const server = new TestServer({ rateLimiter: new RateLimiter(limit) });
  let answered = 0, kisses = 0;
  for (let i = 0; i < 1000; i++) {
    server.askOne(request());
    const response = server.askOne(request({ transmit: 0x42n }));
    if (response === undefined) continue;
    // an answer has the server's stratum, a kiss has 0
    if (response[1] === 0) kisses++;
    else answered++;
  }
  assert.ok(answered > 150 && answered < 350, `${answered} of 1000, about 250 are expected`);
  assert.ok(kisses <= 2, `${kisses} kisses for the flood`);
});

Deno.test("CVE-2014-9751, CVE-2014-9298: the address ::1 as a source opens nothing", () => {
  const lists = { allowlist: { filter: ["192.0.2.0/24"], action: "ignore" as const } };
  const access = rules(lists);
  const server = new TestServer({ access });
  const loopback = [...ipToBytes("::1") ?? []];
  assert.equal(server.askOne(request(), { client: loopback }), undefined);
  assert.equal(server.askOne(request(), { client: [127, 0, 0, 1] }), undefined);
  assert.notEqual(server.askOne(request()), undefined);
  silent([controlPacket(8, "server 192.0.2.9")], new TestServer());
  assert.equal(new TestServer().askOne(controlPacket(2, ""), { client: loopback }), undefined);
});

function rules(lists: Parameters<typeof AccessRules.build>[0]): AccessRules {
  const built = AccessRules.build(lists);
  return built.ok ? built.value : assert.fail(built.error);
}

Deno.test("CVE-2015-7978, CVE-2015-7977: an access list of any depth and length exhausts no stack", () => {
  const nested = Array.from({ length: 33 }, (_, bits) => `10.0.0.0/${bits}`);
  const many = Array.from(
    { length: 100_000 },
    (_, i) => `172.${(i >> 16) & 0xff}.${(i >> 8) & 0xff}.${i & 0xff}/32`,
  );
  const access = rules({
    allowlist: { filter: nested.filter((_, bits) => bits % 2 === 0), action: "ignore" },
    denylist: {
      filter: [...nested.filter((_, bits) => bits % 2 === 1), ...many],
      action: "ignore",
    },
  });
  const server = new TestServer({ access });
  const isServed = (...client: number[]) => server.askOne(request(), { client }) !== undefined;
  assert.equal(isServed(10, 0, 0, 0), true);
  assert.equal(isServed(10, 0, 0, 1), false, "31 bits");
  assert.equal(isServed(10, 0, 0, 2), true, "30 bits");
  assert.equal(isServed(172, 0, 5, 5), false);
  assert.equal(isServed(172, 200, 5, 5), true, "no bits");
});

Deno.test("CVE-2015-1821: prefixes of every length, with bits beyond it, cut where they say", () => {
  for (let bits = 1; bits <= 32; bits++) {
    const access = rules({ denylist: { filter: [`85.170.85.171/${bits}`], action: "ignore" } });
    const server = new TestServer({ access });
    const address = 0x55aa55ab;
    for (const [flip, served] of [[bits, true], [bits + 1, false]] as const) {
      if (flip > 32) continue;
      const client = Uint8Array.of(0, 0, 0, 0);
      new DataView(client.buffer).setUint32(0, address ^ (2 ** (32 - flip)));
      const response = server.askOne(request(), { client: [...client] });
      assert.equal(response !== undefined, served, `/${bits}, bit ${flip} changed`);
    }
  }
});

Deno.test("CVE-2016-1549, CVE-2018-7170: who asks as a peer, with a key of ours even, becomes no source", () => {
  const server = fullServer();
  for (let i = 0; i < 100; i++) {
    const response = server.askOne(signed(request({ mode: 1 })), {
      client: [10, 0, 0, i],
      port: 123,
    });
    assert.equal(
      response?.[0],
      0x62,
      "answered as by a passive peer, with what the server knows anyway",
    );
    assert.equal(timestamp(response ?? new Uint8Array(48), 24), timestamp(request(), 40));
  }
  // what is served is the same after it: there is no way from requests to the engine but these
  // counters
  assert.equal(server.responder.counters.answered, 100);
  const after = server.askOne(request()), before = fullServer().askOne(request());
  assert.deepEqual(after, before);
});

Deno.test("CVE-2016-1550: the comparison of codes looks at every octet, wherever they differ", () => {
  const code = KEY.compute(request());
  const looksAt = (other: Uint8Array) => {
    let reads = 0;
    const counted = new Proxy(other, {
      get(target, name) {
        if (typeof name === "string" && /^\d+$/.test(name)) reads++;
        return Reflect.get(target, name, target);
      },
    });
    assert.equal(equalConstantTime(code, counted), reads === 16 && other === code);
    return reads;
  };
  const reads = [0, 7, 15].map((at) => looksAt(code.with(at, (code[at] ?? 0) ^ 0xff)));
  assert.deepEqual([...reads, looksAt(code)], [16, 16, 16, 16]);
});

Deno.test("CVE-2020-15025: requests under an AES-CMAC key leave no memory behind", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const server = fullServer();
  const batch = Array.from({ length: 64 }, () => ({ octets: signed(request()) }));
  const used = (): number => {
    for (let i = 0; i < 25; i++) server.ask(batch);
    collect();
    return Deno.memoryUsage().heapUsed;
  };
  used();
  const before = used(), grown = Math.min(used(), used()) - before;
  // what ntpd lost was the state of a cipher for each packet, some hundred octets
  assert.ok(grown < 40 * 1600, `${grown} octets more after 1,600 requests`);
  assert.equal(server.responder.counters.answered, 4 * 1600);
});

Deno.test("CVE-2014-9297, CVE-2014-9750, CVE-2015-7691, CVE-2015-7692, CVE-2015-7702, CVE-2009-1252: extension fields of Autokey are not taken apart", () => {
  const field = (type: number, claim: number, length: number) => {
    const octets = new Uint8Array(length).fill(0xff, 4);
    new DataView(octets.buffer).setUint32(0, (type << 16) | claim);
    return octets;
  };
  const server = fullServer();
  for (const type of [0x0102, 0x0202, 0x0302, 0x0402, 0x8202, 0xc302]) {
    for (const claim of [0, 4, 27, 32, 0xfffc]) {
      assert.equal(server.askOne(request({ rest: field(type, claim, 28) })), undefined);
    }
    // the control: a field that fits is passed over, and nothing of it comes back
    assert.equal(server.askOne(request({ rest: field(type, 28, 28) }))?.length, 48);
  }
});

Deno.test("Malhotra 2016 fragments: plain answers are too short to be fragmented on their way", () => {
  const server = fullServer();
  const long = concatBytes(request(), new Uint8Array(1000));
  new DataView(long.buffer).setUint32(48, (0x2005 << 16) | 1000);
  // 68 octets is the least that IPv4 lets a path take whole; 552 what Linux believes of a path
  for (const octets of [request(), long, request({ version: 3 })]) {
    assert.equal(server.askOne(octets)?.length, 48);
  }
  assert.ok((server.askOne(signed(request()))?.length ?? Infinity) + 28 < 552);
});
