import assert from "node:assert/strict";
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import { exampleSource, exampleStatus } from "../../../tests/support/status_example.ts";
import { err, ok } from "../../base/result.ts";
import {
  type FunctionKind,
  type StatusDocument,
  SYSTEM_STATES,
} from "../../engine/status/snapshot.ts";
import { STATUS_WORDS } from "../../selection/status.ts";
import { explain } from "./explanation.ts";
import { functionHint } from "./hints.ts";
import { explainCommand, renderExplanation } from "./command.ts";

const KINDS: readonly FunctionKind[] = [
  "configuration",
  "server",
  "nts-ke-server",
  "certificate",
  "http",
  "chronyc",
  "ntpq",
  "keyset",
  "statistics",
  "drift-file",
  "leap-seconds-file",
];

function findingsOf(changes: Partial<StatusDocument>) {
  return explain(exampleStatus(changes)).findings;
}

/** Runs the command against a daemon that shows a document; undefined for none. */
async function run(document: unknown, options: Readonly<Record<string, boolean>> = {}) {
  let out = "", complaint = "";
  const code = await explainCommand.run({
    operands: [],
    options: { at: "127.0.0.1:1", ...options },
  }, {
    ...IDLE_CONTEXT,
    out: (text) => out += text,
    err: (text) => complaint += text,
    httpGet: () =>
      Promise.resolve(
        document === undefined
          ? err("connection refused")
          : ok({ status: 200, body: JSON.stringify(document) }),
      ),
  });
  return { code, out, complaint };
}

Deno.test("no firewall is suspected where requests do not leave, or the server sends them back", () => {
  const hintOf = (reason: string, address = "192.0.2.1:123") => {
    const source = exampleSource({ name: "a", status: "unreachable", address, reason });
    return findingsOf({ sources: [source] }).find(({ about }) => about !== "clock")?.hint ?? "";
  };
  const sending = "Cannot send to 192.0.2.1:123: ";
  assert.match(hintOf(`${sending}network is unreachable (sendmsg: ENETUNREACH)`), /route .*IPv4/);
  assert.match(hintOf("network is unreachable", "[2001:db8::1]:123"), /route .*IPv6/);
  assert.match(
    hintOf(`${sending}connection refused (recvmsg: ECONNREFUSED)`),
    /UDP port 123 there/,
  );
  assert.match(hintOf("Did not answer the last 8 requests"), /firewalls/);
  assert.match(hintOf(`${sending}operation not permitted (sendmsg: EPERM)`), /firewalls/);
});

Deno.test("every status word that is not in use has a hint of its own, every failed function too", () => {
  const sources = STATUS_WORDS.map((status) => exampleSource({ name: status, status }));
  const findings = findingsOf({
    sources,
    functions: KINDS.map((kind) => ({ kind, name: "x", up: false, reason: "broken" })),
  });
  const hints = findings.filter(({ about }) => about !== "clock").map(({ hint }) => hint);
  const toDo = hints.filter((hint) => hint !== null);
  assert.equal(new Set(toDo).size, toDo.length);
  const without = findings.filter(({ about, hint }) => about === "source" && hint === null);
  assert.deepEqual(without.map(({ status }) => status), ["selected", "combined"]);
  for (const hint of toDo) assert.ok(hint.length <= 130, hint);
  assert.ok(KINDS.every((kind) => functionHint(kind) !== ""));
});

Deno.test("what to do about a listener goes by the reason why it is not open", () => {
  const reasons: readonly (readonly [string, RegExp])[] = [
    [
      "This machine does not have the address now; time is served as soon as it has",
      /^give this machine the address/,
    ],
    [
      "Cannot bind 192.0.2.9:4460: cannot assign requested address (bind: EADDRNOTAVAIL)",
      /^give this machine the address/,
    ],
    ["Cannot bind 0.0.0.0:123: address already in use (bind: EADDRINUSE)", /^stop what else/],
    ["Cannot bind 0.0.0.0:123: permission denied (bind: EACCES)", /CAP_NET_BIND_SERVICE/],
    ["this machine has no such address; choose another", /^give this machine the address/],
    ["the port is in use, perhaps by another ntpsd", /^stop what else/],
    ["OpenSSL 3 is missing", /^do what the reason says/],
  ];
  for (const kind of ["server", "nts-ke-server", "http", "chronyc", "ntpq"] as const) {
    for (const [reason, hint] of reasons) {
      const said = functionHint(kind, reason);
      assert.match(said, hint, kind);
      assert.ok(said.length <= 130, said);
      assert.equal(said.includes("CAP_NET"), reason.includes("EACCES"));
    }
  }
});

Deno.test("every state is told in a sentence of its own, with the error where it is known", () => {
  const texts = SYSTEM_STATES.map((state) => findingsOf({ state, why: "" })[0]?.text ?? "");
  assert.equal(new Set(texts).size, texts.length);
  assert.match(texts[1] ?? "", /^The clock is right to within 4\.20 ms/);
  const unknown = findingsOf({ errorBoundSeconds: null })[0]?.text ?? "";
  assert.match(unknown, /its error is not known/);
});

