import assert from "node:assert/strict";
import { startChronyd } from "./chronyd.ts";
import { run } from "./command.ts";
import { findPeer } from "./debian_packages.ts";
import { startFalseServer } from "./false_server.ts";
import { canMakeNamespaces, networkPair } from "./network_namespace.ts";
import { startNtpd } from "./ntpd.ts";
import { probe, type ProbeResponse } from "./ntp_probe.ts";
import { waitUntil } from "./wait_until.ts";

const chronyd = await findPeer("chronyd");
const ntpd = await findPeer("ntpd");
const ntpdig = await findPeer("ntpdig");
const namespaces = await canMakeNamespaces();

/** Sees how far a server is ahead, as exactly as the delay allows. */
function assertAhead(answer: ProbeResponse | undefined, seconds: number): void {
  assert.ok(answer !== undefined);
  const { offsetSeconds, delaySeconds } = answer;
  const error = Math.abs(offsetSeconds - seconds);
  assert.ok(error < delaySeconds / 2 + 0.01, `offset ${offsetSeconds}, delay ${delaySeconds}`);
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test({
    name: `chronyd answers the probe on ${address} and ends when told`,
    ignore: chronyd === undefined,
    async fn() {
      assert.ok(chronyd);
      await using server = await startChronyd(chronyd, { address, stratum: 5 });
      const answer = await probe(address, { port: server.port });
      assert.equal(answer?.mode, 4);
      assert.equal(answer?.stratum, 5);
      assert.equal(answer?.leap, 0);
      assertAhead(answer, 0);
      const ended = await server.process.stop();
      assert.equal(ended.signal, null);
      assert.equal(await probe(address, { port: server.port, timeoutMs: 100 }), undefined);
    },
  });
}

Deno.test({
  name: "a chronyd whose port is taken is not waited for",
  ignore: chronyd === undefined,
  async fn() {
    assert.ok(chronyd);
    await using taken = await startFalseServer({ silent: true });
    await assert.rejects(startChronyd(chronyd, { port: taken.port }), /Could not open NTP socket/);
    assert.ok(taken.requests < 10);
  },
});

Deno.test("the false server is as wrong as it is told to be", async () => {
  await using server = await startFalseServer({ offsetSeconds: 0.5, stratum: 2 });
  const ahead = await probe(server.address, { port: server.port });
  assertAhead(ahead, 0.5);
  assert.equal(ahead?.stratum, 2);
  server.falsehood.offsetSeconds = -3600;
  server.falsehood.stratum = 9;
  const behind = await probe(server.address, { port: server.port });
  assertAhead(behind, -3600);
  assert.equal(behind?.stratum, 9);
  server.falsehood.silent = true;
  assert.equal(await probe(server.address, { port: server.port, timeoutMs: 100 }), undefined);
  assert.equal(server.requests, 3);
});

Deno.test("the probe hears nothing where nobody answers", async () => {
  assert.equal(await probe("127.0.0.1", { port: 9, timeoutMs: 100 }), undefined);
});

Deno.test({
  name: "chronyd in a namespace answers ntpdig over a veth pair, IPv4 and IPv6",
  ignore: chronyd === undefined || ntpdig === undefined || !namespaces,
  async fn() {
    assert.ok(chronyd && ntpdig);
    await using network = await networkPair();
    const { left, right } = network;
    for (const address of [right.ipv4, right.ipv6]) {
      const { namespace } = right;
      await using server = await startChronyd(chronyd, { address, port: 123, namespace });
      await waitUntil(async () => {
        const said = await dig(ntpdig, left.namespace, address).catch(() => "");
        return said.includes('"stratum":3');
      }, { timeoutMs: 60_000, everyMs: 50, what: () => `chronyd: ${server.process.stderr}` });
    }
  },
});

Deno.test({
  name: "ntpd in a namespace becomes a server by itself",
  ignore: ntpd === undefined || ntpdig === undefined || !namespaces,
  async fn() {
    assert.ok(ntpd && ntpdig);
    await using network = await networkPair();
    const { left, right } = network;
    await using server = await startNtpd(ntpd, { namespace: right.namespace, stratum: 4 });
    const said = await waitUntil(async () => {
      const text = await dig(ntpdig, left.namespace, right.ipv4).catch(() => "");
      return text.includes('"stratum":4') ? text : undefined;
    }, {
      timeoutMs: 60_000,
      everyMs: 500,
      what: () => `ntpd at stratum 4: ${server.process.stderr}`,
    });
    assert.match(said, /"leap":"no-leap"/);
  },
});

async function dig(
  peer: { program: string; env: Readonly<Record<string, string>> },
  namespace: string,
  address: string,
): Promise<string> {
  const args = ["netns", "exec", namespace, peer.program, "-j", "-t", "2", address];
  return (await run("ip", { args, env: peer.env })).stdout;
}
