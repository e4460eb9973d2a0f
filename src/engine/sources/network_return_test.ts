import assert from "node:assert/strict";
import { EngineWorld, type WorldOptions } from "../../../tests/support/engine_world.ts";
import {
  exchangeOutcome,
  plainSession,
  sessionProtections,
} from "../../../tests/support/nts_sessions.ts";
import { err, ok } from "../../base/result.ts";
import type { Protections } from "./source_set.ts";

const LONG = 8 * 3600;
const ADDRESSES = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];

const CONFIG = `
  [[source]]
  mode = "server"
  address = "192.0.2.1"
  [[source]]
  mode = "server"
  address = "two.example.org"
  [[source]]
  mode = "pool"
  address = "pool.example.org"
  count = 2
  [[source]]
  mode = "nts"
  address = "nts.example.org"`;

const NAMES: Readonly<Record<string, readonly string[]>> = {
  "two.example.org": ["192.0.2.2"],
  "pool.example.org": ["192.0.2.3", "192.0.2.4", "192.0.2.5"],
};

function worldOf(options: WorldOptions = {}): EngineWorld {
  const more = { protections: sessionProtections() };
  const world = new EngineWorld({ config: CONFIG, ...options, more });
  world.resolve = (host) => NAMES[host];
  world.exchange = () => ({ result: ok(exchangeOutcome()) });
  return world;
}

/** Runs for long, in pieces. */
function runLong(world: EngineWorld, seconds: number): void {
  for (let left = seconds; left > 0; left -= 3600) world.run(Math.min(left, 3600));
}

/**
 * How often each address was sent a request since a place in the journal; the time is of the first.
 */
function requestsSince(world: EngineWorld, start: number): ReadonlyMap<string, readonly number[]> {
  const times = new Map<string, number[]>();
  for (const { time, action } of world.journal.slice(start)) {
    if (action.type !== "send") continue;
    const { address } = action.destination;
    times.set(address, [...times.get(address) ?? [], time]);
  }
  return times;
}

for (const [kind, hasNotice] of [["with", true], ["without", false]] as const) {
  Deno.test(`after eight hours offline all is asked within 30 s, ${kind} notice from the system`, () => {
    for (const wasOnline of [true, false]) {
      const world = worldOf().start();
      world.isOffline = !wasOnline;
      if (wasOnline) runLong(world, 3600);
      world.isOffline = true;
      runLong(world, LONG);
      world.isOffline = false;
      const start = world.journal.length, lines = world.logs.length;
      if (hasNotice) world.handle({ type: "network-changed" });
      // without notice names and keys are up to a minute away, addresses not
      world.run(hasNotice || wasOnline ? 30 : 90);
      const asked = requestsSince(world, start);
      const wanted = ["192.0.2.1", "192.0.2.2", "192.0.2.7"];
      for (const address of wanted) assert.ok(asked.has(address), `${address} is not asked`);
      const measured = world.snapshot.sources.filter(({ lastReplySecondsAgo: ago }) =>
        ago !== null && ago <= 90
      );
      assert.ok(measured.length >= 4, `${measured.length} measured`);
      const back = world.logs.slice(lines);
      // what needs the keys that are a minute away may be missed until then
      if (!hasNotice && !wasOnline) continue;
      assert.ok(!back.some((line) => line.includes("No time to follow")), back.join("\n"));
    }
  });
}

Deno.test("a request that never left spares the cookie that it would have cost", () => {
  const world = worldOf().start();
  world.run(1);
  assert.equal(world.source("nts.example.org").nts?.cookies, 7);
  world.isOffline = true;
  runLong(world, 4 * 3600);
  assert.ok((world.source("nts.example.org").nts?.cookies ?? 0) >= 3);
  const exchanges = world.wanted("exchange-keys").length;
  // a dead member makes the source exchange keys again, once a minute while that costs nobody
  // anything
  assert.ok(exchanges <= 1 + 240, `${exchanges} exchanges`);
});

Deno.test("key exchanges that reach a server that refuses keep their growing distance, offline or not", () => {
  const world = worldOf();
  world.exchange = () => ({ result: { ok: false, error: "Refused" }, reason: "refused" });
  world.start();
  runLong(world, LONG);
  const exchanges = world.wanted("exchange-keys").length;
  // 10 s, 15 s, 22.5 s ...: 18 of them fill eight hours
  assert.ok(exchanges >= 16 && exchanges <= 20, `${exchanges} exchanges`);
});

