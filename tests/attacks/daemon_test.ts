/**
 * Published weaknesses against the daemon as it is started: its source among forgeries, its server
 * among control packets.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket, type RemoteInfo } from "node:dgram";
import { startDaemon } from "../support/ntpsd.ts";
import { UNIX_EPOCH_IN_NTP_SECONDS, unixSeconds } from "../support/ntp_probe.ts";
import { freePort } from "../support/places.ts";
import { waitUntil } from "../support/wait_until.ts";

const LOOPBACK = "127.0.0.1";

/** The answer of a server whose time is right to a request. */
function trueResponse(packet: Buffer): Buffer {
  const answer = Buffer.alloc(48);
  answer.set([0x24, 1, packet[2] ?? 6, 0xec]);
  answer.write("GPS", 12, "ascii");
  const now = unixSeconds();
  for (const at of [16, 32, 40]) {
    answer.writeUInt32BE(Math.floor(now) + Number(UNIX_EPOCH_IN_NTP_SECONDS), at);
    answer.writeUInt32BE(Math.floor((now % 1) * 2 ** 32), at + 4);
  }
  packet.copy(answer, 24, 40, 48);
  return answer;
}

/**
 * What attackers send before the true answer: off the path, and on it where no more than a copy of
 * the origin is needed.
 */
function forgeries(answer: Buffer): Buffer[] {
  const change = (at: number, octets: Uint8Array | readonly number[]) => {
    const changed = Buffer.from(answer);
    changed.set(octets, at);
    return changed;
  };
  const kiss = change(0, [0xe4, 0, 17, 0xec]);
  kiss.write("DENY", 12, "ascii");
  kiss.fill(0, 24, 32);
  return [
    change(24, new Uint8Array(8)),
    change(24, new Uint8Array(8).fill(0x55)),
    kiss,
    change(0, [0x25]),
    change(0, [0x21]),
    Buffer.concat([answer, Buffer.alloc(4)]),
    Buffer.concat([answer, Buffer.alloc(20, 1)]),
    answer.subarray(0, 47),
    Buffer.alloc(0),
  ];
}

/** What has no right to an answer: modes 6 and 7, answers, broadcasts, too little and too much. */
function controlPackets(): Buffer[] {
  const all = [0x17, 0x16, 0x1e, 0x97, 0x24, 0x25, 0xe6, 0x27].flatMap((first) =>
    [1, 12, 47, 48, 192, 1500].map((length) => {
      const packet = Buffer.alloc(length);
      packet.set([first, 2, 3, 42].slice(0, length));
      return packet;
    })
  );
  return [...all, Buffer.alloc(65_507, 0x16)];
}

Deno.test("CVE-2015-7704, CVE-2015-8138, CVE-2016-1547, CVE-2016-4953, CVE-2013-5211, CVE-2010-0294: a daemon among forgeries keeps its source, its silence and a short log", async () => {
  const server = createSocket("udp4"), client = createSocket("udp4");
  const answers: string[] = [];
  try {
    server.on("message", (packet: Buffer, from: RemoteInfo) => {
      const answer = trueResponse(packet);
      for (const each of [...forgeries(answer), answer]) server.send(each, from.port, from.address);
    });
    client.on("message", (answer: Buffer) => answers.push(answer.subarray(24, 32).toString("hex")));
    for (const socket of [server, client]) {
      await new Promise<void>((done) => socket.bind(0, LOOPBACK, done));
    }
    const port = await freePort();
    const config = `[source-defaults]
poll-interval-limits = { min = 0, max = 1 }
initial-poll-interval = 0
[[source]]
mode = "server"
address = "${LOOPBACK}:${server.address().port}"
[synchronization]
minimum-agreeing-sources = 1
[[server]]
listen = "${LOOPBACK}:${port}"
[control]
ntpq = "off"
`;
    await using daemon = await startDaemon({ config });
    await daemon.waitForStatus(({ sources }) => sources[0]?.status === "selected");
    for (const packet of controlPackets()) client.send(packet, port, LOOPBACK);
    const request = Buffer.alloc(48);
    request[0] = 0x23;
    request.write("it is me", 40, "ascii");
    await waitUntil(() => {
      client.send(request, port, LOOPBACK);
      return answers.length > 0;
    }, { timeoutMs: 60_000, everyMs: 100, what: () => daemon.process.stderr });
    const status = await daemon.waitForStatus(({ sources }) =>
      (sources[0]?.dropped["crypto-nak"] ?? 0) >= 3
    );
    assert.deepEqual([...new Set(answers)], [Buffer.from("it is me").toString("hex")]);
    const [source] = status.sources;
    assert.ok((source?.dropped["origin"] ?? 0) >= 9 && (source?.dropped["mode"] ?? 0) >= 3);
    assert.equal(source?.dropped["internal-error"], undefined);
    const dropped = status.servers[0]?.dropped ?? {};
    assert.ok((dropped["not-a-request"] ?? 0) + (dropped["control"] ?? 0) >= 20);
    const lines = daemon.process.stderr.trim().split("\n");
    assert.ok(lines.length < 40, daemon.process.stderr);
    assert.equal((await daemon.process.stop("SIGTERM")).code, 0);
  } finally {
    for (const socket of [server, client]) {
      await new Promise<void>((done) => socket.close(() => done()));
    }
  }
});
