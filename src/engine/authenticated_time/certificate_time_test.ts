import fc from "../../../tests/support/properties.ts";
import assert from "node:assert/strict";
import { decodeTimeBound, encodeTimeBound } from "./time_bound.ts";
import { TimeBootstrap } from "./certificate_time.ts";

const YEAR = 31_557_600;
const BUILT = 1_790_000_000; // 2026
const TRUTH = BUILT + YEAR;
const BOOT = 100; // a machine without a battery starts in 1970

function bootstrap(options: Partial<ConstructorParameters<typeof TimeBootstrap>[0]> = {}) {
  return new TimeBootstrap({
    strict: false,
    clockIsTrusted: false,
    quorum: 3,
    lowerBounds: [BUILT],
    ...options,
  });
}

interface Peer {
  readonly host?: string;
  readonly identity?: string;
  readonly time?: number;
  readonly error?: number;
  readonly from?: number;
  readonly until?: number;
  readonly resumed?: boolean;
}

function add(machine: TimeBootstrap, id: number, peer: Peer = {}): void {
  const certificate = {
    notBefore: peer.from ?? TRUTH - YEAR / 12,
    notAfter: peer.until ?? TRUTH + YEAR / 12,
  };
  machine.add(id, {
    host: peer.host ?? `host${id}.example`,
    key: peer.identity ?? (peer.resumed ? undefined : `certificate ${id}`),
    certificate: peer.resumed ? undefined : certificate,
  });
  machine.measured(id, { offset: (peer.time ?? TRUTH) - BOOT, error: peer.error ?? 0.05 });
}

Deno.test("dates are judged leniently only while the clock is not believed, and never before the bound", () => {
  assert.deepEqual(bootstrap().datePolicy(BOOT), {
    now: BOOT,
    outside: "accept-provisionally",
    lowerBound: BUILT,
  });
  assert.equal(bootstrap({ strict: true }).datePolicy(BOOT).outside, "refuse");
  assert.equal(bootstrap({ clockIsTrusted: true }).datePolicy(BOOT).outside, "refuse");
  assert.equal(bootstrap({ lowerBounds: [5, BUILT + 9, BUILT] }).lowerBound, BUILT + 9);
  assert.deepEqual(bootstrap({ strict: true }).findQuorum(BOOT), { kind: "not-needed" });
});

Deno.test("a quorum of agreeing sources is confirmed, and then dates are believed again", () => {
  const machine = bootstrap();
  add(machine, 1, { time: TRUTH + 0.01 });
  add(machine, 2, { time: TRUTH - 0.01 });
  const early = machine.findQuorum(BOOT);
  assert.deepEqual(early, { kind: "provisional", agreeing: 2, needed: 3, refused: new Map() });
  add(machine, 3);
  const outcome = machine.findQuorum(BOOT);
  assert.ok(outcome.kind === "agreed");
  assert.deepEqual(outcome.sources, [1, 2, 3]);
  assert.ok(Math.abs(BOOT + outcome.offset - TRUTH) < 0.05);
  assert.equal(machine.isProvisional, true);
  const before = machine.lowerBound;
  machine.confirm();
  assert.equal(machine.isProvisional, false);
  assert.equal(machine.lowerBound, before, "a time that was just found bounds nothing yet");
  assert.equal(machine.datePolicy(TRUTH).outside, "refuse");
  machine.passed(TRUTH + 50);
  machine.passed(TRUTH + 20);
  assert.equal(machine.lowerBound, TRUTH + 50);
});

Deno.test("a minority with stolen old keys does not move the time, and is refused", () => {
  const machine = bootstrap();
  const falseTime = { time: BUILT + 1000, from: BUILT - YEAR, until: BUILT + 2000 };
  add(machine, 1, falseTime);
  add(machine, 2, falseTime);
  assert.equal(machine.findQuorum(BOOT).kind, "provisional");
  for (const id of [3, 4, 5]) add(machine, id);
  const outcome = machine.findQuorum(BOOT);
  assert.ok(outcome.kind === "agreed");
  assert.deepEqual(outcome.sources, [3, 4, 5]);
  assert.equal(outcome.refused.get(1), "disagrees-with-the-quorum");
});

