/**
 * The partner of NTPsec's ntpd in a network namespace, as a program of its own because a process
 * cannot change its namespace.
 *
 *     nts_ntpd_partner.ts ask AUTHORITY       exchange keys with an ntpd here, ask it for the time twice, print what came
 *     nts_ntpd_partner.ts serve AUTHORITY     serve keys and time, write the authority, print counts until ended
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { assert } from "../../src/base/assert.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { exchangeKeys } from "../../src/system/nts_ke_client.ts";
import { openSslAeadFactory } from "../../src/system/openssl_aead.ts";
import { NtsClientSession } from "../../src/nts/client/session.ts";
import { NtsTimeServer, SYSTEM_RANDOM } from "../support/nts_time_server.ts";

const [mode, file = ""] = Deno.args;
const opened = OpenSsl.open();
assert(opened.ok, "OpenSSL is there");
const openssl = opened.value;
if (mode === "serve") await serve();
else await ask();

async function serve(): Promise<void> {
  const server = await NtsTimeServer.start({ openssl, aead: openSslAeadFactory(openssl) });
  await Deno.writeFile(file, server.authority);
  console.log(JSON.stringify({ keyExchangePort: server.keyExchangePort }));
  setInterval(() => console.log(JSON.stringify(Object.fromEntries(server.checked))), 500);
}

async function ask(): Promise<void> {
  const context = openssl.clientContext({
    system: false,
    authorities: await Deno.readFile(file),
  });
  assert(context.ok, "The authority is a certificate");
  for (const aeadId of [15, 16, 17] as const) {
    const exchanged = await exchangeKeys({
      openssl,
      context: context.value,
      host: "localhost",
      port: 4460,
      dates: { now: Date.now() / 1000, outside: "refuse" },
      aeadIds: [aeadId],
    });
    if (!exchanged.ok) {
      console.log(JSON.stringify({ aeadId, error: exchanged.error.message }));
      continue;
    }
    const session = new NtsClientSession({ aead: portableAead });
    session.install({ ...exchanged.value, authenticBefore: false });
    const kinds = [await askTime(session), await askTime(session)];
    const cookies = [exchanged.value.cookies.length, session.cookieCount];
    console.log(JSON.stringify({ aeadId: exchanged.value.aeadId, cookies, kinds }));
  }
  console.log("done");
}

async function askTime(session: NtsClientSession): Promise<string> {
  const header = new Uint8Array(48);
  header[0] = 0x23;
  crypto.getRandomValues(header.subarray(40));
  const sent = session.protect(header, SYSTEM_RANDOM);
  assert(sent.ok, "There is a cookie");
  const socket = createSocket("udp4");
  const answer = await new Promise<Uint8Array>((resolve) => {
    socket.once("message", resolve);
    socket.send(sent.value.packet, 123, "127.0.0.1");
  });
  socket.close();
  const verified = session.verify(new Uint8Array(answer), sent.value.uniqueIdentifier);
  return verified.ok ? verified.value.kind : verified.error;
}
