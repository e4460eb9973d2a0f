import { UNIX_EPOCH_IN_NTP_SECONDS } from "./epoch.ts";
import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import {
  addSeconds,
  difference,
  fromUnixNanoseconds,
  type NtpTimestamp,
  ntpTimestamp,
  toUnixNanoseconds,
} from "./ntp_timestamp.ts";

const anyTimestamp = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(ntpTimestamp);
/** Nanoseconds from about 1679 to 2262. */
const anyTime = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const ERA = 1n << 64n;

Deno.test("dates of RFC 5905 figure 4 have their timestamps", () => {
  const timestampOf = (date: string) => fromUnixNanoseconds(BigInt(Date.parse(date)) * 1_000_000n);
  const seconds = (n: bigint) => ntpTimestamp(n << 32n);
  assert.equal(timestampOf("1900-01-01T00:00:00Z"), seconds(0n));
  assert.equal(timestampOf("1970-01-01T00:00:00Z"), seconds(2_208_988_800n));
  assert.equal(timestampOf("1972-01-01T00:00:00Z"), seconds(2_272_060_800n));
  assert.equal(timestampOf("1999-12-31T00:00:00Z"), seconds(3_155_587_200n));
  // the first day of era 1
  assert.equal(timestampOf("2036-02-08T00:00:00Z"), seconds(63_104n));
  assert.equal(UNIX_EPOCH_IN_NTP_SECONDS, 2_208_988_800);
});

Deno.test("kernel time is rounded down, timestamps to the nearest nanosecond", () => {
  assert.equal(fromUnixNanoseconds(500_000_000n) & 0xffff_ffffn, 0x8000_0000n);
  // one nanosecond is 4.29 units
  assert.equal(fromUnixNanoseconds(1n) & 0xffff_ffffn, 4n);
  assert.equal(fromUnixNanoseconds(-1n) & 0xffff_ffffn, 0xffff_fffbn);
  const epoch = fromUnixNanoseconds(0n);
  assert.equal(toUnixNanoseconds(ntpTimestamp(epoch + 2n), 0n), 0n);
  assert.equal(toUnixNanoseconds(ntpTimestamp(epoch + 3n), 0n), 1n);
});

Deno.test("a round trip through a timestamp is exact to the nanosecond, in any era", () => {
  fc.assert(fc.property(anyTime, (time) => {
    assert.equal(toUnixNanoseconds(fromUnixNanoseconds(time), time), time);
  }));
});

Deno.test("a timestamp is taken to the era nearest to what is known", () => {
  const halfEra = (1n << 31n) * 1_000_000_000n;
  const near = fc.bigInt({ min: -halfEra + 2n, max: halfEra - 2n });
  fc.assert(fc.property(anyTime, near, (time, away) => {
    assert.equal(toUnixNanoseconds(fromUnixNanoseconds(time), time + away), time);
  }));
  const beforeWrap = BigInt(Date.parse("2036-02-07T06:28:15Z")) * 1_000_000n;
  assert.equal(
    toUnixNanoseconds(ntpTimestamp(0n), beforeWrap),
    beforeWrap + 1_000_000_000n,
  );
});

Deno.test("differences do not depend on the era", () => {
  const lastSecondOfEra = ntpTimestamp(0xffff_ffff_8000_0000n);
  assert.equal(difference(ntpTimestamp(0x0000_0001_0000_0000n), lastSecondOfEra), 1.5);
  fc.assert(fc.property(anyTimestamp, anyTimestamp, fc.bigInt(), (a, b, shift) => {
    const moved = (t: NtpTimestamp) => ntpTimestamp(t + shift);
    assert.equal(difference(moved(a), moved(b)), difference(a, b));
    assert.equal(difference(ntpTimestamp(a + ERA), b), difference(a, b));
  }));
});

Deno.test("differences are antisymmetric, but for times half an era apart", () => {
  fc.assert(fc.property(anyTimestamp, anyTimestamp, (a, b) => {
    fc.pre(ntpTimestamp(a - b) !== 1n << 63n);
    assert.ok(difference(a, b) + difference(b, a) === 0);
  }));
  assert.equal(difference(ntpTimestamp(1n << 63n), ntpTimestamp(0n)), -(2 ** 31));
});

Deno.test("differences up to 24 days are exact", () => {
  const near = fc.bigInt({ min: -(1n << 53n), max: 1n << 53n });
  fc.assert(fc.property(anyTimestamp, near, (t, units) => {
    assert.equal(difference(ntpTimestamp(t + units), t), Number(units) / 2 ** 32);
  }));
});

Deno.test("adding seconds and taking the difference gives them back", () => {
  assert.equal(addSeconds(ntpTimestamp(0n), -0.5), 0xffff_ffff_8000_0000n);
  assert.equal(addSeconds(ntpTimestamp(0n), 1 - 2 ** -34), 1n << 32n);
  const seconds = fc.double({ min: -(2 ** 20), max: 2 ** 20, noNaN: true });
  fc.assert(fc.property(anyTimestamp, seconds, (t, by) => {
    assert.ok(Math.abs(difference(addSeconds(t, by), t) - by) <= 2 ** -33);
  }));
});
