/**
 * What is going to happen in the simulated world, in order of time (a binary heap).
 *
 * The idea: entries of one moment come out in the order in which they were put in, so that a run
 * does not depend on the shape of the heap.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import { assert, present } from "../base/assert.ts";

interface Entry<Item> {
  readonly time: Seconds;
  readonly sequence: number;
  readonly item: Item;
}

/** A queue of items, each due at a moment. */
export class EventQueue<Item> {
  readonly #heap: Entry<Item>[] = [];
  #sequence = 0;

  /** Puts an item in, due at `time` (a number, not NaN). */
  push(time: Seconds, item: Item): void {
    assert(!Number.isNaN(time), "An event needs a time");
    const entry = { time, sequence: this.#sequence++, item };
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = present(heap[parent], "The heap has a gap");
      if (!precedes(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  /** The moment of the first item; infinity when there is none. */
  get nextTime(): Seconds {
    return this.#heap[0]?.time ?? Infinity;
  }

  /** Takes the first item out; undefined when there is none. */
  pop(): Item | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) this.#sink(last);
    return first.item;
  }

  #sink(entry: Entry<Item>): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      let child = present(heap[left], "The heap has a gap");
      let at = left;
      const other = heap[right];
      if (other !== undefined && precedes(other, child)) {
        child = other;
        at = right;
      }
      if (!precedes(child, entry)) break;
      heap[index] = child;
      index = at;
    }
    heap[index] = entry;
  }
}

function precedes(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}
