import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  DAY,
  NtsWorld,
  type NtsWorldOptions,
  PLAIN,
  PROVEN,
  START,
} from "../../../tests/support/nts_world.ts";
import { BOUND_HOLD } from "./vouched_bound.ts";

const DECADE = 3650 * DAY;
const LIARS = PROVEN.slice(0, 2);
const COOKIES = "/var/lib/ntpsd/cookies";
const TWO: NtsWorldOptions = { plain: [], synchronization: "minimum-agreeing-sources = 2" };
const ALONE: NtsWorldOptions = {
  proven: PROVEN.slice(0, 1),
  plain: [],
  synchronization: "minimum-agreeing-sources = 1",
};

function shiftTime(one: NtsWorld, by: number, liars: readonly string[] = LIARS): void {
  for (const address of liars) one.server(address).error = by;
}

function near(one: NtsWorld, expected = 0): void {
  const { offset } = one;
  ok(Math.abs(offset - expected) < 0.01, `the clock is off by ${offset} s`);
}

function synchronized(one: NtsWorld): void {
  equal(one.snapshot.state, "synchronized", one.snapshot.why);
  near(one);
}

/** Starts again with what the run before has saved. */
function again(before: NtsWorld, options: NtsWorldOptions): NtsWorld {
  const kept = before.bounds.at(-1);
  const lowerBounds = kept === undefined ? [] : [kept];
  const time = { clockIsTrusted: true, lowerBounds, kept };
  return new NtsWorld({ ...options, time, cookies: COOKIES }).start();
}

for (const clockIsTrusted of [true, false]) {
  const trust = clockIsTrusted ? "that is trusted" : "that is not trusted";

  Deno.test(`a lie within the certificates leaves nothing behind for the next run, with a clock ${trust}`, () => {
    for (const options of [TWO, ALONE, { ...ALONE, mayAdjust: false }]) {
      const one = new NtsWorld({ ...options, time: { clockIsTrusted } });
      shiftTime(one, 20 * DAY);
      one.start();
      one.run(60);
      shiftTime(one, 0);
      one.run(3600);
      deepEqual(one.bounds, []);
      const next = again(one, options);
      next.run(600);
      near(next);
      const { mayAdjust = true } = options;
      equal(next.snapshot.state, mayAdjust ? "synchronized" : "monitoring");
      deepEqual(next.certificates.failures, []);
    }
  });

  Deno.test(`a time beyond their own certificates is not followed, whoever agrees on it, with a clock ${trust}`, () => {
    for (const by of [DECADE, 31 * DAY, -31 * DAY]) {
      for (const plain of [[], PLAIN]) {
        const one = new NtsWorld({ ...TWO, plain, time: { clockIsTrusted }, renewal: 600 });
        shiftTime(one, by);
        one.start();
        one.run(60);
        near(one);
        for (const address of LIARS) {
          equal(one.source(address).status, "falseticker");
          match(
            one.source(address).reason,
            /^Its time, .*, is outside the validity of its own certificate, from 2026-01-11T12:00:00Z to 2026-03-12T12:00:00Z$/,
          );
        }
        shiftTime(one, 0);
        one.run(1800);
        synchronized(one);
        deepEqual(one.statuses(PROVEN), ["combined", "selected"]);
        deepEqual([one.certificates.failures, one.steps], [[], []]);
      }
    }
  });
}

Deno.test("a lie that ends the daemon by a panic saves nothing", () => {
  const synchronization = `${ALONE.synchronization}\nstartup-step-panic-threshold = "1h"`;
  for (const clockIsTrusted of [true, false]) {
    const one = new NtsWorld({ ...ALONE, synchronization, time: { clockIsTrusted } });
    shiftTime(one, 20 * DAY);
    one.start();
    one.run(600);
    match(one.panic ?? "", /startup-step-panic-threshold/);
    deepEqual(one.bounds, []);
  }
});

