import { deepEqual, equal, match, ok as truthy } from "node:assert/strict";
import { filesBeside } from "../../../tests/support/files_beside.ts";
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import { sealedLeapList } from "../../../tests/support/leap_list.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { ClockFacts } from "../../system/clock_facts.ts";
import type { FileFailure } from "../command_context.ts";
import { main } from "../main.ts";
import { fetchText } from "./https.ts";

/** 2026-11-10 */
const NOW = 4_003_257_600;
const FIRST = ["3644697600", "36"], SECOND = ["3692217600", "37"];
/** The end of 2026. */
const THIRD = ["4007750400", "38"];
const EXPIRED = sealedLeapList({ updated: "3960835200", expires: "3991593600", entries: [SECOND] });
const FRESH = sealedLeapList({
  updated: "4000000000",
  expires: "4030000000",
  entries: [FIRST, SECOND, THIRD],
});

interface World {
  readonly files?: Readonly<Record<string, string>>;
  readonly clock?: ClockFacts;
  readonly fetched?: Result<string, string>;
  readonly writeError?: FileFailure;
}

async function leap(words: readonly string[], world: World = {}) {
  let out = "", complaint = "";
  const written: (readonly [string, string])[] = [], asked: string[] = [];
  const files: Record<string, string> = { ...world.files };
  const code = await main(["leap", ...words], {
    ...IDLE_CONTEXT,
    ...filesBeside(files),
    out: (text) => out += text,
    err: (text) => complaint += text,
    clockFacts: () => Promise.resolve(world.clock ?? { secondsSince1900: NOW, kernel: undefined }),
    fetchText: (url) => {
      asked.push(url);
      return Promise.resolve(world.fetched ?? err(`Cannot get ${url}: no route`));
    },
    replaceFile: (path, text) => {
      if (world.writeError !== undefined) return err(world.writeError);
      written.push([path, text]);
      files[path] = text;
      return ok(undefined);
    },
  });
  return { code, out, complaint, written, asked };
}

Deno.test("leap tells the table of the configuration, what comes next, and what the kernel has", async () => {
  const { code, out } = await leap([], {
    files: {
      "/etc/ntpsd/ntpsd.toml": '[clock]\nleap-seconds-file = "/l"\n',
      "/l": FRESH,
    },
    clock: { secondsSince1900: NOW, kernel: { taiOffsetSeconds: 36, leap: "insert" } },
  });
  equal(code, 0);
  deepEqual(out.split("\n"), [
    "Table        /l",
    "Valid until  2027-09-15, for 309 days",
    "Last         a second was inserted at the end of 2016-12-31; TAI - UTC is 37 s since",
    "Next         a second will be inserted at the end of 2026-12-31",
    "Kernel       TAI - UTC is 36 s (the table says 37 s), a second will be inserted at the end of this day",
    "",
  ]);
});

Deno.test("leap ends with 1 where no table covers the present, and says what is wrong with it", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      EXPIRED,
      /^Expired on {3}2026-06-28, 135 days ago; update its package, or renew it with --fetch$/m,
    ],
    [EXPIRED.replace("37", "38"), /^Table {8}\/l cannot be used: it is damaged/m],
  ];
  for (const [text, wanted] of cases) {
    const { code, out } = await leap(["/l"], { files: { "/l": text } });
    equal(code, 1);
    match(out, wanted);
  }
  const missing = await leap(["/gone"]);
  equal(missing.code, 1);
  match(missing.out, /^Table {8}Cannot read \/gone: no such file$/m);
  match((await leap([])).out, /^Table {8}none is named: set leap-seconds-file in \[clock\]$/m);
});

Deno.test("leap --json is one document", async () => {
  const { code, out } = await leap(["--json", "/l"], { files: { "/l": FRESH } });
  equal(code, 0);
  deepEqual(JSON.parse(out), {
    file: "/l",
    error: null,
    updated: "2026-10-03",
    expires: "2027-09-15",
    complete: true,
    taiOffsetSeconds: 37,
    next: { date: "2026-12-31", leap: "insert" },
    kernel: null,
    daemon: null,
  });
});

