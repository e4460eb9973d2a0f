import assert from "node:assert/strict";
import { ntpTimestamp } from "../base/ntp_timestamp.ts";
import { err, ok } from "../base/result.ts";
import type { Action, Event, Instant, SetClockAction } from "./events.ts";
import { EngineLoop, type EnginePort } from "./perform.ts";

const STEP: SetClockAction = {
  type: "set-clock",
  frequency: 1,
  step: 0.5,
  status: {
    synchronized: true,
    leap: "none",
    maxError: 0.01,
    estimatedError: 0.001,
    taiOffset: undefined,
  },
};

function send(request: number): Action {
  const destination = { family: "ipv4", address: "192.0.2.1", port: 123 } as const;
  return { type: "send", association: 1, request, destination, packet: new Uint8Array(48) };
}

/**
 * An engine that answers each event with what is written for it, and a world in which every action
 * takes a second.
 */
class Bench {
  readonly journal: string[] = [];
  readonly moments: number[] = [];
  readonly loop: EngineLoop;
  clock = 0;

  constructor(
    script: Partial<Record<Event["type"], readonly Action[]>>,
    port: Partial<EnginePort> = {},
  ) {
    const handle = (event: Event, now: Instant): readonly Action[] => {
      this.journal.push(`<${event.type}>`);
      this.moments.push(now.monotonic);
      return script[event.type] ?? [];
    };
    const note = (text: string) => void this.journal.push(text);
    this.loop = new EngineLoop({ handle }, {
      now: () => ({ monotonic: this.clock, realtime: ntpTimestamp(0n) }),
      observe: () => this.clock++,
      send: ({ request }) => note(`send ${request}`),
      close: (request) => note(`close ${request}`),
      resolve: ({ host }) => note(`resolve ${host}`),
      setClock: ({ frequency, step }) => {
        note("set clock");
        return ok({ frequency, step });
      },
      saveDrift: () => note("save drift"),
      exchangeKeys: () => note("exchange keys"),
      verifyCertificates: () => note("verify certificates"),
      saveSessions: () => note("save sessions"),
      saveTimeBound: () => note("save time bound"),
      log: ({ message }) => note(message),
      panic: note,
      settled: () => note("settled"),
      ...port,
    });
  }
}

Deno.test("the actions of an event are carried out before what they bring about is handed in", () => {
  const bench = new Bench({
    timer: [STEP, send(7)],
    "clock-set": [{ type: "close", request: 7 }],
  });
  bench.loop.deliver({ type: "timer" });
  const wanted = ["<timer>", "set clock", "send 7", "<clock-set>", "close 7", "settled"];
  assert.deepEqual(bench.journal, wanted);
  assert.deepEqual(bench.moments, [0, 1], "the moment of the change, not of what came after it");
});

Deno.test("events that an action brings about at once wait for their turn, and all is settled once", () => {
  const reason = "Network is unreachable";
  const bench: Bench = new Bench({ timer: [send(1), send(2)], "send-failed": [] }, {
    send: ({ association, request }) =>
      bench.loop.deliver({ type: "send-failed", association, request, reason }),
  });
  bench.loop.deliver({ type: "timer" });
  assert.deepEqual(bench.journal, ["<timer>", "<send-failed>", "<send-failed>", "settled"]);
});

Deno.test("with the end its actions and their answers are done, and nothing after them", () => {
  const bench = new Bench({ stop: [STEP, { type: "save-drift", frequency: 1, skew: 1 }] });
  bench.loop.deliver({ type: "stop" });
  assert.equal(bench.loop.isOver, true);
  bench.loop.deliver({ type: "timer" });
  const wanted = ["<stop>", "set clock", "save drift", "<clock-set>", "settled"];
  assert.deepEqual(bench.journal, wanted);
});

Deno.test("an end from within an action lets the others of that event be done first", () => {
  const bench: Bench = new Bench({
    timer: [STEP, { type: "panic", message: "too far" }, send(3)],
    stop: [{ type: "close", request: 3 }],
  }, { panic: () => bench.loop.deliver({ type: "stop" }) });
  bench.loop.deliver({ type: "timer" });
  assert.deepEqual(bench.journal, [
    "<timer>",
    "set clock",
    "send 3",
    "<clock-set>",
    "<stop>",
    "close 3",
    "settled",
  ]);
});

Deno.test("an action that throws ends its event, and the next one is taken", () => {
  let isBroken = true;
  const bench = new Bench({ timer: [STEP, send(1), send(2)] }, {
    send: () => {
      if (isBroken) throw new Error("broken");
    },
    setClock: () => err("EPERM"),
  });
  assert.throws(() => bench.loop.deliver({ type: "timer" }), /broken/);
  isBroken = false;
  bench.loop.deliver({ type: "network-changed" });
  assert.deepEqual(bench.journal, ["<timer>", "<clock-set>", "<network-changed>", "settled"]);
});
