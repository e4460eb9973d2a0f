import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, fail, match, ok } from "node:assert/strict";
import { overwriteFile } from "../../../ffi/file/files.ts";
import { OpenSsl } from "../../../ffi/openssl/mod.ts";
import { NtsTimeServer } from "../../../tests/support/nts_time_server.ts";
import { removeAny } from "../../../tests/support/test_files.ts";
import { PATIENCE_MS } from "../../../tests/support/wait_until.ts";
import { socketAddress } from "../../base/socket_address.ts";
import { openSslAeadFactory } from "../../system/openssl_aead.ts";
import { randomSource } from "../../system/random.ts";
import { openNts } from "./nts.ts";
import { QueriedServer } from "./queried_server.ts";
import type { Authentication } from "./authentication.ts";

const opened = OpenSsl.open();
// What the library opens at its first use stays open: no leak of the test that comes first.
await (await startServer())[Symbol.asyncDispose]();

async function startServer() {
  ok(opened.ok);
  const openssl = opened.value;
  return await NtsTimeServer.start({ openssl, aead: openSslAeadFactory(openssl) });
}

/** Exchanges keys with a server as the command does. */
async function authenticate(server: NtsTimeServer): Promise<Authentication> {
  const authority = `/tmp/ntpsd-query-${crypto.randomUUID()}.pem`;
  ok(overwriteFile(authority, server.authority).ok);
  const nts = openNts({ authority, timeout: PATIENCE_MS / 1000 });
  removeAny(authority);
  ok(nts.ok, nts.ok ? "" : nts.error.message);
  const agreed = await nts.value("127.0.0.1", server.keyExchangePort);
  return agreed.ok ? agreed.value : fail(agreed.error);
}

function queriedServer({ port, protection }: Authentication): QueriedServer {
  const address = socketAddress("127.0.0.1", port) ?? fail("No address");
  return new QueriedServer({ address, random: randomSource, protection });
}

Deno.test("protected requests bring samples for as long as there are cookies", async () => {
  await using server = await startServer();
  const authentication = await authenticate(server);
  equal(authentication.port, server.port);
  const queried = queriedServer(authentication);
  for (let i = 0; i < 3; i++) {
    const sample = await queried.ask(PATIENCE_MS / 1000);
    ok(sample.ok, sample.ok ? "" : sample.error);
    // One clock is compared with itself: only how the delay is shared can be wrong.
    const { offset, delay } = sample.value;
    ok(Math.abs(offset) < delay / 2 + 0.01, `${offset} of ${delay}`);
  }
  equal(server.checked.get("protected"), 3);
});

Deno.test("a server that has lost its keys is told so, until the cookies are used up", async () => {
  const said = async (timeout: number) => {
    await using server = await startServer();
    const queried = queriedServer(await authenticate(server));
    server.rotateBeyondStaleKeys();
    const errors = new Set<unknown>();
    for (let i = 0; i < 8; i++) {
      const sample = await queried.ask(timeout);
      errors.add(sample.ok || sample.error);
    }
    const last = await queried.ask(timeout);
    match(last.ok ? "" : last.error, /too few cookies/);
    return errors;
  };
  // A busy machine may take longer than the shortest time.
  for (const timeout of [0.25, 2.5]) {
    const errors = await said(timeout);
    if (errors.has("No response") && timeout < 1) continue;
    deepEqual([...errors], ["The server does not accept the cookie (NTS NAK)"]);
    return;
  }
});
