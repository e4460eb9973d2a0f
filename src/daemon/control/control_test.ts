import "../../../tests/support/libc_opened.ts";
import { deepEqual, ok } from "node:assert/strict";
import { UdpSocket } from "../../../ffi/socket/udp_socket.ts";
import { exampleControlView } from "../../../tests/support/control_example.ts";
import { configOf } from "../../../tests/support/engine_world.ts";
import type { Bytes } from "../../base/bytes.ts";
import { FunctionStates } from "../observability/function_states.ts";
import { Control } from "./control.ts";
import { ControlListener } from "./control_listener.ts";

/** More than are answered in a second, and than the bucket fills while they are asked. */
const MANY = 2000;
const CLIENT = { family: "ipv4", address: "127.0.0.1", port: 40_000 } as const;
const NTPQ_REQUEST = new Uint8Array(12);
NTPQ_REQUEST.set([2 << 3 | 6, 2]);
/** Of the control protocol, and no requests: too short, a response, of version 0. */
const NO_REQUESTS = [[2 << 3 | 6], [2 << 3 | 6, 0x82], [6, 2]].map((head, i) => {
  const octets = new Uint8Array(i === 0 ? 1 : 12);
  octets.set(head);
  return octets;
});
/** Of chrony's command protocol: version 6, a request, command 33. */
const CHRONYC_REQUEST = new Uint8Array(104);
CHRONYC_REQUEST.set([6, 1, 0, 0, 0, 33]);

/** A listener for chronyc whose loop runs when a test asks. */
class Place implements Disposable {
  readonly control: Control;
  readonly #socket: UdpSocket;
  #read = () => {};

  constructor(port: number) {
    const { status, served, peers, updates, keyKind } = exampleControlView();
    this.control = new Control({
      engine: { peers: () => peers, servedTime: () => served, updates },
      status: () => status,
      precision: -22,
      mayAdjust: true,
      keyRing: { kindOf: keyKind },
      functions: new FunctionStates({ info() {}, error() {} }),
      watcher: {
        watch: (_, onReady) => {
          this.#read = onReady;
          return true;
        },
        unwatch() {},
      },
    });
    this.control.configure(configOf(`
      [[server]]
      listen = "[::]:123"
      [control]
      chronyc = "127.0.0.1:${port}"
    `));
    const peer = { family: "ipv4", address: "127.0.0.1", port } as const;
    const opened = UdpSocket.open({ peer });
    ok(opened.ok);
    this.#socket = opened.value;
  }

  /** Sends a datagram to the listener for chronyc and lets the loop run. */
  send(octets: Bytes): void {
    this.#socket.send(octets);
    this.#read();
  }

  /** Tells whether the listener answers a request. */
  isAnswered(octets: Bytes): boolean {
    this.send(octets);
    const received = this.#socket.receive();
    return received.ok && received.value !== undefined;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
    this.control.stop();
  }
}

Deno.test("octets that are no request take nothing from the budget", () => {
  using place = new Place(freePort());
  const { control } = place;
  for (let i = 0; i < MANY; i++) {
    for (const octets of NO_REQUESTS) deepEqual(control.answer(octets, CLIENT), []);
    place.send(new Uint8Array(1));
  }
  ok(control.answer(NTPQ_REQUEST, CLIENT).length > 0, "ntpq is answered");
  ok(place.isAnswered(CHRONYC_REQUEST), "chronyc is answered");
});

Deno.test("a flood of requests in one protocol leaves the other its responses", () => {
  using place = new Place(freePort());
  const { control } = place;
  let answered = 0;
  for (let i = 0; i < MANY; i++) {
    answered += Math.min(1, control.answer(NTPQ_REQUEST, CLIENT).length);
  }
  ok(answered > 0 && answered < MANY, `the flood is bounded: ${answered}`);
  ok(place.isAnswered(CHRONYC_REQUEST), "chronyc is answered");
});

Deno.test("a listener that works is told of, asked for or not; one that does not if it is missed", () => {
  const functions = new FunctionStates({ info() {}, error() {} });
  const listen = `127.0.0.1:${freePort()}`;
  const make = () =>
    new ControlListener({
      kind: "ntpq",
      respond: () => [],
      mayAsk: () => true,
      functions,
      watcher: { watch: () => true, unwatch() {} },
    });
  const states = () => functions.documents().map(({ name, up }) => [name, up]);
  const listener = make();
  for (const isWanted of [false, true, false]) {
    listener.configure({ listen, isWanted });
    deepEqual(states(), [[listen, true]], `${isWanted}`);
  }
  const second = make();
  second.configure({ listen, isWanted: false });
  deepEqual(states(), []);
  second.configure({ listen, isWanted: true });
  deepEqual(states(), [[listen, false]]);
  listener.stop();
  second.stop();
});

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
