import assert from "node:assert/strict";
import fc from "fast-check";
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import {
  EXAMPLE_SOURCES,
  exampleServer,
  exampleStatus,
} from "../../../tests/support/status_example.ts";
import { ok } from "../../base/result.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { main } from "../main.ts";
import { readStatusDocument } from "./document_shape.ts";

/** A document in which every part is there. */
const WHOLE: StatusDocument = exampleStatus({
  sources: EXAMPLE_SOURCES.map((source) => ({ ...source, measuredOffsetSeconds: null })),
  servers: [exampleServer({ clients: [{ prefix: "192.0.2.0/24", requests: 3, error: 1 }] })],
  ntsKe: [{ listen: "[::]:4460", accepted: 2, completed: 1, failed: { tls: 1 } }],
  http: { listen: "127.0.0.1:9975", accepted: 2, completed: 1, failed: {}, open: 1 },
  functions: [{ kind: "drift-file", name: "/drift", up: false, reason: "full" }],
  hardwareTimestampFallbacks: { "not-offered": 1 },
});

/** All places of a value: paths of keys. */
function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...path, key])),
  ];
}

/** Returns the value with another at a place. */
function replaced(
  value: unknown,
  { path, by }: { readonly path: readonly string[]; readonly by: unknown },
): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = replaced(copy[key], { path: rest, by });
  return copy;
}

const COMMANDS = [
  ["status"],
  ["status", "-v"],
  ["status", "--json"],
  ["sources"],
  ["sources", "-v"],
  ["sources", "--json"],
  ["why"],
  ["why", "--json"],
  ["clients"],
  ["clients", "-v"],
  ["clients", "--json"],
  ["wait", "--timeout", "0s"],
  ["doctor"],
];

async function show(words: readonly string[], body: string) {
  let out = "", complaint = "";
  const code = await main(words, {
    ...IDLE_CONTEXT,
    out: (text) => out += text,
    err: (text) => complaint += text,
    httpGet: () => Promise.resolve(ok({ status: 200, body })),
  });
  return { code, out, complaint };
}

/** What no person should read: values of the program, and texts about its inside. */
const INTERNAL = /NaN|undefined|\[object|[a-z]Error\b|AssertionFailure|file:|unreachable/;

Deno.test("a whole document is read, and every missing or foreign part is named", () => {
  assert.equal(readStatusDocument(JSON.stringify(WHOLE)).ok, true);
  assert.equal(readStatusDocument(JSON.stringify({ ...WHOLE, more: 1 })).ok, true);
  for (const body of ["", "{", "null", "[]", "1", '"synchronized"']) {
    assert.deepEqual(readStatusDocument(body), { ok: false, error: "" });
  }
  assert.deepEqual(readStatusDocument("{}"), { ok: false, error: "version" });
  const wrongs: readonly (readonly [readonly string[], unknown, string])[] = [
    [["state"], "weird", "state"],
    [["state"], "constructor", "state"],
    [["leap"], "toString", "leap"],
    [["sources", "0", "status"], "weird", "sources[0].status"],
    [["sources", "1", "nts", "cookies"], "8", "sources[1].nts.cookies"],
    [["sources", "2", "dropped"], { "kiss-rate": "1" }, "sources[2].dropped"],
    [["functions", "0", "kind"], "gps", "functions[0].kind"],
    [["startedAt"], "yesterday", "startedAt"],
    [["servers", "0", "clients", "0", "requests"], -1, "servers[0].clients[0].requests"],
  ];
  for (const [path, by, place] of wrongs) {
    const read = readStatusDocument(JSON.stringify(replaced(WHOLE, { path, by })));
    assert.deepEqual(read, { ok: false, error: place });
  }
});

Deno.test("every command shows a document or says in a sentence that it is none, whatever it holds", async () => {
  const strange = fc.oneof(
    fc.constantFrom(null, true, -1, 0, 1.5, 1e300, "", "weird", "constructor", [], {}, [null]),
    fc.jsonValue(),
  );
  const places = fc.constantFrom(...placesOf(WHOLE));
  await fc.assert(
    fc.asyncProperty(places, strange, async (path, by) => {
      const body = JSON.stringify(replaced(WHOLE, { path, by }));
      const isRead = readStatusDocument(body).ok;
      for (const words of COMMANDS) {
        const { code, out, complaint } = await show(words, body);
        assert.ok(code !== 70, words.join(" "));
        if (isRead) continue;
        if (words[0] === "doctor") assert.match(out, /daemon: The server at [^]* is not ntpsd/);
        else {
          assert.equal(code, words[0] === "wait" ? 1 : 69, words.join(" "));
          assert.match(complaint, /^ntpsd: The server at \S+ is not ntpsd [^\n]*\n$/);
          assert.doesNotMatch(complaint, INTERNAL);
        }
      }
    }),
    { numRuns: 150 },
  );
});
