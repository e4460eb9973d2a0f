import assert from "node:assert/strict";
import { addSeconds, ntpTimestamp } from "../base/ntp_timestamp.ts";
import { SeededRandom } from "../base/random.ts";
import { err, ok } from "../base/result.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import { decodeHeader, emptyHeader, encodeHeader } from "../protocol/header.ts";
import { referenceIdFromAscii } from "../protocol/reference_id.ts";
import type { KeyExchangeOutcome, SendRequest, SourceAction, SourceGroupConfig } from "./border.ts";
import type { PacketProtection } from "./protection.ts";
import { SourceGroup, type SourceGroupOptions } from "./source_group.ts";

const EPOCH = ntpTimestamp(0xed00_0000_0000_0000n);

const CONFIG: SourceGroupConfig = {
  mode: "pool",
  address: "pool.example.org",
  host: "pool.example.org",
  port: 123,
  count: 3,
  ignore: [],
  certificateAuthority: undefined,
  aeadAlgorithms: [],
  iburst: true,
  pollIntervalLimits: { min: 4, max: 10 },
  initialPollInterval: 4,
  interleaved: false,
};

/** What a server does with a request. */
type Behaviour = "answers" | "silent" | "denies";

/** A group in a little world of its own, where each address behaves in its way. */
class World {
  readonly group: SourceGroup;
  readonly behaviour = new Map<string, Behaviour>();
  readonly logs: string[] = [];
  readonly lookups: { readonly at: number; readonly lookup: number; readonly host: string }[] = [];
  readonly exchanges: number[] = [];
  now = 0;
  names: readonly string[] | string = [];

  constructor(config: Partial<SourceGroupConfig> = {}, options: Partial<SourceGroupOptions> = {}) {
    let association = 0, request = 0, lookup = 0;
    this.group = new SourceGroup({
      config: { ...CONFIG, ...config },
      random: new SeededRandom(3),
      allocateAssociation: () => ++association,
      allocateRequest: () => ++request,
      allocateLookup: () => ++lookup,
      isAddressInUse: () => false,
      ...options,
    });
  }

  get addresses(): readonly string[] {
    return this.group.members.map(({ address }) => address.address).sort();
  }

  start(): void {
    this.take(this.group.start(this.now));
  }

  /** Runs the group until a time; a bound on the steps finds timers that do not move on. */
  runTo(time: number): void {
    for (let step = 0; step < 100_000; step++) {
      const next = this.group.nextWakeup();
      if (next > time) {
        this.now = time;
        return;
      }
      this.now = Math.max(this.now, next);
      this.take(this.group.handleTimer(this.now));
    }
    assert.fail(`still busy at ${this.now} s`);
  }

  take(actions: readonly SourceAction[]): void {
    for (const action of actions) {
      if (action.type === "log") this.logs.push(action.message);
      if (action.type === "send") this.answer(action);
      if (action.type === "exchange-keys") this.exchanges.push(action.association);
      if (action.type === "resolve") {
        this.lookups.push({ at: this.now, lookup: action.lookup, host: action.host });
        const result = typeof this.names === "string" ? err(this.names) : ok(this.names);
        this.take(this.group.handleResolved({ lookup: action.lookup, result }, this.now) ?? []);
      }
    }
  }

  answer(sent: SendRequest): void {
    const behaviour = this.behaviour.get(sent.destination.address) ?? "answers";
    if (behaviour === "silent") return;
    const request = decodeHeader(sent.packet);
    assert.ok(request.ok);
    const header = {
      ...emptyHeader(4, 4),
      stratum: behaviour === "denies" ? 0 : 2,
      referenceId: behaviour === "denies" ? referenceIdFromAscii("DENY") : 1,
      precision: -20,
      originTimestamp: request.value.transmitTimestamp,
      receiveTimestamp: addSeconds(EPOCH, this.now),
      transmitTimestamp: addSeconds(EPOCH, this.now),
    };
    const reception = this.group.handleDatagram({
      association: sent.association,
      request: sent.request,
      packet: encodeHeader(header),
      transmitTimestamp: addSeconds(EPOCH, this.now),
      transmitTimestamping: "user",
      receiveTimestamp: addSeconds(EPOCH, this.now + 0.01),
      receiveTimestamping: "user",
    }, this.now);
    this.take(reception.actions);
  }
}

const FIVE = ["192.0.2.1", "192.0.2.2", "2001:db8::3", "192.0.2.4", "192.0.2.5"];

Deno.test("a pool takes as many members as it is to have", () => {
  const world = new World();
  world.names = FIVE;
  world.start();
  assert.deepEqual(world.addresses, ["192.0.2.1", "192.0.2.2", "2001:db8::3"]);
  world.runTo(3600);
  assert.deepEqual(world.addresses, ["192.0.2.1", "192.0.2.2", "2001:db8::3"]);
  assert.equal(world.lookups.length, 1);
  assert.ok(world.group.members.every(({ reach }) => reach === 255));
});

