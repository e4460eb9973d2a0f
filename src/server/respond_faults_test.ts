import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import type { Bytes } from "../base/bytes.ts";
import { ntpTimestamp } from "../base/ntp_timestamp.ts";
import { SeededRandom } from "../base/random.ts";
import type { NtsRequestKind } from "../nts/server/server_fields.ts";
import { AccessRules } from "./access.ts";
import type { NtsResponder } from "./authentication.ts";
import type { ServerClockState } from "./clock_state.ts";
import type { ServerCounts } from "./counters.ts";
import { InterleavedTable } from "./interleaved.ts";
import { request, SYNCHRONIZED, TestServer, timestamp } from "../../tests/support/test_server.ts";

function answered(response: Bytes | undefined): Bytes {
  assert.ok(response !== undefined, "A response is wanted");
  return response;
}

Deno.test("a state that makes no sense is not served: the clock is called unsynchronised", () => {
  const server = new TestServer();
  const hostile: readonly Partial<ServerClockState>[] = [
    { stratum: 16 },
    { stratum: 17 },
    { stratum: 0 },
    { stratum: 2.5 },
    { stratum: NaN },
    { leapIndicator: 4 },
    { leapIndicator: -1 },
    { precision: 1 },
    { precision: NaN },
    { rootDelay: NaN },
    { rootDelay: -1 },
    { rootDispersion: Infinity },
    { dispersionRate: NaN },
    { updatedAt: NaN },
  ];
  for (const changes of hostile) {
    assert.equal(server.template.setState({ ...SYNCHRONIZED, ...changes }), false);
    const response = answered(server.askOne(request()));
    assert.deepEqual([response[0], response[1]], [0xe4, 0], JSON.stringify(changes));
    assert.equal(server.template.setState(SYNCHRONIZED), true);
    assert.equal(answered(server.askOne(request()))[1], 3);
  }
});

Deno.test("any numbers as a state: nothing throws, and the header is one that a client can read", () => {
  const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, 1, 16, 1e300, -0));
  const state = fc.record({
    leapIndicator: number,
    stratum: number,
    precision: number,
    rootDelay: number,
    rootDispersion: number,
    dispersionRate: number,
    referenceId: number,
    referenceTimestamp: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(ntpTimestamp),
    updatedAt: number,
  });
  const server = new TestServer();
  fc.assert(fc.property(state, (changes) => {
    const isServed = server.template.setState({ ...SYNCHRONIZED, ...changes });
    const response = answered(server.askOne(request()));
    assert.equal((response[0] ?? 0) & 0x3f, 0x24);
    assert.ok((response[1] ?? 99) <= 15);
    if (!isServed) assert.deepEqual([response[0], response[1]], [0xe4, 0]);
  }));
});

/** Throws at requests that it knows by their identifier. */
class FaultyNts implements NtsResponder {
  check(): NtsRequestKind {
    throw new Error("A fault of ours");
  }
  protect(): number {
    return 0;
  }
  nak(): number {
    return 0;
  }
  echo(): number {
    return 0;
  }
}

Deno.test("one request that we cannot answer for a fault of ours is dropped, the others are answered", () => {
  const told: unknown[] = [];
  const server = new TestServer({
    nts: new FaultyNts(),
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
    onInternalError: (error) => told.push(error),
  });
  const rest = new Uint8Array(104);
  new DataView(rest.buffer).setUint32(0, 0x02040068);
  const responses = server.ask([
    { octets: request() },
    { octets: request({ rest }) },
    { octets: request({ rest }) },
    { octets: request() },
  ]);
  assert.deepEqual(responses.map((response) => response?.length), [48, undefined, undefined, 48]);
  assert.deepEqual(server.responder.counters.snapshot().dropped, { "internal-error": 2 });
  assert.equal(told.length, 2);
});

Deno.test("a refused answer loses the timestamp of no other", () => {
  const server = new TestServer({
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
  });
  server.time = [216, 500];
  const octets = (origin: bigint) => request({ origin, receive: 78n });
  const clients = [1, 2, 3, 4].map((last) => [192, 0, 2, last]);
  const asked = server.ask(clients.map((client, i) => ({
    octets: octets(0x5_00000001n),
    client,
    received: [216, 2 * i] as const,
  })));
  // The second of four is refused: the kernel timestamps the first, begins anew, and numbers the
  // last two from 0.
  server.responder.transmits.noteTransmit(0, { seconds: 216, fraction: 2000 });
  server.responder.transmits.restartIds(2);
  server.responder.transmits.noteTransmit(0, { seconds: 216, fraction: 4000 });
  server.responder.transmits.noteTransmit(1, { seconds: 216, fraction: 6000 });
  server.time = [232, 500];
  const next = server.ask(clients.map((client, i) => ({
    octets: octets(timestamp(answered(asked[i]), 32)),
    client,
    received: [232, 2 * i] as const,
  })));
  const sent = next.map((response) => Number(timestamp(answered(response), 40) & 0xffff_ffffn));
  assert.deepEqual(sent, [2000, 500, 4000, 6000]);
});

Deno.test("a response that could not be sent is no response", () => {
  const server = new TestServer({
    access: denying("198.51.100.0/24"),
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
  });
  const { counters } = server.responder;
  server.ask([
    { octets: request() },
    { octets: request(), client: [198, 51, 100, 1] },
    { octets: request() },
  ]);
  assert.deepEqual([counters.answered, counters.kisses], [2, 1]);
  counters.unsent(1);
  assert.deepEqual([counters.answered, counters.kisses], [2, 0]);
  counters.unsent(2);
  assert.deepEqual([counters.answered, counters.kisses], [1, 0]);
  assert.deepEqual(counters.snapshot().dropped, { "access-denied": 1, "send-failed": 1 });
  assertOneOutcomeEach(counters.snapshot());
});

