/**
 * Published weaknesses at the edge of the program: ports, sockets, datagrams of any size, tools
 * that ask hostile servers.
 *
 * @module
 */
import { IDLE_CONTEXT } from "../support/idle_context.ts";
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { readRealtimeNtp } from "../../ffi/clock/clock.ts";
import { Poller } from "../../ffi/poller.ts";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { type Bytes } from "../../src/base/bytes.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { socketAddress } from "../../src/base/socket_address.ts";
import { main } from "../../src/cli/main.ts";
import { QueriedServer } from "../../src/cli/query/queried_server.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { configureLog } from "../../src/system/log.ts";
import { RequestSockets } from "../../src/system/request_sockets.ts";
import { ServerLoop } from "../../src/daemon/server_loop.ts";
import { exampleStatus } from "../support/status_example.ts";
import type { Event } from "../../src/engine/events.ts";
import { HeaderTemplate } from "../../src/server/clock_state.ts";
import { Responder } from "../../src/server/respond.ts";
import { request, SYNCHRONIZED } from "../support/test_server.ts";
import { waitUntil } from "../support/wait_until.ts";

const LOOPBACK = "127.0.0.1";
/** Characters that steer a terminal or hide, but for the end of a line. */
const STEERING = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

async function udpSocket(): Promise<Socket & AsyncDisposable> {
  const socket = createSocket("udp4");
  await new Promise<void>((done) => socket.bind(0, LOOPBACK, done));
  return Object.assign(socket, {
    [Symbol.asyncDispose]: () => new Promise<void>((done) => socket.close(() => done())),
  });
}

function openPoller(): Poller {
  const opened = Poller.open();
  return opened.ok ? opened.value : assert.fail(opened.error.message);
}

Deno.test("RFC 9109, CVE-2016-7429: every request has a port of its own, and only the server's packets arrive there", async () => {
  await using server = await udpSocket();
  await using attacker = await udpSocket();
  const poller = openPoller();
  const sockets = new RequestSockets(poller);
  const destination = socketAddress(LOOPBACK, server.address().port);
  assert.ok(destination !== undefined);
  const ports: number[] = [];
  server.on("message", (_, from) => {
    ports.push(from.port);
    // the forgery first, from another socket of the same host; then the true answer
    attacker.send(
      Buffer.alloc(48, 0xbb),
      from.port,
      LOOPBACK,
      () => server.send(Buffer.alloc(48, 0xaa), from.port, LOOPBACK),
    );
  });
  const packets: string[] = [];
  const COUNT = 40;
  for (let i = 1; i <= COUNT; i++) {
    sockets.send({
      type: "send",
      association: 1,
      request: i,
      destination,
      packet: new Uint8Array(48),
    });
    await waitUntil(async () => {
      const ready = await poller.wait(0.02);
      for (const each of ready.ok ? ready.value : []) {
        sockets.read(each, (event: Event) => {
          if (event.type === "datagram") packets.push(event.packet.toHex().slice(0, 2));
        });
      }
      return packets.length >= i;
    }, { timeoutMs: 60_000, everyMs: 1, what: () => `answer ${i}` });
    sockets.close(i);
  }
  sockets.closeAll();
  poller.close();
  assert.deepEqual([...new Set(packets)], ["aa"]);
  // chance may give one port twice in tens of thousands
  assert.ok(new Set(ports).size >= COUNT - 2, `${new Set(ports).size} ports`);
  const steps = ports.slice(1).map((port, i) => port - (ports[i] ?? 0));
  assert.ok(new Set(steps).size > COUNT / 2, "they do not follow one another");
});

Deno.test("CVE-2016-9312, CVE-2010-0294: datagrams of any size and kind neither end the server nor fill the log", async () => {
  const lines: string[] = [];
  configureLog({ level: "debug", journal: false, write: (line) => lines.push(line) });
  const local = { family: "ipv4", address: LOOPBACK, port: 0 } as const;
  const socket = ServerSocket.open({ local });
  assert.ok(socket.ok);
  const responder = new Responder({
    template: new HeaderTemplate(SYNCHRONIZED),
    readClock: readRealtimeNtp,
    random: new SeededRandom(1),
  });
  const loop = new ServerLoop({ socket: socket.value, responder });
  loop.start();
  await using client = await udpSocket();
  const { port } = socket.value.local;
  let answered = 0;
  client.on("message", () => answered++);
  const send = (octets: Bytes) =>
    new Promise<void>((done) => client.send(Buffer.from(octets), port, LOOPBACK, () => done()));
  for (const length of [0, 1, 47, 2048, 2049, 9000, 65_507]) {
    for (const first of [0x23, 0x17, 0x16, 0x25, 0xff]) {
      const octets = new Uint8Array(length);
      if (length > 0) octets[0] = first;
      await send(octets);
    }
  }
  const before = answered;
  // the honest request, until it is answered: the flood may have taken its place
  await waitUntil(async () => {
    await send(request());
    return answered > before;
  }, { timeoutMs: 60_000, what: () => "an answer" });
  await loop.stop();
  assert.deepEqual(lines, []);
  assert.equal(responder.counters.dropped("internal-error"), 0);
});

