import assert from "node:assert/strict";
import { emptyHeader, type NtpHeader } from "../protocol/header.ts";
import type { Measurement } from "./measurement.ts";
import type { ResponseContent } from "./response_contents.ts";
import { ServerHistory } from "./server_history.ts";

const HEADER: NtpHeader = { ...emptyHeader(4, 4), stratum: 2 };
const MEASUREMENT = { interleaved: false } as Measurement;

/** Sends one request and takes a response that says `content`. */
function exchange(history: ServerHistory, content: ResponseContent, now: number) {
  history.noteRequest();
  history.noteDatagram();
  return history.noteResponse(content, { header: HEADER, now });
}

Deno.test("requests without response count up, and one response makes the server reachable", () => {
  const history = new ServerHistory();
  history.noteRequest();
  history.noteRequest();
  assert.deepEqual([history.reach, history.unansweredRequests], [0, 2]);
  assert.equal(history.lastResponseAt, undefined);
  exchange(history, { kind: "measurement", measurement: MEASUREMENT }, 5);
  assert.deepEqual([history.reach, history.unansweredRequests], [1, 0]);
  assert.equal(history.isReachable, true);
  assert.equal(history.lastResponseAt, 5);
  assert.equal(history.serverState?.stratum, 2);
  for (let i = 0; i < 8; i++) history.noteRequest();
  assert.deepEqual([history.reach, history.unansweredRequests, history.isReachable], [0, 8, false]);
});

Deno.test("a measurement is remembered until the next one, whatever comes in between", () => {
  const history = new ServerHistory();
  const first = exchange(history, { kind: "measurement", measurement: MEASUREMENT }, 1);
  assert.equal(first, MEASUREMENT);
  for (const content of [{ kind: "repetition" }, { kind: "unsynchronized" }] as const) {
    assert.equal(exchange(history, content, 2), undefined);
    assert.equal(history.lastMeasurement, MEASUREMENT);
  }
  assert.equal(history.lastResponseAt, 2);
  assert.deepEqual(history.dropped.snapshot(), { unsynchronized: 1 });
});

Deno.test("a rejected response is counted, and answers nothing", () => {
  const history = new ServerHistory();
  assert.equal(exchange(history, { kind: "rejected", reason: "duplicate" }, 3), undefined);
  assert.deepEqual([history.received, history.unansweredRequests], [1, 1]);
  assert.equal(history.isReachable, false);
  assert.equal(history.lastResponseAt, undefined);
  assert.equal(history.dropped.recent, "duplicate (1)");
  exchange(history, { kind: "measurement", measurement: MEASUREMENT }, 4);
  assert.equal(history.dropped.recent, undefined);
  assert.deepEqual(history.dropped.snapshot(), { duplicate: 1 });
});
