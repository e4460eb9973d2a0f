/**
 * Importing ffi/ does nothing: no library is opened and no address is asked for until something is
 * called.
 *
 * @module
 */
import assert from "node:assert/strict";
import { run, runAny } from "../support/command.ts";
import { temporaryFolder } from "../support/places.ts";

const FFI = new URL("../../ffi/", import.meta.url);

Deno.test("all files of ffi/ can be imported without any permission, and so touch nothing", async () => {
  const files = await sourceFiles(FFI);
  assert.ok(files.length > 60, `${files.length} files`);
  await using folder = await temporaryFolder();
  const lines = files.map((url) => `import ${JSON.stringify(url.href)};`);
  const program = await folder.write("program.ts", `${lines.join("\n")}\nconsole.log("done");\n`);
  const { stdout } = await run(Deno.execPath(), { args: ["run", ...OPTIONS, program] });
  assert.equal(stdout.trim(), "done");
});

Deno.test("a library that is opened at import would be noticed", async () => {
  await using folder = await temporaryFolder();
  const program = await folder.write("program.ts", 'Deno.dlopen("libc.so.6", {});\n');
  const { stderr } = await runAny(Deno.execPath(), { args: ["run", ...OPTIONS, program] });
  assert.match(stderr, /NotCapable/);
});

const OPTIONS = ["--quiet", "--no-prompt", "--no-check", "--no-config"];

async function sourceFiles(folder: URL): Promise<readonly URL[]> {
  const found: URL[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await sourceFiles(new URL(`${name}/`, folder)));
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) found.push(new URL(name, folder));
  }
  return found;
}
