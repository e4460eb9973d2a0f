import assert from "node:assert/strict";
import type { CertificateDescription } from "../../../ffi/openssl/mod.ts";
import { certificateDateFault, certificateRemarks } from "./certificate_remarks.ts";

const DAY = 86_400;
const START = 1_790_000_000;

function certificate(subject: string, issuer: string, days = 90): CertificateDescription {
  return {
    subject,
    issuer,
    notBefore: START,
    notAfter: START + days * DAY,
    alternativeNames: [],
  };
}

const LEAF = certificate("CN=time.example", "CN=R10");
const INTERMEDIATE = certificate("CN=R10", "CN=Root", 1000);

Deno.test("a whole chain in the middle of its life needs no word", () => {
  assert.deepEqual(certificateRemarks([LEAF, INTERMEDIATE], START + 45 * DAY), []);
  const own = certificate("CN=time.example", "CN=time.example", 3650);
  assert.deepEqual(certificateRemarks([own], START + DAY), []);
  assert.deepEqual(certificateRemarks([], START), []);
});

Deno.test("a certificate without its chain, or with another's, is told", () => {
  const alone = certificateRemarks([LEAF], START + DAY);
  assert.equal(alone.length, 1);
  assert.match(alone[0] ?? "", /CN=time\.example is shown without .* CN=R10.*fullchain\.pem/);
  const strange = certificateRemarks(
    [LEAF, certificate("CN=R11", "CN=Root", 1000)],
    START + DAY,
  );
  assert.match(strange.join(), /Certificate 2 .* CN=R11, wanted that of CN=R10/);
  const late = [LEAF, INTERMEDIATE, certificate("CN=Other", "CN=Other", 4000)];
  assert.match(certificateRemarks(late, START + DAY).join(), /Certificate 3 .*CN=Other/);
});

Deno.test("the end is told ahead of time, by the lifetime, for every certificate", () => {
  const told = (days: number, lifetime: number) =>
    certificateRemarks([certificate("CN=a", "CN=a", lifetime)], START + days * DAY).join();
  assert.equal(told(75, 90), "");
  assert.match(told(77, 90), /ends in 13 days, .* renewal is overdue/);
  assert.equal(told(4.7, 6), "");
  assert.match(told(5, 6), /ends in 1 days/);
  assert.equal(told(3630, 3650), "");
  assert.equal(told(91, 90), "");
  const chain = [LEAF, certificate("CN=R10", "CN=Root", 30)];
  assert.match(certificateRemarks(chain, START + 29 * DAY).join(), /CN=R10 ends in 1 days/);
});

Deno.test("clients refuse a chain as soon as one certificate of it is outside its dates", () => {
  const faultAt = (days: number) => certificateDateFault([LEAF, INTERMEDIATE], START + days * DAY);
  assert.equal(faultAt(0), undefined);
  assert.equal(faultAt(90), undefined);
  assert.match(faultAt(90.1) ?? "", /CN=time\.example has expired by this clock/);
  assert.match(faultAt(-1) ?? "", /CN=time\.example is not valid before/);
  const old = [LEAF, certificate("CN=R10", "CN=Root", 30)];
  assert.match(certificateDateFault(old, START + 31 * DAY) ?? "", /CN=R10 has expired/);
  assert.equal(certificateDateFault([], START), undefined);
});
