/**
 * Starting with a wrong clock: the servers' clocks are right, and so that no test touches the
 * machine's, they are years away from it.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { openSslAeadFactory } from "../../src/system/openssl_aead.ts";
import { RELEASE_TIME } from "../../src/daemon/nts/release_time.ts";
import type { EngineSnapshot } from "../../src/engine/status/snapshot.ts";
import { EngineInProcess } from "../support/engine_in_process.ts";
import { NtsPlace } from "../support/nts_place.ts";
import { NtsTimeServer } from "../support/nts_time_server.ts";

const opened = OpenSsl.open();
assert.ok(opened.ok);
const openssl = opened.value;

const DAY = 86_400;
const YEARS = 3 * 365.25 * DAY;
interface World {
  /** By how much each server's clock is ahead of ours. */
  readonly offsets: readonly number[];
  /** By how much the middle of the dates of its certificate is. */
  readonly dates?: readonly number[];
  readonly agreeing: number;
  readonly strict?: boolean;
}

async function startWorld(world: World) {
  const stack = new AsyncDisposableStack();
  const place = stack.use(await NtsPlace.make());
  const now = Date.now() / 1000;
  const sources = [];
  for (const [i, offsetSeconds] of world.offsets.entries()) {
    const middle = Math.floor(now + (world.dates?.[i] ?? offsetSeconds));
    const server = stack.use(
      await NtsTimeServer.start({
        openssl,
        aead: openSslAeadFactory(openssl),
        offsetSeconds,
        certificate: { notBefore: middle - 30 * DAY, notAfter: middle + 30 * DAY },
      }),
    );
    const text = new TextDecoder().decode(server.authority);
    const authority = await place.folder.write(`authority-${i}.pem`, text);
    // Independence is judged by names: each server goes by its own.
    const host = ["localhost", "127.0.0.1"][i];
    sources.push({ address: `${host}:${server.keyExchangePort}`, authority });
  }
  const cookies = `${place.folder.path}/cookies`;
  const { agreeing, strict = false } = world;
  const config = place.client(sources, { agreeing, strict });
  const known = { clockIsTrusted: false, lowerBounds: [RELEASE_TIME] };
  const daemon = stack.use(EngineInProcess.start({ config, cookies, known }));
  return { daemon, cookies, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function isMeasured(status: EngineSnapshot): boolean {
  return status.sources.every((source) => source.received >= 4);
}

function failures(status: EngineSnapshot): readonly string[] {
  return status.sources.flatMap((source) => Object.keys(source.nts?.failures ?? {}));
}

Deno.test({
  name: "a quorum of sources whose certificates fit their common time is believed",
  sanitizeResources: false, // libraries are loaded on first use and kept
  async fn() {
    for (const direction of [1, -1]) {
      const offset = direction * YEARS;
      // A year before the release has certainly passed, so nobody is believed who says so.
      const isPossible = direction > 0;
      await using world = await startWorld({ offsets: [offset, offset], agreeing: 2 });
      const status = await world.daemon.waitForStatus((now) =>
        isPossible
          ? now.sources.some(({ status }) => status === "selected")
          : isMeasured(now) || failures(now).length > 0
      );
      if (isPossible) {
        assert.ok(Math.abs((status.offsetSeconds ?? 0) - offset) < 1, `${status.offsetSeconds}`);
        assert.ok(status.sources.every((source) => source.nts?.provisional === false));
        assert.match(world.daemon.log, /Enough sources agree on a time/);
        const bound = await Deno.readTextFile(`${world.cookies}.time-bound`).catch(() => "none");
        assert.equal(bound, "none", "a time that was just found bounds nothing yet");
      } else {
        assert.deepEqual(new Set(failures(status)), new Set(["certificate-expired"]));
      }
    }
  },
});

Deno.test({
  name: "fewer than the quorum stay provisional, and status says so",
  sanitizeResources: false, // libraries are loaded on first use and kept
  async fn() {
    await using world = await startWorld({ offsets: [YEARS, 2 * YEARS], agreeing: 2 });
    const status = await world.daemon.waitForStatus((now) =>
      isMeasured(now) && now.why.includes("1 of")
    );
    assert.equal(status.state, "starting");
    assert.match(
      status.why,
      /^Provisional: certificates are not valid at the time of this clock, and 1 of 2/,
    );
    for (const source of status.sources) {
      assert.equal(source.status, "starting");
      assert.match(source.reason, /^Provisional: /);
      assert.equal(source.nts?.provisional, true);
    }
  },
});

Deno.test({
  name: "a time at which a source's own certificate is not valid is not believed",
  sanitizeResources: false, // libraries are loaded on first use and kept
  async fn() {
    const dates = [2 * YEARS, 2 * YEARS];
    await using world = await startWorld({ offsets: [YEARS, YEARS], dates, agreeing: 2 });
    const status = await world.daemon.waitForStatus((now) =>
      isMeasured(now) && now.sources.every((source) => source.reason.includes("outside"))
    );
    assert.equal(status.state, "starting");
    assert.match(status.why, /0 of 2 required sources agree/);
  },
});

Deno.test({
  name: "strict: certificates that do not fit the clock are refused",
  sanitizeResources: false, // libraries are loaded on first use and kept
  async fn() {
    await using world = await startWorld({ offsets: [YEARS, YEARS], agreeing: 2, strict: true });
    const status = await world.daemon.waitForStatus((now) => failures(now).length === 2);
    assert.deepEqual(failures(status), ["certificate-not-yet-valid", "certificate-not-yet-valid"]);
    assert.ok(status.sources.every((source) => source.sent === 0));
  },
});

Deno.test({
  name: "a source with a bad date among good ones is given up, and told why",
  sanitizeResources: false, // libraries are loaded on first use and kept
  async fn() {
    await using world = await startWorld({ offsets: [0, 0], dates: [0, YEARS], agreeing: 1 });
    const status = await world.daemon.waitForStatus((now) =>
      now.state === "monitoring" &&
      now.sources.some((source) => "certificate-not-yet-valid" in (source.nts?.failures ?? {}))
    );
    assert.equal(status.sources[1]?.nts?.failures["certificate-not-yet-valid"], 1);
    assert.match(world.daemon.log, /no longer uses 127\.0\.0\.1:\d+: .*certificate/);
  },
});
