import assert from "node:assert/strict";
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import { exampleStatus } from "../../../tests/support/status_example.ts";
import { err, ok } from "../../base/result.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { waitCommand } from "./wait.ts";

/** A world in which time passes. */
interface Passing {
  /** After so many milliseconds the daemon answers; at once if left out. */
  readonly delay?: number;
  /** The configuration; none if left out. */
  readonly text?: string;
}

/** Waits for a while; where that would be long, for a moment. */
const shortSleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, Math.min(milliseconds, 50)));

/** Waits for a daemon that says one after the other, the last again and again. */
async function wait(
  said: readonly (Partial<StatusDocument> | "silence" | undefined)[],
  options: Readonly<Record<string, string | boolean | undefined>> = {},
  { delay, text }: Passing = {},
): Promise<{ readonly code: number; readonly out: string; readonly asked: number }> {
  let out = "", asked = 0;
  const sleeps: Promise<void>[] = [];
  const code = await waitCommand.run({ operands: [], options: { at: "127.0.0.1:1", ...options } }, {
    ...IDLE_CONTEXT,
    out: (text) => out += text,
    err: (text) => out += text,
    sleep: delay === undefined ? () => Promise.resolve() : async (milliseconds) => {
      const slept = shortSleep(milliseconds);
      sleeps.push(slept);
      await slept;
    },
    readFile: () => text === undefined ? err({ name: "ENOENT", message: "no file" }) : ok(text),
    async httpGet() {
      const changes = said[Math.min(asked++, said.length - 1)];
      if (delay !== undefined) await shortSleep(delay);
      if (changes === "silence") return await new Promise(() => {});
      if (changes === undefined) return err("connection refused");
      return ok({ status: 200, body: JSON.stringify(exampleStatus(changes)) });
    },
  });
  await Promise.all(sleeps);
  return { code, out, asked };
}

const STARTING: Partial<StatusDocument> = { state: "starting" };

Deno.test("wait ends with 0 when the daemon is there and its clock is right", async () => {
  const done = await wait([undefined, STARTING, {}]);
  assert.equal(done.code, 0);
  assert.equal(done.asked, 3);
  assert.match(done.out, /^The clock is synchronised, error at most /);
});

Deno.test("wait says in the words of status that a clock is left alone", async () => {
  const done = await wait([{ state: "monitoring" }]);
  assert.equal(done.code, 0);
  assert.match(done.out, /^The clock is measured and left alone \(monitoring\), error at most /);
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

Deno.test("wait gives the reason of a daemon that answers a moment after the end", async () => {
  for (const options of [{ timeout: "0s" }, { timeout: "1ms" }, { timeout: "20ms", json: true }]) {
    const good = await wait([{}], options, { delay: 5 });
    assert.equal(good.code, 0, good.out);
    const early = await wait([STARTING], options, { delay: 5 });
    assert.equal(early.code, 1);
    assert.match(early.out, /starting/);
    const rough = await wait([{}], { ...options, "max-error": "1ns" }, { delay: 5 });
    assert.equal(rough.code, 1);
    assert.match(rough.out, /and at most 1 ns is wanted/);
  }
});

Deno.test("wait keeps what a daemon said that is silent at the end", async () => {
  const silent = await wait([STARTING, "silence"], { timeout: "9ms" }, { delay: 1 });
  assert.deepEqual([silent.code, silent.out], [1, "ntpsd: starting\n"]);
  const never = await wait(["silence"], { timeout: "0s" }, { delay: 1 });
  assert.deepEqual([never.code, never.out], [1, "ntpsd: The daemon does not respond\n"]);
});

Deno.test("wait ends where waiting cannot help", async () => {
  for (const listen of ["off", ""]) {
    const text = `observability.listen = "${listen}"\n`;
    for (const json of [true, false]) {
      const off = await wait([{}], { at: undefined, json }, { text });
      assert.deepEqual([off.code, off.asked], [69, 0]);
      const said = json ? JSON.parse(off.out).reason : off.out;
      assert.match(said, /observability\.listen is switched off/);
    }
  }
  for (const zero of ["0", "0s", "0ms", "0.0s"]) {
    assert.equal((await wait([{}], { "max-error": zero })).code, 64, zero);
  }
});

Deno.test("wait believes no bound that is none", async () => {
  for (const bound of ["0", -5, [], {}, true]) {
    const odd = { errorBoundSeconds: bound } as unknown as Partial<StatusDocument>;
    const said = await wait([odd], { timeout: "1ms", "max-error": "10ms" });
    assert.equal(said.code, 1, JSON.stringify(bound));
  }
});
