import { IDLE_CONTEXT } from "../../tests/support/idle_context.ts";
import "../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok as assertOk } from "node:assert/strict";
// the C library is opened here, not inside of a test, which must leave nothing open
import "../../ffi/file/files.ts";
import { err, ok } from "../base/result.ts";
import { exampleStatus } from "../../tests/support/status_example.ts";
import type { FileFindings } from "../system/config_files.ts";
import type { StatusDocument } from "../engine/status/snapshot.ts";
import { main } from "./main.ts";
import type { CommandContext, FileFailure } from "./command_context.ts";

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly asked: readonly string[];
}

interface World {
  readonly files?: Readonly<Record<string, string>>;
  readonly failure?: FileFailure;
  readonly status?: StatusDocument;
  /** What a look at the files of a configuration finds. */
  readonly found?: FileFindings;
}

async function run(words: readonly string[], world: World = {}): Promise<Run> {
  let out = "", errors = "";
  const asked: string[] = [];
  const absent = (path: string) => ({
    name: "ENOENT",
    message: `Cannot read ${path}: no such file`,
  });
  const context: CommandContext = {
    ...IDLE_CONTEXT,
    out: (text) => out += text,
    err: (text) => errors += text,
    readFile: (path) => {
      const text = world.files?.[path];
      return text === undefined ? err(world.failure ?? absent(path)) : ok(text);
    },
    ...(world.found === undefined
      ? {}
      : { lookAtFiles: () => Promise.resolve(world.found ?? { errors: [], notes: [] }) }),
    httpGet: (address, path) => {
      asked.push(address + path);
      if (world.status === undefined) {
        return Promise.resolve(err(`Cannot connect to ${address}: connection refused`));
      }
      return Promise.resolve(ok({ status: 200, body: JSON.stringify(world.status) }));
    },
  };
  const code = await main(words, context);
  return { code, out, err: errors, asked };
}

const USUAL = "/etc/ntpsd/ntpsd.toml";

