import assert from "node:assert/strict";
import { makeSelfExtracting } from "../../tools/self_extracting.ts";
import { type CommandResult, haveProgram, run, runAny } from "../support/command.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/places.ts";
import { needs } from "../support/needs.ts";
import { RunningProgram } from "../support/process.ts";

/** Stands for deno: says with which arguments it was run, one on a line, and under which name. */
const RUNTIME = '#!/bin/sh\nprintf "%s\\n" "runtime: $0" "deno dir: $DENO_DIR" "$@"\n';

interface Made {
  readonly folder: TemporaryFolder;
  readonly executable: string;
  readonly cache: string;
}

async function make(script = RUNTIME): Promise<Made> {
  const folder = await temporaryFolder();
  const runtime = await folder.write("runtime", script);
  const program = `${folder.path}/program`;
  await Deno.mkdir(program);
  // A program that no other test has, so that what other folders hold of other tests is of no use.
  await folder.write("program/main.js", `// ${crypto.randomUUID()}\n`);
  await folder.write("program/chunk-2.js", "// the second file\n");
  const executable = `${folder.path}/ntpsd`;
  await makeSelfExtracting({ runtime, program, output: executable });
  await Deno.chmod(folder.path, 0o755);
  return { folder, executable, cache: `${folder.path}/cache` };
}

function start(made: Made, ...args: string[]): Promise<CommandResult> {
  return runAny(made.executable, { args, env: { CACHE_DIRECTORY: made.cache } });
}

/** Whether tests here may start programs as another user, `nobody`. */
const otherUser = Deno.uid() === 0 && await haveProgram("setpriv");
const NOBODY = 65534;

/** Makes a folder that belongs to the other user. */
async function foreignFolder(made: Made): Promise<string> {
  const path = `${made.folder.path}/home`;
  await Deno.mkdir(path);
  await Deno.chown(path, NOBODY, NOBODY);
  return path;
}

function startAsOther(made: Made, env: Readonly<Record<string, string>>): Promise<CommandResult> {
  const identity = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--inh-caps=-all"];
  return runAny("setpriv", { args: [...identity, made.executable, "a"], env });
}

/** Finds the folder that holds what was unpacked. */
async function unpacked(made: Made): Promise<string> {
  const entries = await Array.fromAsync(Deno.readDir(`${made.cache}/runtime`));
  assert.equal(entries.length, 1, "one version is unpacked");
  return `${made.cache}/runtime/${entries[0]?.name}`;
}

Deno.test("what the environment says to deno and Node is not said to ntpsd", async () => {
  const made = await make("#!/bin/sh\nenv\n");
  await using _ = made.folder;
  const foreign = { DENO_V8_FLAGS: "--help", NODE_OPTIONS: "--inspect", DENO_LOG: "trace" };
  const env = { CACHE_DIRECTORY: made.cache, SSL_CERT_DIR: "/kept", ...foreign };
  const { stdout } = await runAny(made.executable, { args: [], env });
  assert.match(stdout, /^SSL_CERT_DIR=\/kept$/m);
  for (const name of Object.keys(foreign)) assert.doesNotMatch(stdout, RegExp(`^${name}=`, "m"));
});

Deno.test("a self-extracting executable hands its arguments through as they are", async () => {
  const made = await make();
  await using _ = made.folder;
  const args = ["query", "a b", "--", "-x", "$(touch /tmp/x)", "", "'\"`", "*"];
  const result = await start(made, ...args);
  assert.equal(result.code, 0, result.stderr);
  const lines = result.stdout.split("\n");
  const home = await unpacked(made);
  assert.equal(lines[0], `runtime: ${home}/ntpsd`);
  assert.equal(lines[1], `deno dir: ${home}/deno`);
  assert.deepEqual(lines.slice(2, 6), ["run", "--quiet", "--no-prompt", "--allow-net"]);
  const program = lines.indexOf(`${home}/program/main.js`);
  assert.deepEqual(lines.slice(program + 1, -1), args);
  assert.deepEqual(lines.filter((line) => line.startsWith("--allow")), [
    "--allow-net",
    "--allow-ffi",
  ]);
});