Deno.test("leap --fetch replaces a table that is missing, damaged or older", async () => {
  const before: readonly Readonly<Record<string, string>>[] = [{}, { "/l": "" }, {
    "/l": FRESH.slice(0, -9),
  }, {
    "/l": EXPIRED,
  }];
  for (const files of before) {
    const { code, out, written, asked } = await leap(["--fetch", "/l"], {
      files,
      fetched: ok(FRESH),
    });
    equal(code, 0);
    deepEqual(written, [["/l", FRESH]]);
    deepEqual(asked, ["https://data.iana.org/time-zones/tzdb/leap-seconds.list"]);
    match(out, /^\/l is written; it is valid until 2027-09-15\nTable/);
  }
});

Deno.test("leap --fetch replaces nothing by what is damaged, expired or no newer", async () => {
  const files = { "/l": FRESH };
  const bad = await leap(["--fetch", "/l"], { files, fetched: ok(FRESH.slice(0, -9)) });
  deepEqual([bad.code, bad.written], [69, []]);
  match(bad.complaint, /^ntpsd: What https:\S+ has is not used: line 6: wanted a digest/);
  const old = await leap(["--fetch", "/l"], { files, fetched: ok(EXPIRED) });
  deepEqual([old.code, old.written], [69, []]);
  match(old.complaint, /is not used: it has expired on 2026-06-28/);
  const same = await leap(["--fetch", "/l", "--url", "https://l"], { files, fetched: ok(FRESH) });
  deepEqual([same.code, same.written], [0, []]);
  match(same.out, /^\/l is as new as what https:\/\/l has$/m);
});

Deno.test("leap --fetch replaces no file that is something else", async () => {
  const files = { "/c": "[clock]\nadjust = true\n" };
  const refused = await leap(["--fetch", "/c"], { files, fetched: ok(FRESH) });
  deepEqual([refused.code, refused.written, refused.asked], [64, [], []]);
  match(refused.complaint, /^ntpsd: \/c is no table of leap seconds, and is not replaced$/m);
});

Deno.test("leap says what is wrong with its options, and with a daemon that was named", async () => {
  for (const url of ["http://a/", "a", "https://u:secret@a/"]) {
    const { code, complaint } = await leap(["--fetch", "/l", "--url", url]);
    equal(code, 64);
    match(complaint, /--url wants an address such as https:/);
    truthy(!complaint.includes("secret"));
  }
  equal((await leap(["--url", "https://a/"])).code, 64);
  equal((await leap(["--at", "foo:1"])).code, 64);
  match((await leap(["--at", "127.0.0.1:9"])).out, /^Daemon {7}Cannot connect/m);
});

Deno.test("leap --fetch says why it cannot, also in the document", async () => {
  const none = await leap(["--fetch"]);
  equal(none.code, 64);
  match(none.complaint, /No file is named for the table/);
  const writeError = { name: "EACCES", message: "Cannot write /l: permission denied" };
  const refused = await leap(["--fetch", "--json", "/l"], { fetched: ok(FRESH), writeError });
  equal(refused.code, 77);
  deepEqual(JSON.parse(refused.out), { error: writeError.message });
  equal((await leap(["--fetch", "/l"])).code, 69);
});

function answer(status: number, { body = "", location = "" } = {}): Response {
  return new Response(body, { status, headers: location === "" ? {} : { location } });
}

Deno.test("a text comes over HTTPS alone, redirected or not, and is bounded", async () => {
  const got = await fetchText("https://a/", (url) =>
    Promise.resolve(
      String(url) === "https://a/" ? answer(302, { location: "/b" }) : answer(200, { body: "x" }),
    ));
  deepEqual(got, ok("x"));
  const cases: readonly (readonly [string, Response, RegExp])[] = [
    ["http://a/", answer(200), /begins with https/],
    ["file:///etc/passwd", answer(200), /begins with https/],
    ["https://a/", answer(301, { location: "http://a/" }), /begins with https/],
    ["https://a/", answer(404), /status 404/],
    ["https://a/", answer(200, { body: "x".repeat(300_000) }), /at most 262144/],
  ];
  for (const [url, response, wanted] of cases) {
    const failed = await fetchText(url, () => Promise.resolve(response));
    truthy(!failed.ok, url);
    match(failed.error, wanted);
  }
  const endless = await fetchText(
    "https://a/",
    () => Promise.resolve(answer(302, { location: "/" })),
  );
  truthy(!endless.ok);
  match(endless.error, /without end/);
  const broken = await fetchText("https://a/", () =>
    Promise.reject(
      new TypeError("x", { cause: new Error("invalid peer certificate: Expired") }),
    ));
  truthy(!broken.ok);
  match(broken.error, /the certificate is not valid \(Expired\); is the clock right\?/);
});
