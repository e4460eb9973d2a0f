/**
 * How fast packets are read and written, beside the plainest codec in C (`codec.c`), in the same
 * run.
 *
 * The client handles some packets a minute and the server's hot path has its own reader, so this is
 * not where time goes; the bench is here to notice if that changes. A header in C takes 5 to 10 ns;
 * most of ours is the new array and the garbage it becomes.
 *
 *     deno task bench:codec [--json]
 *
 * @module
 */
import { fromHex } from "../../src/base/bytes.ts";
import { present } from "../../src/base/assert.ts";
import { ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { decodeHeader, encodeHeader } from "../../src/protocol/header.ts";
import { decodePacket } from "../../src/protocol/packet.ts";
import { fromFileUrl, run } from "../support/command.ts";
import { temporaryFolder } from "../support/places.ts";

/**
 * Captured packets, see `header_test.ts` and `packet_test.ts`; the second has two extension fields.
 */
const PLAIN =
  "240206e900000236000003b7c035676ce5f661fd6f165f03e5f663a87619ef40e5f663a8798c6581e5f663a8798eae2b";
const FIELDS = PLAIN + "01040024" + "5a".repeat(32) + "040400d4" + "a5".repeat(208);

const ROUNDS = 7;
const PACKETS = 200_000;
const GOAL = 0.002;

const OPERATIONS = ["decode", "encode", "packet"] as const;
type Operation = (typeof OPERATIONS)[number];

const NAMES: Readonly<Record<Operation, string>> = {
  decode: "header read",
  encode: "header written",
  packet: "packet with two fields read",
};

/** Nanoseconds for one packet. */
type Times = Readonly<Record<Operation, number>>;

function bytes(hex: string) {
  return present(fromHex(hex), "A captured packet is hexadecimal");
}

function time(work: (i: number) => number): number {
  const start = performance.now();
  let sink = 0;
  for (let i = 0; i < PACKETS; i++) sink += work(i);
  const elapsed = performance.now() - start;
  if (Number.isNaN(sink)) throw new Error("The work was not done");
  return elapsed * 1e6 / PACKETS;
}

function measureOurs(): Times {
  const plain = bytes(PLAIN), fields = bytes(FIELDS);
  const decoded = decodeHeader(plain);
  if (!decoded.ok) throw new Error(decoded.error);
  const header = decoded.value;
  return {
    decode: time((i) => {
      plain[47] = i;
      const read = decodeHeader(plain);
      return read.ok ? read.value.stratum : NaN;
    }),
    encode: time((i) =>
      encodeHeader({ ...header, transmitTimestamp: ntpTimestamp(BigInt(i)) })[47] ?? NaN
    ),
    packet: time((i) => {
      fields[47] = i;
      const read = decodePacket(fields);
      return read.ok ? read.value.fields.length : NaN;
    }),
  };
}

function median(values: readonly number[]): number {
  return present(values.toSorted((a, b) => a - b)[values.length >> 1], "There are some rounds");
}

async function measure(): Promise<{ ours: readonly Times[]; peer: readonly Times[] }> {
  await using folder = await temporaryFolder();
  const program = `${folder.path}/codec`;
  const source = fromFileUrl(new URL("codec.c", import.meta.url));
  await run("gcc", { args: ["-O2", "-Wall", "-o", program, source] });
  measureOurs();
  const ours: Times[] = [], peer: Times[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(measureOurs());
    const { stdout } = await run(program, { args: [PLAIN, FIELDS, String(20 * PACKETS)] });
    peer.push(JSON.parse(stdout));
  }
  return { ours, peer };
}

const { ours, peer } = await measure();
const rows = OPERATIONS.map((operation) => {
  const perSecond = (times: readonly Times[]) => 1e9 / median(times.map((each) => each[operation]));
  const ntpsd = perSecond(ours), reference = perSecond(peer);
  return {
    name: NAMES[operation],
    ntpsd: Math.round(ntpsd),
    peer: Math.round(reference),
    unit: "packets per second",
    ratio: Number((ntpsd / reference).toFixed(4)),
    goal: GOAL,
    rounds: ROUNDS,
  };
});

if (Deno.args.includes("--json")) {
  console.log(JSON.stringify(rows));
} else {
  console.log(
    "Packets per second, median of " + ROUNDS + " rounds; the peer is a plain codec in C",
  );
  console.log("");
  console.log(`${"".padEnd(30)}${"ntpsd".padStart(12)}${"C".padStart(14)}${"ratio".padStart(9)}`);
  for (const { name, ntpsd, peer: c, ratio } of rows) {
    const numbers = [ntpsd.toLocaleString("en").padStart(12), c.toLocaleString("en").padStart(14)];
    console.log(`${name.padEnd(30)}${numbers.join("")}${ratio.toFixed(4).padStart(9)}`);
  }
}
