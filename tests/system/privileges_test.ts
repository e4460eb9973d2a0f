/**
 * What each thread of a daemon may still do, seen from outside, in /proc/PID/task.
 *
 * Limits: needs root. The clock is safe: every daemon runs with `-x`; that one that adjusts keeps
 * the capability for it is a test of `confinement.ts` alone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { haveProgram, runAny } from "../support/command.ts";
import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { KINDS, launch, ntpsdWithoutClock, startDaemon } from "../support/ntpsd.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { waitUntil } from "../support/wait_until.ts";
import { needs } from "../support/needs.ts";

const isRoot = Deno.uid() === 0;
const NOBODY = "65534";
const NO_CAPABILITY = "0000000000000000";
const BIND_SERVICE = "0000000000000400";
const SOURCE = '[[source]]\nmode = "server"\naddress = "127.0.0.1:9"\n';
const FILTERED = "2";

/** What the kernel tells of one thread, by the names of proc(5). */
type Thread = Readonly<Record<string, string>>;

async function threadsOf(pid: number): Promise<readonly Thread[]> {
  const tasks = await Array.fromAsync(Deno.readDir(`/proc/${pid}/task`));
  const texts = await Promise.all(
    // One that has ended meanwhile has nothing left.
    tasks.map(({ name }) => Deno.readTextFile(`/proc/${pid}/task/${name}/status`).catch(() => "")),
  );
  return texts.filter((text) => text !== "").map((text) =>
    Object.fromEntries(
      text.trim().split("\n").map((line) => line.split(/:\s*/, 2) as [string, string]),
    )
  );
}

/**
 * Waits until the filter is installed, which is the last that is given up, and reads all threads
 * then.
 */
async function confinedThreads(process: RunningProgram): Promise<readonly Thread[]> {
  await process.waitFor(/Measures only/);
  return await waitUntil(async () => {
    const threads = await threadsOf(process.pid);
    return threads.every((thread) => thread["Seccomp"] === FILTERED) ? threads : undefined;
  }, { timeoutMs: 60_000, what: () => `the filter; log: ${process.stderr}` });
}

function values(threads: readonly Thread[], name: string): readonly string[] {
  return [...new Set(threads.map((thread) => thread[name] ?? ""))].sort();
}

function assertConfined(threads: readonly Thread[], effective: string): void {
  const ids = [NOBODY, NOBODY, NOBODY, NOBODY].join("\t");
  assert.ok(threads.length > 3, "the runtime has threads of its own");
  assert.deepEqual(values(threads, "Uid"), [ids]);
  assert.deepEqual(values(threads, "Gid"), [ids]);
  assert.deepEqual(values(threads, "CapBnd"), [NO_CAPABILITY]);
  assert.deepEqual(values(threads, "NoNewPrivs"), ["1"]);
  for (const name of ["CapEff", "CapPrm"]) {
    // Threads of the runtime have no need of what the main thread has, and some ways of starting
    // leave them nothing.
    assert.deepEqual(values(threads, name).filter((set) => set !== NO_CAPABILITY), [
      ...(effective === NO_CAPABILITY ? [] : [effective]),
    ]);
  }
}

for (const kind of KINDS) {
  Deno.test({
    name: `${kind}: root becomes nobody, and no thread keeps what a server does not need` +
      needs(!isRoot, "root"),
    ignore: !isRoot,
    fn: async () => {
      const config = `${SOURCE}[[server]]\nlisten = "127.0.0.1:${await freePort()}"\n`;
      await using daemon = await startDaemon({ kind, config });
      assertConfined(await confinedThreads(daemon.process), BIND_SERVICE);
    },
  });
}

Deno.test({
  name: "without a server no thread keeps any capability" + needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    await using daemon = await startDaemon({ kind: "bundle", config: SOURCE });
    const threads = await confinedThreads(daemon.process);
    assertConfined(threads, NO_CAPABILITY);
    assert.deepEqual(values(threads, "CapInh"), [NO_CAPABILITY]);
  },
});

Deno.test({
  name: "other processes of its user can neither trace it nor read its memory" +
    needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    await using daemon = await startDaemon({ kind: "bundle", config: SOURCE });
    const threads = await confinedThreads(daemon.process);
    assert.deepEqual(values(threads, "CapPrm"), [NO_CAPABILITY], "nothing else is in the way");
    const asNobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "cat"];
    const read = (file: string) =>
      runAny("setpriv", { args: [...asNobody, `/proc/${daemon.process.pid}/${file}`] });
    assert.equal((await read("status")).code, 0);
    for (const secret of ["environ", "maps"]) {
      const result = await read(secret);
      assert.match(result.stderr, /Permission denied/, secret);
    }
  },
});

