/**
 * What a reload does to a running daemon, key by key: each key whose reload is said to be applied
 * has a probe, here or, if the engine alone uses it, in `tests/support/engine_reloads.ts`.
 *
 * @module
 */
import "../../tests/support/libc_opened.ts";
import { deepEqual, equal, ok } from "node:assert/strict";
import { fileStatus, removeFile, writeFileAtomic } from "../../ffi/file/files.ts";
import { processId } from "../../ffi/process/process.ts";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { UdpSocket } from "../../ffi/socket/udp_socket.ts";
import type { Bytes } from "../base/bytes.ts";
import type { SymmetricKey } from "../config/key_file.ts";
import { SECTIONS } from "../config/schema.ts";
import type { StatusDocument } from "../engine/status/snapshot.ts";
import { DaemonInProcess } from "../../tests/support/daemon_in_process.ts";
import { ENGINE_RELOADS } from "../../tests/support/engine_reloads.ts";
import { configOf } from "../../tests/support/engine_world.ts";
import {
  ask as askForKeys,
  authority,
  good,
  NAMES,
  NOW,
} from "../../tests/support/nts_ke_connections.ts";
import { makeCertificate } from "../../tests/support/test_certificates.ts";
import { request, timestamp } from "../../tests/support/test_server.ts";
import { heldPort } from "../../tests/support/places.ts";
import { PATIENCE_MS, waitUntil } from "../../tests/support/wait_until.ts";
import { Nts } from "./nts/nts.ts";

const PATH = `/tmp/ntpsd-test-reload-${processId()}`;
const STATUS = await heldPort(), NTP = await heldPort();
const OTHER = await heldPort(), KE = await heldPort();
const HTTP = `[observability]\nlisten = "127.0.0.1:${STATUS}"\n`;
const SERVER = `[[server]]\nlisten = "127.0.0.1:${NTP}"\n`;
const KE_SERVER = `[[nts-ke-server]]\nlisten = "127.0.0.1:${KE}"\n`;
const LOOPBACK = `{ filter = ["127.0.0.0/8"], action = "ignore" }`;

/** Of chrony's command protocol: version 6, a request, command 33. */
const TRACKING_REQUEST = new Uint8Array(104);
TRACKING_REQUEST.set([6, 1, 0, 0, 0, 33]);

const SAME_KEY_ENDS = NOW + 40_000;
const SAME_KEY = makeCertificate({
  commonName: "localhost",
  names: NAMES,
  keyOf: good,
  issuer: authority,
  notAfter: SAME_KEY_ENDS,
});

type Probe = () => Promise<void>;