Deno.test("a batch that fails is counted as what became of its requests, wherever it fails", () => {
  let isBroken = false;
  const server = new TestServer({
    access: denying("198.51.100.0/24"),
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
  });
  const { counters } = server.responder;
  const age = server.template.age.bind(server.template);
  server.template.age = (now) => {
    if (isBroken) throw new Error("A fault of ours");
    age(now);
  };
  const requests = [
    { octets: request() },
    { octets: request({ mode: 6 }) },
    { octets: request(), client: [198, 51, 100, 1] },
    { octets: request() },
  ];
  // Before the first request was looked at.
  isBroken = true;
  assert.throws(() => server.ask(requests));
  counters.abandonBatch(4);
  assert.deepEqual([counters.received, counters.dropped("internal-error")], [4, 4]);
  // Before the batch was begun.
  counters.abandonBatch(4);
  assert.deepEqual([counters.received, counters.dropped("internal-error")], [8, 8]);
  // When all responses are queued and none is sent.
  isBroken = false;
  server.ask(requests);
  counters.abandonBatch(4);
  assert.deepEqual([counters.answered, counters.kisses, counters.received], [0, 0, 12]);
  assert.equal(counters.dropped("internal-error"), 10);
  // When the first was sent and the second refused.
  server.ask(requests);
  counters.unsent(1);
  counters.abandonBatch(4);
  assert.deepEqual([counters.answered, counters.kisses, counters.received], [1, 0, 16]);
  assert.equal(counters.dropped("internal-error"), 11);
  // When all were sent, and when nothing had come.
  server.ask(requests);
  counters.endBatch();
  counters.abandonBatch(0);
  assert.deepEqual([counters.answered, counters.received], [3, 20]);
  assert.equal(counters.dropped("internal-error"), 11);
  assertOneOutcomeEach(counters.snapshot());
});

Deno.test("a request that fails when its response is queued is answered, and counted once", () => {
  let calls = 0;
  // The second call for a request is made when its response is in the queue.
  class BrokenTable extends InterleavedTable {
    override serialAt(slot: number): number {
      if (++calls === 2) throw new Error("A fault of ours");
      return super.serialAt(slot);
    }
  }
  const told: unknown[] = [];
  const server = new TestServer({
    access: denying("198.51.100.0/24"),
    interleaved: new BrokenTable({ random: new SeededRandom(1) }),
    nts: new FaultyNts(),
    onInternalError: (error) => told.push(error),
  });
  const rest = new Uint8Array(104);
  new DataView(rest.buffer).setUint32(0, 0x02040068);
  server.ask([
    { octets: request({ origin: 1n, receive: 5n }) },
    { octets: request({ rest }) },
    { octets: request(), client: [198, 51, 100, 1] },
    { octets: request() },
  ]);
  const { counters } = server.responder;
  assert.equal(told.length, 2);
  assert.equal(counters.dropped("internal-error"), 1);
  assert.equal(counters.answered, 2);
  assertOneOutcomeEach(counters.snapshot());
  assert.equal(server.batch.queued.length, counters.answered + counters.kisses);
});

Deno.test("any requests, any responses that cannot be sent: each request has one outcome", () => {
  const octets = fc.oneof(
    fc.constant(request()),
    fc.constant(request({ origin: 1n, receive: 5n })),
    fc.integer({ min: 1, max: 60 }).map((length) => new Uint8Array(length).fill(0x16)),
    fc.uint8Array({ maxLength: 120 }),
    fc.record({ mode: fc.nat(7), version: fc.nat(7) }).map((fields) => request(fields)),
    fc.uint8Array({ maxLength: 120 }).map((rest) => request({ rest: new Uint8Array(rest) })),
  );
  const client = fc.constantFrom([192, 0, 2, 1], [198, 51, 100, 1], [0, 0, 0, 0]);
  const one = fc.record({ octets, client });
  const batch = fc.record({
    requests: fc.array(one, { maxLength: 20 }),
    refused: fc.array(fc.nat(19), { maxLength: 3 }),
    isAbandoned: fc.boolean(),
  });
  const server = new TestServer({
    access: denying("198.51.100.0/24"),
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
    nts: new FaultyNts(),
    control: ({ length }) => {
      if (length === 50) throw new Error("A fault");
      return length % 2 === 0;
    },
  });
  const { counters } = server.responder;
  fc.assert(fc.property(batch, ({ requests, refused, isAbandoned }) => {
    server.ask(requests);
    const positions = new Set(refused.filter((position) => position < server.batch.queued.length));
    for (const position of [...positions].sort((a, b) => a - b)) counters.unsent(position);
    if (isAbandoned) counters.abandonBatch(requests.length);
    else counters.endBatch();
    assertOneOutcomeEach(counters.snapshot());
  }));
  assert.ok(counters.answered > 0 && counters.dropped("internal-error") > 0);
  assert.ok(counters.controlAnswered > 0 && counters.dropped("control") > 0);
});

/** Each request got a response with the time or of the control protocol, a NAK, or was dropped. */
function assertOneOutcomeEach(counts: ServerCounts): void {
  const { received, answered, controlAnswered, dropped, nts } = counts;
  const responses = answered + controlAnswered + nts.naks;
  const all = Object.values(dropped).reduce((sum, count) => sum + count, responses);
  assert.equal(all, received);
}

function denying(prefix: string): AccessRules {
  const rules = AccessRules.build({ denylist: { filter: [prefix], action: "deny" } });
  if (!rules.ok) throw new Error(rules.error);
  return rules.value;
}