Deno.test({
  name: "root that may not change its user says so, unless that is meant" +
    needs(!isRoot || !(await haveProgram("setpriv")), "root and setpriv"),
  ignore: !isRoot || !(await haveProgram("setpriv")),
  fn: async () => {
    await using folder = await temporaryFolder();
    const ends = '[[server]]\nlisten = "127.0.0.1:871"\n[observability]\nlisten = ""\n';
    const run = async (more: string) => {
      const path = await folder.write("c.toml", ends + more);
      const without = ["net_bind_service", "setuid", "setgid"];
      return (await ntpsdWithoutClock(["-x", "-c", path], { without })).stderr;
    };
    assert.match(await run(""), /warning: ntpsd stays root, .*CAP_SETUID/);
    assert.doesNotMatch(await run('[security]\nuser = "root"\n'), /stays root/);
  },
});

Deno.test({
  name: "a root that has not all rights of root is told so where a file is closed to it" +
    needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    await using folder = await temporaryFolder();
    const own = `${folder.path}/own`;
    await Deno.mkdir(own, { mode: 0o700 });
    await Deno.chown(own, 65534, 65534);
    const config = `${SOURCE}[security]\nuser = "root"\n[clock]\ndrift-file = "${own}/drift"\n`;
    await using daemon = await startDaemon({ config });
    await daemon.process.waitFor(/own\/drift: permission denied .*CAP_DAC_OVERRIDE/);
  },
});

Deno.test({
  name: "who wants to stay root stays root, without the privileges of root" +
    needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    const config = `${SOURCE}[security]\nuser = "root"\n`;
    await using daemon = await startDaemon({ kind: "bundle", config });
    const threads = await confinedThreads(daemon.process);
    assert.deepEqual(values(threads, "Uid"), ["0\t0\t0\t0"]);
    for (const name of ["CapEff", "CapPrm", "CapInh", "CapBnd"]) {
      assert.deepEqual(values(threads, name), [NO_CAPABILITY], name);
    }
  },
});

Deno.test({
  name:
    "files that root alone may read serve the new user, also at a reload; what it writes is its own" +
    needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    await using folder = await temporaryFolder();
    const keys = await folder.write("keys", "1 SHA256 HEX:00112233445566778899aabbccddeeff\n");
    await Deno.chmod(keys, 0o600);
    const state = `${folder.path}/state`;
    const [time, exchange] = [await freePort(), await freePort()];
    const config = (level: string) =>
      `${SOURCE}key = 1\n[keys]\nfile = "${keys}"\n` +
      `[[server]]\nlisten = "127.0.0.1:${time}"\n` +
      `[[nts-ke-server]]\nlisten = "127.0.0.1:${exchange}"\ncertificate-chain-path = "${folder.path}/no"\n` +
      `private-key-path = "${folder.path}/no"\n[keyset]\nkey-storage-path = "${folder.path}/keyset"\n` +
      `[nts]\ncookie-storage-path = "${state}/cookies"\n[synchronization]\nlocal-stratum = ${level}\n`;
    await using daemon = await startDaemon({ kind: "bundle", config: config("10") });
    await confinedThreads(daemon.process);
    const owner = async (path: string) => (await Deno.stat(path)).uid;
    assert.equal(await owner(`${folder.path}/keyset`), Number(NOBODY));
    await waitUntil(async () => (await Deno.stat(`${folder.path}/keyset`)).size > 0, {
      timeoutMs: 60_000,
      what: () => `a keyset: ${daemon.process.stderr}`,
    });
    assert.equal(await owner(state), Number(NOBODY));
    await daemon.configure(config("11"));
    daemon.process.signal("SIGHUP");
    await daemon.process.waitFor(/local-stratum 10 -> 11/);
    await daemon.process.stop();
    assert.equal(await owner(`${state}/cookies`), Number(NOBODY));
    assert.doesNotMatch(daemon.process.stderr, /keyset.*EACCES|keys.*EACCES/);
  },
});

Deno.test({
  name: "a low port is bound by the unprivileged user, also at a reload" + needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    if (!await canMakeNamespaces()) return;
    await using pair = await networkPair();
    const { namespace } = pair.left;
    const server = (port: number) => `${SOURCE}[[server]]\nlisten = "127.0.0.1:${port}"\n`;
    await using daemon = await startDaemon({ kind: "bundle", config: server(123), namespace });
    await daemon.process.waitFor(/Serves time on 127\.0\.0\.1:123\b/);
    await confinedThreads(daemon.process);
    await daemon.configure(server(124));
    daemon.process.signal("SIGHUP");
    await daemon.process.waitFor(/Serves time on 127\.0\.0\.1:124\b/);
  },
});

