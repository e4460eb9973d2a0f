/**
 * Network Time Security under fuzz: both machines of the key exchange, fed in any pieces and
 * stopped anywhere; one answer; and whole sessions between our client and our server with somebody
 * between them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { present } from "../../src/base/assert.ts";
import { type Bytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { NtsClientSession } from "../../src/nts/client/session.ts";
import { decodeCookieStore, encodeCookieStore } from "../../src/nts/client/cookie_store.ts";
import { KeyExchangeClient } from "../../src/nts/key_exchange/client.ts";
import { KeyExchangeServer, type ServerStep } from "../../src/nts/key_exchange/server.ts";
import { encodeMessage, RecordReader } from "../../src/nts/key_exchange/record.ts";
import type { ProtectedRequest } from "../../src/nts/client/request_fields.ts";
import { verifyResponse } from "../../src/nts/client/response_fields.ts";
import {
  type BootstrapSource,
  TimeBootstrap,
} from "../../src/engine/authenticated_time/certificate_time.ts";
import { CAPTURED_RESPONSE } from "../vectors/nts_packets.ts";
import { Choices } from "./choices.ts";
import { keyExchangeMessage, requestHeader } from "./grammar_packets.ts";
import { below, between, chance, mutate, noise, pick, several } from "./mutate.ts";
import { makeCookie, makeKeys, makeServer } from "./full_server.ts";
import type { FuzzTarget } from "./target.ts";

/** Records of the key exchange, from RFC 8915 section 4 and NTPsec's tests. */
const KE_REQUEST = "8001000200008004000200" + "0f80000000";
const KE_RESPONSE = "800100020000" + "80040002000f" + "00050064" + "5a".repeat(100) +
  "8006000b6e74702e6578616d706c65" + "800700021f90" + "80000000";
const KE_ERROR = "800200020001" + "80000000";

const ANSWER_KEY = present(fromHex(CAPTURED_RESPONSE.key), "A key is hexadecimal");
const IDENTIFIER = present(fromHex(CAPTURED_RESPONSE.uniqueIdentifier), "It is hexadecimal");
const AEADS = [15, 30, 17, 16] as const;
const STEPS_MAX = 40;

/** The targets. */
export const NTS_TARGETS: readonly FuzzTarget[] = [
  {
    name: "nts-answer",
    oracle: "only what the server sealed is authentic",
    budget: 800,
    seeds: [CAPTURED_RESPONSE.packet],
    generate: (random) => mutate(random, [captured()]),
    run(octets) {
      const verified = verifyResponse(octets, {
        uniqueIdentifier: IDENTIFIER,
        aead: portableAead(17, ANSWER_KEY),
        authenticBefore: true,
      });
      if (!verified.ok || verified.value.kind !== "authentic") return;
      // nothing before the authenticator's end may differ
      const { authenticLength } = verified.value;
      const sealed = CAPTURED_RESPONSE.packet.slice(0, 2 * authenticLength);
      assert.equal(toHex(octets.subarray(0, authenticLength)), sealed);
    },
  },
  {
    name: "nts-session",
    oracle:
      "no cookie is sent twice; only untouched responses to the open request are authentic; " +
      "no response is longer than its request; what is saved is read again",
    isStateful: true,
    budget: 60,
    seeds: ["00".repeat(40)],
    generate: (random) => noise(random, below(random, 400)),
    run: (octets) => new Session(new Choices(octets)).run(),
  },
  {
    name: "time-bootstrap",
    oracle:
      "what is agreed on has a quorum of keys behind it, the majority of those that make sense, lies within their dates " +
      "and not before a time that has passed; that time never goes back",
    isStateful: true,
    budget: 1000,
    seeds: ["00".repeat(40)],
    generate: (random) => noise(random, below(random, 200)),
    run: (octets) => bootstrap(new Choices(octets)),
  },
  {
    name: "ke-client",
    oracle:
      "the pieces in which a response comes do not matter; keys are of an algorithm that was offered, cookies are there",
    isStateful: true,
    budget: 2000,
    seeds: [KE_RESPONSE, KE_ERROR],
    generate: (random) => keyExchangeMessage(random, "server"),
    run(octets) {
      const whole = new KeyExchangeClient({ aeadIds: [15, 30] }).feed(octets);
      const machine = new KeyExchangeClient({ aeadIds: [15, 30] });
      let answer = machine.feed(new Uint8Array(0));
      for (const piece of pieces(octets)) {
        if (!answer.ok || answer.value !== undefined) break;
        answer = machine.feed(piece);
      }
      // What follows the end may come too late to be seen.
      if (whole.ok || whole.error !== "octets-after-end") assert.deepEqual(answer, whole);
      if (!whole.ok) return;
      if (whole.value === undefined) return void machine.closed();
      assert.ok([15, 30].includes(whole.value.aeadId) && whole.value.cookies.length > 0);
      rereadRecords(octets);
    },
  },
  {
    name: "ke-server",
    oracle:
      "a refusal is short; keys are exported for algorithms that there are; the response is one that our client takes",
    isStateful: true,
    budget: 2000,
    seeds: [KE_REQUEST],
    generate: (random) => keyExchangeMessage(random, "client"),
    run: fuzzKeServer,
  },
];

