/**
 * Places that a test may use alone: temporary folders that vanish, ports that nobody listens on.
 *
 * The idea: a port that was handed out is noted in a folder, so that test files and runs side by side never get the same
 * one. Limits: other programs do not know of the folder; a note is forgotten with the process that made it.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { tryLock } from "./lock.ts";

/** A folder that is removed with all it holds when it is disposed of. */
export interface TemporaryFolder extends AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;
  /** Writes a file into it and hands back the file's path. */
  write(name: string, text: string): Promise<string>;
}

/** Makes an empty temporary folder, readable by its owner alone. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await Deno.makeTempDir({ prefix: "ntpsd-test-" });
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

/** Finds a port that is free for UDP and TCP on the loopback addresses, below the range of ephemeral ports. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (taken.has(port) || !(await tryLock(`${await portFolder()}/${port}`))) continue;
    taken.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error("A free port was wanted, and 100 ports tried at random were in use");
}

const taken = new Set<number>();

async function portFolder(): Promise<string> {
  const path = `${Deno.env.get("TMPDIR") ?? "/tmp"}/ntpsd-test-ports`;
  await Deno.mkdir(path, { recursive: true });
  return path;
}

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
