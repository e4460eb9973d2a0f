/**
 * Published weaknesses of what stands behind the packets: steps, panic, selection, pools, bounds,
 * status.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/parse.ts";
import { makeRequestHeader } from "../../src/association/request.ts";
import { randomSource } from "../../src/system/random.ts";
import { decodeHeader } from "../../src/protocol/header.ts";
import { EngineWorld, PLAIN_DAY, THREE_SOURCES } from "../support/engine_world.ts";
import { NtsWorld, PLAIN, PROVEN } from "../support/nts_world.ts";
import { SourceWorld } from "../support/source_world.ts";

const ADDRESSES = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;

/** Lets every server be so far off from now on. */
function allServers(world: EngineWorld, error: number): void {
  for (const address of ADDRESSES) world.server(address).error = error;
}

function isNear(actual: number, expected: number, within = 5e-3): void {
  assert.ok(Math.abs(actual - expected) < within, `${actual} s instead of ${expected} s`);
}

Deno.test("CVE-2015-5300: a small step does not leave the gate open for a big one", () => {
  const world = new EngineWorld({ offset: 0.5 }).start();
  world.run(600);
  assert.equal(world.snapshot.steps.count, 1, "the small step, at the start");
  allServers(world, 10_000);
  world.run(3600);
  assert.match(world.panic ?? "", /^The clock is .*threshold/);
  isNear(world.offset, 0);
  // the control: with true servers there is neither
  const honest = new EngineWorld({ offset: 0.5 }).start();
  honest.run(4200);
  assert.equal(honest.panic ?? "", "");
});

Deno.test("CVE-2015-5300: after a panic the service manager does not start anew, and a start has a threshold too", async () => {
  const unit = await Deno.readTextFile(new URL("../../dist/ntpsd.service", import.meta.url));
  assert.match(unit, /^RestartPreventExitStatus=.*\b76\b/m);
  const world = new EngineWorld();
  allServers(world, 365 * 86_400);
  world.start().run(60);
  assert.match(world.panic ?? "", /startup-step-panic-threshold/);
  isNear(world.offset, 0);
});

Deno.test("Malhotra 2016 restart: forged answers at the start do not turn back time beyond what certainly passed", () => {
  const certificateTime = { clockIsTrusted: false, lowerBounds: [PLAIN_DAY - 2_208_988_800] };
  const config = `${THREE_SOURCES}
    [synchronization]
    startup-step-panic-threshold = "inf"`;
  const world = new EngineWorld({ config, more: { certificateTime } });
  allServers(world, -10 * 86_400);
  world.start().run(600);
  isNear(world.offset, 0);
  const honest = new EngineWorld({ config, offset: 1000, more: { certificateTime } }).start();
  honest.run(600);
  isNear(honest.offset, 0);
});

Deno.test("CVE-2016-4954: leap seconds that are forged for another day than the last of a half year are not announced", () => {
  const announced = (day: number) => {
    const world = new EngineWorld({ start: PLAIN_DAY + day * 86_400 + 86_400 - 1800 });
    for (const address of ADDRESSES) world.server(address).leap = "insert";
    world.start().run(900);
    return world.snapshot.leap;
  };
  // 10 February, 31 August, and 30 June
  assert.deepEqual([0, 202, 140].map(announced), ["none", "none", "insert"]);
});

Deno.test("CVE-2016-7433: the error that is told after the first samples has delay, dispersion and root distance in it", () => {
  const world = new EngineWorld({ offset: 0.01 });
  const ways = { delay: 0.2, rootDelay: 0.3, rootDispersion: 0.05 };
  for (const address of ADDRESSES) Object.assign(world.server(address), ways);
  world.start();
  while (world.snapshot.state !== "synchronized" && world.time < 60) world.run(0.1);
  const { errorBoundSeconds, rootDelaySeconds, rootDispersionSeconds } = world.snapshot;
  assert.ok((errorBoundSeconds ?? 0) >= (0.2 + 0.3) / 2 + 0.05 - 1e-4, `${errorBoundSeconds}`);
  assert.ok((rootDelaySeconds ?? 0) >= 0.5 - 1e-4 && (rootDispersionSeconds ?? 0) >= 0.05 - 1e-4);
});

