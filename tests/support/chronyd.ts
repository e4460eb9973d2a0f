/**
 * A real chronyd for the tests: always with `-x` and without the capability to set the clock, so
 * that it never touches it, and without any control socket.
 *
 * Limits: it must run as root here, because Debian's chronyd changes to the user of its
 * configuration at start.
 *
 * @module
 */
import type { Peer } from "./debian_packages.ts";
import { probe } from "./ntp_probe.ts";
import { freePort, temporaryFolder } from "./places.ts";
import { RunningProgram } from "./process.ts";
import { PATIENCE_MS, waitUntil } from "./wait_until.ts";

/** What a chronyd is to do. */
export interface ChronydOptions {
  /** The address it answers on; 127.0.0.1 unless given. */
  readonly address?: string;
  /** Its UDP port; a free one unless given. */
  readonly port?: number;
  /**
   * The stratum it claims as a local reference; 3 unless given; none with `undefined` servers
   * below.
   */
  readonly stratum?: number;
  /** Whether it answers as a local reference at all; true unless given. */
  readonly local?: boolean;
  /** Further configuration lines. */
  readonly lines?: readonly string[];
  /** A network namespace to run in; then nobody waits for it to answer. */
  readonly namespace?: string;
}

/** A chronyd that runs, and where it answers. */
export interface Chronyd extends AsyncDisposable {
  /** The address it answers on. */
  readonly address: string;
  /** Its UDP port. */
  readonly port: number;
  /** The program itself. */
  readonly process: RunningProgram;
}

/** Another program may have taken a port that was free a moment before; so often one is tried. */
const PORTS_TRIED_MAX = 3;

/** Starts a chronyd and waits until it answers. */
export async function startChronyd(peer: Peer, options: ChronydOptions = {}): Promise<Chronyd> {
  for (let tried = 1;; tried++) {
    const chronyd = await startOne(peer, options);
    const isTaken = chronyd.process.stderr.includes(CANNOT_OPEN);
    if (!isTaken) return chronyd;
    await chronyd[Symbol.asyncDispose]();
    if (options.port !== undefined || tried === PORTS_TRIED_MAX) {
      throw new Error(`chronyd cannot answer: ${chronyd.process.stderr}`);
    }
  }
}

const CANNOT_OPEN = "Could not open NTP socket";

/** Starts a chronyd and waits until it answers, or says that it cannot. */
async function startOne(peer: Peer, options: ChronydOptions): Promise<Chronyd> {
  const folder = await temporaryFolder();
  const address = options.address ?? "127.0.0.1";
  const port = options.port ?? await freePort();
  const lines = [
    "user root",
    `port ${port}`,
    `bindaddress ${address}`,
    "cmdport 0",
    "bindcmdaddress /",
    `pidfile ${folder.path}/chronyd.pid`,
    ...(options.local === false ? [] : [`local stratum ${options.stratum ?? 3}`]),
    "allow all",
    ...(options.lines ?? []),
  ];
  const file = await folder.write("chrony.conf", `${lines.join("\n")}\n`);
  const process = new RunningProgram(peer.program, {
    args: ["-x", "-d", "-f", file],
    env: peer.env,
    withoutClock: true,
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  });
  const dispose = async () => {
    await process[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  try {
    const isHeard = () =>
      process.stderr.includes(CANNOT_OPEN) || probe(address, { port, timeoutMs: 1000 });
    const what = () => `an NTP answer from ${address} port ${port}`;
    if (options.namespace === undefined) {
      await waitUntil<unknown>(isHeard, { timeoutMs: PATIENCE_MS, what });
    }
  } catch (error) {
    await dispose();
    throw new Error(`chronyd does not answer: ${process.stderr}`, { cause: error });
  }
  return { address, port, process, [Symbol.asyncDispose]: dispose };
}
