import assert from "node:assert/strict";
import { sealedLeapList } from "../../../tests/support/leap_list.ts";
import fc from "../../../tests/support/properties.ts";
import { entryAfter, entryAt, formatDay, leapBefore, parseLeapTable } from "./leap_table.ts";

/**
 * The figures of the list that IERS published on 2025-07-07 (valid until 2026-06-28), with its
 * digest.
 */
const ENTRIES = `2272060800 10
2287785600 11
2303683200 12
2335219200 13
2366755200 14
2398291200 15
2429913600 16
2461449600 17
2492985600 18
2524521600 19
2571782400 20
2603318400 21
2634854400 22
2698012800 23
2776982400 24
2840140800 25
2871676800 26
2918937600 27
2950473600 28
2982009600 29
3029443200 30
3076704000 31
3124137600 32
3345062400 33
3439756800 34
3550089600 35
3644697600 36
3692217600 37
`;
const LIST = `#\tA remark\n#$\t3960835200\n#\n#@\t3991593600\n${
  ENTRIES.replaceAll("\n", "\t# 1 Jan\n")
}#\n#h\t49db2447 571e5e1b 2f002a53 9c8da8e4 39b8e49e\n#\tThe end\n`;

/** Writes a list with the digest that belongs to it. */
function sealed(updated: string, expires: string, entries: readonly (readonly string[])[]): string {
  return sealedLeapList({ updated, expires, entries });
}

function errorOf(text: string): string {
  const parsed = parseLeapTable(text);
  assert.ok(!parsed.ok, "it was accepted");
  return parsed.error;
}

Deno.test("the published list is read, and its digest is right", () => {
  const parsed = parseLeapTable(LIST);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.error);
  const table = parsed.value;
  assert.equal(table.entries.length, 28);
  assert.deepEqual(table.entries[0], { at: 2_272_060_800, taiOffset: 10 });
  assert.deepEqual(table.entries.at(-1), { at: 3_692_217_600, taiOffset: 37 });
  assert.equal(formatDay(table.updatedAt), "2025-07-07");
  assert.equal(formatDay(table.expiresAt), "2026-06-28");
  assert.ok(parseLeapTable(LIST.replaceAll("\n", "\r\n")).ok, "ends of lines of other systems");
});

Deno.test("entries are found by time, and the first is no leap", () => {
  const parsed = parseLeapTable(LIST);
  assert.ok(parsed.ok);
  const table = parsed.value;
  assert.equal(entryAt(table, 2_272_060_799), undefined);
  assert.equal(entryAt(table, 3_692_217_599)?.taiOffset, 36);
  assert.equal(entryAt(table, 3_692_217_600)?.taiOffset, 37);
  assert.equal(entryAfter(table, 3_692_217_599)?.at, 3_692_217_600);
  assert.equal(entryAfter(table, 3_692_217_600), undefined);
  const [first, second] = table.entries;
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(leapBefore(table, first), undefined);
  assert.equal(leapBefore(table, second), "insert");
});

Deno.test("a deleted second and a moment of the next era are understood", () => {
  // 2036-02-07T06:28:16Z is 2^32 s; 1 July 2036 is 12504704 s later.
  const parsed = parseLeapTable(
    sealed("12000000", "40000000", [["3692217600", "37"], ["12528000", "36"]]),
  );
  assert.equal(
    parsed.ok ? "" : parsed.error,
    "wanted entries at the beginning of a month, found 4307495296",
  );
  const right = parseLeapTable(
    sealed("12000000", "40000000", [["3692217600", "37"], ["12504704", "36"]]),
  );
  assert.ok(right.ok, right.ok ? "" : right.error);
  const last = right.value.entries[1];
  assert.ok(last !== undefined);
  assert.equal(formatDay(last.at), "2036-07-01");
  assert.equal(leapBefore(right.value, last), "delete");
});

Deno.test("a digest whose words lack their first zeros is understood", () => {
  for (let day = 0; day < 2000; day++) {
    const list = sealed(String(3_960_835_200 + day), "3991593600", [["3692217600", "37"]]);
    if (!/ 0[0-9a-f]{7}/.test(list.slice(list.indexOf("#h")))) continue;
    const short = list.replaceAll(/ 0+([0-9a-f]+)/g, " $1");
    assert.notEqual(short, list);
    assert.ok(parseLeapTable(short).ok, short);
    return;
  }
  assert.fail("no digest with such a word was found");
});

Deno.test("what is missing, damaged or makes no sense is refused with a reason", () => {
  const without = (mark: string) =>
    LIST.split("\n").filter((line) => !line.startsWith(mark)).join("\n");
  assert.match(errorOf(""), /no line "#\$"/);
  assert.match(errorOf(without("#$")), /no line "#\$"/);
  assert.match(errorOf(without("#@")), /no line "#@"/);
  assert.match(errorOf(without("#h")), /no line "#h" .* may be cut off/);
  assert.match(errorOf(LIST.slice(0, LIST.indexOf("3029443200"))), /may be cut off/);
  assert.match(errorOf(without("3692217600")), /damaged: wanted the SHA-1 digest 49db2447571e/);
  assert.match(errorOf(LIST.replace("3692217600 37", "3692217600 36")), /damaged/);
  assert.match(errorOf(LIST.replace("49db2447", "49db2448")), /damaged/);
  assert.match(errorOf(LIST.replace("49db2447", "")), /line 34: wanted a digest of 5/);
  assert.match(errorOf(`${LIST}#@ 3991593600\n`), /a second time/);
  assert.match(errorOf("Rule\tLeap\t1972\n"), /line 1: wanted a time and an offset/);
  assert.match(errorOf("#$ soon\n"), /line 1: wanted a number of seconds/);
  assert.match(
    errorOf(sealed("3960835200", "3991593600", [["3692217601", "37"]])),
    /beginning of a month/,
  );
  assert.match(
    errorOf(sealed("3960835200", "3991593600", [["3692217600", "37"], ["3644697600", "36"]])),
    /in ascending order/,
  );
  assert.match(
    errorOf(sealed("3960835200", "3991593600", [["3644697600", "36"], ["3692217600", "38"]])),
    /steps of one second, found 38 after 36/,
  );
  assert.match(
    errorOf(sealed("3991593600", "3960835200", [["3692217600", "37"]])),
    /expiry date/,
  );
});

Deno.test("property: any change of a figure is noticed, and nothing throws", () => {
  const digitsAt = [...LIST.matchAll(/\d/g)].map(({ index }) => index).filter((index) => {
    const line = LIST.slice(LIST.lastIndexOf("\n", index) + 1).split("\n")[0] ?? "";
    const column = index - LIST.lastIndexOf("\n", index) - 1;
    return !line.includes("#") || column < line.indexOf("#", 1) || /^#[$@h]/.test(line);
  });
  fc.assert(fc.property(
    fc.nat(digitsAt.length - 1),
    fc.integer({ min: 1, max: 9 }),
    (which, change) => {
      const at = digitsAt[which] ?? 0;
      const digit = (Number(LIST[at]) + change) % 10;
      return !parseLeapTable(LIST.slice(0, at) + digit + LIST.slice(at + 1)).ok;
    },
  ));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    parseLeapTable(text);
  }));
  fc.assert(
    fc.property(fc.nat(LIST.length - 12), (length) => !parseLeapTable(LIST.slice(0, length)).ok),
  );
});
