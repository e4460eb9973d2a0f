import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { PhcClock, quickestReading } from "./phc.ts";
import { PhcRelation } from "./phc_relation.ts";
import { readHardwareTimestamping } from "./timestamping.ts";

const SECOND = 1_000_000_000n;
const ORIGIN = 1_700_000_000n * SECOND;

/** A hardware clock that began at zero and runs 40 ppm fast. */
function hardwareAt(realtime: bigint): bigint {
  return (realtime - ORIGIN) * 1_000_040n / 1_000_000n;
}

function reading(realtime: bigint) {
  return { hardware: hardwareAt(realtime), realtime, windowNanoseconds: 1000 };
}

Deno.test("timestamps are converted along the line through two readings", () => {
  const relation = new PhcRelation();
  assert.equal(relation.toRealtime(0n), undefined);
  relation.add(reading(ORIGIN));
  assert.equal(relation.toRealtime(hardwareAt(ORIGIN + 1_000_000n)), ORIGIN + 1_000_040n);
  assert.equal(relation.toRealtime(hardwareAt(ORIGIN + SECOND)), undefined, "no rate is known");
  relation.add(reading(ORIGIN + SECOND));
  for (const at of [ORIGIN, ORIGIN + SECOND, ORIGIN + 5n * SECOND]) {
    const converted = relation.toRealtime(hardwareAt(at));
    assert.ok(converted !== undefined);
    assert.ok(Math.abs(Number(converted - at)) <= 2, `${converted - at} ns off`);
  }
  assert.equal(relation.toRealtime(hardwareAt(ORIGIN + 12n * SECOND)), undefined);
});

Deno.test("readings in quick succession keep a base that is long enough for a rate", () => {
  const relation = new PhcRelation();
  for (let i = 0n; i < 500n; i++) relation.add(reading(ORIGIN + i * 1_000_000n));
  const at = ORIGIN + SECOND;
  const converted = relation.toRealtime(hardwareAt(at));
  assert.ok(converted !== undefined && Math.abs(Number(converted - at)) <= 20);
});

Deno.test("the rate follows when real time is slewed between readings in quick succession", () => {
  const relation = new PhcRelation();
  let hardware = 0n, realtime = ORIGIN;
  for (let i = 0; i < 2000; i++) {
    hardware += 1_000_000n;
    realtime += i < 1000 ? 1_000_000n : 1_000_500n;
    relation.add({ hardware, realtime, windowNanoseconds: 1000 });
  }
  assert.equal(relation.toRealtime(hardware + 100_000_000n), realtime + 100_050_000n);
});

Deno.test("a step of a clock begins the line anew", () => {
  const relation = new PhcRelation();
  relation.add(reading(ORIGIN));
  relation.add(reading(ORIGIN + SECOND));
  const stepped = ORIGIN + 2n * SECOND;
  const shift = 3600n * SECOND;
  relation.add({ ...reading(stepped), realtime: stepped + shift });
  assert.equal(relation.toRealtime(hardwareAt(stepped)), stepped + shift);
  assert.equal(relation.toRealtime(hardwareAt(stepped + SECOND)), undefined);
  relation.add({ ...reading(stepped + SECOND), realtime: stepped + SECOND + shift });
  const converted = relation.toRealtime(hardwareAt(stepped + SECOND / 2n));
  assert.ok(converted !== undefined);
  assert.ok(Math.abs(Number(converted - (stepped + SECOND / 2n + shift))) <= 2);
  relation.reset();
  assert.equal(relation.toRealtime(hardwareAt(stepped)), undefined);
});

Deno.test("the quickest reading is chosen, in both layouts of the kernel's answer", () => {
  const view = new DataView(new ArrayBuffer(1216));
  const put = (index: number, seconds: bigint, nanoseconds: number) => {
    view.setBigInt64(16 + 16 * index, seconds, true);
    view.setUint32(24 + 16 * index, nanoseconds, true);
  };
  // Windows of 5000, 900 and 4000 ns.
  const times = [[100, 1], [7, 2], [5100, 1], [6000, 1], [7, 1], [6900, 1], [8000, 1], [7, 3], [
    12000,
    1,
  ]] as const;
  times.forEach(([nanoseconds, seconds], i) => put(i, BigInt(seconds), nanoseconds));
  assert.deepEqual(quickestReading(view, { samples: 3, stride: 3 }), {
    hardware: SECOND + 7n,
    realtime: SECOND + 6450n,
    windowNanoseconds: 900,
  });
  // Real, hardware, real, hardware, real: windows of 500 and 300 ns.
  const alternating = [[100, 1], [7, 2], [600, 1], [8, 2], [900, 1]] as const;
  alternating.forEach(([nanoseconds, seconds], i) => put(i, BigInt(seconds), nanoseconds));
  assert.deepEqual(quickestReading(view, { samples: 2, stride: 2 }), {
    hardware: 2n * SECOND + 8n,
    realtime: SECOND + 750n,
    windowNanoseconds: 300,
  });
});

Deno.test("a hardware clock that is not there says so; one that is there is read", () => {
  const missing = PhcClock.open(9999);
  assert.ok(!missing.ok);
  assert.equal(missing.error.name, "ENOENT");
  const eth0 = readHardwareTimestamping("eth0");
  if (!eth0.ok || eth0.value.phcIndex === undefined) {
    console.warn("SKIPPED: there is no hardware clock on this machine");
    return;
  }
  const clock = PhcClock.open(eth0.value.phcIndex);
  if (!clock.ok) return;
  const first = clock.value.read();
  assert.ok(first.ok && first.value.windowNanoseconds > 0);
  clock.value.close();
});
