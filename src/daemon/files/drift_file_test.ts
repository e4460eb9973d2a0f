import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "../../../tests/support/properties.ts";
import { fileStatus, readFile, removeFile, writeFileAtomic } from "../../../ffi/file/files.ts";
import { processId } from "../../../ffi/process/process.ts";
import { parseConfig } from "../../config/parse.ts";
import { lookAtFiles } from "../../system/config_files.ts";
import { formatDrift, parseDrift } from "../../system/drift_text.ts";
import { driftFile, readDriftFile, writeDriftFile } from "./drift_file.ts";

// The C library is opened at the first use and stays open: no leak of the test that comes first.
processId();

const text = new TextEncoder();

Deno.test("drift files of ours, of ntpd and of chrony are read", () => {
  deepEqual(parseDrift("-12.345678 0.012300\n", 500), {
    ok: true,
    value: { frequency: -12.345678, skew: 0.0123 },
  });
  deepEqual(parseDrift("17.512\n", 500), { ok: true, value: { frequency: 17.512, skew: 5 } });
  deepEqual(parseDrift("           -1.5e1            0.25\n", 500), {
    ok: true,
    value: { frequency: -15, skew: 0.25 },
  });
});

Deno.test("what makes no sense is refused with a reason", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "it is empty"],
    [" \n", "it is empty"],
    ["-12.3", "its last line has no end, as if half written"],
    ["abc\n", "wanted one or two numbers, found something else"],
    ["NaN\n", "wanted one or two numbers, found something else"],
    ["1 2 3\n", "wanted one or two numbers, found something else"],
    ["501 1\n", "wanted at most 500 ppm, found 501 ppm"],
    ["-1e300\n", "wanted at most 500 ppm, found -1e+300 ppm"],
    ["1 -1\n", "wanted a skew from 0 to 1000000 ppm, found -1"],
    ["\0\0\0\0\n", "wanted one or two numbers, found something else"],
  ];
  for (const [found, error] of cases) deepEqual(parseDrift(found, 500), { ok: false, error });
});

Deno.test("property: what is written is read again, to a millionth of a ppm", () => {
  const ppm = fc.double({ min: -500, max: 500, noNaN: true });
  const skew = fc.double({ min: 0, max: 1000, noNaN: true });
  fc.assert(fc.property(ppm, skew, (frequency, skew) => {
    const parsed = parseDrift(formatDrift({ frequency, skew }), 500);
    ok(parsed.ok && Math.abs(parsed.value.frequency - frequency) < 1e-6);
    ok(Math.abs(parsed.value.skew - skew) < 1e-6);
  }));
});

Deno.test("the drift file is written, read, and set aside when damaged", async () => {
  const path = `/tmp/ntpsd-test-drift-${processId()}`;
  try {
    deepEqual(readDriftFile(driftFile(path), 500), { drift: undefined, error: undefined });
    deepEqual(await writeDriftFile(driftFile(path), { frequency: 1.25, skew: 0.5 }), {
      ok: true,
      value: undefined,
    });
    const octets = readFile(path, 100);
    equal(octets.ok && new TextDecoder().decode(octets.value), "1.250000 0.500000\n");
    deepEqual(readDriftFile(driftFile(path), 500).drift, { frequency: 1.25, skew: 0.5 });
    ok(writeFileAtomic(path, { bytes: text.encode("1.25") }).ok);
    deepEqual(readDriftFile(driftFile(path), 500), {
      drift: undefined,
      error:
        `The drift file ${path} cannot be used, its last line has no end, as if half written; ` +
        `it is now ${path}.damaged`,
    });
    deepEqual(fileStatus(path), { ok: true, value: undefined });
    ok(writeFileAtomic(path, { bytes: new Uint8Array(10_000) }).ok);
    match(
      readDriftFile(driftFile(path), 500).error ?? "",
      /it is longer than 4096 octets; it is now/,
    );
  } finally {
    removeFile(path);
    removeFile(`${path}.damaged`);
  }
});

Deno.test("a directory that is missing is told with what to do", async () => {
  const written = await writeDriftFile(driftFile("/nonexistent/ntpsd/drift"), {
    frequency: 0,
    skew: 0,
  });
  ok(!written.ok);
  match(written.error, /^Cannot write \/nonexistent\/ntpsd\/drift: no such file or directory .*; /);
});

Deno.test("check tells of a drift file that the daemon would set aside, and of no other", () => {
  const path = `/tmp/ntpsd-test-checked-drift-${processId()}`;
  const parsed = parseConfig(`[clock]\ndrift-file = "${path}"\n`);
  ok(parsed.ok);
  const { config } = parsed.value;
  const notes = () => {
    const found = lookAtFiles(config, { now: 0, placeOf: (path) => ({ path }) });
    deepEqual(found.errors, []);
    return found.notes.map(({ path: key, message }) => `${key}: ${message}`);
  };
  const contents = [
    "garbage\n",
    "NaN\n",
    "1e9\n",
    "",
    "1.5",
    "1 2\n3 4\n",
    "\0".repeat(300_000),
    "1\n".repeat(2_000_000),
    "\ufeff1.5 0.1\n",
    "1.5 0.1\n",
    "17.512\n",
  ];
  try {
    deepEqual(notes(), []);
    for (const content of contents) {
      const bytes = text.encode(content);
      ok(writeFileAtomic(path, { bytes, mode: 0o600 }).ok);
      const found = notes();
      const error = readDriftFile(driftFile(path), config.clock.maxFrequency).error;
      equal(
        found.length,
        error === undefined ? 0 : 1,
        JSON.stringify([content.slice(0, 20), found, error]),
      );
      if (error === undefined) continue;
      match(found[0] ?? "", /^clock\.drift-file: The drift file .* cannot be used, /);
      ok(error.startsWith(found[0]?.slice("clock.drift-file: ".length) ?? "-"), error);
    }
  } finally {
    for (const end of ["", ".damaged"]) removeFile(path + end);
  }
});
