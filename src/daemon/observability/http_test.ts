import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { socketAddress } from "../../base/socket_address.ts";
import type { FunctionKind, StatusDocument, SystemState } from "../../engine/status/snapshot.ts";
import {
  answer,
  head,
  type HttpListener,
  type HttpOptions,
  type HttpResponse,
  startHttpServer,
} from "./http.ts";
import { PATIENCE_MS } from "../../../tests/support/wait_until.ts";
import { until } from "../../../tests/support/nts_ke_connections.ts";
import { exampleStatus } from "../../../tests/support/status_example.ts";

function context(address: string, status = exampleStatus()): HttpOptions {
  const listen = socketAddress(address, 9975);
  ok(listen !== undefined);
  return { listen, names: () => ["time1.example.net", "Proxy."], status: () => status };
}

function ask(
  path: string,
  host: string | undefined,
  from: HttpOptions,
  method = "GET",
): HttpResponse {
  return answer({ method, path, host }, from);
}

Deno.test("the three paths, and nothing else", () => {
  const here = context("127.0.0.1");
  const status = ask("/status", "localhost", here);
  equal(status.status, 200);
  equal(status.type, "application/json");
  deepEqual(JSON.parse(status.body), JSON.parse(JSON.stringify(exampleStatus())));
  match(ask("/metrics", "127.0.0.1", here).body, /\nntpsd_synchronized 1\n/);
  equal(ask("/healthz", "127.0.0.1", here).body, "synchronized\n");
  equal(ask("/", "127.0.0.1", here).status, 404);
  equal(ask("/status/", "127.0.0.1", here).status, 404);
});

Deno.test("health is 200 while the error of the clock is known, 503 otherwise with the reason", () => {
  const responseIn = (state: SystemState) =>
    ask("/healthz", "localhost", context("127.0.0.1", exampleStatus({ state, why: "So" })));
  for (const state of ["synchronized", "holdover", "monitoring"] as const) {
    equal(responseIn(state).status, 200, state);
  }
  for (const state of ["starting", "unsynchronized"] as const) {
    deepEqual([responseIn(state).status, responseIn(state).body], [503, `${state}: So\n`]);
  }
});

Deno.test("a listener that is closed is no health, a file that cannot be written is told", () => {
  const fault = (kind: FunctionKind) => {
    const functions = [
      { kind: "http", name: "127.0.0.1:9975", up: true, reason: "" },
      { kind, name: "X", up: false, reason: "Because" },
    ] as const;
    return ask("/healthz", "localhost", context("127.0.0.1", exampleStatus({ functions })));
  };
  for (const kind of ["server", "nts-ke-server"] as const) {
    const response = fault(kind);
    deepEqual([response.status, response.body], [503, `${kind} X: Because\n`]);
  }
  for (
    const kind of [
      "configuration",
      "certificate",
      "statistics",
      "drift-file",
      "leap-seconds-file",
      "keyset",
    ] as const
  ) {
    const response = fault(kind);
    deepEqual([response.status, response.body], [200, `synchronized\n${kind} X: Because\n`]);
  }
});

Deno.test("health names every function that does not work, whatever its first line says", () => {
  const functions = [
    { kind: "statistics", name: "S", up: false, reason: "Full" },
    { kind: "nts-ke-server", name: "K", up: false, reason: "No certificate" },
    { kind: "http", name: "127.0.0.1:9975", up: true, reason: "" },
    { kind: "server", name: "X", up: false, reason: "No address" },
  ] as const;
  const bodyIn = (state: SystemState) => {
    const document = exampleStatus({ functions, state, why: "So" });
    return ask("/healthz", "localhost", context("127.0.0.1", document)).body;
  };
  equal(
    bodyIn("synchronized"),
    "nts-ke-server K: No certificate\nstatistics S: Full\nserver X: No address\n",
  );
  equal(
    bodyIn("starting"),
    "starting: So\nstatistics S: Full\nnts-ke-server K: No certificate\nserver X: No address\n",
  );
});

Deno.test("only GET and HEAD are answered, and no other site may read", () => {
  const here = context("127.0.0.1");
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const response = ask("", undefined, here, method);
    equal(response.status, 405);
    match(head(response), /\r\nAllow: GET, HEAD\r\n/);
  }
  const written = head(ask("/healthz", "localhost", here, "HEAD"));
  match(written, /^HTTP\/1\.1 200 OK\r\nDate: [A-Z][a-z]{2}, .* GMT\r\n/);
  match(written, /\r\nContent-Length: 13\r\n/);
  match(written, /\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n/);
  match(written, /\r\nCache-Control: no-store\r\n/);
  match(written, /\r\nConnection: close\r\n\r\n$/);
  equal(written.toLowerCase().includes("access-control"), false);
});

