import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match } from "node:assert/strict";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { err, ok } from "../../base/result.ts";
import { StatisticsWriter } from "./statistics.ts";
import { exampleSource, exampleStatus } from "../../../tests/support/status_example.ts";

const DAY = 86_400_000_000_000n;
const SECOND = 1_000_000_000n;
/** 2026-11-22T02:00:00Z */
const NOW = 1_795_312_800_000_000_000n;

function memory() {
  const files = new Map<string, string>();
  const decoder = new TextDecoder();
  return {
    files,
    makeDirectory: () => Promise.resolve(ok(undefined)),
    appendToFile: (path: string, bytes: Uint8Array) => {
      files.set(path, (files.get(path) ?? "") + decoder.decode(bytes));
      return Promise.resolve(ok(undefined));
    },
    hasContent: (path: string) => Promise.resolve((files.get(path) ?? "") !== ""),
    removeFile: (path: string) => {
      files.delete(path);
      return Promise.resolve(ok(undefined));
    },
  };
}

Deno.test("a line for each new sample and each update, and none for what is not new", async () => {
  const disk = memory();
  const writer = new StatisticsWriter("/var/log/ntpsd/", disk);
  const status = exampleStatus({
    sources: [exampleSource(), exampleSource({ name: "idle one", received: 0 })],
  });
  writer.observe(status, NOW);
  await writer.settled();
  equal(writer.error, undefined);
  writer.observe(status, NOW + 1n);
  await writer.settled();
  const next = { ...status, sources: [exampleSource({ received: 1231, jitterSeconds: null })] };
  writer.observe(next, NOW + 64_000_000_000n);
  await writer.settled();
  deepEqual([...disk.files], [
    [
      "/var/log/ntpsd/measurements-20261122.log",
      "# time source address status stratum offset_s delay_s dispersion_s jitter_s error_bound_s reach timestamps\n" +
      "2026-11-22T02:00:00.000000Z time.example.net 192.0.2.1:123 selected 2 0.00001234 0.003412 0.000044 0.0000087 0.0021 377 kernel\n" +
      "2026-11-22T02:01:04.000000Z time.example.net 192.0.2.1:123 selected 2 0.00001234 0.003412 0.000044 - 0.0021 377 kernel\n",
    ],
    [
      "/var/log/ntpsd/tracking-20261122.log",
      "# time state stratum reference offset_s frequency_ppm skew_ppm error_bound_s root_delay_s root_dispersion_s steps\n" +
      "2026-11-22T02:00:00.000000Z synchronized 3 192.0.2.1 0.00001234 -12.345 0.0123 0.0042 0.00841 0.0012 1\n",
    ],
  ]);
});

Deno.test("a restart goes on in the files of the day, and begins those that are empty", async () => {
  const disk = memory();
  const path = "/s/tracking-20261122.log";
  const start = async () => {
    const writer = new StatisticsWriter("/s", disk);
    writer.observe(exampleStatus(), NOW);
    await writer.settled();
  };
  await start();
  const [header, line] = disk.files.get(path)?.split("\n") ?? [];
  disk.files.set("/s/measurements-20261122.log", "");
  await start();
  equal(disk.files.get(path), `${header}\n${line}\n${line}\n`);
  match(disk.files.get("/s/measurements-20261122.log") ?? "", /^# time source /);
});

Deno.test("files of 30 days are kept, also over a pause", async () => {
  const disk = memory();
  const writer = new StatisticsWriter("/s", disk);
  for (let day = 0; day < 40; day++) {
    const status = exampleStatus({ sources: [exampleSource({ received: day + 1 })] });
    writer.observe(status, NOW + BigInt(day) * DAY);
    await writer.settled();
  }
  const measurements = [...disk.files.keys()].filter((path) => path.includes("measurements"));
  equal(measurements.length, 30);
  deepEqual([measurements[0], measurements.at(-1)], [
    "/s/measurements-20261202.log",
    "/s/measurements-20261231.log",
  ]);
  const later = new StatisticsWriter("/s", disk);
  later.observe(exampleStatus(), NOW + 100n * DAY);
  await later.settled();
  equal([...disk.files.keys()].length, 2);
});

Deno.test("what cannot be written is told, and tried again a minute later", async () => {
  const disk = memory();
  let isFull = true;
  const filling = {
    ...disk,
    appendToFile: (path: string, bytes: Uint8Array) =>
      isFull
        ? Promise.resolve(
          err({
            name: "ENOSPC",
            message: "Cannot append to /s/x: no space left",
            hint: "Free some",
          }),
        )
        : disk.appendToFile(path, bytes),
  };
  const writer = new StatisticsWriter("/s", filling);
  writer.prepare(NOW);
  await writer.settled();
  equal(writer.error, "Cannot append to /s/x: no space left; Free some");
  const update = async (seconds: bigint) => {
    writer.observe(exampleStatus({ referenceTime: `${seconds}` }), NOW + seconds * SECOND);
    await writer.settled();
  };
  isFull = false;
  await update(59n);
  match(writer.error ?? "", /no space left/, "it is left alone for a while");
  equal(disk.files.size, 0);
  await update(60n);
  equal(writer.error, undefined);
  deepEqual([...disk.files.keys()].sort(), [
    "/s/measurements-20261122.log",
    "/s/tracking-20261122.log",
  ]);
  isFull = true;
  await update(61n);
  match(writer.error ?? "", /no space left/);
  isFull = false;
  await update(-3600n);
  equal(writer.error, undefined, "a clock that is set back does not make it wait");
});

Deno.test("a clock that is not known to be right removes nothing", async () => {
  const disk = memory();
  const observe = async (changes: Partial<StatusDocument>, days: bigint) => {
    const writer = new StatisticsWriter("/s", disk);
    writer.observe(exampleStatus(changes), NOW + days * DAY);
    await writer.settled();
  };
  await observe({}, 0n);
  const first = [...disk.files.keys()];
  for (const state of ["starting", "unsynchronized"] as const) await observe({ state }, 90n);
  await observe({ state: "monitoring", offsetSeconds: -90 * 86_400 }, 90n);
  await observe({ state: "monitoring", offsetSeconds: null }, 90n);
  deepEqual([...disk.files.keys()].slice(0, 2), first);
  await observe({ state: "monitoring", offsetSeconds: 0.5 }, 90n);
  equal(disk.files.size, 2);
});

Deno.test("a disk that hangs is told of, loses lines beyond a bound, and keeps nobody waiting", async () => {
  const disk = memory();
  const { promise, resolve } = Promise.withResolvers<void>();
  let isHanging = true;
  const writer = new StatisticsWriter("/s", {
    ...disk,
    appendToFile: async (path, bytes) => {
      if (isHanging) await promise;
      return await disk.appendToFile(path, bytes);
    },
  });
  for (let i = 1; i <= 10_000; i++) {
    writer.observe(exampleStatus({ referenceTime: `${i}`, sources: [] }), NOW + BigInt(i));
  }
  writer.prepare(NOW + 11n * SECOND);
  match(writer.error ?? "", /does not end/);
  isHanging = false;
  resolve();
  while (writer.error !== undefined) await writer.settled();
  await writer.settled();
  const lines = disk.files.get("/s/tracking-20261122.log")?.split("\n") ?? [];
  equal(lines.length, 1 + 1 + 4096 + 1);
});
