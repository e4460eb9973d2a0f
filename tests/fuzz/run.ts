/**
 * Fuzzes every decoder, and every port, until stopped.
 *
 *     deno task fuzz                               all targets in turn, for ever, from a new seed
 *     deno task fuzz --target packet --seconds 60  one target for a minute
 *     deno task fuzz --target packet --input HEX   one input
 *     deno task fuzz --target http-port --seed N   one port, from a seed
 *
 * A failing input is kept in tests/fuzz/corpus, where the tests find it; the exit status is then 1. Of a port the seed is told: what
 * is sent comes from it.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { attempt, CORPUS, describe, type Finding, fuzz, octetsOf } from "./fuzzer.ts";
import { PORT_TARGETS, type PortTarget } from "./ports.ts";
import { type FuzzTarget, TARGETS } from "./targets.ts";

const ROUNDS = 5000;
const PORT_ROUNDS = 20;

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

async function fuzzPort(target: PortTarget, seed: number): Promise<void> {
  const port = target.open();
  for (let i = 0; i < PORT_ROUNDS; i++) {
    try {
      await port.round(seed + i);
    } catch (error) {
      console.error(`The target ${target.name} failed`, error);
      console.error(`Repeat it with: deno task fuzz --target ${target.name} --seed ${seed + i}`);
      Deno.exit(1);
    }
  }
  await port.close();
}

function tally(turns: number): string {
  return `${turns * ROUNDS} inputs a decoder, ${turns * PORT_ROUNDS} rounds a port, nothing found`;
}

interface Targets {
  readonly decoders: readonly FuzzTarget[];
  readonly ports: readonly PortTarget[];
}

async function run(
  { decoders, ports }: Targets,
  options: { seconds: number; seed: number },
): Promise<void> {
  const end = performance.now() + options.seconds * 1000;
  const names = [...decoders, ...ports].map(({ name }) => name).join(", ");
  console.log(`Fuzzing ${names} from seed ${options.seed}`);
  let turn = 0;
  for (; performance.now() < end; turn++) {
    for (const target of decoders) {
      const finding = fuzz(target, { rounds: ROUNDS, seed: options.seed + turn });
      if (finding !== undefined) fail(finding, true);
      if (performance.now() >= end) break;
    }
    for (const target of ports) await fuzzPort(target, options.seed + turn * PORT_ROUNDS);
    if (turn % 10 === 9) console.log(tally(turn + 1));
  }
  console.log(`About ${tally(turn)}`);
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
const isWanted = ({ name }: { readonly name: string }) =>
  values.target === undefined || name === values.target;
const targets: Targets = {
  decoders: TARGETS.filter(isWanted),
  ports: PORT_TARGETS.filter(isWanted),
};
if (targets.decoders.length + targets.ports.length === 0) {
  const known = [...TARGETS, ...PORT_TARGETS].map(({ name }) => name).join(", ");
  console.error(`There is no target ${values.target}; there are ${known}`);
  Deno.exit(64);
}
if (values.input === undefined) {
  await run(targets, { seconds: Number(values.seconds), seed: Number(values.seed) });
} else {
  for (const target of targets.decoders) {
    const finding = attempt(target, octetsOf(values.input));
    if (finding !== undefined) fail(finding, false);
  }
  console.log("All holds");
}