Deno.test("a quorum that is not the majority of all that answer is not enough", () => {
  const machine = bootstrap();
  const falseTime = { time: BUILT + 1000, from: BUILT - YEAR, until: BUILT + 2000 };
  for (const id of [1, 2, 3]) add(machine, id, falseTime);
  for (const id of [4, 5, 6]) add(machine, id);
  const outcome = machine.findQuorum(BOOT);
  assert.ok(outcome.kind === "provisional");
  assert.equal(outcome.needed, 4);
});

Deno.test("a time outside of the source's own certificate, or before the bound, has no vote", () => {
  const machine = bootstrap();
  for (const id of [1, 2, 3]) add(machine, id, { time: TRUTH + YEAR });
  for (const id of [4, 5, 6]) add(machine, id, { time: BUILT - 100, from: BUILT - YEAR });
  const outcome = machine.findQuorum(BOOT);
  assert.ok(outcome.kind === "provisional");
  assert.equal(outcome.agreeing, 0);
  assert.equal(outcome.refused.get(1), "outside-own-certificate");
  assert.equal(outcome.refused.get(4), "before-lower-bound");
});

Deno.test("sources of one host or one certificate have one vote together", () => {
  const sameHost = bootstrap();
  for (const id of [1, 2, 3]) add(sameHost, id, { host: id === 1 ? "One.example" : "one.example" });
  assert.equal(sameHost.findQuorum(BOOT).kind, "provisional");
  const sameCertificate = bootstrap();
  for (const id of [1, 2, 3]) add(sameCertificate, id, { identity: "one" });
  assert.equal(sameCertificate.findQuorum(BOOT).kind, "provisional");
  add(sameCertificate, 4);
  add(sameCertificate, 5);
  assert.equal(sameCertificate.findQuorum(BOOT).kind, "agreed");
});

Deno.test("resumed sessions vote without a certificate", () => {
  const machine = bootstrap();
  for (const id of [1, 2, 3]) add(machine, id, { resumed: true });
  assert.equal(machine.findQuorum(BOOT).kind, "agreed");
  machine.remove(2);
  assert.equal(machine.findQuorum(BOOT).kind, "provisional");
});

Deno.test("resumed sessions of one public key have one vote together, as before the restart", () => {
  const machine = bootstrap({ quorum: 2 });
  for (const id of [1, 2, 3]) add(machine, id, { resumed: id < 3, identity: "one" });
  assert.equal(machine.findQuorum(BOOT).kind, "provisional");
  add(machine, 4, { resumed: true, identity: "two" });
  assert.equal(machine.findQuorum(BOOT).kind, "agreed");
});

Deno.test("whatever a minority says, an agreed time is one that honest sources give", () => {
  const falseTime = fc.record({
    time: fc.integer({ min: BUILT - YEAR, max: BUILT + 20 * YEAR }),
    error: fc.constantFrom(0, 0.1, 1000, 10 * YEAR),
    from: fc.constant(BUILT - 5 * YEAR),
    until: fc.constant(BUILT + 30 * YEAR),
  });
  fc.assert(
    fc.property(fc.array(falseTime, { maxLength: 2 }), (falseTimes) => {
      const machine = bootstrap();
      falseTimes.forEach((peer, i) => add(machine, i, peer));
      for (const id of [10, 11, 12]) add(machine, id);
      const outcome = machine.findQuorum(BOOT);
      assert.ok(outcome.kind === "agreed");
      assert.ok(Math.abs(BOOT + outcome.offset - TRUTH) <= 0.05);
    }),
  );
});

Deno.test("the bound survives the disk, and damage is noticed", () => {
  assert.deepEqual(decodeTimeBound(encodeTimeBound(TRUTH + 0.9)), { ok: true, value: TRUTH });
  for (const text of ["", "1790000000\n", "ntpsd time bound 1\n", "ntpsd time bound 1\n17x\n"]) {
    assert.equal(decodeTimeBound(new TextEncoder().encode(text)).ok, false);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    assert.equal(decodeTimeBound(bytes).ok, false);
  }));
});
