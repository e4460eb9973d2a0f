/**
 * What ffi/ does to a whole process and cannot undo: each case in a process of its own, with net
 * and ffi alone.
 *
 * @module
 */
import { temporaryFolder } from "../support/places.ts";
import assert from "node:assert/strict";
import { PATIENCE_MS, quickOnce } from "../support/wait_until.ts";
import { needs } from "../support/needs.ts";

const FFI = new URL("../../ffi/", import.meta.url).href;

interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
  readonly errors: string;
  readonly seconds: number;
}

/** Runs a program text under the daemon's permissions; `{ffi}` in it stands for the folder. */
async function runProgram(
  text: string,
  { mode = 0o600, env = {} }: { mode?: number; env?: Record<string, string> } = {},
): Promise<Ended> {
  const file = await Deno.makeTempFile({ prefix: "ntpsd-ffi-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, text.replaceAll("{ffi}", FFI));
    await Deno.chmod(file, mode);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const permissions = ["--no-prompt", "--allow-net", "--allow-ffi"];
    const start = performance.now();
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", `--config=${config}`, ...permissions, file],
      env,
      stdin: "null",
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).output();
    return {
      code: output.code,
      lines: new TextDecoder().decode(output.stdout).trim().split("\n"),
      errors: new TextDecoder().decode(output.stderr),
      seconds: (performance.now() - start) / 1000,
    };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a wait that is pending keeps nobody from leaving", () => quickOnce(1000, leave));

async function leave(): Promise<number> {
  const ended = await runProgram(`
    import { Poller } from "{ffi}poller.ts";
    import { ServerSocket } from "{ffi}socket/server_socket.ts";
    import { ServerBatch } from "{ffi}socket/server_batch.ts";
    const poller = Poller.open();
    const local = { family: "ipv4", address: "127.0.0.1", port: 0 } as const;
    const server = ServerSocket.open({ local });
    if (!poller.ok || !server.ok) throw new Error();
    poller.value.wait(undefined);
    server.value.receiveInBackground(new ServerBatch());
    setTimeout(() => {
      console.log(performance.now());
      Deno.exit(7);
    }, 50);
  `);
  assert.equal(ended.code, 7, ended.errors);
  return 1000 * ended.seconds - Number(ended.lines[0]);
}

const UNDER_THE_FILTER = `
    import { installSystemCallFilter } from "{ffi}process/seccomp.ts";
    import { lastErrno, libc } from "{ffi}libc.ts";
    import { readFile, removeFile, writeFileAtomicInBackground } from "{ffi}file/files.ts";
    import { interfaceAddresses } from "{ffi}interfaces.ts";
    import { Poller } from "{ffi}poller.ts";
    import { resolveName } from "{ffi}resolver.ts";
    import { ServerBatch } from "{ffi}socket/server_batch.ts";
    import { ServerSocket } from "{ffi}socket/server_socket.ts";
    import { UdpSocket } from "{ffi}socket/udp_socket.ts";
    import { readKernelClock } from "{ffi}clock/timex.ts";
    const installed = installSystemCallFilter();
    if (!installed.ok) throw new Error(installed.error.message);
    const attempt = (number: number, argument = 0n) => {
      const result = libc().syscall(BigInt(number), argument, 0n, null);
      return result === -1n ? lastErrno() : 0;
    };
    const numbers = Deno.build.arch === "x86_64" ? [59, 101, 227, 165] : [221, 117, 112, 40];
    console.log("refused", ...numbers.map((number) => attempt(number)));
    const reach = Deno.build.arch === "x86_64"
      ? { tgkill: 234, prlimit64: 302, setpriority: 141 }
      : { tgkill: 131, prlimit64: 261, setpriority: 140 };
    // Signal 0 and the parent: what would reach it changes nothing.
    const parent = BigInt(libc().syscall(Deno.build.arch === "x86_64" ? 110n : 173n, 0n, 0n, null));
    const own = BigInt(libc().getpid());
    const call = (number: number, first: bigint, second: bigint) =>
      libc().syscall(BigInt(number), first, second, null) === -1n ? lastErrno() : 0;
    console.log(
      "others", call(reach.tgkill, parent, parent), call(reach.prlimit64, parent, 0n),
      call(reach.setpriority, 0n, parent),
    );
    console.log("own", call(reach.tgkill, own, own));
    console.log("packet", libc().socket(17, 3, 0), lastErrno());
    const status = readFile("/proc/self/status", 100_000);
    if (status.ok) {
      const found = /Seccomp:\\s*([0-9])/.exec(new TextDecoder().decode(status.value));
      console.log("mode", found?.[1]);
    }
    const serve = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () =>
      new Response("x"));
    const page = await fetch("http://127.0.0.1:" + serve.addr.port);
    console.log("http", await page.text());
    await serve.shutdown();
    const path = "/tmp/ntpsd-filter-" + libc().getpid();
    const written = await writeFileAtomicInBackground(path, { bytes: new Uint8Array(9) });
    console.log("file", written.ok, removeFile(path).ok);
    console.log("names", (await resolveName("localhost", { port: 1 })).ok);
    console.log("interfaces", interfaceAddresses().ok, "clock", readKernelClock().ok);
    const local = { family: "ipv4", address: "127.0.0.1", port: 0 } as const;
    const server = ServerSocket.open({ local });
    const poller = Poller.open();
    if (!server.ok || !poller.ok) throw new Error();
    const client = UdpSocket.open({ peer: server.value.local });
    if (!client.ok) throw new Error();
    const batch = new ServerBatch();
    server.value.allowTransmitTimestamps();
    client.value.send(new Uint8Array(48));
    await server.value.receiveInBackground(batch);
    batch.queueResponse(0, 48, true);
    console.log("sent", server.value.send(batch), server.value.receiveTransmitTimestamps());
    poller.value.add(client.value.fd);
    const ready = await poller.value.wait(5);
    const answer = client.value.receive();
    console.log("ready", ready.ok && ready.value.length, answer.ok && answer.value?.bytes.length);
    const rubbish: unknown[] = [];
    for (let i = 0; i < 2_000_000; i++) rubbish.push({ i });
    console.log("memory", rubbish.length);
    Deno.addSignalListener("SIGHUP", () => {});
    Deno.exit(0);
`;

Deno.test("under the filter the daemon's work goes on, and nothing else does", async () => {
  const ended = await runProgram(UNDER_THE_FILTER);
  assert.equal(ended.code, 0, ended.errors);
  assert.deepEqual(ended.lines, [
    "refused 1 1 1 1",
    "others 1 1 1",
    "own 0",
    "packet -1 1",
    "mode 2",
    "http x",
    "file true true",
    "names true",
    "interfaces true clock true",
    "sent 1 1",
    "ready 1 48",
    "memory 2000000",
  ]);
});

Deno.test("TLS asks for 112 bits also where OpenSSL by itself is content with less", async () => {
  await using folder = await temporaryFolder();
  const weak = await folder.write(
    "openssl.cnf",
    "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCipherString = DEFAULT@SECLEVEL=0\n",
  );
  const ended = await runProgram(
    `
    import { TlsClientContext } from "{ffi}openssl/tls_context.ts";
    import { openSslLibrary } from "{ffi}openssl/library.ts";
    const library = openSslLibrary().value;
    const { SSL_CTX_get_security_level: level, SSL_CTX_new, TLS_client_method } = library.ssl;
    console.log(level(SSL_CTX_new(TLS_client_method())));
    console.log(level(TlsClientContext.create(library, { system: false }).value.pointer));
  `,
    { env: { OPENSSL_CONF: weak } },
  );
  assert.equal(ended.code, 0, ended.errors);
  assert.deepEqual(ended.lines, ["0", "2"]);
});

Deno.test("a process that is set apart cannot look into others, and works on", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/inside`);
  const ended = await runProgram(`
    import { readFile, removeFile, writeFileAtomic } from "{ffi}file/files.ts";
    import { landlockVersion, setApart } from "{ffi}process/landlock.ts";
    import { libc } from "{ffi}libc.ts";
    import { forbidNewPrivileges } from "{ffi}process/privileges.ts";
    const parent = libc().syscall(Deno.build.arch === "x86_64" ? 110n : 173n, 0n, 0n, null);
    // Its memory begins nowhere, so that reading ends with EIO where it may be opened.
    const canLook = () => {
      const read = readFile("/proc/" + parent + "/mem", 1 << 20);
      return !read.ok && read.error.name === "EIO";
    };
    const before = canLook();
    const signal = () => libc().syscall(Deno.build.arch === "x86_64" ? 62n : 129n, BigInt(parent), 0n, null);
    console.log(forbidNewPrivileges().ok, before, signal());
    const apart = setApart();
    console.log(JSON.stringify(apart), landlockVersion() > 0);
    console.log(canLook(), landlockVersion() < 6 ? -1n : signal());
    const name = (text: string) => new TextEncoder().encode(text + "\\0");
    const path = "${folder.path}/file", moved = "${folder.path}/inside/file";
    console.log(writeFileAtomic(path, { bytes: new Uint8Array(9) }).ok);
    console.log(libc().rename(name(path), name(moved)), removeFile(moved).ok);
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const connection = await Deno.connect({ port: listener.addr.port });
    console.log("tcp");
    connection.close();
    listener.close();
  `);
  assert.equal(ended.code, 0, ended.errors);
  const kernelHas = ended.lines[1]?.endsWith(" true");
  const after = kernelHas ? "false -1n" : "true 0n";
  assert.deepEqual(ended.lines, [
    "true true 0n",
    `{"ok":true,"value":${kernelHas}} ${kernelHas}`,
    after,
    "true",
    "0 true",
    "tcp",
  ]);
});

Deno.test({
  name: "another user keeps the capabilities that are named, on this thread alone" +
    needs(Deno.uid() !== 0, "root"),
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const ended = await runProgram(`
      import { becomeUser, findUser, hasCapability, keepCapabilities } from "{ffi}process/privileges.ts";
      import { readFile } from "{ffi}file/files.ts";
      import { lastErrno, libc } from "{ffi}libc.ts";
      import { userIds } from "{ffi}process/process.ts";
      import { resolveName } from "{ffi}resolver.ts";
      await resolveName("localhost", { port: 1 });
      const capability = "CAP_SYS_TIME";
      console.log(hasCapability(capability), hasCapability("CAP_NET_BIND_SERVICE"));
      const user = findUser("nobody").value;
      console.log(becomeUser(user, [capability]).ok, JSON.stringify(userIds()));
      console.log(hasCapability(capability), hasCapability("CAP_NET_BIND_SERVICE"));
      console.log(libc().setuid(0), lastErrno());
      const field = (text: string, name: string) =>
        new RegExp(name + ":\\\\s*(.*)").exec(text)?.[1]?.split("\\t")[0];
      const of = (path: string) => {
        const read = readFile(path, 100_000);
        return read.ok ? new TextDecoder().decode(read.value) : "";
      };
      const own = of("/proc/self/status");
      const threads: string[] = [];
      for (let id = libc().getpid() + 1; id < libc().getpid() + 40; id++) {
        const text = of("/proc/self/task/" + id + "/status");
        if (text !== "") threads.push(field(text, "CapEff") + " " + field(text, "Uid"));
      }
      console.log(field(own, "CapEff"), field(own, "Groups"));
      console.log(threads.length > 0, [...new Set(threads)].join(","));
      console.log(keepCapabilities([]).ok, hasCapability(capability));
    `);
    assert.equal(ended.code, 0, ended.errors);
    const uid = 65534;
    assert.deepEqual(ended.lines, [
      "true true",
      `true ${JSON.stringify({ uid, effectiveUid: uid, gid: 65534 })}`,
      "true false",
      "-1 1",
      "0000000002000000 65534 ",
      `true 0000000000000000 ${uid}`,
      "true false",
    ]);
  },
});

Deno.test({
  name:
    "after narrowing and an exec every thread has the user and the capability that were named, and nothing else" +
    needs(Deno.uid() !== 0, "root"),
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const ended = await runProgram(
      `
      import { executeAgain, readCommandLine, startedAgain } from "{ffi}process/exec_again.ts";
      import { readFile } from "{ffi}file/files.ts";
      import { libc } from "{ffi}libc.ts";
      import { findUser, hasCapability, narrowThread } from "{ffi}process/privileges.ts";
      const message = startedAgain();
      if (message === undefined) {
        console.log("first", libc().getpid());
        const user = findUser("nobody").value;
        const narrowed = narrowThread({ user, keep: ["CAP_SYS_TIME"] });
        const words = readCommandLine();
        if (!narrowed.ok || !words.ok) throw new Error(JSON.stringify([narrowed, words]));
        throw new Error(executeAgain(words.value, "a message").message);
      }
      console.log(message, libc().getpid(), hasCapability("CAP_SYS_TIME"));
      const wanted = ["Uid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"];
      const seen = new Set<string>();
      for (let id = libc().getpid(); id < libc().getpid() + 60; id++) {
        const read = readFile("/proc/self/task/" + id + "/status", 100_000);
        if (!read.ok) continue;
        const text = new TextDecoder().decode(read.value);
        const value = (name: string) => new RegExp(name + ":\\\\s*(\\\\S*)").exec(text)?.[1];
        seen.add(wanted.map(value).join(" "));
      }
      for (const each of seen) console.log(each);
    `,
      { mode: 0o644 },
    );
    assert.equal(ended.code, 0, ended.errors);
    const [first, second, ...threads] = ended.lines;
    assert.equal(second, `${first?.replace("first", "a message")} true`);
    const set = "0000000002000000";
    assert.deepEqual(threads, [`65534 ${set} ${set} ${set} 0000000000000000 ${set} 1`]);
  },
});
