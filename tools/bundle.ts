/**
 * Builds dist/ntpsd.js: the whole program in one JavaScript file, for an installed deno, and says
 * how to run it.
 *
 * @module
 */
import { DIST, ENTRY, execute, giveUp, RUNTIME_FLAGS } from "./build_settings.ts";

/**
 * Writes the bundle of `entry` to `output`, where it appears at once and whole; ends the build when
 * that fails.
 */
async function makeBundle(output: string, entry: string = ENTRY): Promise<void> {
  const temporary = output.replace(/[^/]*$/, `ntpsd-${Deno.pid}.tmp.js`);
  const args = ["bundle", "--quiet", "--platform=deno", "--output", temporary, entry];
  const made = await execute(Deno.execPath(), args);
  if (!made.ok) giveUp(`deno bundle failed: ${made.said}`);
  await Deno.rename(temporary, output);
}

/**
 * Writes the program to a folder as main.js and chunks, so that a start parses only what its
 * command needs; ends the build when that fails.
 */
export async function makeSplitProgram(folder: string, entry: string = ENTRY): Promise<void> {
  const args = [
    "bundle",
    "--quiet",
    "--platform=deno",
    "--code-splitting",
    "--outdir",
    folder,
    entry,
  ];
  const made = await execute(Deno.execPath(), args);
  if (!made.ok) giveUp(`deno bundle failed: ${made.said}`);
}

if (import.meta.main) {
  const output = `${DIST}/ntpsd.js`;
  await makeBundle(output);
  const { size } = await Deno.stat(output);
  console.log(`dist/ntpsd.js is a bundle of ${Math.ceil(size / 1000)} kB for an installed deno`);
  console.log(`Run it: deno run ${RUNTIME_FLAGS.join(" ")} dist/ntpsd.js`);
}
