/**
 * State files that may be written, in a folder where nothing may be made or renamed: as an
 * administrator leaves them who gives a daemon its files one by one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fromFileUrl, haveProgram, run } from "../support/command.ts";
import { temporaryFolder } from "../support/places.ts";
import type { StateFound } from "../support/state_writer.ts";
import { needs } from "../support/needs.ts";

const FILES = ["drift", "cookies", "cookies.time-bound", "keyset"];
const WRITER = fromFileUrl(new URL("../support/state_writer.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));
const isAble = Deno.uid() !== 0 || await haveProgram("setpriv");

Deno.test({
  name: "damaged state files in a folder that is closed are told and written anew where they lie" +
    needs(!isAble, "setpriv"),
  ignore: !isAble,
  async fn() {
    await using folder = await temporaryFolder();
    for (const name of FILES) await folder.write(name, "garbage, and no end of line");
    await Deno.chmod(folder.path, 0o555);
    try {
      const first = await live(folder.path);
      for (const name of FILES) {
        const told = first.lines.filter((line) => line.includes(`/${name} `));
        assert.equal(told.length, 1, `${name}:\n${first.lines.join("\n")}`);
        assert.match(told.join(), /is written anew where it lies: Cannot set .*permission denied/);
      }
      assert.deepEqual((await live(folder.path)).lines, []);
    } finally {
      await Deno.chmod(folder.path, 0o700);
    }
    const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
    assert.deepEqual(names.toSorted(), FILES.toSorted());
    assert.equal((await Deno.stat(`${folder.path}/keyset`)).mode! & 0o777, 0o600);
  },
});

/** Lets the writer start, and end when it has written each file once; returns what it found. */
async function live(folder: string): Promise<StateFound> {
  const rights = "-dac_override,-dac_read_search";
  const drop = [`--bounding-set=${rights}`, `--inh-caps=${rights}`, `--ambient-caps=${rights}`];
  const deno = [
    ...["run", "--quiet", "--no-prompt", "--no-check", "--allow-net", "--allow-ffi"],
    ...[`--config=${CONFIG}`, WRITER, folder, "once"],
  ];
  const isRoot = Deno.uid() === 0;
  const { stdout, stderr } = await run(isRoot ? "setpriv" : Deno.execPath(), {
    args: isRoot ? [...drop, Deno.execPath(), ...deno] : deno,
  });
  assert.equal(stderr, "");
  assert.equal(stdout.trim().split("\n").length, 1 + FILES.length, stdout);
  return JSON.parse(stdout.split("\n")[0] ?? "") as StateFound;
}
