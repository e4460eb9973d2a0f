import assert from "node:assert/strict";
import { doubtOf, Misses, speakFor } from "./misses.ts";
import { SourceTrack } from "./source_track.ts";

const WAIT = 1e-4;

/** A source whose samples at these times missed by so much, each known to `deviation`. */
function misses(
  shown: readonly (readonly [time: number, miss: number])[],
  { deviation = WAIT, isOutlier = false } = {},
): Misses {
  const track = new SourceTrack(1e-7);
  for (let i = 0; i < 60; i++) track.add(16 * i, 0, 0.01 + 2 * WAIT * (i % 7) / 3);
  const misses = new Misses(track, 0);
  for (const [time, miss] of shown) {
    misses.take({
      deviation: miss / deviation,
      miss,
      missVariance: deviation ** 2,
      outlier: isOutlier && miss > 5 * deviation ? 1 : 0,
      expectedVariance: 0,
      queueEvidence: 0,
    }, time);
  }
  return misses;
}

/** It has grown to a millisecond while a hundred seconds passed. */
const SHIFT = { miss: 1e-3, since: 1000, until: 1100 };

Deno.test("a change grows from the last sample that was believed to the one that shows it", () => {
  const source = misses([[1000, 1e-5], [1050, 8e-4], [1100, 1e-3]], { isOutlier: true });
  assert.deepEqual(source.shift, SHIFT);
});

Deno.test("samples speak for a change as it had grown by their time", () => {
  assert.equal(misses([[1060, 6e-4]]).evidenceFor(SHIFT), 1);
  assert.equal(misses([[1040, 0], [1090, 2e-5]]).evidenceFor(SHIFT), -1);
  // no outlier: half of what it would be, and a little more
  assert.ok(misses([[1060, 3.1e-4]], { deviation: 3e-4 }).evidenceFor(SHIFT) > 0);
  // what begins late is not seen by three quarters of the time, and soon is
  assert.equal(misses([[1075, 0], [1090, 6e-4]]).evidenceFor(SHIFT), 1);
  const early = misses([[1002, 1e-6]]).evidenceFor(SHIFT);
  assert.ok(Math.abs(early) < 0.05, "just after it began nothing is to be seen");
});

Deno.test("who cannot see a change says nothing, who could and was not heard speaks against it", () => {
  assert.ok(Math.abs(misses([[1060, 1e-5]], { deviation: 5e-3 }).evidenceFor(SHIFT)) < 0.05);
  assert.equal(misses([[990, 0]]).evidenceFor(SHIFT), -1);
  assert.equal(misses([[990, 0]]).evidenceFor({ ...SHIFT, miss: WAIT / 10 }), 0);
});

Deno.test("no source outvotes two others, and without a vote silence is not enough", () => {
  const yes = misses([[1090, 9e-4]]), no = misses([[1090, 0]]);
  const surest = misses([[1090, 9e-4]], { deviation: 1e-8 });
  assert.ok(!speakFor(SHIFT, { witnesses: [surest, no, no], hasVote: true }));
  assert.ok(speakFor(SHIFT, { witnesses: [yes, no], hasVote: true }));
  assert.ok(!speakFor(SHIFT, { witnesses: [yes, no], hasVote: false }));
  assert.ok(speakFor(SHIFT, { witnesses: [], hasVote: true }));
  assert.ok(!speakFor(SHIFT, { witnesses: [], hasVote: false }));
});

Deno.test("what has shown is doubted, and what comes to it, until others have told otherwise since", () => {
  const doubt = (time: number, ...witnesses: Misses[]) => doubtOf(SHIFT, { time, witnesses });
  assert.equal(doubt(1100), 1e-3);
  // an oscillator does 20 ppm at least when it steps
  assert.ok(doubt(1200) > 1e-3 + 100 * 20e-6);
  assert.ok(doubt(1200, misses([[1090, 0]])) > 1e-3, "it may have changed just then");
  assert.equal(doubt(1200, misses([[1110, 0]])), 0);
  assert.ok(doubt(1200, misses([[1110, 0]]), misses([[1120, 1e-3]])) > 1e-3);
});

Deno.test("what no oscillator does was a step, which grows no further", () => {
  const step = { ...SHIFT, miss: 1 };
  const growth = doubtOf(step, { time: 1200, witnesses: [] }) - 1;
  assert.ok(growth > 0 && growth < 0.01, `${growth}`);
});
