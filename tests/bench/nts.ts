/**
 * Network Time Security beside chronyd: `deno task bench:nts`.
 *
 * Requests: one captured valid request per server, sent again and again, one cookie in each answer;
 * answers per second of the server's processor time. Handshakes: whole key exchanges per second of
 * the server's processor time, with certificates of P-256 and of RSA with 2048 bits; beside it a
 * server in C that does nothing but OpenSSL's part (`nts_ke_floor.c`), which tells how much is the
 * library's. All run side by side and take turns; the median of the rounds is shown. Last, how long
 * an exchange takes while a thousand connections are open that send nothing.
 *
 *     deno task bench:nts [--json] [--only requests|handshakes|silent] [--rounds N] [--seconds S] [--exchanges N]
 *
 * Limits: Linux, with a C compiler (the server in C is left out without OpenSSL's headers); the
 * machine's other work disturbs both servers, but not equally.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { OpenSsl, type TlsClientContext } from "../../ffi/openssl/mod.ts";
import { type KeyKind, makeCertificate } from "../support/test_certificates.ts";
import { assert, present } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { KeyExchangeOutcome } from "../../src/nts/key_exchange/outcome.ts";
import { exchangeKeys } from "../../src/system/nts_ke_client.ts";
import { median } from "../../src/simulation/statistics.ts";
import { startChronyd } from "../support/chronyd.ts";
import { fromFileUrl, run, runAny } from "../support/command.ts";
import { findPeer } from "../support/debian_packages.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { protectedRequest } from "./nts_request.ts";
import { RUNTIME_FLAGS } from "../../tools/build_settings.ts";

interface Line {
  readonly name: string;
  readonly ntpsd: number;
  readonly peer: number | null;
  /**
   * What OpenSSL reaches in a few lines of C, without which no number of ours can be judged; null
   * when it was not measured.
   */
  readonly floor: number | null;
  readonly unit: string;
  readonly ratio: number | null;
  readonly goal: number;
  readonly rounds: number;
}

interface Server {
  readonly name: "ntpsd" | "chronyd" | "openssl";
  readonly pid: number;
  readonly keyExchangePort: number;
  readonly ntpPort: number;
}

const WINDOW = 256;
const AT_ONCE = 8;
const SILENT = 1000;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    exchanges: { type: "string", default: "1000" },
  },
});
const ROUNDS = Number(values.rounds);
const opened = OpenSsl.open();
assert(opened.ok, "OpenSSL is there");
const openssl = opened.value;

Deno.exit(await main());

async function main(): Promise<number> {
  const chronyd = await findPeer("chronyd");
  if (chronyd === undefined) return 69;
  await using folder = await temporaryFolder();
  const loader = `${folder.path}/nts_load`;
  const source = fromFileUrl(new URL("./nts_load.c", import.meta.url));
  await run("cc", { args: ["-O2", "-Wall", "-o", loader, source] });
  const floor = await compileFloor(folder.path);
  const lines: Line[] = [];
  for (const kind of ["p-256", "rsa-2048"] as const) {
    await using pair = await startPair(kind, { chronyd, folder, floor });
    if (kind === "p-256" && isWanted("requests")) lines.push(await requests(pair, loader));
    if (isWanted("handshakes")) lines.push(await handshakes(pair, kind));
    if (kind === "p-256" && isWanted("silent")) lines.push(await amongSilent(pair));
  }
  if (values.json) console.log(JSON.stringify(lines));
  else print(lines);
  return lines.every(({ ratio, goal }) => ratio === null || ratio >= goal) ? 0 : 1;
}

function isWanted(part: "requests" | "handshakes" | "silent"): boolean {
  return values.only === undefined || values.only === part;
}

