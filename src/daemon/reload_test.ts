import "../../tests/support/libc_opened.ts";
import { deepEqual, equal, match } from "node:assert/strict";
import { removeFile, writeFileAtomic } from "../../ffi/file/files.ts";
import { processId } from "../../ffi/process/process.ts";
import { err, ok } from "../base/result.ts";
import type { Config } from "../config/config.ts";
import type { SymmetricKey } from "../config/key_file.ts";
import { parseConfig } from "../config/parse.ts";
import { configureLog } from "../system/log.ts";
import type { DaemonOptions } from "./daemon_options.ts";
import { FunctionStates } from "./observability/function_states.ts";
import {
  effectiveConfig,
  type InForce,
  logChanges,
  readAgain,
  warnOfOpenSecrets,
} from "./reload.ts";

function config(text: string): Config {
  const parsed = parseConfig(`[synchronization]\nlocal-stratum = 8\n${text}`);
  if (!parsed.ok) throw new Error("The configuration of the test has errors");
  return parsed.value.config;
}

const BEFORE = config("");

function options(changes: Partial<DaemonOptions> = {}): DaemonOptions {
  return {
    config: BEFORE,
    keys: new Map(),
    configOrigin: "a test",
    configFiles: [],
    notes: [],
    privileges: [],
    version: "0",
    noAdjust: false,
    once: false,
    logLevel: undefined,
    reload: () => ok({ config: BEFORE, keys: new Map(), notes: [] }),
    takeSignals: () => {},
    ...changes,
  };
}

function inForce(functions = new FunctionStates()): InForce {
  return { before: BEFORE, functions };
}

/** Returns the lines that are logged while something is done. */
async function logged(work: () => unknown): Promise<readonly string[]> {
  const lines: string[] = [];
  configureLog({ level: "info", journal: true, write: (line) => lines.push(line.trimEnd()) });
  await work();
  return lines;
}

Deno.test("errors are logged line by line, and leave the old configuration in force", async () => {
  const reload = () => err(["/c:1: clock: Wanted a section", "/c:2: nts: Wanted a section"]);
  const lines = await logged(async () => {
    equal(await readAgain(options({ reload }), inForce()), undefined);
  });
  deepEqual(lines.map((line) => line.replace(/^<\d>/, "")), [
    "The configuration has errors, and the old one stays in force:",
    "/c:1: clock: Wanted a section",
    "/c:2: nts: Wanted a section",
  ]);
});

Deno.test("a configuration that was refused is told in status until one is taken", async () => {
  const functions = new FunctionStates();
  const refused = () => err(["/c:1: clock: Wanted a section", "/c:2: nts: Wanted a section"]);
  const taken = () => ok({ config: BEFORE, keys: new Map(), notes: [] });
  for (const reload of [refused, refused, taken, refused]) {
    await logged(() => readAgain(options({ reload, configFiles: ["/c"] }), inForce(functions)));
    const reason = "It has errors, and the old one stays in force: /c:1: clock: Wanted a section";
    const told = { kind: "configuration", name: "/c", up: false, reason };
    deepEqual(functions.documents(), reload === taken ? [] : [told]);
  }
});

Deno.test("a configuration without errors comes with its keys, as the command line has it", async () => {
  const after = config('[observability]\nlog-level = "debug"\n');
  const keys = new Map<number, SymmetricKey>();
  const reload = () => ok({ config: after, keys, notes: [] });
  deepEqual(await readAgain(options({ reload }), inForce()), { config: after, keys });
  const once = await readAgain(options({ reload, once: true }), inForce());
  equal(once?.keys, keys);
  deepEqual([once?.config.synchronization.stepThreshold, once?.config.synchronization.stepLimit], [
    0,
    1,
  ]);
});

Deno.test("remarks on a configuration are logged on a reload as they are at a start", async () => {
  const notes = [
    { level: "warning", text: "/c: No sources: the clock is left as it is" },
    { level: "info", text: "/c: Lowered from 3 to 1" },
  ] as const;
  const reload = () => ok({ config: BEFORE, keys: new Map(), notes });
  const lines = await logged(() => readAgain(options({ reload }), inForce()));
  deepEqual(lines, [
    "<4>/c: No sources: the clock is left as it is",
    "<6>/c: Lowered from 3 to 1",
  ]);
});

Deno.test("only --once changes what a configuration says, and not for a clock that is only measured", () => {
  equal(effectiveConfig(BEFORE, options()), BEFORE);
  equal(effectiveConfig(BEFORE, options({ once: true, noAdjust: true })), BEFORE);
  equal(effectiveConfig(BEFORE, options({ once: true })).synchronization.stepThreshold, 0);
});

Deno.test("what changes is logged, with what the command line keeps as it is", async () => {
  const text = '[clock]\nadjust = false\n[observability]\nlog-level = "debug"\n';
  const changes = async (more: Partial<DaemonOptions>, after = config(text)) =>
    (await logged(() => logChanges(BEFORE, after, options(more))))
      .map((line) => line.replace(/^<\d>/, ""));
  deepEqual(await changes({}, config("")), ["Nothing in the configuration changes"]);
  const plain = await changes({});
  equal(plain[0], "The configuration changes:");
  equal(plain.length, 3);
  equal(plain.some((line) => line.includes("the command line says otherwise")), false);
  const overridden = await changes({ noAdjust: true, logLevel: "info" });
  for (const line of overridden.slice(1)) match(line, /\(the command line says otherwise\)$/);
  equal(overridden.length, 3);
});

Deno.test("a file with secrets that others can read is warned of, a closed one is not", async () => {
  const path = `/tmp/ntpsd-test-reload-${processId()}`;
  const named = config(`[keyset]\nkey-storage-path = "${path}"\n`);
  const warnings = async (mode: number) => {
    if (!writeFileAtomic(path, { bytes: Uint8Array.of(), mode }).ok) throw new Error(path);
    return await logged(() => warnOfOpenSecrets(named));
  };
  try {
    deepEqual(await warnings(0o600), []);
    const [line = "", ...more] = await warnings(0o644);
    match(line, /^<4>.*ntpsd-test-reload/);
    deepEqual(more, []);
  } finally {
    removeFile(path);
  }
});
