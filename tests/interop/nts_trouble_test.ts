/**
 * Network Time Security in bad surroundings: cookies used up, files damaged or out of reach, no
 * library.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runAny } from "../support/command.ts";
import { follows, launch, ntpsd, startDaemon, startServer, type Status } from "../support/ntpsd.ts";
import { NtsPlace } from "../support/nts_place.ts";
import { RunningProgram } from "../support/process.ts";
import { startFalseServer } from "../support/false_server.ts";
import { endpoint } from "../support/daemon_config.ts";
import { freePort } from "../support/places.ts";
import { waitUntil } from "../support/wait_until.ts";

Deno.test("cookies are used up while the server is away; keys are exchanged when it is back", async () => {
  await using place = await NtsPlace.make();
  const keys = `${place.folder.path}/keys`;
  await using client = await startDaemon({ config: place.client() });
  {
    await using server = await startServer({ config: place.server({ keys }) });
    await client.waitForStatus(follows);
    await server.process.stop();
  }
  const empty = await client.waitForStatus((now) => now.sources[0]?.nts?.cookies === 0);
  const sent = empty.sources[0]?.sent ?? 0;
  const refused = (now: Status) => now.sources[0]?.nts?.failures["connection-refused"] ?? 0;
  const waiting = await client.waitForStatus((now) => refused(now) > 0);
  assert.equal(waiting.sources[0]?.sent, sent, "nothing is sent without cookies");
  await using server = await startServer({ config: place.server({ keys }) });
  const before = waiting.sources[0]?.received ?? 0;
  await client.waitForStatus((now) => (now.sources[0]?.received ?? 0) > before + 2, 60_000);
  const status = await server.status();
  // One by the member, and perhaps one for a new member, since the old one was dead for long.
  assert.ok([1, 2].includes(status?.ntsKe[0]?.completed ?? 0), JSON.stringify(status?.ntsKe));
  assert.equal(status?.servers[0]?.nts.naks, 0);
});

Deno.test("client and server work as another user, with system calls filtered", async () => {
  await using place = await NtsPlace.make();
  await using state = await NtsPlace.make();
  const { path } = state.folder;
  await Deno.chmod(place.folder.path, 0o755);
  await Deno.chmod(place.files.key, 0o600);
  const security = '[security]\nuser = "nobody"\nseccomp = true\n';
  const server = place.server({ keys: `${path}/keys` });
  await using serving = await startServer({ config: server + security });
  await serving.waitForStatus((status) => status.ntsKe.length === 1);
  const client = place.client([{}], { cookies: `${path}/cookies` });
  await using asking = await startDaemon({ config: client + security });
  await asking.waitForStatus(follows);
  await Deno.chmod(serving.folder.path, 0o755);
  serving.process.signal("SIGHUP");
  // The key is root's, and was opened before: it is read again all the same.
  await serving.process.waitFor(/Opened before, because closed to the user nobody: .*-key\.pem/);
  await serving.process.waitFor(/Nothing in the configuration changes/);
  assert.doesNotMatch(serving.process.stderr, /stays in use/);
  await asking.process.stop();
  assert.ok((await Deno.stat(`${path}/cookies`)).size > 500, asking.process.stderr);
  assert.doesNotMatch(asking.process.stderr, /not permitted|Permission denied|EPERM|EACCES/);
  await using again = await startDaemon({ config: client + security });
  await again.waitForStatus(follows);
  assert.equal((await serving.status())?.ntsKe[0]?.completed, 1);
});

Deno.test("a damaged file of keys is set aside, and new keys are made and saved", async () => {
  await using place = await NtsPlace.make();
  const keys = await place.folder.write("keys", "ntpsdks1 and then nothing of use");
  await using server = await startServer({ config: place.server({ keys }) });
  await server.waitForStatus((status) => status.ntsKe.length === 1);
  await server.process.waitFor(/keys for cookies in .* cannot be used \(wrong length\)/);
  assert.match(await Deno.readTextFile(`${keys}.damaged`), /nothing of use/);
  await waitUntil(async () => (await Deno.stat(keys).catch(() => undefined))?.size === 84, {
    timeoutMs: 60_000,
    what: () => `new keys: ${server.process.stderr}`,
  });
  await using client = await startDaemon({ config: place.client() });
  await client.waitForStatus(follows);
});

Deno.test("a certificate that is missing is an error; when it comes, the listener starts", async () => {
  await using place = await NtsPlace.make();
  const path = `${place.folder.path}/late`;
  const files = { certificate: `${path}.pem`, key: `${path}-key.pem` };
  await using server = await startDaemon({ config: place.server({ files }) });
  await server.process.waitFor(/error: Key exchange on .*late\.pem/);
  assert.deepEqual((await server.waitForStatus(() => true)).ntsKe, []);
  await place.certificate("late", {});
  server.process.signal("SIGHUP");
  await server.waitForStatus((status) => status.ntsKe.length === 1);
  await using client = await startDaemon({ config: place.client() });
  await client.waitForStatus(follows);
});

Deno.test("a reload that brings NTS to a server of plain time makes it answer both", async () => {
  await using place = await NtsPlace.make();
  const plain = place.server({ keyExchangePort: null });
  await using server = await startServer({ config: plain });
  await server.waitForStatus((status) => status.servers.length === 1);
  await server.configure(place.server());
  server.process.signal("SIGHUP");
  await server.waitForStatus((status) => status.ntsKe.length === 1);
  await using client = await startDaemon({ config: place.client() });
  await client.waitForStatus(follows);
  const asked = await ntpsd(["query", "--json", `127.0.0.1:${place.timePort}`]);
  assert.equal(asked.code, 0, asked.stderr);
});

Deno.test("query prints algorithm, cookies, certificate and offset", async () => {
  await using place = await NtsPlace.make();
  await using server = await startServer({ config: place.server() });
  await server.waitForStatus((status) => status.ntsKe.length === 1);
  const at = `localhost:${place.keyExchangePort}`;
  const asked = await ntpsd(["query", "--nts", "--ca", place.authority, at]);
  assert.equal(asked.code, 0, asked.stderr);
  for (const wanted of [/NTS, AEAD 15/, /8 cookies/, /CN=localhost/, /expires 20/, /Offset/]) {
    assert.match(asked.stdout, wanted);
  }
  const strange = await ntpsd(["query", "--nts", at]);
  assert.equal(strange.code, 1);
  assert.match(strange.stdout, /certificate was refused/);
});

Deno.test("a pool with NTS gets keys from different servers of one name", async () => {
  const canHide = await runAny("unshare", { args: ["-m", "true"] });
  if (canHide.code !== 0) return console.log("    no mount namespaces here: nothing was tested");
  await using place = await NtsPlace.make();
  const files = await place.certificate("pool", { names: ["DNS:pool.test"] });
  const hosts = await place.folder.write("hosts", "127.0.0.1 pool.test\n127.0.0.2 pool.test\n");
  const first = place.server({ files });
  const second = first.split("\n").slice(2).join("\n").replaceAll("127.0.0.1", "127.0.0.2");
  await using server = await startServer({ config: first + second });
  await server.waitForStatus((status) => status.ntsKe.length === 2);
  const at = `127.0.0.1:${await freePort()}`;
  const pool = place.client([{ address: `pool.test:${place.keyExchangePort}` }], { agreeing: 2 })
    .replace('mode = "nts"', 'mode = "nts-pool"\ncount = 2');
  const listen = `[observability]\nlisten = "${at}"\n`;
  const file = await place.folder.write("ntpsd.toml", pool + listen);
  const start = await launch("source");
  const line = [start.program, ...start.args, "run", "-x", "-c", file].join(" ");
  await using daemon = new RunningProgram("unshare", {
    args: ["-m", "sh", "-c", `mount --bind ${hosts} /etc/hosts && exec ${line}`],
  });
  const status = await statusOf(at, daemon, (now) => now.state === "monitoring");
  const addresses = status.sources.map(({ address }) => address).sort();
  assert.deepEqual(addresses, [`127.0.0.1:${place.timePort}`, `127.0.0.2:${place.timePort}`]);
  assert.deepEqual((await server.status())?.ntsKe.map(({ completed }) => completed), [1, 1]);
});

Deno.test("without the library sources with NTS say what to install, and plain ones work if they may", async () => {
  const library = await findLibrary();
  if (library === undefined) return console.log("    no mount namespaces here: nothing was tested");
  await using place = await NtsPlace.make();
  await using plain = await startFalseServer({ offsetSeconds: 0, stratum: 1 });
  const at = `127.0.0.1:${await freePort()}`;
  const section = "[synchronization]\n";
  const nts = place.client().replace(section, `${section}authentication = "prefer"\n`);
  const config = `${nts}[[source]]\nmode = "server"\naddress = "${endpoint(plain)}"\n` +
    `iburst = true\n[observability]\nlisten = "${at}"\n`;
  const file = await place.folder.write("ntpsd.toml", config);
  const start = await launch("source");
  const line = [start.program, ...start.args, "run", "-x", "-c", file].join(" ");
  await using daemon = new RunningProgram("unshare", {
    args: ["-m", "sh", "-c", `mount --bind /dev/null ${library} && exec ${line}`],
  });
  await daemon.waitFor(/Sources with Network Time Security cannot get keys: .*libssl/);
  const status = await statusOf(at, daemon, (now) => now.state === "monitoring");
  assert.deepEqual(Object.keys(status.sources[0]?.nts?.failures ?? {}), ["openssl-missing"]);
  assert.match(status.sources[0]?.reason ?? "", /libssl/);
  assert.equal(status.sources[1]?.status, "selected");
});

/** Waits for the status of a daemon that was started by hand. */
async function statusOf(
  at: string,
  daemon: RunningProgram,
  wanted: (status: Status) => boolean,
): Promise<Status> {
  return await waitUntil(async () => {
    const response = await fetch(`http://${at}/status`).catch(() => undefined);
    const now = await response?.json() as Status | undefined;
    return now !== undefined && wanted(now) ? now : undefined;
  }, { timeoutMs: 60_000, everyMs: 300, what: () => `the wanted status: ${daemon.stderr}` });
}