/** Compiles the server in C; undefined where OpenSSL's headers are missing. */
async function compileFloor(folder: string): Promise<string | undefined> {
  const program = `${folder}/nts_ke_floor`;
  const source = fromFileUrl(new URL("./nts_ke_floor.c", import.meta.url));
  const compiled = await runAny("cc", {
    args: ["-O2", "-Wall", "-o", program, source, "-lssl", "-lcrypto"],
  });
  if (compiled.code === 0) return program;
  console.error("The server in C is left out: OpenSSL's headers are missing (libssl-dev)");
  return undefined;
}

async function startPair(kind: KeyKind, parts: {
  readonly chronyd: Parameters<typeof startChronyd>[0];
  readonly folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly floor: string | undefined;
}) {
  const { chronyd, folder } = parts;
  const issuer = makeCertificate({ commonName: "Authority", authority: true });
  const names = ["DNS:localhost", "IP:127.0.0.1"];
  const own = makeCertificate({ commonName: "server", names, issuer, key: kind });
  const text = (bytes: Bytes) => new TextDecoder().decode(bytes);
  const chain = await folder.write(`${kind}.pem`, text(own.certificate));
  const key = await folder.write(`${kind}.key`, text(own.privateKey));
  const context = openssl.clientContext({ system: false, authorities: issuer.certificate });
  assert(context.ok, "The authority is a certificate");
  const keyExchangePort = await freePort(), ntpPort = await freePort();
  const peer = await startChronyd(chronyd, {
    lines: [
      `ntsport ${keyExchangePort}`,
      `ntsservercert ${chain}`,
      `ntsserverkey ${key}`,
      "maxntsconnections 1000",
    ],
  });
  const ours = new RunningProgram(Deno.execPath(), {
    args: [
      ...["run", "-q", ...RUNTIME_FLAGS],
      fromFileUrl(new URL("./nts_only.ts", import.meta.url)),
      ...[chain, key, "2000", String(ntpPort)],
    ],
  });
  const floor = parts.floor === undefined
    ? undefined
    : new RunningProgram(parts.floor, { args: [chain, key] });
  const ourPort = await listeningPort(ours);
  const servers: readonly Server[] = [
    { name: "ntpsd", pid: ours.pid, keyExchangePort: ourPort, ntpPort },
    { name: "chronyd", pid: peer.process.pid, keyExchangePort, ntpPort: peer.port },
  ];
  const floorServer: readonly Server[] = floor === undefined ? [] : [
    { name: "openssl", pid: floor.pid, keyExchangePort: await listeningPort(floor), ntpPort: 0 },
  ];
  return {
    servers,
    exchangers: [...servers, ...floorServer],
    context: context.value,
    async [Symbol.asyncDispose]() {
      await ours[Symbol.asyncDispose]();
      await floor?.[Symbol.asyncDispose]();
      await peer[Symbol.asyncDispose]();
      context.value.close();
    },
  };
}

async function listeningPort(program: RunningProgram): Promise<number> {
  await program.waitFor(/listening on (\d+)/);
  return Number(/listening on (\d+)/.exec(program.stdout)?.[1]);
}

interface Pair {
  /** Those that answer requests. */
  readonly servers: readonly Server[];
  /** Those that exchange keys. */
  readonly exchangers: readonly Server[];
  readonly context: TlsClientContext;
}

async function requests(pair: Pair, loader: string): Promise<Line> {
  const packets = new Map<Server, string>();
  for (const server of pair.servers) packets.set(server, await capture(pair, server));
  return await rounds(pair.servers, {
    name: "NTS requests",
    unit: "answers per second of processor time",
    measure: async (server) => {
      const packet = present(packets.get(server), "A request was captured");
      const address = ["127.0.0.1", String(server.ntpPort)];
      const args = [...address, String(WINDOW), values.seconds, packet];
      const { stdout } = await run(loader, { args });
      const { answers, refusals } = JSON.parse(stdout) as { answers: number; refusals: number };
      assert(refusals === 0, `${server.name} answers every request`);
      return answers;
    },
  });
}

