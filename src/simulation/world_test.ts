/** The world with a small engine that only measures: what arrives is what the physics say. */
import assert from "node:assert/strict";
import { difference, type NtpTimestamp, ntpTimestamp } from "../base/ntp_timestamp.ts";
import type { Seconds } from "../base/units.ts";
import type { Action, Event, Instant } from "../engine/events.ts";
import type { EngineSnapshot } from "../engine/status/snapshot.ts";
import { ActionLog } from "../../tests/support/action_log.ts";
import { runScenario } from "./run.ts";
import { parseScenario } from "./scenario/parse.ts";
import type { Scenario } from "./scenario/scenario.ts";
import type { DrivenEngine } from "./engine_factory.ts";

const INTERVAL = 16;

interface Seen {
  readonly event: Event;
  readonly now: Instant;
}

/** Asks 192.0.2.1 every 16 s and notes what comes. */
class Probe implements DrivenEngine {
  readonly seen: Seen[] = [];
  #next = 0;
  #request = 0;
  #script: readonly Action[] = [];

  constructor(script: readonly Action[] = []) {
    this.#script = script;
  }

  handle(event: Event, now: Instant): readonly Action[] {
    this.seen.push({ event, now });
    if (event.type === "start") {
      this.#next = now.monotonic;
      return this.#script;
    }
    if (event.type !== "timer") return [];
    this.#next += INTERVAL;
    const packet = new Uint8Array(48);
    packet[0] = 0x23;
    new DataView(packet.buffer).setUint32(44, ++this.#request);
    const destination = { family: "ipv4", address: "192.0.2.1", port: 123 } as const;
    return [{ type: "send", association: 1, request: this.#request, destination, packet }];
  }

  nextWakeup(): number {
    return this.#next;
  }

  snapshot(): EngineSnapshot {
    return {
      state: "monitoring",
      adjusting: false,
      why: "",
      stratum: 16,
      leap: "unknown",
      referenceId: "",
      referenceTime: null,
      offsetSeconds: null,
      frequencyPpm: 0,
      skewPpm: null,
      rootDelaySeconds: 0,
      rootDispersionSeconds: 0,
      errorBoundSeconds: null,
      updateIntervalSeconds: null,
      steps: { count: 0, accumulatedSeconds: 0 },
      sources: [],
    };
  }

  answers(): { offset: Seconds; delay: Seconds; packet: Uint8Array; now: Instant }[] {
    return this.seen.flatMap(({ event, now }) => {
      if (event.type !== "datagram") return [];
      const view = new DataView(event.packet.buffer, event.packet.byteOffset);
      const timestamp = (at: number): NtpTimestamp => ntpTimestamp(view.getBigUint64(at));
      if (event.packet.length < 48) return [];
      const out = difference(timestamp(32), event.transmitTimestamp);
      const back = difference(timestamp(40), event.receiveTimestamp);
      const offset = (out + back) / 2;
      return [{ offset, delay: out - back, packet: event.packet, now }];
    });
  }
}

function scenario(text: string): Scenario {
  const parsed = parseScenario(`name = "test"\n${text}`);
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  return parsed.value;
}

function probe(text: string, script: readonly Action[] = []): Probe {
  const engine = new Probe(script);
  const outcome = runScenario(scenario(text), { seed: 1, createEngine: () => engine });
  assert.equal(outcome.panic, undefined);
  return engine;
}

const SERVER = `
[[server]]
name = "a"
distribution = "none"
`;

Deno.test("over a still path the offset is the clock's error and the delay that of the path", () => {
  const engine = probe(`duration = 1000
    clock = { offset = "-0.25s", frequency-ppm = 0 }
    ${SERVER}`);
  const answers = engine.answers();
  assert.equal(answers.length, 63);
  for (const { offset, delay } of answers) {
    assert.ok(Math.abs(offset - 0.25) < 1e-9, String(offset));
    assert.ok(Math.abs(delay - 0.02) < 1e-9, String(delay));
  }
});

Deno.test("asymmetry shows as an offset of its half", () => {
  const engine = probe(`duration = 100
    clock = { offset = 0, frequency-ppm = 0 }
    ${SERVER}
    delay = "30ms"
    asymmetry = "8ms"`);
  for (const { offset, delay } of engine.answers()) {
    assert.ok(Math.abs(offset - 0.004) < 1e-9, String(offset));
    assert.ok(Math.abs(delay - 0.06) < 1e-9, String(delay));
  }
});

Deno.test("packets are lost in both directions, and never come twice", () => {
  const engine = probe(`duration = 160000\n${SERVER}\nloss = 0.2`);
  const share = engine.answers().length / 10_000;
  assert.ok(Math.abs(share - 0.64) < 0.02, String(share));
});

Deno.test("a dead server is silent or refuses; a network that is down says so; both come back", () => {
  const engine = probe(`duration = 4000
    ${SERVER}
    [[event]]
    at = 1000
    kind = "server-dies"
    [[event]]
    at = 2000
    kind = "server-returns"
    [[event]]
    at = 2500
    kind = "server-dies"
    refuses = true
    [[event]]
    at = 3000
    kind = "network-down"
    [[event]]
    at = 3500
    kind = "network-up"
    server = "a"`);
  const times = engine.answers().map(({ now }) => now.monotonic - 1000);
  assert.ok(times.every((time) => time < 1001 || (time > 2000 && time < 2501)));
  const failures = engine.seen.flatMap(({ event }) =>
    event.type === "send-failed" ? [event.reason] : []
  );
  assert.equal(failures.filter((reason) => reason === "Connection refused").length, 63);
  assert.equal(failures.filter((reason) => reason === "Network is unreachable").length, 31);
});

Deno.test("sleep stops the daemon, not the world", () => {
  const engine = probe(`duration = 40000
    clock = { offset = 0, frequency-ppm = 0 }
    ${SERVER}
    [[event]]
    at = 1000
    kind = "suspend"
    duration = "8h"
    error = "-300ms"`);
  const index = engine.seen.findIndex(({ event }) => event.type === "resumed");
  const { event, now } = engine.seen[index] ?? assert.fail("Never woke up");
  assert.deepEqual(event, { type: "resumed", asleep: 28_799.7 });
  assert.ok(Math.abs(now.monotonic - 30_799.7) < 1e-6);
  const before = engine.seen[index - 1]?.now.monotonic ?? 0;
  assert.ok(before < 2001);
  const offsets = engine.answers().map(({ offset }) => Math.round(offset * 1e6) / 1e6);
  assert.deepEqual([...new Set(offsets)].map(Math.abs), [0, 0.3]);
});

Deno.test("a step and a frequency from outside, and a step of the oscillator, show in the offset", () => {
  const engine = probe(`duration = 5000
    clock = { offset = 0, frequency-ppm = 0 }
    ${SERVER}
    [[event]]
    at = 1000
    kind = "clock-step"
    step = "2s"
    [[event]]
    at = 2000
    kind = "clock-frequency"
    frequency-ppm = 100
    [[event]]
    at = 4000
    kind = "oscillator-step"
    frequency-ppm = -100`);
  const last = engine.answers().at(-1) ?? assert.fail("No answer");
  // 2 s, and 100 ppm for 2000 s.
  assert.ok(Math.abs(last.offset + 2.2) < 1e-4, String(last.offset));
});

Deno.test("servers repeat or leave out the second of a leap, and announce it before", () => {
  for (const [leap, shift] of [["insert", 1], ["delete", -1]] as const) {
    const engine = probe(`duration = "14h"
      start = 2026-12-31T12:00:00Z
      clock = { offset = 0, frequency-ppm = 0 }
      ${SERVER}
      [[event]]
      at = "12h"
      kind = "leap"
      leap = "${leap}"
      announce = "6h"`);
    const answers = engine.answers();
    const bits = leap === "insert" ? 1 : 2;
    for (const { offset, packet, now } of answers) {
      const time = now.monotonic - 1000;
      const isAnnounced = time >= 21_600 && time < 43_200;
      if (time > 43_198 && time < 43_201) continue;
      assert.equal((packet[0] ?? 0) >> 6, isAnnounced ? bits : 0, `At ${time} s`);
      assert.ok(Math.abs(offset - (time < 43_200 ? 0 : -shift)) < 1e-6, `At ${time} s: ${offset}`);
    }
  }
});

Deno.test("clock actions change the clock and are answered", () => {
  const status = {
    synchronized: true,
    leap: "none",
    maxError: 0.01,
    estimatedError: 0.001,
    taiOffset: undefined,
  } as const;
  const engine = probe(
    `duration = 1000\nclock = { offset = "100ms", frequency-ppm = 50 }\n${SERVER}`,
    [
      { type: "set-clock", frequency: -50, step: -0.1, status },
    ],
  );
  const response = engine.seen[1]?.event;
  assert.deepEqual(response, {
    type: "clock-set",
    result: { ok: true, value: { frequency: -50, step: -0.1 } },
  });
  const offset = engine.answers().at(-1)?.offset ?? assert.fail("No answer");
  // 50 ppm times 50 ppm for 1000 s is left.
  assert.ok(Math.abs(offset) < 3e-6, String(offset));
});

Deno.test("names resolve: servers by name, pools to four of their members, unknown ones not at all", () => {
  const lookups = ["a", "pool.example", "nowhere", "192.0.2.7"];
  const script = lookups.map((host, lookup): Action => ({ type: "resolve", lookup, host }));
  const engine = probe(
    `duration = 100
    ntpsd = { source = [] }
    ${SERVER}
    [[server]]
    name = "p"
    count = 6
    pool = "pool.example"`,
    script,
  );
  const results = engine.seen.flatMap(({ event }) =>
    event.type === "resolved" ? [event.result] : []
  );
  assert.deepEqual(results[0], { ok: true, value: ["192.0.2.1"] });
  assert.ok(results[1]?.ok === true && new Set(results[1].value).size === 4);
  assert.deepEqual(results[2], { ok: false, error: "No address is known for nowhere" });
  assert.deepEqual(results[3], { ok: true, value: ["192.0.2.7"] });
});

Deno.test("kisses and adversaries send what they should", () => {
  const denied = probe(`duration = 100\n${SERVER}\nkiss = "RATE"\nkiss-interval = 20`).answers();
  assert.deepEqual(denied.map(({ packet }) => packet[1]), [1, 0, 0, 0, 0, 0, 0]);
  assert.equal(new TextDecoder().decode(denied[1]?.packet.subarray(12, 16)), "RATE");
  const replayed = probe(`duration = 100\n${SERVER}\nattack = "replay"`).answers();
  assert.equal(replayed.length, 13);
  assert.deepEqual(replayed[1]?.packet, replayed[0]?.packet);
  const forged = probe(`duration = 100\n${SERVER}\nattack = "false-kiss"`).answers();
  assert.equal(forged.length, 14);
  assert.deepEqual([forged[0]?.packet[1], forged[1]?.packet[1]], [0, 1]);
  assert.notDeepEqual(forged[0]?.packet.subarray(24, 32), forged[1]?.packet.subarray(24, 32));
});

Deno.test("a coarse server's timestamps differ below its precision, and may go back within it", () => {
  const answers = probe(
    `duration = 4000\nclock = { offset = 0, frequency-ppm = 0 }\n${SERVER}\nprecision = -10`,
  ).answers();
  const grain = 2 ** -10;
  const residences = answers.map(({ packet }) => {
    const view = new DataView(packet.buffer, packet.byteOffset);
    assert.equal(view.getInt8(3), -10);
    return difference(ntpTimestamp(view.getBigUint64(40)), ntpTimestamp(view.getBigUint64(32)));
  });
  assert.ok(residences.every((residence) => Math.abs(residence) <= 2 * grain));
  assert.ok(residences.filter((residence) => residence < 0).length > residences.length / 4);
  assert.ok(answers.every(({ offset }) => Math.abs(offset) <= 1.1 * grain));
});

Deno.test("a restart begins a new incarnation with the drift that the old one saved", () => {
  const lives: Probe[] = [];
  const text = `duration = 100
    ${SERVER}
    [[event]]
    at = 50
    kind = "restart"`;
  runScenario(scenario(text), {
    seed: 1,
    createEngine: () => {
      lives.push(new Probe([{ type: "save-drift", frequency: 12, skew: 0.1 }]));
      return lives.at(-1) ?? assert.fail();
    },
  });
  assert.equal(lives.length, 2);
  assert.equal(lives[0]?.seen.at(-1)?.event.type, "stop");
  assert.deepEqual(lives[1]?.seen[0]?.event, { type: "drift-loaded", frequency: 12, skew: 0.1 });
});

Deno.test("one seed repeats a run octet by octet, another does not", () => {
  const text = `duration = 20000
    clock = { wander = 1e-8 }
    [[server]]
    name = "a"
    loss = 0.1
    attack = "garbage"`;
  const run = (seed: number): { log: string; seen: string } => {
    const observer = new ActionLog();
    const engine = new Probe();
    runScenario(scenario(text), { seed, createEngine: () => engine, observer });
    const seen = engine.answers().map(({ offset, delay }) => `${offset} ${delay}`).join("\n");
    return { log: observer.lines.join("\n"), seen };
  };
  assert.deepEqual(run(3), run(3));
  assert.notEqual(run(3).seen, run(4).seen);
});
