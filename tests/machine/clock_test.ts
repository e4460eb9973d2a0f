/**
 * The clock of a real kernel: a cold start, almost a second behind and fast by a tick that another
 * daemon has left; a second start; what others do to the clock meanwhile; a leap second.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findPeer } from "../support/debian_packages.ts";
import { MICROSECONDS, settledError } from "../support/machine/judge.ts";
import type { RunningScript } from "../support/machine/machine.ts";
import { findMachineParts } from "../support/machine/parts.ts";
import { World } from "../support/machine/world.ts";
import { needs } from "../support/needs.ts";
import { PATIENCE_MS, waitUntil } from "../support/wait_until.ts";
import { INSERTION_TABLE, passLeapSecond } from "./leap_case.ts";

const parts = await findMachineParts();
const chronyd = await findPeer("chronyd");

/** The clock is behind by this at the start. */
const BEHIND_SECONDS = 0.9;
/** The usual tick is 10000 microseconds; this one makes the clock fast by 300 ppm. */
const LEFTOVER_TICK = 10_003;
/** What another daemon may have set while ntpsd did not run: 100 ppm, as adjtimex writes it. */
const FOREIGN_FREQUENCY = 100 * 65_536;
const WATCH_MS = 250;
const WATCH_SECONDS = 25;
const SETTLED_SECONDS = 15;
/** Jitter of the emulated network is some milliseconds on a busy machine. */
const ERROR_MAX_SECONDS = 5e-3;
const FREQUENCY_ERROR_MAX_PPM = 40;
/** A frequency known worse than to 25 ppm is not saved. */
const SKEW_MAX_PPM = 15;
/** Frequent measurements make the test short. */
const OFTEN = "[source-defaults]\npoll-interval-limits = { min = 1, max = 3 }\n" +
  "initial-poll-interval = 1\n";

const ALWAYS_STEP = "[synchronization]\nstep-limit = -1\n";
const STAND_STILL_MS = 2000;

