import assert from "node:assert/strict";
import fc from "../../../tests/support/properties.ts";
import { HEAD_LENGTH_MAX, HttpRequestReader, type RequestStep } from "./http_request.ts";

const octetsOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** Reads text in pieces of a length. */
function read(text: string, piece = Infinity): RequestStep {
  const reader = new HttpRequestReader();
  const octets = octetsOf(text);
  let step: RequestStep = { kind: "wait" };
  for (let at = 0; at < octets.length && step.kind === "wait"; at += piece) {
    step = reader.feed(octets.subarray(at, Math.min(octets.length, at + piece)));
  }
  return step;
}

const responseOf = (text: string) => {
  const steps = [read(text), read(text, 1), read(text, 7)];
  assert.deepEqual(steps[1], steps[0], text);
  assert.deepEqual(steps[2], steps[0], text);
  const [step] = steps;
  if (step?.kind === "refuse") return step.status;
  return step?.kind === "request" ? step.request : step?.kind;
};

Deno.test("requests are read, in any pieces", () => {
  const get = { method: "GET", path: "/status", host: "localhost" };
  const cases: [string, unknown][] = [
    ["GET /status HTTP/1.1\r\nHost: localhost:9975\r\n\r\n", get],
    ["GET /status HTTP/1.1\nhOST:localhost\n\n", get],
    ["\r\n\r\nGET /status?a=b#c HTTP/1.1\r\nHost: \t LOCALHOST \t\r\nA: b\r\n\r\nGET /x", get],
    ["GET http://localhost:80/status?x HTTP/1.1\r\nHost: other\r\n\r\n", get],
    ["GET http://localhost HTTP/1.1\r\nHost: other\r\n\r\n", { ...get, path: "/" }],
    ["GET /status HTTP/1.0\r\n\r\n", { ...get, host: undefined }],
    ["GET /status HTTP/1.1\r\nHost:\r\n\r\n", { ...get, host: "" }],
    ["HEAD / HTTP/1.1\r\nHost: [::1]:9975\r\n\r\n", { method: "HEAD", path: "/", host: "::1" }],
    ["GET /a%2fb//../c HTTP/1.1\r\nHost: x\r\n\r\n", {
      method: "GET",
      path: "/a%2fb//../c",
      host: "x",
    }],
    ["POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", {
      method: "POST",
      path: "",
      host: undefined,
    }],
    ["OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", { method: "OPTIONS", path: "", host: undefined }],
    ["GET /status HTTP/1.1\r\nHost: localhost\r\n\r", "wait"],
    ["", "wait"],
  ];
  for (const [text, wanted] of cases) assert.deepEqual(responseOf(text), wanted, text);
});

Deno.test("what is not a request is refused by a status", () => {
  const long = "x".repeat(HEAD_LENGTH_MAX);
  const cases: [string, number][] = [
    ["GET /\r\n\r\n", 400], // HTTP/0.9
    ["GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400],
    ["G\u00c9T / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["GET /\u009b HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["GET http://[/x HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["GET http://a@localhost/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["GET ftp://localhost/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["GET status HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400],
    ["GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: x\r\nA: \r b\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
    ["\x16\x03\x01\x02\x00\n\n", 400],
    [`GET /${long} HTTP/1.1\r\n`, 414],
    [long, 414],
    [`GET / HTTP/1.1\r\nA: ${long}`, 431],
    ["GET / HTTP/1.1\r\n" + "A: b\r\n".repeat(2000), 431],
  ];
  for (const [text, status] of cases) assert.equal(responseOf(text), status, text.slice(0, 80));
});

Deno.test("empty lines without end are not waited for without end", () => {
  const reader = new HttpRequestReader();
  const blank = octetsOf("\r\n".repeat(500));
  for (let i = 0; i < 100; i++) reader.feed(blank);
  assert.equal(reader.hasBegun, false);
});

Deno.test("no octets make it throw, and pieces do not matter", () => {
  const part = fc.constantFrom(
    "GET ",
    "HEAD ",
    "/",
    "/status",
    " HTTP/1.1",
    " HTTP/1.0",
    "\r\n",
    "\n",
    "\r",
    "Host: ",
    "localhost",
    "[::1]",
    ":",
    "http://",
    "[",
    "%",
    " ",
    "\t",
    "\0",
    "\xff",
    "x".repeat(3000),
  );
  const text = fc.array(fc.oneof(part, fc.string({ unit: "binary-ascii" })), { maxLength: 30 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 40 }), (parts, piece) => {
      assert.deepEqual(read(parts.join(""), piece), read(parts.join("")));
    }),
    { numRuns: 500 },
  );
});

Deno.test("no head takes longer than its length, whatever is in it", () => {
  const blanks = " ".repeat(HEAD_LENGTH_MAX - 64);
  const heads = [
    `Host:${blanks}\x01`,
    `Host: a${blanks}b`,
    `Host:${"\t ".repeat(blanks.length / 2)}`,
    `Host: ${"[".repeat(blanks.length)}`,
    `Host: ${":".repeat(blanks.length)}`,
    `${"a".repeat(blanks.length)} :`,
  ].map((line) => `GET / HTTP/1.1\r\n${line}\r\n\r\n`);
  const targets = ["/?".repeat(2000), "http://".repeat(1000), `http://${"/".repeat(7000)}`];
  heads.push(...targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`));
  for (const head of heads) {
    const times = [1, 2, 3, 4, 5].map(() => {
      const start = performance.now();
      read(head);
      return performance.now() - start;
    });
    assert.ok(Math.min(...times) < 5, `${Math.min(...times)} ms for ${head.slice(0, 40)}`);
  }
});