Deno.test("addresses that are ignored, repeated or used elsewhere are left out", () => {
  const world = new World({ ignore: ["2001:DB8::0:3"] }, {
    isAddressInUse: ({ address }) => address === "192.0.2.2",
  });
  world.names = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::3", "192.0.2.4"];
  world.start();
  assert.deepEqual(world.addresses, ["192.0.2.1", "192.0.2.4"]);
  // one is still wanted: the name is looked up again, ever more rarely
  world.runTo(3600);
  const times = world.lookups.map(({ at }) => at);
  assert.ok(times.length >= 4 && times.length <= 8, `${times.length} lookups in an hour`);
});

Deno.test("a dead member gives way to an address that is left, or to a new one", () => {
  const world = new World();
  world.names = FIVE;
  world.start();
  world.runTo(600);
  world.behaviour.set("192.0.2.1", "silent");
  world.runTo(1200);
  assert.deepEqual(world.addresses, ["192.0.2.2", "192.0.2.4", "2001:db8::3"]);
  assert.deepEqual(world.group.takeRemoved(), [1]);
  assert.deepEqual(world.group.takeRemoved(), []);
  for (const address of ["192.0.2.2", "192.0.2.4"]) world.behaviour.set(address, "silent");
  world.names = ["192.0.2.1", "192.0.2.9"];
  world.runTo(2400);
  assert.deepEqual(world.addresses, ["192.0.2.5", "192.0.2.9", "2001:db8::3"]);
});

Deno.test("a dead member stays when there is no other address", () => {
  const world = new World({ mode: "server", host: "one.example.org", count: 1 });
  world.names = ["192.0.2.1"];
  world.behaviour.set("192.0.2.1", "silent");
  world.start();
  world.runTo(7200);
  assert.deepEqual(world.addresses, ["192.0.2.1"]);
  assert.deepEqual(world.group.takeRemoved(), []);
  assert.ok(world.lookups.length > 3 && world.lookups.length < 12, `${world.lookups.length}`);
  world.names = ["192.0.2.2"];
  world.runTo(12_000);
  assert.deepEqual(world.addresses, ["192.0.2.2"]);
});

Deno.test("a server that never answers gives way quickly to its other address", () => {
  const world = new World({ mode: "server", count: 1 });
  world.names = ["2001:db8::1", "192.0.2.1"];
  world.behaviour.set("2001:db8::1", "silent");
  world.start();
  assert.deepEqual(world.addresses, ["2001:db8::1"]);
  world.runTo(60);
  assert.deepEqual(world.addresses, ["192.0.2.1"]);
});

Deno.test("a numeric address is never looked up, and asked again an hour after a denial", () => {
  const world = new World({ mode: "server", host: "2001:db8::1", count: 1 });
  world.behaviour.set("2001:db8::1", "denies");
  world.start();
  world.runTo(1000);
  assert.equal(world.group.members[0]?.isStopped, true);
  world.behaviour.set("2001:db8::1", "answers");
  world.runTo(5000);
  assert.equal(world.group.members[0]?.isReachable, true);
  assert.deepEqual(world.group.takeRemoved(), [1]);
  assert.equal(world.lookups.length, 0);
});

Deno.test("a lasting falseticker leaves a pool, a named server stays", () => {
  for (const mode of ["pool", "server"] as const) {
    const world = new World({ mode, count: 3 });
    world.names = FIVE;
    world.start();
    world.runTo(100);
    world.group.noteFalseticker(1, true, world.now);
    world.runTo(500);
    world.group.noteFalseticker(1, true, world.now);
    assert.ok(world.addresses.includes("192.0.2.1"));
    world.runTo(800);
    assert.equal(world.addresses.includes("192.0.2.1"), mode === "server");
  }
});

Deno.test("a short doubt about a member is forgiven", () => {
  const world = new World();
  world.names = FIVE;
  world.start();
  world.runTo(100);
  world.group.noteFalseticker(1, true, 100);
  world.group.noteFalseticker(1, false, 200);
  world.group.noteFalseticker(1, true, 650);
  world.runTo(1200);
  assert.ok(world.addresses.includes("192.0.2.1"));
});

Deno.test("a name that cannot be looked up is told once and tried ever more rarely", () => {
  const world = new World();
  world.names = "Name or service not known";
  world.start();
  world.runTo(24 * 3600);
  assert.deepEqual(world.logs, [
    "Source pool.example.org cannot be looked up: Name or service not known",
  ]);
  assert.equal(world.group.trouble, "Name or service not known");
  const gaps = world.lookups.slice(1).map(({ at }, i) => at - (world.lookups[i]?.at ?? 0));
  assert.ok((gaps[0] ?? 0) >= 4 && (gaps[0] ?? 9) <= 5);
  // without any server the network may be the reason, so never more than about a minute
  assert.ok(Math.max(...gaps) >= 64 && Math.max(...gaps) <= 80);
  world.names = FIVE;
  world.runTo(25 * 3600);
  assert.equal(world.addresses.length, 3);
  assert.equal(world.group.trouble, undefined);
});