Deno.test("resume, new addresses and a told change all ask now, spread over some seconds", () => {
  const events = [
    { type: "network-changed" },
    { type: "own-addresses", addresses: ["192.0.2.99"] },
    { type: "resumed", asleep: 3600 },
  ] as const;
  for (const event of events) {
    const firsts: number[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const world = new EngineWorld({ seed }).start();
      world.run(100);
      world.server("192.0.2.1").isSilent = true;
      world.run(700);
      world.server("192.0.2.1").isSilent = false;
      const start = world.journal.length, { time } = world;
      world.handle(event);
      world.run(30);
      const asked = requestsSince(world, start);
      for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) {
        assert.ok(asked.has(address), `${event.type}: ${address} is not asked`);
      }
      firsts.push((asked.get("192.0.2.2")?.[0] ?? 0) - time);
    }
    // hosts of a fleet do not come at one moment
    const spread = Math.max(...firsts) - Math.min(...firsts);
    assert.ok(spread > 3, `${event.type}: within ${spread} s`);
    const bins = Map.groupBy(firsts, (first) => Math.floor(first));
    assert.ok(bins.size >= 4, `${event.type}: ${firsts}`);
  }
});

/** Offline for eight hours, then back; nothing that is sent in the first seconds arrives. */
function returnsDeaf(deafSeconds: number): { readonly world: EngineWorld; readonly since: number } {
  const world = new EngineWorld().start();
  world.run(3600);
  world.isOffline = true;
  runLong(world, LONG);
  world.isOffline = false;
  for (const address of ADDRESSES) world.server(address).isSilent = true;
  const since = world.time;
  world.handle({ type: "network-changed" });
  world.run(deafSeconds);
  for (const address of ADDRESSES) world.server(address).isSilent = false;
  return { world, since };
}

Deno.test("when the first requests after the return are lost, the next ones are not a long interval away", () => {
  // a switch forwards nothing for half a minute after a link came up
  for (const [deafSeconds, seconds] of [[8, 30], [35, 90]] as const) {
    const { world, since } = returnsDeaf(deafSeconds);
    world.run(seconds - deafSeconds);
    for (const { name, lastReplySecondsAgo: ago } of world.snapshot.sources) {
      assert.ok(ago !== null && ago < world.time - since, `${name}: ${ago} s ago`);
    }
  }
});

Deno.test("servers that stay silent after the return are asked a few times more, then by the interval", () => {
  const { world } = returnsDeaf(0);
  for (const address of ADDRESSES) world.server(address).isSilent = true;
  const start = world.journal.length;
  world.run(900);
  for (const [address, times] of requestsSince(world, start)) {
    assert.ok(times.length >= 4 && times.length <= 5, `${address}: ${times}`);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    assert.ok(gaps.every((gap) => gap >= 16), `${address}: ${gaps}`);
  }
});

Deno.test("keys that the server has forgotten meanwhile are exchanged within 30 s of the return", () => {
  let knowsKeys = true;
  const startSession: Protections["startSession"] = (outcome, { now }) => {
    let isRefused = false;
    return Object.assign(plainSession(outcome, { now }), {
      verify() {
        isRefused = !knowsKeys;
        return knowsKeys ? ok({}) : err("nts-nak" as const);
      },
      beginKeyExchange: () => isRefused,
      endKeyExchange() {
        isRefused = false;
        knowsKeys = true;
      },
    });
  };
  const config = '[[source]]\nmode = "nts"\naddress = "nts.example.org"';
  const world = new EngineWorld({ config, more: { protections: { startSession } } });
  world.exchange = () => ({ result: ok(exchangeOutcome()) });
  world.start();
  world.run(3600);
  world.isOffline = true;
  runLong(world, LONG);
  world.isOffline = false;
  knowsKeys = false;
  world.handle({ type: "network-changed" });
  world.run(6);
  assert.match(world.source("nts.example.org").reason, /not-authentic/);
  world.run(24);
  assert.ok(knowsKeys, "keys are exchanged");
  assert.ok((world.source("nts.example.org").lastReplySecondsAgo ?? Infinity) < 24);
});

Deno.test("a network that changes every second does not make us a nuisance", () => {
  const world = worldOf().start();
  world.run(600);
  world.server("192.0.2.2").isSilent = true;
  const start = world.journal.length;
  const exchangesBefore = world.wanted("exchange-keys").length;
  for (let second = 0; second < 1800; second++) {
    world.handle({ type: "network-changed" });
    world.run(1);
  }
  for (const [address, times] of requestsSince(world, start)) {
    // one that is silent is also asked after each exchange of keys
    const apart = address === "192.0.2.7" ? 8 : 14;
    assert.ok(times.length <= 1800 / apart, `${address} is asked ${times.length} times`);
  }
  const exchanges = world.wanted("exchange-keys").length;
  // of the source and of its silent member, ten seconds apart each
  assert.ok(exchanges - exchangesBefore <= 360, `${exchanges - exchangesBefore} exchanges`);
});
