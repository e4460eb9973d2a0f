import "../../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { filesAnswer } from "./file_access.ts";
import { configureLog } from "../../system/log.ts";

Deno.test("what is there and what is not there answers; what hangs is told once and probed once", async () => {
  const lines: string[] = [];
  configureLog({ level: "info", journal: true, write: (line) => lines.push(line) });
  assert.equal(await filesAnswer(["/proc/self/status", "/no/such/file", undefined]), true);
  const { promise, resolve } = Promise.withResolvers<void>();
  let probes = 0;
  const hanging = () => {
    probes++;
    return promise;
  };
  const asked = [1, 2, 3].map(() => filesAnswer(["/hanging"], { probe: hanging }));
  assert.deepEqual(await Promise.all(asked), [false, false, false]);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /\/hanging does not respond/);
  assert.equal(probes, 1);
  resolve();
  assert.equal(await filesAnswer(["/hanging"], { probe: hanging }), true);
  assert.match(lines[1] ?? "", /\/hanging responds again/);
});

Deno.test("what was done while this thread was held up is not late", async () => {
  const lines: string[] = [];
  configureLog({ level: "info", journal: true, write: (line) => lines.push(line) });
  const answered = filesAnswer(["/proc/self/status"], {
    probe: async (path) => {
      await Deno.lstat(path).catch(() => {});
    },
  });
  const until = performance.now() + 1200;
  while (performance.now() < until);
  assert.equal(await answered, true);
  assert.deepEqual(lines, []);
});
