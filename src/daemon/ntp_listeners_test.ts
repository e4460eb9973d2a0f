import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { UdpSocket } from "../../ffi/socket/udp_socket.ts";
import type { ServerConfig } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import type { ServedTime } from "../engine/status/served_time.ts";
import { heldPort } from "../../tests/support/places.ts";
import { request } from "../../tests/support/test_server.ts";
import { PATIENCE_MS, waitUntil } from "../../tests/support/wait_until.ts";
import { FunctionStates } from "./observability/function_states.ts";
import { readInstant } from "../system/local_clock.ts";
import { NtpListeners } from "./ntp_listeners.ts";

const port = await heldPort();
const SILENT = { info: () => {}, error: () => {} };

class Scene implements AsyncDisposable {
  readonly functions = new FunctionStates(SILENT);
  readonly servers = new NtpListeners(-20, this.functions);

  async configure(text: string): Promise<readonly ServerConfig[]> {
    const parsed = parseConfig(`${text}\n[synchronization]\nlocal-stratum = 7\n`);
    assert.ok(parsed.ok);
    const { servers, synchronization } = parsed.value.config;
    await this.servers.configure(servers, { synchronization, authentication: {} });
    this.servers.update({ synchronized: false }, readInstant());
    return servers;
  }

  get state(): readonly (readonly [boolean, string])[] {
    return this.functions.documents().map(({ up, reason }) => [up, reason]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.servers.stop();
  }
}

async function ask(): Promise<Uint8Array> {
  const client = UdpSocket.open({ peer: { family: "ipv4", address: "127.0.0.1", port } });
  assert.ok(client.ok);
  let tries = 0;
  try {
    const isAnswered = () => {
      if (tries++ % 200 === 0) client.value.send(request());
      const received = client.value.receive();
      return received.ok ? received.value?.bytes : undefined;
    };
    return await waitUntil(isAnswered, {
      timeoutMs: PATIENCE_MS,
      everyMs: 1,
      what: () => `an answer from ${port}`,
    });
  } finally {
    client.value.close();
  }
}

Deno.test("a listener whose port is taken is closed, says why, and opens when the port is free", async () => {
  const other = ServerSocket.open({ local: { family: "ipv4", address: "127.0.0.1", port } });
  assert.ok(other.ok);
  await using scene = new Scene();
  await scene.configure(`[[server]]\nlisten = "127.0.0.1:${port}"`);
  assert.equal(scene.servers.isServing, false);
  assert.deepEqual(scene.servers.closed, [`127.0.0.1:${port}`]);
  assert.equal(scene.state[0]?.[0], false);
  assert.match(scene.state[0]?.[1] ?? "", /address already in use .*tried again/);
  scene.servers.retry();
  assert.equal(scene.state[0]?.[0], false);
  other.value.close();
  scene.servers.retry();
  assert.deepEqual(scene.state, [[true, ""]]);
  const response = await ask();
  assert.deepEqual([response[1], [...response.subarray(12, 16)]], [7, [127, 127, 1, 1]]);
});

Deno.test("an address that is not there yet is bound to, and counts as closed", async () => {
  await using scene = new Scene();
  // TEST-NET-1 and the documentation prefix are on no machine.
  await scene.configure(
    '[[server]]\nlisten = "192.0.2.77:11123"\n[[server]]\nlisten = "[2001:db8::77]:11123"',
  );
  assert.deepEqual(scene.state.map(([up]) => up), [false, false]);
  assert.match(scene.state[0]?.[1] ?? "", /does not have the address/);
  assert.equal(scene.servers.documents()[0]?.listen, "192.0.2.77:11123");
});

Deno.test("what is not configured any more is no fault any more", async () => {
  await using scene = new Scene();
  await scene.configure('[[server]]\nlisten = "192.0.2.77:11123"');
  await scene.configure("");
  assert.deepEqual(scene.state, []);
  assert.equal(scene.servers.isServing, false);
});

Deno.test("whatever the engine says of the clock, requests are answered and nothing throws", async () => {
  await using scene = new Scene();
  await scene.configure(`[[server]]\nlisten = "127.0.0.1:${port}"`);
  const good = {
    synchronized: true,
    leapIndicator: 0,
    stratum: 3,
    rootDelay: 0.01,
    rootDispersion: 0.001,
    dispersionRate: 1e-7,
    referenceId: 1,
    referenceTimestamp: readInstant().realtime,
    updatedAt: readInstant().monotonic,
  } as const satisfies ServedTime;
  for (
    const changes of [
      { stratum: 16 },
      { stratum: NaN },
      { rootDelay: NaN },
      { rootDispersion: -1 },
      { referenceTimestamp: undefined },
    ]
  ) {
    const hostile: object = { ...good, ...changes };
    scene.servers.update(hostile as ServedTime, readInstant());
    assert.deepEqual([...(await ask()).subarray(0, 2)], [0xe4, 0]);
  }
  scene.servers.update(good, readInstant());
  assert.deepEqual([...(await ask()).subarray(0, 2)], [0x24, 3]);
});
