import { equal, match } from "node:assert/strict";
import { configureLog } from "../system/log.ts";
import { parseConfig } from "../config/parse.ts";
import { onceConfig, type OnceEnd, OnceWatch } from "./once.ts";

async function endOf(panic: string | undefined): Promise<{ end: OnceEnd; log: string }> {
  let log = "";
  configureLog({ level: "info", journal: false, write: (line) => void (log += line) });
  const end = await new Promise<OnceEnd>((resolve) => {
    new OnceWatch().start({ panic: () => panic, stop: resolve, patience: 1 });
  });
  return { end, log };
}

Deno.test("without an agreement the patience ends with no time, at a panic threshold with that", async () => {
  const none = await endOf(undefined);
  equal(none.end, "no-time");
  match(none.log, /No time was found within a minute/);
  const beyond = await endOf("The clock is left alone: the offset is 90000 s");
  equal(beyond.end, "panic");
  match(beyond.log, /left alone.*90000 s/);
});

Deno.test("the first update steps everything, but what is only measured keeps its threshold", () => {
  const thresholdOf = (adjust: string, noAdjust: boolean) => {
    const parsed = parseConfig(`[clock]\nadjust = ${adjust}\n`);
    return parsed.ok && onceConfig(parsed.value.config, { noAdjust }).synchronization.stepThreshold;
  };
  equal(thresholdOf("true", false), 0);
  equal(thresholdOf('"auto"', false), 0);
  equal(thresholdOf("true", true), 0.128);
  equal(thresholdOf("false", false), 0.128);
});
