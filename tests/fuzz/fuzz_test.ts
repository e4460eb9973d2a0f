/**
 * The bounded run of the fuzzer, and the proof that it would find something.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import type { Bytes } from "../../src/base/bytes.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { HttpRequestReader } from "../../src/daemon/observability/http_request.ts";
import { parseLeapTable } from "../../src/engine/leap/leap_table.ts";
import { KeyExchangeClient } from "../../src/nts/key_exchange/client.ts";
import { decodePacket } from "../../src/protocol/packet.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import { describe, fuzz } from "./fuzzer.ts";
import { several } from "./mutate.ts";
import { PORT_TARGETS } from "./ports.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

const SEED = 20260101;

for (const target of TARGETS) {
  Deno.test(`nothing makes ${target.name} fail (seed ${SEED})`, async () => {
    const { finding } = await fuzz(target, { executions: target.budget, seed: SEED });
    if (finding !== undefined) assert.fail(describe(finding));
  });
}

Deno.test("a fault would be found, and can be repeated", async () => {
  const target: FuzzTarget = {
    name: "fault",
    oracle: "",
    budget: 1,
    seeds: ["00".repeat(48)],
    generate: () => new Uint8Array(60),
    run(octets) {
      if (octets[3] === 0xff && octets.length > 40) throw new Error("found");
    },
  };
  const { finding } = await fuzz(target, { executions: 20_000, seed: 1 });
  assert.ok(finding !== undefined);
  assert.equal(finding.input.slice(6, 8), "ff");
  const again = await fuzz(target, { executions: 20_000, seed: 1 });
  assert.deepEqual(again.finding?.input, finding.input);
  assert.match(describe(finding), /deno task fuzz fault --input [0-9a-f]+$/);
});

Deno.test("each target has a name of its own, and each folder of the corpus a target", () => {
  const names = [...TARGETS, ...PORT_TARGETS].map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const folders = [...Deno.readDirSync(new URL("corpus", import.meta.url))].map(({ name }) => name);
  assert.deepEqual(folders.filter((name) => !names.includes(name)), []);
});

Deno.test("much of what the grammars make is right, so that it comes beyond the first test", () => {
  const random = new SeededRandom(SEED), decoder = new TextDecoder();
  const isRight: Readonly<Record<string, (octets: Bytes) => boolean>> = {
    config: (octets) => parseConfig(decoder.decode(octets)).ok,
    scenario: (octets) => parseScenario(decoder.decode(octets)).ok,
    "leap-file": (octets) => parseLeapTable(decoder.decode(octets)).ok,
    packet: (octets) => decodePacket(octets).ok,
    "http-request": (octets) => new HttpRequestReader().feed(octets).kind === "request",
    "ke-client": (octets) => new KeyExchangeClient({ aeadIds: [15, 30] }).feed(octets).ok,
  };
  for (const [name, check] of Object.entries(isRight)) {
    const target = TARGETS.find((one) => one.name === name);
    assert.ok(target !== undefined);
    const right = several(100, () => check(target.generate(random).slice() as Bytes));
    const share = right.filter((is) => is).length / right.length;
    assert.ok(share > 0.2 && share < 0.95, `${name}: ${share} are right`);
  }
});
