import "../support/libc_opened.ts";
import { ownedPointerCounts } from "../../ffi/openssl/owned_pointer.ts";
import assert from "node:assert/strict";
import { describe, fuzz } from "./fuzzer.ts";
import { PORT_TARGETS } from "./ports.ts";

const SEED = 20260101;

for (const target of PORT_TARGETS) {
  Deno.test(`nothing makes ${target.name} fail (seed ${SEED})`, async () => {
    const before = ownedPointerCounts();
    const { finding } = await fuzz(target, { executions: target.budget, seed: SEED });
    await target.close?.();
    if (finding !== undefined) assert.fail(describe(finding));
    assert.deepEqual(ownedPointerCounts(), before);
  });
}
