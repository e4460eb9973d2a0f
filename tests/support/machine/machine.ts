/**
 * A virtual machine whose clock a test may set, step and stop.
 *
 * The problem: what ntpsd does to a kernel's clock can be seen on a real kernel only, and never on
 * the machine that the tests run on. The idea: QEMU emulates a processor (no KVM is needed), and
 * Debian's kernel has the host's own root as its file system, which it cannot change, so every
 * program of the host is there; a folder of the test is shared as /machine. The test sends scripts
 * and sees their output; servers on the host's loopback are at 10.0.2.2. Limits: emulation is some
 * twenty times slower than the processor, and the network's jitter is milliseconds.
 *
 * @module
 */
import { fromFileUrl } from "../command.ts";
import { type TemporaryFolder, temporaryFolder } from "../places.ts";
import { RunningProgram } from "../process.ts";
import { PATIENCE_MS, pause, waitUntil } from "../wait_until.ts";
import { makeInitramfs } from "./initramfs.ts";
import { LineSocket } from "./line_socket.ts";
import type { MachineParts } from "./parts.ts";

/** How a machine differs from the usual one. */
export interface MachineOptions {
  /** What its clock of the hardware shows at the start, such as `2034-12-31T23:58:25`. */
  readonly rtc?: string;
  /** Whether systemd is its process 1. */
  readonly systemd?: boolean;
  /** Whether its console is a shell for a person. */
  readonly shell?: boolean;
  /**
   * Whether time passes by instructions, and idle time at once: an idle hour takes seconds, but the
   * host's servers are in another time then.
   */
  readonly idleIsSkipped?: boolean;
}

/** How a script in the machine ended. */
export interface ScriptResult {
  /** The exit status. */
  readonly status: number;
  /** What it wrote to standard output and standard error. */
  readonly output: string;
}

/** A script that runs in the machine. */
export interface RunningScript {
  /** The exit status, once it has ended. */
  readonly status: Promise<number>;
  /** Reads what it has written so far. */
  output(): Promise<string>;
  /** Waits until the output matches; throws with the output when it ends first or time runs out. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<void>;
}

/** What QEMU's monitor says. */
interface QemuMessage {
  readonly event?: string;
  readonly timestamp?: { readonly seconds: number; readonly microseconds: number };
}

/** Where a machine finds servers of the host's loopback. */
export const HOST = "10.0.2.2";

const BOOT_TIMEOUT_MS = 300_000;
const SCRIPT_TIMEOUT_MS = 300_000;
const MEGABYTES = 2048;
const FILES = ["start.sh", "agent.sh"];

/** A machine that runs. */
export class Machine implements AsyncDisposable {
  /** The folder that the machine has as /machine. */
  readonly folder: TemporaryFolder;
  readonly #qemu: RunningProgram;
  readonly #sockets: LineSocket[] = [];
  readonly #ended = new Map<string, (status: number) => void>();
  /** When each event of the emulator happened last, in seconds. */
  readonly #happened = new Map<string, number>();
  #isReady = false;
  #scripts = 0;

  private constructor(folder: TemporaryFolder, qemu: RunningProgram) {
    this.folder = folder;
    this.#qemu = qemu;
  }

  /** Starts a machine and waits until it takes scripts. */
  static async boot(parts: MachineParts, options: MachineOptions = {}): Promise<Machine> {
    const folder = await temporaryFolder();
    await fillMachineFolder(folder, parts, options);
    const args = emulatorArguments(parts, folder.path, options);
    const machine = new Machine(folder, new RunningProgram(parts.qemu, { args, env: parts.env }));
    try {
      await machine.#connect();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw new Error(`No machine came up: ${machine.console}`, { cause: error });
    }
  }

  /** What the machine and its emulator wrote to the console. */
  get console(): string {
    return `${this.#qemu.stdout}${this.#qemu.stderr}`;
  }

