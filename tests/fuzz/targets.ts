/**
 * What is fuzzed: every decoder that reads octets from outside, with inputs from which to start and with what must hold.
 *
 * A target throws when something does not hold; a decoder that throws by itself is a fault as well.
 *
 * @module
 */
import assert from "node:assert/strict";
import { present } from "../../src/base/assert.ts";
import { type Bytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { HttpRequestReader, type RequestStep } from "../../src/daemon/http_request.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { decodeCookieStore } from "../../src/nts/cookie_store.ts";
import { KeyExchangeClient } from "../../src/nts/key_exchange_client.ts";
import { KeyExchangeServer } from "../../src/nts/key_exchange_server.ts";
import { Keyset } from "../../src/nts/keyset.ts";
import { verifyAnswer } from "../../src/nts/response_fields.ts";
import { readFields } from "../../src/protocol/extension_field.ts";
import { decodeHeader, encodeHeader } from "../../src/protocol/header.ts";
import { decodePacket } from "../../src/protocol/packet.ts";
import { formatReferenceId } from "../../src/protocol/reference_id.ts";
import { HOSTILE_ENGINE } from "./hostile_engine.ts";
import { SERVER_TARGETS } from "./server_targets.ts";
import { SourceWorld } from "../support/source_world.ts";
import { CAPTURED_ANSWER, CAPTURED_REQUEST } from "../vectors/nts_packets.ts";

/** One thing to be fuzzed. */
export interface FuzzTarget {
  /** The word for it, also of its folder in the corpus. */
  readonly name: string;
  /** Inputs to start from, as hexadecimal. */
  readonly seeds: readonly string[];
  /** Takes an input; throws when something does not hold. */
  readonly run: (octets: Bytes) => void;
}

// Captured packets of ntpd-rs's tests (data only)
const REQUEST =
  "230206e8000003ff0000037d5ec69f0fe5f662987b61b9afe5f663667b64995de5f6636681405590e5f663a8761dde48";
const ANSWER =
  "240206e900000236000003b7c035676ce5f661fd6f165f03e5f663a87619ef40e5f663a8798c6581e5f663a8798eae2b";
const RATE = "e4000a0000000000000000005241544500000000000000000000000000000000" + "00".repeat(16);

/** Records of the key exchange, from RFC 8915 section 4 and NTPsec's tests. */
const KE_REQUEST = "8001000200008004000200" + "0f80000000";
const KE_ANSWER = "800100020000" + "80040002000f" + "00050064" + "5a".repeat(100) +
  "8006000b6e74702e6578616d706c65" + "800700021f90" + "80000000";
const KE_ERROR = "800200020001" + "80000000";

const HTTP_REQUEST = toHex(
  new TextEncoder().encode("GET /status?x HTTP/1.1\r\nHost: localhost:9975\r\nAccept: */*\r\n\r\n"),
);
const HTTP_ABSOLUTE = toHex(
  new TextEncoder().encode("HEAD http://[::1]:9975/metrics HTTP/1.0\nHost: a.example\n\n"),
);

const CONFIG_TEXT = `[source-defaults]
poll-interval-limits = { min = 4, max = 10 }
[[source]]
mode = "pool"
address = "pool.ntp.org:123"
count = 4
[[server]]
listen = "[::]:123"
rate-limit = { interval = 3, burst = 8, leak = 2 }
[synchronization]
step-threshold = "128ms"
`;

const ANSWER_KEY = present(fromHex(CAPTURED_ANSWER.key), "A key is hexadecimal");
const IDENTIFIER = present(fromHex(CAPTURED_ANSWER.uniqueIdentifier), "It is hexadecimal");

/** All targets. */
export const TARGETS: readonly FuzzTarget[] = [
  ...SERVER_TARGETS,
  HOSTILE_ENGINE,
  {
    name: "header",
    seeds: [REQUEST, ANSWER, RATE],
    run(octets) {
      const header = decodeHeader(octets);
      assert.equal(header.ok, octets.length >= 48);
      if (!header.ok) return;
      assert.equal(toHex(encodeHeader(header.value)), toHex(octets.subarray(0, 48)));
      assert.ok(formatReferenceId(header.value.referenceId, header.value).length <= 15);
    },
  },
  {
    name: "packet",
    seeds: [REQUEST, ANSWER + "00000000", CAPTURED_REQUEST.packet, CAPTURED_ANSWER.packet],
    run(octets) {
      const packet = decodePacket(octets);
      if (!packet.ok) return;
      const { fields, trailer } = packet.value;
      const end = fields.reduce((at, { offset, length }) => {
        assert.equal(offset, at);
        return at + length;
      }, 48);
      assert.equal(trailer.kind === "none" ? octets.length : trailer.offset, end);
    },
  },
  {
    name: "fields",
    seeds: [CAPTURED_ANSWER.packet.slice(96), "f0000004" + "0204000811223344"],
    run(octets) {
      const fields = readFields(octets, 4);
      if (!fields.ok) return;
      const total = fields.value.reduce((sum, { length }) => sum + length, 0);
      assert.equal(total, octets.length);
    },
  },
  { name: "source", seeds: [ANSWER, RATE, ANSWER + "00000000"], run: fuzzSource },
  {
    name: "nts-answer",
    seeds: [CAPTURED_ANSWER.packet],
    run(octets) {
      const verified = verifyAnswer(octets, {
        uniqueIdentifier: IDENTIFIER,
        aead: portableAead(17, ANSWER_KEY),
        authenticBefore: true,
      });
      if (!verified.ok || verified.value.kind !== "authentic") return;
      // only what the server sealed is authentic: nothing before the authenticator's end may differ
      const { authenticLength } = verified.value;
      const sealed = CAPTURED_ANSWER.packet.slice(0, 2 * authenticLength);
      assert.equal(toHex(octets.subarray(0, authenticLength)), sealed);
    },
  },
  {
    name: "ke-client",
    seeds: [KE_ANSWER, KE_ERROR],
    run(octets) {
      const whole = new KeyExchangeClient({ aeadIds: [15, 30] }).feed(octets);
      const pieces = new KeyExchangeClient({ aeadIds: [15, 30] });
      const half = octets.length >> 1;
      const first = pieces.feed(octets.subarray(0, half));
      if (!first.ok || first.value !== undefined) return;
      assert.deepEqual(pieces.feed(octets.subarray(half)), whole);
    },
  },
  {
    name: "ke-server",
    seeds: [KE_REQUEST],
    run(octets) {
      const server = new KeyExchangeServer({
        aeadIds: [15, 30],
        ntpServer: undefined,
        ntpPort: undefined,
      });
      const step = server.feed(octets);
      if (step.kind === "refuse") assert.ok(step.response.length <= 64);
      if (step.kind === "export-keys") assert.ok([15, 30].includes(step.aeadId));
    },
  },
  {
    name: "keyset",
    seeds: [],
    run(octets) {
      assert.equal(Keyset.restore(octets, 2).ok, false, "noise has no right checksum");
    },
  },
  {
    name: "cookie-store",
    seeds: [toHex(new TextEncoder().encode('{"version":1,"sources":[]}'))],
    run(octets) {
      assert.equal(decodeCookieStore(octets).ok, false, "noise has no right checksum");
    },
  },
  {
    name: "http-request",
    seeds: [HTTP_REQUEST, HTTP_ABSOLUTE],
    run(octets) {
      const whole = readRequest(octets, octets.length);
      assert.deepEqual(readRequest(octets, 7), whole, "pieces do not matter");
      if (whole.kind === "request") assert.ok(!/[^!-~]/.test(whole.request.path));
    },
  },
  {
    name: "config",
    seeds: [toHex(new TextEncoder().encode(CONFIG_TEXT))],
    run(octets) {
      const parsed = parseConfig(new TextDecoder().decode(octets));
      if (!parsed.ok) assert.ok(parsed.error.length > 0, "a refusal says why");
    },
  },
];

function readRequest(octets: Bytes, piece: number): RequestStep {
  const reader = new HttpRequestReader();
  let step: RequestStep = { kind: "wait" };
  for (let at = 0; at < octets.length && step.kind === "wait"; at += piece) {
    step = reader.feed(octets.subarray(at, at + piece));
  }
  return step;
}

/** Gives the octets to a source as the answer to its open request, once as they are and once with the right random number. */
function fuzzSource(octets: Bytes): void {
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
  assert.equal(member.isStopped, false, "one answer stops nothing");
  assert.ok(member.poll <= 10);
  world.runTo(2000);
}