/** Runs a command line; what it says comes back. */
async function run(words: readonly string[], body = ""): Promise<[code: number, said: string]> {
  let said = "";
  const code = await main(words, {
    ...IDLE_CONTEXT,
    out: (text) => said += text,
    err: (text) => said += text,
    httpGet: () => Promise.resolve({ ok: true, value: { status: 200, body } }),
  });
  return [code, said];
}

Deno.test("CVE-2018-12327: names of any length on the command line and in a configuration are told, or not found", async () => {
  for (const name of ["a".repeat(5000), `[${":".repeat(3000)}`, `${"1.".repeat(2000)}:123`, "["]) {
    const [code, said] = await run(["query", "--timeout", "200ms", name]);
    assert.ok(code > 0 && code < 70, `status ${code}`);
    assert.ok(said.length > 0);
  }
  for (const name of ["a".repeat(5000), `[${"1".repeat(3000)}`, "b.".repeat(4000)]) {
    const parsed = parseConfig(`[[source]]\nmode = "server"\naddress = "${name}"\n`);
    assert.equal(parsed.ok, false);
  }
  assert.equal(parseConfig('[[source]]\nmode = "server"\naddress = "a.example"\n').ok, true);
});

Deno.test("CVE-2015-7852, CVE-2018-7183, CVE-2017-6460, CVE-2009-0159: what a hostile server says reaches the screen as text", async () => {
  await using server = await udpSocket();
  const evil = ["\x1b[2J", "\x9b31m", "\u0000\u0007", "\x80\xff\xfe\x00"];
  let next = 0;
  server.on("message", (packet, from) => {
    const answer = Buffer.alloc(48);
    answer[0] = 0x24;
    // stratum 1, or a kiss-o'-death, with four octets of the server's choice
    answer[1] = next % 2;
    answer.set([...evil[next++ % evil.length] ?? ""].map((c) => c.charCodeAt(0)).slice(0, 4), 12);
    packet.copy(answer, 24, 40, 48);
    const [now = 0] = [Math.floor(Date.now() / 1000) + 2_208_988_800];
    for (const at of [16, 32, 40]) answer.writeUInt32BE(now, at);
    server.send(answer, from.port, from.address);
  });
  for (let i = 0; i < 8; i++) {
    const [code, said] = await run([
      "query",
      "--timeout",
      "60s",
      `${LOOPBACK}:${server.address().port}`,
    ]);
    assert.ok(code <= 1, said);
    assert.doesNotMatch(said, STEERING);
  }
  assert.ok(next >= 8);
});

Deno.test("CVE-2023-26551, CVE-2023-26552, CVE-2023-26553, CVE-2023-26554: a status document of a stranger is shown, or told not to be one", async () => {
  const numbers = ["1e400", "-1e308", `${"9".repeat(4000)}.${"9".repeat(4000)}`, "null", "{}"];
  const status = exampleStatus();
  for (const number of numbers) {
    for (const fields of [["offsetSeconds"], Object.keys(status), []]) {
      const document: Record<string, unknown> = fields.length > 0 ? { ...status } : {};
      for (const field of fields) document[field] = JSON.parse(number);
      const text = JSON.stringify({ ...document, state: "synchronized", sources: [document] });
      for (const command of ["status", "sources", "why", "clients"]) {
        const [code, said] = await run([command, "--at", "127.0.0.1:9975"], text);
        const isUncounted = command === "clients" && code === 1;
        assert.ok(code === 0 || code === 69 || isUncounted, `${command} ends with ${code}`);
        assert.ok(said.length > 0 && said.length < 20_000, `${said.length} characters`);
      }
    }
  }
  const honest = await run(["status", "--at", "127.0.0.1:9975"], JSON.stringify(status));
  assert.equal(honest[0], 0);
});

Deno.test("CVE-2015-8158: answers without end do not keep a query from its end", async () => {
  await using server = await udpSocket();
  const flood = Buffer.alloc(48, 0x24);
  let asking: RemoteInfo | undefined;
  server.on("message", (_, from) => asking = from);
  const timer = setInterval(() => {
    for (let i = 0; i < 20; i++) if (asking) server.send(flood, asking.port, asking.address);
  }, 1);
  const address = socketAddress(LOOPBACK, server.address().port);
  assert.ok(address !== undefined);
  let said = "";
  // On a busy machine the flood may begin late.
  for (const seconds of [0.3, 3, 30]) {
    const asked = await new QueriedServer({ address, random: new SeededRandom(1) }).ask(seconds);
    said = asked.ok ? "" : asked.error;
    if (said !== "No response") break;
  }
  clearInterval(timer);
  assert.match(said, /does not belong to the request/);
});
