import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { SeededRandom } from "../base/random.ts";
import { PollTimer } from "./poll_timer.ts";

function timer(seed = 1, initial = 6): PollTimer {
  return new PollTimer({ limits: { min: 4, max: 10 }, initial, random: new SeededRandom(seed) });
}

/** Sends `count` requests at their times, and returns the times. */
function run(of: PollTimer, count: number): readonly number[] {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    times.push(of.due);
    of.noteSent(of.due);
  }
  return times;
}

function gaps(times: readonly number[]): readonly number[] {
  return times.slice(1).map((time, i) => time - (times[i] ?? 0));
}

Deno.test("intervals are never shorter than agreed, and at most 3.5 percent longer", () => {
  const of = timer();
  of.start(100, false);
  const intervals = gaps(run(of, 2000));
  assert.ok(Math.min(...intervals) >= 64);
  assert.ok(Math.max(...intervals) <= 64 * 1.035);
  const mean = intervals.reduce((sum, gap) => sum + gap, 0) / intervals.length / 64;
  assert.ok(mean >= 1 && mean <= 1.03, `mean ${mean}`);
  assert.ok(new Set(intervals).size > 1900, "intervals differ");
});

Deno.test("a burst has eight requests with growing gaps", () => {
  const of = timer();
  of.start(0, true);
  const times = run(of, 9);
  assert.ok((times[0] ?? 1) <= 0.1);
  const expected = [2, 2, 2, 4, 8, 16, 32];
  const last = gaps(times)[expected.length] ?? 0;
  assert.ok(last >= 32 && last <= 96, `${last} s after the burst`);
  for (const [i, gap] of gaps(times).slice(0, expected.length).entries()) {
    const least = expected[i] ?? 0;
    assert.ok(gap >= least - 1e-9 && gap <= least * 1.035 + 1e-9, `gap ${i}: ${gap}`);
  }
});

Deno.test("no gap of a burst is longer than the interval", () => {
  const of = timer(1, 4);
  of.start(0, true);
  const times = gaps(run(of, 20));
  assert.ok(Math.max(...times.slice(0, 7)) <= 16 * 1.035);
  assert.ok(Math.max(...times) <= 32);
});

Deno.test("bursts are far apart", () => {
  const of = timer();
  of.start(0, false);
  assert.equal(of.requestBurst(1), true);
  assert.equal(of.due <= 1, true);
  assert.equal(of.requestBurst(1), false);
  const times = run(of, 8);
  assert.equal(of.inBurst, false);
  const last = times.at(-1) ?? 0;
  assert.equal(of.requestBurst(64.9), false);
  assert.equal(of.requestBurst(last + 1), true);
  assert.equal(of.due, last + 2);
});

Deno.test("a shorter interval takes effect at once, a longer one too", () => {
  const of = timer();
  of.start(0, false);
  of.noteSent(10);
  of.setPoll(4);
  assert.ok(of.due >= 26 && of.due <= 26.6);
  of.setPoll(99);
  assert.equal(of.poll, 10);
  assert.ok(of.due >= 522 && of.due <= 10 + 1536);
  of.setPoll(-5);
  assert.equal(of.poll, 4);
});

Deno.test("a stopped timer stays stopped", () => {
  const of = timer();
  of.start(0, true);
  of.stop();
  assert.equal(of.due, Infinity);
  of.setPoll(4);
  of.requestSoon(1);
  of.slowDown(10);
  assert.equal(of.requestBurst(1000), false);
  assert.equal(of.due, Infinity);
});