Deno.test("RFC 7384 delay: packets that are held back on one way shift the clock no further than the bound says", () => {
  for (const delay of [0.05, 0.5, 2]) {
    const world = new EngineWorld({ offset: 0.01 });
    // held back on the way back only, every time alike, which authentication cannot see
    for (const address of ADDRESSES) {
      Object.assign(world.server(address), { delay, error: -delay / 2 });
    }
    world.start().run(600);
    const { errorBoundSeconds } = world.snapshot;
    assert.ok(Math.abs(world.offset) > delay / 4, "the attack works as far as it can");
    const bound = errorBoundSeconds ?? 0;
    assert.ok(Math.abs(world.offset) <= bound, `${world.offset} s, said to be within ${bound} s`);
  }
});

Deno.test("RFC 7384 rogue master: a minority that lies has no pull, a majority that proves itself wins", () => {
  const one = new EngineWorld().start();
  one.server(ADDRESSES[1]).error = 0.5;
  one.run(300);
  assert.equal(one.source(ADDRESSES[1]).status, "falseticker");
  isNear(one.offset, 0);
  const other = new NtsWorld({ offset: 0.05 });
  other.forge(300);
  other.start();
  other.run(600);
  isNear(other.offset, 0);
  assert.deepEqual(other.statuses(PROVEN), ["combined", "selected"]);
  assert.deepEqual(other.statuses(PLAIN), ["falseticker"]);
});

