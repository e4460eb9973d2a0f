/**
 * Judges many worlds by several threads.
 *
 * @module
 */
import { WorkerPool } from "../support/worker_pool.ts";
import type { WorldOutcome } from "./judge.ts";

/** Returns the outcomes in the order of the numbers. */
export async function rateWorlds(
  numbers: readonly number[],
  jobs: number,
): Promise<readonly WorldOutcome[]> {
  const pool = new WorkerPool<number, WorldOutcome>(new URL("./worker.ts", import.meta.url), jobs);
  try {
    return await Promise.all(numbers.map((number) => pool.run(number)));
  } finally {
    pool.close();
  }
}
