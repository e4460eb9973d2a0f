import assert from "node:assert/strict";
import { AEAD_ID } from "../crypto/aead.ts";
import { AeadOffers } from "./aead_offers.ts";

const SIV = AEAD_ID.AES_SIV_CMAC_256, GCM = AEAD_ID.AES_128_GCM_SIV;

Deno.test("all are offered first, then each alone, in turn, as often as an offer may be the reason", () => {
  const offers = new AeadOffers([]);
  const made = ["closed", "server-error-bad-request", "closed", undefined].map((reason) => {
    const offer = offers.begin(1);
    offers.noteFailure(1, reason);
    return offer;
  });
  assert.deepEqual(made, [[], [SIV], [GCM], []]);
});

Deno.test("a failure that has other reasons, or none, changes no offer", () => {
  const offers = new AeadOffers([]);
  offers.begin(1);
  offers.noteFailure(1, "certificate");
  offers.noteFailure(1, undefined);
  assert.deepEqual(offers.begin(1), []);
});

Deno.test("two associations that fail with one offer make it advance once", () => {
  const offers = new AeadOffers([]);
  offers.begin(1);
  offers.begin(2);
  offers.noteFailure(1, "closed");
  offers.noteFailure(2, "closed");
  assert.deepEqual(offers.begin(3), [SIV]);
});

Deno.test("keys that bring no response make way for the other algorithm, not for the same alone", () => {
  const offers = new AeadOffers([]);
  offers.begin(1);
  offers.noteSilence(1, SIV);
  assert.deepEqual(offers.begin(1), [GCM]);
});

Deno.test("a configured list is not widened, and one algorithm alone stays", () => {
  const offers = new AeadOffers([GCM]);
  offers.begin(1);
  offers.noteFailure(1, "closed");
  offers.noteSilence(1, GCM);
  assert.deepEqual(offers.begin(1), [GCM]);
});

Deno.test("an association that is gone is forgotten, and changes nothing any more", () => {
  const offers = new AeadOffers([]);
  offers.begin(1);
  offers.forget(1);
  assert.equal(offers.size, 0);
  offers.noteFailure(1, "closed");
  assert.deepEqual(offers.begin(2), []);
});