Deno.test("whatever is asked of it, two requests are never closer than two seconds", () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant("poll" as const), value: fc.integer({ min: -2, max: 20 }) }),
    fc.record({ kind: fc.constant("slow" as const), value: fc.integer({ min: -128, max: 127 }) }),
    fc.record({ kind: fc.constant("burst" as const), value: fc.nat(300) }),
    fc.record({ kind: fc.constant("soon" as const), value: fc.nat(300) }),
    fc.record({ kind: fc.constant("send" as const), value: fc.nat(3) }),
    fc.record({ kind: fc.constant("abandon" as const), value: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.nat(), fc.array(command, { maxLength: 60 }), (seed, commands) => {
      const of = timer(seed);
      let now = 0, sentAt = -Infinity, demanded = 0;
      of.start(now, true);
      for (const { kind, value } of commands) {
        if (kind === "poll") of.setPoll(value);
        else if (kind === "slow") {
          const before = of.poll;
          of.slowDown(value);
          assert.ok(of.poll > before || of.poll === 10);
          demanded = of.poll;
        } else if (kind === "burst") of.requestBurst(now += value);
        else if (kind === "soon") of.requestSoon(now += value);
        else if (kind === "abandon") of.abandonBurst();
        else {
          now = Math.max(now, of.due);
          assert.ok(now - sentAt >= 2 - 1e-9, `${now - sentAt} s`);
          of.noteSent(now);
          sentAt = now;
        }
        assert.ok(of.poll >= Math.max(4, demanded) && of.poll <= 10);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("after a lost request the next one comes after a minute, not after a quarter of an hour", () => {
  const of = timer(1, 10);
  of.start(0, false);
  of.noteSent(of.due);
  const sentAt = 0.1;
  of.retrySoon(1);
  assert.ok(of.due >= 64 && of.due <= sentAt + 64 * 1.035, `due ${of.due}`);
  of.noteSent(of.due);
  assert.ok(of.due > 1024, "an answered request is followed by the whole interval");
});

Deno.test("a retry stays within the limits and above what the server has demanded", () => {
  const slow = new PollTimer({
    limits: { min: 8, max: 10 },
    initial: 10,
    random: new SeededRandom(1),
  });
  slow.start(0, false);
  slow.noteSent(slow.due);
  slow.retrySoon(1);
  assert.ok(slow.due >= 256 && slow.due <= 266);
  const rated = timer(1, 8);
  rated.start(0, false);
  rated.noteSent(rated.due);
  rated.slowDown(9);
  rated.retrySoon(1);
  assert.ok(rated.due >= 512 && rated.due <= 531);
});

Deno.test("a server that is gone is asked after growing gaps, up to the interval that it had", () => {
  const of = timer(1, 10);
  of.start(0, false);
  const gaps: number[] = [];
  for (let unanswered = 1; unanswered <= 9; unanswered++) {
    const sentAt = of.due;
    of.noteSent(sentAt);
    of.retrySoon(unanswered);
    gaps.push(Math.floor(Math.log2(of.due - sentAt)));
  }
  assert.deepEqual(gaps.slice(0, 7), [6, 6, 6, 7, 8, 9, 10]);
  assert.ok(gaps.slice(7).every((gap) => gap <= 10));
});

/** Lets hosts that start at one moment ask one server, and counts its requests in each second. */
function fleetLoad(
  hosts: number,
  seconds: number,
  pollAt: (host: number, request: number) => number | undefined,
): readonly number[] {
  const load = new Array<number>(seconds).fill(0);
  for (let host = 0; host < hosts; host++) {
    const random = new SeededRandom(host + 1);
    const timer = new PollTimer({ limits: { min: 4, max: 10 }, initial: 6, random });
    timer.start(0, true);
    for (let request = 0; timer.due < seconds; request++) {
      const now = timer.due;
      load[Math.floor(now)] = (load[Math.floor(now)] ?? 0) + 1;
      timer.noteSent(now);
      const poll = pollAt(host, request);
      if (poll !== undefined) timer.setPoll(poll);
    }
  }
  return load;
}

function peakOf(load: readonly number[], from: number, to: number): number {
  const part = load.slice(from, to);
  const mean = part.reduce((sum, count) => sum + count, 0) / part.length;
  return Math.max(...part) / mean;
}

Deno.test("2,000 hosts that start at one moment are spread evenly once their bursts are over", () => {
  // chance alone makes peaks of 1.6 times the mean of 31 a second in so many seconds
  const steady = fleetLoad(2000, 5400, () => undefined);
  for (const [from, to] of [[300, 600], [3600, 5400]] as const) {
    assert.ok(peakOf(steady, from, to) < 1.9, `${peakOf(steady, from, to)} times the mean`);
  }
  // all find at the same request that they may ask half as often, thrice
  const growing = fleetLoad(2000, 5400, (_, request) => {
    return request === 12 ? 7 : request === 20 ? 8 : request === 26 ? 9 : undefined;
  });
  const tens = Array.from({ length: 540 }, (_, i) => {
    return growing.slice(10 * i, 10 * i + 10).reduce((sum, count) => sum + count, 0);
  });
  // never more than what it was before they asked less often, and even again when they have settled
  assert.ok(
    Math.max(...tens.slice(30)) < 1.4 * 312,
    `${Math.max(...tens.slice(30))} in ten seconds`,
  );
  assert.ok(peakOf(tens, 420, 540) < 1.7, `${peakOf(tens, 420, 540)} times the mean`);
});

Deno.test("no drawn interval is shorter than the shortest that was agreed", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const timer = new PollTimer({
      limits: { min: 4, max: 10 },
      initial: 4,
      random: new SeededRandom(seed),
    });
    timer.start(0, false);
    let last = -Infinity;
    for (let i = 0; i < 12; i++) {
      const now = timer.due;
      assert.ok(now - last >= 16, `${now - last} s`);
      timer.noteSent(last = now);
      timer.setPoll([4, 6, 5, 4][i % 4] ?? 4);
      if (i % 3 === 2) timer.retrySoon(1 + i);
    }
  }
});
