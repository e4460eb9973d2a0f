import assert from "node:assert/strict";
import { StandstillSuspicion } from "./standstill.ts";

const answer = (offset: number, sentAt: number) => ({ offset, delay: 0.01, sentAt });

Deno.test("a time that is missing is believed when the sources show it", () => {
  const suspicion = new StandstillSuspicion();
  assert.equal(suspicion.answered(1, answer(3600, 10)), false, "nothing is suspected");
  suspicion.suspect(3600, 10);
  assert.equal(suspicion.answered(1, answer(0, 9)), false, "it was asked before");
  assert.equal(suspicion.answered(1, answer(3601, 11)), true);
  assert.equal(suspicion.answered(1, answer(3598.5, 12)), true);
  assert.deepEqual(suspicion.answers.get(1), { ...answer(3598.5, 12), count: 2 });
  assert.equal(suspicion.end(3598.5, 0), 3600);
  assert.deepEqual([suspicion.isSuspected, suspicion.answers.size], [false, 0], "it is over");
});

Deno.test("a hardware clock that was set is forgotten when the sources do not show it, and not before", () => {
  const suspicion = new StandstillSuspicion();
  suspicion.suspect(7200, 10);
  assert.equal(suspicion.isSuspected, true);
  assert.equal(suspicion.explains(60, 0), false);
  assert.equal(suspicion.end(1e-5, 0), undefined);
  assert.equal(suspicion.isSuspected, false);
  assert.equal(suspicion.explains(7200, 0), false);
});

Deno.test("sources that show nothing do not confirm a short time that is missing", () => {
  for (
    const [missing, shown, isExplained] of [
      [3, 0, false],
      [3, 1.4, false],
      [3, 1.6, true],
      [3, 5.9, true],
      [2, -1, false],
      [4, 0.9, false],
    ] as const
  ) {
    const suspicion = new StandstillSuspicion();
    suspicion.suspect(missing, 10);
    assert.equal(suspicion.explains(shown, 0), isExplained, `${missing} s, ${shown} s`);
    assert.equal(suspicion.end(shown + 7, 7), isExplained ? missing : undefined);
  }
});

Deno.test("what was known of the clock is no part of what is missing", () => {
  const suspicion = new StandstillSuspicion();
  suspicion.suspect(3600, 10);
  assert.deepEqual([suspicion.explains(3600, 100), suspicion.explains(3700, 100)], [false, true]);
});

Deno.test("what is missing adds up, and what others do to the clock is taken off", () => {
  const suspicion = new StandstillSuspicion();
  suspicion.suspect(3600, 10);
  suspicion.answered(1, answer(3605, 11));
  suspicion.suspect(1800, 12);
  assert.equal(suspicion.answers.size, 0, "it is asked again");
  suspicion.clockChanged(100, { known: 5, now: 13 });
  assert.equal(suspicion.explains(5305, undefined), true);
  suspicion.clockChanged(-50, { known: undefined, now: 14 });
  assert.equal(suspicion.end(5355, undefined), 5400);
  suspicion.clockChanged(-5400, { known: undefined, now: 15 });
  suspicion.suspect(60, 16);
  assert.equal(suspicion.end(5415, undefined), 60, "the first ones are not corrected yet");
});

Deno.test("each time that is missing may be a second wrong, and some more all together", () => {
  for (
    const [times, wrong, isExplained] of [[1, 3, true], [1, 3.1, false], [3, 5, true]] as const
  ) {
    const suspicion = new StandstillSuspicion();
    for (let i = 0; i < times; i++) suspicion.suspect(3600, 10 + i);
    for (const sign of [1, -1]) {
      assert.equal(suspicion.explains(3600 * times + sign * wrong, 0), isExplained);
    }
    suspicion.end(0, 0);
    suspicion.suspect(3600, 20);
    assert.equal(suspicion.explains(3603.1, 0), false);
  }
});
