/**
 * A leap second on a real kernel: announced, made by the kernel, and not noticed by the offset.
 *
 * The idea: the machine's clock and the servers are put a little before midnight of a last day of
 * June or December; at midnight the servers do what a leap second does to NTP. Limits: the servers
 * step at once, as a kernel does.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Sight, World } from "../support/machine/world.ts";
import { waitUntil } from "../support/wait_until.ts";

/** A leap second and who announces it. */
export interface LeapCase {
  /** The last day before it, such as `2034-12-31`. */
  readonly day: string;
  /** Whether a second is inserted or deleted. */
  readonly kind: "insert" | "delete";
  /** The table of leap seconds; without one the servers announce it. */
  readonly table?: string;
  /** What the kernel is to believe of TAI - UTC before it. */
  readonly tai: number;
}

/**
 * A table of the future, since a time before the release of ntpsd is not believed: a second is
 * inserted at the end of 2034. The digest is what sha1sum makes of the digits.
 */
export const INSERTION_TABLE = `#$ 4244918400
#@ 4275590400
3692217600 37
4260211200 38
#h cc93f806 0dfa667d 840fcb6e 6e5b9273 5e0c08cb
`;

/** How long before midnight the daemon starts: a busy machine may need longer, and gets it then. */
const LEADS_SECONDS = [60, 300];
/** So much longer all of it takes at the most. */
const MORE_SECONDS = 90;
const WATCH_MS = 250;
const ERROR_MAX_SECONDS = 5e-3;
const INDICATOR = { insert: 1, delete: 2 };
/** STA_INS and STA_DEL of the kernel, and what adjtimex returns then. */
const KERNEL_FLAG = { insert: 0x10, delete: 0x20 };
const OFTEN = "[source-defaults]\npoll-interval-limits = { min = 1, max = 3 }\n" +
  "initial-poll-interval = 1\n";

/** Lets a leap second pass, and checks that it is made once and right. */
export async function passLeapSecond(world: World, leap: LeapCase): Promise<void> {
  for (const lead of LEADS_SECONDS) if (await isPassed(world, { ...leap, lead })) return;
  throw new Error("The machine was not ready before midnight");
}

/** The same, with so many seconds to get ready; false if they were too few. */
async function isPassed(
  world: World,
  { lead, ...leap }: LeapCase & { readonly lead: number },
): Promise<boolean> {
  const midnight = Date.parse(`${leap.day}T00:00:00Z`) / 1000 + 86_400;
  await world.machine.sh(`date -s @${midnight - lead}`);
  await world.putAhead(0);
  world.tell({ leap: leap.table === undefined ? INDICATOR[leap.kind] : 0 });
  const daemon = await world.startDaemon(world.config(await tableConfig(world, leap)));
  const timeoutMs = 1000 * (lead + MORE_SECONDS);
  const watch = await world.watch({ milliseconds: WATCH_MS, count: timeoutMs / WATCH_MS });
  const last = async () => (await watch.soFar()).at(-1);
  const flag = async () => ((await last())?.status ?? 0) & KERNEL_FLAG[leap.kind];
  const until = (look: () => boolean | Promise<boolean>, everyMs = 200) => {
    const what = () => String(look);
    return waitUntil(look, { timeoutMs, everyMs, what });
  };
  const gained = leap.kind === "insert" ? -1 : 1;
  try {
    const change = midnight - (leap.kind === "delete" ? 1 : 0);
    await until(async () => await flag() !== 0 || world.serversTime() >= change);
    if (world.serversTime() >= change && lead !== LEADS_SECONDS.at(-1)) {
      await world.stopDaemon(daemon);
      return false;
    }
    assert.notEqual(await flag(), 0, "the kernel is told before midnight");
    assert.equal((await last())?.tai, leap.tai, "TAI - UTC before");
    await until(() => world.serversTime() >= change, 1);
    world.tell({ offsetSeconds: world.offsetSeconds + gained, leap: 0 });
    await daemon.waitFor(leap.kind === "insert" ? /second was inserted/ : /second was deleted/);
    await until(async () => (await last())?.tai === leap.tai - gained && await flag() === 0);
    const status = await world.waitForStatus(({ state }) => state === "synchronized");
    assert.equal(status.steps.count, 0, "no step beside the leap second");
    await world.waitUntilRight(ERROR_MAX_SECONDS);
    checkClock((await watch.soFar()).filter(({ tai }) => tai === leap.tai - gained).slice(1));
  } catch (error) {
    throw new Error(`The daemon said:\n${await daemon.output()}`, { cause: error });
  }
  await world.stopDaemon(daemon);
  return true;
}

/** Checks the clock from the leap second on. */
function checkClock(sights: readonly Sight[]): void {
  const largest = Math.max(...sights.map(({ errorSeconds }) => Math.abs(errorSeconds)));
  assert.ok(largest < ERROR_MAX_SECONDS, JSON.stringify(sights));
  assert.deepEqual(sights.filter(({ tai, taiClockSeconds }) => tai !== taiClockSeconds), []);
  console.log(`    after the leap second: error at most ${(largest * 1e6).toFixed(0)} us`);
}

async function tableConfig(world: World, leap: LeapCase): Promise<string> {
  if (leap.table === undefined) return OFTEN;
  await world.machine.folder.write("leap-seconds.list", leap.table);
  await world.machine.sh("mkdir -p /etc/ntpsd; cp /machine/leap-seconds.list /etc/ntpsd");
  return `leap-seconds-file = "/etc/ntpsd/leap-seconds.list"\n${OFTEN}`;
}