Deno.test({
  name: "a user that does not exist ends the start with 77 and a sentence" + needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("c.toml", `${SOURCE}[security]\nuser = "no-such-user"\n`);
    const start = await launch("bundle");
    const args = [...start.args, "run", "-x", "-c", path];
    const result = await runAny(start.program, { args, timeoutMs: 60_000 });
    assert.equal(result.code, 77);
    assert.match(result.stderr, /^ntpsd: There is no user no-such-user/);
  },
});

Deno.test({
  name: "a variable that claims a second start gives nothing away" + needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("c.toml", SOURCE);
    const start = await launch("bundle");
    const line = [start.program, ...start.args, "run", "-x", "-c", path].join(" ");
    for (
      const claim of [
        "1 []",
        "$$ []",
        '$$ {"files":"[{\\"path\\":\\"/etc/passwd\\",\\"fd\\":77,\\"purpose\\":\\"read\\"}]"}',
        "$$ null",
        "$$ x",
      ]
    ) {
      const quoted = claim.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
      await using process = new RunningProgram("sh", {
        args: ["-c", `export NTPSD_STARTED_AGAIN="${quoted}"; exec ${line}`],
      });
      const threads = await confinedThreads(process);
      assert.deepEqual(values(threads, "Uid"), [[NOBODY, NOBODY, NOBODY, NOBODY].join("\t")]);
      assert.deepEqual(values(threads, "CapEff"), [NO_CAPABILITY], claim);
    }
  },
});

Deno.test({
  name: "what root left open for the start is closed to the new user" + needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("c.toml", SOURCE);
    const secret = await folder.write("secret", "of root\n");
    const start = await launch("bundle");
    const line = [start.program, ...start.args, "run", "-x", "-c", path].join(" ");
    await using process = new RunningProgram("sh", {
      args: ["-c", `exec 3<${secret} 9<>${secret}; exec ${line}`],
    });
    await confinedThreads(process);
    const open = await Array.fromAsync(Deno.readDir(`/proc/${process.pid}/fd`));
    const places = open.map(({ name }) =>
      Deno.readLink(`/proc/${process.pid}/fd/${name}`).catch(() => "")
    );
    const found = await Promise.all(places);
    assert.ok(found.some((place) => place.includes("eventpoll")), "they can be seen");
    assert.ok(!found.includes(secret), found.join(", "));
  },
});

Deno.test({
  name: "root of a user namespace without other users stays, without its privileges" +
    needs(
      !isRoot || (await runAny("unshare", { args: ["-Ur", "true"] })).code !== 0,
      "root and user namespaces",
    ),
  ignore: !isRoot || (await runAny("unshare", { args: ["-Ur", "true"] })).code !== 0,
  fn: async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("c.toml", SOURCE);
    const start = await launch("bundle");
    await using process = new RunningProgram("unshare", {
      args: ["-Ur", start.program, ...start.args, "run", "-x", "-c", path],
    });
    const threads = await confinedThreads(process);
    for (const name of ["CapEff", "CapPrm", "CapBnd"]) {
      assert.deepEqual(values(threads, name), [NO_CAPABILITY], name);
    }
    await process.waitFor(/Runs as the user root, without any privilege/);
  },
});

Deno.test({
  name: "a start without privileges happens once" + needs(!isRoot, "root"),
  ignore: !isRoot,
  fn: async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("c.toml", `${SOURCE}[security]\nuser = "root"\n`);
    await Deno.chmod(folder.path, 0o755);
    const bundle = (await launch("bundle")).args.at(-1) ?? "";
    const deno = `${folder.path}/deno`;
    await Deno.copyFile(Deno.execPath(), deno);
    await Deno.copyFile(bundle, `${folder.path}/ntpsd.js`);
    const bare = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    const run = ["run", "--quiet", "--no-prompt", "--allow-net", "--allow-ffi", "--no-config"];
    await using process = new RunningProgram("setpriv", {
      args: [...bare, deno, ...run, `${folder.path}/ntpsd.js`, "run", "-x", "-c", path],
    });
    await confinedThreads(process);
    await process.waitFor(/security\.user = "root" has no effect/);
    const environment = await Deno.readTextFile(`/proc/${process.pid}/environ`);
    assert.doesNotMatch(environment, /NTPSD_STARTED_AGAIN/);
  },
});
