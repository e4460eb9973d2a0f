/**
 * How long an idle server keeps a request, beside chronyd: `deno task bench:residence`.
 *
 * Both servers run in one network namespace and are asked in turn from another one, over a veth
 * pair, so rarely that each request finds the server asleep. The figures are those of
 * `residence.c`, in microseconds; the truth of the offset is 0.
 *
 * Limits: Linux, root, a C compiler. What else the machine does delays each awakening.
 *
 *     deno task bench:residence [--json] [--kind=source|bundle|executable] [--rounds=N] [--count=N]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { startChronyd } from "../support/chronyd.ts";
import { fromFileUrl, run } from "../support/command.ts";
import { findPeer } from "../support/debian_packages.ts";
import { networkPair } from "../support/network_namespace.ts";
import { KINDS, startServer } from "../support/ntpsd.ts";
import { temporaryFolder } from "../support/places.ts";
import { pause } from "../support/wait_until.ts";
import { median } from "../../src/simulation/statistics.ts";

/** What the client prints. */
interface Residence {
  readonly answered: number;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly stated: number;
  readonly offset: number;
}

const GAPS_MICROSECONDS = [20_000, 200_000];
const PORTS = { ntpsd: 1123, chronyd: 123 };
/** Code that has run a few times only is slower. */
const WARM_UP = { count: 300, gap: 2000 };

const options = parseArgs({
  args: Deno.args,
  options: {
    json: { type: "boolean" },
    kind: { type: "string", default: "source" },
    rounds: { type: "string", default: "3" },
    count: { type: "string", default: "50" },
  },
}).values;

async function main(): Promise<void> {
  const kind = KINDS.find((each) => each === options.kind);
  if (kind === undefined) {
    throw new Error(`--kind wants ${KINDS.join(", ")}, found ${options.kind}`);
  }
  const peer = await findPeer("chronyd");
  if (peer === undefined) throw new Error("There is no chronyd to compare with");
  await using folder = await temporaryFolder();
  const client = `${folder.path}/residence`;
  const source = fromFileUrl(new URL("residence.c", import.meta.url));
  await run("gcc", { args: ["-O2", "-Wall", "-o", client, source] });
  await using network = await networkPair();
  const { namespace, ipv4 } = network.right;
  await using _ = await startChronyd(peer, { address: ipv4, port: PORTS.chronyd, namespace });
  const config = `[[server]]\nlisten = "${ipv4}:${PORTS.ntpsd}"\n`;
  await using __ = await startServer({ kind, config, namespace });
  await pause(500);
  const ask = async (port: number, { count, gap }: { count: number; gap: number }) => {
    const inside = ["netns", "exec", network.left.namespace, client];
    const args = [...inside, ipv4, String(port), String(count), String(gap)];
    return JSON.parse((await run("ip", { args })).stdout) as Residence;
  };
  for (const port of Object.values(PORTS)) await ask(port, WARM_UP);
  for (const gap of GAPS_MICROSECONDS) {
    const rounds: Record<keyof typeof PORTS, Residence[]> = { ntpsd: [], chronyd: [] };
    for (let round = 0; round < Number(options.rounds); round++) {
      const count = Number(options.count);
      rounds.ntpsd.push(await ask(PORTS.ntpsd, { count, gap }));
      rounds.chronyd.push(await ask(PORTS.chronyd, { count, gap }));
    }
    for (const [name, of] of Object.entries(rounds)) report(name, { gap, of });
  }
}

function report(
  name: string,
  { gap, of }: { readonly gap: number; readonly of: readonly Residence[] },
): void {
  const middle = (key: keyof Residence) => median(of.map((each) => each[key]));
  const figures = {
    name,
    gapMicroseconds: gap,
    median: middle("median"),
    p10: middle("p10"),
    p90: middle("p90"),
    stated: middle("stated"),
    offset: middle("offset"),
  };
  if (options.json === true) return console.log(JSON.stringify(figures));
  console.log(
    `${name.padEnd(8)} asked every ${gap / 1000} ms: keeps a request ${figures.median} us ` +
      `(${figures.p10} to ${figures.p90}), states ${figures.stated}, offset ${figures.offset}`,
  );
}

await main();
