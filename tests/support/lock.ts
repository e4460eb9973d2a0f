/**
 * One at a time, between test files that run side by side and between test runs: a folder that only
 * one can make.
 *
 * The idea: making a folder succeeds for one only; the folder names its process, so that a lock
 * whose holder is gone is taken over. Limits: processes on one machine; the holder is known by its
 * process id alone.
 *
 * @module
 */
import { pause } from "./wait_until.ts";

/** How long a lock may be waited for, in milliseconds; a build of a peer takes minutes. */
const PATIENCE_MS = 15 * 60_000;

/** Holds the lock folder `path` while `work` runs; its parent folder must be there. */
export async function withLock<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  const giveUp = performance.now() + PATIENCE_MS;
  while (!(await tryLock(path))) {
    if (performance.now() > giveUp) throw new Error(`${path} is held for too long`);
    await pause(100);
  }
  try {
    return await work();
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** Takes the lock folder if nobody has it, or whoever had it is gone; tells whether it did. */
export async function tryLock(path: string): Promise<boolean> {
  try {
    await Deno.mkdir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (await stateOf(path) === "stale") {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
    return false;
  }
  await Deno.writeTextFile(`${path}/${Deno.pid}`, "");
  return true;
}

/** Tells whether somebody has a lock folder. */
export async function isHeld(path: string): Promise<boolean> {
  return await stateOf(path) === "held";
}

/**
 * Tells how a lock folder stands. One without a name is just being made; one that stays so for a
 * while was left by a process that was killed there. One that is gone may be another's in a moment.
 */
async function stateOf(path: string): Promise<"held" | "stale" | "gone"> {
  const made = await Deno.stat(path).catch(() => undefined);
  if (made === undefined) return "gone";
  const names = await Array.fromAsync(Deno.readDir(path), (entry) => entry.name).catch(() => []);
  const [pid] = names;
  if (pid !== undefined) return await isAlive(pid) ? "held" : "stale";
  return Date.now() - (made.mtime?.getTime() ?? 0) < 5000 ? "held" : "stale";
}

/** Tells whether a process is there. */
export async function isAlive(pid: string | number): Promise<boolean> {
  return await Deno.stat(`/proc/${pid}`).then(() => true, () => false);
}
