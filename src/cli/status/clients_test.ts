import assert from "node:assert/strict";
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import { exampleServer, exampleStatus } from "../../../tests/support/status_example.ts";
import { ok } from "../../base/result.ts";
import type { ServerDocument } from "../../engine/status/snapshot.ts";
import { clientsCommand } from "./clients.ts";

async function clients(
  servers: readonly ServerDocument[],
  options: Readonly<Record<string, boolean>> = {},
) {
  let out = "";
  const code = await clientsCommand.run({
    operands: [],
    options: { at: "127.0.0.1:1", ...options },
  }, {
    ...IDLE_CONTEXT,
    out: (text) => out += text,
    err: (text) => out += text,
    httpGet: () =>
      Promise.resolve(ok({ status: 200, body: JSON.stringify(exampleStatus({ servers })) })),
  });
  return { code, out };
}

const HALF = { prefix: "192.0.2.0/24", requests: 500, error: 20 };
const SERVERS: readonly ServerDocument[] = [
  exampleServer({
    received: 1000,
    clients: [HALF, { prefix: "2001:db8::/48", requests: 100, error: 0 }],
  }),
  exampleServer({ listen: "127.0.0.1:1123", received: 600, clients: [{ ...HALF, error: 0 }] }),
  exampleServer({ listen: "127.0.0.1:1124" }),
];

Deno.test("clients shows one row for each network, the busiest first", async () => {
  const { code, out } = await clients(SERVERS);
  assert.equal(code, 0);
  assert.equal(
    out,
    "Client         Requests  At least\n" +
      "192.0.2.0/24      1,000       980\n" +
      "2001:db8::/48       100       100\n",
  );
});

Deno.test("clients -v shows the share of each server, JSON the numbers", async () => {
  const { out } = await clients(SERVERS, { verbose: true });
  const lines = out.trimEnd().split("\n");
  assert.equal(lines.length, 4);
  assert.match(lines[1] ?? "", /^192\.0\.2\.0\/24 +500 +480 +50\.0 % +\[::\]:123$/);
  const json = JSON.parse((await clients(SERVERS, { json: true })).out);
  assert.equal(json.counted, true);
  const busiest = { server: "[::]:123", ...HALF, share: 0.5 };
  assert.deepEqual([json.clients.length, json.clients[0]], [3, busiest]);
});

Deno.test("that no server counts, and that nobody has asked, are told apart", async () => {
  for (const servers of [[], [exampleServer()]]) {
    const { code, out } = await clients(servers);
    assert.equal(code, 1);
    assert.match(out, /client-table = true/);
    const json = await clients(servers, { json: true });
    assert.deepEqual([json.code, JSON.parse(json.out)], [1, { counted: false, clients: [] }]);
  }
  assert.equal((await clients([exampleServer({ clients: [] })])).code, 0);
});

Deno.test("clients stay within 80 columns, and hostile text in its line", async () => {
  const prefix = `${"1234:".repeat(30)}\x1b[2J\nb`;
  const { out } = await clients([exampleServer({ clients: [{ ...HALF, prefix }] })], {
    verbose: true,
  });
  const lines = out.trimEnd().split("\n");
  assert.equal(lines.length, 2);
  assert.ok(!out.includes("\x1b") && lines.every((line) => line.length <= 80), out);
});
