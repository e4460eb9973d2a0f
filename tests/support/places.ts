/**
 * Places that a test may use alone: temporary folders that vanish, ports that nobody listens on.
 *
 * The idea: a port that was handed out is noted in a folder, so that test files and runs side by
 * side never get the same one; tests that may write no file hold theirs by a listener on an address
 * that nothing else uses. All are below those that the system chooses. Names hold the number of
 * their process: now and then one that starts removes what others left that were killed. Limits:
 * other programs do not know of the folder of ports.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { isAlive, isHeld, tryLock } from "./lock.ts";

/** Where ports of 127.0.0.1 are held without listening there. */
const HOLDER = "127.0.0.98";

/** One in so many processes looks for what others have left. */
const SWEEP_ONE_IN = 16;

/** A folder that is removed with all it holds when it is disposed of. */
export interface TemporaryFolder extends AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;
  /** Writes a file into it and hands back the file's path. */
  write(name: string, text: string): Promise<string>;
}

/** Makes an empty temporary folder, readable by its owner alone. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await Deno.makeTempDir({ prefix: `ntpsd-test-${Deno.pid}-` });
  return {
    path,
    async write(name, text) {
      await Deno.writeTextFile(`${path}/${name}`, text);
      return `${path}/${name}`;
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}

/**
 * Finds a port that is free for UDP and TCP on the loopback addresses, below the range of ephemeral
 * ports.
 */
export async function freePort(): Promise<number> {
  swept ??= Math.random() < 1 / SWEEP_ONE_IN ? sweep() : Promise.resolve();
  await swept;
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (taken.has(port) || !(await tryLock(`${await portFolder()}/${port}`))) continue;
    taken.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error("A free port was wanted, and 100 ports tried at random were in use");
}

/**
 * Finds a free port as `freePort` does, with the permission to use the network alone; it is held as
 * long as the process runs. To be called where a test file is loaded.
 */
export async function heldPort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    try {
      // Stays open.
      Deno.listen({ hostname: HOLDER, port });
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) continue;
      throw error;
    }
    if (await isFree(port)) return port;
  }
  throw new Error("A free port was wanted, and 100 ports tried at random were in use");
}

/** Removes files and folders of tests whose process is gone, and the notes of its ports. */
export async function sweep(): Promise<void> {
  // Where one does not find oneself, that others are not found means nothing.
  if (!(await isAlive(Deno.pid))) return;
  for await (const { name } of Deno.readDir(temporary())) {
    const pid = /^ntpsd-[a-z]+-(?:[a-z]+-)*([1-9][0-9]*)(?:[-.]|$)/.exec(name)?.[1];
    if (pid === undefined || await isAlive(pid)) continue;
    await Deno.remove(`${temporary()}/${name}`, { recursive: true }).catch(() => {});
  }
  const ports = await portFolder();
  for await (const { name } of Deno.readDir(ports)) {
    if (await isHeld(`${ports}/${name}`)) continue;
    await Deno.remove(`${ports}/${name}`, { recursive: true }).catch(() => {});
  }
}

const taken = new Set<number>();
let swept: Promise<void> | undefined;

async function portFolder(): Promise<string> {
  const path = `${temporary()}/ntpsd-test-ports`;
  await Deno.mkdir(path, { recursive: true });
  return path;
}

function temporary(): string {
  return Deno.env.get("TMPDIR") ?? "/tmp";
}

globalThis.addEventListener("unload", () => {
  for (const port of taken) {
    try {
      Deno.removeSync(`${temporary()}/ntpsd-test-ports/${port}`, { recursive: true });
    } catch {
      // Another process has found it without its owner.
    }
  }
});

async function isFree(port: number): Promise<boolean> {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
  return await udpIsFree("udp4", "127.0.0.1", port) && await udpIsFree("udp6", "::1", port);
}

function udpIsFree(type: "udp4" | "udp6", address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(type);
    socket.once("error", () => socket.close(() => resolve(false)));
    socket.bind(port, address, () => socket.close(() => resolve(true)));
  });
}