Deno.test({
  name: `a clock 0.9 s behind and 300 ppm fast is stepped, slewed and kept${
    needs(parts === undefined, "a virtual machine")
  }`,
  ignore: parts === undefined,
  async fn(t) {
    if (parts === undefined) return;
    await using world = await World.start(parts);
    const { machine } = world;
    // A step that failed has left a daemon behind, and the next ones would show nothing.
    let isFine = true;
    const step = async (name: string, run: () => Promise<void>) => {
      isFine &&= await t.step(name, run);
    };
    let daemon: RunningScript | undefined;

    await step("ntpsd version", async () => {
      assert.match(await machine.sh("ntpsd version"), /^ntpsd \d+\.\d+\.\d+ \(x86_64-linux, /);
    });

    await step("stepped, slewed, the tick taken over", () => startCold(world));

    await step("the next start begins with the frequency of the drift file", async () => {
      const [drift = ""] = (await machine.sh("cat /var/lib/ntpsd/drift")).split(" ");
      assert.ok(Math.abs(Number(drift)) < FREQUENCY_ERROR_MAX_PPM, `${drift} ppm`);
      await machine.sh(`busybox adjtimex -t 10000 -f ${FOREIGN_FREQUENCY}`);
      daemon = await world.startDaemon(world.config(`${OFTEN}${ALWAYS_STEP}`));
      // on a busy machine the first samples can mislead for a while
      await world.waitForStatus(({ state, frequencyPpm }) =>
        state === "synchronized" && Math.abs(frequencyPpm) < FREQUENCY_ERROR_MAX_PPM
      );
      assert.match(await daemon.output(), /Adjusts the clock, which runs at 100\.000 ppm now/);
    });

    await step("a step from outside is undone", async () => {
      await machine.sh("date -s @$(($(date +%s) + 5))");
      await daemon?.waitFor(/The clock was stepped from outside by [345]\.\d+ s/);
      await daemon?.waitFor(/The clock is stepped by -[345]\.\d+ s/);
      await world.waitUntilRight(ERROR_MAX_SECONDS);
    });

    await step("a frequency from outside is undone", async () => {
      await machine.sh(`busybox adjtimex -f ${3 * FOREIGN_FREQUENCY}`);
      await daemon?.waitFor(/The clock's frequency was set from outside, from .* to 300\.000 ppm/);
      const sights = await world.watchFor(5, WATCH_MS);
      assert.ok(Math.abs(sights.at(-1)?.ratePpm ?? Infinity) < 250, JSON.stringify(sights));
      await world.waitUntilRight(ERROR_MAX_SECONDS);
    });

    await step("after a stand-still the clock is put right", async () => {
      await standStill(world, daemon);
      await world.waitUntilRight(ERROR_MAX_SECONDS);
      const status = await waitUntil(
        async () => {
          const status = await world.status();
          return status?.state === "synchronized" ? status : undefined;
        },
        {
          timeoutMs: PATIENCE_MS,
          everyMs: 1000,
          what: () => "a clock that is called synchronised",
        },
      );
      assert.equal(status.internalErrors, 0);
      if (daemon !== undefined) await world.stopDaemon(daemon);
    });

    await step("a leap second is inserted, as the table says and no server", async () => {
      const tai = 37;
      const table = INSERTION_TABLE;
      await passLeapSecond(world, { day: "2034-12-31", kind: "insert", table, tai });
    });
  },
});

/** Lets the machine stand still, and waits for the step that makes up for it. */
async function standStill(world: World, daemon: RunningScript | undefined): Promise<void> {
  const seconds = await world.machine.standStill(STAND_STILL_MS);
  await world.anchor();
  const steps = async () => [
    ...(await daemon?.output() ?? "").matchAll(/The clock is stepped by (\d+\.\d+) s/g),
  ];
  await waitUntil(
    async () => (await steps()).some(([, by]) => Math.abs(Number(by) - seconds) < 0.1),
    { timeoutMs: PATIENCE_MS, everyMs: 1000, what: () => `a step by ${seconds} s` },
  );
}

/** Starts the daemon on a clock that is behind and fast; ends it when it knows the frequency. */
async function startCold(world: World): Promise<void> {
  await world.machine.sh(`busybox adjtimex -t ${LEFTOVER_TICK}`);
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
  const status = await world.waitForStatus(({ state, frequencyPpm }) =>
    state === "synchronized" && Math.abs(frequencyPpm) < FREQUENCY_ERROR_MAX_PPM
  );
  await isFoundByNtpq(world);
  assert.deepEqual([status.adjusting, status.steps.count], [true, 1]);
  if (chronyd !== undefined) {
    const offset = await world.askByChronyd(chronyd);
    console.log(`    chronyd -Q: wrong by ${(offset / MICROSECONDS).toFixed(0)} us`);
    assert.ok(Math.abs(offset) < ERROR_MAX_SECONDS, `${offset}`);
  }
  await world.waitForStatus(({ skewPpm }) => skewPpm < SKEW_MAX_PPM);
  await world.stopDaemon(daemon);
}

/** A tool finds the daemon at port 123 of both families, without a right to open such ports. */
async function isFoundByNtpq({ machine }: World): Promise<void> {
  const sets = await machine.sh(
    `grep -h ^CapEff: /proc/$(cat /run/ntpsd.pid)/task/*/status | sort -u`,
  );
  assert.doesNotMatch(sets, /[4-7c-f]..$/m, "no CAP_NET_BIND_SERVICE");
  for (const address of ["127.0.0.1", "::1"]) {
    const ask = `exec 3<>/dev/udp/${address}/123; printf '\\x16\\x02%010d' 0 | tr 0 '\\0' >&3`;
    const read = "dd bs=1000 count=1 status=none <&3 | tr -dc '[:print:]'";
    const said = await machine.sh(`timeout 10 bash -c "${ask}; ${read}"`);
    assert.match(said, /version="ntpsd /, address);
  }
}