Deno.test("on loopback a foreign name gets 421, elsewhere every name is answered", () => {
  const statusOf = (host: string | undefined, address: string) =>
    ask("/status", host, context(address)).status;
  const ours = [
    "localhost",
    "localhost.",
    "a.localhost",
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "time1.example.net",
    "time1.example.net.",
    "proxy",
    undefined,
  ];
  const foreign = [
    "evil.example",
    "127.0.0.1.evil.example",
    "192.0.2.1",
    "localhost.evil",
    "::2",
    "",
    "notime1.example.net",
    "::ffff:192.0.2.1",
    "0.0.0.0",
    "::",
  ];
  for (const address of ["127.0.0.1", "127.0.0.53", "::1"]) {
    for (const host of ours) equal(statusOf(host, address), 200, host);
    for (const host of foreign) equal(statusOf(host, address), 421, host);
  }
  for (const address of ["192.0.2.1", "0.0.0.0", "::", "2001:db8::1"]) {
    for (const host of [...ours, ...foreign]) equal(statusOf(host, address), 200, host);
  }
});

function start(more: Partial<HttpOptions> = {}): HttpListener {
  const listen = socketAddress("127.0.0.1", 0);
  ok(listen !== undefined);
  const server = startHttpServer({
    listen,
    names: () => [],
    status: () => exampleStatus(),
    ...more,
  });
  ok(server.ok);
  return server.value;
}