Deno.test("version and help", async () => {
  match((await run(["version"])).out, /^ntpsd \d+\.\d+\.\d+ \(/);
  deepEqual(Object.keys(JSON.parse((await run(["version", "--json"])).out)), [
    "version",
    "deno",
    "v8",
    "platform",
  ]);
  equal((await run(["--version"])).code, 0);
  match((await run(["--help"])).out, /\n {2}check +validate a configuration/);
  match((await run(["status", "--help"])).out, /^Usage: ntpsd status \[OPTION\.\.\.\]\n/);
  match((await run(["-x", "--help"])).out, /^Usage: ntpsd run \[OPTION\.\.\.\]\n/);
  match(
    (await run(["help", "configuration"])).out,
    /\n- `minimum-agreeing-sources`: an integer from 1/,
  );
  equal((await run(["help", "sources"])).out, (await run(["sources", "-h"])).out);
});

/** Command lines, and what is written about them. */
const WRONG_USAGE: readonly (readonly [readonly string[], string])[] = [
  [["stauts"], 'ntpsd: Unknown command "stauts"; did you mean "status"?\nTry "ntpsd --help"\n'],
  [["frobnicate"], 'ntpsd: Unknown command "frobnicate"\nTry "ntpsd --help"\n'],
  [
    ["check", "--jsno"],
    'ntpsd check: Unknown option --jsno; did you mean --json?\nTry "ntpsd check --help"\n',
  ],
  [
    ["--no-ajust"],
    'ntpsd run: Unknown option --no-ajust; did you mean --no-adjust?\nTry "ntpsd run --help"\n',
  ],
  [
    ["check", "-c", "/a", "/b"],
    'ntpsd check: Wanted one file, found "/a" and "/b"\nTry "ntpsd check --help"\n',
  ],
  [
    ["check", "/a", "/b"],
    'ntpsd check: Wanted one FILE, found "/a" and "/b"\nTry "ntpsd check --help"\n',
  ],
  [
    ["-x", "ntpsd.toml"],
    'ntpsd run: Wanted options only, found "ntpsd.toml"\nTry "ntpsd run --help"\n',
  ],
  [
    ["--version", "now"],
    'ntpsd version: Wanted options only, found "now"\nTry "ntpsd version --help"\n',
  ],
  [["help", "run", "check"], 'ntpsd: Wanted one command to explain, found "run" and "check"\n'],
  [
    ["help", "--all"],
    'ntpsd: No command, section or key is called "--all"\nTry "ntpsd --help"\n',
  ],
  [
    ["help", "step-limt"],
    'ntpsd: No command, section or key is called "step-limt"; did you mean "step-limit"?\n' +
    'Try "ntpsd --help"\n',
  ],
  [
    ["help", "leapsectz"],
    'ntpsd: No command, section or key is called "leapsectz"; use leap-seconds-file in [clock]\n' +
    'Try "ntpsd --help"\n',
  ],
  [
    ["--help", "chekc"],
    'ntpsd: No command, section or key is called "chekc"; did you mean "check"?\nTry "ntpsd --help"\n',
  ],
  [["check", "-c"], 'ntpsd check: -c wants a value: -c FILE\nTry "ntpsd check --help"\n'],
  [["check", "--json=yes"], 'ntpsd check: --json takes no value\nTry "ntpsd check --help"\n'],
  [
    ["status", "now"],
    'ntpsd status: Wanted options only, found "now"\nTry "ntpsd status --help"\n',
  ],
  [
    ["status", "--at", "1.2.3"],
    'ntpsd: --at wants a numeric address or localhost, with a port, such as 127.0.0.1:9975, found "1.2.3"\n',
  ],
  [
    ["run", "--log-level", "warnign"],
    'ntpsd: --log-level wants trace, debug, info, warning, error, found "warnign"; did you mean "warning"?\n',
  ],
  [
    ["check", "-c", "/a", "--config", "/b"],
    'ntpsd check: --config wants one value, found "/a" and "/b"\nTry "ntpsd check --help"\n',
  ],
  [
    ["simulate", "/a", "/b"],
    'ntpsd simulate: Wanted one SCENARIO.toml, found "/a" and "/b"\nTry "ntpsd simulate --help"\n',
  ],
  ...["", "host:99999", "host:0", "[::1", "a b"].map((host) =>
    [
      ["query", "a.example", host],
      `ntpsd query: Wanted HOST, HOST:PORT or [IPv6]:PORT, with a port from 1 to 65535, found "${host}"\n` +
      'Try "ntpsd query --help"\n',
    ] as const
  ),
  [
    ["tracking"],
    'ntpsd: Unknown command "tracking"; use "ntpsd status"\nTry "ntpsd --help"\n',
  ],
  [
    ["help", "chekc"],
    'ntpsd: No command, section or key is called "chekc"; did you mean "check"?\nTry "ntpsd --help"\n',
  ],
];

Deno.test("wrong usage ends with 64 and a proposal on standard error", async () => {
  for (const [words, expected] of WRONG_USAGE) {
    const { code, out, err } = await run(words);
    deepEqual({ code, out, err }, { code: 64, out: "", err: expected });
  }
});

Deno.test("options and commands of other daemons are answered with what to do here", async () => {
  const about: Readonly<Record<string, RegExp>> = {
    "-n": /foreground/,
    "-d": /foreground.*--log-level debug/,
    "-f": /use -c for the configuration/,
    "-g": /startup-step-panic-threshold/,
    "-u": /user in \[security\]/,
    "--panicgate": /startup-step-panic-threshold/,
    "reload": /SIGHUP/,
    "restart": /systemctl/,
    "peers": /"ntpsd sources"/,
    "waitsync": /"ntpsd wait"/,
    "ntptrace": /"ntpsd trace HOST"/,
  };
  for (const [word, hint] of Object.entries(about)) {
    const { code, err } = await run([word]);
    equal(code, 64);
    match(err, hint, word);
  }
  // other commands have nothing to do with the options of a daemon
  match((await run(["check", "-g"])).err, /Unknown option -g\n/);
});

Deno.test("convert prints a configuration, and check says what to convert", async () => {
  const files = {
    "/c.conf": "server a.example\nrtcsync\ninclude /d.conf\n",
    "/d.conf": "makestep 1 3\n",
    "/x": "hello world\n",
  };
  const made = await run(["convert", "/c.conf"], { files });
  equal(made.code, 0);
  match(made.out, /^address = "a\.example"$/m);
  match(made.out, /^step-limit = 3$/m);
  match(made.out, /^# \/c\.conf:2: rtcsync$/m);
  equal((await run(["check", "/made"], { files: { "/made": made.out } })).code, 0);
  match((await run(["check", "/c.conf"], { files })).err, /^This is a chrony\.conf: .*convert/m);
  equal((await run(["convert", "/x"], { files })).code, 78);
  equal((await run(["convert", "/absent"], { files })).code, 74);
  equal((await run(["convert", "--from", "bind", "/c.conf"], { files })).code, 64);
  equal((await run(["convert", "--from", "openntpd", "/c.conf"], { files })).code, 0);
});

Deno.test("check tells every error and ends with 78", async () => {
  const files = { "/t.toml": '[clock]\nadjust = 1\ndrift = "x"\n' };
  const wrong = await run(["check", "-c", "/t.toml"], { files });
  deepEqual([wrong.code, wrong.out], [78, ""]);
  equal(
    wrong.err,
    '/t.toml:2: clock.adjust: Wanted true or false, or "auto", found 1\n' +
      '/t.toml:3: clock.drift: Unknown key (did you mean "drift-file"?)\n' +
      "2 errors\n",
  );
  const json = await run(["check", "--json", "/t.toml"], { files });
  deepEqual([json.code, json.err], [78, ""]);
  deepEqual(JSON.parse(json.out), {
    file: "/t.toml",
    ok: false,
    errors: [
      {
        path: "clock.adjust",
        line: 2,
        message: 'Wanted true or false, or "auto", found 1',
        kind: "configuration",
      },
      {
        path: "clock.drift",
        line: 3,
        message: "Unknown key",
        suggestion: 'did you mean "drift-file"?',
        kind: "configuration",
      },
    ],
    notes: [],
  });
});

Deno.test("check reads the usual file, or else the built-in configuration", async () => {
  const builtin = await run(["check"]);
  deepEqual([builtin.code, builtin.out], [
    0,
    "There is no /etc/ntpsd/ntpsd.toml; the built-in configuration is fine: 4 sources\n",
  ]);
  const text =
    '[[source]]\nmode = "server"\naddress = "a.example"\n[[server]]\nlisten = "[::]:123"\n';
  const usual = await run(["check"], { files: { [USUAL]: text } });
  equal(usual.code, 0);
  equal(
    usual.out,
    "/etc/ntpsd/ntpsd.toml: synchronization.minimum-agreeing-sources: Lowered from 3 to 1, because there " +
      "is one source (with four sources or more, a wrong one is found even while another one is down) [note]\n" +
      "/etc/ntpsd/ntpsd.toml is fine: 1 source, 1 server\n",
  );
});

Deno.test("check says of a file without a key that a running daemon would not take it", async () => {
  const nothing = "/t: There is nothing in the file (on a reload, ntpsd keeps its configuration; " +
    "restart it if that is meant) [note]\n";
  for (const text of ["", "\n\n", "# a remark\n", "\ufeff"]) {
    const { code, out } = await run(["check", "/t"], { files: { "/t": text } });
    equal(code, 0);
    equal(out.startsWith(nothing), true, out);
    match(out, /\/t: No sources and no servers: ntpsd has nothing to do .*\[note\]\n/);
  }
  const { out } = await run(["check", "/t"], { files: { "/t": "[clock]\n" } });
  equal(out.includes("There is nothing in the file"), false);
  match(out, /No sources and no servers/);
});

Deno.test("a file of keys that cannot be read is told at its key, beside all else", async () => {
  const files = { "/t": '[clock]\ndrift-file = "/d"\n[keys]\nfile = "/k"\n' };
  const missing = await run(["check", "/t"], { files });
  deepEqual([missing.code, missing.err], [
    78,
    "/t:4: keys.file: Cannot read /k: no such file\n",
  ]);
  const drift = { path: "clock.drift-file", line: 2, message: "Wanted a file" };
  const both = await run(["check", "/t"], { files, found: { errors: [drift], notes: [] } });
  deepEqual([both.code, both.err], [
    78,
    "/t:2: clock.drift-file: Wanted a file\n/t:4: keys.file: Cannot read /k: no such file\n2 errors\n",
  ]);
  // What this user may not read, root may.
  const failure = { name: "EACCES", message: "Cannot read /k: permission denied" };
  const barred = await run(["check", "/t"], { files, failure });
  equal(barred.code, 0);
  match(barred.out, /^\/t:4: keys\.file: Cannot read \/k: permission denied .*\[note\]$/m);
  const broken = { name: "EIO", message: "Cannot read /k: input/output error" };
  equal((await run(["check", "/t"], { files, failure: broken })).code, 74);
});

Deno.test("check reads the file of keys too, and shows no key", async () => {
  const config =
    '[keys]\nfile = "/k"\n[[source]]\nmode = "server"\naddress = "a.example"\nkey = 7\n';
  const checked = async (keys: string) => {
    const { code, err } = await run(["check", "/t"], { files: { "/t": config, "/k": keys } });
    return [code, err];
  };
  deepEqual(await checked("7 SHA1 ASCII:topsecret\n"), [0, ""]);
  deepEqual(await checked("8 SHA1 ASCII:topsecret\n"), [
    78,
    "/t:6: source[0].key: Source a.example wants key 7, which is not in /k\n",
  ]);
  // One line that a source needs is bad: then all bad lines are told.
  deepEqual(await checked("7 MD5 a\n7 MD5 b\nx\n8\n"), [
    78,
    "/k:2: Key 7 is there twice, first on line 1\n" +
    "/k:3: Wanted the number of a key from 1 to 4294967295 at the start of the line\n" +
    `/k:4: Key 8 is incomplete: wanted NUMBER TYPE KEY\n3 errors\n`,
  ]);
  deepEqual(await checked("7 SHAX topsecret\n7\n"), [
    78,
    "/k:1: Key 7 has an unknown type; wanted MD5, SHA1, SHA256, SHA384, SHA512, AES128 or AES256 " +
    "(did you mean SHA1?)\n/k:2: Key 7 is incomplete: wanted NUMBER TYPE KEY\n2 errors\n",
  ]);
  // A line that no source needs is a remark; one that a source needs is not.
  const { code, out } = await run(["check", "/t"], {
    files: { "/t": config, "/k": "7 SHA1 ASCII:topsecret\n8 SHA1 HEX:xyz\n9\n" },
  });
  equal(code, 0);
  match(out, /^\/k:2: Key 8 is not hexadecimal \(write ASCII: before characters\) \[note\]$/m);
  match(out, /^\/k:3: Key 9 is incomplete: .* \(the other keys are used\) \[note\]$/m);
  deepEqual(await checked("7 SHA1 HEX:xyz\n8 SHA1 ASCII:topsecret\n"), [
    78,
    "/k:1: Key 7 is not hexadecimal (write ASCII: before characters)\n",
  ]);
});

Deno.test("help explains a section of the configuration, and a key wherever it stands", async () => {
  const section = await run(["help", "source"]);
  equal(section.code, 0);
  match(section.out, /^## `\[\[source\]\]`\n[^]*- `iburst`: /);
  const key = await run(["help", "interleaved"]);
  const headings = key.out.match(/^## .*$|^- `.*?`/gm);
  deepEqual(headings, ["## `[[source]]`", "- `interleaved`", "## `[[server]]`", "- `interleaved`"]);
  // The command is meant where both have the name, and what nobody has is told.
  match((await run(["help", "sources"])).out, /^Usage: ntpsd sources/);
  equal((await run(["help", "constructor"])).code, 64);
});

Deno.test("check says whether ntpsd starts with what is wrong", async () => {
  const text = "[clock]\n\n\n[keys]\nfile = '/k'\n";
  const device = {
    path: "clock.drift-file",
    line: 2,
    message: "Wanted a file",
    kind: "file",
  } as const;
  const check = (keys: Record<string, string>, words = ["check", "/t"]) =>
    run(words, { files: { "/t": text, ...keys }, found: { errors: [device], notes: [] } });
  const refused = await check({});
  equal(refused.code, 78);
  match(
    refused.err,
    /\n1 error of the configuration, 1 error of files that the configuration names\n$/,
  );
  const starts = await check({ "/k": "7 MD5 abc\n" });
  deepEqual([starts.code, starts.err], [
    78,
    "/t:2: clock.drift-file: Wanted a file\n" +
    "1 error of files that the configuration names: ntpsd starts, and what needs them does not work\n",
  ]);
  const json = await check({}, ["check", "--json", "/t"]);
  const kinds = JSON.parse(json.out).errors.map(({ kind }: { kind: string }) => kind);
  deepEqual(kinds, ["file", "configuration"]);
});

Deno.test("a file that cannot be read ends with 74, or 77 without permission", async () => {
  const missing = await run(["check", "-c", "/none"]);
  deepEqual([missing.code, missing.err], [74, "ntpsd: Cannot read /none: no such file\n"]);
  const failure = {
    name: "EACCES",
    message: "Cannot read /etc/ntpsd/ntpsd.toml: permission denied",
  };
  const forbidden = await run(["check"], { failure });
  deepEqual([forbidden.code, forbidden.err], [
    77,
    "ntpsd: Cannot read /etc/ntpsd/ntpsd.toml: permission denied (grant this user the permission to read it)\n",
  ]);
});

Deno.test("run refuses a bad configuration with 78, before anything else", async () => {
  const files = { "/t.toml": "source = 1\n" };
  for (const words of [["-c", "/t.toml"], ["run", "--config=/t.toml", "-x"]]) {
    const { code, err } = await run(words, { files });
    deepEqual([code, err], [
      78,
      "/t.toml:1: source: Wanted sections in double brackets, found 1 (write [[source]] on a line of its own, and its keys below)\n",
    ]);
  }
});

Deno.test("status says whether the clock is right in its exit status", async () => {
  const good = await run(["status"], { status: exampleStatus() });
  equal(good.code, 0);
  match(good.out, /\nState +synchronised\n/);
  deepEqual(good.asked, ["127.0.0.1:9975/status"]);
  const bad = await run(["status", "--json"], {
    status: exampleStatus({ state: "unsynchronized", why: "No majority" }),
  });
  equal(bad.code, 1);
  deepEqual(
    JSON.parse(bad.out),
    JSON.parse(JSON.stringify(exampleStatus({ state: "unsynchronized", why: "No majority" }))),
  );
  const none = await run(["status"]);
  deepEqual([none.code, none.out], [69, ""]);
  match(
    none.err,
    /^ntpsd: Cannot connect to 127\.0\.0\.1:9975: connection refused\. Is the daemon running\?/,
  );
});

Deno.test("status asks where the configuration says, and on loopback for a wildcard", async () => {
  const asked = async (listen: string) => {
    const files = { [USUAL]: `observability.listen = "${listen}"\n` };
    return (await run(["status"], { files, status: exampleStatus() })).asked[0];
  };
  equal(await asked("192.0.2.1:8000"), "192.0.2.1:8000/status");
  equal(await asked("0.0.0.0:9000"), "127.0.0.1:9000/status");
  equal(await asked("[::]:9000"), "[::1]:9000/status");
  equal((await run(["status", "--at", "localhost:99"])).asked[0], "127.0.0.1:99/status");
  equal((await run(["status"], { files: { [USUAL]: 'observability.listen = ""\n' } })).code, 69);
});

Deno.test("sources prints the table, or the sources alone as JSON", async () => {
  const status = exampleStatus();
  const table = await run(["sources"], { status });
  equal(table.code, 0);
  assertOk(table.out.includes("\n* time.example.net "));
  const json = await run(["sources", "--json"], { status });
  deepEqual(JSON.parse(json.out).sources.map((source: { status: string }) => source.status), [
    "selected",
    "combined",
    "falseticker",
    "unreachable",
  ]);
});
