/**
 * Listeners whose addresses come and go, and clients that cannot be reached, in a network of the
 * test's own.
 *
 * @module
 */
import assert from "node:assert/strict";
import { run } from "../support/command.ts";
import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { type Daemon, ntpsd, startDaemon, type Status } from "../support/ntpsd.ts";

const namespaces = await canMakeNamespaces();

const LATE = "192.0.2.77";
/** An address from which requests come and to which nothing may be sent. */
const UNREACHABLE = "198.51.100.7";
const LOCAL = "[synchronization]\nlocal-stratum = 5\n";

function server(address: string): string {
  return `[[server]]\nlisten = "${address}:123"\n`;
}

function isUp(status: Status, address: string): boolean | undefined {
  return status.functions.find(({ name }) => name === `${address}:123`)?.up;
}

async function isAnswered(namespace: string, address: string, timeout = "60"): Promise<boolean> {
  const asked = await ntpsd(["query", "--timeout", timeout, address], { namespace });
  return asked.code === 0;
}

async function waitUntilUp(daemon: Daemon, address: string, wanted: boolean): Promise<void> {
  await daemon.waitForStatus((status) => isUp(status, address) === wanted);
}

Deno.test({
  name: "a listener whose address comes later serves when it is there, and is closed in between",
  ignore: !namespaces,
  async fn() {
    await using network = await networkPair();
    const { namespace, device, ipv4 } = network.right;
    const address = (word: "add" | "del") =>
      run("ip", { args: ["-n", namespace, "addr", word, `${LATE}/24`, "dev", device] });
    await using daemon = await startDaemon({
      config: server(ipv4) + server(LATE) + LOCAL,
      namespace,
    });
    await waitUntilUp(daemon, LATE, false);
    assert.equal(await isAnswered(network.left.namespace, ipv4), true, "the other one serves");
    await address("add");
    await waitUntilUp(daemon, LATE, true);
    assert.equal(await isAnswered(network.left.namespace, LATE), true);
    await address("del");
    await waitUntilUp(daemon, LATE, false);
    await address("add");
    await waitUntilUp(daemon, LATE, true);
    assert.equal(await isAnswered(network.left.namespace, LATE), true);
  },
});

Deno.test({
  name: "a client that cannot be answered is counted, and others are answered",
  ignore: !namespaces,
  async fn() {
    await using network = await networkPair();
    const left = network.left, right = network.right;
    const ip = (namespace: string, ...args: string[]) =>
      run("ip", { args: ["-n", namespace, ...args] });
    await ip(right.namespace, "addr", "add", `${LATE}/24`, "dev", right.device);
    await ip(right.namespace, "route", "add", "prohibit", `${UNREACHABLE}/32`);
    await ip(left.namespace, "addr", "add", `${UNREACHABLE}/32`, "dev", left.device);
    // Who asks the one address does so from the address that cannot be answered, who asks the other
    // does not.
    const route = ["route", "add", `${LATE}/32`, "dev", left.device, "src", UNREACHABLE];
    await ip(left.namespace, ...route);
    await using daemon = await startDaemon({
      config: server("0.0.0.0") + LOCAL,
      namespace: right.namespace,
    });
    await waitUntilUp(daemon, "0.0.0.0", true);
    assert.equal(await isAnswered(left.namespace, LATE, "2"), false);
    assert.equal(await isAnswered(left.namespace, right.ipv4), true);
    const status = await daemon.waitForStatus(({ servers }) =>
      (servers[0]?.dropped["send-failed"] ?? 0) > 0
    );
    assert.equal(isUp(status, "0.0.0.0"), true);
    await daemon.process.waitFor(/permission denied \(sendmmsg: EACCES\)/);
  },
});
