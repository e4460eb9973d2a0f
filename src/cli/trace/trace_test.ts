import assert from "node:assert/strict";
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import { painter } from "../display/style.ts";
import { exampleQueryResult as server } from "../../../tests/support/query_example.ts";
import type { QueryResult } from "../query/report.ts";
import { followChain } from "./chain.ts";
import { renderChain, traceCommand } from "./command.ts";

const SILENT: Partial<QueryResult> = { ok: false, error: "No response", stratum: null };

/** Asks servers that say what is given, by the name that they are asked by. */
function asking(servers: Readonly<Record<string, Partial<QueryResult>>>) {
  return (name: string) => {
    const changes = servers[name];
    assert.ok(changes !== undefined, `${name} is not to be asked`);
    return Promise.resolve(server({ name, address: `${name}:123`, ...changes }));
  };
}

Deno.test("the chain is followed from reference ID to reference ID up to stratum 1", async () => {
  const chain = await followChain(
    "a.test",
    asking({
      "a.test": { address: "192.0.2.1:123", stratum: 3, referenceId: "192.0.2.2" },
      "192.0.2.2": { stratum: 2, referenceId: "192.0.2.3" },
      "192.0.2.3": { stratum: 1, referenceId: "GPS" },
    }),
  );
  assert.equal(chain.end, "stratum-1");
  assert.deepEqual(chain.servers.map(({ name }) => name), ["a.test", "192.0.2.2", "192.0.2.3"]);
  assert.match(chain.reason, /192\.0\.2\.3 .*GPS/);
});

Deno.test("a chain ends at silence, and says that the address may be a hash", async () => {
  const first = await followChain("192.0.2.1", asking({ "192.0.2.1": SILENT }));
  assert.deepEqual([first.end, first.reason], ["silence", "192.0.2.1: No response"]);
  const second = await followChain(
    "192.0.2.1",
    asking({ "192.0.2.1": { referenceId: "192.0.2.2" }, "192.0.2.2": SILENT }),
  );
  assert.equal(second.end, "silence");
  assert.match(second.reason, /hash of an IPv6 address/);
});

Deno.test("a circle is told, of one server too, and of one that is asked as IPv6", async () => {
  const circles: readonly (readonly [string, Readonly<Record<string, Partial<QueryResult>>>])[] = [
    ["192.0.2.1", { "192.0.2.1": { referenceId: "192.0.2.1" } }],
    ["a.test", {
      "a.test": { address: "192.0.2.1:1123", referenceId: "192.0.2.2" },
      "192.0.2.2": { referenceId: "192.0.2.1" },
    }],
    ["a.test", {
      "a.test": { address: "[::ffff:192.0.2.1]:123", referenceId: "192.0.2.1" },
    }],
  ];
  for (const [host, servers] of circles) {
    assert.equal((await followChain(host, asking(servers))).end, "loop");
  }
});

Deno.test("a reference ID that is no server's address is not asked", async () => {
  for (
    const [referenceId, said] of [
      ["127.127.1.1", /own clock/],
      ["127.0.0.1", /own clock/],
      ["0.0.0.0", /unspecified/],
      ["224.0.1.1", /multicast/],
      ["254.1.2.3", /reserved/],
      ["8A2F10CC", /hash of an IPv6 .*138\.47\.16\.204/],
      ["", /no address/],
      ["INIT", /no address/],
    ] as const
  ) {
    const chain = await followChain("192.0.2.1", asking({ "192.0.2.1": { referenceId } }));
    assert.equal(chain.end, "no-address", referenceId);
    assert.match(chain.reason, said);
  }
});

Deno.test("servers without end are left after sixteen", async () => {
  let asked = 0;
  const chain = await followChain("192.0.2.0", (name) => {
    const referenceId = `192.0.2.${++asked}`;
    return Promise.resolve(server({ name, address: `${name}:123`, referenceId }));
  });
  assert.deepEqual([chain.end, asked, chain.servers.length], ["limit", 16, 16]);
});

Deno.test("a chain is shown within 80 columns, and hostile text stays in its line", () => {
  const evil = `${"a-long-name.".repeat(9)}\x1b[2J\nb`;
  const servers = [
    server({ name: evil, referenceId: "\x1b[2J" }),
    server({ name: "b", ...SILENT, referenceId: null }),
  ];
  const view = { columns: undefined, paint: painter(false) };
  const text = renderChain({ servers, end: "silence", reason: `${evil}: No response` }, view);
  assert.ok(!text.includes("\x1b"));
  const lines = text.trimEnd().split("\n");
  assert.equal(lines.filter((line) => line.length <= 80).length, lines.length - 1, text);
  assert.ok(lines.slice(0, 3).every((line) => line.length <= 80));
});

Deno.test("the command ends with 0 at stratum 1, else with 1, and 64 for what it cannot read", async () => {
  const run = async (host: string, options: Readonly<Record<string, string | boolean>> = {}) => {
    let out = "";
    const questions: unknown[] = [];
    const code = await traceCommand.run({ operands: [host], options }, {
      ...IDLE_CONTEXT,
      out: (text) => out += text,
      err: () => {},
      askServer(name, question) {
        questions.push(question);
        const stratum = name === "one.test" ? 1 : 2;
        return Promise.resolve(server({ name, stratum, referenceId: "127.127.1.0" }));
      },
    });
    return { code, out, questions };
  };
  const one = await run("one.test", { ipv4: true, timeout: "100ms" });
  assert.equal(one.code, 0);
  assert.deepEqual(one.questions, [{ timeout: 0.1, family: "ipv4" }]);
  const two = await run("two.test", { json: true });
  assert.equal(two.code, 1);
  const document = JSON.parse(two.out);
  assert.equal(document.end, "no-address");
  assert.equal(document.servers[0].rootDistanceSeconds, 274e-6 / 2 + 50e-6);
  assert.equal((await run("a b")).code, 64);
  assert.equal((await run("a", { ipv4: true, ipv6: true })).code, 64);
  assert.equal((await run("a", { timeout: "soon" })).code, 64);
});
