/**
 * A small NTP server of the tests' own that is wrong on purpose: by a constant, about its stratum,
 * by silence.
 *
 * The problem: a real server under faketime is no good falseticker, since kernel timestamps are not
 * shifted. The idea: answer from user space with whatever the test wants. Limits: as exact as
 * user-space timestamps are.
 *
 *     deno run -P=tests tests/support/false_server.ts ADDRESS PORT SECONDS             (to run it in a namespace)
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { UNIX_EPOCH_IN_NTP_SECONDS, unixSeconds } from "./ntp_probe.ts";

/** How the server is wrong; every field may be changed while it runs. */
export interface Falsehood {
  /** Seconds that its clock is ahead; 0 unless given. */
  offsetSeconds?: number;
  /** The stratum it claims, 0 to 255; 2 unless given. */
  stratum?: number;
  /** The leap indicator, 0 to 3; 0 unless given. */
  leap?: number;
  /** The reference id, four characters; "TEST" unless given; with stratum 0 a kiss code. */
  referenceId?: string;
  /** Whether it keeps silent. */
  silent?: boolean;
}

/** A false server that runs. */
export interface FalseServer extends AsyncDisposable {
  /** The address it answers on. */
  readonly address: string;
  /** Its UDP port. */
  readonly port: number;
  /** How it is wrong; may be changed. */
  readonly falsehood: Falsehood;
  /** Requests seen so far. */
  readonly requests: number;
}

/**
 * Starts a false server on a loopback address and a port that the system chooses, unless they are
 * given.
 */
export async function startFalseServer(
  falsehood: Falsehood,
  place: { readonly address?: string; readonly port?: number } = {},
): Promise<FalseServer> {
  const address = place.address ?? "127.0.0.1";
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  let requests = 0;
  socket.on("message", (request, from) => {
    const received = unixSeconds();
    requests++;
    if (falsehood.silent === true || request.length < 48) return;
    socket.send(responseTo(request, { falsehood, received }), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(place.port ?? 0, address, () => resolve());
  });
  return {
    address,
    port: socket.address().port,
    falsehood,
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

function responseTo(
  request: Uint8Array,
  { falsehood, received }: { falsehood: Falsehood; received: number },
): Uint8Array {
  const answer = new Uint8Array(48);
  const view = new DataView(answer.buffer);
  const version = ((request[0] ?? 0) >> 3) & 7;
  const offset = falsehood.offsetSeconds ?? 0;
  view.setUint8(0, ((falsehood.leap ?? 0) << 6) | (version << 3) | 4);
  view.setUint8(1, falsehood.stratum ?? 2);
  view.setUint8(2, request[2] ?? 0);
  view.setInt8(3, -20);
  view.setUint32(4, 0x0000_0010); // root delay, 0.24 ms
  view.setUint32(8, 0x0000_0010); // root dispersion, 0.24 ms
  const id = new TextEncoder().encode(falsehood.referenceId ?? "TEST").subarray(0, 4);
  answer.set(id, 12);
  setTimestamp(view, 16, received + offset - 1);
  answer.set(request.subarray(40, 48), 24);
  setTimestamp(view, 32, received + offset);
  setTimestamp(view, 40, unixSeconds() + offset);
  return answer;
}

function setTimestamp(view: DataView, at: number, seconds: number): void {
  const whole = Math.floor(seconds);
  view.setUint32(at, (whole + UNIX_EPOCH_IN_NTP_SECONDS) >>> 0);
  view.setUint32(at + 4, Math.floor((seconds - whole) * 2 ** 32));
}

if (import.meta.main) {
  const [address = "127.0.0.1", port = "123", offset = "0"] = Deno.args;
  const falsehood = { offsetSeconds: Number(offset) };
  const server = await startFalseServer(falsehood, { address, port: Number(port) });
  console.log(`Answering on ${server.address} port ${server.port}`);
}