Deno.test("after a suspend the name is looked up again at once", () => {
  const world = new World({ mode: "server", count: 1 });
  world.names = ["192.0.2.1"];
  world.behaviour.set("192.0.2.1", "silent");
  world.start();
  world.runTo(20_000);
  const before = world.lookups.length;
  world.group.requestBurst(world.now);
  world.runTo(world.now + 0.1);
  assert.equal(world.lookups.length, before + 1);
  world.group.requestBurst(world.now);
  world.runTo(world.now + 3);
  assert.equal(world.lookups.length, before + 1);
});

Deno.test("what is not of this group is left to others", () => {
  const world = new World();
  assert.equal(world.group.handleResolved({ lookup: 99, result: ok([]) }, 0), undefined);
  assert.equal(
    world.group.handleKeysExchanged({ association: 99, result: err("x") }, 0),
    undefined,
  );
});

const OUTCOME: KeyExchangeOutcome = {
  aead: 15,
  keyC2s: new Uint8Array(32),
  keyS2c: new Uint8Array(32),
  cookies: [],
  ntpServer: undefined,
  ntpPort: undefined,
  peerAddress: "192.0.2.7",
  compliantExporter: false,
  provisional: false,
};

function secured(config: Partial<SourceGroupConfig> = {}) {
  const told: boolean[] = [];
  const session = (): PacketProtection => ({
    authentication: "nts",
    protect: (packet) => ok({ packet, uniqueIdentifier: new Uint8Array(0) }),
    verify: () => ok({}),
    endKeyExchange: (result) => told.push(result.ok),
  });
  const world = new World({ mode: "nts", count: 1, port: 4460, ...config }, {
    startSession: session,
  });
  return { world, told, session };
}

function finish(world: World, id: number, outcome: Partial<KeyExchangeOutcome> | string): void {
  const result = typeof outcome === "string" ? err(outcome) : ok({ ...OUTCOME, ...outcome });
  const event = { association: id, result };
  world.take(world.group.handleKeysExchanged(event, world.now) ?? assert.fail("not of this group"));
}

function endpoint(address: SocketAddress | undefined): string {
  return `${address?.address} ${address?.port}`;
}

Deno.test("a secured source exchanges keys first, and asks the server that they name", () => {
  const { world, told } = secured();
  world.start();
  assert.deepEqual([world.exchanges, world.addresses], [[1], []]);
  finish(world, 1, {});
  assert.equal(endpoint(world.group.members[0]?.address), "192.0.2.7 123");
  assert.equal(world.group.member(1)?.protection?.authentication, "nts");
  finish(world, 1, {});
  assert.deepEqual(told, [true]);

  const { world: other } = secured();
  other.names = ["192.0.2.8"];
  other.start();
  finish(other, 1, { ntpServer: "ntp.example.org", ntpPort: 1123 });
  assert.deepEqual(other.lookups.map(({ host }) => host), ["ntp.example.org"]);
  assert.equal(endpoint(other.group.members[0]?.address), "192.0.2.8 1123");
});

Deno.test("key exchanges that fail are repeated after growing waits, and told once for each reason", () => {
  const { world } = secured();
  world.start();
  const times: number[] = [];
  for (let i = 1; i <= 20; i++) {
    times.push(world.now);
    finish(world, i, "Certificate has expired");
    world.runTo(world.group.nextWakeup());
  }
  assert.deepEqual(world.logs, [
    "Source pool.example.org has no keys: Certificate has expired",
  ]);
  // RFC 8915 section 4.2: 10 s, 15 s, 22.5 s ... and here up to a tenth more
  for (let i = 0; i < 19; i++) {
    const gap = (times[i + 1] ?? 0) - (times[i] ?? 0), least = 10 * 1.5 ** i;
    assert.ok(gap >= least * 0.999999 && gap <= least * 1.1, `wait ${i}: ${gap}`);
  }
});

Deno.test("a secured pool has members at different addresses", () => {
  const { world } = secured({ mode: "nts-pool", count: 2 });
  world.start();
  assert.deepEqual(world.exchanges, [1, 2]);
  finish(world, 1, {});
  finish(world, 2, {});
  assert.deepEqual(world.addresses, ["192.0.2.7"]);
  world.runTo(11.1);
  assert.deepEqual(world.exchanges, [1, 2, 3]);
  finish(world, 3, { peerAddress: "192.0.2.9" });
  assert.deepEqual(world.addresses, ["192.0.2.7", "192.0.2.9"]);
});

Deno.test("saved keys make a member without an exchange", () => {
  const { world, session } = secured();
  world.group.adopt({ family: "ipv4", address: "192.0.2.3", port: 123 }, session(), 0);
  world.start();
  assert.deepEqual([world.exchanges, world.addresses], [[], ["192.0.2.3"]]);
});

Deno.test("a group that is stopped closes what is open", () => {
  const world = new World();
  world.names = FIVE;
  for (const address of FIVE) world.behaviour.set(address, "silent");
  world.start();
  world.runTo(0.2);
  assert.deepEqual(world.group.stop().map(({ type }) => type), ["close", "close", "close"]);
  assert.deepEqual(world.group.members, []);
});
