import "../../tests/support/libc_opened.ts";
import { deepEqual, equal, match } from "node:assert/strict";
import { configureLog, log, LogLimiter } from "./log.ts";

function capture(level: "debug" | "info" | "warning", journal: boolean): string[] {
  const lines: string[] = [];
  configureLog({ level, journal, write: (line) => lines.push(line) });
  return lines;
}

Deno.test("a line has the time, the level and the sentence", () => {
  const lines = capture("info", false);
  log.info("Braces {x} are text");
  log.debug("Not at this level");
  log.error("Two\nlines\x1b[2J");
  equal(lines.length, 2);
  match(lines[0] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info: Braces \{x\} are text\n$/);
  match(lines[1] ?? "", / error: Two\\u000alines\\u001b\[2J\n$/);
});

Deno.test("for the journal a line begins with its priority", () => {
  const lines = capture("debug", true);
  log.debug("a");
  log.info("b");
  log.warning("c");
  log.error("d");
  deepEqual(lines, ["<7>a\n", "<6>b\n", "<4>c\n", "<3>d\n"]);
});

Deno.test("the level can be changed while running", () => {
  const lines = capture("warning", true);
  log.info("quiet");
  configureLog({ level: "info", journal: true, write: (line) => lines.push(line) });
  log.info("heard");
  deepEqual(lines, ["<6>heard\n"]);
});

Deno.test("a repeated message is told once, then counted", () => {
  const limiter = new LogLimiter();
  equal(limiter.pass("m", { now: 0, kind: "k" }), "m");
  for (let i = 1; i < 60; i++) equal(limiter.pass("m", { now: i, kind: "k" }), undefined);
  equal(limiter.pass("o", { now: 30, kind: "other" }), "o");
  equal(limiter.pass("m", { now: 60, kind: "k" }), "m (and 59 more like it since the last time)");
  equal(limiter.pass("m", { now: 179, kind: "k" }), undefined);
  equal(limiter.pass("m", { now: 180, kind: "k" }), "m (and 1 more like it since the last time)");
  equal(limiter.pass("m", { now: 180 + 240 + 6 * 3600 + 1, kind: "k" }), "m");
});

Deno.test("a flood of kinds and messages makes few lines", () => {
  const limiter = new LogLimiter();
  let lines = 0;
  for (let i = 0; i < 100_000; i++) {
    if (limiter.pass("m", { now: i / 1000, kind: `kind ${i}` }) !== undefined) lines++;
  }
  equal(lines, 514);
});

Deno.test("old kinds make room for new ones", () => {
  const limiter = new LogLimiter();
  for (let i = 0; i < 600; i++) limiter.pass("m", { now: 0, kind: `old ${i}` });
  equal(
    limiter.pass("m", { now: 100, kind: "new 1" }),
    "m (and 87 more like it since the last time)",
  );
  equal(limiter.pass("n", { now: 3700, kind: "new 2" }), "n");
  equal(limiter.pass("o", { now: 3700, kind: "new 3" }), "o");
});
