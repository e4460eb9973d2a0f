import { deepEqual, equal, match, ok } from "node:assert/strict";
import { DAY, NtsWorld, PROVEN, START } from "../../../tests/support/nts_world.ts";
import { present } from "../../base/assert.ts";

/** A machine that starts in 1970. */
const OLD = { offset: START, plain: [] } as const;
const [A, B, C] = PROVEN;
const ONE = "minimum-agreeing-sources = 1";

function isOld(one: NtsWorld): void {
  deepEqual([one.steps, one.snapshot.state], [[], "starting"], one.snapshot.why);
  ok(!one.logs.some((line) => line.includes("Enough sources agree")));
}

function synchronized(one: NtsWorld): void {
  equal(one.snapshot.state, "synchronized", one.snapshot.why);
  ok(Math.abs(one.offset) < 0.01, `the clock is off by ${one.offset} s`);
}

Deno.test("a source that is only watched gives no vote for a provisional time", () => {
  const one = new NtsWorld({ ...OLD, own: { [B]: "no-select = true" } });
  for (const address of [A, B]) one.server(address).error = 5 * DAY;
  one.start().run(900);
  isOld(one);
  match(one.snapshot.why, /at the time of this clock, and 1 of 2 required sources agree/);
});

Deno.test("a source that is only watched takes no vote away either, and is let in with the others", () => {
  const one = new NtsWorld({
    ...OLD,
    proven: [A, B],
    own: { [B]: "no-select = true" },
    synchronization: ONE,
  });
  one.server(B).error = 5 * DAY;
  one.start().run(900);
  synchronized(one);
  match(one.source(B).reason, /^Provisional: .*differs from that of the others$/);
  one.server(B).error = 0;
  one.run(3600);
  ok(!one.source(B).reason.startsWith("Provisional"));
});

Deno.test("a reload says anew how many must agree on a provisional time", () => {
  const more = new NtsWorld({ ...OLD, proven: [], plain: ["198.51.100.1"], synchronization: "" });
  more.server("198.51.100.1").isSilent = true;
  more.silence([B, C]);
  more.start().run(30);
  more.server(A).error = 5 * DAY;
  more.reload(OLD);
  more.run(900);
  isOld(more);
  more.silence([B, C], false);
  more.run(3600);
  synchronized(more);

  const fewer = new NtsWorld(OLD);
  fewer.silence([B, C]);
  fewer.start().run(600);
  isOld(fewer);
  fewer.reload({ plain: [], proven: [A], synchronization: "" });
  fewer.run(900);
  synchronized(fewer);
});

Deno.test("servers of one operator with one public key are one vote, and the sentence says so", () => {
  const one = new NtsWorld(OLD);
  for (const host of PROVEN) present(one.certificates.issued.get(host), "made").identity = "one";
  one.start().run(900);
  isOld(one);
  match(
    one.snapshot.why,
    /1 of 2 required sources agree on a time at which they are \(each host and public key counts once\)$/,
  );
  one.reload({ ...OLD, synchronization: ONE });
  one.run(900);
  synchronized(one);
});

Deno.test("the log does not say that there is no source where all are held back", () => {
  for (const [plain, more] of [[[], ""], [["198.51.100.1"], "Only 1 source agrees.*; "]] as const) {
    const one = new NtsWorld({ offset: START, plain });
    one.silence([C]);
    one.server(A).error = 5 * DAY;
    one.start().run(900);
    const told = one.logs.filter((line) => line.includes("No time to follow"));
    equal(told.length, 1, `${told}`);
    const sentence =
      `^warning: No time to follow: ${more}2 sources are provisional: certificates are not valid`;
    match(told[0] ?? "", new RegExp(sentence));
  }
});

Deno.test("however many servers a pool has, the others are heard", () => {
  const pool = Array.from({ length: 70 }, (_, i) => `203.0.113.${i + 1}`);
  const one = new NtsWorld({ ...OLD, proven: [...pool, A, B] });
  for (const host of pool) {
    one.server(host).error = 5 * DAY;
    present(one.certificates.issued.get(host), "made").identity = "pool";
  }
  one.start().run(900);
  ok(one.logs.some((line) => line.includes("Enough sources agree on a time")));
  deepEqual(one.statuses([pool[0] ?? ""]), ["starting"], "it disagrees, and is held back");
  synchronized(one);
});
