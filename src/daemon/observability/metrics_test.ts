import { deepEqual, equal, match, ok } from "node:assert/strict";
import { renderMetrics } from "./metrics.ts";
import { exampleSource, exampleStatus } from "../../../tests/support/status_example.ts";

const figures = { residentBytes: 12345678 };

Deno.test("every line is a comment or a sample, and no series is there twice", () => {
  const text = renderMetrics(
    exampleStatus({
      servers: [{
        listen: "[::]:123",
        received: 5,
        answered: 4,
        denied: 0,
        rateLimited: 1,
        dropped: { mode: 1 },
        nts: { answered: 0, naks: 0 },
        interleaved: 2,
        kisses: 1,
        controlAnswered: 55,
      }],
      http: {
        listen: "127.0.0.1:9975",
        accepted: 7,
        completed: 4,
        failed: { "internal-error": 1 },
        open: 2,
      },
      ntsKe: [{ listen: "[::]:4460", accepted: 3, completed: 2, failed: { timeout: 1 } }],
      functions: [
        { kind: "server", name: "[::]:123", up: true, reason: "" },
        { kind: "nts-ke-server", name: "[::]:4460", up: false, reason: "No certificate" },
      ],
      hardwareTimestampFallbacks: { disagrees: 3 },
    }),
    figures,
  );
  const series = new Set<string>();
  for (const line of text.trimEnd().split("\n")) {
    if (/^# (HELP|TYPE) ntpsd_[a-z_]+ |^# (HELP|TYPE) process_/.test(line)) continue;
    match(line, /^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? -?[0-9.e+-]+$/);
    const name = line.slice(0, line.lastIndexOf(" "));
    ok(!series.has(name), name);
    series.add(name);
  }
  for (
    const line of [
      'ntpsd_state{state="synchronized"} 1',
      'ntpsd_state{state="holdover"} 0',
      "ntpsd_offset_seconds 0.00001234",
      "ntpsd_frequency_ppm -12.345",
      "ntpsd_steps_total 1",
      "ntpsd_start_time_seconds 1795305600",
      'ntpsd_source_status{source="wrong.example.com",address="192.0.2.66:123",status="falseticker"} 1',
      'ntpsd_source_reach_ratio{source="time.example.net",address="192.0.2.1:123"} 1',
      'ntpsd_source_dropped_total{source="wrong.example.com",address="192.0.2.66:123",reason="origin-mismatch"} 3',
      'ntpsd_source_responses_total{source="time.example.net",address="192.0.2.1:123"} 1230',
      'ntpsd_source_send_failures_total{source="time.example.net",address="192.0.2.1:123"} 0',
      'ntpsd_source_nts_cookies{source="nts.example.org",address="[2001:db8::1]:123"} 8',
      'ntpsd_server_rate_limited_total{listen="[::]:123"} 1',
      'ntpsd_server_dropped_total{listen="[::]:123",reason="mode"} 1',
      'ntpsd_server_kisses_total{listen="[::]:123"} 1',
      'ntpsd_server_interleaved_total{listen="[::]:123"} 2',
      'ntpsd_server_control_answered_total{listen="[::]:123"} 55',
      'ntpsd_nts_ke_failed_total{listen="[::]:4460",reason="timeout"} 1',
      'ntpsd_http_completed_total{listen="127.0.0.1:9975"} 4',
      'ntpsd_http_failed_total{listen="127.0.0.1:9975",reason="internal-error"} 1',
      'ntpsd_http_open{listen="127.0.0.1:9975"} 2',
      'ntpsd_function_up{function="server",name="[::]:123"} 1',
      'ntpsd_hardware_timestamp_fallbacks_total{reason="disagrees"} 3',
      'ntpsd_function_up{function="nts-ke-server",name="[::]:4460"} 0',
      "process_resident_memory_bytes 12345678",
    ]
  ) ok(text.includes(`\n${line}\n`), line);
});

Deno.test("synchronised means the same as for health checks", () => {
  const states = ["synchronized", "holdover", "monitoring", "starting", "unsynchronized"] as const;
  const shown = states.map((state) =>
    /\nntpsd_synchronized ([01])\n/.exec(renderMetrics(exampleStatus({ state }), figures))?.[1]
  );
  deepEqual(shown, ["1", "1", "1", "0", "0"]);
});

Deno.test("what is not known has no sample, and labels are escaped", () => {
  const text = renderMetrics(
    exampleStatus({
      offsetSeconds: null,
      referenceTime: null,
      sources: [exampleSource({ name: 'a"b\\c\nd', offsetSeconds: null })],
    }),
    figures,
  );
  equal(text.includes("ntpsd_offset_seconds"), false);
  equal(text.includes("ntpsd_reference_time_seconds"), false);
  equal(text.includes("ntpsd_source_offset_seconds"), false);
  ok(text.includes('ntpsd_source_stratum{source="a\\"b\\\\c\\nd",address="192.0.2.1:123"} 2\n'));
  deepEqual(text.split("\n").filter((line) => line.startsWith("d")), []);
});
