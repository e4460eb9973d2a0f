import assert from "node:assert/strict";
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import { exampleMachine } from "../../../tests/support/machine_example.ts";
import { exampleServer, exampleStatus } from "../../../tests/support/status_example.ts";
import { err, ok } from "../../base/result.ts";
import { builtinConfig } from "../../config/builtin.ts";
import { parseConfig } from "../../config/parse.ts";
import type { MachineFacts } from "../../system/machine_facts.ts";
import { painter } from "../display/style.ts";
import { type ConfigurationFacts, type DoctorFacts, examine } from "./checks.ts";
import { doctorCommand, renderChecks } from "./command.ts";

const SOURCE = '[[source]]\nmode = "server"\naddress = "a.test"\n';

function configured(text: string): ConfigurationFacts {
  const parsed = parseConfig(text);
  assert.ok(parsed.ok, text);
  const { config } = parsed.value;
  return {
    file: "/etc/ntpsd/ntpsd.toml",
    config,
    errors: [],
    closed: { user: "ntpsd", paths: [] },
  };
}

/** Returns how the checks end that do not end well, by name. */
function findings(
  { machine = {}, text = SOURCE, ...others }:
    & Partial<Omit<DoctorFacts, "machine">>
    & { readonly machine?: Partial<MachineFacts>; readonly text?: string },
): Readonly<Record<string, string>> {
  const checks = examine({
    machine: exampleMachine({ leapFile: undefined, ...machine }),
    configuration: configured(text),
    daemon: ok(exampleStatus()),
    ...others,
  });
  for (const { level, hint } of checks) assert.equal(hint === null, level === "ok");
  return Object.fromEntries(
    checks.filter(({ level, name }) => level !== "ok" && name !== "leap seconds")
      .map(({ name, level }) => [name, level]),
  );
}

Deno.test("a machine where all is well has nothing to do", () => {
  assert.deepEqual(findings({}), {});
});

Deno.test("another time daemon is a problem, unless ntpsd only measures", () => {
  const measuring = `${SOURCE}[clock]\nadjust = false\n`;
  // the kernel cuts names to 15 characters
  for (const name of ["chronyd", "ntpd", "systemd-timesyn", "ntp-daemon"]) {
    const machine = { processes: [{ id: 7, name, args: [] }] };
    assert.deepEqual(findings({ machine }), { "other time daemons": "problem" });
    assert.deepEqual(findings({ machine, text: measuring }), { "other time daemons": "note" });
  }
  assert.deepEqual(
    findings({ machine: { processes: [{ id: 7, name: "constructor", args: [] }] } }),
    {},
  );
});

Deno.test("a chronyd that leaves the clock alone is no other daemon", () => {
  const machine = (args: readonly string[]) => ({ processes: [{ id: 7, name: "chronyd", args }] });
  for (const args of [["-x"], ["-d", "-x"], ["-4dx"], ["-f", "/c", "-x"]]) {
    assert.deepEqual(findings({ machine: machine(args) }), {}, args.join(" "));
  }
  for (const args of [[], ["-u", "x"], ["-f", "/x"], ["-q"]]) {
    assert.deepEqual(findings({ machine: machine(args) }), { "other time daemons": "problem" });
  }
});

Deno.test("another unit that is enabled beside ntpsd's is a problem", () => {
  const units = (...enabledUnits: readonly string[]) => ({ machine: { enabledUnits } });
  const ours = "ntpsd.service";
  for (const unit of ["chrony.service", "systemd-timesyncd.service", "ntpsec.service"]) {
    assert.deepEqual(findings(units(unit, ours)), { "other time daemons": "problem" });
    assert.deepEqual(findings(units(unit)), { "other time daemons": "note" });
    const text = `${SOURCE}[clock]\nadjust = false\n`;
    assert.deepEqual(findings({ ...units(unit, ours), text }), { "other time daemons": "note" });
  }
  assert.deepEqual(findings(units("cron.service", ours)), {});
});

