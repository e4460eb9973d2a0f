import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { socketAddress } from "../../base/socket_address.ts";
import { startHttpServer } from "../../daemon/observability/http.ts";
import { exampleStatus } from "../../../tests/support/status_example.ts";
import { heldPort } from "../../../tests/support/places.ts";
import { httpGet } from "./http_get.ts";

/** A port that nobody listens on. */
const NOBODY = await heldPort();

Deno.test("a command and the daemon understand each other", async () => {
  for (const address of ["127.0.0.1", "::1"]) {
    const listen = socketAddress(address, 0);
    ok(listen !== undefined);
    const server = startHttpServer({ listen, names: () => [], status: () => exampleStatus() });
    if (!server.ok && address === "::1") continue; // no IPv6 on this machine
    ok(server.ok);
    const { port } = server.value.status().listen;
    const at = address === "::1" ? `[::1]:${port}` : `${address}:${port}`;
    const response = await httpGet(at, "/status");
    ok(response.ok);
    equal(response.value.status, 200);
    deepEqual(JSON.parse(response.value.body), JSON.parse(JSON.stringify(exampleStatus())));
    const missing = await httpGet(at, "/nothing");
    equal(missing.ok && missing.value.status, 404);
    await server.value.stop();
  }
});

Deno.test("what does not speak HTTP is told so", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const connection = await listener.accept();
    await connection.write(new TextEncoder().encode("SSH-2.0-OpenSSH_9.2\r\n"));
    connection.close();
  })();
  const at = `127.0.0.1:${listener.addr.port}`;
  const response = await httpGet(at, "/status");
  deepEqual(response, { ok: false, error: `The server at ${at} is not ntpsd` });
  await serving;
  listener.close();
  const nobody = await httpGet(`127.0.0.1:${NOBODY}`, "/status") as { error: string };
  match(nobody.error, /connection refused$/);
});

Deno.test("who accepts and says nothing is not waited for without end", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const at = `127.0.0.1:${listener.addr.port}`;
  deepEqual(await httpGet(at, "/status", { timeoutMs: 50 }), {
    ok: false,
    error: `No response from ${at}: it takes too long`,
  });
  (await accepted).close();
  listener.close();
});
