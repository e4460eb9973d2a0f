import assert from "node:assert/strict";
import fc from "fast-check";
import type { Bytes } from "../base/bytes.ts";
import { ntpTimestamp } from "../base/ntp_timestamp.ts";
import { SeededRandom } from "../base/random.ts";
import type { NtsRequestKind } from "../nts/server/server_fields.ts";
import { AccessRules } from "./access.ts";
import type { NtsResponder } from "./authentication.ts";
import type { ServerClockState } from "./clock_state.ts";
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
  assert.deepEqual(counters.snapshot().dropped, { "access-denied": 1, "send-failed": 2 });
});

function denying(prefix: string): AccessRules {
  const rules = AccessRules.build({ denylist: { filter: [prefix], action: "deny" } });
  if (!rules.ok) throw new Error(rules.error);
  return rules.value;
}
