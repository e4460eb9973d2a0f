import assert from "node:assert/strict";
import { CertificateSpans } from "./certificate_spans.ts";

const DAY = 86_400;
const NOT_BEFORE = 1_800_000_000, NOT_AFTER = NOT_BEFORE + 30 * DAY;

function certificate() {
  const parts = { notBefore: NOT_BEFORE, notAfter: NOT_AFTER };
  return parts as Parameters<CertificateSpans["note"]>[0];
}

Deno.test("a time outside the dates of its certificate cannot be; the server's error is allowed for", () => {
  const spans = new CertificateSpans(), own = certificate();
  spans.note(own, 0);
  const tell = (time: number, error = 0) => spans.contradictionOf(own, { time, error, at: 0 });
  assert.equal(tell(NOT_BEFORE), undefined);
  assert.equal(tell(NOT_AFTER), undefined);
  assert.match(tell(NOT_BEFORE - DAY) ?? "", /outside the validity of its own certificate/);
  assert.match(tell(NOT_AFTER + DAY) ?? "", /outside the validity of its own certificate/);
  assert.equal(tell(NOT_AFTER + DAY, DAY), undefined);
});

Deno.test("keys outlive their certificate: what has elapsed since the exchange is taken off", () => {
  const spans = new CertificateSpans(), own = certificate();
  spans.note(own, 1000);
  // That the same certificate is seen again says nothing of when its keys were exchanged.
  spans.note(own, 90 * DAY);
  const later = { time: NOT_AFTER + 60 * DAY, error: 0, at: 1000 + 60 * DAY };
  assert.equal(spans.contradictionOf(own, later), undefined);
  assert.notEqual(spans.contradictionOf(own, { ...later, time: later.time + DAY }), undefined);
});

Deno.test("of a certificate that was not noted, nothing has elapsed", () => {
  const told = { time: NOT_AFTER + DAY, error: 0, at: 60 * DAY };
  assert.notEqual(new CertificateSpans().contradictionOf(certificate(), told), undefined);
});
