import assert from "node:assert/strict";
import { OutlierStreaks } from "./outlier_streaks.ts";
import { SourceTrack } from "./source_track.ts";

/** A source whose packets wait so long on the mean. */
function source(wait: number): SourceTrack {
  const track = new SourceTrack(1e-7);
  for (let i = 0; i < 60; i++) track.add(16 * i, 0, 0.01 + 2 * wait * (i % 7) / 3);
  return track;
}

/** Takes in three outliers of a source; returns what they show. */
function streak(
  streaks: OutlierStreaks,
  track: SourceTrack,
  { miss = 1e-3, voters = new Set<SourceTrack>() } = {},
) {
  const outcome = {
    deviation: Math.sign(miss) * 9,
    miss,
    missVariance: (miss / 9) ** 2,
    outlier: 1,
    expectedVariance: 1e-12,
    queueEvidence: 0,
  };
  const shown = [0, 16, 32].map((time) => streaks.take(track, { outcome, time, voters }));
  assert.deepEqual(shown.slice(0, 2), [undefined, undefined]);
  return shown[2];
}

function streaksOf(...tracks: readonly SourceTrack[]): OutlierStreaks {
  const streaks = new OutlierStreaks();
  for (const track of tracks) streaks.add(track, 0);
  return streaks;
}

Deno.test("what a source shows alone among those that would see it is its path", () => {
  const [a, b, c] = [source(1e-4), source(1e-4), source(1e-4)];
  assert.equal(streak(streaksOf(a, b, c), a)?.kind, "path");
  assert.equal(streak(streaksOf(a), a)?.kind, "clock");
});

Deno.test("those that cannot see a change of its size are no witnesses", () => {
  const near = source(1e-5), far = source(5e-3);
  assert.equal(streak(streaksOf(near, far), near, { miss: -1e-3 })?.kind, "clock");
  assert.equal(streak(streaksOf(near, far), near, { miss: -1e-1 })?.kind, "path");
});

Deno.test("without a vote a source needs those that have one, also when they cannot see it", () => {
  const plain = source(1e-5), other = source(1e-5), trusted = source(5e-3);
  const voters = new Set([trusted]);
  const streaks = streaksOf(plain, other, trusted);
  assert.equal(streak(streaks, plain, { voters })?.kind, "path");
  assert.equal(streak(streaks, trusted, { miss: 1e-1, voters })?.kind, "path");
  assert.equal(streak(streaksOf(plain, trusted), trusted, { miss: 1e-3, voters })?.kind, "path");
});

Deno.test("a change that is faster than any oscillator leaves the frequency nearly as it was", () => {
  const track = source(1e-4);
  const slow = streak(streaksOf(track), track, { miss: 1e-3 });
  const step = streak(streaksOf(track), track, { miss: 1 });
  assert.ok(slow?.kind === "clock" && step?.kind === "clock");
  assert.equal(step.frequencyVariance, 20e-6 ** 2);
  assert.ok(Math.abs(Math.sqrt(slow.frequencyVariance) - 1e-3 / 32) < 1e-9);
  assert.equal(step.offsetVariance, 1);
});

Deno.test("another route, or one believable sample, ends a streak", () => {
  const track = source(1e-4);
  const streaks = streaksOf(track);
  const bad = {
    deviation: 9,
    miss: 1e-3,
    missVariance: 1e-8,
    outlier: 1,
    expectedVariance: 0,
    queueEvidence: 0,
  };
  const voters = new Set<SourceTrack>();
  const take = (outcome: typeof bad) => streaks.take(track, { outcome, time: 0, voters });
  for (let i = 0; i < 2; i++) take(bad);
  streaks.end(track);
  for (let i = 0; i < 2; i++) assert.equal(take(bad), undefined);
  take({ ...bad, outlier: 0 });
  for (let i = 0; i < 2; i++) assert.equal(take(bad), undefined);
  take({ ...bad, deviation: -9 });
  for (let i = 0; i < 2; i++) assert.equal(take(bad), undefined);
});
