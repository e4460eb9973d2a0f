import assert from "node:assert/strict";
import { fromFileUrl, runAny } from "../support/command.ts";

Deno.test("the demo runs with the daemon's permissions, tells the story and ends by itself", async () => {
  const cwd = fromFileUrl(new URL("../../", import.meta.url));
  const told = await runAny(Deno.execPath(), { args: ["task", "demo"], cwd, timeoutMs: 60_000 });
  assert.equal(told.code, 0, `${told.stdout}\n${told.stderr}`);
  assert.match(told.stdout, /^x 127\.0\.0\.66:\d+ /m, "the liar is named");
  assert.match(told.stdout, /^\* 127\.0\.0\.[234]:\d+ /m, "an honest server is selected");
  assert.match(told.stdout, /^All limits were kept\.$/m, "the simulated clock was kept");
});