Deno.test("a lie that comes and goes for days moves no bound beyond the truth", () => {
  const one = new NtsWorld({ ...TWO, mayAdjust: false }).start();
  for (let turn = 0; turn < 12; turn++) {
    one.run(BOUND_HOLD - 3600);
    shiftTime(one, turn % 2 === 0 ? 20 * DAY : 0);
  }
  ok(one.bounds.every((bound) => bound <= START + one.time), `${one.bounds}`);
  shiftTime(one, 0);
  one.run(2 * BOUND_HOLD);
  ok((one.bounds.at(-1) ?? 0) > START + one.time - BOUND_HOLD - 7200);
});

Deno.test("a bound that a lasting lie has left is named with its file", () => {
  const one = new NtsWorld(ALONE);
  shiftTime(one, 20 * DAY);
  one.start();
  one.run(BOUND_HOLD + 7200);
  ok((one.bounds.at(-1) ?? 0) > START + 19 * DAY, "it has lasted");
  const next = again(one, ALONE);
  next.run(600);
  near(next);
  match(
    next.source(PROVEN[0]).reason,
    /has certainly passed; if that is wrong, stop ntpsd, remove \/var\/lib\/ntpsd\/cookies\.time-bound and start ntpsd again$/,
  );
  next.reload({ ...ALONE, cookies: "/srv/keys" });
  next.run(60);
  match(next.source(PROVEN[0]).reason, /remove \/srv\/keys\.time-bound and start ntpsd again$/);
  next.reload(ALONE);
  next.run(60);
  match(next.source(PROVEN[0]).reason, /if that is wrong, restart ntpsd$/);
});

Deno.test("while as many as vouch for a time contradict what has passed, no time is known", () => {
  const one = new NtsWorld(TWO);
  shiftTime(one, 20 * DAY);
  one.start();
  one.run(BOUND_HOLD + 7200);
  near(one, -20 * DAY);
  shiftTime(one, 0);
  one.run(3600);
  equal(one.snapshot.state, "starting");
  match(one.snapshot.why, /has certainly passed; if that is wrong, restart ntpsd/);
});

Deno.test("who was refused for a lie of the others is tried again when nobody tells it any more", () => {
  const one = new NtsWorld({ ...TWO, mayAdjust: false });
  one.silence(PROVEN.slice(2));
  shiftTime(one, 20 * DAY);
  one.start();
  one.run(3600);
  Object.assign(one.certificates.issued.get(PROVEN[2]) ?? {}, { notAfter: START + 6 * DAY });
  one.silence(PROVEN.slice(2), false);
  one.run(7200);
  ok(
    one.certificates.failures.includes("certificate has expired"),
    `${[...new Set(one.certificates.failures)]}`,
  );
  one.silence(LIARS);
  one.run(DAY);
  match(one.source(PROVEN[2]).reason, /^Provisional: /, "it has keys, and is alone");
  one.silence(LIARS, false);
  shiftTime(one, 0);
  one.run(DAY);
  deepEqual(one.statuses(PROVEN), ["combined", "selected"]);
});

Deno.test("a clock that a lie has set is set right by the next run", () => {
  for (const options of [TWO, ALONE]) {
    const next = new NtsWorld({ ...options, offset: -20 * DAY }).start();
    next.run(900);
    synchronized(next);
  }
});

Deno.test("a lie beyond the certificates while the daemon runs costs no holdover, and ends when it ends", () => {
  const one = new NtsWorld(TWO).start();
  one.run(3600);
  shiftTime(one, DECADE, PROVEN);
  one.run(7200);
  near(one);
  equal(one.snapshot.state, "holdover");
  shiftTime(one, 0, PROVEN);
  one.run(3600);
  synchronized(one);
  equal(one.panic, undefined);
});

