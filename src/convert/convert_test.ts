import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { readerOf } from "../../tests/support/converted.ts";
import { costsAtMost } from "../../tests/support/wait_until.ts";
import { ok as okay } from "../base/result.ts";
import { parseConfig } from "../config/parse.ts";
import { convert } from "./convert.ts";
import { detectDialect, type Dialect, DIALECTS } from "./detect.ts";
import type { Reader } from "./read_lines.ts";

const reader = readerOf({});

/** What texts are made of that come near to being configurations. */
const PIECES =
  ("server pool peer restrict default ignore mask allow deny all include /a/*.conf a.conf confdir / [Time] NTP=" +
    " PollIntervalMinSec= listen on * servers tos tinker panic orphan step makestep local stratum key 1 -1 1e999" +
    " 0x10 nts port ntsport 99999 minpoll maxpoll 127.127.1.0 fudge interface bindaddress :: [::1]:99999 ::1/200" +
    ' 10.1 10/99 ratelimit interval burst leak [[source]] mode = "x" [server] [[server]] = [ ] { } , " \' \\ \n \n \n' +
    " keyfile keys # ; \u202e \u0000 \ud800 a.example __proto__ constructor toString ntstrustedcerts ntsservercert" +
    " ntsserverkey maxslewrate NaN Infinity authselectmode minsources 900 maxsources leapsectz ntsrotate driftfile" +
    " discard limit average limited ntpport ippeerlimit nts enable mintls cert ignore all ipv4 ipv6 -4 -6 maxchange")
    .split(" ");

Deno.test("whatever stands in it, a text is converted to what ntpsd accepts, or refused in a sentence", () => {
  const text = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })), {
    maxLength: 60,
  }).map((pieces) => pieces.join(" ").replaceAll(" \n ", "\n"));
  fc.assert(
    fc.property(text, fc.constantFrom(...DIALECTS, undefined), (each, dialect) => {
      const result = convert({ file: "a.conf", text: each, dialect, reader });
      if (!result.ok) return result.error.length > 10;
      const parsed = parseConfig(result.value.text);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error) + result.value.text);
      return true;
    }),
    { numRuns: 1000 },
  );
});

Deno.test("the words of each option of a line may be missing", () => {
  const lines =
    "server|pool|peer a key|server a minpoll|restrict|restrict a mask|fudge 127.127.1.0 stratum|tos|tinker step|interface listen|nts|allow all|ratelimit burst|local stratum|include|confdir|listen on|servers|constraint|makestep|bindaddress|ntstrustedcerts"
      .split("|");
  for (const dialect of DIALECTS) {
    if (dialect === "ntpd-rs") continue;
    for (const line of lines) {
      const result = convert({
        file: "x",
        text: `${line}\nserver good.example\n`,
        dialect,
        reader,
      });
      ok(result.ok, line);
      if (dialect !== "timesyncd") match(result.value.text, /good\.example/, `${dialect}: ${line}`);
    }
  }
});

Deno.test("lines of any length, and texts of any size, are read in a moment", () => {
  const long = [
    `allow ${"1".repeat(100_000)}`,
    `allow ${"1".repeat(4000)}`,
    `server ${":".repeat(4000)}x`,
    `server ${" ".repeat(100_000)}b.example x`,
    `NTP${" ".repeat(4000)}x`,
    `[${"x".repeat(4000)}`,
  ];
  for (const dialect of DIALECTS) {
    for (const line of long) convert({ file: "x", text: line, dialect, reader });
  }
  const many = Array.from({ length: 50_000 }, (_, i) => `server s${i}.example\n`).join("");
  const result = convert({ file: "x", text: many, dialect: "ntp", reader });
  ok(!result.ok && /at most 1048576 characters/.test(result.error));
});