Deno.test("what is unpacked only its user can write to; what root unpacks others can run", async () => {
  const made = await make();
  await using _ = made.folder;
  await start(made);
  const home = await unpacked(made);
  const modes = ["", "/ntpsd", "/program", "/program/main.js", "/verified"].map((name) =>
    ((Deno.statSync(home + name).mode ?? 0) & 0o777).toString(8)
  );
  const wanted = Deno.uid() === 0
    ? ["755", "555", "755", "644", "600"]
    : ["700", "500", "700", "600", "600"];
  assert.deepEqual(modes, wanted);
  const names = (await Array.fromAsync(Deno.readDir(home))).map((entry) => entry.name).sort();
  assert.deepEqual(names, ["ntpsd", "program", "verified"]);
});

Deno.test("a second start unpacks nothing", async () => {
  const made = await make();
  await using _ = made.folder;
  await start(made);
  const before = await Deno.stat(`${await unpacked(made)}/ntpsd`);
  assert.equal((await start(made)).code, 0);
  assert.equal((await Deno.stat(`${await unpacked(made)}/ntpsd`)).ino, before.ino);
});

for (const name of ["ntpsd", "program/main.js", "program/chunk-2.js"]) {
  Deno.test(`a changed ${name} is never run, but unpacked again`, async () => {
    const made = await make();
    await using _ = made.folder;
    const good = await start(made);
    const path = `${await unpacked(made)}/${name}`;
    await Deno.chmod(path, 0o700);
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, `${text.slice(0, -2)}#\n`);
    assert.deepEqual(await start(made), good);
    assert.equal(await Deno.readTextFile(path), text);
  });
}

Deno.test("a forged note of verification does not help a changed runtime", async () => {
  const made = await make();
  await using _ = made.folder;
  const good = await start(made);
  const home = await unpacked(made);
  await Deno.chmod(`${home}/ntpsd`, 0o700);
  await Deno.writeTextFile(`${home}/ntpsd`, RUNTIME.replace("runtime:", "planted:"));
  const timestamp = await run("stat", { args: ["-c", "%d %i %f %u %g %s %y %z", `${home}/ntpsd`] });
  await Deno.writeTextFile(`${home}/verified`, timestamp.stdout);
  assert.deepEqual(await start(made), good);
});

Deno.test({
  name: "a folder that others may write, or a link, is not used" +
    needs(!otherUser, "root and another user"),
  ignore: !otherUser,
  async fn() {
    const made = await make();
    await using _ = made.folder;
    const cache = await foreignFolder(made);
    const first = await startAsOther(made, { HOME: cache });
    assert.match(first.stdout, new RegExp(`^runtime: ${cache}/.cache/ntpsd/`), first.stderr);
    await Deno.chmod(`${cache}/.cache/ntpsd`, 0o777);
    const second = await startAsOther(made, { HOME: cache, XDG_CACHE_HOME: `${cache}/xdg` });
    assert.match(second.stdout, new RegExp(`^runtime: ${cache}/xdg/ntpsd/`), second.stderr);
    await Deno.rename(`${cache}/xdg/ntpsd`, `${cache}/real`);
    await Deno.symlink(`${cache}/real`, `${cache}/xdg/ntpsd`);
    await Deno.chmod(`${cache}/.cache/ntpsd`, 0o700);
    const third = await startAsOther(made, { HOME: cache, XDG_CACHE_HOME: `${cache}/xdg` });
    assert.match(third.stdout, new RegExp(`^runtime: ${cache}/.cache/ntpsd/`), third.stderr);
  },
});

Deno.test({
  name: "a folder planted by another user is not used" + needs(!otherUser, "root and another user"),
  ignore: !otherUser,
  async fn() {
    const made = await make();
    await using _ = made.folder;
    const cache = await foreignFolder(made);
    await Deno.mkdir(`${cache}/xdg/ntpsd`, { recursive: true, mode: 0o700 });
    const env = { HOME: cache, XDG_CACHE_HOME: `${cache}/xdg` };
    const result = await startAsOther(made, env);
    assert.match(result.stdout, new RegExp(`^runtime: ${cache}/.cache/ntpsd/`), result.stderr);
  },
});

