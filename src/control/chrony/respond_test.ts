import assert from "node:assert/strict";
import { exampleControlView } from "../../../tests/support/control_example.ts";
import { exampleServer } from "../../../tests/support/status_example.ts";
import { decodeFloat } from "../../../tests/support/chrony_float.ts";
import { ChronyResponder } from "./respond.ts";

const view = exampleControlView();
const responder = new ChronyResponder(() => view);

/** A request as chronyc makes it: a command, its payload of 32-bit numbers, padded. */
function requestOf(
  command: number,
  { length, words = [], version = 6 }: {
    readonly length: number;
    readonly words?: readonly number[];
    readonly version?: number;
  },
): Uint8Array {
  const view = new DataView(new ArrayBuffer(length));
  view.setUint8(0, version);
  view.setUint8(1, 1);
  view.setUint16(4, command);
  view.setUint32(8, 0xfeed_beef);
  for (const [i, word] of words.entries()) view.setUint32(20 + 4 * i, word);
  return new Uint8Array(view.buffer);
}

function responseTo(...args: Parameters<typeof requestOf>): DataView {
  const [response] = responder.respond(requestOf(...args));
  assert.ok(response, "it is answered");
  assert.ok(response.length <= args[1].length, "no response is longer than its request");
  const view = new DataView(response.buffer);
  assert.equal(view.getUint8(0), 6);
  assert.equal(view.getUint8(1), 2);
  assert.equal(view.getUint16(4), args[0], "the command is repeated");
  assert.equal(view.getUint32(16), 0xfeed_beef, "the sequence is repeated");
  return view;
}

function statusOf(...args: Parameters<typeof requestOf>): number {
  return responseTo(...args).getUint16(8);
}

Deno.test("chronyc: tracking has the signs of chrony", () => {
  const { status, updates } = view;
  const response = responseTo(33, { length: 104 });
  assert.equal(response.getUint16(6), 5);
  assert.equal(response.getUint16(52), status.stratum);
  const near = (at: number, value: number) => {
    const read = decodeFloat(response.getInt32(at));
    assert.ok(Math.abs(read - value) <= 1e-6 * Math.abs(value), `${read} is not ${value}`);
  };
  near(68, status.offsetSeconds ?? NaN);
  near(72, -updates.last);
  near(76, updates.rms);
  near(80, -status.frequencyPpm);
  near(92, status.rootDelaySeconds);
});

Deno.test("chronyc: a control request that the server answered is none that it dropped", () => {
  const server = exampleServer({ received: 100, answered: 30, controlAnswered: 55 });
  const status = { ...view.status, servers: [server] };
  const [response] = new ChronyResponder(() => ({ ...view, status }))
    .respond(requestOf(54, { length: 48 }));
  assert.ok(response);
  const counts = new DataView(response.buffer);
  assert.deepEqual([counts.getUint32(28), counts.getUint32(36)], [100, 15]);
});

Deno.test("chronyc: each source in its place, and one beyond the list is none", () => {
  const { peers } = view;
  assert.equal(responseTo(14, { length: 32 }).getUint32(28), peers.length);
  for (const [index, { document }] of peers.entries()) {
    const response = responseTo(15, { length: 76, words: [index] });
    assert.equal(response.getUint16(58), document.reach);
    const family = document.address === null ? 3 : document.address.startsWith("[") ? 2 : 1;
    assert.equal(response.getUint16(44), family);
    responseTo(34, { length: 84, words: [index] });
    responseTo(69, { length: 76, words: [index] });
  }
  for (const command of [15, 34, 69]) {
    assert.equal(statusOf(command, { length: 84, words: [peers.length] }), 4);
    assert.equal(statusOf(command, { length: 84, words: [0xffff_ffff] }), 4);
  }
});

Deno.test("chronyc: sources by address, in the form that the length asks for", () => {
  const address = [0xc000_0201, 0, 0, 0, 0x0001_0000]; // 192.0.2.1
  assert.equal(responseTo(57, { length: 152, words: address }).getUint16(6), 16);
  assert.equal(responseTo(57, { length: 172, words: address }).getUint16(6), 26);
  assert.equal(responseTo(67, { length: 52, words: address }).getUint16(6), 20);
  assert.equal(responseTo(65, { length: 284, words: address }).getUint16(6), 19);
  const unknown = [0x0a00_0001, 0, 0, 0, 0x0001_0000];
  for (const command of [57, 67, 65]) {
    assert.equal(statusOf(command, { length: 284, words: unknown }), 4);
    assert.equal(statusOf(command, { length: 284, words: [0, 0, 0, 0, 0x0009_0000] }), 4);
  }
});

Deno.test("chronyc: server statistics in the form that the length asks for", () => {
  const forms = [[48, 14], [60, 22], [72, 24], [196, 25], [416, 25]] as const;
  for (const [length, code] of forms) assert.equal(responseTo(54, { length }).getUint16(6), code);
});

Deno.test("chronyc: what is refused, unknown, too short or of another version gets 28 octets", () => {
  const small = (...args: Parameters<typeof requestOf>) => {
    const view = responseTo(...args);
    assert.equal(view.byteLength, 28);
    return view.getUint16(8);
  };
  for (const command of [1, 3, 11, 29, 42, 43, 56, 62, 63, 64]) {
    assert.equal(small(command, { length: 520 }), 2, `${command} is refused`);
  }
  for (const command of [0, 10, 12, 76, 1000, 65535]) {
    assert.equal(small(command, { length: 520 }), 3, `${command} is unknown`);
  }
  assert.equal(small(33, { length: 103 }), 19);
  assert.equal(small(14, { length: 28 }), 19);
  for (const version of [5, 7, 255]) assert.equal(small(33, { length: 104, version }), 18);
});

Deno.test("chronyc: silence for what is no request", () => {
  const silent = (datagram: Uint8Array) => assert.deepEqual(responder.respond(datagram), []);
  silent(new Uint8Array(0));
  silent(requestOf(33, { length: 104 }).subarray(0, 27));
  silent(requestOf(33, { length: 900 }));
  for (const version of [0, 1, 4]) silent(requestOf(33, { length: 104, version }));
  const response = requestOf(33, { length: 104 });
  response[1] = 2;
  silent(response);
  for (const at of [2, 3]) {
    const odd = requestOf(33, { length: 104 });
    odd[at] = 1;
    silent(odd);
  }
});

Deno.test("chronyc: any octets get silence or a response that is not longer", () => {
  let seed = 1;
  const next = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32;
  for (let round = 0; round < 20_000; round++) {
    const datagram = Uint8Array.from(
      { length: Math.floor(next() * 600) },
      () => Math.floor(next() * 256),
    );
    if (datagram.length >= 6 && next() < 0.9) {
      datagram.set([6, 1, 0, 0, 0, Math.floor(next() * 80)]);
    }
    const [response] = responder.respond(datagram);
    assert.ok(response === undefined || response.length <= datagram.length);
  }
});