  /** Starts a script, beside others that still run. */
  async start(script: string): Promise<RunningScript> {
    const number = String(++this.#scripts);
    const status = new Promise<number>((resolve) => this.#ended.set(number, resolve));
    await this.folder.write(`${number}.sh`, script);
    this.#sockets[0]?.write(number);
    const output = () => Deno.readTextFile(`${this.folder.path}/${number}.out`).catch(() => "");
    const waitFor = async (pattern: RegExp, timeoutMs = SCRIPT_TIMEOUT_MS) => {
      let text = "";
      let isOver = false;
      void status.then(() => isOver = true);
      await waitUntil(async () => {
        if (isOver || this.#qemu.over) throw new Error(`It ended without ${pattern}: ${text}`);
        return pattern.test(text = await output());
      }, { timeoutMs, everyMs: 100, what: () => `${pattern} in ${text}` });
    };
    return { status, output, waitFor };
  }

  /** Runs a script to its end and tells how it ended. */
  async run(
    script: string,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<ScriptResult> {
    const started = await this.start(script);
    let status: number | undefined;
    void started.status.then((value) => status = value);
    try {
      await waitUntil(() => {
        if (this.#qemu.over) throw new Error(`The emulator ended: ${this.console.slice(-2000)}`);
        return status !== undefined;
      }, { timeoutMs: options.timeoutMs ?? SCRIPT_TIMEOUT_MS, what: () => script });
    } catch (error) {
      throw new Error(`${script} said: ${await started.output()}`, { cause: error });
    }
    return { status: status ?? -1, output: await started.output() };
  }

  /** Runs a script to its end and hands back its output; throws unless it ended with status 0. */
  async sh(script: string, options: { readonly timeoutMs?: number } = {}): Promise<string> {
    const { status, output } = await this.run(script, options);
    if (status !== 0) throw new Error(`${script}\nended with ${status}: ${output}`);
    return output;
  }

  /**
   * Stops the machine for a while, as a hypervisor does: its time stands still. Returns for how
   * many seconds it did, which are more on a busy host.
   */
  async standStill(milliseconds: number): Promise<number> {
    const stopped = await this.#tell("stop", "STOP");
    await pause(milliseconds);
    return await this.#tell("cont", "RESUME") - stopped;
  }

  /** Ends the machine, as by pulling the plug. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await this.#qemu[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }

  async #connect(): Promise<void> {
    const { path } = this.folder;
    this.#sockets.push(
      await LineSocket.connect(`${path}/agent.socket`, (line) => this.#take(line)),
      await LineSocket.connect(`${path}/monitor.socket`, (line) => this.#note(line)),
    );
    this.#sockets[1]?.write('{"execute":"qmp_capabilities"}');
    await waitUntil(() => {
      if (this.#qemu.over) throw new Error("The emulator ended");
      return this.#isReady;
    }, { timeoutMs: BOOT_TIMEOUT_MS, what: () => "the agent" });
  }

  /** Gives the emulator a command; returns when its event happened, in seconds. */
  async #tell(command: string, event: string): Promise<number> {
    this.#happened.delete(event);
    this.#sockets[1]?.write(JSON.stringify({ execute: command }));
    return await waitUntil(() => this.#happened.get(event), {
      timeoutMs: PATIENCE_MS,
      what: () => event,
    });
  }

  #note(line: string): void {
    const { event, timestamp } = JSON.parse(line) as QemuMessage;
    if (event === undefined) return;
    this.#happened.set(event, (timestamp?.seconds ?? 0) + (timestamp?.microseconds ?? 0) / 1e6);
  }

  #take(line: string): void {
    if (line === "ready") this.#isReady = true;
    const [number = "", status = ""] = line.split(" ");
    this.#ended.get(number)?.(Number(status));
  }
}

/** Writes what a machine needs of its folder before it starts. */
export async function fillMachineFolder(
  folder: TemporaryFolder,
  parts: MachineParts,
  options: MachineOptions,
): Promise<void> {
  for (const name of FILES) await Deno.copyFile(localFile(name), `${folder.path}/${name}`);
  if (options.shell === true) await folder.write("shell", "");
  if (options.systemd === true) {
    await Deno.copyFile(localFile("systemd.sh"), `${folder.path}/systemd`);
    await Deno.chmod(`${folder.path}/systemd`, 0o755);
  }
  const initramfs = await makeInitramfs({
    busybox: parts.busybox,
    modulesFolder: parts.modules,
    init: await Deno.readTextFile(localFile("init.sh")),
  });
  await Deno.writeFile(`${folder.path}/initramfs`, initramfs);
}

function localFile(name: string): string {
  return fromFileUrl(new URL(name, import.meta.url));
}

/** Returns the arguments of the emulator. */
export function emulatorArguments(
  parts: MachineParts,
  folder: string,
  options: MachineOptions,
): readonly string[] {
  const share = (
    path: string,
    tag: string,
    more = "",
  ) => [
    "-virtfs",
    `local,path=${path},mount_tag=${tag},security_model=none,multidevs=remap${more}`,
  ];
  const rtc = options.rtc === undefined ? "utc" : options.rtc;
  return [
    ...["-accel", "tcg,thread=single", "-cpu", "max", "-smp", "1", "-m", String(MEGABYTES)],
    ...["-display", "none", "-no-reboot", "-nodefaults", "-no-user-config"],
    ...parts.firmware.flatMap((path) => ["-L", path]),
    ...["-kernel", parts.kernel, "-initrd", `${folder}/initramfs`],
    ...[
      "-append",
      "console=ttyS0 quiet clocksource=hpet panic=-1 no_timer_check random.trust_cpu=on",
    ],
    ...["-rtc", `base=${rtc}`],
    ...(options.idleIsSkipped === true ? ["-icount", "shift=3,sleep=off"] : []),
    ...share("/", "root", ",readonly=on"),
    ...share(folder, "machine"),
    ...share(parts.modules, "modules", ",readonly=on"),
    ...["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="],
    ...["-device", "virtio-rng-pci"],
    ...["-serial", options.shell === true ? "mon:stdio" : "stdio"],
    ...["-chardev", `socket,id=agent,path=${folder}/agent.socket,server=on,wait=off`],
    ...["-serial", "chardev:agent"],
    ...["-qmp", `unix:${folder}/monitor.socket,server=on,wait=off`],
  ];
}
