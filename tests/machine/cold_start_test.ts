/**
 * A cold start on a real kernel: the clock almost a second behind, and fast by a tick that another
 * daemon has left.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findPeer } from "../support/debian_packages.ts";
import { MICROSECONDS, settledError } from "../support/machine/judge.ts";
import { findMachineParts } from "../support/machine/parts.ts";
import { World } from "../support/machine/world.ts";
import { needs } from "../support/needs.ts";

const parts = await findMachineParts();
const chronyd = await findPeer("chronyd");

/** The clock is behind by this at the start. */
const BEHIND_SECONDS = 0.9;
/** The usual tick is 10000 microseconds; this one makes the clock fast by 300 ppm. */
const LEFTOVER_TICK = 10_003;
/** What another daemon may have set while ntpsd did not run: 100 ppm, as adjtimex writes it. */
const FOREIGN_FREQUENCY = 100 * 65_536;
const WATCH_MS = 250;
const WATCH_SECONDS = 40;
const SETTLED_SECONDS = 25;
/** Jitter of the emulated network is some milliseconds on a busy machine. */
const ERROR_MAX_SECONDS = 5e-3;
const FREQUENCY_ERROR_MAX_PPM = 40;
/** A frequency known worse than to 25 ppm is not saved. */
const SKEW_MAX_PPM = 15;
/** Frequent measurements make the test short. */
const OFTEN = "[source-defaults]\npoll-interval-limits = { min = 1, max = 3 }\n" +
  "initial-poll-interval = 1\n";

Deno.test({
  name: `a clock 0.9 s behind and 300 ppm fast is stepped, slewed and kept${
    needs(parts === undefined, "a virtual machine")
  }`,
  ignore: parts === undefined,
  async fn(t) {
    if (parts === undefined) return;
    await using world = await World.start(parts);
    const { machine } = world;

    await t.step("ntpsd version", async () => {
      assert.match(await machine.sh("ntpsd version"), /^ntpsd \d+\.\d+\.\d+ \(x86_64-linux, /);
    });

    await t.step("stepped, slewed, the tick taken over", async () => {
      await machine.sh(`busybox adjtimex -t ${LEFTOVER_TICK}`);
      await world.putAhead(-BEHIND_SECONDS);
      const daemon = await world.startDaemon(world.config(OFTEN));
      await daemon.waitFor(/stepped/);
      const sights = await world.watchFor(WATCH_SECONDS, WATCH_MS);
      const log = await daemon.output();
      assert.match(log, /Adjusts the clock, which runs at 300\.000 ppm now/);
      assert.match(log, /The clock is stepped by 0\.[89]\d* s/);
      const error = settledError(sights, SETTLED_SECONDS);
      console.log(`    ${SETTLED_SECONDS} s after the step: ${error.text}`);
      assert.ok(error.largest < ERROR_MAX_SECONDS, error.text);
      const status = await world.waitForStatus(({ state }) => state === "synchronized");
      assert.deepEqual([status.adjusting, status.steps.count], [true, 1]);
      assert.ok(Math.abs(status.frequencyPpm) < FREQUENCY_ERROR_MAX_PPM, `${status.frequencyPpm}`);
      if (chronyd !== undefined) {
        const offset = await world.askByChronyd(chronyd);
        console.log(`    chronyd -Q: wrong by ${(offset / MICROSECONDS).toFixed(0)} us`);
        assert.ok(Math.abs(offset) < ERROR_MAX_SECONDS, `${offset}`);
      }
      await world.waitForStatus(({ skewPpm }) => skewPpm < SKEW_MAX_PPM);
      await world.stopDaemon(daemon);
    });

    await t.step("the next start begins with the frequency of the drift file", async () => {
      const [drift = ""] = (await machine.sh("cat /var/lib/ntpsd/drift")).split(" ");
      assert.ok(Math.abs(Number(drift)) < FREQUENCY_ERROR_MAX_PPM, `${drift} ppm`);
      await machine.sh(`busybox adjtimex -t 10000 -f ${FOREIGN_FREQUENCY}`);
      const daemon = await world.startDaemon(world.config(OFTEN));
      const { frequencyPpm } = await world.waitForStatus(({ state }) => state === "synchronized");
      assert.match(await daemon.output(), /Adjusts the clock, which runs at 100\.000 ppm now/);
      assert.ok(Math.abs(frequencyPpm) < FREQUENCY_ERROR_MAX_PPM, `${frequencyPpm} ppm`);
      await world.stopDaemon(daemon);
    });
  },
});