/** The probes by section and key. */
const PROBES: Readonly<Record<string, Probe>> = {
  async "server.listen"() {
    await using daemon = await started(SERVER);
    daemon.reload(SERVER.replace(String(NTP), String(OTHER)));
    ok(await answers(OTHER));
    ok(!await answers(NTP, 1));
  },
  "server.allowlist": () =>
    afterReload(`allowlist = ${LOOPBACK.replace("127.0.0.0/8", "192.0.2.0/24")}`, "access-denied"),
  "server.denylist": () => afterReload(`denylist = ${LOOPBACK}`, "access-denied"),
  "server.rate-limit": () =>
    afterReload("rate-limit = { interval = 12, burst = 1, leak = 1 }", "rate-limited"),
  "server.require-nts": () => afterReload('require-nts = "ignore"', "nts-required"),
  "server.accept-ntp-versions": () => afterReload("accept-ntp-versions = [3]", "version"),
  async "server.interleaved"() {
    await using daemon = await started(SERVER + HTTP);
    ok(await isInterleaved());
    daemon.reload(`${SERVER}interleaved = false\n${HTTP}`);
    await waitUntil(async () => !await isInterleaved(), waiting("basic mode alone"));
  },
  async "server.reuse-port"() {
    await using daemon = await started(SERVER + HTTP);
    daemon.reload(`${SERVER}reuse-port = true\n${HTTP}`);
    await waitUntil(() => sharesPort(NTP), waiting("a port that is shared"));
  },
  async "server.client-table"() {
    await using daemon = await started(SERVER + HTTP);
    equal((await status()).servers[0]?.clients, undefined);
    daemon.reload(`${SERVER}client-table = true\n${HTTP}`);
    await waitUntil(async () => (await status()).servers[0]?.clients, waiting("a list of clients"));
  },
  async "nts-ke-server.listen"() {
    await using daemon = await withCertificate("");
    daemon.reload(keServer("").replace(String(KE), String(OTHER)));
    await waitUntil(async () => (await askForKeys(OTHER)).ok, waiting("key exchange elsewhere"));
  },
  async "nts-ke-server.certificate-chain-path"() {
    // Another certificate for the same key.
    writeCertificate("-other", { ...good, certificate: SAME_KEY.certificate });
    await using daemon = await withCertificate("");
    const text = keServer("");
    daemon.reload(text.replace(`${PATH}-chain`, `${PATH}-other-chain`));
    await waitUntil(async () => {
      const outcome = await askForKeys(KE);
      return outcome.ok && outcome.value.certificate.notAfter === SAME_KEY_ENDS;
    }, waiting("another certificate"));
  },
  async "nts-ke-server.private-key-path"() {
    await using daemon = await withCertificate("");
    const text = keServer("").replace(`${PATH}-key`, `${PATH}-missing-key`);
    daemon.reload(text);
    await waitUntil(async () => {
      const { functions } = await status();
      return functions.some(({ reason }) => reason.includes(`${PATH}-missing-key`));
    }, waiting("the other key"));
  },
  async "nts-ke-server.key-exchange-timeout-ms"() {
    await using daemon = await withCertificate("key-exchange-timeout-ms = 600000\n");
    daemon.reload(keServer("key-exchange-timeout-ms = 1\n"));
    await connected(async () => {
      using connection = await Deno.connect({ port: KE });
      await connection.read(new Uint8Array(1)).catch(() => null);
      return (await failures())["handshake-timeout"];
    }, "a timeout");
  },
  async "nts-ke-server.concurrent-connections"() {
    await using daemon = await withCertificate("key-exchange-timeout-ms = 600000\n");
    const limited = "key-exchange-timeout-ms = 600000\nconcurrent-connections = 1\n";
    daemon.reload(keServer(limited));
    await connected(async () => {
      using _first = await Deno.connect({ port: KE });
      using _second = await Deno.connect({ port: KE });
      return (await failures())["evicted"];
    }, "the first of two connections to be evicted");
  },
  async "nts-ke-server.ntp-server"() {
    await using daemon = await withCertificate("");
    daemon.reload(keServer('ntp-server = "time.example"\n'));
    const told = async () => {
      const outcome = await askForKeys(KE);
      return outcome.ok && outcome.value.ntpServer?.includes("time.example");
    };
    await waitUntil(told, waiting("the server's name"));
  },
  async "nts-ke-server.ntp-port"() {
    await using daemon = await withCertificate("");
    daemon.reload(keServer("ntp-port = 1234\n"));
    const told = async () => {
      const outcome = await askForKeys(KE);
      return outcome.ok && JSON.stringify(outcome.value).includes("1234");
    };
    await waitUntil(told, waiting("the server's port"));
  },
  async "keyset.stale-key-count"() {
    const keyset = (count: number) =>
      `[keyset]\nkey-storage-path = "${PATH}-keys"\nstale-key-count = ${count}\n`;
    await using daemon = await started(keyset(7));
    await waitUntil(() => exists("-keys"), waiting("keys in a file"));
    removeFile(`${PATH}-keys`);
    daemon.reload(keyset(0));
    await waitUntil(() => exists("-keys"), waiting("keys that are saved with another count"));
  },
  async "keyset.key-storage-path"() {
    const keyset = (name: string) => `[keyset]\nkey-storage-path = "${PATH}-${name}"\n`;
    await using daemon = await started(keyset("keys"));
    daemon.reload(keyset("other-keys"));
    await waitUntil(() => exists("-other-keys"), waiting("keys in another file"));
  },
  async "keys.file"() {
    const text = `${SERVER}${HTTP}[keys]\nfile = "/etc/ntpsd/ntp.keys"\n`;
    const reasons = async () => {
      await answers(NTP, 1, request({ rest: Uint8Array.of(0, 0, 0, 5, ...new Uint8Array(20)) }));
      return (await status()).servers[0]?.dropped ?? {};
    };
    await using daemon = await started(text);
    ok("unknown-key" in await reasons());
    const key: SymmetricKey = { id: 5, type: "sha1", secret: new Uint8Array(20).fill(1) };
    daemon.reload(text, new Map([[5, key]]));
    await waitUntil(async () => "bad-mac" in await reasons(), waiting("a key that is known"));
  },
  async "observability.log-level"() {
    const level = (word: string) => `[observability]\nlisten = ""\nlog-level = "${word}"\n`;
    await using daemon = await started(level("error"));
    daemon.reload(level("info"));
    // The line about this change is still too quiet for the old level, one about the next is not.
    const isLogged = () => daemon.lines.some((line) => line.includes("Serves time on"));
    daemon.reload(level("info") + SERVER);
    await waitUntil(isLogged, waiting("a line of level info"));
  },
  async "nts.cookie-storage-path"() {
    const config = (text: string) => configOf(`${text}[synchronization]\nlocal-stratum = 7\n`);
    const nts = new Nts(config(""));
    await nts.configure(config(`[nts]\ncookie-storage-path = "${PATH}-cookies"\n`));
    nts.store.saveBound(1_700_000_000);
    await nts.stop();
    ok(FILES.some((name) => name.startsWith("-cookies") && exists(name)));
  },
  async "observability.listen"() {
    await using daemon = await started(HTTP);
    daemon.reload(HTTP.replace(String(STATUS), String(OTHER)));
    await connected(async () => (await status(OTHER)).version, "the status elsewhere");
  },
  async "observability.hosts"() {
    await using daemon = await started(HTTP);
    equal(await statusUnder("time.example"), 421);
    daemon.reload(`${HTTP}hosts = ["time.example"]\n`);
    await waitUntil(async () => await statusUnder("time.example") === 200, waiting("that name"));
  },
  async "control.chronyc"() {
    await using daemon = await started(HTTP);
    daemon.reload(`${HTTP}[control]\nchronyc = "127.0.0.1:${OTHER}"\n`);
    await waitUntil(() => answers(OTHER, 100, TRACKING_REQUEST), waiting("chrony's protocol"));
  },
  async "control.ntpq"() {
    const [opcode, version] = [2, 2];
    const system = new Uint8Array(12);
    system.set([version << 3 | 6, opcode]);
    await using daemon = await started(HTTP);
    daemon.reload(`${HTTP}[control]\nntpq = "127.0.0.1:${OTHER}"\n`);
    await waitUntil(() => answers(OTHER, 100, system), waiting("the control protocol"));
  },
  async "control.allowlist"() {
    const control = `${HTTP}[control]\nchronyc = "127.0.0.1:${OTHER}"\n`;
    await using daemon = await started(control);
    ok(await answers(OTHER, 2000, TRACKING_REQUEST));
    daemon.reload(`${control}allowlist = ["192.0.2.0/24"]\n`);
    const isSilent = async () => await answers(OTHER, 1, TRACKING_REQUEST) === undefined;
    await waitUntil(isSilent, waiting("silence"));
  },
  "observability.statistics-path": () =>
    shownFunction("statistics", `${HTTP}statistics-path = "${PATH}-statistics"\n`),
  "clock.drift-file": () =>
    shownFunction("drift-file", `${HTTP}[clock]\ndrift-file = "${PATH}-drift"`),
  "clock.leap-seconds-file": () =>
    shownFunction("leap-seconds-file", `${HTTP}[clock]\nleap-seconds-file = "${PATH}-leap"`),
};

