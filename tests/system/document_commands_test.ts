/**
 * Every command line of README and docs, as printed, run as a real process; those that cannot run
 * here have a reason.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type CommandResult, runAny } from "../support/command.ts";
import { documentCommands } from "../support/document_commands.ts";
import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { launch, ntpsd } from "../support/ntpsd.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { waitUntil } from "../support/wait_until.ts";
import { needs } from "../support/needs.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...[...Deno.readDirSync(`${ROOT}docs`)].map(({ name }) => `docs/${name}`),
].filter((name) => name.endsWith(".md"));

const COMMANDS = DOCUMENTS.flatMap((name) =>
  documentCommands(name, Deno.readTextFileSync(`${ROOT}${name}`))
);
const LINES = [...new Set(COMMANDS.map(({ line }) => line))];

/** What is not run, and why; `exists` finds what such a line names of this repository. */
const NOT_RUN: readonly { readonly line: RegExp; readonly reason: string }[] = [
  { line: /^sudo (\S*\/)?ntpsd$/, reason: "would keep this machine's clock" },
  {
    line: /^ntpsd( run)?( &)?$/,
    reason: "is the daemon with the built-in sources; other tests start it",
  },
  { line: /^install /, reason: "would change the system" },
  { line: /^systemd-sysusers$/, reason: "would change the system" },
  {
    line: /^systemctl /,
    reason: "needs systemd",
  },
  { line: /^podman (build|run) /, reason: "needs podman and a registry" },
  { line: /^certbot /, reason: "needs a certificate authority" },
  { line: /^npx -y deno@[\d.]+ task (demo|test|compile|ok)$/, reason: "CI runs the task itself" },
  { line: /^deno task /, reason: "CI or the tidy tests look at the task" },
  {
    line: /--nts (HOST|nts\.example\.net)$/,
    reason: "needs a key exchange; interop tests ask with NTS",
  },
  { line: /^ntpsd leap --fetch$/, reason: "needs the Internet" },
];

/** The exit status of lines that do not end with 0, as the documents say. */
const EXPECTED: Readonly<Record<string, number>> = {
  "ntpsd check -c ntpsd.toml": 78,
  // No server of this daemon counts its clients.
  "ntpsd clients": 1,
  // There is no terminal.
  "ntpsd watch": 64,
  // Its configuration names no table of leap seconds.
  "ntpsd leap": 1,
};

const SCENARIO =
  'name = "short"\ndescription = "short"\nduration = "10min"\nmeasure-from = "5min"\n' +
  '[[server]]\nname = "s"\ndelay = "1ms"\njitter = "10us"\n';

const isolated = await canMakeNamespaces();

Deno.test("there are commands to look at, of all kinds", () => {
  for (const command of ["ntpsd status", "./dist/ntpsd sources", "ntpsd check -c ntpsd.toml"]) {
    assert.ok(LINES.includes(command), command);
  }
  assert.ok(LINES.length > 25, LINES.join("\n"));
});

Deno.test("what is not run names files and tasks that are there", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)) as { tasks: object };
  const faults: string[] = [];
  for (const { place, line } of COMMANDS) {
    if (reasonNotRun(line) === undefined) continue;
    const task = /\btask ([a-z0-9:]+)/.exec(line)?.[1];
    if (task !== undefined && !(task in tasks)) faults.push(`${place}: no task ${task}`);
    if (/^systemctl .*ntpsd/.test(line) && !/ntpsd(-serve@\d|-wait\.service)?( |$)/.test(line)) {
      faults.push(`${place}: no such unit`);
    }
    for (const [path] of line.matchAll(/(?<![\w/])dist\/[\w.-]+/g)) {
      const isBuilt = path === "dist/ntpsd";
      if (!isBuilt && !await isThere(`${ROOT}${path}`)) faults.push(`${place}: no ${path}`);
    }
  }
  assert.deepEqual(faults, []);
  const unused = NOT_RUN.filter(({ line }) => !LINES.some((each) => line.test(each)));
  assert.deepEqual(unused, [], "the list of exceptions has no dead entries");
});

