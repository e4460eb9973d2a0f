import assert from "node:assert/strict";
import { DroppedResponses } from "../../association/dropped_responses.ts";
import { missingKeyProtection } from "../../association/mac_protection.ts";
import { errorOf, silenceOf, type SilentServer } from "./silence.ts";

const PROTECTION = missingKeyProtection();
const PLAIN: SilentServer = {
  lastSendFailure: undefined,
  history: {
    unansweredRequests: 9,
    dropped: new DroppedResponses(),
    lastResponseAt: undefined,
  },
  report: "did not answer the last 9 requests",
  protection: undefined,
};

Deno.test("a server that has never answered requests with a key makes the key suspect, no other does", () => {
  const keyed = { ...PLAIN, protection: PROTECTION };
  assert.match(silenceOf(keyed) ?? "", /^Did not answer the last 9 requests; .* wrong key$/);
  assert.match(errorOf(keyed), /^did not answer the last 9 requests; .* wrong key$/);
  for (const server of [PLAIN, { ...keyed, history: { ...PLAIN.history, lastResponseAt: 3 } }]) {
    assert.equal(silenceOf(server), undefined);
    assert.equal(errorOf(server), PLAIN.report);
  }
});

Deno.test("what is known of the way, or of what was dropped, comes before a suspicion", () => {
  const dropped = new DroppedResponses();
  dropped.add("crypto-nak");
  const keyed = { ...PLAIN, protection: PROTECTION, history: { ...PLAIN.history, dropped } };
  assert.equal(silenceOf(keyed), "Its responses are dropped: crypto-nak (1)");
  assert.equal(errorOf(keyed), PLAIN.report);
  assert.equal(silenceOf({ ...keyed, lastSendFailure: "No route" }), "No route");
  assert.equal(
    silenceOf({ ...keyed, history: { ...keyed.history, unansweredRequests: 0 } }),
    undefined,
  );
});