Deno.test("Jeitner 2020 pool: a poisoned answer with 89 addresses fills a pool with no more than its count", () => {
  const seldom = { pollIntervalLimits: { min: 10, max: 10 }, initialPollInterval: 10 };
  const world = new SourceWorld({ count: 3, ...seldom });
  world.names = Array.from({ length: 89 }, (_, i) => `198.51.100.${i}`);
  world.start();
  world.runTo(600);
  assert.equal(world.addresses.length, 3);
  // and a lasting answer, whatever its time to live, is asked for again
  world.names = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
  for (let day = 1; day <= 60; day++) world.runTo(day * 86_400);
  assert.deepEqual(world.addresses, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
});

Deno.test("Jeitner 2020 pool: a poisoned pool does not outvote servers that prove themselves", () => {
  const world = new NtsWorld({ offset: 0.05, plain: ["pool.example.org"] });
  const poisoned = Array.from({ length: 89 }, (_, i) => `203.0.113.${i}`);
  world.resolve = () => poisoned;
  for (const address of poisoned) world.server(address).error = 600;
  world.start().run(900);
  isNear(world.offset, 0);
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("CVE-2016-1551: no packet and no name makes a reference clock of an address 127.127.t.u", () => {
  const parsed = parseConfig('[[source]]\nmode = "server"\naddress = "127.127.1.0"\n');
  assert.match(parsed.ok ? "" : parsed.error[0]?.message ?? "", /reference clock/);
  // out of DNS it is an address like any other, and counts as much as its answers, which are no
  // driver's
  const world = new EngineWorld({
    config: `${THREE_SOURCES}[[source]]\nmode = "server"\naddress = "clock.example.org"\n`,
  });
  world.resolve = () => ["127.127.1.0"];
  Object.assign(world.server("127.127.1.0"), { stratum: 0, error: 300 });
  world.start().run(300);
  assert.match(world.source("clock.example.org").status, /^(unsynchronized|unreachable|starting)$/);
  isNear(world.offset, 0);
});

Deno.test("CVE-2016-2516: the same address twice in a configuration is told, and ends nothing", () => {
  const twice = '[[source]]\nmode = "server"\naddress = "192.0.2.1"\n'.repeat(2);
  const parsed = parseConfig(twice);
  assert.match(
    parsed.ok ? "" : parsed.error[0]?.message ?? "",
    /^The same address as in source\[0\]$/,
  );
  // two names of one address, which nobody can see in a configuration
  const named = ["a", "b"].map((name) =>
    `[[source]]\nmode = "server"\naddress = "${name}.example.org"\n`
  );
  const world = new EngineWorld({ config: `${THREE_SOURCES}${named.join("")}` });
  world.resolve = () => ["192.0.2.9"];
  world.start().run(300);
  assert.equal(world.snapshot.state, "synchronized");
  const asked = named.map((_, i) => world.source(`${"ab"[i]}.example.org`).address);
  assert.equal(asked.filter((address) => address === null).length, 1, "one of them is asked");
});

Deno.test("CVE-2015-8139: no status tells the origin timestamp that an answer must repeat", () => {
  const world = new EngineWorld();
  const origins: bigint[] = [];
  world.start();
  for (let i = 0; i < 300; i++) {
    world.run(1);
    for (const line of world.takeJournal()) {
      const sent = /"packet":"([0-9a-f]+)"/.exec(line)?.[1];
      const header = sent === undefined ? undefined : decodeHeader(Uint8Array.fromHex(sent));
      if (header?.ok) origins.push(header.value.transmitTimestamp);
    }
    const text = JSON.stringify(world.snapshot).toLowerCase();
    for (const origin of origins.slice(-6)) {
      for (const form of [origin.toString(), origin.toString(16), Number(origin).toString()]) {
        assert.equal(text.includes(form), false);
      }
    }
  }
  assert.ok(origins.length > 20 && world.snapshot.state === "synchronized");
});

Deno.test("draft-ietf-ntp-data-minimization: a request tells nothing of the client's clock, stratum or servers", () => {
  const world = new EngineWorld();
  const bodies = new Set<string>();
  world.start();
  for (let i = 0; i < 300; i++) {
    world.run(1);
    for (const line of world.takeJournal()) {
      const sent = /"packet":"([0-9a-f]+)"/.exec(line)?.[1];
      if (sent !== undefined) bodies.add(sent.slice(0, 80));
    }
  }
  // version and mode, a constant precision, and 38 octets of zeros, before and after
  // synchronisation
  assert.deepEqual([...bodies], [`23000020${"00".repeat(36)}`]);
});

Deno.test("Malhotra 2016 kiss: two of three servers silenced by kisses leave a clock that is kept and says so", () => {
  const world = new EngineWorld({ offset: 0.02 }).start();
  world.run(1800);
  for (const address of ADDRESSES.slice(0, 2)) {
    Object.assign(world.server(address), { stratum: 0, leap: "unknown", referenceId: 0x52415445 });
  }
  world.server(ADDRESSES[2]).error = 0.4;
  world.run(4 * 3600);
  // one server alone is no majority: it does not get its way
  isNear(world.offset, 0, 0.05);
  assert.notEqual(world.snapshot.state, "synchronized");
  const { errorBoundSeconds } = world.snapshot;
  assert.ok((errorBoundSeconds ?? 0) >= Math.abs(world.offset));
});

Deno.test("CVE-2020-13817: the transmit timestamps of requests follow from nothing", () => {
  let clock = 0xed00_0000_0000_0000n;
  assert.equal(isUniform(() => makeRequestHeader(randomSource).transmitTimestamp), true);
  // the control: timestamps of a clock, with a random fraction even, do not pass
  assert.equal(isUniform(() => clock += 0x40_0000_0000n + BigInt(randomSource.uint32())), false);
});

/**
 * Whether each bit of many 64-bit numbers is set in half of them, up to seven standard deviations,
 * and none comes twice.
 */
function isUniform(draw: () => bigint): boolean {
  const COUNT = 4000;
  const ones = new Array<number>(64).fill(0);
  const seen = new Set<bigint>();
  for (let i = 0; i < COUNT; i++) {
    const number = draw();
    seen.add(number);
    for (let bit = 0; bit < 64; bit++) {
      if ((number >> BigInt(bit)) & 1n) ones[bit] = (ones[bit] ?? 0) + 1;
    }
  }
  const isEven = (count: number) => Math.abs(count - COUNT / 2) < 7 * Math.sqrt(COUNT) / 2;
  return seen.size === COUNT && ones.every(isEven);
}
