import assert from "node:assert/strict";
import { exampleControlView } from "../../../tests/support/control_example.ts";
import { exampleServer } from "../../../tests/support/status_example.ts";
import { SeededRandom } from "../../base/random.ts";
import type { ControlView } from "../control_view.ts";
import { readControlRequest } from "./control_message.ts";
import { NtpqResponder } from "./respond.ts";

const view = exampleControlView();
const responder = makeResponder(view);
const CLIENT = { client: "127.0.0.1:4000", now: 100 };

function makeResponder(of: ControlView): NtpqResponder {
  return new NtpqResponder({
    view: () => of,
    random: new SeededRandom(1),
    precision: -22,
    system: "Linux",
  });
}

function requestOf(
  opcode: number,
  { association = 0, text = "", first = 0x16 }: {
    readonly association?: number;
    readonly text?: string;
    readonly first?: number;
  } = {},
): Uint8Array {
  const data = new TextEncoder().encode(text);
  const view = new DataView(new ArrayBuffer(12 + 4 * Math.ceil(data.length / 4)));
  view.setUint8(0, first);
  view.setUint8(1, opcode);
  view.setUint16(2, 77);
  view.setUint16(6, association);
  view.setUint16(10, data.length);
  const bytes = new Uint8Array(view.buffer);
  bytes.set(data, 12);
  return bytes;
}

interface Read {
  readonly error: number | undefined;
  readonly status: number;
  readonly data: Uint8Array;
  readonly text: string;
}

/** Puts the fragments of a response together, as a client does. */
function ask(...[opcode, request = {}]: Parameters<typeof requestOf>): Read {
  const messages = responder.respond(requestOf(opcode, request), CLIENT);
  assert.ok(messages.length > 0, "it is answered");
  const data: number[] = [];
  let status = 0, error: number | undefined;
  for (const [i, message] of messages.entries()) {
    const view = new DataView(message.buffer);
    const bits = view.getUint8(1);
    assert.equal(view.getUint8(0) & 0x3f, (request.first ?? 0x16) & 0x3f);
    assert.equal(bits & 0x9f, 0x80 | opcode);
    assert.equal((bits & 0x20) !== 0, i < messages.length - 1, "only the last says so");
    assert.equal(view.getUint16(2), 77, "the sequence is repeated");
    assert.equal(view.getUint16(6), request.association ?? 0);
    assert.equal(view.getUint16(8), data.length, "no octet is missing");
    const count = view.getUint16(10);
    assert.ok(count <= 468 && message.length % 4 === 0);
    assert.ok(message.subarray(12 + count).every((octet) => octet === 0), "padding tells nothing");
    data.push(...message.subarray(12, 12 + count));
    status = view.getUint16(4);
    error = (bits & 0x40) === 0 ? undefined : status >> 8;
  }
  const bytes = Uint8Array.from(data);
  return { error, status, data: bytes, text: new TextDecoder().decode(bytes) };
}

function variables(text: string): ReadonlyMap<string, string> {
  assert.match(text, /\r\n$/);
  const items = text.trimEnd().split(/,\s+/).map((item) => item.split("="));
  return new Map(items.map(([name = "", ...value]) => [name, value.join("=")]));
}

function associations(): readonly { readonly number: number; readonly status: number }[] {
  const { data } = ask(1);
  const view = new DataView(data.buffer);
  return Array.from({ length: data.length / 4 }, (_, i) => ({
    number: view.getUint16(4 * i),
    status: view.getUint16(4 * i + 2),
  }));
}

Deno.test("ntpq: the associations and their tally codes", () => {
  const known = view.peers.filter(({ address }) => address !== undefined);
  const listed = associations();
  assert.equal(listed.length, known.length);
  for (const [i, { number, status }] of listed.entries()) {
    assert.ok(number > 0);
    const word = known[i]?.document.status;
    if (word === "selected") assert.equal((status >> 8) & 7, 6);
    if (word === "falseticker") assert.equal((status >> 8) & 7, 1);
    assert.equal((status & 0x8000) !== 0, true, "they are configured");
  }
});

Deno.test("ntpq: the system in ntpd's units and words", () => {
  const told = variables(ask(2).text);
  assert.equal(Number(told.get("offset")), 1000 * (view.status.offsetSeconds ?? NaN));
  assert.equal(told.get("frequency"), view.status.frequencyPpm.toFixed(6));
  assert.equal(told.get("refid"), "192.0.2.1");
  assert.equal(told.get("stratum"), `${view.status.stratum}`);
  assert.match(told.get("clock") ?? "", /^0x[0-9a-f]{8}\.[0-9a-f]{8}$/);
  assert.notEqual([...told.keys()].at(-1), "leap", "waiting clients look for a comma behind it");
});

