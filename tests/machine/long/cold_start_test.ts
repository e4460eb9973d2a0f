/**
 * The same cold start for ntpsd and for chronyd, one after the other: what the emulated network
 * lets either of them reach, and how long it takes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findPeer } from "../../support/debian_packages.ts";
import { settledError } from "../../support/machine/judge.ts";
import { findMachineParts } from "../../support/machine/parts.ts";
import { World } from "../../support/machine/world.ts";
import { needs } from "../../support/needs.ts";

const parts = await findMachineParts();
const chronyd = await findPeer("chronyd");

const BEHIND_SECONDS = 0.9;
const LEFTOVER_TICK = 10_003;
const WATCH_SECONDS = 240;
const WATCH_MS = 500;
/** After so long the first minute is over. */
const SETTLED_SECONDS = 60;
const ERROR_MAX_SECONDS = 5e-3;

for (const name of ["ntpsd", "chronyd"] as const) {
  Deno.test({
    name: `four minutes from a cold start, by ${name}${
      needs(parts === undefined || chronyd === undefined, "a virtual machine and chronyd")
    }`,
    ignore: parts === undefined || chronyd === undefined,
    async fn() {
      if (parts === undefined || chronyd === undefined) return;
      await using world = await World.start(parts);
      const { machine } = world;
      await machine.sh(`busybox adjtimex -t ${LEFTOVER_TICK}`);
      await world.putAhead(-BEHIND_SECONDS);
      const watch = await world.watch({
        milliseconds: WATCH_MS,
        count: WATCH_SECONDS * 1000 / WATCH_MS,
      });
      const daemon = name === "ntpsd"
        ? await world.startDaemon(world.config())
        : await world.startChronyd(chronyd);
      await daemon.waitFor(/stepped/);
      const error = settledError(await watch.all(), SETTLED_SECONDS);
      console.log(`    ${name} after a minute: ${error.text}`);
      if (name === "ntpsd") assert.ok(error.rms < ERROR_MAX_SECONDS, error.text);
    },
  });
}
