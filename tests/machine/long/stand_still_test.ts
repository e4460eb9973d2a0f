/**
 * A machine that stood still for long, and one whose clock of the hardware was wrong at the start.
 *
 * The idea: a stand-still of an hour is one of a second after which the servers are an hour ahead;
 * for the machine that is the same.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findMachineParts } from "../../support/machine/parts.ts";
import { World } from "../../support/machine/world.ts";
import { needs } from "../../support/needs.ts";

const parts = await findMachineParts();

const ERROR_MAX_SECONDS = 5e-3;
const PANIC_STATUS = 76;
/** By default an offset is corrected by at most 83333 ppm. */
const SLEW_PPM = 83_333;
const OFTEN = "[source-defaults]\npoll-interval-limits = { min = 1, max = 3 }\n" +
  "initial-poll-interval = 1\n";
const ANY_STEP = "[synchronization]\n" +
  'startup-step-panic-threshold = { forward = "inf", backward = "inf" }\n';

async function standStill(world: World, seconds: number): Promise<void> {
  const realSeconds = 1;
  world.tell({ offsetSeconds: world.offsetSeconds + seconds - realSeconds });
  await world.machine.standStill(realSeconds * 1000);
  await world.anchor();
}

Deno.test({
  name: `after a minute the clock is slewed, after an hour ntpsd exits and says so${
    needs(parts === undefined, "a virtual machine")
  }`,
  ignore: parts === undefined,
  async fn() {
    if (parts === undefined) return;
    await using world = await World.start(parts);
    const daemon = await world.startDaemon(world.config(OFTEN));
    await world.waitForStatus(({ skewPpm, state }) => state === "synchronized" && skewPpm < 15);
    await standStill(world, 60);
    await daemon.waitFor(
      /The clock is (59|60)\.\d+ s behind what the sources agree on; step-limit/,
    );
    const sights = await world.watchFor(10, 500);
    const rate = sights.at(-1)?.ratePpm ?? 0;
    assert.ok(Math.abs(rate - SLEW_PPM) < 300, `${rate} ppm`);
    await standStill(world, 3600);
    await daemon.waitFor(/exits and leaves the clock as it is: .* single-step-panic-threshold/);
    assert.equal(await daemon.status, PANIC_STATUS);
    const after = await world.watchFor(5, 500);
    assert.ok(Math.abs(after.at(-1)?.ratePpm ?? Infinity) < 50, "the slew is ended");
  },
});

Deno.test({
  name: `a clock of the hardware that is years wrong is stepped at the start, if that is allowed${
    needs(parts === undefined, "a virtual machine")
  }`,
  ignore: parts === undefined,
  async fn(t) {
    if (parts === undefined) return;
    for (const rtc of ["2001-02-03T04:05:06", "2037-12-31T23:00:00"]) {
      await t.step(rtc, async () => {
        await using world = await World.start(parts, { rtc });
        const careful = await world.startDaemon(world.config(OFTEN));
        await careful.waitFor(/beyond the startup-step-panic-threshold of 1800 s; no majority of/);
        assert.equal(await careful.status, PANIC_STATUS);
        const daemon = await world.startDaemon(world.config(`${OFTEN}${ANY_STEP}`));
        await daemon.waitFor(/The clock is stepped by -?\d+\.\d+ s/);
        await world.waitUntilRight(ERROR_MAX_SECONDS);
        const { steps } = await world.waitForStatus(({ state }) => state === "synchronized");
        assert.equal(steps.count, 1);
      });
    }
  },
});
