import { deepEqual, equal, match, ok } from "node:assert/strict";
import { toUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import { ok as okay } from "../../base/result.ts";
import { EngineWorld, PLAIN_DAY } from "../../../tests/support/engine_world.ts";
import {
  exchangeCertificate,
  exchangeOutcome,
  plainSession,
} from "../../../tests/support/nts_sessions.ts";
import type { KeysExchangedEvent } from "../events.ts";

const DAY = 86_400;
const START = PLAIN_DAY - 2_208_988_800;
const HOSTS = ["192.0.2.1", "192.0.2.2"];
const CONFIG = HOSTS.map((host) => `[[source]]\nmode = "nts"\naddress = "${host}"\n`).join("") +
  "[synchronization]\nminimum-agreeing-sources = 2\nstep-limit = 3\n";

/** Starts an engine whose clock is `offset` seconds behind; it trusts no dates. */
function startWorld(offset: number): EngineWorld {
  return new EngineWorld({
    config: CONFIG,
    offset,
    more: {
      certificateTime: { clockIsTrusted: false, lowerBounds: [START - 365 * DAY] },
      protections: { startSession: (outcome) => plainSession(outcome) },
    },
  }).start();
}

/**
 * Ends every exchange that the engine wants, as the daemon would: dates that do not fit are
 * provisional.
 */
function exchangeKeys(world: EngineWorld): readonly KeysExchangedEvent[] {
  const events: KeysExchangedEvent[] = [];
  for (const action of world.take("exchange-keys")) {
    const certificate = exchangeCertificate({
      notBefore: START - 30 * DAY,
      notAfter: START + 30 * DAY,
      identity: action.host,
      host: action.host,
    });
    const now = action.dates?.now ?? 0;
    const fits = now >= certificate.notBefore && now <= certificate.notAfter;
    equal(fits || action.dates?.outside === "accept-provisionally", true);
    const value = exchangeOutcome({
      cookies: [],
      peerAddress: action.host,
      provisional: fits ? undefined : "certificate-expired",
      certificate,
    });
    const { association } = action;
    events.push({ type: "keys-exchanged", association, result: okay(value) });
  }
  for (const event of events) world.handle(event);
  return events;
}

Deno.test("a clock that starts decades behind is set by a quorum, after its certificates were verified", () => {
  const offset = START - 1000;
  const world = startWorld(offset);
  equal(Number(toUnixNanoseconds(world.now.realtime, 0n)) / 1e9 < DAY, true, "it is 1970");
  exchangeKeys(world);
  world.run(20);
  equal(world.snapshot.state, "starting");
  match(
    world.snapshot.why,
    /^Provisional: certificates are being verified at the time on which the sources agree/,
  );
  deepEqual(world.steps, [], "nothing was set yet");
  const [wanted, ...others] = world.take("verify-certificates");
  ok(wanted !== undefined && others.length === 0);
  ok(Math.abs(wanted.at - START) < DAY, "it is verified at the true time");
  deepEqual(wanted.certificates.map(({ certificate }) => certificate.host), HOSTS);
  const results = wanted.certificates.map(({ association }) => ({
    association,
    reason: undefined,
  }));
  world.handle({ type: "certificates-verified", results });
  world.run(30);
  deepEqual(world.take("save-time-bound"), [], "a time that was just found bounds nothing yet");
  equal(world.snapshot.state, "synchronized");
  equal(world.steps.length, 1);
  ok(Math.abs((world.steps[0] ?? 0) - offset) < 1);
  ok(Math.abs(world.offset) < 0.01);
  deepEqual(world.snapshot.sources.map(({ nts }) => nts?.provisional), [false, false]);
});

Deno.test("one liar with an old key keeps two sources from being a quorum; the clock is left alone", () => {
  const world = startWorld(START - 1000);
  world.server("192.0.2.2").error = 20 * DAY;
  exchangeKeys(world);
  world.run(120);
  equal(world.snapshot.state, "starting");
  match(world.snapshot.why, /1 of 2 required sources agree/);
  deepEqual(world.steps, []);
  deepEqual(world.take("verify-certificates"), []);
  for (const source of world.snapshot.sources) match(source.reason, /^Provisional/);
});

Deno.test("a reference whose certificate is refused is followed no more, at once", () => {
  for (let i = 0; i < HOSTS.length; i++) {
    const world = startWorld(3);
    exchangeKeys(world);
    world.run(20);
    const [wanted] = world.take("verify-certificates");
    const results = wanted?.certificates.map(({ association }, k) => ({
      association,
      reason: k === i ? "It has expired meanwhile" : undefined,
    }));
    world.handle({ type: "certificates-verified", results: results ?? [] });
    const { state, sources } = world.snapshot;
    const isFollowed = sources.some(({ status }) => status === "selected");
    equal(isFollowed, state === "synchronized", `${state} without certificate ${i}`);
  }
});

Deno.test("a reference whose new certificate is not confirmed yet is followed no more, at once", () => {
  for (let i = 0; i < HOSTS.length; i++) {
    const world = startWorld(3);
    const exchanges = exchangeKeys(world);
    world.run(20);
    const exchange = exchanges[i];
    ok(exchange?.result.ok);
    const result = okay({ ...exchange.result.value, provisional: "certificate-expired" as const });
    world.handle({ ...exchange, result });
    const { state, sources } = world.snapshot;
    const isFollowed = sources.some(({ status }) => status === "selected");
    equal(isFollowed, state === "synchronized", `${state} with ${i} held back`);
  }
});

Deno.test("where dates fit the clock nobody waits, and certificates are verified when the time is known", () => {
  const world = startWorld(3);
  exchangeKeys(world);
  world.run(20);
  equal(world.snapshot.state, "synchronized");
  const [wanted] = world.take("verify-certificates");
  const [refused, good] = wanted?.certificates ?? [];
  ok(refused !== undefined && good !== undefined);
  const results = [
    { association: refused.association, reason: "It has expired meanwhile" },
    { association: good.association, reason: undefined },
  ];
  world.handle({ type: "certificates-verified", results });
  ok(
    world.logs.some((line) =>
      line.endsWith("no longer uses 192.0.2.1:123: It has expired meanwhile")
    ),
  );
  const [again] = world.take("exchange-keys");
  equal(again?.dates?.outside, "refuse", "dates count from now on");
});
