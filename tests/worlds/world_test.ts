import assert from "node:assert/strict";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import { KIND_NAMES, kindOf, makeWorld, worldNumbers } from "./world.ts";

Deno.test("every world is a scenario of its kind, always the same", () => {
  for (const number of worldNumbers(0, { count: 500, kind: undefined })) {
    const { kind, text } = makeWorld(number);
    const parsed = parseScenario(text);
    assert.ok(parsed.ok, `${text}\n${parsed.ok ? "" : JSON.stringify(parsed.error)}`);
    assert.equal(parsed.value.name, `${kind}-${number}`);
    assert.equal(parsed.value.seed, number);
    assert.ok(parsed.value.measureFrom < 0.9 * parsed.value.duration, text);
    const late = parsed.value.events.filter(({ at }) => at >= parsed.value.duration);
    assert.deepEqual(late, [], text);
    assert.equal(makeWorld(number).text, text);
  }
});

Deno.test("any hundred numbers hold every kind, and a kind can be chosen", () => {
  const kinds = worldNumbers(12_300, { count: 100, kind: undefined }).map(kindOf);
  assert.deepEqual(new Set(kinds), new Set(KIND_NAMES));
  const chosen = worldNumbers(7, { count: 5, kind: "leap" });
  assert.deepEqual(chosen.map(kindOf), Array.from({ length: 5 }, () => "leap"));
  assert.ok(chosen.every((number) => number >= 7));
});
