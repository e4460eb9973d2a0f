/**
 * How much of the JavaScript heap a request takes, by what follows its header. Printed by
 * `bench:soak`.
 *
 * The idea: heap in use before and after some thousands of answers; a collection in between makes
 * one difference negative, so the median of many tells. Limits: without sockets; what libraries
 * allocate outside the heap shows in the resident memory of the soak itself, not here.
 *
 * @module
 */
import { realtimeNow } from "../../ffi/clock/clock.ts";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { macProtection } from "../../src/association/mac_protection.ts";
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { type MacKey, macKey } from "../../src/crypto/mac.ts";
import { cookiesFrom } from "../../src/daemon/nts/ke_server.ts";
import { openSslAeadFactory } from "../../src/system/openssl_aead.ts";
import { randomSource } from "../../src/system/random.ts";
import { NtsClientSession } from "../../src/nts/client/session.ts";
import { CookieCodec } from "../../src/nts/server/cookie.ts";
import { Keyset } from "../../src/nts/server/keyset.ts";
import { RandomPool } from "../../src/nts/server/random_pool.ts";
import { NtsServerFields } from "../../src/nts/server/server_fields.ts";
import { SymmetricKeys } from "../../src/server/authentication.ts";
import { HeaderTemplate } from "../../src/server/clock_state.ts";
import { MemoryBatch } from "../support/memory_batch.ts";
import { Responder } from "../../src/server/respond.ts";
import { request, SYNCHRONIZED } from "../support/test_server.ts";

const BATCH = 64;
const SLICES = 60, WARM_UP = 30;

/** What one kind of request took. */
export interface HeapFigure {
  /** The kind. */
  readonly kind: string;
  /** Octets of heap for each request. */
  readonly octets: number;
  /** Nanoseconds for each request. */
  readonly nanoseconds: number;
}

/** Does not keep the answers, but counts them. */
class CountingBatch extends MemoryBatch {
  answers = 0;
  override queueResponse(): void {
    this.answers++;
  }
}

/** Measures all kinds. */
export function measureHeap(): readonly HeapFigure[] {
  const sha1 = keyOf("SHA1", 20), aes = keyOf("AES128", 16);
  const keys = new SymmetricKeys(new Map([[1, sha1], [2, aes]]));
  const signed = (id: number, key: MacKey) => {
    const made = macProtection(id, key).protect(request(), randomSource);
    assert(made.ok, "There is a key");
    return made.value.packet;
  };
  const figures = [
    measure("header alone", request(), { keys }),
    measure("an unknown field", request({ rest: unknownField() }), { keys }),
    measure("MAC, SHA1", signed(1, sha1), { keys }),
    measure("MAC, AES-CMAC", signed(2, aes), { keys }),
  ];
  const opened = OpenSsl.open();
  if (!opened.ok) return figures;
  const nts = ntsOf(opened.value);
  return [...figures, ...nts.requests.map(([kind, octets]) => measure(kind, octets, nts))];
}

function measure(
  kind: string,
  octets: Uint8Array,
  options: { readonly keys?: SymmetricKeys; readonly nts?: NtsServerFields },
): HeapFigure {
  const { keys, nts } = options;
  const responder = new Responder({
    template: new HeaderTemplate(SYNCHRONIZED),
    random: randomSource,
    readClock: (out, index) => {
      out[index] = 0xe5f66400;
    },
    keys,
    nts,
  });
  const batch = new CountingBatch();
  batch.fill(Array.from({ length: BATCH }, () => ({ octets })));
  // The quicker kinds need more requests, so that what the measurement itself takes does not count.
  const batches = octets.length > 48 ? 30 : 160;
  let now = 1000;
  const slice = () => {
    const before = Deno.memoryUsage().heapUsed;
    for (let i = 0; i < batches; i++) responder.respond(batch, { now: now++, sendSeconds: 2e-6 });
    return (Deno.memoryUsage().heapUsed - before) / (batches * BATCH);
  };
  for (let i = 0; i < WARM_UP; i++) slice();
  const start = performance.now();
  const growth = Array.from({ length: SLICES }, slice).sort((a, b) => a - b);
  const elapsed = performance.now() - start;
  assert(batch.answers === (WARM_UP + SLICES) * batches * BATCH, `${kind} is answered`);
  return {
    kind,
    octets: growth[SLICES >> 1] ?? NaN,
    nanoseconds: elapsed * 1e6 / (SLICES * batches * BATCH),
  };
}

function keyOf(type: "SHA1" | "AES128", length: number): MacKey {
  const key = macKey(type, new Uint8Array(length).fill(7));
  assert(key.ok, "The length fits");
  return key.value;
}

/** A field of a type that nobody knows, 28 octets long, as the last must be at least. */
function unknownField(): Bytes {
  const field = new Uint8Array(28);
  new DataView(field.buffer).setUint32(0, 0xbeef_001c);
  return field;
}

function ntsOf(openssl: OpenSsl): {
  readonly nts: NtsServerFields;
  readonly requests: readonly (readonly [string, Uint8Array])[];
} {
  const random = new RandomPool(randomSource), aead = openSslAeadFactory(openssl);
  const keyset = Keyset.create({ rotationInterval: 86_400, staleKeyCount: 7 }, {
    now: realtimeNow(),
    random: randomSource,
  });
  const cookies = new CookieCodec({ keyset, aead, random });
  const requests = ([[15, 32], [30, 16]] as const).map(([aeadId, length]) => {
    const keys = {
      clientToServer: new Uint8Array(length).fill(1),
      serverToClient: new Uint8Array(length).fill(2),
    };
    const session = new NtsClientSession({ aead });
    session.install(
      {
        aeadId,
        keys,
        alternativeKeys: undefined,
        cookies: cookiesFrom(cookies)(aeadId, keys),
        authenticBefore: false,
      } as Parameters<NtsClientSession["install"]>[0],
    );
    const made = session.protect(request(), randomSource);
    assert(made.ok, "There is a cookie");
    return [`NTS, AEAD ${aeadId}`, made.value.packet] as const;
  });
  return { nts: new NtsServerFields({ cookies, aead, random }), requests };
}