/** Sends text and returns everything that comes back, until the server closes. */
async function talk(server: HttpListener, text: string): Promise<string> {
  using client = await Deno.connect({ hostname: "127.0.0.1", port: server.status().listen.port });
  await client.write(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  const response: string[] = [];
  const decoder = new TextDecoder();
  for await (const part of client.readable) response.push(decoder.decode(part, { stream: true }));
  return response.join("");
}

Deno.test("answers have the length that they announce, and HEAD has no body", async () => {
  const server = start({ status: () => exampleStatus({ why: "\u00b1\u2028" }) });
  for (const path of ["/status", "/metrics", "/healthz", "/other"]) {
    const [before = "", body = ""] = (await talk(server, `GET ${path} HTTP/1.0\r\n\r\n`))
      .split("\r\n\r\n");
    const length = Number(/Content-Length: ([0-9]+)/.exec(before)?.[1]);
    equal(length, new TextEncoder().encode(body).length);
    const [again, nothing] = (await talk(server, `HEAD ${path} HTTP/1.0\r\n\r\n`)).split(
      "\r\n\r\n",
    );
    const withoutDate = (text = "") => text.replace(/Date.*|Content-Length.*/g, "");
    deepEqual([withoutDate(again), nothing], [withoutDate(before), ""]);
  }
  await server.stop();
});

Deno.test("whatever comes gets its status, and nothing of it comes back", async () => {
  const server = start();
  const evil = "\u009b31mEVIL";
  const cases: [string, number, string][] = [
    [`GET http://[/${evil} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 400, "bad-request"],
    [`GET http://[/EVIL HTTP/1.1\r\nHost: localhost\r\n\r\n`, 400, "bad-request"],
    [`${evil} / HTTP/1.1\r\n\r\n`, 400, "bad-request"],
    ["GET / HTTP/3.0\r\n\r\n", 505, "bad-request"],
    [`EVIL / HTTP/1.1\r\nHost: localhost\r\n\r\n`, 405, "method-not-allowed"],
    [`GET /EVIL HTTP/1.1\r\nHost: localhost\r\n\r\n`, 404, "not-found"],
    [`GET /status HTTP/1.1\r\nHost: EVIL\r\n\r\n`, 421, "foreign-host"],
    [`GET /${"EVIL".repeat(5000)} HTTP/1.1\r\n\r\n`, 414, "too-long"],
    [`GET / HTTP/1.1\r\nA: ${"EVIL".repeat(5000)}\r\n\r\n`, 431, "too-long"],
    ["GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(50), 200, ""],
  ];
  for (const [text, status, reason] of cases) {
    const before = server.status().failed[reason] ?? 0;
    const response = await talk(server, text);
    equal(Number(response.slice(9, 12)), status, text.slice(0, 60));
    equal(response.includes("EVIL") || response.includes("\u009b"), false);
    equal(response.split("\r\nDate: ").length, 2, "one answer");
    if (reason !== "") await until(() => server.status().failed[reason] === before + 1);
  }
  equal(server.status().failed["internal-error"], undefined);
  await server.stop();
});

Deno.test("a request that does not come in time gets 408, silence gets nothing", async () => {
  let server = start({ requestTimeoutMs: 50 });
  let response = await talk(server, "GET /EVIL HTTP/1.1\r\nHost: local");
  if (response === "") {
    // On a busy machine the first octets too may take longer than that.
    await server.stop();
    server = start({ requestTimeoutMs: 5000 });
    response = await talk(server, "GET /EVIL HTTP/1.1\r\nHost: local");
  }
  match(response, /^HTTP\/1\.1 408 (?![^]*EVIL)/);
  equal(await talk(server, "\r\n"), "");
  await until(() => server.status().open === 0);
  deepEqual(server.status().failed, { "request-timeout": 1, "closed": 1 });
  await server.stop();
});

Deno.test("a status that cannot be made is 500, and the server goes on", async () => {
  let status: () => StatusDocument = () => {
    throw new TypeError("EVIL");
  };
  const server = start({ status: () => status() });
  for (const path of ["/status", "/metrics", "/healthz"]) {
    const response = await talk(server, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    match(response, /^HTTP\/1\.1 500 [^]*Internal error/);
    equal(response.includes("EVIL"), false);
  }
  status = () => exampleStatus();
  match(await talk(server, "GET /status HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /);
  await until(() => server.status().completed === 1);
  deepEqual(server.status().failed, { "internal-error": 3 });
  await server.stop();
});

Deno.test("idle connections, however many, keep nobody out", async () => {
  const server = start({ requestTimeoutMs: PATIENCE_MS });
  const { port } = server.status().listen;
  const idle: Deno.TcpConn[] = [];
  for (let i = 0; i < 200; i++) {
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    if (i % 2 === 0) await client.write(new TextEncoder().encode("GET /status HT"));
    idle.push(client);
  }
  match(await talk(server, "GET /status HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /);
  const { failed, open } = server.status();
  ok(open <= 64 && (failed["evicted"] ?? 0) >= 130, JSON.stringify({ failed, open }));
  for (const client of idle) client.close();
  await server.stop();
});

Deno.test("idle connections do not stay", async () => {
  const server = start({ requestTimeoutMs: 50 });
  const { port } = server.status().listen;
  const idle: Deno.TcpConn[] = [];
  for (const text of ["", "GET /status HT"]) {
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    await client.write(new TextEncoder().encode(text));
    idle.push(client);
  }
  await until(() => server.status().accepted === 2 && server.status().open === 0);
  for (const client of idle) client.close();
  await server.stop();
});

Deno.test("a client that does not read is let go", async () => {
  const sources = Array.from({ length: 20_000 }, () => exampleStatus().sources).flat();
  const status = () => exampleStatus({ sources });
  const failures = async (timeoutMs: number) => {
    const server = start({ requestTimeoutMs: timeoutMs, responseTimeoutMs: timeoutMs, status });
    const { port } = server.status().listen;
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    await client.write(new TextEncoder().encode("GET /status HTTP/1.0\r\n\r\n"));
    await until(() => server.status().accepted === 1 && server.status().open === 0);
    client.close();
    await server.stop();
    return server.status().failed;
  };
  const failed = await failures(100);
  // On a busy machine the request too may take longer than that.
  const isLate = failed["timeout"] === undefined;
  deepEqual(isLate ? await failures(5000) : failed, { timeout: 1 });
});

Deno.test("the server answers on a socket, and says what to do when the port is taken", async () => {
  const options = (address: string, port: number) => {
    const listen = socketAddress(address, port);
    ok(listen !== undefined);
    return { listen, names: () => [], status: () => exampleStatus() };
  };
  const server = startHttpServer(options("127.0.0.1", 0));
  ok(server.ok);
  const { port } = server.value.status().listen;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    deepEqual([response.status, await response.text()], [200, "synchronized\n"]);
    const second = startHttpServer(options("127.0.0.1", port));
    deepEqual(second, {
      ok: false,
      error:
        `Cannot serve the status on 127.0.0.1:${port}: the port is in use, perhaps by another ntpsd; ` +
        "stop that, or choose another port",
    });
    const elsewhere = startHttpServer(options("192.0.2.1", 9));
    ok(!elsewhere.ok && elsewhere.error.includes("this machine has no such address"));
  } finally {
    await server.value.stop();
  }
});
