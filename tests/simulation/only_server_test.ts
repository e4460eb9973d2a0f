/**
 * The only server that there is, put right by seconds to minutes: it is used again after at most
 * five samples of its new time, whatever the poll interval.
 */
import assert from "node:assert/strict";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import type { Observer } from "../../src/simulation/observer.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";

/** When the server is put right, in seconds from the start. */
const AT = 3600;
const SAMPLES_MAX = 5;

/** Counts exchanges that ended since the change, up to the one with which the source is used. */
class Count implements Observer {
  isLeftAside = false;
  samples = 0;
  samplesToUse: number | undefined;

  sample(): void {}
  happened(): void {}

  action(...[time, { type }]: Parameters<Observer["action"]>): void {
    if (time > AT && type === "close") this.samples++;
  }

  snapshot(...[time, { snapshot }]: Parameters<Observer["snapshot"]>): void {
    if (time <= AT) return;
    const isUsed = snapshot.sources[0]?.status === "selected";
    this.isLeftAside ||= !isUsed;
    if (this.isLeftAside && isUsed) this.samplesToUse ??= this.samples;
  }
}

for (const step of [10, 60, 600]) {
  Deno.test(`an only server that was put right by ${step} s is used after five samples`, () => {
    for (const [min, max] of [[6, 6], [7, 7], [8, 8], [9, 9], [10, 10], [6, 10]]) {
      const scenario = parseScenario(`
        name = "only-server-put-right"
        duration = "4h"
        clock = { offset = "50ms", frequency-ppm = 12, wander = 1e-9 }
        [[server]]
        name = "a"
        [[event]]
        at = ${AT}
        kind = "server-change"
        offset = ${step}
        [ntpsd.source-defaults]
        poll-interval-limits = { min = ${min}, max = ${max} }`);
      assert.ok(scenario.ok, scenario.ok ? "" : JSON.stringify(scenario.error));
      for (const seed of [1, 2, 3]) {
        const observer = new Count();
        runScenario(scenario.value, { seed, createEngine: createSimulatedEngine, observer });
        const { samplesToUse = Infinity } = observer;
        const what = `polls ${min} to ${max}, seed ${seed}: ${samplesToUse} samples`;
        assert.ok(samplesToUse <= SAMPLES_MAX, what);
      }
    }
  });
}
