import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  DAY,
  NtsWorld,
  type NtsWorldOptions,
  PLAIN,
  PROVEN,
  START,
} from "../../../tests/support/nts_world.ts";
import { isClockTrusted } from "./clock_trust.ts";

const DECADE = 3650 * DAY;
const LENIENT = 'minimum-agreeing-sources = 2\nstartup-step-panic-threshold = "inf"\n';

function near(one: NtsWorld, expected = 0): void {
  const { offset } = one;
  ok(Math.abs(offset - expected) < 0.01, `the clock is off by ${offset} s`);
}

function synchronized(one: NtsWorld): void {
  const { state, why: reason } = one.snapshot;
  equal(state, "synchronized", reason);
  near(one);
  deepEqual(one.statuses(PROVEN), ["combined", "selected"]);
  ok(!one.logs.some((line) => line.includes("no longer uses")), "nobody is given up");
}

for (const offset of [-DECADE, DECADE, -100 * DAY, -5 * DAY]) {
  Deno.test(`a clock that starts ${offset / DAY} days off, as forged servers keep it, is healed by a quorum`, () => {
    // an earlier run, or another program, has set the clock: the kernel calls it kept
    const lastVouched = START - 2 * DAY;
    const clock = START - offset;
    const clockIsTrusted = isClockTrusted({ isKept: true, clock, lastVouched });
    equal(clockIsTrusted, false);
    const time = { clockIsTrusted, lowerBounds: [lastVouched] };
    const one = new NtsWorld({ offset, time });
    one.forge(-offset);
    one.start();
    one.run(900);
    synchronized(one);
    deepEqual(one.certificates.failures, []);
    ok(one.bounds.every((bound) => Math.abs(bound - START) < DAY));
  });
}

Deno.test("a clock that forged servers have set does not judge certificates, and is healed", () => {
  for (const falseOffset of [DECADE, -DECADE]) {
    const one = new NtsWorld({ synchronization: `${LENIENT}authentication = "prefer"` });
    one.silence(PROVEN);
    one.forge(falseOffset);
    one.start();
    one.run(600);
    near(one, -falseOffset);
    one.silence(PROVEN, false);
    one.run(1800);
    synchronized(one);
    deepEqual([...new Set(one.certificates.failures)], ["connection refused"]);
  }
});

Deno.test("where authentication is ignored a forged majority decides, and still nobody is given up for its clock", () => {
  const one = new NtsWorld({
    synchronization: `${LENIENT}authentication = "ignore"`,
    renewal: 600,
  });
  one.silence(PROVEN);
  one.forge(DECADE);
  one.start();
  one.run(600);
  near(one, -DECADE);
  one.silence(PROVEN, false);
  one.run(7200);
  deepEqual([...new Set(one.certificates.failures)], ["connection refused"]);
  ok(!one.logs.some((line) => line.includes("no longer uses")));
  ok(one.bounds.every((bound) => Math.abs(bound - START) < DAY), "they are a quorum by themselves");
});

Deno.test("keys are renewed by the time that was vouched for, whoever sets the clock", () => {
  const one = new NtsWorld({ renewal: 20 }).start();
  one.run(600);
  synchronized(one);
  for (const by of [DECADE, -DECADE]) {
    one.stepFromOutside(by);
    one.run(300);
    synchronized(one);
  }
  deepEqual(one.certificates.failures, []);
});

Deno.test("a certificate that has expired is refused by the time that is vouched for", () => {
  const one = new NtsWorld({ offset: 0.1 });
  Object.assign(one.certificates.issued.get(PROVEN[2]) ?? {}, { notAfter: START - DAY });
  one.start();
  one.run(600);
  equal(one.snapshot.state, "synchronized");
  ok(
    one.logs.some((line) =>
      line.endsWith(`no longer uses ${PROVEN[2]}:123: certificate has expired`)
    ),
  );
  match(one.certificates.failures[0] ?? "", /expired|ended before/);
  const trusted = new NtsWorld({ time: { clockIsTrusted: true } });
  Object.assign(trusted.certificates.issued.get(PROVEN[2]) ?? {}, { notAfter: START - DAY });
  trusted.start();
  trusted.run(5);
  deepEqual(
    trusted.certificates.failures,
    ["certificate has expired"],
    "a trusted clock needs no quorum",
  );
});

Deno.test("no source is followed to a time that has certainly passed", () => {
  const time = { lowerBounds: [START - 100] };
  const plain: NtsWorldOptions = { proven: [], synchronization: LENIENT, time };
  const one = new NtsWorld(plain);
  one.forge(-DAY);
  one.start();
  one.run(600);
  near(one);
  equal(one.snapshot.state, "starting");
  deepEqual(one.statuses(PLAIN), ["falseticker"]);
  match(
    one.source(PLAIN[0]).reason,
    /^Its time, 2026-02-09T12:\d\d:\d\dZ, is before 2026-02-10T11:58:20Z, which has certainly passed$/,
  );
  const good = new NtsWorld(plain);
  for (const address of PLAIN.slice(0, 3)) good.server(address).error = -DAY;
  good.start();
  good.run(600);
  equal(good.source(PLAIN[3]).status, "candidate", "the others do not outvote it");
  match(good.snapshot.why, /^Only 1 source agrees/);
  const all = new NtsWorld({ time });
  for (const address of PROVEN) all.server(address).error = -DAY;
  all.forge(-DAY);
  all.start();
  all.run(600);
  near(all);
  deepEqual(all.statuses([...PROVEN, ...PLAIN]), ["falseticker"]);
});

