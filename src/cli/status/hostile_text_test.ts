/**
 * Whatever servers, name servers, files or clients put into a text, no printer lets it steer, hide
 * or turn round what is read.
 */
import assert from "node:assert/strict";
import fc from "../../../tests/support/properties.ts";
import { parseConfig } from "../../config/parse.ts";
import { formatConfigError } from "../../config/config_error.ts";
import { answer } from "../../daemon/observability/http.ts";
import { formatLine } from "../../system/log.ts";
import { renderMetrics } from "../../daemon/observability/metrics.ts";
import { serviceLine } from "../../daemon/observability/service_notices.ts";
import { EXAMPLE_SOURCES, exampleStatus } from "../../../tests/support/status_example.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { formatReferenceId } from "../../protocol/reference_id.ts";
import { type QueryResult, renderQuery } from "../query/report.ts";
import { renderSources } from "./sources.ts";
import { renderStatus } from "./status.ts";
import { painter } from "../display/style.ts";

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const paint = painter(false);

/** Text with what does harm in it, and the beginning of a line that somebody wants to forge. */
const hostile = fc.array(
  fc.oneof(
    fc.constantFrom("\nFORGED", "\r\nFORGED", "\x1b[2J", "\x1b[31m", "\x9b2J", "\x07", "\x7f"),
    fc.constantFrom("\u202e", "\u2066", "\u200f", "\u2028FORGED", "\u2029", "\u200b", "\ufeff"),
    fc.constantFrom("\u0085FORGED", "\ud800", "\u{e0041}", "\0", '"', "\\", "<b>", "name"),
    fc.string({ unit: "binary", maxLength: 5 }),
  ),
  { minLength: 1, maxLength: 6 },
).map((parts) => parts.join(""));

/** Replaces every text of a document whose words are not ours. */
function poisoned<T>(value: T, text: string, keep: ReadonlySet<string>): T {
  return JSON.parse(JSON.stringify(value), (key, inner) => {
    if (typeof inner === "string" && !keep.has(key)) return text;
    if (inner !== null && typeof inner === "object" && key === "dropped") return { [text]: 1 };
    return inner;
  });
}

const OUR_WORDS = new Set([
  "state",
  "leap",
  "status",
  "mode",
  "kind",
  "startedAt",
  "referenceTime",
]);

function documentWith(text: string): StatusDocument {
  const document = exampleStatus({
    why: "why",
    servers: [{
      listen: "listen",
      received: 1,
      answered: 1,
      denied: 1,
      rateLimited: 1,
      dropped: { a: 1 },
      nts: { answered: 1, naks: 1 },
      interleaved: 1,
      kisses: 1,
      controlAnswered: 1,
      clients: [{ prefix: "192.0.2.0/24", requests: 3, error: 1 }],
    }],
    ntsKe: [{ listen: "listen", accepted: 1, completed: 1, failed: {} }],
    functions: [
      { kind: "server", name: "name", up: false, reason: "reason" },
      { kind: "drift-file", name: "name", up: false, reason: "reason" },
    ],
    sources: EXAMPLE_SOURCES,
  });
  return poisoned(document, text, OUR_WORDS);
}

const QUERY: QueryResult = {
  name: "name",
  address: "address",
  ok: true,
  error: null,
  stratum: 1,
  referenceId: "id",
  leap: "none",
  offsetSeconds: 0,
  delaySeconds: 0,
  rootDelaySeconds: 0,
  rootDispersionSeconds: 0,
  errorBoundSeconds: 0,
  authentication: "nts",
  aead: 15,
  timestamping: "kernel",
  samples: 1,
  nts: { keyExchange: "ke", cookies: 8, certificateSubject: "CN=a", certificateExpires: "date" },
};

const QUERY_WORDS = new Set(["leap", "authentication", "timestamping"]);

function assertHarmless(printed: string, what: string): void {
  for (const line of printed.split("\n")) {
    assert.doesNotMatch(line, INVISIBLE, `${what}: ${JSON.stringify(line)}`);
    assert.ok(!line.startsWith("FORGED"), `${what}: ${JSON.stringify(line)}`);
  }
}

Deno.test("status, sources, metrics, health and the service manager's line hold nothing that steers", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const document = documentWith(text);
      const now = Date.parse("2026-11-22T02:13:00.000Z");
      assertHarmless(renderStatus(document, { now, paint, verbose: true }), "status");
      for (const columns of [undefined, 60]) {
        const view = { verbose: true, columns, paint };
        assertHarmless(renderSources(document.sources, view), "sources");
      }
      assertHarmless(renderMetrics(document, { residentBytes: 1 }), "metrics");
      assertHarmless(serviceLine(document), "service");
      const http = {
        listen: { family: "ipv4", address: "127.0.0.1", port: 1 } as const,
        names: () => [],
        status: () => document,
      };
      for (const path of ["/status", "/metrics", "/healthz", `/${text}`]) {
        for (const host of ["localhost", text]) {
          assertHarmless(answer({ method: "GET", path, host }, http).body, path);
        }
      }
      const { body } = answer({ method: "GET", path: "/status", host: "localhost" }, http);
      assert.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(document)), "nothing is lost");
    }),
    { numRuns: 150 },
  );
});

Deno.test("query prints nothing that steers, whatever names, errors and certificates say", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const good = poisoned(QUERY, text, QUERY_WORDS);
      const bad: QueryResult = { ...good, ok: false, error: text };
      for (const results of [[good], [bad], [good, bad]]) {
        assertHarmless(renderQuery(results, { columns: 80, paint }), "query");
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("lines of the log and errors of a configuration stay one line", () => {
  fc.assert(
    fc.property(hostile, fc.boolean(), (text, journal) => {
      const line = formatLine({ level: "warning", timestamp: 0, text, journal });
      assert.equal(line.split("\n").length, 2);
      assertHarmless(line, "log");
      const written = [
        `[${JSON.stringify(text)}]\n`,
        `[[source]]\nmode = "server"\naddress = ${JSON.stringify(text)}\n`,
        `[[source]]\nmode = ${JSON.stringify(text)}\naddress = "192.0.2.1"\n`,
        text,
      ];
      for (const config of written) {
        const parsed = parseConfig(config);
        for (const error of parsed.ok ? parsed.value.notes : parsed.error) {
          const printed = formatConfigError(error, `${text}.toml`);
          assert.ok(!printed.includes("\n"), printed);
          assertHarmless(printed, "check");
        }
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("reference ids and kiss codes of any octets are visible", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom("ipv4" as const, "ipv6" as const),
      (id, stratum, family) => {
        assertHarmless(formatReferenceId(id, { stratum, family }), "reference id");
        assertHarmless(formatReferenceId(id, { stratum: stratum % 17, family }), "reference id");
      },
    ),
  );
});