Deno.test("options in a synopsis are those of the help, and the other way round", async () => {
  const faults: string[] = [];
  for (const line of LINES.filter(isSynopsis)) {
    const command = /^ntpsd (?:\[run\]|([a-z]+))/.exec(line)?.[1] ?? "run";
    const help = (await ntpsd([command, "--help"], { kind: "bundle" })).stdout;
    for (const [, option = ""] of line.matchAll(/[[|](--?[a-z0-9-]+)/g)) {
      if (!new RegExp(`(^|[ ,])${option}\\b`, "m").test(help)) faults.push(`${line}: ${option}`);
    }
    if (!/\[-/.test(line)) continue;
    for (const [, short, long = ""] of help.matchAll(/^ +(?:(-.), )?(--[a-z0-9-]+)/gm)) {
      const isTold = line.includes(long) || (short !== undefined && line.includes(short));
      if (long !== "--help" && !isTold) faults.push(`${line}: lacks ${long}`);
    }
  }
  assert.deepEqual(faults, []);
});

Deno.test({
  name: "all others run as printed, with and without a daemon" +
    needs(!isolated && Deno.env.get("CI") === undefined, "root and network namespaces"),
  ignore: !isolated && Deno.env.get("CI") === undefined,
  async fn() {
    await using folder = await workplace();
    await using pair = await networkPair();
    const { namespace } = pair.left;
    await runAny("ip", { args: ["netns", "exec", namespace, "ip", "link", "set", "lo", "up"] });
    const runnable = LINES.filter((line) => reasonNotRun(line) === undefined && !isSynopsis(line));
    const asks = runnable.filter((line) => /^(\.\/dist\/)?ntpsd (status|sources)/.test(line));
    assert.ok(asks.length >= 5, asks.join("\n"));
    const shell = (line: string) => inShell(line, { folder, namespace });
    for (const line of asks) assert.equal((await told(line, shell)).code, 69, line);
    await using upstream = await startServer(folder, namespace);
    await using daemon = await startClient(folder, namespace);
    await waitUntil(async () => (await shell("ntpsd status")).code === 0, {
      timeoutMs: 60_000,
      what: () => `a synchronised daemon:\n${upstream.stderr}\n${daemon.stderr}`,
    });
    for (const line of runnable) {
      const said = await told(line, shell);
      assert.equal(said.code, EXPECTED[line] ?? 0, `${line}\n${said.stdout}\n${said.stderr}`);
      if (line.includes("--json") && said.code === 0) JSON.parse(said.stdout);
    }
  },
});

function reasonNotRun(line: string): string | undefined {
  return NOT_RUN.find((exception) => exception.line.test(line))?.reason;
}

/** Whether a line tells what may be written, and is not to be written itself. */
function isSynopsis(line: string): boolean {
  // A command that wants an operand, by its name in the middle of a sentence.
  const isName = /^ntpsd (query|simulate|convert|trace)( --[a-z]+)*$/.test(line);
  return isName || /[[\]]|\.\.\.|COMMAND|SHELL|bash\|zsh/.test(line);
}

/** Runs a line; whatever comes out, it is no bug and no silence. */
async function told(
  line: string,
  shell: (line: string) => Promise<CommandResult>,
): Promise<CommandResult> {
  const said = await shell(line);
  assert.doesNotMatch(said.stderr, /bug in ntpsd|^\s+at /m, line);
  assert.ok(said.stdout !== "" || said.stderr !== "", line);
  return said;
}

/**
 * Runs a line as a shell does in the folder, where `ntpsd` is the program and the documents' files
 * are there.
 */
function inShell(
  line: string,
  { folder, namespace }: { readonly folder: TemporaryFolder; readonly namespace: string },
): Promise<CommandResult> {
  const printed = line.replace(
    /^(ntpsd (?:query|trace)) (?:HOST|time\.example\.net)$/,
    "$1 127.0.0.1",
  )
    .replace(/^(ntpsd convert) (FILE|\/etc\/chrony\/chrony\.conf)/, "$1 chrony.conf")
    .replace(/\b(FILE|SCENARIO\.toml)\b/, "scenario.toml");
  // Only its own processes are seen: other time daemons of this machine are no fault of ours.
  const alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const args = ["netns", "exec", namespace, ...alone, "sh", "-c", printed];
  const path = `${folder.path}/dist:${Deno.env.get("PATH") ?? ""}`;
  return runAny("ip", { args, cwd: folder.path, env: { PATH: path }, timeoutMs: 60_000 });
}

async function workplace(): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  const start = await launch("bundle");
  const words = [start.program, ...start.args].map((word) => `'${word}'`).join(" ");
  await Deno.mkdir(`${folder.path}/dist`);
  const program = await folder.write("dist/ntpsd", `#!/bin/sh\nexec ${words} "$@"\n`);
  await Deno.chmod(program, 0o755);
  await Deno.symlink(`${ROOT}docs`, `${folder.path}/docs`);
  await folder.write("scenario.toml", SCENARIO);
  await folder.write("new.toml", '[[source]]\nmode = "server"\naddress = "ntp.example.net"\n');
  await folder.write("chrony.conf", "server ntp.example.net iburst\nmakestep 1 3\nrtcsync\n");
  // The mistakes that the document shows.
  await folder.write("ntpsd.toml", '[[source]]\nmode = "server"\nadress = "x.example.net"\n');
  return folder;
}

async function startServer(folder: TemporaryFolder, namespace: string): Promise<RunningProgram> {
  const config = await folder.write(
    "upstream.toml",
    '[[server]]\nlisten = "127.0.0.1:123"\n[synchronization]\nlocal-stratum = 1\n' +
      '[observability]\nlisten = ""\n',
  );
  return await startDaemon(config, namespace);
}

/** Starts a daemon that is asked where it is asked by default. */
async function startClient(folder: TemporaryFolder, namespace: string): Promise<RunningProgram> {
  const config = await folder.write(
    "client.toml",
    '[[source]]\nmode = "server"\naddress = "127.0.0.1"\n[synchronization]\n' +
      "minimum-agreeing-sources = 1\n",
  );
  return await startDaemon(config, namespace);
}

async function startDaemon(config: string, namespace: string): Promise<RunningProgram> {
  const start = await launch("bundle");
  const args = [...start.args, "run", "-x", "-c", config];
  return new RunningProgram(start.program, { args, namespace });
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
