/**
 * The loops that the daemon lives by, over refusals of the system: they go on, do not become hot,
 * and do not fill the log.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { clientConfig } from "../support/daemon_config.ts";
import { EngineInProcess } from "../support/engine_in_process.ts";
import { withRefusals } from "../support/failing_calls.ts";
import { startFalseServer } from "../support/false_server.ts";
import { probe } from "../support/ntp_probe.ts";
import { temporaryFolder } from "../support/places.ts";
import { pause, waitUntil } from "../support/wait_until.ts";
import { readRealtimeNtp } from "../../ffi/clock/clock.ts";
import { Poller } from "../../ffi/poller.ts";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { ServerLoop } from "../../src/daemon/server_loop.ts";
import { HeaderTemplate } from "../../src/server/clock_state.ts";
import { InterleavedTable } from "../../src/server/interleaved.ts";
import { Responder } from "../../src/server/respond.ts";
import { SYNCHRONIZED } from "../support/test_server.ts";

/** Interruption, memory, buffers, permission, network, and descriptors that are none. */
const ERRORS = [1, 4, 5, 9, 11, 12, 13, 22, 90, 100, 101, 105, 111, 113];
const SOCKET_CALLS = ["recvmmsg", "sendmmsg"];

Deno.test("a server whose receives and answers are refused serves again when they are not", async () => {
  const opened = ServerSocket.open({ local: { family: "ipv4", address: "127.0.0.1", port: 0 } });
  assert.ok(opened.ok);
  const random = new SeededRandom(1);
  const responder = new Responder({
    template: new HeaderTemplate(SYNCHRONIZED),
    readClock: readRealtimeNtp,
    random,
    interleaved: new InterleavedTable({ random }),
  });
  const errors: string[] = [];
  const loop = new ServerLoop({ socket: opened.value, responder }, {
    onReceiveError: (_, { name }) => errors.push(name),
    onSendError: ({ name }) => errors.push(name),
    onInternalError: (error) => errors.push(String(error)),
  });
  loop.start();
  await using _ = { [Symbol.asyncDispose]: () => loop.stop() };
  const { port } = opened.value.local;
  const ask = () => probe("127.0.0.1", { port, timeoutMs: 500 });
  await waitUntil(ask, { timeoutMs: 60_000, what: () => "a first answer" });
  for (const call of SOCKET_CALLS) {
    for (const errno of ERRORS) {
      let isRefused = false;
      const meets = (made: string) => {
        if (made === call) isRefused = true;
        return made === call;
      };
      const { calls, refused } = await withRefusals({ errno, meets }, async () => {
        // The first may still meet a receive that was under way.
        const isSilent = async () =>
          await probe("127.0.0.1", { port, timeoutMs: 50 }) === undefined && isRefused;
        await waitUntil(isSilent, {
          timeoutMs: 60_000,
          what: () => `silence, ${errno} of ${call}`,
        });
      });
      assert.equal(refused, call);
      // An interruption or a lack of data is gone round at once, everything else after a pause.
      assert.ok([4, 11].includes(errno) || calls.length < 200, `${errno}: ${calls.length} calls`);
      await waitUntil(ask, {
        timeoutMs: 60_000,
        what: () => `an answer after ${errno} of ${call}`,
      });
    }
  }
  assert.doesNotMatch(errors.join(), /Error|assert/);
});

Deno.test("a set of descriptors that cannot be waited for does not make its loop hot", async () => {
  const opened = Poller.open();
  assert.ok(opened.ok);
  const meets = (call: string) => call === "epoll_wait";
  for (const errno of [9, 14, 22]) {
    const { value, calls } = await withRefusals({ errno, meets }, async () => {
      const end = performance.now() + 250;
      let failures = 0;
      while (performance.now() < end) if (!(await opened.value.wait(1)).ok) failures++;
      return failures;
    });
    assert.ok(value >= 1 && calls.length < 20, `${value} failures, ${calls.length} calls`);
  }
  opened.value.wake();
  assert.deepEqual(await opened.value.wait(1), { ok: true, value: [] });
  opened.value.close();
});

Deno.test("a client for whom any call may be refused measures on when none is", async () => {
  await using server = await startFalseServer({ stratum: 1 });
  await using folder = await temporaryFolder();
  await using engine = EngineInProcess.start({
    config: clientConfig([server], 1),
    cookies: `${folder.path}/cookies`,
    known: { clockIsTrusted: true, lowerBounds: [] },
  });
  const count = (status: { sources: readonly { received: number }[] }) =>
    status.sources[0]?.received ?? 0;
  let seen = count(await engine.waitForStatus((status) => count(status) > 0));
  const random = new SeededRandom(7);
  const draw = (below: number) => {
    const octets = new Uint8Array(2);
    random.fill(octets);
    return ((octets[0] ?? 0) * 256 + (octets[1] ?? 0)) % below;
  };
  for (const share of [2, 4]) {
    const errno = () => ERRORS[draw(ERRORS.length)] ?? 5;
    const { calls } = await withRefusals(
      { errno, meets: () => draw(4) < share },
      () => pause(1200),
    );
    assert.ok(calls.length < 5000, `${calls.length} calls in 1.2 s`);
    seen = count(await engine.waitForStatus((status) => count(status) > seen));
  }
  const lines = engine.log.split("\n");
  assert.ok(lines.length < 60, engine.log);
  assert.doesNotMatch(engine.log, /internal|assert|TypeError/i);
});
