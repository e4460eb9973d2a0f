import assert from "node:assert/strict";
import { SnapshotSchedule } from "./snapshot_schedule.ts";

function takenIn(duration: number): number {
  const schedule = new SnapshotSchedule(duration);
  let taken = 0;
  for (let time = 0; time < duration; time++) taken += schedule.takeDue(time) ? 1 : 0;
  return taken;
}

Deno.test("a run is looked at about four thousand times, a short one every ten seconds", () => {
  assert.equal(takenIn(100), 10);
  assert.ok(Math.abs(takenIn(86_400) - 4000) < 200);
});

Deno.test("a command is looked at in the first hour always, later only when the next look is near", () => {
  const schedule = new SnapshotSchedule(400_000);
  assert.equal(schedule.takeDue(4000), true);
  assert.equal(schedule.isDueAfterCommand(3000), true);
  assert.equal(schedule.isDueAfterCommand(4010), false);
  assert.equal(schedule.isDueAfterCommand(4090), true);
});
