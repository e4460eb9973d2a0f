import { deepEqual, equal, ok } from "node:assert/strict";
import { costsAtMost } from "../../../tests/support/wait_until.ts";
import { layOutTable } from "./table.ts";

Deno.test("columns are aligned and one gives way", () => {
  const columns = [
    { title: "Name", align: "left", shrinks: true },
    { title: "Value", align: "right" },
  ] as const;
  const rows = [["a", "1"], ["a-name-that-is-rather-long", "22 ±3"]];
  deepEqual(layOutTable(columns, rows), [
    "Name                        Value",
    "a                               1",
    "a-name-that-is-rather-long  22 ±3",
  ]);
  deepEqual(layOutTable(columns, rows, { width: 24 }), [
    "Name               Value",
    "a                      1",
    "a-name-that-is-r…  22 ±3",
  ]);
});

Deno.test("texts that differ still do when they are cut, wherever they differ", () => {
  const column = [{ title: "Source", align: "left", shrinks: true }] as const;
  const host = (at: number, sign: string) =>
    `* ${"abcdefghij".repeat(6).slice(0, at)}${sign}${"abcdefghij".repeat(6).slice(at + 1)}`;
  const groups = [
    Array.from({ length: 60 }, (_, at) => host(at, "X")),
    Array.from({ length: 60 }, (_, at) => host(at, "X") + host(59 - at, "Y")),
    ["12301", "12302", "22301"].map((port) => `* a-very-long-name.department.example:${port}`),
    ["3333:4", "9333:4", "3333:5"].map((part) => `* 2001:db8:1111:2222:${part}444:5555:6666:7777`),
    ["", "1", "12"].map((end) => `* a-very-long-name.department.example${end}`),
  ];
  for (const width of [16, 26]) {
    for (const texts of groups) {
      const cells = layOutTable(column, texts.map((text) => [text]), { width });
      equal(new Set(cells).size, texts.length + 1, cells.join("\n"));
      ok(cells.every((cell) => [...cell].length <= width), cells.join("\n"));
    }
  }
});

Deno.test("ten thousand names that are nearly alike are told apart in a moment", () => {
  const column = [{ title: "Source", align: "left", shrinks: true }] as const;
  const kinds: readonly ((i: number) => string)[] = [
    (i) => `* ${"a".repeat(240)}${i}`,
    (i) => `* ${"a".repeat(i % 250)}X${"a".repeat(250 - i % 250)}${i >> 8}`,
    (i) => `* ${i.toString(2).padStart(14, "0").replaceAll(/./g, "$&aaaaaaaaaaaaaaaa")}`,
  ];
  for (const nameOf of kinds) {
    const rows = Array.from({ length: 10_000 }, (_, i) => [nameOf(i)]);
    let cells: readonly string[] = [];
    costsAtMost(2000, () => {
      cells = layOutTable(column, rows, { width: 40 });
    });
    equal(new Set(cells).size, new Set(rows.map(([name]) => name)).size + 1);
    ok(cells.every((cell) => cell.length <= 40));
  }
});

Deno.test("an address gives way in its middle, and what stands behind it at all", () => {
  const column = [{ title: "  Source", align: "left", shrinks: true }] as const;
  const addresses = ["* 2001:db8:aaaa:bbbb:cccc::7", "+ 192.0.2.1 pool.example.net"];
  deepEqual(layOutTable(column, addresses.map((text) => [text]), { width: 20 }).slice(1), [
    "* 2001:db8…b:cccc::7",
    "+ 192.0.2.1 pool.ex…",
  ]);
});
