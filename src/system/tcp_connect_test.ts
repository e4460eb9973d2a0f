import assert from "node:assert/strict";
import { type SocketAddress } from "../base/socket_address.ts";
import { closeQuietly, connectToFirst } from "./tcp_connect.ts";
import { heldPort } from "../../tests/support/places.ts";

/** A port that nobody listens on. */
const NOBODY = await heldPort();

Deno.test("a connection that comes in the very moment in which it is given up does not stay open", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const address: SocketAddress = { family: "ipv4", address: "127.0.0.1", port };
  const accepting = (async () => {
    for await (const accepted of listener) closeQuietly(accepted);
  })();
  const giveUpSoon = async (i: number) => {
    const giveUp = new AbortController();
    const connecting = connectToFirst([address], giveUp.signal);
    // Timers and connections come in one turn of the event loop, timers first.
    const timer = setTimeout(() => {
      const busy = performance.now() + i / 10;
      while (performance.now() < busy);
      giveUp.abort();
    }, 0);
    const connected = await connecting;
    clearTimeout(timer);
    if (connected.ok) connected.value.transport.close();
  };
  for (let round = 0; round < 50; round++) await Promise.all([0, 1, 2, 3, 4, 5].map(giveUpSoon));
  listener.close();
  await accepting;
});

Deno.test("what is given up before it begins is not begun", async () => {
  const address: SocketAddress = { family: "ipv4", address: "127.0.0.1", port: 9 };
  const connected = await connectToFirst([address], AbortSignal.abort());
  assert.equal(connected.ok, false);
});

Deno.test("a refusal is told in the words of all failed calls", async () => {
  const port = NOBODY;
  const address: SocketAddress = { family: "ipv4", address: "127.0.0.1", port };
  const connected = await connectToFirst([address], new AbortController().signal);
  assert.deepEqual(connected.ok ? undefined : connected.error, {
    message: `Cannot connect to 127.0.0.1:${port}: connection refused (connect: ECONNREFUSED)`,
    isLocal: false,
  });
});