function captured(): Bytes {
  return present(fromHex(CAPTURED_RESPONSE.packet), "A packet is hexadecimal");
}

/** Cuts octets as they say themselves. */
function pieces(octets: Bytes): Bytes[] {
  const cut: Bytes[] = [];
  for (let at = 0; at < octets.length;) {
    const length = 1 + (octets[at] ?? 0) % 60;
    cut.push(octets.subarray(at, at + length));
    at += length;
  }
  return cut;
}

function rereadRecords(octets: Bytes): void {
  const records = new RecordReader(65_536).push(octets);
  if (!records.ok || records.value === undefined) return;
  assert.equal(toHex(encodeMessage(records.value)), toHex(octets));
}

function fuzzKeServer(octets: Bytes): void {
  const options = { aeadIds: AEADS, ntpServer: "ntp.example.net", ntpPort: 1123 };
  const server = new KeyExchangeServer(options);
  let step: ServerStep = { kind: "wait" };
  for (const piece of pieces(octets)) {
    step = server.feed(piece);
    if (step.kind !== "wait") break;
  }
  if (step.kind === "wait") step = octets.length % 2 === 0 ? server.closed() : server.timedOut();
  if (step.kind === "refuse") return assert.ok(step.response.length <= 64);
  assert.ok(step.kind === "export-keys" && AEADS.includes(step.aeadId));
  const { aeadId } = step;
  if (octets.length % 7 === 0) {
    const failed = server.internalError();
    return assert.ok(failed.kind === "refuse" && failed.response.length <= 64);
  }
  const answer = server.complete(several(8, () => new Uint8Array(100)));
  const taken = new KeyExchangeClient({ aeadIds: [aeadId] }).feed(answer);
  assert.ok(taken.ok && taken.value?.aeadId === aeadId && taken.value.cookies.length === 8);
}

const CLOCK = 1.78e9;

/** Lets sources vote for a time, with dates and measurements of any kind. */
function bootstrap(choices: Choices): void {
  const quorum = 1 + below(choices, 3);
  const machine = new TimeBootstrap({
    strict: chance(choices, 0.05),
    clockIsTrusted: chance(choices, 0.05),
    quorum,
    lowerBounds: [1.7e9, between(choices, 1, 2e9)],
  });
  const sources = new Map<number, BootstrapSource>();
  for (let i = 0; i < STEPS_MAX && !choices.isOver; i++) {
    const before = machine.lowerBound;
    stepBootstrap(machine, { choices, sources, quorum });
    assert.ok(machine.lowerBound >= before, "what has passed has passed");
  }
}

function stepBootstrap(
  machine: TimeBootstrap,
  { choices, sources, quorum }: {
    readonly choices: Choices;
    readonly sources: Map<number, BootstrapSource>;
    readonly quorum: number;
  },
): void {
  const id = below(choices, 6);
  switch (below(choices, 8)) {
    case 0:
    case 1:
    case 2: {
      const notBefore = CLOCK + between(choices, 1, 1e8) * (chance(choices, 0.5) ? 1 : -1);
      const notAfter = notBefore + between(choices, 1, 1e8);
      const key = pick(choices, ["a", "b", "c", "d", undefined]);
      const certificate = chance(choices, 0.9) ? { notBefore, notAfter } : undefined;
      sources.set(id, { host: pick(choices, ["x", "y", "z"]), key, certificate });
      return machine.add(id, sources.get(id) ?? { host: "", certificate: undefined });
    }
    case 3:
      sources.delete(id);
      return machine.remove(id);
    case 7:
      if (!machine.isProvisional) return machine.passed(CLOCK + between(choices, 1, 1e9));
      return lookAtQuorum(machine, { sources, quorum });
    default: {
      const offset = pick(choices, [0, 0, 3e7, -3e7, between(choices, 1, 1e9)]);
      return machine.measured(id, { offset, error: between(choices, 1e-3, 10) });
    }
  }
}

