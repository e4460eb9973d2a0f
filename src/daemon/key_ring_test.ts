import { equal } from "node:assert/strict";
import { macKey } from "../crypto/mac.ts";
import { KeyRing } from "./key_ring.ts";

const SECRET = new Uint8Array(16).fill(7);

function signed(id: number): { bytes: Uint8Array<ArrayBuffer>; offset: number; length: number } {
  const key = macKey("AES128", SECRET);
  if (!key.ok) throw new Error(key.error);
  const bytes = new Uint8Array(68);
  new DataView(bytes.buffer).setUint32(48, id);
  bytes.set(key.value.compute(bytes.slice(0, 48)), 52);
  return { bytes, offset: 0, length: 68 };
}

Deno.test("a server that is open follows the keys: new ones work, removed ones do not", () => {
  const ring = new KeyRing();
  const { responder } = ring;
  equal(responder.check(signed(3), 20), "unknown-key");
  const entry = { id: 3, type: "aes128", secret: SECRET } as const;
  equal(ring.load(new Map([[3, entry]])).length, 0);
  equal(responder.check(signed(3), 20), "authentic");
  const answer = new Uint8Array(68);
  equal(responder.sign(answer, 0), 68);
  const other = { ...entry, secret: new Uint8Array(16).fill(8) };
  ring.load(new Map([[3, other]]));
  equal(responder.check(signed(3), 20), "bad-mac");
  ring.load(new Map());
  equal(responder.check(signed(3), 20), "unknown-key");
});
