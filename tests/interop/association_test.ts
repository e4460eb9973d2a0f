/**
 * One association over real sockets with a real chronyd: basic, interleaved, and with symmetric
 * keys.
 *
 * The association's time is made up, so that a whole burst passes in milliseconds; the packets and
 * their timestamps are real.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { ASSOCIATION_CONFIG } from "../support/association_config.ts";
import { Association } from "../../src/association/association.ts";
import type { AssociationConfig } from "../../src/association/config.ts";
import { macProtection } from "../../src/association/mac_protection.ts";
import type { Measurement } from "../../src/association/measurement.ts";
import type { PacketProtection } from "../../src/association/protection.ts";
import { present } from "../../src/base/assert.ts";
import { fromHex } from "../../src/base/bytes.ts";
import { difference } from "../../src/base/ntp_timestamp.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { parseSocketAddress } from "../../src/base/socket_address.ts";
import { macKey, type MacType } from "../../src/crypto/mac.ts";
import { RequestSockets } from "../../src/system/request_sockets.ts";
import type { Event } from "../../src/engine/events.ts";
import { Poller } from "../../ffi/poller.ts";
import { type Chronyd, startChronyd } from "../support/chronyd.ts";
import { endpoint } from "../support/daemon_config.ts";
import { findPeer } from "../support/debian_packages.ts";
import { temporaryFolder } from "../support/places.ts";
import { PATIENCE_MS } from "../support/wait_until.ts";

const chronyd = await findPeer("chronyd");

// functions of the system library are bound at their first use and stay bound, which is not a leak
// of the test
const sanitizeResources = false;

const CONFIG: AssociationConfig = {
  ...ASSOCIATION_CONFIG,
  host: "127.0.0.1",
  iburst: true,
  initialPollInterval: 4,
};

/** Makes so many exchanges, and returns what was measured. */
async function exchange(
  server: Chronyd,
  count: number,
  options: {
    readonly interleaved?: boolean;
    readonly protection?: PacketProtection;
    /** Whether no answer is expected, so that none is waited for for long. */
    readonly isRefused?: boolean;
  } = {},
): Promise<{ association: Association; measurements: readonly Measurement[] }> {
  let requests = 0;
  const association = new Association({
    id: 1,
    name: "chronyd",
    address: present(parseSocketAddress(endpoint(server)), "An endpoint is numeric"),
    config: { ...CONFIG, interleaved: options.interleaved ?? false },
    random: new SeededRandom(11),
    allocateRequest: () => ++requests,
    protection: options.protection,
  });
  const opened = Poller.open();
  assert.ok(opened.ok);
  const sockets = new RequestSockets(opened.value);
  const measurements: Measurement[] = [];
  association.start(0);
  try {
    while (association.sent < count || association.nextWakeup() === Infinity) {
      const now = association.nextWakeup();
      const actions = association.handleTimer(now);
      for (const action of actions) {
        if (action.type === "send") sockets.send(action);
        if (action.type === "close") sockets.close(action.request);
      }
      if (!actions.some(({ type }) => type === "send")) continue;
      const seconds = options.isRefused === true ? 0.5 : PATIENCE_MS / 1000;
      for (const event of await answers(sockets, { poller: opened.value, seconds })) {
        if (event.type !== "datagram") continue;
        const { measurement } = association.handleDatagram(event, now);
        if (measurement !== undefined) measurements.push(measurement);
      }
    }
  } finally {
    sockets.closeAll();
    opened.value.close();
  }
  return { association, measurements };
}

/** Waits for the answer to one request, so many seconds at most. */
async function answers(
  sockets: RequestSockets,
  { poller, seconds }: { readonly poller: Poller; readonly seconds: number },
): Promise<readonly Event[]> {
  const events: Event[] = [];
  for (let left = seconds; left > 0 && events.length === 0; left -= 0.05) {
    const ready = await poller.wait(0.05);
    assert.ok(ready.ok);
    for (const each of ready.value) sockets.read(each, (event) => events.push(event));
  }
  return events;
}

/** Sees that the server has the clock of this machine, as exactly as the delays allow. */
function assertRight(measurements: readonly Measurement[]): void {
  for (const m of measurements) {
    const forward = difference(m.receiveTimestamp, m.originTimestamp);
    const backward = difference(m.destinationTimestamp, m.transmitTimestamp);
    const offset = (forward - backward) / 2, delay = forward + backward;
    assert.ok(Math.abs(offset) < delay / 2 + 1e-3, `${offset} s of ${delay} s`);
  }
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test({
    name: `a burst at chronyd on ${address} brings eight measurements`,
    sanitizeResources,
    ignore: chronyd === undefined,
    async fn() {
      assert.ok(chronyd);
      await using server = await startChronyd(chronyd, { address, stratum: 4 });
      const { association, measurements } = await exchange(server, 8);
      assert.equal(measurements.length, 8);
      assert.equal(association.history.reach, 255);
      assert.deepEqual(association.history.dropped.snapshot(), {});
      assert.equal(association.history.serverState?.stratum, 4);
      assert.equal(association.history.serverState?.isSynchronized, true);
      assertRight(measurements);
    },
  });
}

Deno.test({
  name: "chronyd answers in interleaved mode, with the true departure of its answers",
  sanitizeResources,
  ignore: chronyd === undefined,
  async fn() {
    assert.ok(chronyd);
    await using server = await startChronyd(chronyd);
    const { association, measurements } = await exchange(server, 8, { interleaved: true });
    // chronyd keeps timestamps from the first request that asks for it, the second; the third
    // answer tells again of the second exchange, which was measured already
    assert.deepEqual(
      measurements.map(({ interleaved }) => interleaved),
      [false, false, true, true, true, true, true],
    );
    assert.equal(association.history.reach, 255);
    assert.deepEqual(association.history.dropped.snapshot(), {});
    assertRight(measurements);
  },
});

Deno.test({
  name: "chronyd and the association authenticate each other with every kind of key",
  sanitizeResources,
  ignore: chronyd === undefined,
  async fn() {
    assert.ok(chronyd);
    const keys: readonly (readonly [number, MacType, string])[] = [
      [1, "MD5", "00112233445566778899aabbccddeeff"],
      [2, "SHA1", "00112233445566778899aabbccddeeff0011223344"],
      [3, "SHA256", "00112233445566778899aabbccddeeff"],
      [4, "SHA512", "00112233445566778899aabbccddeeff"],
      [5, "AES128", "00112233445566778899aabbccddeeff"],
      [6, "AES256", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"],
    ];
    await using folder = await temporaryFolder();
    const lines = keys.map(([id, type, hex]) => `${id} ${type} HEX:${hex}\n`);
    const file = await folder.write("keys", lines.join(""));
    await using server = await startChronyd(chronyd, { lines: [`keyfile ${file}`] });
    for (const [id, type, hex] of keys) {
      const key = macKey(type, present(fromHex(hex), "A key is hexadecimal"));
      assert.ok(key.ok);
      const protection = macProtection(id, key.value);
      const { measurements } = await exchange(server, 2, { protection });
      assert.equal(measurements.length, 2, type);
    }
    const wrong = macKey("MD5", new Uint8Array(16));
    assert.ok(wrong.ok);
    const refused = await exchange(server, 1, {
      protection: macProtection(1, wrong.value),
      isRefused: true,
    });
    assert.equal(refused.measurements.length, 0);
    assert.equal(refused.association.history.reach, 0);
  },
});
