/**
 * Key exchange and NTP with Network Time Security alone, without the engine, for benchmarks: it
 * claims stratum 3 like chronyd's `local`. Arguments: certificate chain, private key, most
 * connections. Prints the two ports.
 *
 * @module
 */
import { boottimeNow, readRealtimeNtp, realtimeNow } from "../../ffi/clock/clock.ts";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { assert } from "../../src/base/assert.ts";
import { fromUnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { Credentials } from "../../src/daemon/nts/certificate_files.ts";
import { cookiesFrom, startNtsKeServer } from "../../src/daemon/nts/ke_server.ts";
import { openSslAeadFactory } from "../../src/system/openssl_aead.ts";
import { ServerLoop } from "../../src/daemon/server_loop.ts";
import { randomSource } from "../../src/system/random.ts";
import { CookieCodec } from "../../src/nts/server/cookie.ts";
import { Keyset } from "../../src/nts/server/keyset.ts";
import { RandomPool } from "../../src/nts/server/random_pool.ts";
import { NtsServerFields } from "../../src/nts/server/server_fields.ts";
import { referenceIdFromAscii } from "../../src/protocol/reference_id.ts";
import { HeaderTemplate, localReferenceClock } from "../../src/server/clock_state.ts";
import { Responder } from "../../src/server/respond.ts";

const [certificateChainPath = "", privateKeyPath = "", connections = "512", ntpPort = "0"] =
  Deno.args;
const opened = OpenSsl.open();
assert(opened.ok, "OpenSSL is there");
const openssl = opened.value;
const random = new RandomPool(randomSource);
const keyset = Keyset.create({ rotationInterval: 86_400, staleKeyCount: 7 }, {
  now: realtimeNow(),
  random: randomSource,
});
const aead = openSslAeadFactory(openssl);
const cookies = new CookieCodec({ keyset, aead, random });
startNtp();
startKeyExchange();

function startNtp(): void {
  const local = { family: "ipv4", address: "127.0.0.1", port: Number(ntpPort) } as const;
  const socket = ServerSocket.open({ local });
  assert(socket.ok, "The NTP port is free");
  const template = new HeaderTemplate(
    localReferenceClock({
      stratum: 3,
      referenceId: referenceIdFromAscii("LOCL"),
      precision: -24,
      realtime: fromUnixNanoseconds(realtimeNow()),
      now: boottimeNow(),
    }),
  );
  const responder = new Responder({
    template,
    readClock: readRealtimeNtp,
    random: new SeededRandom(1),
    nts: new NtsServerFields({ cookies, aead, random }),
  });
  new ServerLoop({ socket: socket.value, responder }).start();
}

function startKeyExchange(): void {
  const credentials = Credentials.load(openssl, { certificateChainPath, privateKeyPath });
  assert(credentials.ok, "The credentials fit");
  const server = startNtsKeServer({
    openssl,
    context: () => credentials.value.context,
    listen: { family: "ipv4", address: "127.0.0.1", port: 0 },
    offer: { aeadIds: [15, 16, 17, 30], ntpServer: undefined, ntpPort: Number(ntpPort) },
    makeCookies: cookiesFrom(cookies),
    timeoutMs: 60_000,
    concurrentConnections: Number(connections),
  });
  assert(server.ok, "The key exchange port is free");
  console.log(`listening on ${server.value.status().listen.port}`);
}
