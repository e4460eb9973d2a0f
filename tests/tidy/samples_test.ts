/**
 * The output that documents show is what the program prints: each sample is printed again from
 * values that fit it.
 */
import assert from "node:assert/strict";
import { renderQuery } from "../../src/cli/query/report.ts";
import { renderSources } from "../../src/cli/status/sources.ts";
import { renderStatus } from "../../src/cli/status/status.ts";
import { explain } from "../../src/cli/explain/explanation.ts";
import { renderExplanation } from "../../src/cli/explain/command.ts";
import { painter } from "../../src/cli/display/style.ts";
import { followChain } from "../../src/cli/trace/chain.ts";
import { renderChain } from "../../src/cli/trace/command.ts";
import { formatConfigError } from "../../src/config/config_error.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { exampleQueryResult } from "../support/query_example.ts";
import { EXAMPLE_SOURCES, exampleSource, exampleStatus } from "../support/status_example.ts";
import type { SourceDocument } from "../../src/engine/status/snapshot.ts";
import { select } from "../../src/selection/select.ts";
import { plainCandidate } from "../support/plain_candidate.ts";
import { ROOT } from "./project.ts";

const paint = painter(false);

/** What a document shows below a command line, without the indentation. */
async function sample(document: string, command: string): Promise<string> {
  const text = await Deno.readTextFile(`${ROOT}/${document}`);
  const block = text.split("\n").slice(text.split("\n").indexOf(`    $ ${command}`) + 1);
  assert.ok(block.length > 1 && block.length < text.split("\n").length, command);
  const end = block.findIndex((line) => line !== "" && !line.startsWith("    "));
  return block.slice(0, end).map((line) => line.slice(4)).join("\n").trimEnd() + "\n";
}

/** The sentence that selection writes of one that is wrong among three that are right. */
function falsetickerReason(): string {
  const candidate = (id: number, offset: number) =>
    plainCandidate(id, {
      offset,
      uncertainty: 44e-6,
      rootDistance: 2.1e-3,
      jitter: 8.7e-6,
      samples: 8,
    });
  const offsets = [12.34e-6, -0.9e-6, 0.501];
  const { statuses } = select(offsets.map((offset, id) => candidate(id, offset)), {
    minimumAgreeing: 2,
  });
  const status = statuses.get(2);
  assert.equal(status?.status, "falseticker");
  return status.reason;
}

const REASONS = [
  "Best of 2 that are used: offset 12.340 us, error bound 2.100 ms",
  "Used together with time.example.net: offset -0.900 us, error bound 2.100 ms",
] as const;

function sources(): readonly SourceDocument[] {
  const reason = falsetickerReason();
  return EXAMPLE_SOURCES.slice(0, 3).map((source) =>
    source.status === "falseticker" ? { ...source, reason } : source
  );
}

Deno.test("ntpsd sources prints what docs/commands.md shows", async () => {
  const printed = renderSources(sources(), { verbose: false, columns: undefined, paint });
  assert.equal(await sample("docs/commands.md", "ntpsd sources"), printed);
});

Deno.test("ntpsd status prints what docs/commands.md shows", async () => {
  const printed = renderStatus(
    exampleStatus({ sources: [...sources(), exampleSource({ status: "combined" })] }),
    { now: Date.parse("2026-11-22T02:13:00.000Z"), paint, verbose: false },
  );
  assert.equal(await sample("docs/commands.md", "ntpsd status"), printed);
});

Deno.test("ntpsd why prints what docs/commands.md shows", async () => {
  const [selected, combined, falseticker] = sources();
  const used = [
    selected && { ...selected, reason: REASONS[0] },
    combined && { ...combined, reason: REASONS[1] },
  ];
  const shown = [...used, falseticker].flatMap((source) => source ?? []);
  const printed = renderExplanation(explain(exampleStatus({ sources: shown })));
  assert.equal(await sample("docs/commands.md", "ntpsd why"), printed);
});

Deno.test("ntpsd query prints what docs/commands.md shows", async () => {
  const result = exampleQueryResult({
    name: "nts.example.net",
    authentication: "nts",
    aead: 15,
    nts: {
      keyExchange: "192.0.2.1",
      cookies: 8,
      certificateSubject: "CN=nts.example.net",
      certificateExpires: "2027-02-03T23:59:59.000Z",
    },
  });
  const printed = renderQuery([result], { columns: undefined, paint });
  assert.equal(await sample("docs/commands.md", "ntpsd query --nts nts.example.net"), printed);
});

Deno.test("ntpsd trace prints what docs/commands.md shows", async () => {
  const primary = { stratum: 1, offsetSeconds: 0.9e-3, rootDelaySeconds: 0 };
  const servers = [
    exampleQueryResult({ rootDelaySeconds: 8e-3, rootDispersionSeconds: 1.2e-3 }),
    exampleQueryResult({
      name: "198.51.100.7",
      address: "198.51.100.7:123",
      stratum: 2,
      referenceId: "203.0.113.5",
    }),
    exampleQueryResult({
      name: "203.0.113.5",
      address: "203.0.113.5:123",
      ...primary,
      referenceId: "GPS",
    }),
  ];
  const chain = await followChain("time.example.net", (name) => {
    const server = servers.find((each) => each.name === name);
    assert.ok(server !== undefined, name);
    return Promise.resolve(server);
  });
  assert.equal(
    await sample("docs/commands.md", "ntpsd trace time.example.net"),
    renderChain(chain, { columns: undefined, paint }),
  );
});

Deno.test("ntpsd check prints what docs/commands.md shows", async () => {
  const parsed = parseConfig(`[[source]]
mode = "server"
adress = "192.0.2.1"
address = "192.0.2.1"

# the clock

[clock]
adjust = "yes"
`);
  assert.ok(!parsed.ok);
  const lines = parsed.error.map((each) => formatConfigError(each, "ntpsd.toml"));
  const printed = `${lines.join("\n")}\n${lines.length} errors\n`;
  assert.equal(await sample("docs/commands.md", "ntpsd check -c ntpsd.toml"), printed);
});

Deno.test("the process of docs/server.md that keeps the clock leaves port 123 to those that serve", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/server.md`);
  const [, sample = ""] = /```toml\n# [^\n]*: keeps the clock\n(.*?)```/s.exec(text) ?? [];
  const parsed = parseConfig(sample);
  assert.ok(parsed.ok && parsed.value.config.servers.length > 0);
  assert.equal(parsed.value.config.control.ntpq, "off", "else it opens the port for ntpq");
});
