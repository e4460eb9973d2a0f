/**
 * What the parts of the answer path cost by themselves, in nanoseconds, without sockets. Printed by
 * `bench:server`.
 *
 * @module
 */
import { SeededRandom } from "../../src/base/random.ts";
import { AccessRules } from "../../src/server/access.ts";
import type { Client } from "../../src/server/client.ts";
import { HeaderTemplate } from "../../src/server/clock_state.ts";
import { RateLimiter } from "../../src/server/rate_limit.ts";
import { MemoryBatch } from "../support/memory_batch.ts";
import { Responder } from "../../src/server/respond.ts";
import { request, SYNCHRONIZED } from "../support/test_server.ts";

const PREFIXES = 10_000;
const CALLS = 1_000_000;
const CLIENTS = 1 << 16;

/** Does not keep the answers. */
class ForgetfulBatch extends MemoryBatch {
  override queueResponse(): void {}
}

/** Prints a line for each part. */
export function printParts(): void {
  const random = new SeededRandom(4);
  for (const family of [4, 6] as const) {
    const rules = manyPrefixes(random, family);
    const client = manyClients(random, family);
    const time = measure((i) => {
      client.at = 4 * (i & (CLIENTS - 1));
      return rules.decide(client);
    });
    console.log(`  access list with ${PREFIXES} IPv${family} prefixes: ${time.toFixed(0)} ns`);
  }
  const limiter = new RateLimiter({ interval: 3, burst: 8, leak: 2, random });
  const client = manyClients(random, 4);
  const time = measure((i) => {
    client.at = 4 * (i & (CLIENTS - 1));
    if ((i & 63) === 0) limiter.advance(i * 1e-6);
    return limiter.check(client);
  });
  const mebibytes = limiter.byteLength / 1024 / 1024;
  console.log(`  rate limit, ${CLIENTS} clients, ${mebibytes} MiB: ${time.toFixed(0)} ns`);
  console.log(`  an answer: ${measureAnswers(random).toFixed(0)} ns`);
}

function manyPrefixes(random: SeededRandom, family: 4 | 6): AccessRules {
  const filter = Array.from({ length: PREFIXES }, () => {
    // Long enough that few of them hold others.
    const a = random.uint32(), length = (family === 4 ? 18 : 34) + random.uint32() % 14;
    const v4 = [a >>> 24, (a >>> 16) & 255, (a >>> 8) & 255, a & 255].join(".");
    const v6 = `2001:${(a >>> 16).toString(16)}:${(a & 0xffff).toString(16)}::`;
    return `${family === 4 ? v4 : v6}/${length}`;
  });
  const built = AccessRules.build({ denylist: { filter, action: "ignore" } });
  if (!built.ok) throw new Error(built.error);
  return built.value;
}

function manyClients(random: SeededRandom, family: 4 | 6): Client {
  const words = new Uint32Array(4 * CLIENTS);
  for (let i = 0; i < words.length; i++) words[i] = random.uint32();
  if (family === 6) {
    for (let i = 0; i < words.length; i += 4) {
      words[i] = 0x20010000 + ((words[i] ?? 0) & 0xffff);
    }
  }
  return { words, at: 0, family };
}

function measureAnswers(random: SeededRandom): number {
  const responder = new Responder({
    template: new HeaderTemplate(SYNCHRONIZED),
    random,
    readClock: (out, index) => {
      out[index] = 1;
    },
  });
  const batch = new ForgetfulBatch();
  batch.fill(Array.from({ length: 64 }, () => ({ octets: request() })));
  return measure(() => {
    responder.respond(batch, { now: 1000, sendSeconds: 2e-6 });
    return batch.count;
  }, CALLS / 64) / 64;
}

/** Nanoseconds for a call, after as many to warm up. */
function measure(work: (i: number) => number, calls = CALLS): number {
  let sink = 0, start = 0;
  for (let round = 0; round < 2; round++) {
    start = performance.now();
    for (let i = 0; i < calls; i++) sink += work(i);
  }
  const elapsed = performance.now() - start;
  if (Number.isNaN(sink)) throw new Error("The work was not done");
  return elapsed * 1e6 / calls;
}
