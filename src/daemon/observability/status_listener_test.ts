import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal } from "node:assert/strict";
import { formatSocketAddress } from "../../base/socket_address.ts";
import { FunctionStates } from "./function_states.ts";
import { startHttpServer } from "./http.ts";
import { exampleStatus } from "../../../tests/support/status_example.ts";
import { StatusListener } from "./status_listener.ts";

const SOURCE = { names: () => [], status: () => exampleStatus() };

Deno.test("a port that is taken is told, and taken over when it is free", async () => {
  const loopback = { family: "ipv4", address: "127.0.0.1", port: 0 } as const;
  const other = startHttpServer({ listen: loopback, ...SOURCE });
  if (!other.ok) throw new Error(other.error);
  const place = formatSocketAddress(other.value.status().listen);
  const functions = new FunctionStates({ info: () => {}, error: () => {} });
  const listener = new StatusListener(SOURCE, functions);
  const states = () => functions.documents().map(({ kind, name, up }) => [kind, name, up]);
  await listener.configure(place);
  listener.retry();
  deepEqual(states(), [["http", place, false]]);
  equal(listener.document(), null);
  await other.value.stop();
  listener.retry();
  deepEqual(states(), [["http", place, true]]);
  equal(await (await fetch(`http://${place}/healthz`)).text(), "synchronized\n");
  await listener.configure(undefined);
  deepEqual(states(), []);
  await listener.stop();
});
