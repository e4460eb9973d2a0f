import { equal, match, ok } from "node:assert/strict";
import { EXAMPLE_SOURCES, exampleSource } from "../../../tests/support/status_example.ts";
import { renderSources } from "./sources.ts";
import { painter } from "../display/style.ts";

const plainView = { verbose: false, columns: 80, paint: painter(false) };

Deno.test("the table of sources fits 80 columns and tells why a source is out", () => {
  const text = renderSources(EXAMPLE_SOURCES, plainView);
  equal(
    text,
    `  Source                      St  Poll  Reach  Last    Offset    Delay     Error
* time.example.net             2   64s    377   12s  +12.3 us  3.41 ms  ±2.10 ms
+ nts.example.org              2   64s    377   12s   -900 ns  3.41 ms  ±2.10 ms
x wrong.example.com            2   64s    377   12s   +501 ms  12.3 ms  ±2.10 ms
? a-very-long-name-of-a-ser…   -   17m      0     -         -        -         -

x wrong.example.com (falseticker): its offset of +501 ms ± 2.3 ms does not meet
    the interval of -1.2 to +1.9 ms in which 3 others agree
? a-very-long-name-of-a-server.in-a-far-away-country.example (unreachable): no
    answer to the last 8 requests
`,
  );
  for (const line of text.split("\n")) ok([...line].length <= 80, line);
});

Deno.test("with -v every source is told in detail", () => {
  const text = renderSources(EXAMPLE_SOURCES.slice(1, 3), { ...plainView, verbose: true });
  equal(
    text,
    `  Source             St  Poll  Reach  Last   Offset    Delay     Error
+ nts.example.org     2   64s    377   12s  -900 ns  3.41 ms  ±2.10 ms
x wrong.example.com   2   64s    377   12s  +501 ms  12.3 ms  ±2.10 ms

x wrong.example.com (falseticker): its offset of +501 ms ± 2.3 ms does not meet
    the interval of -1.2 to +1.9 ms in which 3 others agree

  Source             Reference     Auth  Timing   Jitter     Disp   Sent   Recv
+ nts.example.org    198.51.100.7  nts   kernel  8.70 us  44.0 us  1,234  1,230
x wrong.example.com  198.51.100.7  none  kernel  8.70 us  44.0 us  1,234  1,230

+ nts.example.org
    nts, [2001:db8::1]:123
    NTS: 8 cookies, AEAD 15, last key exchange 2026-11-22T01:00:00Z
x wrong.example.com
    server, 192.0.2.66:123
    dropped: origin-mismatch 3, kiss-rate 1
    could not be sent: 2 requests

Marks      * selected, + combined, - agrees but is not needed, . outlier,
           x falseticker, ~ too variable, ? not usable
St         stratum: 1 has a reference clock, 2 is synchronised to a 1, and so on
Poll       the time between requests
Reach      the last eight requests in octal, newest last; 377: all had responses
Last       the time since the last response
Offset     how far the source is ahead of this clock (+) or behind it (-)
Delay      the round trip to the source and back, without queues
Error      half the interval in which the true offset must lie
Reference  the reference ID: where the source gets its time
Auth       what authenticates its responses: nts, mac (a symmetric key) or none
Timing     what took the timestamps on this side: hardware (the network
           interface), kernel, or user (this program, the least exact)
Jitter     how far single measurements usually lie from the estimate
Disp       the standard deviation of the estimated offset
Sent       the requests sent
Recv       the packets received, dropped ones included
`,
  );
  for (const line of text.split("\n")) ok([...line].length <= 80, line);
});

Deno.test("the legend explains every column", () => {
  const text = renderSources(EXAMPLE_SOURCES, { ...plainView, verbose: true });
  const titles = text.split("\n").filter((line) => line.startsWith("  Source "));
  equal(titles.length, 2);
  const legend = text.slice(text.indexOf("\nMarks "));
  for (const title of titles.flatMap((line) => line.trim().split(/ +/)).slice(1)) {
    if (title !== "Source") ok(legend.includes(`\n${title} `), title);
  }
});

Deno.test("without a terminal names are written in full", () => {
  const text = renderSources(EXAMPLE_SOURCES, { ...plainView, columns: undefined });
  ok(text.includes("? a-very-long-name-of-a-server.in-a-far-away-country.example   -"), text);
});

Deno.test("colours touch the mark alone, and text from afar cannot make any", () => {
  const text = renderSources([exampleSource({ name: "evil\x1b[2Jname" })], {
    ...plainView,
    paint: painter(true),
  });
  ok(text.includes("\x1b[32m*\x1b[0m evil\\u001b[2Jname"), JSON.stringify(text));
  equal(text.split("\x1b").length - 1, 4);
});

Deno.test("no sources is said in words", () => {
  equal(renderSources([], plainView), "No sources are configured\n");
});

Deno.test("members of a pool, and one host at two ports, can be told apart in 80 columns", () => {
  const rows = [
    exampleSource({ name: "pool.example", mode: "pool", address: "192.0.2.10:123" }),
    exampleSource({ name: "pool.example", mode: "pool", address: "[2001:db8:1:2:3:4:5:6]:123" }),
    exampleSource({ name: "pool.example", mode: "pool", address: null }),
    exampleSource({ name: "10.0.2.2:12301", address: "10.0.2.2:12301" }),
    exampleSource({ name: "10.0.2.2:12302", address: "10.0.2.2:12302" }),
  ];
  const lines = renderSources(rows, { verbose: false, columns: 80, paint: painter(false) }).split(
    "\n",
  );
  ok(lines.every((line) => line.length <= 80), lines.join("\n"));
  const first = lines.slice(1, 6).map((line) => line.slice(0, 18).trim());
  equal(new Set(first).size, 5, first.join("\n"));
  match(lines[1] ?? "", /^\* 192\.0\.2\.10 pool/);
  match(lines[2] ?? "", /^\* 2001:db8.*…?.*5:6/);
});
