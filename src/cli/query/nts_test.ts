import "../../../tests/support/libc_opened.ts";
import { equal, fail, match, ok } from "node:assert/strict";
import { overwriteFile } from "../../../ffi/file/files.ts";
import { OpenSsl } from "../../../ffi/openssl/mod.ts";
import { NtsTimeServer } from "../../../tests/support/nts_time_server.ts";
import { removeAny } from "../../../tests/support/test_files.ts";
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
  const nts = openNts({ authority, timeout: 5 });
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
    const sample = await queried.ask(2);
    ok(sample.ok, sample.ok ? "" : sample.error);
    ok(Math.abs(sample.value.offset) < 0.1, `${sample.value.offset}`);
  }
  equal(server.checked.get("protected"), 3);
});

Deno.test("a server that has lost its keys is told so, until the cookies are used up", async () => {
  await using server = await startServer();
  const queried = queriedServer(await authenticate(server));
  server.rotateBeyondStaleKeys();
  for (let i = 0; i < 8; i++) {
    const sample = await queried.ask(0.25);
    equal(sample.ok || sample.error, "The server does not accept the cookie (NTS NAK)");
  }
  const last = await queried.ask(0.25);
  match(last.ok ? "" : last.error, /too few cookies/);
});