function lookAtQuorum(
  machine: TimeBootstrap,
  { sources, quorum }: {
    readonly sources: ReadonlyMap<number, BootstrapSource>;
    readonly quorum: number;
  },
): void {
  const outcome = machine.findQuorum(CLOCK);
  assert.ok(outcome.kind !== "not-needed");
  if (outcome.kind === "provisional") return assert.ok(outcome.needed >= quorum);
  const time = CLOCK + outcome.offset;
  assert.ok(Number.isFinite(time) && time >= machine.lowerBound, `${time}`);
  const voters = outcome.sources.map((id) => sources.get(id));
  const keys = new Set(voters.map((source) => source?.key ?? source?.host));
  assert.ok(keys.size >= quorum, `${keys.size} keys for a quorum of ${quorum}`);
  for (const source of voters) {
    const { notBefore = -Infinity, notAfter = Infinity } = source?.certificate ?? {};
    assert.ok(time >= notBefore && time <= notAfter, "within its own dates");
  }
  machine.confirm();
}

/** A session of our client with our server, and somebody between them. */
class Session {
  readonly #choices: Choices;
  readonly #session = new NtsClientSession({ aead: portableAead });
  readonly #server = makeServer("open");
  readonly #cookies = new Set<string>();
  readonly #answers: Bytes[] = [];
  #open: { readonly asked: ProtectedRequest; readonly answer: Bytes | undefined } | undefined;

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  run(): void {
    this.#install();
    for (let i = 0; i < STEPS_MAX && !this.#choices.isOver; i++) {
      const kind = below(this.#choices, 10);
      if (kind < 4) this.#ask();
      else if (kind < 8) this.#receive();
      else if (kind === 8) this.#save();
      else this.#install();
      assert.ok(this.#session.cookieCount <= 8);
    }
    this.#session.close();
  }

  #install(): void {
    const aeadId = pick(this.#choices, AEADS);
    const keys = makeKeys(aeadId, [below(this.#choices, 256), below(this.#choices, 256)]);
    const cookies = several(1 + below(this.#choices, 8), () => makeCookie(aeadId, keys));
    this.#open = undefined;
    this.#session.install({
      aeadId,
      keys: chance(this.#choices, 0.9) ? keys : makeKeys(aeadId, [1, 2]),
      alternativeKeys: chance(this.#choices, 0.2) ? keys : undefined,
      cookies,
      ntpServer: undefined,
      ntpPort: 123,
      authenticBefore: chance(this.#choices, 0.3),
    });
  }

  #ask(): void {
    const need = this.#session.needsKeyExchange();
    if (need !== undefined && need !== "refused") return this.#install();
    const header = requestHeader(this.#choices);
    header[0] = 0x23;
    const asked = this.#session.protect(header, this.#choices);
    assert.ok(asked.ok);
    // The cookie is the field after the identifier of 32 octets.
    const { packet } = asked.value;
    const cookie = toHex(packet.subarray(88, 88 + 60));
    assert.ok(!this.#cookies.has(cookie), "no cookie is sent twice");
    this.#cookies.add(cookie);
    const answer = this.#server.askOne(packet);
    if (answer !== undefined) assert.ok(answer.length <= packet.length);
    this.#open = { asked: asked.value, answer: answer?.slice() };
  }

  #receive(): void {
    if (this.#open === undefined) return this.#ask();
    const { asked, answer = new Uint8Array(48) } = this.#open;
    const kind = below(this.#choices, 4);
    const packet = kind === 0
      ? mutate(this.#choices, [answer]).slice() as Bytes
      : kind === 1
      ? pick(this.#choices, [...this.#answers, answer])
      : answer;
    const verified = this.#session.verify(packet, asked.uniqueIdentifier);
    if (!verified.ok || verified.value.kind !== "authentic") return;
    const { authenticLength } = verified.value;
    assert.equal(
      toHex(packet.subarray(0, authenticLength)),
      toHex(answer.subarray(0, authenticLength)),
      "only untouched responses to the open request are authentic",
    );
    this.#answers.push(answer);
    this.#open = undefined;
  }

  #save(): void {
    const aside = chance(this.#choices, 0.5) ? this.#session.setAside(2) : this.#session.export();
    if (aside === undefined) return;
    const sessions = new Map([["a 1", aside]]);
    const read = decodeCookieStore(encodeCookieStore(sessions));
    assert.ok(read.ok);
    assert.deepEqual(read.value, sessions);
  }
}