Deno.test("ntpq: a source, whole and by names, in any notation that clients have", () => {
  const [first] = associations();
  assert.ok(first);
  const all = variables(ask(2, { association: first.number }).text);
  for (const name of ["srcadr", "hmode", "stratum", "hpoll", "ppoll", "refid", "rec", "reach"]) {
    assert.ok(all.has(name), name);
  }
  assert.match(all.get("reach") ?? "", /^0x/);
  const names = { association: first.number, text: "offset, delay=3,\r\njitter, no-such-name" };
  assert.deepEqual([...variables(ask(2, names).text).keys()], ["offset", "delay", "jitter"]);
});

Deno.test("ntpq: what the server did is counted, the control protocol's own responses too", () => {
  const server = exampleServer({
    received: 100,
    answered: 30,
    kisses: 4,
    controlAnswered: 55,
    dropped: { "unknown-key": 2, "bad-mac": 3, "too-short": 6 },
  });
  const told = (names: string) => {
    const status = { ...view.status, servers: [server] };
    const [message] = makeResponder({ ...view, status }).respond(
      requestOf(2, { text: names }),
      CLIENT,
    );
    assert.ok(message);
    const text = new TextDecoder().decode(message.subarray(12, 12 + (message[11] ?? 0)));
    return Object.fromEntries(variables(text));
  };
  assert.deepEqual(told("io_received,io_sent"), { io_received: "100", io_sent: "89" });
  const names = "ss_processed,ss_kodsent,ss_badauth,ss_badformat";
  const counts = { ss_processed: "30", ss_kodsent: "4", ss_badauth: "5", ss_badformat: "6" };
  assert.deepEqual(told(names), counts);
});

Deno.test("ntpq: what is unknown, and what would change anything, is refused in twelve octets", () => {
  assert.equal(ask(2, { text: "no-such-name" }).error, 5);
  assert.equal(ask(2, { association: 60_000 }).error, 4);
  assert.equal(ask(4).error, 4);
  for (const opcode of [3, 5, 6, 7, 8, 9, 11, 31]) assert.equal(ask(opcode).error, 1, `${opcode}`);
  for (const opcode of [0, 13, 30]) assert.notEqual(ask(opcode).error, undefined, `${opcode}`);
});

Deno.test("ntpq: the list of clients wants a nonce of this client that is fresh", () => {
  const nonce = /nonce=([0-9a-f]+)/.exec(ask(12).text)?.[1] ?? "";
  assert.equal(nonce.length, 24);
  const wanted = requestOf(10, { text: `nonce=${nonce}, frags=32, recent=21, ` });
  const isGiven = (from: typeof CLIENT) => {
    const [message] = responder.respond(wanted, from);
    return ((message?.[1] ?? 0) & 0x40) === 0;
  };
  assert.ok(isGiven(CLIENT));
  assert.ok(!isGiven({ ...CLIENT, client: "127.0.0.1:4001" }), "of another client");
  assert.ok(!isGiven({ ...CLIENT, now: 130 }), "too old");
  assert.equal(ask(10, { text: "frags=32" }).error, 1);
  assert.equal(ask(10, { text: "nonce=0000" }).error, 1);
});

Deno.test("ntpq: the version of the request is answered, and nothing that is no request", () => {
  for (const first of [0x0e, 0x16, 0x1e, 0x26, 0xd6]) ask(2, { first });
  const silent = (bytes: Uint8Array) => assert.deepEqual(responder.respond(bytes, CLIENT), []);
  silent(new Uint8Array(0));
  silent(requestOf(2).subarray(0, 11));
  for (const first of [0x17, 0x23, 0x06, 0x2e]) silent(requestOf(2, { first }));
  for (const bits of [0x82, 0x42, 0x22]) silent(requestOf(bits));
  const [response] = responder.respond(requestOf(2), CLIENT);
  assert.ok(response);
  silent(response);
});

Deno.test("ntpq: the text of a request is read when it is wanted, so that silence costs little", () => {
  const octets = requestOf(2, { text: "leap" });
  const request = readControlRequest(octets);
  octets.set(new TextEncoder().encode("peer"), 12);
  assert.equal(request?.text, "peer");
});

Deno.test("ntpq: any octets get silence or whole messages", () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 10_000; round++) {
    const bytes = new Uint8Array(random.uint32() % 120);
    random.fill(bytes);
    if (bytes.length > 1 && round % 2 === 0) {
      bytes[0] = 0x16;
      bytes[1] = random.uint32() % 32;
    }
    for (const message of responder.respond(bytes, CLIENT)) {
      assert.ok(message.length <= 480 && message.length % 4 === 0);
    }
  }
});
