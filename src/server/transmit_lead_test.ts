import assert from "node:assert/strict";
import { request, TestServer, timestamp } from "../../tests/support/test_server.ts";
import { TransmitLead } from "./transmit_lead.ts";

const MICROSECOND = 1e-6;
/** The served clock of these tests. */
const BASE = [0xe5f66400, 0xffff_f000] as const;
const UNITS_IN_SECOND = 2 ** 32;

Deno.test("nothing is put forward before four responses were timed, then most of the quickest", () => {
  const lead = new TransmitLead();
  for (const taken of [20, 15, 30]) lead.learn(taken * MICROSECOND);
  assert.equal(lead.seconds, 0);
  lead.learn(18 * MICROSECOND);
  assert.ok(lead.seconds > 10 * MICROSECOND && lead.seconds < 15 * MICROSECOND);
});

Deno.test("a lead shrinks at once and grows slowly", () => {
  const lead = new TransmitLead();
  const learn = (taken: number) => {
    for (let i = 0; i < 4; i++) lead.learn(taken * MICROSECOND);
    return lead.seconds;
  };
  const first = learn(20);
  assert.ok(learn(40) < 1.2 * first);
  assert.ok(learn(5) < first / 3);
});

Deno.test("what no sending takes is no lead: held up for long, or earlier than the clock", () => {
  const lead = new TransmitLead();
  for (let i = 0; i < 4; i++) lead.learn(0.01);
  assert.equal(lead.seconds, 0);
  for (let i = 0; i < 4; i++) lead.learn(-1);
  assert.equal(lead.seconds, 0);
});

Deno.test("after a sleep responses are timestamped by when those before them left", () => {
  const server = sleepy();
  timeResponses(server, 20 * MICROSECOND);
  const late = lateness(server);
  assert.ok(late > 10 * MICROSECOND && late < 20 * MICROSECOND, `${late} s`);
  server.hasSlept = false;
  assert.equal(lateness(server), 0);
});

Deno.test("the kernel times few responses, none of a server that does not sleep or of a full batch", () => {
  const server = sleepy();
  const isTimed = (requests: number) => {
    server.ask(Array.from({ length: requests }, () => ({ octets: request() })));
    return server.batch.queued.some((response) => response.timestamp);
  };
  const timed = Array.from({ length: 40 }, () => isTimed(1)).filter((is) => is);
  assert.equal(timed.length, 10);
  for (let i = 0; i < 8; i++) assert.ok(!isTimed(2));
  server.hasSlept = false;
  for (let i = 0; i < 8; i++) assert.ok(!isTimed(1));
});

Deno.test("a timestamp that does not come is given up, and others are asked for", () => {
  const server = sleepy();
  const { transmits } = server.responder;
  server.askOne(request());
  assert.ok(transmits.awaitsTimestamps);
  transmits.forgetTimestamps();
  assert.ok(!transmits.awaitsTimestamps);
  timeResponses(server, 20 * MICROSECOND, 1);
  assert.ok(lateness(server) > 10 * MICROSECOND);
});

function sleepy(): TestServer {
  const server = new TestServer();
  server.hasSlept = true;
  server.time = BASE;
  return server;
}

/** Asks until the kernel has timed four responses; `id` is the number that it gives the first. */
function timeResponses(server: TestServer, taken: number, id = 0): void {
  const units = BASE[1] + Math.round(taken * UNITS_IN_SECOND);
  const left = {
    seconds: BASE[0] + Math.floor(units / UNITS_IN_SECOND),
    fraction: units % UNITS_IN_SECOND,
  };
  for (let i = 0; i < 16; i++) {
    server.askOne(request());
    const [response] = server.batch.queued;
    if (response?.timestamp === true) server.responder.transmits.noteTransmit(id++, left);
  }
}

/** How far the next transmit timestamp is after the reading of the clock, in seconds. */
function lateness(server: TestServer): number {
  const response = server.askOne(request());
  assert.ok(response !== undefined);
  const base = (BigInt(BASE[0]) << 32n) | BigInt(BASE[1]);
  return Number(timestamp(response, 40) - base) / UNITS_IN_SECOND;
}