for (const [key, probe] of Object.entries(PROBES)) {
  Deno.test(`a reload applies ${key}`, async () => {
    try {
      await probe();
    } finally {
      for (const name of FILES) removeFile(`${PATH}${name}`);
    }
  });
}

Deno.test("each key that a reload is said to apply has a probe", () => {
  const applied = SECTIONS.flatMap(({ name, keys }) =>
    Object.entries(keys).filter(([, { reload }]) => reload === "applied").map(([key]) =>
      `${name}.${key}`
    )
  );
  deepEqual(
    [...Object.keys(PROBES), ...Object.keys(ENGINE_RELOADS)].toSorted(),
    applied.toSorted(),
  );
});

const FILES = [
  "-chain",
  "-key",
  "-keys",
  "-other-keys",
  "-drift",
  "-leap",
  "-cookies",
  "-cookies.time-bound",
  "-other-chain",
  "-other-key",
];

function waiting(what: string) {
  return { timeoutMs: PATIENCE_MS, what: () => what };
}

/** Waits until something is found over a connection; there may be none for a moment. */
async function connected(look: () => Promise<unknown>, what: string): Promise<void> {
  await waitUntil(() => look().catch(() => false), waiting(what));
}

function later(milliseconds: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), milliseconds));
}

async function started(text: string): Promise<DaemonInProcess> {
  const quiet = text.includes("[observability]") ? text : `${text}[observability]\nlisten = ""\n`;
  const daemon = new DaemonInProcess(quiet);
  await waitUntil(() => daemon.isReady, waiting("the daemon"));
  return daemon;
}