Deno.test("a file that the service cannot read is a problem where the service is enabled", () => {
  const configuration = (paths: readonly string[]): ConfigurationFacts => ({
    ...configured(SOURCE),
    closed: { user: "ntpsd", paths },
  });
  const closed = configuration(["/etc/ntpsd/ntp.keys"]);
  assert.deepEqual(findings({ configuration: closed }), { "files of the service": "problem" });
  const machine = { enabledUnits: [] };
  assert.deepEqual(findings({ configuration: closed, machine }), {
    "files of the service": "note",
  });
  assert.deepEqual(findings({ configuration: configuration([]) }), {});
  // what was not looked at is not well
  const unseen = { ...configured(SOURCE), closed: undefined };
  assert.deepEqual(findings({ configuration: unseen }), { "files of the service": "note" });
});

Deno.test("ports of [control] count as those of servers do", () => {
  const text = `${SOURCE}[control]\nntpq = "127.0.0.1:123"\nchronyc = "127.0.0.1:323"\n`;
  assert.deepEqual(findings({ machine: { isPortTaken: true }, text }), { "port 123": "problem" });
  const functions = [{ kind: "ntpq", name: "127.0.0.1:123", up: true, reason: "" }] as const;
  const daemon = ok(exampleStatus({ functions }));
  assert.deepEqual(findings({ machine: { isPortTaken: true }, text, daemon }), {});
  const lines = ['control.chronyc = "127.0.0.1:323"', 'control.ntpq = "127.0.0.1:123"'];
  for (const line of [...lines, 'observability.listen = "127.0.0.1:80"']) {
    const found = findings({ machine: { mayBindLowPorts: false }, text: `${line}\n${SOURCE}` });
    assert.deepEqual(found, { "right to open ports": "problem" }, line);
  }
  const off = `control.ntpq = "off"\n${SOURCE}`;
  assert.deepEqual(findings({ machine: { mayBindLowPorts: false }, text: off }), {});
});

Deno.test("a port that is taken is a problem where it is needed, and none where ntpsd has it", () => {
  const text = `${SOURCE}[[server]]\nlisten = "[::]:123"\n`;
  const machine = { isPortTaken: true };
  assert.deepEqual(findings({ machine }), { "port 123": "note" });
  assert.deepEqual(findings({ machine, text }), { "port 123": "problem" });
  const server = exampleServer();
  const state = { kind: "server", name: "[::]:123", reason: "" } as const;
  const daemonWith = (up: boolean) =>
    ok(exampleStatus({ servers: [server], functions: [{ ...state, up }] }));
  assert.deepEqual(findings({ machine, text, daemon: daemonWith(true) }), {});
  assert.equal(findings({ machine, text, daemon: daemonWith(false) })["port 123"], "problem");
  const functions = [{ kind: "ntpq", name: "127.0.0.1:123", up: true, reason: "" }] as const;
  assert.deepEqual(findings({ machine, daemon: ok(exampleStatus({ functions })) }), {});
  assert.deepEqual(findings({ machine: { isPortTaken: undefined } }), { "port 123": "note" });
});

Deno.test("a right that is missing is a problem for root alone", () => {
  const text = `${SOURCE}[[server]]\nlisten = "[::]:123"\n`;
  const machine = { maySetClock: false, mayBindLowPorts: false };
  const names = ["right to set the clock", "right to open ports"];
  const all = (level: string) => Object.fromEntries(names.map((name) => [name, level]));
  assert.deepEqual(findings({ machine, text }), all("problem"));
  assert.deepEqual(findings({ machine: { ...machine, isRoot: false }, text }), all("note"));
  const open = { ...machine, maySetClock: true, unprivilegedPorts: 0 };
  assert.deepEqual(findings({ machine: open, text }), {});
  const measuring = `${SOURCE}[clock]\nadjust = false\n`;
  assert.deepEqual(findings({ machine, text: measuring }), {});
});

Deno.test("OpenSSL and authorities are needed by NTS alone", () => {
  const machine = { openssl: { error: "OpenSSL 3 is missing" }, hasAuthorities: false };
  const names = ["OpenSSL", "trusted authorities"];
  const all = (level: string) => Object.fromEntries(names.map((name) => [name, level]));
  assert.deepEqual(findings({ machine }), all("note"));
  const nts = SOURCE.replace('"server"', '"nts"');
  assert.deepEqual(findings({ machine, text: nts }), all("problem"));
  const own = `${nts}certificate-authority = "/ca.pem"\n`;
  assert.equal(findings({ machine, text: own })["trusted authorities"], "note");
});

