import assert from "node:assert/strict";
import { freePort, sweep, temporaryFolder } from "./places.ts";

/** More than any process has. */
const GONE = 4_194_305;

Deno.test("what processes have left that are gone is removed, and nothing else", async () => {
  await using own = await temporaryFolder();
  const port = await freePort();
  const parent = own.path.slice(0, own.path.lastIndexOf("/"));
  const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);
  const left = [`ntpsd-test-${GONE}-x`, `ntpsd-test-keys-${GONE}.new`, `ntpsd-credentials-${GONE}`];
  for (const name of left) await Deno.mkdir(`${parent}/${name}/inside`, { recursive: true });
  const ports = `${parent}/ntpsd-test-ports`;
  await Deno.mkdir(`${ports}/1`, { recursive: true });
  await Deno.writeTextFile(`${ports}/1/${GONE}`, "");
  await sweep();
  for (const path of [...left.map((name) => `${parent}/${name}`), `${ports}/1`]) {
    assert.equal(await isThere(path), false, path);
  }
  assert.ok(await isThere(own.path) && await isThere(`${ports}/${port}`));
});
