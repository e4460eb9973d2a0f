import "../support/libc_opened.ts";
import { ownedPointerCounts } from "../../ffi/openssl_pointer.ts";
import assert from "node:assert/strict";
import { PORT_TARGETS } from "./ports.ts";

const SEED = 20260101;
const ROUNDS = 12;

for (const target of PORT_TARGETS) {
  Deno.test(`nothing makes ${target.name} fail (seed ${SEED})`, async () => {
    const before = ownedPointerCounts();
    const port = target.open();
    for (let i = 0; i < ROUNDS; i++) await port.round(SEED + i);
    await port.close();
    assert.deepEqual(ownedPointerCounts(), before);
  });
}
