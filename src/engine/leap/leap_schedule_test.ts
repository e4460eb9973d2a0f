import assert from "node:assert/strict";
import fc from "../../../tests/support/properties.ts";
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import { addSeconds, fromUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { LeapTable } from "./leap_table.ts";
import { LeapSchedule } from "./leap_schedule.ts";
import { secondsSince1900 } from "./leap_second.ts";

const at = (text: string) => fromUnixNanoseconds(BigInt(Date.parse(text)) * 1_000_000n);
const moment = (text: string) => secondsSince1900(at(text));

/**
 * A leap second is inserted at the end of June 2027 and one deleted at the end of 2028; valid until
 * 28 June 2029.
 */
const TABLE: LeapTable = {
  entries: [
    { at: moment("2015-07-01T00:00:00Z"), taiOffset: 36 },
    { at: moment("2017-01-01T00:00:00Z"), taiOffset: 37 },
    { at: moment("2027-07-01T00:00:00Z"), taiOffset: 38 },
    { at: moment("2029-01-01T00:00:00Z"), taiOffset: 37 },
  ],
  updatedAt: moment("2026-07-07T00:00:00Z"),
  expiresAt: moment("2029-06-28T00:00:00Z"),
};

function schedule(table: LeapTable | undefined = TABLE): LeapSchedule {
  const made = new LeapSchedule();
  made.load(table);
  return made;
}

const messages = (actions: readonly { readonly type: string }[]) =>
  actions.flatMap((action) => "message" in action ? [String(action.message)] : []);

Deno.test("without a table the sources are believed", () => {
  const none = new LeapSchedule();
  for (const vote of ["none", "insert", "delete", "unknown"] as const) {
    assert.equal(none.announced(vote, at("2027-06-30T12:00:00Z")), vote);
    assert.equal(none.near(vote, at("2027-06-30T12:00:00Z")), vote);
  }
  assert.equal(none.taiOffset(at("2027-06-30T12:00:00Z")), undefined);
  assert.deepEqual(none.compare("insert", at("2027-06-30T12:00:00Z")), []);
});

Deno.test("without a valid table no leap is believed outside of June and December", () => {
  const expired = schedule();
  for (const one of [new LeapSchedule(), expired]) {
    for (const vote of ["insert", "delete"] as const) {
      for (const month of ["01", "02", "03", "04", "05", "07", "08", "09", "10", "11"]) {
        const day = at(`2030-${month}-28T23:59:59Z`);
        assert.equal(one.announced(vote, day), "none", month);
        assert.equal(one.near(vote, day), "none", month);
      }
      assert.equal(one.announced(vote, at("2030-06-01T00:00:00Z")), vote);
      assert.equal(one.announced(vote, at("2030-12-31T23:59:59Z")), vote);
    }
    assert.equal(one.announced("unknown", at("2030-08-31T12:00:00Z")), "unknown");
  }
});

Deno.test("without a table the leap may still be noticed after midnight, while sources announce it", () => {
  const none = new LeapSchedule();
  assert.equal(none.announced("insert", at("2027-07-01T00:00:00Z")), "none");
  assert.equal(none.near("insert", at("2027-07-01T00:00:30Z")), "insert");
  assert.equal(none.near("insert", at("2027-07-01T03:00:00Z")), "none");
  assert.equal(none.near("none", at("2027-07-01T00:00:30Z")), "none");
});

Deno.test("a leap that cannot come is told once, and not on the day after one", () => {
  const none = new LeapSchedule();
  assert.deepEqual(none.compare("insert", at("2027-07-01T08:00:00Z")), []);
  const told = messages(none.compare("insert", at("2026-08-31T12:00:00Z")));
  assert.match(
    told[0] ?? "",
    /^The sources announce in 2026-08 .* inserted: they are not believed/,
  );
  assert.deepEqual(none.compare("none", at("2026-08-31T13:00:00Z")), []);
  assert.deepEqual(none.compare("insert", at("2026-08-31T14:00:00Z")), []);
});

Deno.test("a table may announce a leap for any month", () => {
  const march = moment("2027-04-01T00:00:00Z");
  const entries = [TABLE.entries[0]!, { at: march, taiOffset: 37 }];
  const one = schedule({ ...TABLE, entries });
  assert.equal(one.announced("none", at("2027-03-31T12:00:00Z")), "insert");
});

Deno.test("on the last day the table announces, whatever the sources say", () => {
  for (const vote of ["none", "insert", "delete"] as const) {
    assert.equal(schedule().announced(vote, at("2027-06-30T00:00:00Z")), "insert");
    assert.equal(schedule().announced(vote, at("2027-06-30T23:59:59Z")), "insert");
    assert.equal(schedule().announced(vote, at("2028-12-31T12:00:00Z")), "delete");
    assert.equal(schedule().announced(vote, at("2027-07-01T00:00:00Z")), "none");
  }
  assert.equal(schedule().announced("none", at("2027-06-29T23:59:59Z")), "none");
  assert.equal(schedule().announced("unknown", at("2027-06-30T12:00:00Z")), "unknown");
});

Deno.test("sources may announce early, in the same month and with the same sign", () => {
  assert.equal(schedule().announced("insert", at("2027-06-01T00:00:00Z")), "insert");
  assert.equal(schedule().announced("delete", at("2027-06-01T00:00:00Z")), "none");
  assert.equal(schedule().announced("insert", at("2027-05-31T23:59:59Z")), "none");
  assert.equal(schedule().announced("insert", at("2026-12-31T12:00:00Z")), "none");
});

Deno.test("an expired table leaves the word to the sources, and its TAI offset holds", () => {
  const now = at("2029-06-30T12:00:00Z");
  assert.equal(schedule().announced("insert", now), "insert");
  assert.equal(schedule().taiOffset(now), 37);
  const told = messages(schedule().compare("insert", now));
  assert.match(told[0] ?? "", /^The table of leap seconds expired on 2029-06-28: .*tzdata/);
  const one = schedule();
  assert.equal(one.compare("none", now).length, 1);
  assert.equal(one.compare("insert", now).length, 0, "it is told once");
});

Deno.test("TAI - UTC follows the table", () => {
  assert.equal(schedule().taiOffset(at("2010-01-01T00:00:00Z")), undefined);
  assert.equal(schedule().taiOffset(at("2027-06-30T23:59:59Z")), 37);
  assert.equal(schedule().taiOffset(at("2027-07-01T00:00:00Z")), 38);
  assert.equal(schedule().taiOffset(at("2029-01-01T00:00:00Z")), 37);
});

Deno.test("after midnight the leap may still be noticed, once", () => {
  const one = schedule();
  const after = at("2027-07-01T00:30:00Z");
  assert.equal(one.near("none", after), "insert");
  one.happened(after);
  assert.equal(one.near("none", after), "none");
  assert.equal(one.taiOffset(after), 38);
  assert.equal(schedule().near("none", at("2027-07-01T03:00:00Z")), "none");
  const repeated = schedule();
  repeated.happened(at("2027-06-30T23:59:59Z"));
  const inside = at("2027-06-30T23:59:59Z");
  assert.equal(repeated.announced("insert", inside), "none", "the inserted second itself");
});

Deno.test("a leap that an expired table does not know makes its TAI offset useless", () => {
  const one = schedule();
  const now = at("2029-07-01T00:00:00Z");
  assert.equal(one.taiOffset(now), 37);
  one.happened(now);
  assert.equal(one.taiOffset(now), undefined);
  one.load(TABLE);
  assert.equal(one.taiOffset(now), 37);
});

Deno.test("a contradiction is told once, either way round", () => {
  const one = schedule();
  const december = at("2026-12-31T12:00:00Z");
  const told = messages(one.compare("insert", december));
  assert.match(told[0] ?? "", /inserted, but the table .* until 2029-06-28, .* not believed$/);
  assert.deepEqual(one.compare("none", december), []);
  assert.deepEqual(one.compare("insert", december), []);
  const june = at("2027-06-30T12:00:00Z");
  assert.match(messages(one.compare("none", june))[0] ?? "", /inserted at the end of 2027-06-30/);
  assert.deepEqual(one.compare("none", june), []);
  assert.deepEqual(one.compare("insert", june), []);
  assert.deepEqual(one.compare("insert", at("2027-07-01T08:00:00Z")), [], "sources may be late");
});

Deno.test("property: a valid table announces its own leaps and no others", () => {
  const votes = fc.constantFrom<LeapIndicator>("none", "insert", "delete");
  const day = 86_400;
  const start = at("2026-01-01T00:00:00Z");
  fc.assert(fc.property(votes, fc.integer({ min: 0, max: 1270 * day - 1 }), (vote, later) => {
    const now = addSeconds(start, later);
    const seconds = secondsSince1900(now);
    const next = TABLE.entries.find((entry) => entry.at > seconds);
    const announced = schedule().announced(vote, now);
    if (next === undefined) return announced === "none";
    const sign = next.taiOffset === 38 ? "insert" : "delete";
    if (next.at - seconds <= day) return announced === sign;
    return announced === "none" || (announced === sign && vote === sign);
  }));
});
