/**
 * A time server with Network Time Security out of the product's own parts but without the daemon:
 * its keys can be rotated at will, and it counts what it was asked.
 *
 * Limits: one socket, portable speed, always stratum 1.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import type { OpenSsl, TlsServerContext } from "../../ffi/openssl/mod.ts";
import { type CertificateWish, makeCertificate } from "./test_certificates.ts";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import type { UnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import type { RandomSource } from "../../src/base/random.ts";
import type { AeadFactory, NtsAeadId } from "../../src/crypto/aead.ts";
import { type NtsKeListener, startNtsKeServer } from "../../src/daemon/nts/ke_server.ts";
import { CookieCodec, cookieLength } from "../../src/nts/server/cookie.ts";
import type { SessionKeys } from "../../src/nts/key_exchange/exporter.ts";
import { Keyset } from "../../src/nts/server/keyset.ts";
import { RandomPool } from "../../src/nts/server/random_pool.ts";
import { NtsServerFields } from "../../src/nts/server/server_fields.ts";
import { UNIX_EPOCH_IN_NTP_SECONDS, unixSeconds } from "./ntp_probe.ts";
import { PATIENCE_MS } from "./wait_until.ts";

/** The kernel's randomness. */
export const SYSTEM_RANDOM: RandomSource = {
  uint32: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
  fill: (bytes) => {
    const fresh = new Uint8Array(bytes.length);
    crypto.getRandomValues(fresh);
    bytes.set(fresh);
  },
};

const DAY = 86_400;
const ADDRESS = "127.0.0.1";

/** A server of keys and time on the loopback address. */
export class NtsTimeServer implements AsyncDisposable {
  /** The authority that signed the server's certificate for "localhost" and 127.0.0.1, in PEM. */
  readonly authority: Bytes;
  /** Requests by what the check of their fields found. */
  readonly checked = new Map<string, number>();
  /** Key exchanges by algorithm. */
  readonly exchanges = new Map<NtsAeadId, number>();

  readonly #socket = createSocket("udp4");
  readonly #keyset: Keyset;
  readonly #cookies: CookieCodec;
  readonly #fields: NtsServerFields;
  #now: UnixNanoseconds = BigInt(Math.floor(unixSeconds())) * 1_000_000_000n;
  #keyExchange: NtsKeListener | undefined;
  #context: TlsServerContext | undefined;
  #offsetSeconds = 0;