Deno.test("the bound rises while the daemon runs, for every source", () => {
  const one = new NtsWorld({ synchronization: LENIENT }).start();
  one.run(9 * 3600);
  ok((one.bounds.at(-1) ?? 0) > START + 3500);
  one.forge(-10 * 3600);
  for (const address of PROVEN) one.server(address).error = -10 * 3600;
  one.run(3600);
  near(one);
  equal(one.panic, undefined);
  match(
    one.source(PROVEN[0]).reason,
    /has certainly passed; if that is wrong, restart ntpsd$/,
  );
});

Deno.test("a single source with NTS beside plain ones heals a clock of 1970", () => {
  const one = new NtsWorld({ proven: PROVEN.slice(0, 1), synchronization: "", offset: START });
  one.forge(0);
  one.start();
  one.run(900);
  equal(one.snapshot.state, "synchronized", one.snapshot.why);
  near(one);
});

Deno.test("a reload that leaves fewer sources asks for fewer to agree on a provisional time", () => {
  const one = new NtsWorld({ plain: [], offset: START });
  one.silence(PROVEN.slice(1));
  one.start();
  one.run(600);
  match(one.snapshot.why, /^Provisional: .* 1 of 2 required sources agree/);
  one.reload({ proven: PROVEN.slice(0, 1), plain: [], synchronization: "" });
  one.run(300);
  equal(one.snapshot.state, "synchronized", one.snapshot.why);
  near(one);
});

Deno.test("a clock a year behind waits for those who can vouch, a while", () => {
  const slow = new NtsWorld({ offset: 365 * DAY });
  slow.silence(PROVEN.slice(1));
  slow.start();
  slow.run(60);
  equal(slow.steps.length, 0);
  equal(slow.snapshot.state, "starting");
  slow.silence(PROVEN.slice(1), false);
  slow.run(900);
  synchronized(slow);
  const alone = new NtsWorld({ offset: 365 * DAY, synchronization: 'authentication = "prefer"' });
  alone.silence(PROVEN);
  alone.start();
  alone.run(250);
  equal(alone.panic, undefined);
  equal(alone.snapshot.state, "unsynchronized");
  match(alone.snapshot.why, /^The clock is left alone while authenticated sources may still/);
  equal(alone.engine.panicInWaiting, alone.snapshot.why);
  equal(slow.engine.panicInWaiting, undefined);
  const waiting = alone.logs.filter((line) => line.includes("may still answer"));
  equal(waiting.length, 1);
  alone.run(200);
  match(alone.panic ?? "", /no majority of authenticated sources vouches for it/);
  near(alone, 365 * DAY);
});

Deno.test("a start without a network, and a sleep, leave those who can vouch their time", () => {
  const synchronization = 'minimum-agreeing-sources = 2\nauthentication = "prefer"';
  for (const offset of [365 * DAY, -365 * DAY, START]) {
    const one = new NtsWorld({ offset, synchronization });
    one.silence([...PROVEN, ...PLAIN]);
    one.start();
    one.run(700);
    one.silence([...PROVEN, ...PLAIN], false);
    one.run(1800);
    equal(one.panic, undefined);
    equal(one.snapshot.state, "synchronized", one.snapshot.why);
    near(one);
  }
  for (let seed = 1; seed <= 10; seed++) {
    const one = new NtsWorld({ synchronization, seed }).start();
    one.run(3600);
    one.silence(PROVEN);
    one.stepFromOutside(-DAY); // by a battery-backed clock that is wrong
    one.handle({ type: "resumed", asleep: 3600 });
    one.forge(DAY); // more than that step explains
    one.run(200);
    match(one.snapshot.why, /^The clock is left alone while authenticated sources may still/);
    one.forge(0);
    one.silence(PROVEN, false);
    one.run(1800);
    equal(one.panic, undefined);
    near(one);
    // never to what the forged ones said
    deepEqual(one.steps.map(Math.round), [DAY]);
  }
});

Deno.test("a source that is only watched takes no voucher away", () => {
  const one = new NtsWorld({
    offset: 5000,
    plain: [],
    proven: PROVEN.slice(0, 2),
    own: { [PROVEN[1]]: "no-select = true" },
    synchronization: "minimum-agreeing-sources = 1",
    time: { lowerBounds: [START - 10 * DAY] },
  });
  one.server(PROVEN[1]).error = -20 * DAY;
  one.start();
  one.run(600);
  equal(one.panic, undefined);
  equal(one.source(PROVEN[1]).status, "falseticker");
  near(one);
});

Deno.test("one party that contradicts what has passed, with many servers, makes no time unknown", () => {
  const others = ["203.0.113.1", "203.0.113.2", "203.0.113.3"];
  for (const keys of [["one", "one", "one"], ["one", "two", "three"]]) {
    const one = new NtsWorld({
      plain: [],
      proven: [...PROVEN, ...others],
      time: { lowerBounds: [START - 10 * DAY] },
    });
    others.forEach((host, i) =>
      Object.assign(one.certificates.issued.get(host) ?? {}, { identity: keys[i] })
    );
    one.start();
    one.run(600);
    one.silence(PROVEN);
    for (const host of others) one.server(host).error = -20 * DAY;
    one.run(3600);
    equal(one.snapshot.state, keys[1] === "one" ? "holdover" : "starting");
  }
});

Deno.test("a clock is trusted that is kept, a day at most after the last authenticated time", () => {
  const lastVouched = START;
  const trusted = (after: number, isKept = true) =>
    isClockTrusted({ isKept, clock: START + after, lastVouched });
  deepEqual([0, 3600, DAY].map((after) => trusted(after)), [true, true, true]);
  deepEqual([-1, DAY + 1, DECADE].map((after) => trusted(after)), [false, false, false]);
  equal(trusted(10, false), false);
  equal(isClockTrusted({ isKept: true, clock: START, lastVouched: undefined }), false);
});
