/**
 * The first file system of the test machine: busybox, the kernel's modules for its root, and a
 * script.
 *
 * The idea: an archive in the format that the kernel unpacks (cpio "newc"), written here, so that
 * neither cpio nor an installed kernel is needed. Limits: regular files and folders only.
 *
 * @module
 */

/** A file of the archive. */
export interface ArchivedFile {
  /** Its path in the archive, without a leading slash. */
  readonly path: string;
  /** What it holds. */
  readonly octets: Uint8Array;
}

/** The modules that the root, the network and randomness of the machine need. */
const MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_net", "virtio-rng"];
const EXECUTABLE_FILE = 0o100755;
const FOLDER = 0o040755;
const HEADER_ALIGNMENT = 4;

/**
 * Makes the archive of a kernel whose modules, with `modules.dep`, lie in `modulesFolder`; `init`
 * is the script that the kernel starts.
 */
export async function makeInitramfs(
  parts: { readonly busybox: string; readonly modulesFolder: string; readonly init: string },
): Promise<Uint8Array> {
  const dependencies = await Deno.readTextFile(`${parts.modulesFolder}/modules.dep`);
  const modules = loadOrder(dependencies, MODULES);
  const files: ArchivedFile[] = [
    { path: "init", octets: new TextEncoder().encode(parts.init) },
    { path: "bin/busybox", octets: await Deno.readFile(parts.busybox) },
    { path: "modules.order", octets: new TextEncoder().encode(modules.map(flat).join("\n")) },
  ];
  for (const path of modules) {
    const octets = await Deno.readFile(`${parts.modulesFolder}/${path}`);
    files.push({ path: `modules/${flat(path)}`, octets });
  }
  return archive(["bin", "modules", "dev", "proc", "sys", "lower", "upper", "root"], files);
}

/**
 * Lists the files of modules with all that they depend on, in an order in which each can be loaded;
 * a name that `modules.dep` does not have is part of the kernel.
 */
export function loadOrder(dependencies: string, names: readonly string[]): readonly string[] {
  const lines = dependencies.split("\n").map((line) => line.split(/:\s*/));
  const needs = new Map(
    lines.map((
      [path = "", needed = ""],
    ) => [path, needed.split(" ").filter((word) => word !== "")]),
  );
  const byName = new Map([...needs.keys()].map((path) => [moduleName(path), path]));
  const order: string[] = [];
  const add = (path: string) => {
    // A line names all that is needed, what must come first last.
    for (const needed of [...needs.get(path) ?? []].reverse()) {
      if (!order.includes(needed)) order.push(needed);
    }
    if (!order.includes(path)) order.push(path);
  };
  for (const name of names) {
    const path = byName.get(moduleName(name));
    if (path !== undefined) add(path);
  }
  return order;
}

/** Writes folders and files as one archive. */
export function archive(
  folders: readonly string[],
  files: readonly ArchivedFile[],
): Uint8Array<ArrayBuffer> {
  const empty = new Uint8Array();
  const entries = [
    ...folders.map((path) => ({ path, octets: empty, mode: FOLDER })),
    ...files.map((file) => ({ ...file, mode: EXECUTABLE_FILE })),
    { path: "TRAILER!!!", octets: empty, mode: 0 },
  ];
  const pieces = entries.flatMap(({ path, octets, mode }, index) => [
    padded(header(path, { inode: index + 1, mode, length: octets.length })),
    padded(octets),
  ]);
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function header(
  path: string,
  file: { readonly inode: number; readonly mode: number; readonly length: number },
): Uint8Array {
  const links = 1;
  const numbers = [file.inode, file.mode, 0, 0, links, 0, file.length, 0, 0, 0, 0];
  const fields = [...numbers, path.length + 1, 0].map((n) => n.toString(16).padStart(8, "0"));
  return new TextEncoder().encode(`070701${fields.join("")}${path}\0`);
}

function padded(octets: Uint8Array): Uint8Array {
  const length = Math.ceil(octets.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  if (length === octets.length) return octets;
  const result = new Uint8Array(length);
  result.set(octets);
  return result;
}

function moduleName(path: string): string {
  return flat(path).replace(/\.ko(\.[a-z]+)?$/, "").replaceAll("-", "_");
}

function flat(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
