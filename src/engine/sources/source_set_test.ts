import assert from "node:assert/strict";
import { sourceConfig } from "../../../tests/support/engine_world.ts";
import { SeededRandom } from "../../base/random.ts";
import { err, ok } from "../../base/result.ts";
import type { SourceConfig } from "../../config/config.ts";
import { parseConfig } from "../../config/parse.ts";
import type { Action } from "../events.ts";
import { SourceFaults } from "./source_faults.ts";
import { type Protections, SourceSet } from "./source_set.ts";

const [ONE, TWO, THREE] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;

function makeSet(protections: Protections = {}): SourceSet {
  return new SourceSet({ random: new SeededRandom(2), protections, faults: new SourceFaults() });
}

function pool(count: number, more = ""): SourceConfig {
  const parsed = parseConfig(
    `[[source]]\nmode = "pool"\naddress = "pool.example.org"\ncount = ${count}\n${more}`,
  );
  assert.ok(parsed.ok);
  const [source] = parsed.value.config.sources;
  assert.ok(source !== undefined);
  return source;
}

function addresses(set: SourceSet): readonly string[] {
  return set.members.map(({ association }) => association.address.address);
}

function ids(set: SourceSet): readonly number[] {
  return set.members.map(({ association }) => association.id);
}

function lookupOf(actions: readonly Action[]): number {
  const found = actions.find((action) => action.type === "resolve");
  assert.ok(found !== undefined);
  return found.lookup;
}

Deno.test("numeric sources are asked, in the order of the configuration and with numbers of their own", () => {
  const set = makeSet();
  assert.equal(set.nextWakeup(), Infinity);
  set.configure([ONE, TWO, THREE].map((address) => sourceConfig(address)), 100);
  assert.deepEqual(addresses(set), [ONE, TWO, THREE]);
  assert.equal(new Set(ids(set)).size, 3);
  const sends: string[] = [];
  for (let now = 100; now < 110; now += 0.5) {
    for (const action of set.handleTimer(now)) {
      if (action.type === "send") sends.push(action.destination.address);
    }
  }
  for (const address of [ONE, TWO, THREE]) assert.ok(sends.includes(address));
  assert.ok(set.nextWakeup() > 109);
});

Deno.test("a reload leaves alone what stays, stops what is gone, and never uses a number again", () => {
  const set = makeSet();
  set.configure([sourceConfig(ONE), sourceConfig(TWO)], 100);
  const [first, second] = set.members;
  assert.deepEqual(set.takeRemoved(), []);
  set.configure([sourceConfig(THREE), sourceConfig(TWO)], 200);
  assert.deepEqual(addresses(set), [THREE, TWO]);
  assert.equal(set.members[1]?.association, second?.association);
  assert.deepEqual(set.takeRemoved(), [first?.association.id]);
  assert.deepEqual(set.takeRemoved(), []);
  set.configure([sourceConfig(ONE), sourceConfig(TWO)], 300);
  assert.equal(set.members[1]?.association, second?.association);
  assert.equal(new Set([...ids(set), first?.association.id]).size, 3);
});

Deno.test("limits change in place; what makes a source another one starts it anew", () => {
  const set = makeSet();
  const same = (more: string) => {
    const [before] = ids(set);
    set.configure([sourceConfig(ONE, more)], 200);
    return ids(set)[0] === before;
  };
  set.configure([sourceConfig(ONE)], 100);
  assert.equal(
    same("poll-interval-limits = { min = 6, max = 8 }\ninitial-poll-interval = 6"),
    true,
  );
  assert.deepEqual(set.members[0]?.association.config.pollIntervalLimits, { min: 6, max: 8 });
  assert.equal(same("prefer = true"), true);
  assert.equal(set.members[0]?.config.prefer, true);
  assert.equal(same("no-select = true"), true);
  const config = sourceConfig(ONE);
  set.configure([config], 300);
  const [plain] = ids(set);
  set.configure([{ ...config, key: 7 }], 400);
  assert.notEqual(ids(set)[0], plain);
});

Deno.test("a pool takes no address that another source asks", () => {
  const set = makeSet();
  const actions = set.configure([sourceConfig(ONE), pool(3)], 100);
  const lookup = lookupOf(actions);
  assert.deepEqual(
    set.handle({ type: "resolved", lookup: lookup + 1, result: ok([TWO]) }, 101),
    [],
  );
  set.handle({ type: "resolved", lookup, result: ok([ONE, TWO, THREE]) }, 101);
  assert.deepEqual([...addresses(set)].sort(), [ONE, TWO, THREE]);
});

Deno.test("a pool that is to have fewer members gives the others up", () => {
  const set = makeSet();
  const lookup = lookupOf(set.configure([pool(3)], 100));
  set.handle({ type: "resolved", lookup, result: ok([ONE, TWO, THREE]) }, 101);
  const before = ids(set);
  set.configure([pool(1)], 200);
  assert.deepEqual(ids(set), before.slice(0, 1));
  assert.deepEqual(set.takeRemoved(), before.slice(1));
});

Deno.test("bad news reaches the source it is of, and nobody else", () => {
  const set = makeSet();
  const lookup = lookupOf(set.configure([sourceConfig(ONE), pool(1)], 100));
  const told = set.handle(
    { type: "resolved", lookup, result: err("The name does not exist") },
    101,
  );
  assert.deepEqual(told, []);
  assert.equal(set.entries[1]?.group.error, "The name does not exist");
  const event = { type: "send-failed", association: 99, request: 1, reason: "refused" } as const;
  assert.deepEqual(set.handle(event, 102), []);
});

Deno.test("packets for strangers are dropped", () => {
  const set = makeSet();
  set.configure([sourceConfig(ONE)], 100);
  const reception = set.handleDatagram({
    type: "datagram",
    association: 99,
    request: 1,
    packet: new Uint8Array(48),
    transmitTimestamp: 0n as never,
    transmitTimestamping: "user",
    receiveTimestamp: 0n as never,
    receiveTimestamping: "user",
  }, 101);
  assert.deepEqual(reception, { actions: [], measurement: undefined });
});

Deno.test("a symmetric key is asked for by its number, for the sources that have one", () => {
  const asked: number[] = [];
  const set = makeSet({
    withKey: (key) => {
      asked.push(key);
      return {
        authentication: "mac",
        isProvisional: false,
      } as unknown as ReturnType<NonNullable<Protections["withKey"]>>;
    },
  });
  set.configure([{ ...sourceConfig(ONE), key: 42 }, sourceConfig(TWO)], 100);
  assert.deepEqual(asked, [42]);
  assert.deepEqual(set.members.map(({ association }) => association.protection?.authentication), [
    "mac",
    undefined,
  ]);
});

Deno.test("the end closes everything", () => {
  const set = makeSet();
  set.configure([sourceConfig(ONE), sourceConfig(TWO)], 100);
  const sent = [...set.handleTimer(100), ...set.handleTimer(103)]
    .filter(({ type }) => type === "send");
  const closed = set.stop().filter(({ type }) => type === "close");
  assert.ok(sent.length > 0 && closed.length > 0 && closed.length <= sent.length);
  assert.deepEqual([set.members, set.nextWakeup()], [[], Infinity]);
});
