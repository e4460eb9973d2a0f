import { deepEqual, equal, match } from "node:assert/strict";
import type { ServiceNotice } from "../../../ffi/process/sd_notify.ts";
import { serviceLine, ServiceNotices } from "./service_notices.ts";
import { exampleStatus } from "../../../tests/support/status_example.ts";

function watched(waitsForTime: boolean, isWatched = false) {
  const sent: ServiceNotice[] = [];
  const options = { waitsForTime, isWatched };
  return { sent, notices: new ServiceNotices(options, (notice) => sent.push(notice)) };
}

const STARTING = exampleStatus({ state: "starting", why: "No source has answered", sources: [] });
const FAULT = { kind: "server", name: "[::]:123", up: false, reason: "The port is taken" } as const;

Deno.test("the line tells how the clock stands, and what does not work", () => {
  equal(
    serviceLine(exampleStatus()),
    "Synchronised to time.example.net, stratum 3, offset 0.012 ms",
  );
  equal(serviceLine(STARTING), "Measuring the sources: No source has answered");
  const functions = [FAULT, { ...FAULT, kind: "http", up: true, reason: "" }] as const;
  match(
    serviceLine(exampleStatus({ functions })),
    /; 1 of 2 functions down: server \[::\]:123: The port is taken$/,
  );
});

Deno.test("a daemon is ready when it works", () => {
  const { sent, notices } = watched(false);
  notices.update(STARTING, 0);
  deepEqual(sent, [{ ready: true, status: serviceLine(STARTING) }]);
});

Deno.test("or when the clock is right, and asks for patience until then", () => {
  const { sent, notices } = watched(true);
  notices.update(STARTING, 0);
  notices.update(STARTING, 29);
  notices.update(STARTING, 30);
  deepEqual(sent.map(({ ready }) => ready), [undefined, undefined]);
  equal(sent.every(({ extendTimeoutMicroseconds = 0 }) => extendTimeoutMicroseconds > 30e6), true);
  notices.update(exampleStatus(), 31);
  notices.update(STARTING, 32);
  deepEqual(sent.slice(2).map(({ ready }) => ready), [true, undefined]);
  equal(sent[3]?.extendTimeoutMicroseconds, undefined, "readiness is not taken back");
});

Deno.test("another state is told at once, other numbers seldom", () => {
  const { sent, notices } = watched(false);
  for (let now = 0; now < 60; now++) {
    notices.update(exampleStatus({ offsetSeconds: now * 1e-3 }), now);
  }
  equal(sent.length, 2);
  notices.update(exampleStatus({ functions: [FAULT] }), 61);
  notices.update(exampleStatus({ state: "holdover", why: "No source" }), 62);
  equal(sent.length, 4);
  notices.stopping();
  equal(sent.at(-1)?.stopping, true);
});

Deno.test("a daemon that is watched over tells at each update that it is alive, others never", () => {
  const { sent, notices } = watched(false, true);
  for (let now = 0; now < 5; now++) notices.update(STARTING, now);
  deepEqual(sent.map(({ watchdog }) => watchdog), [true, true, true, true, true]);
  deepEqual(sent.slice(1), Array(4).fill({ watchdog: true }), "the line is not told again");
  const other = watched(false);
  for (let now = 0; now < 5; now++) other.notices.update(STARTING, now);
  equal(other.sent.some((notice) => "watchdog" in notice), false);
});
