/**
 * The unit of dist/ under a real systemd, installed as README.md says: readiness, reload, crash,
 * what it shuts out, what its threads may do, and what the journal has of it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findMachineParts } from "../support/machine/parts.ts";
import { World } from "../support/machine/world.ts";
import { needs } from "../support/needs.ts";
import { haveProgram } from "../support/command.ts";
import { waitUntil } from "../support/wait_until.ts";

const parts = await findMachineParts();
const hasSystemd = await haveProgram("/lib/systemd/systemd");
const canRun = parts !== undefined && hasSystemd;

/** CAP_SYS_TIME alone; the configuration listens on no port below 1024. */
const CAPABILITIES = "0000000002000000";
/** What the unit allows: CAP_NET_BIND_SERVICE too, which no_new_privs keeps out of reach. */
const BOUNDING_SET = "0000000002000400";
const WATCHDOG_SECONDS = 10;
const RESTART_TIMEOUT_MS = 300_000;
const WATCHED = ["ActiveState", "Result", "ExecMainStatus", "NRestarts", "MainPID"] as const;

/** Stands for a time daemon that the machine had before. */
const OTHER_DAEMON = `[Service]
ExecStart=/bin/sleep infinity
`;

Deno.test({
  name: `the systemd unit${needs(!canRun, "a virtual machine and systemd")}`,
  ignore: !canRun,
  async fn(t) {
    if (parts === undefined) return;
    await using world = await World.start(parts, { systemd: true });
    const step = (name: string, run: (world: World) => Promise<void>) =>
      t.step(name, () => run(world));
    await step("installed and started, it is ready and shuts out another daemon", becomesReady);
    await step("every thread has the one capability and the filter of system calls", isConfined);
    await step("the journal has priorities", logsWithPriorities);
    await step("a reload takes a good file over and fails for a bad one", reloads);
    await step("it is started again after a crash", survivesACrash);
    await step("it is started again when it hangs", isWatchedOver);
    await step("it is not started again with a wrong configuration", refusesAWrongFile);
  },
});

async function becomesReady(world: World): Promise<void> {
  const { machine } = world;
  await machine.folder.write("systemd-timesyncd.service", OTHER_DAEMON);
  await machine.folder.write("ntpsd.toml", world.config());
  await machine.sh([
    "set -e",
    "cp /machine/systemd-timesyncd.service /etc/systemd/system",
    ...world.install,
    "cp /machine/ntpsd.toml /etc/ntpsd/ntpsd.toml",
    "systemctl daemon-reload",
    "systemctl start systemd-timesyncd",
    "systemctl enable --now ntpsd",
  ].join("\n"));
  assert.equal((await machine.run("systemctl is-active ntpsd")).output.trim(), "active");
  const other = await machine.run("systemctl is-active systemd-timesyncd");
  assert.equal(other.output.trim(), "inactive");
  await world.waitForStatus(({ state }) => state === "synchronized");
  let text = "";
  await waitUntil(async () => {
    text = await machine.sh("systemctl show ntpsd -p StatusText");
    return /^StatusText=Synchronised to /.test(text);
  }, { timeoutMs: RESTART_TIMEOUT_MS, everyMs: 500, what: () => `"Synchronised" in ${text}` });
}

async function isConfined(world: World): Promise<void> {
  const { MainPID } = await show(world);
  const said = await world.machine.sh(`cat /proc/${MainPID}/task/*/status`);
  const values = (key: string) =>
    [...said.matchAll(new RegExp(`^${key}:\\s*(.*)$`, "gm"))].map(([, value]) => value);
  assert.ok(values("Pid").length > 1, said);
  const all = (key: string, wanted: string) =>
    assert.deepEqual([key, ...new Set(values(key))], [key, wanted]);
  for (const key of ["CapEff", "CapPrm"]) all(key, CAPABILITIES);
  all("CapBnd", BOUNDING_SET);
  all("NoNewPrivs", "1");
  all("Seccomp", "2");
  const exposure = await world.machine.sh("systemd-analyze security ntpsd --no-pager | tail -1");
  console.log(`    ${exposure.trim()}`);
}

