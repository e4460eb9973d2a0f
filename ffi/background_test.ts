import "../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import {
  type BackgroundWork,
  callForResult,
  hasFreeThread,
  inBackground,
  POOL_THREADS,
  THREADS,
} from "./background.ts";
import { ERRNO } from "./errno.ts";

const WORKS = Object.keys(THREADS) as BackgroundWork[];

Deno.test("all kinds of work together leave threads of the pool to the runtime", () => {
  const sum = WORKS.reduce((total, work) => total + THREADS[work], 0);
  assert.ok(sum <= POOL_THREADS - 4, `${sum} threads`);
});

/** Returns how many calls of so many milliseconds were under way at once. */
async function callsAtOnce(milliseconds: number): Promise<number> {
  const library = Deno.dlopen("libc.so.6", {
    usleep: { parameters: ["u32"], result: "i32", nonblocking: true },
  });
  const ends: number[] = [];
  const start = performance.now();
  await Promise.all(Array.from({ length: POOL_THREADS + 8 }, async () => {
    await library.symbols.usleep(1000 * milliseconds);
    ends.push(performance.now() - start);
  }));
  library.close();
  return ends.filter((end) => end < 2 * milliseconds).length;
}

Deno.test("the pool is as large as it is taken for", async () => {
  // Each call takes so long that those of a second round end visibly later; on a busy machine,
  // where threads begin late, that takes longer.
  const counts: number[] = [];
  for (const milliseconds of [100, 500, 2500]) {
    counts.push(await callsAtOnce(milliseconds));
    if ((counts.at(-1) ?? 0) >= POOL_THREADS) return;
  }
  assert.fail(`${counts} at once`);
});

Deno.test("one kind of work that hangs everywhere does not keep the others waiting", async () => {
  const shares: number[] = [];
  // On a busy machine the turns of the others take longer, and so must what hangs.
  for (const milliseconds of [20, 100, 500]) {
    const hanging: Promise<number>[] = [];
    for (let i = 0; i < 3 * POOL_THREADS; i++) {
      hanging.push(inBackground("names", "usleep", [1000 * milliseconds]));
    }
    assert.ok(!hasFreeThread("names"));
    const start = performance.now();
    for (const work of WORKS.filter((other) => other !== "names")) {
      assert.ok(hasFreeThread(work));
      assert.equal(await inBackground(work, "usleep", [1]), 0);
    }
    const took = performance.now() - start;
    await Promise.all(hanging);
    assert.ok(hasFreeThread("names"));
    shares.push(took / (performance.now() - start));
    if ((shares.at(-1) ?? 1) < 1 / 2) return;
  }
  assert.fail(`the others took these shares of the time: ${shares}`);
});

Deno.test("a call that fails in the background has its reason", async () => {
  const missing = new TextEncoder().encode("/no/such/file\0");
  assert.equal(await callForResult("files", "open", [missing, 0, 0]), -ERRNO.ENOENT);
});
