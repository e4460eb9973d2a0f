import assert from "node:assert/strict";
import { Turns } from "./turns.ts";

/** Turns by a clock and pauses of the test's own. */
function world(pieces: number) {
  const resumes: (() => void)[] = [];
  const clock = { ms: 0 };
  const turns = new Turns({
    budgetMs: 2,
    pieces,
    now: () => clock.ms,
    pause: (resume) => resumes.push(resume),
  });
  const done: number[] = [];
  const pause = async () => {
    resumes.shift()?.();
    await runMicrotasks();
  };
  return { turns, clock, resumes, done, pause };
}

/** Lets everything run that waits for nothing. */
async function runMicrotasks(): Promise<void> {
  for (let i = 0; i < 100; i++) await undefined;
}

Deno.test("so many pieces go in a row, the rest row by row, in order", async () => {
  const { turns, done, pause } = world(4);
  for (let i = 0; i < 10; i++) void turns.do(() => done.push(i));
  await runMicrotasks();
  assert.deepEqual(done, [0, 1, 2, 3]);
  void turns.do(() => done.push(10));
  await pause();
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6, 7]);
  await pause();
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

Deno.test("long pieces are fewer in a row, and there is always one", async () => {
  const { turns, clock, done, pause } = world(100);
  const work = (i: number, ms: number) => {
    clock.ms += ms;
    done.push(i);
  };
  const lengths = [1, 1, 1, 50, 0.5, 3, 3];
  lengths.forEach((ms, i) => void turns.do(() => work(i, ms)));
  const rows: number[] = [];
  for (let before = 0; before < lengths.length; before = done.length) {
    if (before > 0) await pause();
    else await runMicrotasks();
    rows.push(done.length - before);
  }
  assert.deepEqual(rows, [2, 2, 2, 1]);
});

Deno.test("without work there is no pause, and the next work goes at once", async () => {
  const { turns, done, resumes, pause } = world(4);
  await turns.rest();
  assert.equal(resumes.length, 0);
  await turns.do(() => {});
  assert.equal(resumes.length, 1);
  let rested = false;
  void turns.rest().then(() => rested = true);
  await runMicrotasks();
  assert.ok(!rested);
  await pause();
  assert.ok(rested);
  void turns.do(() => done.push(1));
  await runMicrotasks();
  assert.deepEqual(done, [1]);
});

Deno.test("what a piece throws is its owner's alone", async () => {
  const { turns, done } = world(4);
  const fault = new Error("x");
  const broken = turns.do(() => {
    throw fault;
  });
  void turns.do(() => done.push(1));
  await assert.rejects(broken, fault);
  assert.deepEqual(done, [1]);
});
