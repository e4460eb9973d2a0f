/**
 * What a virtual machine for the tests is made of: QEMU, Debian's kernel and a busybox, unpacked
 * without being installed.
 *
 * The problem: no test may set the clock of the machine it runs on, so what ntpsd does to a clock
 * needs a machine of its own. The idea: Debian's packages unpacked into the scratch folder, as for
 * the peers; modules.dep made by busybox, so that nothing of the kernel need be installed. Limits:
 * x86_64 and Debian only.
 *
 * @module
 */
import { run, runAny } from "../command.ts";
import { download, isThere, SCRATCH } from "../debian_packages.ts";
import { withLock } from "../lock.ts";

/** The parts of a machine, as paths. */
export interface MachineParts {
  /** The emulator. */
  readonly qemu: string;
  /** Environment variables by which it finds its libraries and modules. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders with firmware. */
  readonly firmware: readonly string[];
  /** The kernel. */
  readonly kernel: string;
  /** A busybox that needs no library. */
  readonly busybox: string;
  /** The kernel's modules. */
  readonly modules: string;
}

const FOLDER = `${SCRATCH}/machine`;
const QEMU = `${FOLDER}/qemu`;
const KERNEL = `${FOLDER}/kernel`;
const LIBRARIES = "x86_64-linux-gnu";

/**
 * Finds the parts, unpacking them first if need be; undefined where they cannot be had, with a line
 * on standard error that says the reason.
 */
export async function findMachineParts(): Promise<MachineParts | undefined> {
  try {
    if (Deno.build.arch !== "x86_64") throw new Error("the machine is made for x86_64 alone");
    return await unpackedParts();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`!!! No virtual machine can be had here, its tests are SKIPPED: ${reason}`);
    return undefined;
  }
}

async function unpackedParts(): Promise<MachineParts> {
  await Deno.mkdir(FOLDER, { recursive: true });
  return await withLock(`${FOLDER}.lock`, async () => {
    if (!(await isThere(QEMU))) await unpack(QEMU, await missingPackages("qemu-system-x86"));
    if (!(await isThere(KERNEL))) await unpackKernel();
    const version = await firstEntry(`${KERNEL}/lib/modules`);
    const modules = `${KERNEL}/lib/modules/${version}`;
    const libraries = [`${QEMU}/usr/lib/${LIBRARIES}`, `${QEMU}/lib/${LIBRARIES}`];
    const parts = {
      qemu: `${QEMU}/usr/bin/qemu-system-x86_64`,
      env: {
        LD_LIBRARY_PATH: libraries.join(":"),
        QEMU_MODULE_DIR: `${QEMU}/usr/lib/${LIBRARIES}/qemu`,
      },
      firmware: [`${QEMU}/usr/share/qemu`, `${QEMU}/usr/share/seabios`],
      kernel: `${KERNEL}/boot/vmlinuz-${version}`,
      busybox: `${KERNEL}/bin/busybox`,
      modules,
    };
    const said = await runAny(parts.qemu, { args: ["--version"], env: parts.env });
    if (said.code !== 0) throw new Error(`QEMU does not start: ${said.stderr}`);
    return parts;
  });
}

/** Lists a package and all that it needs and that is not installed. */
async function missingPackages(name: string): Promise<readonly string[]> {
  const args = ["install", "--no-install-recommends", "--simulate", "-qq", name];
  const { stdout } = await run("apt-get", { args });
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, found = ""]) => found);
  return missing.length > 0 ? missing : [name];
}

/** Unpacks the kernel that linux-image-amd64 stands for, with a busybox that lists its modules. */
async function unpackKernel(): Promise<void> {
  const { stdout } = await run("apt-cache", { args: ["depends", "linux-image-amd64"] });
  const kernel = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (kernel === undefined) throw new Error(`linux-image-amd64 names no kernel: ${stdout}`);
  await unpack(KERNEL, [kernel, "busybox-static"], async (folder) => {
    const version = await firstEntry(`${folder}/lib/modules`);
    await run(`${folder}/bin/busybox`, { args: ["depmod", "-b", folder, version] });
  });
}

async function unpack(
  folder: string,
  packages: readonly string[],
  finish: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const work = await Deno.makeTempDir({ dir: FOLDER });
  try {
    await download(packages, work);
    await finish(work);
    await Deno.rename(work, folder);
  } catch (error) {
    await Deno.remove(work, { recursive: true });
    throw error;
  }
}

async function firstEntry(folder: string): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) return name;
  throw new Error(`There is nothing in ${folder}`);
}