Deno.test("how many agree is counted, and one source alone is told", () => {
  const of = (...words: readonly (typeof STATUS_WORDS[number])[]) =>
    findingsOf({ sources: words.map((status) => exampleSource({ name: status, status })) })[1]
      ?.text;
  assert.equal(
    of("selected", "combined", "candidate", "outlier", "falseticker"),
    "4 of 5 sources agree, 2 of them in use, led by selected",
  );
  assert.match(of("selected") ?? "", /no other confirms/);
  assert.match(of("selected", "unreachable") ?? "", /^Only selected is in use, of 2 sources/);
  // without a majority the word says that it may vote, not that it agrees
  assert.equal(of("candidate", "candidate"), "None of 2 sources is in use");
  assert.equal(of(), "No sources are configured");
  assert.match(findingsOf({ sources: [], state: "starting" })[0]?.hint ?? "", /\[\[source\]\]/);
});

Deno.test("what to do about a silent source goes by what is known of it", () => {
  const hintOf = (changes: Parameters<typeof exampleSource>[0]) =>
    findingsOf({ sources: [exampleSource({ status: "unreachable", ...changes })] }).at(-1)?.hint;
  assert.match(hintOf({ address: "[2001:db8::1]:1123" }) ?? "", /UDP port 1123/);
  assert.match(hintOf({ address: null }) ?? "", /look up names/);
  const nts = { cookies: 0, lastKeyExchange: null, failures: {}, provisional: false };
  assert.match(hintOf({ mode: "nts", nts: { ...nts, aead: null } }) ?? "", /4460/);
  assert.match(hintOf({ mode: "nts", nts: { ...nts, aead: 15 } }) ?? "", /UDP port 123/);
  const dropped = (text: string) => ({ reason: `Its responses are dropped: ${text}` });
  for (const reason of ["root-distance (10)", "version (4), origin (1)", "crypto-nak (5)"]) {
    assert.match(hintOf(dropped(reason)) ?? "", /^its operator must repair it/);
  }
  const keyed = { ...dropped("crypto-nak (5)"), authentication: "mac" } as const;
  assert.match(hintOf(keyed) ?? "", /same key/);
  assert.match(hintOf(dropped("kiss-deny (5)")) ?? "", /^ask its operator/);
  // anybody can send these: they do not show that the way is open
  assert.match(hintOf(dropped("origin (5)")) ?? "", /UDP port 123/);
  const starting = { status: "starting", received: 0 } as const;
  assert.match(hintOf({ ...starting, sent: 3 }) ?? "", /^wait; .*UDP port 123/);
  assert.doesNotMatch(hintOf({ ...starting, sent: 1 }) ?? "", /UDP port/);
  const inside = hintOf({ status: "distant", dropped: { "internal-error": 3 } });
  assert.match(inside ?? "", /^report this bug/);
});

Deno.test("members of one pool are told apart by their addresses", () => {
  const sources = [
    exampleSource({ name: "pool.test", address: "192.0.2.1:123" }),
    exampleSource({ name: "pool.test", address: "192.0.2.2:123", status: "combined" }),
  ];
  assert.deepEqual(findingsOf({ sources }).slice(2).map(({ name }) => name), [
    "pool.test (192.0.2.1:123)",
    "pool.test (192.0.2.2:123)",
  ]);
});

Deno.test("the text stays within 80 columns and hostile text in its line", () => {
  const evil = "a\x1b[2J\nx selected: all is well";
  const words = "many words that go on ".repeat(20);
  const document = exampleStatus({
    why: words,
    sources: [exampleSource({ name: evil, status: "falseticker", reason: `${evil} ${words}` })],
    functions: [{ kind: "server", name: evil, up: false, reason: words }],
    internalErrors: 2,
  });
  const text = renderExplanation(explain(document));
  assert.ok(!text.includes("\x1b"));
  const lines = text.split("\n");
  assert.ok(lines.every((line) => line.length <= 80 && !line.startsWith("x selected")), text);
});

Deno.test("the command ends as status does, and a stranger's document is told", async () => {
  assert.equal((await run(exampleStatus())).code, 0);
  const lost = await run(exampleStatus({ state: "unsynchronized", why: "No majority" }));
  assert.equal(lost.code, 1);
  assert.match(lost.out, /No majority\./);
  const json = JSON.parse((await run(exampleStatus(), { json: true })).out);
  assert.deepEqual(Object.keys(json), ["synchronized", "errorBoundSeconds", "findings"]);
  assert.equal((await run(undefined)).code, 69);
  for (const state of ["synchronized", "excellent"]) {
    const stranger = await run({ state, sources: [{}] });
    assert.equal(stranger.code, 69);
    assert.match(stranger.complaint, /is not ntpsd of this version/);
  }
});