async function logsWithPriorities(world: World): Promise<void> {
  await world.machine.sh("date -s @$(($(date +%s) + 5))");
  const outside = /was stepped from outside/;
  const lines = await waitUntil(async () => {
    const found = await journal(world);
    return found.some(({ MESSAGE = "" }) => outside.test(MESSAGE)) ? found : undefined;
  }, { timeoutMs: RESTART_TIMEOUT_MS, everyMs: 500, what: () => "the step in the journal" });
  const priority = (pattern: RegExp) =>
    lines.find(({ MESSAGE = "" }) => pattern.test(MESSAGE))?.["PRIORITY"];
  assert.deepEqual([priority(/^ntpsd .* starts with/), priority(outside)], ["6", "4"]);
}

async function reloads(world: World): Promise<void> {
  await world.machine.folder.write("bad.toml", world.config("adjust = 1\n"));
  await world.machine.sh("cp /machine/bad.toml /etc/ntpsd/ntpsd.toml");
  assert.notEqual((await world.machine.run("systemctl reload ntpsd")).status, 0);
  assert.ok((await journal(world, "-p err")).length > 0, "an error in the journal");
  await world.machine.sh("cp /machine/ntpsd.toml /etc/ntpsd && systemctl reload ntpsd");
  assert.equal((await show(world))["ActiveState"], "active");
}

async function survivesACrash(world: World): Promise<void> {
  const { MainPID } = await show(world);
  await world.machine.sh(`kill -KILL ${MainPID}`);
  const state = await untilShown(
    world,
    (now) => now["NRestarts"] === "1" && now["MainPID"] !== "0",
  );
  assert.notEqual(state["MainPID"], MainPID);
  await untilShown(world, (now) => now["ActiveState"] === "active");
}

/** With a watchdog that is faster than the unit's: one that is alive stays, one that hangs goes. */
async function isWatchedOver(world: World): Promise<void> {
  await world.machine.sh([
    "mkdir -p /run/systemd/system/ntpsd.service.d",
    `printf '[Service]\\nWatchdogSec=${WATCHDOG_SECONDS}\\n' >/run/systemd/system/ntpsd.service.d/w.conf`,
    "systemctl daemon-reload && systemctl restart ntpsd",
    `sleep ${2 * WATCHDOG_SECONDS}`,
  ].join("\n"));
  const before = await show(world);
  assert.deepEqual([before["ActiveState"], before["NRestarts"]], ["active", "0"]);
  await world.machine.sh(`kill -STOP ${before["MainPID"]}`);
  await untilShown(world, (now) => now["NRestarts"] === "1");
  assert.ok((await journal(world, "-g 'Watchdog timeout'")).length > 0);
}

async function refusesAWrongFile(world: World): Promise<void> {
  await world.machine.sh("cp /machine/bad.toml /etc/ntpsd/ntpsd.toml");
  assert.notEqual((await world.machine.run("systemctl restart ntpsd")).status, 0);
  const state = await show(world);
  assert.deepEqual([state["ActiveState"], state["ExecMainStatus"]], ["failed", "78"]);
}

/** Reads the journal of the unit; `words` choose lines. */
async function journal(world: World, words = ""): Promise<readonly Record<string, string>[]> {
  const lines = await world.machine.sh(`journalctl -u ntpsd --no-pager -o json ${words}`);
  return lines.trim().split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, string>);
}

async function show(world: World): Promise<Record<string, string>> {
  const said = await world.machine.sh(`systemctl show ntpsd -p ${WATCHED.join(",")}`);
  return Object.fromEntries(said.trim().split("\n").map((line) => line.split("=")));
}

function untilShown(
  world: World,
  wanted: (state: Record<string, string>) => boolean,
): Promise<Record<string, string>> {
  let last: Record<string, string> = {};
  const look = async () => wanted(last = await show(world)) ? last : undefined;
  const what = () => JSON.stringify(last);
  return waitUntil(look, { timeoutMs: RESTART_TIMEOUT_MS, everyMs: 500, what });
}
