/**
 * Real peers and shells for the tests: Debian's packages, unpacked without being installed.
 *
 * The problem: chrony and ntpsec conflict, so they cannot both be installed, and an installed one
 * would start a daemon that keeps the machine's clock. The idea: `apt-get download` and `dpkg -x`
 * into a scratch folder that is kept between runs; libraries that the machine lacks are unpacked
 * beside them. Limits: Debian and its relatives only. In CI a peer that is missing is a failure;
 * elsewhere it is undefined, and the tests that need it are skipped loudly.
 *
 * @module
 */
import { fromFileUrl, run, runAny } from "./command.ts";
import { withLock } from "./lock.ts";

/** The programs that the tests know how to get. */
export type PeerName = typeof PEER_NAMES[number];

/** All of them. */
export const PEER_NAMES = [
  "chronyd",
  "ntpd",
  "ntpdig",
  "ntpq",
  "rdate",
  "timesyncd",
  "zsh",
  "fish",
] as const;

/** A program that is there and runs. */
export interface Peer {
  /** Its absolute path. */
  readonly program: string;
  /** Environment variables it needs to find its libraries. */
  readonly env: Readonly<Record<string, string>>;
  /** The first line of what it says of its version. */
  readonly version: string;
}

/** The folder for what tests keep between runs; git ignores it. */
export const SCRATCH = fromFileUrl(new URL("../.scratch", import.meta.url));

const PEERS: Readonly<
  Record<PeerName, { packages: readonly string[]; path: string; versionArgs: readonly string[] }>
> = {
  chronyd: { packages: ["chrony"], path: "usr/sbin/chronyd", versionArgs: ["--version"] },
  ntpd: { packages: ["ntpsec"], path: "usr/sbin/ntpd", versionArgs: ["--version"] },
  ntpdig: {
    packages: ["ntpsec-ntpdig", "python3-ntp"],
    path: "usr/bin/ntpdig",
    versionArgs: ["--version"],
  },
  ntpq: {
    packages: ["ntpsec", "python3-ntp"],
    path: "usr/bin/ntpq",
    versionArgs: ["--version"],
  },
  // Debian's busybox is built without its ntpd; rdate has OpenBSD's client.
  rdate: { packages: ["rdate"], path: "usr/sbin/rdate", versionArgs: ["-V"] },
  // It takes no arguments, and ends when it is given one.
  timesyncd: {
    packages: ["systemd-timesyncd"],
    path: "lib/systemd/systemd-timesyncd",
    versionArgs: ["none"],
  },
  // Shells, for the completion of the command line.
  zsh: { packages: ["zsh", "zsh-common"], path: "bin/zsh", versionArgs: ["--version"] },
  fish: { packages: ["fish"], path: "usr/bin/fish", versionArgs: ["--version"] },
};

/**
 * Finds a peer, unpacking it first if need be; undefined where it cannot be had, with a line on
 * standard error that says reason. Throws instead when CI is set.
 */
export async function findPeer(name: PeerName): Promise<Peer | undefined> {
  try {
    return await unpackedPeer(name);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (Deno.env.get("CI") !== undefined) throw new Error(`${name} is needed in CI: ${reason}`);
    console.error(`!!! ${name} cannot be had here, its tests are SKIPPED: ${reason}`);
    return undefined;
  }
}

async function unpackedPeer(name: PeerName): Promise<Peer> {
  const { packages, path, versionArgs } = PEERS[name];
  const folder = `${SCRATCH}/debian/${name}`;
  await Deno.mkdir(`${SCRATCH}/debian`, { recursive: true });
  await withLock(`${SCRATCH}/debian/${name}.lock`, async () => {
    if (!(await isThere(`${folder}/${path}`))) await unpack(packages, folder);
  });
  const program = `${folder}/${path}`;
  const env = await environment(name, folder);
  // Some programs know no such argument and say so with status 1; what matters is that they start.
  const said = await runAny(program, { args: versionArgs, env });
  if (said.code > 125) throw new Error(`${program} does not start: ${said.stderr}`);
  return { program, env, version: `${said.stdout}${said.stderr}`.split("\n")[0] ?? "" };
}

/**
 * Downloads and unpacks packages, with every library that is missing, into a folder that appears at
 * once and whole.
 */
async function unpack(packages: readonly string[], folder: string): Promise<void> {
  const work = await Deno.makeTempDir({ dir: `${SCRATCH}/debian` });
  try {
    await download(packages, work);
    if (await lacksLibraries(work)) await download(await libraryPackages(packages), work);
    await Deno.rename(work, folder);
  } catch (error) {
    await Deno.remove(work, { recursive: true });
    throw error;
  }
}

/** Downloads packages into a folder and unpacks them there. */
export async function download(packages: readonly string[], folder: string): Promise<void> {
  await run("apt-get", { args: ["download", "-qq", ...packages], cwd: folder });
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.name.endsWith(".deb")) continue;
    await run("dpkg", { args: ["-x", `${folder}/${entry.name}`, folder] });
    await Deno.remove(`${folder}/${entry.name}`);
  }
}

async function lacksLibraries(folder: string): Promise<boolean> {
  for (const place of ["usr/sbin", "usr/bin"]) {
    const entries = await Array.fromAsync(Deno.readDir(`${folder}/${place}`)).catch(() => []);
    for (const entry of entries) {
      const told = await runAny("ldd", { args: [`${folder}/${place}/${entry.name}`] });
      if (told.stdout.includes("not found")) return true;
    }
  }
  return false;
}

async function libraryPackages(packages: readonly string[]): Promise<string[]> {
  const relations = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
  const args = ["depends", "--recurse", ...relations.map((name) => `--no-${name}`), ...packages];
  const { stdout } = await run("apt-cache", { args });
  const names = stdout.split("\n").filter((line) => /^lib[a-z0-9.+-]+$/.test(line));
  return [...new Set(names)].filter((name) => !/^libc6|^libgcc|^libstdc/.test(name));
}

async function environment(name: PeerName, folder: string): Promise<Record<string, string>> {
  const triplet = Deno.build.arch === "x86_64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  const places = [`${folder}/lib/${triplet}`, `${folder}/usr/lib/${triplet}`];
  const present = await Promise.all(places.map(isThere));
  const env: Record<string, string> = {};
  const libraries = places.filter((_, index) => present[index]);
  if (libraries.length > 0) env["LD_LIBRARY_PATH"] = libraries.join(":");
  if (name === "ntpdig" || name === "ntpq") {
    env["PYTHONPATH"] = `${folder}/usr/lib/python3/dist-packages`;
    env["LD_LIBRARY_PATH"] = [`${folder}/usr/lib/${triplet}/ntp`, ...libraries].join(":");
  }
  return env;
}

/** Tells whether there is a file or folder. */
export async function isThere(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined)) !== undefined;
}
