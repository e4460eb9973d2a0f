/**
 * A key exchange server alone, for benchmarks: `nts_ke_worker.ts CHAIN KEY CONNECTIONS`. Prints the port it listens on.
 *
 * @module
 */
import { OpenSsl } from "../../ffi/openssl.ts";
import { assert } from "../../src/base/assert.ts";
import { openSslAeadFactory } from "../../src/daemon/openssl_aead.ts";
import { Credentials } from "../../src/daemon/nts_ke_credentials.ts";
import { cookiesFrom, NtsKeServer } from "../../src/daemon/nts_ke_server.ts";
import { CookieCodec } from "../../src/nts/cookie.ts";
import { Keyset } from "../../src/nts/keyset.ts";
import { RandomPool } from "../../src/nts/random_pool.ts";

const [certificateChainPath = "", privateKeyPath = "", connections = "512"] = Deno.args;
const openssl = OpenSsl.open();
assert(openssl.ok, "OpenSSL is there");
const random = {
  uint32: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
  fill: (bytes: Uint8Array) => {
    crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  },
};
const now = BigInt(Date.now()) * 1_000_000n;
const keyset = Keyset.create({ rotationInterval: 86_400, staleKeyCount: 7 }, { now, random });
const aead = openSslAeadFactory(openssl.value);
const codec = new CookieCodec({ keyset, aead, random: new RandomPool(random) });
const credentials = Credentials.load(openssl.value, { certificateChainPath, privateKeyPath });
assert(credentials.ok, "The credentials fit");
const server = NtsKeServer.start({
  openssl: openssl.value,
  context: () => credentials.value.context,
  listen: { family: "ipv4", address: "127.0.0.1", port: 0 },
  offer: { aeadIds: [15, 16, 17, 30], ntpServer: undefined, ntpPort: undefined },
  makeCookies: cookiesFrom(codec),
  timeoutMs: 30_000,
  concurrentConnections: Number(connections),
});
assert(server.ok, "The server listens");
console.log(`listening on ${server.value.status().listen.port}`);
