/**
 * Makes a self-extracting executable: a shell script that carries deno and the bundle behind it.
 *
 * The layout: the script, padded with line ends to a multiple of 4096 octets; deno, compressed by
 * gzip; the bundled program as a tar archive. The script (tools/self_extracting.sh) gets the
 * lengths and hashes as numbers and hexadecimal text only, so nothing in it needs quoting. Limits:
 * the machine that runs it needs sh, head, tail, tar, gzip, stat, sha256sum and cksum.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { execute, giveUp, ROOT, RUNTIME_FLAGS } from "./build_settings.ts";

/** What goes in, and where to. */
export interface Parts {
  /** Path of the deno executable. */
  readonly runtime: string;
  /** Path of a folder with main.js and the chunks that it imports, nothing else. */
  readonly program: string;
  /** Path of the executable to make; appears at once and whole. */
  readonly output: string;
}

const TEMPLATE = `${ROOT}tools/self_extracting.sh`;
const BLOCK = 4096;
/**
 * Level 6 makes 41 MB of deno's 96 MB in about 6 s; level 9 takes thrice the time for 0.2 MB less.
 */
const GZIP_LEVEL = 6;

/** Writes the executable. */
export async function makeSelfExtracting(parts: Parts): Promise<void> {
  const runtime = await Deno.readFile(parts.runtime);
  const packed = gzipSync(runtime, { level: GZIP_LEVEL });
  const program = await packProgram(parts.program);
  const runtimeHash = sha256(runtime);
  const values: Readonly<Record<string, string>> = {
    ID: sha256(new TextEncoder().encode(`${runtimeHash}\n${program.hashes}`)).slice(0, 32),
    RUNTIME_SHA256: runtimeHash,
    RUNTIME_CKSUM: await cksum(parts.runtime),
    PROGRAM_SHA256: program.hashes,
    PACKED_OCTETS: String(packed.length),
    PROGRAM_OCTETS: String(program.archive.length),
    RUNTIME_FLAGS: RUNTIME_FLAGS.join(" "),
  };
  const script = fill(await Deno.readTextFile(TEMPLATE), values);
  const temporary = parts.output.replace(/[^/]*$/, `ntpsd-${Deno.pid}.tmp`);
  using file = await Deno.open(temporary, {
    write: true,
    create: true,
    truncate: true,
    mode: 0o755,
  });
  for (const part of [script, packed, program.archive]) await writeWhole(file, part);
  await file.sync();
  await Deno.chmod(temporary, 0o755);
  await Deno.rename(temporary, parts.output);
}

/** Packs the program's files, and lists their hashes as sha256sum writes them. */
async function packProgram(folder: string): Promise<{ archive: Uint8Array; hashes: string }> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
  const lines: string[] = [];
  for (const name of names) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*\.js$/.test(name)) {
      giveUp(`A plain name was wanted, found ${name}`);
    }
    lines.push(`${sha256(await Deno.readFile(`${folder}/${name}`))}  ${name}`);
  }
  const same = [
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=600",
  ];
  const file = await Deno.makeTempFile();
  try {
    const packed = await execute("tar", [...same, "-cf", file, "-C", folder, "--", ...names]);
    if (!packed.ok) giveUp(`tar failed: ${packed.said}`);
    return { archive: await Deno.readFile(file), hashes: lines.join("\n") };
  } finally {
    await Deno.remove(file);
  }
}

/** Puts the values into the template and pads it; the values are checked to need no quoting. */
function fill(template: string, values: Readonly<Record<string, string>>): Uint8Array {
  const filled = template.replaceAll(/@([A-Z0-9_]+)@/g, (_, name: string) => {
    if (name === "PAYLOAD") return "@PAYLOAD@";
    const value = values[name];
    if (value === undefined) giveUp(`The template wants @${name}@, which nothing gives`);
    if (!/^[A-Za-z0-9 ._=\n-]+$/.test(value)) {
      giveUp(`A plain value was wanted for @${name}@, found ${value}`);
    }
    return value;
  });
  const octets = new TextEncoder().encode(filled).length;
  // The offset is written with a fixed width, so the script's length does not depend on it.
  const width = "@PAYLOAD@".length;
  const length = Math.ceil(octets / BLOCK) * BLOCK;
  const placed = filled.replaceAll("@PAYLOAD@", String(length + 1).padEnd(width));
  return new TextEncoder().encode(placed + "\n".repeat(length - octets));
}

async function cksum(path: string): Promise<string> {
  const said = await execute("cksum", [path]);
  const sum = said.stdout.match(/^(\d+ \d+) /)?.[1];
  if (!said.ok || sum === undefined) giveUp(`cksum failed: ${said.said}`);
  return sum;
}

function sha256(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex");
}

async function writeWhole(file: Deno.FsFile, octets: Uint8Array): Promise<void> {
  let at = 0;
  while (at < octets.length) at += await file.write(octets.subarray(at));
}
