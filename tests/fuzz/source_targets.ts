/**
 * One configured source under fuzz: a single answer to its open request, and a whole life with its
 * addresses.
 *
 * @module
 */
import assert from "node:assert/strict";
import { present } from "../../src/base/assert.ts";
import { type Bytes, concatBytes, fromHex } from "../../src/base/bytes.ts";
import { type Behaviour, SourceWorld } from "../support/source_world.ts";
import { Choices } from "./choices.ts";
import { packet, responseTo, rest } from "./grammar_packets.ts";
import { below, between, chance, noise, pick, several } from "./mutate.ts";
import { ANSWER, RATE } from "./packet_targets.ts";
import type { FuzzTarget } from "./target.ts";

const STEPS_MAX = 60;
const COUNT = 3;
const ADDRESSES = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.9", "2001:db8::1"] as const;
const BEHAVIOURS: readonly Behaviour[] = ["answers", "silent", "denies"];
const REQUEST = present(fromHex(ANSWER), "A packet is hexadecimal");

/** The targets. */
export const SOURCE_TARGETS: readonly FuzzTarget[] = [
  {
    name: "source",
    oracle: "one response stops nothing and leaves the poll interval within its limits",
    budget: 300,
    seeds: [ANSWER, RATE, ANSWER + "00000000"],
    generate: (random) =>
      chance(random, 0.5) ? packet(random) : concatBytes(
        responseTo(REQUEST, random),
        chance(random, 0.5) ? rest(random) : noise(random, 0),
      ),
    run: fuzzResponse,
  },
  {
    name: "source-life",
    oracle:
      "never more members than wanted, each with an address of its own; polls within their limits; timers move on",
    isStateful: true,
    budget: 60,
    seeds: ["0102030405060708".repeat(10)],
    generate: (random) => noise(random, below(random, 500)),
    run: (octets) => liveOn(new Choices(octets)),
  },
];

/**
 * Gives the octets to a source as the answer to its open request, once as they are and once with
 * the right random number.
 */
function fuzzResponse(octets: Bytes): void {
  const world = new SourceWorld({ mode: "server", host: "192.0.2.1", count: 1 });
  world.behaviour.set("192.0.2.1", "silent");
  world.start();
  world.runTo(0.2);
  const [member] = world.group.members;
  assert.ok(member !== undefined && member.sent === 1);
  const asked = present(world.lastRequest, "A request was sent");
  world.deliver(octets);
  if (octets.length >= 48) {
    const patched = octets.slice();
    patched.set(asked.packet.subarray(40, 48), 24);
    world.deliver(patched);
  }
  world.deliver(octets);
  assert.equal(world.group.members.length, 1);
  assert.equal(member.isStopped, false, "one response stops nothing");
  assert.ok(member.poll <= 10);
  world.runTo(2000);
}

function liveOn(choices: Choices): void {
  const world = new SourceWorld({
    mode: chance(choices, 0.7) ? "pool" : "server",
    host: chance(choices, 0.8) ? "pool.example.org" : "192.0.2.1",
    count: COUNT,
    iburst: chance(choices, 0.5),
    interleaved: chance(choices, 0.5),
    ignore: chance(choices, 0.2) ? ["192.0.2.2"] : [],
  });
  world.names = ADDRESSES.slice(0, below(choices, 5));
  world.start();
  for (let i = 0; i < STEPS_MAX && !choices.isOver; i++) {
    step(world, choices);
    look(world);
  }
  world.take(world.group.stop());
  assert.equal(world.group.members.length, 0);
}

function step(world: SourceWorld, choices: Choices): void {
  const { group, now } = world;
  const member = group.members[below(choices, COUNT)];
  switch (below(choices, 12)) {
    case 0:
      world.names = chance(choices, 0.7)
        ? several(below(choices, 5), () => pick(choices, ADDRESSES))
        : "no such name";
      return;
    case 1:
      world.behaviour.set(pick(choices, ADDRESSES), pick(choices, BEHAVIOURS));
      return;
    case 2: {
      if (world.lastRequest === undefined) return;
      const answer = responseTo(world.lastRequest.packet, choices);
      return world.deliver(chance(choices, 0.7) ? answer : concatBytes(answer, rest(choices)));
    }
    case 3: {
      if (world.lastRequest === undefined) return;
      const { association, request } = world.lastRequest;
      const isLocal = chance(choices, 0.5);
      const failure = { association, request, reason: "EHOSTUNREACH", isLocal };
      return world.take(group.handleSendFailed({ type: "send-failed", ...failure }, now));
    }
    case 4:
      return group.requestBurst(now, chance(choices, 0.5) ? "at-once" : "spread");
    case 5:
      return world.take(group.askAgain(now));
    case 6:
      return world.take(group.clockStepped(now));
    case 7:
      return world.take(group.giveUp(member?.id ?? 99, { reason: "it is wrong", now }));
    case 8:
      return group.noteFalseticker(member?.id ?? 99, chance(choices, 0.5) ? now : undefined);
    case 9:
      return world.take(
        group.reconfigure({ ...group.config, count: 1 + below(choices, COUNT) }, now),
      );
    default:
      return world.runTo(now + between(choices, 0.01, chance(choices, 0.05) ? 1e5 : 300));
  }
}

function look({ group, now }: SourceWorld): void {
  const { members, wanted } = group;
  assert.ok(members.length <= wanted, `${members.length} members, ${wanted} wanted`);
  const addresses = new Set(members.map(({ address }) => address.address));
  assert.equal(addresses.size, members.length, "each asks an address of its own");
  for (const { poll, address } of members) {
    assert.ok(poll >= 0 && poll <= 17, `poll ${poll}`);
    assert.ok(ADDRESSES.some((known) => known === address.address), address.address);
  }
  assert.ok((group.report ?? "").length < 1000);
  for (const id of group.takeRemoved()) assert.equal(group.member(id), undefined);
  assert.ok(!Number.isNaN(group.nextWakeup()) && now >= 0);
}