/** A key of the server has come into force when requests are dropped for a reason. */
async function afterReload(line: string, reason: string): Promise<void> {
  await using daemon = await started(SERVER + HTTP);
  ok(await answers(NTP));
  daemon.reload(`${SERVER}${line}\n${HTTP}`);
  await waitUntil(async () => {
    await answers(NTP, 1);
    return ((await status()).servers[0]?.dropped[reason] ?? 0) > 0;
  }, waiting(reason));
}

/** A function of the daemon is not configured before a reload, and is after it. */
async function shownFunction(kind: string, text: string): Promise<void> {
  const names = async () =>
    (await status()).functions.filter((each) => each.kind === kind).map(({ name }) => name);
  await using daemon = await started(HTTP);
  deepEqual(await names(), []);
  daemon.reload(text);
  await waitUntil(async () => (await names()).some((name) => name.startsWith(PATH)), waiting(kind));
}

function keServer(lines: string, files = PATH): string {
  const paths = `certificate-chain-path = "${files}-chain"\nprivate-key-path = "${files}-key"\n`;
  return `${KE_SERVER}${paths}${lines}${HTTP}`;
}

async function withCertificate(lines: string): Promise<DaemonInProcess> {
  writeCertificate("", good);
  const daemon = await started(keServer(lines));
  await waitUntil(async () => (await askForKeys(KE)).ok, waiting("a key exchange"));
  return daemon;
}

/** Returns the key exchanges that failed, by reason. */
async function failures(): Promise<Readonly<Record<string, number>>> {
  return (await status()).ntsKe[0]?.failed ?? {};
}

function writeCertificate(
  name: string,
  { certificate, privateKey }: { readonly certificate: Bytes; readonly privateKey: Bytes },
): void {
  ok(writeFileAtomic(`${PATH}${name}-chain`, { bytes: certificate }).ok);
  ok(writeFileAtomic(`${PATH}${name}-key`, { bytes: privateKey, mode: 0o600 }).ok);
}

/** Returns octets of the answer to a request; undefined if there is none in a while. */
async function answers(
  port: number,
  tries = 2000,
  octets: Bytes = request(),
): Promise<Uint8Array | undefined> {
  const client = UdpSocket.open({ peer: { family: "ipv4", address: "127.0.0.1", port } });
  ok(client.ok);
  try {
    for (let i = 0; i < tries; i++) {
      if (i % 200 === 0) client.value.send(octets);
      await later(tries === 1 ? 50 : 1);
      const received = client.value.receive();
      if (received.ok && received.value !== undefined) return received.value.bytes;
    }
    return undefined;
  } finally {
    client.value.close();
  }
}

/** Tells whether the server remembers a client for interleaved mode. */
async function isInterleaved(): Promise<boolean> {
  const first = await answers(NTP, 2000, request({ origin: 1n, receive: 5n }));
  const origin = first === undefined ? 1n : timestamp(first, 32);
  const second = await answers(NTP, 2000, request({ origin, receive: 6n }));
  return second !== undefined && timestamp(second, 24) === 6n;
}

function sharesPort(port: number): boolean {
  const local = { family: "ipv4", address: "127.0.0.1", port } as const;
  const socket = ServerSocket.open({ local, reusePort: true });
  if (socket.ok) socket.value.close();
  return socket.ok;
}

function exists(name: string): boolean {
  const found = fileStatus(`${PATH}${name}`);
  return found.ok && found.value !== undefined;
}

/** Asks for the status under a name; returns the head of the response and its body. */
async function get(host: string, port: number): Promise<readonly [head: string, body: string]> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(
    new TextEncoder().encode(`GET /status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
  );
  let text = "";
  const decoder = new TextDecoder(), buffer = new Uint8Array(65_536);
  for (let length: number | null; (length = await connection.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  const [head = "", body = ""] = text.split("\r\n\r\n");
  return [head, body];
}

async function status(port = STATUS): Promise<StatusDocument> {
  const [, body] = await get("127.0.0.1", port);
  return JSON.parse(body);
}

async function statusUnder(host: string): Promise<number> {
  const [head] = await get(host, STATUS);
  return Number(head.split(" ")[1]);
}