Deno.test("a text is read as a whole or not at all, for half a line may open more than the whole", () => {
  const line = "allow all 10.0.0.0/8\n", half = "allow all".length;
  const most = 1 << 20, fill = "#".repeat(most - 1 - half);
  const whole = convert({ file: "x", text: `${fill}\n${line}`, dialect: "chrony", reader });
  ok(!whole.ok && /at most 1048576 characters, found 1048588/.test(whole.error));
  const files = readerOf({ "/a.conf": `${fill.slice(100)}\n${line}`, "/b.conf": line });
  const text = "include /a.conf\ninclude /b.conf\n".repeat(3);
  const included = convert({ file: "x", text, dialect: "chrony", reader: files });
  ok(included.ok);
  match(included.value.text, /filter = \["10\.0\.0\.0\/8"\]/);
  match(included.value.text, /^# x:3: include.*\n# {3}At most .*; \/a\.conf is left out$/m);
  for (const [dialect, start] of [["timesyncd", "NTP="], ["chrony", "server "]] as const) {
    const long = `${start}${"a.example ".repeat(1000)}`;
    const told = convert({ file: "x", text: long, dialect, reader });
    ok(told.ok);
    match(told.value.text, /^# x:1: .*\n# {3}a line of more than 4096 characters is not read$/m);
  }
});

Deno.test("access lists with thousands of networks and listeners are read in a moment", () => {
  const many = (line: (octets: string) => string) =>
    Array.from({ length: 8000 }, (_, i) => line(`${i >> 8}.${i % 256}`)).join("");
  const text = many((octets) => `allow 10.${octets}.0/24\n`) +
    many((octets) => `deny 11.${octets}.0/25\nallow all 12.${octets}.0/24\n`);
  const lists = convert({ file: "x", text, dialect: "chrony", reader });
  ok(lists.ok && lists.value.remarkCount === 0);
  equal(lists.value.text.match(/"1[02]\.[0-9.]+\/24"/g)?.length, 16_000);
  equal(lists.value.text.match(/"11\.[0-9.]+\/25"/g)?.length, 8000);
  const listeners = `allow\n${many((octets) => `bindaddress 10.1.${octets}\n`)}`;
  const served = convert({ file: "x", text: listeners, dialect: "chrony", reader });
  ok(served.ok && served.value.remarkCount === 0);
  const large: readonly (readonly [Dialect, string])[] = [
    ["chrony", many((octets) => `allow all 10.${octets}.0/24\ndeny all 11.${octets}.0/24\n`)],
    [
      "ntp",
      many((octets) =>
        `restrict 2001:${octets.replace(".", ":")}:: mask ffff:ffff:ffff:: ignore\n`
      ),
    ],
    ["ntp", many((octets) => `interface listen 10.1.${octets}\n`)],
  ];
  for (const [dialect, each] of large) {
    costsAtMost(2000, () => ok(convert({ file: "x", text: each, dialect, reader }).ok));
  }
});

Deno.test("there is a limit to what is included altogether", () => {
  let read = 0, listed = 0;
  const endless: Reader = {
    read: () => {
      read++;
      return okay("include /d/x\ninclude /d/*.conf\n".repeat(20_000));
    },
    list: () => {
      listed++;
      return okay([]);
    },
  };
  const text = "include /d/x\ninclude /d/*.conf\n";
  convert({ file: "x", text: text.repeat(10), dialect: "chrony", reader: endless });
  ok(read <= 100 && listed <= 100, `${read} files, ${listed} folders`);
});

Deno.test("the program is told by its words, and by the file's name where they do not tell", () => {
  const of = (text: string, file?: string) => detectDialect(text, file);
  equal(of("server a\nmakestep 1 3\n"), "chrony");
  equal(of("server a\nrestrict default\n"), "ntp");
  equal(of("servers a\n"), "openntpd");
  equal(of("server a\n", "/etc/ntp.conf"), "ntp");
  equal(of("server a\n", "/etc/ntpd.conf"), "openntpd");
  equal(of("server a\n", "/etc/chrony/x.sources"), "chrony");
  equal(of("[Time]\n"), "timesyncd");
  equal(of('[[source]]\nmode = "pool"\n[observability]\nobservation-path = "/x"\n'), "ntpd-rs");
});

Deno.test("what is ntpsd's own or nobody's is of no other program", () => {
  for (
    const text of [
      "",
      "# server a\n",
      '[[source]]\nmode = "server"\naddress = "a.example"\n',
      "port = 0\nuser = 1\nallow = 3\n",
      "hello world\n",
      "[[source]\nmode = server\n",
    ]
  ) equal(detectDialect(text), undefined, text);
  const refused = convert({ file: "x", text: "hello world\n", reader });
  ok(!refused.ok && /--from chrony\|ntp/.test(refused.error));
});

Deno.test("a source that is named twice is asked once, and one that cannot be is told", () => {
  const text = "server a.example\nserver A.example.\nserver 0.0.0.0\nserver 1.2.3\nmakestep 1 3\n";
  const result = convert({ file: "x", text, reader });
  ok(result.ok);
  deepEqual(result.value.text.match(/^address = .*$/gm), ['address = "a.example"']);
  match(result.value.text, /^# .*The same address as in source\[0\]/m);
  match(result.value.text, /^# .*0\.0\.0\.0/m);
});

Deno.test("a server whose access list is not understood serves no one", () => {
  const text = `[[server]]
listen = "[::]:123"
allowlist = { filter = ["10.0.0.0/99"], action = "ignore" }
[observability]
observation-path = "/x"
`;
  const result = convert({ file: "x", text, reader });
  ok(result.ok);
  equal(/^listen/m.test(result.value.text), false);
  match(result.value.text, /^# .*10\.0\.0\.0\/99/m);
});