Deno.test("who tells the truth is not given up for a lie of the others that is beyond its certificate alone", () => {
  for (const offset of [0, START]) {
    const one = new NtsWorld({ ...TWO, offset, mayAdjust: false });
    Object.assign(one.certificates.issued.get(PROVEN[2]) ?? {}, { notAfter: START + 10 * DAY });
    shiftTime(one, 20 * DAY);
    one.start();
    one.run(3600);
    equal(one.snapshot.sources.length, 3);
    ok(!one.logs.some((line) => line.includes("no longer uses")));
    shiftTime(one, 0);
    one.run(4 * 3600);
    deepEqual(one.statuses(PROVEN), ["combined", "selected"]);
    deepEqual(one.certificates.failures, []);
  }
});

Deno.test("a session outlives its certificate, awake or asleep", () => {
  const dates = { notAfter: START + 2 * DAY };
  for (const asleep of [0, 5 * DAY]) {
    const one = new NtsWorld(TWO);
    for (const host of PROVEN) Object.assign(one.certificates.issued.get(host) ?? {}, dates);
    one.start();
    one.run(3600);
    if (asleep > 0) one.sleep(asleep);
    else one.run(3 * DAY);
    one.run(3600);
    synchronized(one);
    deepEqual(one.certificates.failures, []);
  }
});

Deno.test("sleep counts once: certificates that are younger than the sleep was long are no contradiction", () => {
  const one = new NtsWorld(TWO);
  const dates = { notBefore: START - DAY, notAfter: START + 60 * DAY };
  for (const host of PROVEN) Object.assign(one.certificates.issued.get(host) ?? {}, dates);
  one.start();
  one.run(3600);
  one.sleep(40 * DAY);
  one.run(600);
  synchronized(one);
  deepEqual(one.certificates.failures, []);
});

Deno.test("sleep counts once: keys are exchanged at the time that it is after a sleep", () => {
  const one = new NtsWorld({ ...TWO, renewal: 20 });
  const dates = { notAfter: START + 4 * 3600 };
  for (const host of PROVEN) Object.assign(one.certificates.issued.get(host) ?? {}, dates);
  one.start();
  one.run(600);
  one.sleep(2.5 * 3600);
  one.run(600);
  synchronized(one);
  deepEqual(one.certificates.failures, []);
});

Deno.test("a machine that stood still until the certificates were renewed finds out, and says how to go on", () => {
  const stood = 40 * DAY;
  for (const plain of [[], PLAIN]) {
    const one = new NtsWorld({ ...TWO, plain }).start();
    one.run(3600);
    // which looks to it as if all others went ahead
    shiftTime(one, stood, [...PROVEN, ...plain]);
    const dates = { notBefore: START + stood - DAY, notAfter: START + stood + 30 * DAY };
    for (const host of PROVEN) Object.assign(one.certificates.issued.get(host) ?? {}, dates);
    one.run(12 * 3600);
    match(one.panic ?? "", /single-step-panic-threshold.* start ntpsd again/);
    deepEqual(one.bounds, []);
  }
});

Deno.test("a source that waits for others gets a newer certificate before it has too old a one", () => {
  const one = new NtsWorld({ ...TWO, offset: START });
  const [first, second] = PROVEN;
  one.silence(PROVEN.slice(1));
  Object.assign(one.certificates.issued.get(first) ?? {}, { notAfter: START + DAY });
  one.start();
  one.run(DAY);
  Object.assign(one.certificates.issued.get(first) ?? {}, { notAfter: START + 30 * DAY });
  one.run(DAY);
  one.silence([second], false);
  one.run(DAY);
  synchronized(one);
});

for (const stood of [20 * DAY, -20 * DAY, 300]) {
  Deno.test(`a clock that is ${stood} s behind all at once is known to be so within minutes`, () => {
    for (const plain of [[], PLAIN]) {
      const one = new NtsWorld({ ...TWO, plain }).start();
      one.run(4 * 3600);
      shiftTime(one, stood, [...PROVEN, ...plain]);
      one.run(900);
      if (Math.abs(stood) > 1000) match(one.panic ?? "", /single-step-panic-threshold/);
      else ok(one.logs.some((line) => line.includes("The clock is 300.000 s behind")));
      one.run(2 * 3600);
      if (one.panic === undefined) near(one, -stood);
    }
  });
}
