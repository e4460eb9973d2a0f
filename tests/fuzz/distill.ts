/**
 * Makes the corpus: tries many inputs of a target and keeps the few that reach something in src/
 * that none before them has reached.
 *
 *     deno task fuzz:distill packet config --executions 3000
 *
 * The idea: V8 tells after each input which blocks of which functions ran; an input with a block of
 * its own is worth keeping, the shortest that were found first. What is in the corpus is tried
 * before all else, and stays. Limits: ports are not distilled, what they reach depends on time.
 *
 * @module
 */
import "../support/libc_opened.ts";
import { Session } from "node:inspector";
import { parseArgs } from "node:util";
import type { Bytes } from "../../src/base/bytes.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { attempt, describe, draw, keepInput, keptInputs } from "./fuzzer.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** So many inputs are kept of a target, and fewer where each takes long. */
const KEPT_MAX = 24;
const KEPT_STATEFUL_MAX = 8;

/** What the profiler of V8 says of one function. */
interface FunctionCoverage {
  readonly functionName: string;
  readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
}

interface Coverage {
  readonly result: readonly { url: string; functions: readonly FunctionCoverage[] }[];
}

const session = new Session();
session.connect();
await ask("Profiler.enable");
await ask("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

const { values, positionals } = parseArgs({
  allowPositionals: true,
  args: Deno.args,
  options: { executions: { type: "string", default: "2000" } },
});
for (const target of TARGETS) {
  if (positionals.length > 0 && !positionals.includes(target.name)) continue;
  await distill(target, Number(values.executions));
}
Deno.exit();

async function distill(target: FuzzTarget, executions: number): Promise<void> {
  const seen = new Set<string>();
  const kept = keptInputs(target);
  await reached();
  for (const octets of kept) await tell(target, octets, seen);
  const before = seen.size;
  const random = new SeededRandom(1);
  const tried = Array.from({ length: executions }, () => draw(target, random, kept));
  const added: Bytes[] = [];
  for (const octets of tried.sort((a, b) => a.length - b.length)) {
    if (await tell(target, octets, seen) === 0) continue;
    added.push(octets);
  }
  const limit = Math.max(0, (target.isStateful ? KEPT_STATEFUL_MAX : KEPT_MAX) - kept.length);
  const best = await choose(target, added, limit);
  for (const octets of best) keepInput(target.name, octets);
  console.log(
    `${target.name}: ${kept.length} kept, ${best.length} of ${added.length} new ones added, ` +
      `${before} blocks before and ${seen.size} with all`,
  );
}

/** Chooses, one after the other, the inputs that reach most of what is not reached yet. */
async function choose(
  target: FuzzTarget,
  inputs: readonly Bytes[],
  limit: number,
): Promise<readonly Bytes[]> {
  const covered = new Set<string>();
  for (const octets of keptInputs(target)) await tell(target, octets, covered);
  const reach = new Map<Bytes, readonly string[]>();
  for (const octets of inputs) {
    const own = new Set<string>();
    await tell(target, octets, own);
    reach.set(octets, [...own]);
  }
  const chosen: Bytes[] = [];
  while (chosen.length < limit && reach.size > 0) {
    const news = [...reach].map(([octets, blocks]) => ({
      octets,
      count: blocks.filter((block) => !covered.has(block)).length,
    }));
    const best = news.reduce((a, b) => b.count > a.count ? b : a);
    if (best.count === 0) break;
    chosen.push(best.octets);
    for (const block of reach.get(best.octets) ?? []) covered.add(block);
    reach.delete(best.octets);
  }
  return chosen;
}

/** Tries an input and adds what it reached; returns how much of that is new. */
async function tell(target: FuzzTarget, octets: Bytes, seen: Set<string>): Promise<number> {
  const finding = await attempt(target, octets.slice());
  if (finding !== undefined) console.error(describe(finding));
  const before = seen.size;
  for (const block of await reached()) seen.add(block);
  return seen.size - before;
}

/** What ran since the last call. */
async function reached(): Promise<readonly string[]> {
  const { result } = await ask("Profiler.takePreciseCoverage") as Coverage;
  return result.filter(({ url }) => url.includes("/src/")).flatMap(({ url, functions }) =>
    functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0).flatMap(({ ranges }) =>
      ranges.map(({ startOffset, endOffset, count }) =>
        `${url}:${startOffset}-${endOffset}:${count > 0}`
      )
    )
  );
}

function ask(method: string, params: object = {}): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  session.post(
    method,
    params,
    (error: Error | null, result?: object) => error === null ? resolve(result) : reject(error),
  );
  return promise;
}