/** Makes one valid request that asks for one cookie. */
async function capture(pair: Pair, server: Server): Promise<string> {
  return protectedRequest(await exchange(pair, server));
}

async function handshakes(pair: Pair, kind: KeyKind): Promise<Line> {
  const count = Number(values.exchanges);
  return await rounds(pair.exchangers, {
    name: `NTS-KE handshakes, ${kind}`,
    unit: "exchanges per second of processor time",
    measure: async (server) => {
      let left = count;
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        while (left-- > 0) await exchange(pair, server);
      }));
      return count;
    },
  });
}

async function amongSilent(pair: Pair): Promise<Line> {
  const [ours] = pair.servers;
  assert(ours !== undefined, "Our server runs");
  const silent: Deno.TcpConn[] = [];
  for (let i = 0; i < SILENT; i++) {
    silent.push(await Deno.connect({ hostname: "127.0.0.1", port: ours.keyExchangePort }));
  }
  const spans: number[] = [];
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    await exchange(pair, ours);
    spans.push(performance.now() - start);
  }
  for (const connection of silent) connection.close();
  const name = `longest exchange among ${SILENT} silent connections`;
  const common = {
    name,
    unit: "ms",
    peer: null,
    floor: null,
    ratio: null,
    goal: 200,
    rounds: spans.length,
  };
  return { ...common, ntpsd: Math.max(...spans) };
}

async function exchange(pair: Pair, server: Server): Promise<KeyExchangeOutcome> {
  const exchanged = await exchangeKeys({
    openssl,
    context: pair.context,
    host: "127.0.0.1",
    port: server.keyExchangePort,
    dates: { now: Date.now() / 1000, outside: "refuse" },
    aeadIds: [15],
  });
  assert(exchanged.ok, exchanged.ok ? "" : exchanged.error.message);
  return exchanged.value;
}

async function rounds(servers: readonly Server[], work: {
  readonly name: string;
  readonly unit: string;
  readonly measure: (server: Server) => Promise<number>;
}): Promise<Line> {
  const rates = { ntpsd: [] as number[], chronyd: [] as number[], openssl: [] as number[] };
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const server of servers) {
      const before = await processorSeconds(server.pid);
      const done = await work.measure(server);
      const rate = done / (await processorSeconds(server.pid) - before);
      if (round > 0) rates[server.name].push(rate);
    }
  }
  const ntpsd = median(rates.ntpsd), peer = median(rates.chronyd);
  const ratios = rates.ntpsd.map((rate, i) => rate / (rates.chronyd[i] ?? Number.NaN));
  const floor = rates.openssl.length > 0 ? median(rates.openssl) : null;
  const { name, unit } = work;
  return { name, ntpsd, peer, floor, unit, ratio: median(ratios), goal: 1, rounds: ROUNDS };
}

/** Reads the processor time of a process, all its threads and all its children. */
async function processorSeconds(pid: number): Promise<number> {
  let sum = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const task = `/proc/${pid}/task/${name}`;
    const read = (file: string) => Deno.readTextFile(`${task}/${file}`).catch(() => "");
    sum += Number((await read("schedstat")).split(" ")[0]) / 1e9;
    const children = (await read("children")).trim();
    for (const child of children === "" ? [] : children.split(" ")) {
      sum += await processorSeconds(Number(child));
    }
  }
  return sum;
}

function print(lines: readonly Line[]): void {
  for (const { name, ntpsd, peer, floor, unit, ratio, goal } of lines) {
    const alone = floor === null ? "" : `; OpenSSL in C ${floor.toFixed(0)}`;
    const figures = peer === null
      ? `${ntpsd.toFixed(1)} ${unit}, at most ${goal} wanted`
      : `${ntpsd.toFixed(0)} to chronyd's ${peer.toFixed(0)} ${unit}: ratio ${
        ratio?.toFixed(2)
      }, goal ${goal}${alone}`;
    console.log(`${name}: ${figures}`);
  }
}
