import assert from "node:assert/strict";
import fc from "../../../tests/support/properties.ts";
import { formatConfigError } from "../../config/config_error.ts";
import { configurationPath, parseScenario } from "./parse.ts";

function errors(text: string): readonly string[] {
  const parsed = parseScenario(text);
  return parsed.ok ? [] : parsed.error.map((error) => formatConfigError(error, "s"));
}

Deno.test("all errors of a scenario are told at once, with their lines", () => {
  const found = errors(`name = "x"
duration = "soon"
[clock]
ofset = 1
[[server]]
name = "a"
los = 2
[ntpsd.synchronization]
step-limit = "many"
[[event]]
at = "1h"
kind = "suspend"
[[event]]
at = "2h"
kind = "server-dies"
server = "b"
`);
  const paths = found.map((line) => line.split(" ").slice(0, 1).join(" "));
  assert.deepEqual(paths, [
    "s:2:",
    "s:4:",
    "s:7:",
    "s:9:",
    "s:10:",
    "s:16:",
  ]);
  assert.match(found[5] ?? "", /event\[1\]\.server: Wanted the name of a server, found "b"/);
  assert.match(found[4] ?? "", /event\[0\]\.duration: Missing for a suspend/);
});

Deno.test("a scenario without sources asks each of its servers", () => {
  const parsed = parseScenario(`
    name = "x"
    duration = "1h"
    [[server]]
    name = "a"
    count = 2
    [[server]]
    name = "b"
    delay = "20ms"
    asymmetry = "-10ms"
    forward = { jitter = 0 }
    [ntpsd.source-defaults]
    poll-interval-limits = { min = 5, max = 7 }`);
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  const { config, servers, measureFrom } = parsed.value;
  assert.deepEqual(config.sources.map(({ host }) => host), ["a-1", "a-2", "b"]);
  assert.deepEqual(config.sources[2]?.pollIntervalLimits, { min: 5, max: 7 });
  assert.deepEqual(servers.map(({ address }) => address), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
  assert.equal(measureFrom, 900);
  assert.deepEqual([servers[2]?.forward.delay, servers[2]?.backward.delay], [0.015, 0.025]);
  assert.deepEqual([servers[2]?.forward.jitter, servers[2]?.backward.jitter], [0, 0.001]);
});

Deno.test("sources that no server is written for get one, and NTS is taken off", () => {
  const parsed = parseScenario(
    `name = "x"
    duration = "1h"
    configuration = "my.toml"
    [server-defaults]
    delay = "5ms"`,
    {
      configurationText: `
    [[source]]
    mode = "nts"
    address = "time.example"
    [[source]]
    mode = "pool"
    address = "pool.example"
    count = 3`,
    },
  );
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  assert.deepEqual(parsed.value.config.sources.map(({ mode }) => mode), ["server", "pool"]);
  assert.equal(parsed.value.servers.length, 8);
  assert.ok(parsed.value.servers.every(({ forward }) => forward.delay === 0.005));
  assert.equal(parsed.value.notes.length, 3);
});

Deno.test("a configuration beside the scenario is named, and missed when it is not there", () => {
  const text = `name = "x"\nduration = 10\nconfiguration = "my.toml"`;
  assert.equal(configurationPath(text), "my.toml");
  assert.deepEqual(errors(text), ["s:3: configuration: Cannot read the file my.toml"]);
});

Deno.test("leap seconds come at the end of a day", () => {
  const text = `name = "x"
duration = "1d"
start = 2026-12-31T20:00:00Z
[[event]]
at = "3h"
kind = "leap"
leap = "insert"
[[server]]
name = "a"`;
  assert.deepEqual(errors(text), [
    "s:5: event[0].at: Wanted the end of a day in UTC, where leap seconds are",
  ]);
  assert.deepEqual(errors(text.replace('"3h"', '"4h"')), []);
});

Deno.test("no text makes the reader throw", () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => {
    assert.equal(typeof parseScenario(text).ok, "boolean");
  }));
});

Deno.test("a sleep that would turn the boot-time clock back is refused, at its key", () => {
  const scenario = (error: string) =>
    parseScenario(`name = "sleep"\nduration = "1h"\n[[server]]\nname = "a"\n
[[event]]\nat = "10m"\nkind = "suspend"\nduration = "10s"\nerror = "${error}"\n`);
  const refused = scenario("-11s");
  assert.ok(!refused.ok);
  assert.deepEqual(refused.error.map(({ path }) => path), ["event[0].error"]);
  assert.ok(scenario("-10s").ok);
  assert.ok(scenario("1h").ok);
});

Deno.test("what lies after the end of a run is told", () => {
  const text = (more: string) => `name = "x"\nduration = "1h"\n${more}`;
  const late = '[[server]]\nname = "a"\n[[event]]\nat = "2h"\nkind = "server-dies"\nserver = "a"\n';
  const parsed = parseScenario(text(late));
  assert.deepEqual(parsed.ok && parsed.value.notes, [
    '"server dies a" at 02:00:00 is after the end of the run, and does not happen',
  ]);
  for (const wrong of ["1h", "2h"]) {
    assert.match(
      errors(text(`measure-from = "${wrong}"\n`))[0] ?? "",
      /^s:3: measure-from: Wanted/,
    );
  }
  assert.deepEqual(errors(text('measure-from = "59m"\n')), []);
});