Deno.test("what makes ntpsd worse is a note", () => {
  assert.deepEqual(findings({ machine: { clocksource: "hpet" } }), { clocksource: "note" });
  assert.deepEqual(findings({ machine: { clocksource: undefined } }), { clocksource: "note" });
  assert.deepEqual(findings({ machine: { clocksource: "arch_sys_counter" } }), {});
  assert.deepEqual(findings({ machine: { container: "docker" } }), { container: "note" });
  assert.deepEqual(findings({ machine: { interfaces: [] } }), { timestamps: "note" });
});

Deno.test("the list of leap seconds is judged by its date", () => {
  const path = "/usr/share/zoneinfo/leap-seconds.list";
  const used = `${SOURCE}[clock]\nleap-seconds-file = "${path}"\n`;
  const level = (expiresAt: number | undefined, text: string) => {
    const machine = exampleMachine({ leapFile: { path, expiresAt }, now: 1000 });
    const checks = examine({ machine, configuration: configured(text), daemon: err("none") });
    return checks.find(({ name }) => name === "leap seconds")?.level;
  };
  assert.deepEqual(
    [level(2000, used), level(1000, used), level(undefined, used), level(2000, SOURCE)],
    ["ok", "note", "note", "note"],
  );
});

Deno.test("the configuration and the daemon are told of with their errors", () => {
  const builtin = { file: undefined, config: builtinConfig(), errors: [] };
  assert.equal(findings({ configuration: builtin }).configuration, "note");
  const wrong = { file: "/t.toml", config: undefined, errors: ["/t.toml:1: wrong", "more"] };
  assert.equal(findings({ configuration: wrong }).configuration, "problem");
  assert.equal(findings({ text: "" }).configuration, "problem");
  assert.deepEqual(findings({ text: "[synchronization]\nlocal-stratum = 5\n" }), {});
  assert.deepEqual(findings({ daemon: err("connection refused") }), { daemon: "note" });
  const state = (changes: Parameters<typeof exampleStatus>[0]) =>
    findings({ daemon: ok(exampleStatus(changes)) });
  assert.deepEqual(state({ state: "starting" }), { daemon: "note" });
  assert.deepEqual(state({ state: "unsynchronized" }), { daemon: "problem" });
  const functions = [{ kind: "server", name: "x", up: false, reason: "taken" }] as const;
  assert.deepEqual(state({ functions }), { daemon: "problem" });
});

Deno.test("checks are shown within 80 columns, and hostile text stays in its line", () => {
  const evil = `${"a b ".repeat(60)}\x1b[2J\nok nothing`;
  const check = { name: "daemon", level: "problem", text: evil, hint: evil } as const;
  const text = renderChecks([check], painter(false));
  assert.ok(!text.includes("\x1b"));
  assert.ok(text.split("\n").every((line) => line.length <= 80 && !line.startsWith("ok")), text);
});

Deno.test("doctor ends with 1 when something must be done, whatever answers as the daemon", async () => {
  const run = async (body: string, machine: Partial<MachineFacts> = {}) => {
    let out = "";
    const code = await doctorCommand.run({ operands: [], options: { json: true } }, {
      ...IDLE_CONTEXT,
      machineFacts: () => Promise.resolve(exampleMachine(machine)),
      out: (text) => out += text,
      err: () => {},
      httpGet: () => Promise.resolve(ok({ status: 200, body })),
    });
    return { code, ...JSON.parse(out) };
  };
  const good = await run(JSON.stringify(exampleStatus()));
  assert.deepEqual([good.code, good.ok], [0, true]);
  const chronyd = { processes: [{ id: 3, name: "chronyd", args: ["-F", "1"] }] };
  const bad = await run(JSON.stringify(exampleStatus()), chronyd);
  assert.deepEqual([bad.code, bad.ok], [1, false]);
  for (const more of [{}, { functions: [null], servers: [{}] }, { functions: 1, servers: 2 }]) {
    const stranger = await run(JSON.stringify({ state: "synchronized", sources: [], ...more }));
    assert.equal(stranger.code, 0);
  }
});
