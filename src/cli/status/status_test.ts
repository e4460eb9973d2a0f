import { equal } from "node:assert/strict";
import { exampleStatus } from "../../../tests/support/status_example.ts";
import { renderStatus } from "./status.ts";
import { painter } from "../display/style.ts";

const context = {
  now: Date.parse("2026-11-22T02:13:00.000Z"),
  paint: painter(false),
  verbose: false,
};

Deno.test("the status of a synchronised client", () => {
  equal(
    renderStatus(exampleStatus(), context),
    `ntpsd 0.1.0, running for 2 h 13 min

State            synchronised
Clock            adjusted by ntpsd
Sources          2 of 4 in use, led by time.example.net
NTS              1 of 1 with keys
Stratum          3
Reference        192.0.2.1, last update 12 s ago
Offset           +12.3 us
Error bound      ±4.20 ms
Frequency        -12.345 ppm (±0.012 ppm)
Root delay       8.41 ms
Root dispersion  1.20 ms
Update interval  64.2 s
Leap second      none announced
Steps            1, together 213 ms
`,
  );
});

Deno.test("the status of a server that has lost its sources", () => {
  equal(
    renderStatus(
      exampleStatus({
        state: "holdover",
        why: "No source has answered for 12 min",
        adjusting: false,
        leap: "insert",
        steps: { count: 0, accumulatedSeconds: 0 },
        offsetSeconds: null,
        errorBoundSeconds: null,
        skewPpm: null,
        referenceTime: null,
        sources: [],
        servers: [{
          listen: "[::]:123",
          received: 1234567,
          answered: 1234000,
          denied: 7,
          rateLimited: 500,
          dropped: { "too-short": 50, mode: 10 },
          nts: { answered: 99, naks: 1 },
          interleaved: 2345,
          kisses: 12,
          controlAnswered: 55,
          clients: [
            { prefix: "192.0.2.0/24", requests: 700_000, error: 0 },
            { prefix: "2001:db8:1::/48", requests: 1200, error: 33 },
          ],
        }],
        ntsKe: [{ listen: "[::]:4460", accepted: 12, completed: 10, failed: { timeout: 2 } }],
        hardwareTimestampFallbacks: { disagrees: 3, "no-transmit-timestamp": 1200 },
      }),
      { ...context, verbose: true },
    ),
    `ntpsd 0.1.0, running for 2 h 13 min

State            holdover: running on without sources
Why              No source has answered for 12 min
Clock            left alone by ntpsd
Sources          0 of 0 in use
Stratum          3
Reference        192.0.2.1
Offset           -
Error bound      -
Frequency        -12.345 ppm
Root delay       8.41 ms
Root dispersion  1.20 ms
Update interval  64.2 s
Leap second      one is inserted at the end of the day (UTC)
Steps            none
Timestamps       kernel in place of hardware timestamps, by reason: disagrees 3,
                 no-transmit-timestamp 1,200

Server on [::]:123
  1,234,567 requests, 1,234,000 answered, 7 denied, 500 over the rate limit
  2,345 answered in interleaved mode, 12 kisses, 55 control requests (mode 6) answered
  NTS: 99 answered, 1 refused (NAK)
  60 dropped: too-short 50, mode 10

  Busiest clients  Requests
  192.0.2.0/24      700,000
  2001:db8:1::/48     1,200  at least 1,167

Key exchange on [::]:4460
  12 connections, 10 completed
  2 failed: timeout 2
`,
  );
});

Deno.test("a long reason is broken into lines, and what is not known is no zero", () => {
  const text = renderStatus(
    exampleStatus({
      state: "starting",
      why: "Only 2 sources agree, minimum-agreeing-sources is 3; ".repeat(5).trim(),
      errorBoundSeconds: null,
      rootDelaySeconds: 0,
      rootDispersionSeconds: 0,
    }),
    context,
  );
  const lines = text.split("\n");
  equal(lines.every((line) => line.length <= 80), true);
  equal(lines.filter((line) => line.startsWith(" ".repeat(17))).length >= 3, true);
  equal(lines.includes("Root delay       -") && lines.includes("Root dispersion  -"), true);
});

Deno.test("while the time is not known no reference is named, and no frequency that nobody measured", () => {
  const shown = (changes: Parameters<typeof exampleStatus>[0]) =>
    renderStatus(exampleStatus({ referenceId: "INIT", ...changes }), context).split("\n");
  const lost = shown({ state: "unsynchronized", why: "None" });
  equal(lost.includes("Reference        none now, the last update was 12 s ago"), true);
  const fresh = shown({ state: "starting", referenceTime: null, frequencyPpm: 0, skewPpm: null });
  equal(fresh.includes("Reference        -") && fresh.includes("Frequency        -"), true);
  // what the kernel runs at is known without a measurement
  const loaded = shown({ state: "starting", frequencyPpm: 3.25, skewPpm: null });
  equal(loaded.some((line) => /^Frequency +\+?3\.250 ppm$/.test(line)), true);
});