  private constructor(authority: Bytes, aead: AeadFactory) {
    this.authority = authority;
    const random = new RandomPool(SYSTEM_RANDOM);
    const start = { now: this.#now, random: SYSTEM_RANDOM };
    this.#keyset = Keyset.create({ rotationInterval: DAY, staleKeyCount: 1 }, start);
    this.#cookies = new CookieCodec({ keyset: this.#keyset, aead, random });
    this.#fields = new NtsServerFields({ cookies: this.#cookies, aead, random });
  }

  /** Starts on ports that the system chooses. */
  static async start(
    options: {
      readonly openssl: OpenSsl;
      readonly aead: AeadFactory;
      readonly aeadIds?: readonly NtsAeadId[];
      /** By how much its clock is wrong; not at all unless given. */
      readonly offsetSeconds?: number;
      /** What its certificate says beside the names. */
      readonly certificate?: Partial<CertificateWish>;
    },
  ): Promise<NtsTimeServer> {
    const { openssl, aead } = options;
    const issuer = makeCertificate({
      commonName: "Test Authority",
      authority: true,
      ...dates(options.certificate),
    });
    const names = ["DNS:localhost", `IP:${ADDRESS}`];
    const wish = { commonName: "localhost", names, issuer, ...options.certificate };
    const own = makeCertificate(wish);
    const context = openssl.serverContext({
      certificateChain: own.certificate,
      privateKey: own.privateKey,
    });
    if (!context.ok) throw new Error(context.error.message);
    const server = new NtsTimeServer(issuer.certificate, aead);
    server.#context = context.value;
    server.#offsetSeconds = options.offsetSeconds ?? 0;
    await server.#listen();
    const keyExchange = startNtsKeServer({
      openssl,
      context: () => context.value,
      listen: { family: "ipv4", address: ADDRESS, port: 0 },
      offer: {
        aeadIds: options.aeadIds ?? [15, 16, 17, 30],
        ntpServer: undefined,
        ntpPort: server.port,
      },
      timeoutMs: PATIENCE_MS,
      concurrentConnections: 16,
      makeCookies: (aeadId, keys) => server.#makeCookies(aeadId, keys),
    });
    if (!keyExchange.ok) throw new Error(String(keyExchange.error));
    server.#keyExchange = keyExchange.value;
    return server;
  }

  /** The UDP port of the time. */
  get port(): number {
    return this.#socket.address().port;
  }

  /** The TCP port of the key exchange. */
  get keyExchangePort(): number {
    return this.#keyExchange?.status().listen.port ?? 0;
  }

  /** Makes all cookies that were given out worthless. */
  rotateBeyondStaleKeys(): void {
    this.#now += BigInt(3 * DAY) * 1_000_000_000n;
    this.#keyset.advance(this.#now);
    this.#cookies.refresh();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keyExchange?.stop();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
    this.#context?.close();
    this.#fields.close();
    this.#cookies.close();
  }

  async #listen(): Promise<void> {
    this.#socket.on("message", (request, from) => {
      const answer = this.#answer(new Uint8Array(request), this.#clock());
      if (answer !== undefined) this.#socket.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve) => this.#socket.bind(0, ADDRESS, resolve));
  }

  #makeCookies(aeadId: NtsAeadId, keys: SessionKeys): readonly Bytes[] {
    this.exchanges.set(aeadId, (this.exchanges.get(aeadId) ?? 0) + 1);
    return Array.from({ length: 8 }, () => {
      this.#cookies.load(aeadId, keys);
      const cookie = new Uint8Array(cookieLength(aeadId));
      this.#cookies.seal(cookie, 0);
      return cookie;
    });
  }

  #clock(): number {
    return unixSeconds() + this.#offsetSeconds;
  }

  #answer(request: Bytes, received: number): Bytes | undefined {
    if (request.length < 48) return undefined;
    const result = this.#fields.check({ bytes: request, offset: 0, length: request.length });
    this.checked.set(result, (this.checked.get(result) ?? 0) + 1);
    const timestamps = { received, sent: this.#clock() };
    const out = concatBytes(header(request, timestamps), new Uint8Array(2000));
    if (result === "protected") return out.slice(0, this.#fields.protect(out, 0));
    if (!result.startsWith("nts-nak-")) return undefined;
    out.set([0xe4, 0]);
    out.set(new TextEncoder().encode("NTSN"), 12);
    return out.slice(0, this.#fields.nak(out, 0));
  }
}

/** The dates of a certificate, for the one that signs it. */
function dates(wish: Partial<CertificateWish> = {}): Partial<CertificateWish> {
  const { notBefore, notAfter } = wish;
  return {
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(notAfter === undefined ? {} : { notAfter }),
  };
}

function header(request: Bytes, { received, sent }: { received: number; sent: number }): Bytes {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  const timestamp = (offset: number, time: number) => {
    view.setUint32(offset, Math.floor(time) + Number(UNIX_EPOCH_IN_NTP_SECONDS));
    view.setUint32(offset + 4, Math.floor((time % 1) * 2 ** 32));
  };
  bytes.set([0x24, 1, request[2] ?? 0, 0xec]);
  bytes.set(new TextEncoder().encode("GPS"), 12);
  timestamp(16, received - 1);
  bytes.set(request.subarray(40, 48), 24);
  timestamp(32, received);
  timestamp(40, sent);
  return bytes;
}