/** Finds the library, if this process may hide it from others. */
async function findLibrary(): Promise<string | undefined> {
  const said = await runAny("ldconfig", { args: ["-p"] });
  const path = /libssl\.so\.3 .*=> (\S+)/.exec(said.stdout)?.[1];
  if (path === undefined) return undefined;
  const real = await Deno.realPath(path);
  const script = `mount --bind /dev/null ${real}`;
  const tried = await runAny("unshare", { args: ["-m", "sh", "-c", script] });
  return tried.code === 0 ? real : undefined;
}

Deno.test("reloads that follow each other quickly leave every listener once, and the end is quick", async () => {
  await using place = await NtsPlace.make();
  const both = place.server();
  const timeAlone = place.server({ keyExchangePort: null });
  await using server = await startServer({ config: both });
  await server.waitForStatus((status) => status.ntsKe.length === 1);
  for (let i = 0; i < 10; i++) {
    await server.configure(i % 2 === 0 ? timeAlone : both);
    server.process.signal("SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await using client = await startDaemon({ config: place.client() });
  await client.waitForStatus(follows);
  const status = await server.status();
  assert.deepEqual([status?.servers.length, status?.ntsKe.length], [1, 1]);
  assert.doesNotMatch(server.process.stderr, /not opened|Cannot listen/);
  server.process.signal("SIGHUP");
  const ended = await server.process.stop();
  assert.equal(ended.code, 0, server.process.stderr);
});
