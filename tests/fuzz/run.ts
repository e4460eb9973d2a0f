/**
 * Fuzzes every decoder until stopped.
 *
 *     deno task fuzz                               all targets in turn, for ever, from a new seed
 *     deno task fuzz --target packet --seconds 60  one target for a minute
 *     deno task fuzz --target packet --input HEX   one input
 *
 * A failing input is kept in tests/fuzz/corpus, where the tests find it; the exit status is then 1.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { attempt, CORPUS, describe, type Finding, fuzz, octetsOf } from "./fuzzer.ts";
import { type FuzzTarget, TARGETS } from "./targets.ts";

const ROUNDS = 5000;

/** The FNV-1a hash, to give a file a name. */
function nameOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}

function fail(finding: Finding, keep: boolean): never {
  console.error(describe(finding));
  if (keep) {
    const folder = `${CORPUS}/${finding.target}`;
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(`${folder}/${nameOf(finding.input)}.hex`, `${finding.input}\n`);
    console.error(`The input is kept in ${folder}`);
  }
  Deno.exit(1);
}

function run(targets: readonly FuzzTarget[], options: { seconds: number; seed: number }): void {
  const end = performance.now() + options.seconds * 1000;
  console.log(`Fuzzing ${targets.map(({ name }) => name).join(", ")} from seed ${options.seed}`);
  let turn = 0;
  for (; performance.now() < end; turn++) {
    for (const target of targets) {
      const finding = fuzz(target, { rounds: ROUNDS, seed: options.seed + turn });
      if (finding !== undefined) fail(finding, true);
      if (performance.now() >= end) break;
    }
    if (turn % 10 === 9) console.log(`${(turn + 1) * ROUNDS} inputs each, nothing found`);
  }
  console.log(`About ${turn * ROUNDS} inputs each, nothing found`);
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    target: { type: "string" },
    input: { type: "string" },
    seconds: { type: "string", default: "Infinity" },
    seed: { type: "string", default: String(Date.now() % 1e9) },
  },
});
const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
if (targets.length === 0) {
  const known = TARGETS.map(({ name }) => name).join(", ");
  console.error(`There is no target ${values.target}; there are ${known}`);
  Deno.exit(64);
}
if (values.input === undefined) {
  run(targets, { seconds: Number(values.seconds), seed: Number(values.seed) });
} else {
  for (const target of targets) {
    const finding = attempt(target, octetsOf(values.input));
    if (finding !== undefined) fail(finding, false);
  }
  console.log("All holds");
}