Deno.test({
  name:
    "root unpacks into no folder that somebody else could have made, or could put another in the place of" +
    needs(!otherUser, "root and another user"),
  ignore: !otherUser,
  async fn() {
    const made = await make();
    await using _ = made.folder;
    const foreign = await foreignFolder(made);
    await Deno.mkdir(`${foreign}/runtime`, { mode: 0o700 });
    const open = `${made.folder.path}/open`;
    await Deno.mkdir(open);
    await Deno.chmod(open, 0o777);
    const link = `${made.folder.path}/link`;
    await Deno.symlink(foreign, link);
    // Refused everywhere else, for the usual places exist and pass.
    const used = new Set<string>();
    for (const cache of [foreign, open, link]) {
      const result = await runAny(made.executable, {
        args: ["a"],
        env: { CACHE_DIRECTORY: cache },
      });
      used.add(/^runtime: (.*)\/ntpsd\n/.exec(result.stdout)?.[1] ?? "");
      assert.doesNotMatch(result.stdout, new RegExp(`^runtime: ${cache}`), cache);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(`${foreign}/runtime`)), []);
    }
    for (const home of used) if (home !== "") await Deno.remove(home, { recursive: true });
    const script = (await Deno.readTextFile("tools/self_extracting.sh")).split("\n");
    assert.deepEqual(script.filter((line) => /use_folder "?\/tmp/.test(line)), [
      '  use_folder "/tmp/ntpsd-$user"',
    ]);
  },
});

Deno.test("a name full of shell words does no harm", async () => {
  const made = await make();
  await using _ = made.folder;
  const odd = `${made.folder.path}/a b;touch $(echo x)'"`;
  await Deno.mkdir(odd);
  const path = `${odd}/-n $HOME`;
  await Deno.copyFile(made.executable, path);
  await Deno.chmod(path, 0o755);
  const result = await runAny(path, { args: ["version"], env: { CACHE_DIRECTORY: made.cache } });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /\nversion\n$/);
  const args = ["-n $HOME", "check"];
  const asFile = await runAny("sh", {
    args: ["--", ...args],
    cwd: odd,
    env: { CACHE_DIRECTORY: made.cache },
  });
  assert.match(asFile.stdout, /\ncheck\n$/, asFile.stderr);
});

Deno.test("several first starts at once all succeed", async () => {
  const made = await make();
  await using _ = made.folder;
  const results = await Promise.all(["1", "2", "3", "4", "5"].map((arg) => start(made, arg)));
  assert.deepEqual(results.map((result) => result.code), [0, 0, 0, 0, 0]);
  const names = (await Array.fromAsync(Deno.readDir(await unpacked(made)))).map((entry) =>
    entry.name
  );
  assert.deepEqual(names.sort(), ["ntpsd", "program", "verified"]);
});

Deno.test("a cut-off download says so instead of running", async () => {
  const made = await make();
  await using _ = made.folder;
  const { size } = await Deno.stat(made.executable);
  await Deno.truncate(made.executable, size - 10);
  const result = await start(made);
  assert.equal(result.code, 74);
  assert.match(result.stderr, /^ntpsd: This file is damaged, .*\/ntpsd\n$/);
  assert.equal(result.stdout, "");
});

/** Runs the daemon with a program of the script's replaced by another script. */
async function startWith(made: Made, name: string, script: string): Promise<Deno.CommandStatus> {
  await Deno.mkdir(`${made.folder.path}/bin`);
  await made.folder.write(`bin/${name}`, `#!/bin/sh\n${script}\n`);
  await Deno.chmod(`${made.folder.path}/bin/${name}`, 0o755);
  // A shell cannot take back that whoever started these tests ignores a signal.
  await using program = new RunningProgram("env", {
    args: ["--default-signal", made.executable, "run"],
    env: { CACHE_DIRECTORY: made.cache, PATH: `${made.folder.path}/bin:${Deno.env.get("PATH")}` },
  });
  return await program.status;
}

const STATUS = { TERM: 143, INT: 130, QUIT: 131, HUP: 0, USR1: 0, USR2: 0, ALRM: 0 } as const;

for (const [signal, wanted] of Object.entries(STATUS)) {
  Deno.test(`SIG${signal} before the first program that the script runs: status ${wanted}`, async () => {
    const made = await make();
    await using _ = made.folder;
    const { code } = await startWith(made, "id", `kill -s ${signal} $PPID; exec /usr/bin/id "$@"`);
    assert.equal(code, wanted);
  });

  Deno.test(`SIG${signal} while it unpacks: status ${wanted}, and nothing is left over`, async () => {
    const made = await make();
    await using _ = made.folder;
    const all = '$PPID $(sed -n "s/^PPid:\\t//p" /proc/$PPID/status)';
    const script = `kill -s ${signal} ${all}; exec /usr/bin/gzip "$@"`;
    const { code } = await startWith(made, "gzip", script);
    assert.equal(code, wanted);
    const names = (await Array.fromAsync(Deno.readDir(await unpacked(made)))).map(({ name }) =>
      name
    );
    assert.deepEqual(names.filter((name) => name.includes(".")), []);
  });
}
