/**
 * One process keeps the time and serves it on the loopback, two serve one port between them, as
 * docs/server.md says.
 *
 * @module
 */
import assert from "node:assert/strict";
import { probe } from "../support/ntp_probe.ts";
import { clientConfig } from "../support/daemon_config.ts";
import { startDaemon } from "../support/ntpsd.ts";
import { freePort } from "../support/places.ts";

const QUESTIONS = 64;

Deno.test("two processes share the clients of one port", async () => {
  const inner = await freePort(), port = await freePort();
  await using _keeper = await startDaemon({
    config: `[[server]]\nlisten = "127.0.0.1:${inner}"\n[synchronization]\nlocal-stratum = 3\n`,
  });
  const source = clientConfig([{ address: "127.0.0.1", port: inner }], 1);
  const server = `[[server]]\nlisten = "[::]:${port}"\nreuse-port = true\n`;
  await using first = await startDaemon({ config: `${source}${server}` });
  await using second = await startDaemon({ config: `${source}${server}` });
  for (const daemon of [first, second]) {
    await daemon.waitForStatus(({ state, stratum }) => state === "monitoring" && stratum === 4);
  }
  for (let i = 0; i < QUESTIONS; i++) {
    const answer = await probe("127.0.0.1", { port });
    assert.equal(answer?.stratum, 4);
  }
  const counts = await Promise.all(
    [first, second].map(async (daemon) => (await daemon.status())?.servers[0]?.received ?? 0),
  );
  assert.equal(counts.reduce((sum, count) => sum + count, 0), QUESTIONS);
  // Each socket of a client has its own port, and the kernel spreads them by a hash.
  assert.ok(counts.every((count) => count > QUESTIONS / 8), `${counts}`);
});
