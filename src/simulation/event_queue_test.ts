import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { EventQueue } from "./event_queue.ts";

Deno.test("items come out by time, and in the order of putting in within one moment", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
    const queue = new EventQueue<number>();
    for (const [index, time] of times.entries()) queue.push(time, index);
    const expected = times.map((time, index) => ({ time, index }))
      .sort((a, b) => a.time - b.time || a.index - b.index);
    for (const { time, index } of expected) {
      assert.equal(queue.nextTime, time);
      assert.equal(queue.pop(), index);
    }
    assert.equal(queue.nextTime, Infinity);
    assert.equal(queue.pop(), undefined);
  }));
});
