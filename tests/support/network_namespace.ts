/**
 * Networks of a test's own: network namespaces joined by veth pairs, so that nothing reaches the
 * machine's network.
 *
 * The idea: names carry the process id of the test run, so that namespaces left by a run that was
 * killed are known as such and removed by the next one. Limits: needs root (CAP_NET_ADMIN and
 * CAP_SYS_ADMIN) and iproute2.
 *
 * @module
 */
import { run, runAny } from "./command.ts";

/**
 * Two namespaces joined by one link; each has an IPv4 and an IPv6 address of the documentation
 * ranges.
 */
export interface NetworkPair extends AsyncDisposable {
  /** The namespace of the one end. */
  readonly left: NetworkEnd;
  /** The namespace of the other end. */
  readonly right: NetworkEnd;
}

/** One end of a link. */
export interface NetworkEnd {
  /** The name of the namespace, for `ip netns exec`. */
  readonly namespace: string;
  /** The name of the interface in it. */
  readonly device: string;
  /** Its IPv4 address. */
  readonly ipv4: string;
  /** Its IPv6 address. */
  readonly ipv6: string;
}

/**
 * Tells whether this process can make network namespaces; in CI it must, so there it throws instead
 * of saying no.
 */
export async function canMakeNamespaces(): Promise<boolean> {
  const name = namespaceName();
  const made = await runAny("ip", { args: ["netns", "add", name] }).catch((error) =>
    error as Error
  );
  if (!(made instanceof Error) && made.code === 0) {
    await run("ip", { args: ["netns", "del", name] });
    return true;
  }
  const reason = made instanceof Error ? made.message : made.stderr.trim();
  if (Deno.env.get("CI") !== undefined) {
    throw new Error(`Network namespaces are needed in CI: ${reason}`);
  }
  console.error(`!!! Network namespaces cannot be made here, their tests are SKIPPED: ${reason}`);
  return false;
}

/** Makes two namespaces joined by a veth pair, both ends up and addressed. */
export async function networkPair(): Promise<NetworkPair> {
  await removeStale();
  const left = end("l", 1);
  const right = end("r", 2);
  const dispose = async () => {
    for (const { namespace } of [left, right]) {
      await runAny("ip", { args: ["netns", "del", namespace] });
    }
  };
  try {
    for (const { namespace } of [left, right]) {
      await run("ip", { args: ["netns", "add", namespace] });
    }
    const peer = ["peer", "name", right.device, "netns", right.namespace];
    const link = ["link", "add", left.device, "netns", left.namespace, "type", "veth", ...peer];
    await run("ip", { args: link });
    await Promise.all([left, right].map(bringUp));
  } catch (error) {
    await dispose();
    throw error;
  }
  return { left, right, [Symbol.asyncDispose]: dispose };
}

/** Test files that run side by side share a process id, so each has letters of its own. */
const WORKER = Math.random().toString(36).replace(/[^a-z]/g, "").slice(0, 5);
let counter = 0;

function namespaceName(): string {
  return `ntpsd-${Deno.pid}-${WORKER}${counter++}`;
}

function end(device: string, host: number): NetworkEnd {
  return {
    namespace: namespaceName(),
    device: `veth-${device}`,
    ipv4: `192.0.2.${host}`,
    ipv6: `2001:db8::${host}`,
  };
}

async function bringUp(side: NetworkEnd): Promise<void> {
  const ip = (...args: string[]) => run("ip", { args: ["-n", side.namespace, ...args] });
  await ip("link", "set", "lo", "up");
  await ip("addr", "add", `${side.ipv4}/24`, "dev", side.device);
  // Without nodad the address could not be used during duplicate address detection.
  await ip("addr", "add", `${side.ipv6}/64`, "dev", side.device, "nodad");
  await ip("link", "set", side.device, "up");
}

/** Removes namespaces of test runs that are no more. */
async function removeStale(): Promise<void> {
  const { stdout } = await run("ip", { args: ["netns", "list"] });
  for (const [, name = "", pid = ""] of stdout.matchAll(/^(ntpsd-(\d+)-[a-z]*\d+)/gm)) {
    const lives = await Deno.stat(`/proc/${pid}`).catch(() => undefined);
    if (lives === undefined) await runAny("ip", { args: ["netns", "del", name] });
  }
}
