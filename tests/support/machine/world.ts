/**
 * A machine with ntpsd installed as README.md says, three servers on the host that tell it the
 * time, and a witness of its clock.
 *
 * The idea: what the servers tell is this process's monotonic time with an offset that the test may
 * change, so the clock of the machine may be in any year. The witness compares the machine's clock
 * with one that nothing adjusts, which runs as this process's does; so its error is known to a
 * fraction of a millisecond at every moment, although the network's jitter is milliseconds.
 *
 * @module
 */
import { fromFileUrl, run } from "../command.ts";
import type { Peer } from "../debian_packages.ts";
import { type Falsehood, type FalseServer, startFalseServer } from "../false_server.ts";
import { unixSeconds } from "../ntp_probe.ts";
import { launch, type Status } from "../ntpsd.ts";
import { waitUntil } from "../wait_until.ts";
import { HOST, Machine, type MachineOptions, type RunningScript } from "./machine.ts";
import type { MachineParts } from "./parts.ts";

/** What the witness saw of the machine's clock. */
export interface Sight {
  /** Seconds since the machine started, by a clock that nothing adjusts. */
  readonly at: number;
  /** How far the clock is ahead of the servers. */
  readonly errorSeconds: number;
  /** How fast it ran since the sight before, in parts per million; 0 for the first. */
  readonly ratePpm: number;
  /** Microseconds that the kernel adds at each tick. */
  readonly tick: number;
  /** The frequency that the kernel was told, in parts per million. */
  readonly frequencyPpm: number;
  /** The flags of adjtimex. */
  readonly status: number;
  /** What adjtimex returned: 0 well, 1 a leap second will be inserted, and so on. */
  readonly state: number;
  /** Seconds that the kernel believes TAI is ahead of UTC. */
  readonly tai: number;
  /** How far the clock of TAI is ahead of this clock, in whole seconds. */
  readonly taiClockSeconds: number;
}

interface Sample {
  readonly raw: number;
  readonly difference: string;
  readonly tick: number;
  readonly frequency: number;
  readonly status: number;
  readonly state: number;
  readonly tai: number;
  readonly taiClock: number;
}

const ROOT = fromFileUrl(new URL("../../../", import.meta.url)).replace(/\/$/, "");
const SERVERS = 3;
const EXCHANGES = 60;
const NANOSECONDS = 1e9;
const PPM = 1e-6;
const STATUS_AT = "127.0.0.1:9975";

/** A machine, its servers and the witness. */
export class World implements AsyncDisposable {
  /** The machine. */
  readonly machine: Machine;
  readonly #servers: readonly FalseServer[];
  /** The servers' time less the machine's unadjusted clock, without the servers' offset. */
  #anchor = 0n;

  private constructor(machine: Machine, servers: readonly FalseServer[]) {
    this.machine = machine;
    this.#servers = servers;
  }

