import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import "../../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
// the C library is opened here, not inside of a test, which must leave nothing open
import "../../../ffi/file/files.ts";
import { makePipe, removeAny } from "../../../tests/support/test_files.ts";
import { err, ok } from "../../base/result.ts";
import { main } from "../main.ts";
import type { CommandContext } from "../command_context.ts";

const SCENARIO = `name = "short"
duration = "10min"
clock = { offset = "10ms", frequency-ppm = 5 }
[[server]]
name = "a"
`;

interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  words: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<Printed> {
  const printed = { out: "", err: "" };
  const context: CommandContext = {
    ...IDLE_CONTEXT,
    out: (text) => void (printed.out += text),
    err: (text) => void (printed.err += text),
    color: false,
    columns: undefined,
    readFile(path) {
      const text = files[path];
      return text === undefined ? err({ name: "ENOENT", message: `No file ${path}` }) : ok(text);
    },
  };
  return { code: await main(["simulate", ...words], context), ...printed };
}

Deno.test("simulate prints one JSON document and nothing else", async () => {
  const printed = await run(["s.toml", "--json", "--runs", "3", "--seed", "40"], {
    "s.toml": SCENARIO,
  });
  assert.equal(printed.code, 0);
  assert.equal(printed.err, "");
  const document = JSON.parse(printed.out);
  assert.equal(document.scenario, "short");
  assert.equal(document.seed, 40);
  assert.equal(document.durationSeconds, 600);
  assert.deepEqual(document.runs.map((entry: { seed: number }) => entry.seed), [40, 41, 42]);
  assert.ok(document.median.rmsErrorSeconds < 0.002);
});

Deno.test("simulate repeats a run from its seed", async () => {
  const files = { "s.toml": SCENARIO };
  const first = await run(["s.toml", "--seed", "3"], files);
  assert.deepEqual(await run(["s.toml", "--seed", "3"], files), first);
  assert.match(first.out, /short, 00:10:00 of simulated time, seed 3/);
});

Deno.test("simulate ends with 1 when a limit is broken, and says how to see it again", async () => {
  const text = `${SCENARIO}[limits]\nmax-error = "1ns"\n`;
  const printed = await run(["d/s.toml"], { "d/s.toml": text });
  assert.equal(printed.code, 1);
  assert.match(printed.out, /Wanted an error of at most 1 ns/);
  assert.match(printed.out, /ntpsd simulate d\/s\.toml --seed 1/);
});

Deno.test("simulate reads a configuration beside the scenario", async () => {
  const files = {
    "d/s.toml": `name = "x"\nduration = 600\nconfiguration = "my.toml"\n`,
    "d/my.toml": `[[source]]\nmode = "server"\naddress = "time.example"\niburst = true\n`,
  };
  const printed = await run(["d/s.toml"], files);
  assert.equal(printed.code, 0);
  assert.match(
    printed.out,
    /Note: time\.example is simulated with the qualities of \[server-defaults\]/,
  );
});

Deno.test("simulate tells wrong usage, wrong scenarios and missing files apart", async () => {
  assert.equal((await run([], {})).code, 64);
  assert.equal((await run(["s.toml", "--runs", "0"], { "s.toml": SCENARIO })).code, 64);
  const wrong = await run(["s.toml"], { "s.toml": `name = "x"\nduration = "long"\n` });
  assert.equal(wrong.code, 78);
  assert.match(wrong.err, /^s\.toml:2: duration: Wanted a duration/);
  const missing = await run(["s.toml"], {});
  assert.equal(missing.code, 74);
  assert.equal(missing.err, "ntpsd simulate: No file s.toml\n");
});

Deno.test("simulate draws the first run", async () => {
  const directory =
    (await import("../../../ffi/process/process.ts")).environmentVariable("TMPDIR") ??
      "/tmp";
  const path = `${directory}/ntpsd-plot-${crypto.randomUUID()}.svg`;
  const { readFile, removeFile } = await import("../../../ffi/file/files.ts");
  const printed = await run(["s.toml", "--plot", path], { "s.toml": SCENARIO });
  assert.equal(printed.code, 0);
  const svg = readFile(path, 1 << 20);
  assert.ok(svg.ok && new TextDecoder().decode(svg.value).startsWith("<svg "));
  assert.ok(removeFile(path).ok);
  const nowhere = await run(["s.toml", "--plot", "/nowhere/a.svg"], { "s.toml": SCENARIO });
  assert.equal(nowhere.code, 74);
});

Deno.test("simulate draws into a file that is there as it is, and into nothing that is no file", async () => {
  const { fileStatus, makeDirectory, readFile, writeFileAtomic } = await import(
    "../../../ffi/file/files.ts"
  );
  const folder = `/tmp/ntpsd-plot-${crypto.randomUUID()}`, path = `${folder}/a.svg`;
  assert.ok(makeDirectory(folder, 0o700).ok);
  const draw = (place: string) => run(["s.toml", "--plot", place], { "s.toml": SCENARIO });
  const status = () => {
    const found = fileStatus(path);
    return found.ok ? found.value : undefined;
  };
  try {
    assert.ok(writeFileAtomic(path, { bytes: new Uint8Array(1 << 20), mode: 0o604 }).ok);
    const before = status();
    assert.equal((await draw(path)).code, 0);
    assert.deepEqual([status()?.mode, status()?.inode], [before?.mode, before?.inode]);
    const svg = readFile(path, 1 << 20);
    assert.match(svg.ok ? new TextDecoder().decode(svg.value) : "", /^<svg [^]*<\/svg>\s*$/);
    removeAny(path);
    makePipe(path);
    for (const place of [path, "/dev/null", "/dev/full"]) {
      const kind = () => {
        const found = fileStatus(place);
        return found.ok ? found.value?.kind : undefined;
      };
      // The pipe comes first, which can be made anew: a program that replaces what it finds never
      // gets to the machine's devices.
      const refused = await draw(place);
      assert.equal(refused.code, 74, place);
      assert.match(refused.err, /wanted a regular file, found a pipe, a socket or a device/);
      assert.equal(kind(), "other", place);
    }
    assert.equal((await draw(folder)).code, 74);
  } finally {
    removeAny(path);
    removeAny(folder);
  }
});
