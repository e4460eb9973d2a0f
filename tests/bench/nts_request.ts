/**
 * One valid protected request, for load generators that send it again and again.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { toHex } from "../../src/base/bytes.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import type { KeyExchangeOutcome } from "../../src/nts/key_exchange/outcome.ts";
import { randomSource } from "../../src/system/random.ts";
import { NtsClientSession } from "../../src/nts/client/session.ts";

/** Makes a request that asks for one cookie, from what a key exchange brought; in hexadecimal. */
export function protectedRequest(outcome: KeyExchangeOutcome): string {
  const session = new NtsClientSession({ aead: portableAead });
  session.install({ ...outcome, authenticBefore: false });
  const header = new Uint8Array(48);
  header[0] = 0x23;
  randomSource.fill(header.subarray(40));
  const request = session.protect(header, randomSource);
  assert(request.ok, "There are cookies");
  return toHex(request.value.packet);
}