  /** Starts a machine with ntpsd and the witness in it; the servers are right. */
  static async start(parts: MachineParts, options: MachineOptions = {}): Promise<World> {
    await launch("executable");
    const servers = await Promise.all(Array.from({ length: SERVERS }, () => startFalseServer({})));
    const machine = await Machine.boot(parts, options);
    const world = new World(machine, servers);
    try {
      await buildWitness(`${machine.folder.path}/witness`);
      await machine.sh([
        "set -e",
        "install -m 755 /machine/witness /usr/local/bin/witness",
        // As README.md says.
        `cd '${ROOT}'`,
        "install -m 755 dist/ntpsd /usr/local/bin/ntpsd",
      ].join("\n"));
      await world.anchor();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Seconds that the servers are ahead of this process. */
  get offsetSeconds(): number {
    return this.#servers[0]?.falsehood.offsetSeconds ?? 0;
  }

  /** The servers' UDP ports. */
  get ports(): readonly number[] {
    return this.#servers.map(({ port }) => port);
  }

  /** The commands by which README.md installs ntpsd, for a machine with systemd. */
  get install(): readonly string[] {
    return [
      `cd '${ROOT}'`,
      "install -m 755 dist/ntpsd /usr/local/bin/ntpsd",
      "install -m 644 dist/sysusers.conf /usr/lib/sysusers.d/ntpsd.conf && systemd-sysusers",
      "install -D -m 644 dist/client.toml /etc/ntpsd/ntpsd.toml",
      "install -m 644 dist/ntpsd.service /etc/systemd/system/ntpsd.service",
    ];
  }

  /** Changes what all servers tell. */
  tell(falsehood: Falsehood): void {
    for (const server of this.#servers) Object.assign(server.falsehood, falsehood);
  }

  /** Puts the servers so that the machine's clock is that far ahead of them. */
  async putAhead(seconds: number): Promise<void> {
    const [now] = await this.watch({ milliseconds: 0, count: 1 }).then((watch) => watch.all());
    this.tell({ offsetSeconds: this.offsetSeconds + (now?.errorSeconds ?? 0) - seconds });
  }

  /** What the servers' clocks show now, in seconds of the Unix epoch. */
  serversTime(): number {
    return unixSeconds() + this.offsetSeconds;
  }

  /** Finds anew how the servers' time and the machine's are related; needed after a stand-still. */
  async anchor(): Promise<{ readonly delaySeconds: number }> {
    const port = this.#servers[0]?.port ?? 0;
    const said = await this.machine.sh(`witness anchor ${HOST} ${port} ${EXCHANGES}`);
    const { difference, delay } = JSON.parse(said) as { difference: string; delay: number };
    this.#anchor = BigInt(difference) - nanoseconds(this.offsetSeconds);
    return { delaySeconds: delay / NANOSECONDS };
  }

  /** Lets the witness watch the clock, as often and as long as it is told. */
  async watch(
    options: { readonly milliseconds: number; readonly count: number },
  ): Promise<{ all(): Promise<readonly Sight[]>; soFar(): Promise<readonly Sight[]> }> {
    const script = await this.machine.start(
      `witness watch ${options.milliseconds} ${options.count}`,
    );
    const soFar = async () => this.#sights(await script.output());
    return {
      soFar,
      async all() {
        await script.status;
        return await soFar();
      },
    };
  }

  /** Watches the clock for a time, and hands back all that was seen. */
  async watchFor(seconds: number, milliseconds: number): Promise<readonly Sight[]> {
    const watch = await this.watch({ milliseconds, count: seconds * 1000 / milliseconds });
    return await watch.all();
  }

  /** Waits until the clock's error is smaller than a limit; throws with the errors seen. */
  async waitUntilRight(limitSeconds: number, timeoutMs = 60_000): Promise<void> {
    const watch = await this.watch({ milliseconds: 500, count: timeoutMs / 500 });
    let sights: readonly Sight[] = [];
    await waitUntil(async () => {
      sights = await watch.soFar();
      return Math.abs(sights.at(-1)?.errorSeconds ?? Infinity) < limitSeconds;
    }, { timeoutMs, everyMs: 250, what: () => `a right clock: ${JSON.stringify(sights)}` });
  }

  /** Asks a server by chronyd; returns how far it thinks the server is ahead, in seconds. */
  async askByChronyd(peer: Peer): Promise<number> {
    const words = [
      "user root",
      "pidfile /run/once.pid",
      `server ${HOST} port ${this.ports[0]} iburst`,
    ];
    const said = await this.machine.sh(
      `LD_LIBRARY_PATH=${peer.env["LD_LIBRARY_PATH"] ?? ""} '${peer.program}' -Q -t 8 ` +
        words.map((word) => `'${word}'`).join(" "),
    );
    const offset = /System clock wrong by (-?[0-9.]+) seconds/.exec(said)?.[1];
    if (offset === undefined) throw new Error(`chronyd says no offset: ${said}`);
    return Number(offset);
  }

  /** A configuration with the servers, `more` after it. */
  config(more = ""): string {
    return `${machineConfig(this.ports)}${more}`;
  }

  /** Starts the daemon with a configuration, as root does without the unit. */
  async startDaemon(config: string): Promise<RunningScript> {
    await this.machine.folder.write("ntpsd.toml", config);
    return await this.machine.start(
      "mkdir -p /etc/ntpsd /var/lib/ntpsd && cp /machine/ntpsd.toml /etc/ntpsd && echo $$ >/run/ntpsd.pid && exec ntpsd run",
    );
  }

  /** Starts a chronyd that keeps the clock by one of the servers, and steps as ntpsd does. */
  async startChronyd(peer: Peer): Promise<RunningScript> {
    // Several servers of one address are none to chronyd.
    const lines = [
      `server ${HOST} port ${this.ports[0]} iburst`,
      "driftfile /run/chrony.drift",
      "makestep 0.128 3",
      "user root",
      "cmdport 0",
      "bindcmdaddress /",
      "pidfile /run/chronyd.pid",
    ];
    await this.machine.folder.write("chrony.conf", `${lines.join("\n")}\n`);
    return await this.machine.start(
      `cp /machine/chrony.conf /run && LD_LIBRARY_PATH=${peer.env["LD_LIBRARY_PATH"] ?? ""} ` +
        `exec '${peer.program}' -d -f /run/chrony.conf`,
    );
  }

  /** Ends the daemon as systemd would. */
  async stopDaemon(daemon: RunningScript): Promise<void> {
    await this.machine.sh("kill -TERM $(cat /run/ntpsd.pid)");
    await daemon.status;
  }

  /** Reads the daemon's status; undefined while it does not answer. */
  async status(): Promise<Status | undefined> {
    const said = await this.machine.run(`busybox wget -q -O - http://${STATUS_AT}/status`);
    return said.status === 0 ? JSON.parse(said.output) as Status : undefined;
  }

  /** Waits until the status is as wanted. */
  async waitForStatus(wanted: (status: Status) => boolean, timeoutMs = 300_000): Promise<Status> {
    let last: Status | undefined;
    return await waitUntil(async () => {
      last = await this.status();
      return last !== undefined && wanted(last) ? last : undefined;
    }, { timeoutMs, everyMs: 500, what: () => `a status; last was ${JSON.stringify(last)}` });
  }

  /** Ends machine and servers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
  }

  #sights(output: string): readonly Sight[] {
    const lines = output.slice(0, output.lastIndexOf("\n") + 1).split("\n").filter((l) => l !== "");
    const samples = lines.map((line) => JSON.parse(line) as Sample);
    const truth = this.#anchor + nanoseconds(this.offsetSeconds);
    return samples.map((sample, index) => ({
      at: sample.raw / NANOSECONDS,
      errorSeconds: Number(BigInt(sample.difference) - truth) / NANOSECONDS,
      ratePpm: rate(samples[index - 1], sample),
      tick: sample.tick,
      frequencyPpm: sample.frequency,
      status: sample.status,
      state: sample.state,
      tai: sample.tai,
      taiClockSeconds: sample.taiClock,
    }));
  }
}

/** Compiles the witness. */
export async function buildWitness(program: string): Promise<void> {
  const source = fromFileUrl(new URL("witness.c", import.meta.url));
  await run("gcc", { args: ["-O2", "-Wall", "-Werror", "-o", program, source] });
}

/** A configuration that keeps the clock by servers of the host; `[clock]` comes last. */
export function machineConfig(ports: readonly number[]): string {
  const sources = ports.map((port) => `[[source]]\nmode = "server"\naddress = "${HOST}:${port}"\n`);
  const clock = '[clock]\nadjust = true\ndrift-file = "/var/lib/ntpsd/drift"\n';
  return `${sources.join("")}${clock}`;
}

function rate(before: Sample | undefined, now: Sample): number {
  if (before === undefined) return 0;
  const gained = Number(BigInt(now.difference) - BigInt(before.difference));
  return gained / (now.raw - before.raw) / PPM;
}

function nanoseconds(seconds: number): bigint {
  const whole = Math.floor(seconds);
  return BigInt(whole) * BigInt(NANOSECONDS) + BigInt(Math.round((seconds - whole) * NANOSECONDS));
}
