import assert from "node:assert/strict";
import { ReferenceReports } from "./reference_reports.ts";

const A = { id: 1, name: "a" }, B = { id: 2, name: "b" };

/** Looks at what is followed at each of these times, and returns what was told. */
function told(
  reports: ReferenceReports,
  course: readonly [number, typeof A | undefined][],
  isComplete = false,
) {
  return course.flatMap(([now, leader]) =>
    reports.look({ now, leader, reason: "why", isComplete }).map((action) => {
      assert.equal(action.type, "log");
      return action.type === "log" ? `${now} ${action.level}: ${action.message}` : "";
    })
  );
}

Deno.test("a loss and its end are a pair, and a change of the leader is told now and then", () => {
  assert.deepEqual(
    told(new ReferenceReports(), [
      [0, A],
      [10, A],
      [20, undefined],
      [30, undefined],
      [40, A],
      [50, B],
      [641, B],
      [642, A],
    ]),
    [
      "0 info: The reference is now a",
      "20 warning: No time to follow: why",
      "40 info: The reference is now a",
      "641 info: The reference is now b",
    ],
  );
});

Deno.test("a start without a time to follow is told after a minute", () => {
  const reports = new ReferenceReports();
  assert.deepEqual(told(reports, [[0, undefined], [59, undefined]]), []);
  assert.equal(reports.isLossKnown, false);
  assert.deepEqual(told(reports, [[60, undefined], [900, undefined]]), [
    "60 warning: No time to follow: why",
  ]);
  assert.equal(reports.isLossKnown, true);
});

Deno.test("a start at which all sources have come and disagree is told soon", () => {
  const reports = new ReferenceReports();
  assert.deepEqual(told(reports, [[0, undefined], [9, undefined]], true), []);
  assert.deepEqual(told(reports, [[10, undefined], [900, undefined]], true), [
    "10 warning: No time to follow: why",
  ]);
});

Deno.test("a time that comes and goes with every response does not fill the log, and a lasting loss is told", () => {
  const reports = new ReferenceReports();
  const course: [number, typeof A | undefined][] = [];
  for (let t = 0; t < 3600; t++) course.push([t, t % 2 === 0 ? A : undefined]);
  assert.equal(told(reports, course).length, 3);
  assert.equal(reports.isLossKnown, true);
  const last = told(reports, [[3600, undefined], [3658, undefined], [3660, undefined]]);
  assert.deepEqual(last.map((line) => line.replace(/; \d+/, "; n")), [
    "3660 warning: No time to follow: why; n shorter occurrences before were not logged",
  ]);
});

Deno.test("a return after a silence of all sources has a while before its lack is told", () => {
  const reports = new ReferenceReports();
  const look = (now: number, isSilence: boolean, leader?: typeof A) =>
    reports.look({ now, leader, reason: "why", isComplete: true, isSilence }).length;
  assert.equal(look(0, false, A), 1);
  // during a silence nothing is decided, however long it is
  for (const t of [10, 20]) assert.equal(look(t, true), 0);
  assert.equal(
    look(86_400, false),
    0,
    "the first respond and the others have had no time to follow",
  );
  assert.equal(look(86_459, false), 0);
  assert.equal(look(86_460, false), 1);
});
