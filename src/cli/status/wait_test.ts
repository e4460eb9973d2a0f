import assert from "node:assert/strict";
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import { exampleStatus } from "../../../tests/support/status_example.ts";
import { err, ok } from "../../base/result.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { waitCommand } from "./wait.ts";

/** Waits for a daemon that says one after the other, the last again and again. */
async function wait(
  said: readonly (Partial<StatusDocument> | undefined)[],
  options: Readonly<Record<string, string | boolean | undefined>> = {},
): Promise<{ readonly code: number; readonly out: string; readonly asked: number }> {
  let out = "", asked = 0;
  const code = await waitCommand.run({ operands: [], options: { at: "127.0.0.1:1", ...options } }, {
    ...IDLE_CONTEXT,
    out: (text) => out += text,
    err: (text) => out += text,
    color: false,
    columns: 80,
    readFile: () => err({ name: "ENOENT", message: "no file" }),
    httpGet() {
      const changes = said[Math.min(asked++, said.length - 1)];
      if (changes === undefined) return Promise.resolve(err("connection refused"));
      return Promise.resolve(ok({ status: 200, body: JSON.stringify(exampleStatus(changes)) }));
    },
  });
  return { code, out, asked };
}

const STARTING: Partial<StatusDocument> = { state: "starting" };

Deno.test("wait ends with 0 when the daemon is there and its clock is right", async () => {
  const done = await wait([undefined, STARTING, {}]);
  assert.equal(done.code, 0);
  assert.equal(done.asked, 3);
  assert.match(done.out, /^The clock is synchronised, error at most /);
});

Deno.test("wait for an error bound goes on until it is that small", async () => {
  const states = [0.1, 0.02, 0.001].map((errorBoundSeconds) => ({ errorBoundSeconds }));
  assert.equal((await wait(states, { "max-error": "10ms" })).asked, 3);
});

Deno.test("wait ends with 1 and the reason when its time is over", async () => {
  const starting = await wait([STARTING], { timeout: "1ms" });
  assert.deepEqual([starting.code, starting.out], [1, "ntpsd: starting\n"]);
  const absent = await wait([undefined], { timeout: "1ms", json: true });
  assert.equal(absent.code, 1);
  assert.equal(JSON.parse(absent.out).synchronized, false);
  for (const options of [{ timeout: "soon" }, { "max-error": "-1" }]) {
    assert.equal((await wait([STARTING], options)).code, 64);
  }
});

Deno.test("wait believes no bound that is none", async () => {
  for (const bound of ["0", -5, [], {}, true]) {
    const odd = { errorBoundSeconds: bound } as unknown as Partial<StatusDocument>;
    const said = await wait([odd], { timeout: "1ms", "max-error": "10ms" });
    assert.equal(said.code, 1, JSON.stringify(bound));
  }
});
