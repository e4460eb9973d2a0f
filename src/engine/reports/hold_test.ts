import assert from "node:assert/strict";
import { Hold, Notice } from "./hold.ts";

const HOUR = 3600;

Deno.test("the first time is told at once, the next have to last, twice as long each", () => {
  const hold = new Hold();
  const patience: number[] = [];
  for (let i = 0; i < 9; i++) {
    patience.push(hold.patience(i));
    assert.equal(hold.tell(i), "");
  }
  assert.deepEqual(patience, [0, 60, 120, 240, 480, 960, 1920, HOUR, HOUR]);
  // a quarter of a day without any, and all is as at first
  assert.equal(hold.patience(8 + 6 * HOUR), HOUR);
  assert.equal(hold.patience(9 + 6 * HOUR), 0);
});

Deno.test("what ended before it was told is counted, and told with the next", () => {
  const hold = new Hold();
  hold.noteBrief();
  hold.noteBrief();
  assert.equal(hold.tell(0), "; 2 shorter occurrences before were not logged");
  assert.equal(hold.tell(0), "");
  hold.noteBrief();
  assert.equal(hold.tell(0), "; 1 shorter occurrence before was not logged");
});

Deno.test("whatever comes and goes, at any rate, is told a dozen times in the first hour, then hourly", () => {
  for (const period of [1, 30, 61, 200, 1000]) {
    const notice = new Notice();
    const told: number[] = [];
    for (let t = 0; t < 5 * HOUR; t += period) {
      const isBad = Math.floor(t / period) % 2 === 0;
      if (notice.look(isBad, t) !== undefined) told.push(t);
      if (isBad && notice.look(true, t + period - 1e-3) !== undefined) told.push(t);
    }
    assert.ok(told.length > 0 && told[0] === 0);
    assert.ok(told.filter((t) => t < HOUR).length <= 12, `${period}: ${told}`);
    assert.ok(told.filter((t) => t >= HOUR).length <= 4, `${period}: ${told}`);
  }
});

Deno.test("what stays bad is told once", () => {
  const notice = new Notice();
  assert.equal(notice.look(true, 0), "");
  for (let t = 1; t < 100; t++) assert.equal(notice.look(true, 1000 * t), undefined);
});
