/**
 * Files that are read while the daemon serves, on file systems that may hang.
 *
 * The problem: a read from a server that is gone waits for ever, and nothing is answered meanwhile.
 * The idea: a file is first read on the thread pool; only when that has come back is it read here,
 * out of the kernel's memory, by code that need not know of any of this. A path that does not
 * answer is told of and left alone, and has one probe under way, however often it is asked for.
 * Limits: a file system that begins to hang between the two reads, and one that forgets at once
 * what it has read, are not guarded against; writing goes through `StateFile.writeInBackground`.
 *
 * @module
 */
import { readFileInBackground } from "../../../ffi/file/files.ts";
import { log } from "../../system/log.ts";

const PATIENCE_MILLISECONDS = 1000;
const OCTETS_MAX = 16 << 20;

const probes = new Map<string, Promise<void>>();

/** How paths are asked for. */
export interface AccessOptions {
  /** How one is probed; the system's way unless a test says otherwise. */
  readonly probe?: (path: string) => Promise<unknown>;
  /** How long an answer may take; a second if left out. */
  readonly milliseconds?: number;
}

/**
 * Tells whether all of these paths can be read now, or be found missing, without waiting; what does
 * not answer is logged once for each time that it hangs. Paths that are undefined answer.
 */
export async function filesAnswer(
  paths: readonly (string | undefined)[],
  options: AccessOptions = {},
): Promise<boolean> {
  const asked = paths.filter((path) => path !== undefined);
  const outcomes = await Promise.all(asked.map((path) => answers(path, options)));
  return outcomes.every((answered) => answered);
}

/**
 * Waits for the work, but not for longer than so many milliseconds; tells whether it is done. It
 * waits in two halves, so that a thread that was held up does not take its own delay for that of
 * the work: what was done meanwhile is heard of in between.
 */
export async function within(milliseconds: number, work: Promise<void>): Promise<boolean> {
  return await isDoneIn(milliseconds / 2, work) || await isDoneIn(milliseconds / 2, work);
}

async function isDoneIn(milliseconds: number, work: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) =>
    timer = setTimeout(() => resolve(false), milliseconds)
  );
  const isDone = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return isDone;
}

async function answers(path: string, options: AccessOptions): Promise<boolean> {
  const { probe = readProbe, milliseconds = PATIENCE_MILLISECONDS } = options;
  const underWay = probes.get(path);
  if (underWay !== undefined) return await within(milliseconds, underWay);
  const begun = probe(path).then(() => {
    probes.delete(path);
  });
  probes.set(path, begun);
  const doesAnswer = await within(milliseconds, begun);
  if (doesAnswer) return true;
  log.warning(`${path} does not respond, and is not used until it does`);
  void begun.then(() => log.info(`${path} responds again`));
  return false;
}

async function readProbe(path: string): Promise<void> {
  await readFileInBackground(path, OCTETS_MAX);
}
