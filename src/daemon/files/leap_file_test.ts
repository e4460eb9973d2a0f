import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { fileStatus, removeFile, writeFileAtomic } from "../../../ffi/file/files.ts";
import { processId } from "../../../ffi/process/process.ts";
import { LeapFile, type LeapTableEvent, readLeapFile } from "./leap_file.ts";
import { configureLog } from "../../system/log.ts";

// The C library is opened at the first use and stays open: no leak of the test that comes first.
processId();

/**
 * A list with one entry; the digest is what sha1sum makes of all the figures without anything
 * between.
 */
const GOOD =
  "#$ 3960835200\n#@ 3991593600\n3692217600 37\n#h 318de5ae c4521849 2cef9f63 6fad8f36 943089af\n";
const LATER =
  "#$ 3960835200\n#@ 4007404800\n3692217600 37\n#h 2fabff90 d92599f7 197b0a7b 0c122418 7020b160\n";

/** How a list is told that is valid until 2026-12-28, as long as it is. */
const CURRENT = Date.now() < Date.parse("2026-12-28")
  ? /info: .*valid until 2026-12-28\s*$/
  : /warning: .*valid until 2026-12-28, which is past/;
const SYSTEM_LIST = "/usr/share/zoneinfo/leap-seconds.list";

function write(path: string, text: string): void {
  ok(writeFileAtomic(path, { bytes: new TextEncoder().encode(text) }).ok);
}

/** Collects what a file brings, and what is logged. */
function watch() {
  const events: LeapTableEvent[] = [], lines: string[] = [];
  configureLog({ level: "info", journal: false, write: (line) => lines.push(line) });
  return { events, lines, deliver: (event: LeapTableEvent) => events.push(event) };
}

Deno.test("a list from another system is read: byte order marks, ends of lines as in DOS", () => {
  const path = `/tmp/ntpsd-test-leap-odd-${processId()}`;
  try {
    for (
      const text of [`\ufeff${GOOD}`, GOOD.replaceAll("\n", "\r\n"), `\ufeff\ufeff${GOOD}\r\n`]
    ) {
      write(path, text);
      const table = readLeapFile(path);
      ok(table.ok, table.ok ? "" : table.error);
      equal(table.value.entries[0]?.taiOffset, 37);
    }
  } finally {
    removeFile(path);
  }
});

Deno.test("a table is handed over when it is new, and a damaged file changes nothing", async () => {
  const path = `/tmp/ntpsd-test-leap-${processId()}`;
  const file = new LeapFile();
  const { events, lines, deliver } = watch();
  try {
    file.start(path, deliver);
    await file.settled();
    equal(events.length, 0);
    match(lines.at(-1) ?? "", /error: .*ENOENT|No such file/);
    write(path, GOOD);
    file.follow(path, deliver);
    await file.settled();
    equal(events.at(-1)?.table?.entries[0]?.taiOffset, 37);
    const expired =
      /warning: .*TAI - UTC is 37 s from 2017-01-01 on, valid until 2026-06-28, which is past/;
    match(lines.at(-1) ?? "", expired);
    lines.length = 0;
    file.follow(path, deliver);
    await file.settled();
    equal(events.length, 1, "the same figures are no news");
    match(lines.join("\n"), expired, "that they are old is told at each reload");
    write(path, GOOD.slice(0, 40));
    file.follow(path, deliver);
    await file.settled();
    equal(events.length, 1);
    match(lines.at(-1) ?? "", /error: .* is not used: .* may be cut off/);
    write(path, LATER);
    file.follow(path, deliver);
    await file.settled();
    equal(events.length, 2);
    match(lines.at(-1) ?? "", CURRENT);
    file.follow(`${path}.none`, deliver);
    await file.settled();
    deepEqual(events.at(-1), { type: "leap-table", table: undefined });
    file.follow(undefined, deliver);
    await file.settled();
    equal(events.length, 3);
  } finally {
    file.stop();
    removeFile(path);
  }
});

Deno.test("the list of the system is read, if it has one", () => {
  const found = fileStatus(SYSTEM_LIST);
  if (!found.ok || found.value === undefined) {
    console.warn(`SKIPPED: there is no ${SYSTEM_LIST}`);
    return;
  }
  const table = readLeapFile(SYSTEM_LIST);
  ok(table.ok, table.ok ? "" : table.error);
  ok(table.value.entries.length >= 28);
  deepEqual(table.value.entries[27], { at: 3_692_217_600, taiOffset: 37 });
});
