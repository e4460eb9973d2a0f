import { deepEqual } from "node:assert/strict";
import { layOutTable, wrapText } from "./table.ts";

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

Deno.test("sentences are broken between words", () => {
  deepEqual(wrapText("one two three four", { width: 9, indent: "  " }), [
    "one two",
    "  three",
    "  four",
  ]);
  deepEqual(wrapText("unbreakable-word", { width: 5 }), ["unbreakable-word"]);
});

Deno.test("an address gives way in its middle, and what stands behind it at all", () => {
  const column = [{ title: "  Source", align: "left", shrinks: true }] as const;
  const addresses = ["* 2001:db8:aaaa:bbbb:cccc::7", "+ 192.0.2.1 pool.example.net"];
  deepEqual(layOutTable(column, addresses.map((text) => [text]), { width: 20 }).slice(1), [
    "* 2001:db8…b:cccc::7",
    "+ 192.0.2.1 pool.ex…",
  ]);
});
