import assert from "node:assert/strict";
import { StandstillSuspicion } from "./standstill.ts";

Deno.test("a time that is missing is believed when most sources that answer show it", () => {
  const suspicion = new StandstillSuspicion();
  const shows = (id: number, offset: number, now = 10) =>
    suspicion.confirm({ id, offset, reachable: 3 }, now);
  assert.equal(shows(1, 3600), undefined, "nothing is suspected");
  suspicion.suspect(3600, 10);
  assert.equal(shows(1, 3601), undefined);
  assert.equal(shows(1, 3601), undefined, "one source counts once");
  assert.equal(shows(2, 0), undefined, "another shows nothing of it");
  assert.equal(shows(3, 3598.5), 3600);
  assert.equal(shows(2, 3600), undefined, "it is over");
});

Deno.test("a hardware clock that was set is forgotten after a while", () => {
  const suspicion = new StandstillSuspicion();
  suspicion.suspect(7200, 10);
  assert.equal(suspicion.confirm({ id: 1, offset: 1e-5, reachable: 1 }, 11), undefined);
  assert.equal(suspicion.confirm({ id: 1, offset: 7200, reachable: 1 }, 400), undefined);
  assert.equal(suspicion.confirm({ id: 1, offset: 60, reachable: 1 }, 12), undefined);
});
