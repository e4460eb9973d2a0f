import { deepEqual, equal, match, ok } from "node:assert/strict";
import { socketAddress } from "../base/socket_address.ts";
import type { FunctionKind, SystemState } from "../engine/snapshot.ts";
import { answer, type HttpOptions, startHttpServer } from "./http.ts";
import { exampleStatus } from "./status_example.ts";

function context(address: string, status = exampleStatus()): HttpOptions {
  const listen = socketAddress(address, 9975);
  ok(listen !== undefined);
  return { listen, names: ["time1.example.net"], status: () => status };
}

function ask(path: string, host: string, from: HttpOptions, method = "GET"): Response {
  return answer(new Request(`http://x${path}`, { method, headers: { host } }), from);
}

Deno.test("the three paths, and nothing else", async () => {
  const here = context("127.0.0.1");
  const status = ask("/status?x=1", "localhost:9975", here);
  equal(status.status, 200);
  equal(status.headers.get("content-type"), "application/json");
  deepEqual(await status.json(), JSON.parse(JSON.stringify(exampleStatus())));
  match(await ask("/metrics", "127.0.0.1", here).text(), /\nntpsd_synchronized 1\n/);
  equal(await ask("/healthz", "127.0.0.1", here).text(), "synchronized\n");
  equal(ask("/", "127.0.0.1", here).status, 404);
  equal(ask("/status/", "127.0.0.1", here).status, 404);
});

Deno.test("health is 200 while the error of the clock is known, 503 otherwise with the reason", async () => {
  const replyIn = (state: SystemState) =>
    ask("/healthz", "localhost", context("127.0.0.1", exampleStatus({ state, why: "So" })));
  for (const state of ["synchronized", "holdover", "monitoring"] as const) {
    equal(replyIn(state).status, 200, state);
  }
  for (const state of ["starting", "unsynchronized"] as const) {
    deepEqual([replyIn(state).status, await replyIn(state).text()], [503, `${state}: So\n`]);
  }
});

Deno.test("a listener that is closed is no health, a file that cannot be written is told", async () => {
  const fault = (kind: FunctionKind) => {
    const functions = [
      { kind: "http", name: "127.0.0.1:9975", up: true, reason: "" },
      { kind, name: "X", up: false, reason: "Because" },
    ] as const;
    return ask("/healthz", "localhost", context("127.0.0.1", exampleStatus({ functions })));
  };
  for (const kind of ["server", "nts-ke-server"] as const) {
    const reply = fault(kind);
    deepEqual([reply.status, await reply.text()], [503, `${kind} X: Because\n`]);
  }
  for (const kind of ["statistics", "drift-file", "leap-seconds-file", "keyset"] as const) {
    const reply = fault(kind);
    deepEqual([reply.status, await reply.text()], [200, `synchronized\n${kind} X: Because\n`]);
  }
});

Deno.test("only GET and HEAD are answered, and no other site may read", () => {
  const here = context("127.0.0.1");
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const reply = ask("/status", "localhost", here, method);
    deepEqual([reply.status, reply.headers.get("allow")], [405, "GET, HEAD"]);
  }
  const head = ask("/healthz", "localhost", here, "HEAD");
  deepEqual([head.status, head.body, head.headers.get("content-length")], [200, null, "13"]);
  equal(head.headers.get("access-control-allow-origin"), null);
  equal(head.headers.get("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
  equal(head.headers.get("cache-control"), "no-store");
});

Deno.test("a foreign Host header gets 421", () => {
  const statusOf = (host: string, address: string) => ask("/status", host, context(address)).status;
  for (
    const host of [
      "localhost",
      "localhost:9975",
      "LOCALHOST.",
      "a.localhost",
      "127.0.0.1:1",
      "127.9.9.9",
      "[::1]:9975",
      "time1.example.net:80",
    ]
  ) {
    equal(statusOf(host, "127.0.0.1"), 200, host);
  }
  for (
    const host of [
      "evil.example",
      "127.0.0.1.evil.example",
      "192.0.2.1",
      "localhost.evil",
      "[::2]",
      "",
      "a b",
    ]
  ) {
    equal(statusOf(host, "127.0.0.1"), 421, host);
  }
  equal(statusOf("192.0.2.1:9975", "192.0.2.1"), 200);
  equal(statusOf("192.0.2.2:9975", "192.0.2.1"), 421);
  equal(statusOf("198.51.100.9", "0.0.0.0"), 200);
  equal(statusOf("evil.example", "::"), 421);
});

Deno.test("the server answers on a socket, and says what to do when the port is taken", async () => {
  const options = (address: string, port: number) => {
    const listen = socketAddress(address, port);
    ok(listen !== undefined);
    return { listen, names: [], status: () => exampleStatus() };
  };
  const server = startHttpServer(options("127.0.0.1", 0));
  ok(server.ok);
  const { port } = server.value.address;
  try {
    const reply = await fetch(`http://127.0.0.1:${port}/healthz`);
    deepEqual([reply.status, await reply.text()], [200, "synchronized\n"]);
    const second = startHttpServer(options("127.0.0.1", port));
    deepEqual(second, {
      ok: false,
      error:
        `Cannot serve the status on 127.0.0.1:${port}: the port is in use, perhaps by another ntpsd; ` +
        "choose another observability.listen",
    });
    const elsewhere = startHttpServer(options("192.0.2.1", 9));
    ok(!elsewhere.ok && elsewhere.error.includes("this machine has no such address"));
  } finally {
    server.value.close();
    await server.value.finished;
  }
});
