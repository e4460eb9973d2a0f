/**
 * A shell in the virtual machine of the tests, for people.
 *
 * ntpsd and the witness are installed, and the configuration names three servers of the host; the
 * daemon is not started. Nothing that is done there changes this machine. "exit" ends it,
 * and so does Ctrl-A X.
 *
 *     deno task machine [2034-12-31T23:58:00]     with the time of the machine at its start
 *
 * @module
 */
import { startFalseServer } from "../support/false_server.ts";
import { emulatorArguments, fillMachineFolder } from "../support/machine/machine.ts";
import { findMachineParts } from "../support/machine/parts.ts";
import { buildWitness, machineConfig } from "../support/machine/world.ts";
import { launch } from "../support/ntpsd.ts";
import { temporaryFolder } from "../support/places.ts";
import { unixSeconds } from "../support/ntp_probe.ts";

const SERVERS = 3;

const parts = await findMachineParts();
if (parts === undefined) Deno.exit(1);
const [rtc] = Deno.args;
const options = { shell: true, ...(rtc === undefined ? {} : { rtc }) };
const offsetSeconds = rtc === undefined ? 0 : Date.parse(`${rtc}Z`) / 1000 - unixSeconds();
const servers = await Promise.all(
  Array.from({ length: SERVERS }, () => startFalseServer({ offsetSeconds })),
);
const { program } = await launch("executable");
await using folder = await temporaryFolder();
await fillMachineFolder(folder, parts, options);
await buildWitness(`${folder.path}/witness`);
await Deno.copyFile(program, `${folder.path}/ntpsd`);
await folder.write("ntpsd.toml", machineConfig(servers.map(({ port }) => port)));
const emulator = new Deno.Command(parts.qemu, {
  args: [...emulatorArguments(parts, folder.path, options)],
  env: { ...parts.env },
}).spawn();
await emulator.status;
for (const server of servers) await server[Symbol.asyncDispose]();
