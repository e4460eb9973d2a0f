import fc from "../../../tests/support/properties.ts";
import assert from "node:assert/strict";
import { type Bytes, concatBytes, fromHex, toHex } from "../../base/bytes.ts";
import { SeededRandom } from "../../base/random.ts";
import type { NtsAeadId } from "../../crypto/aead.ts";
import { KeyExchangeBackoff, retryInterval } from "../client/backoff.ts";
import { KeyExchangeClient } from "./client.ts";
import { KeyExchangeServer, type ServerStep } from "./server.ts";

const hex = (text: string): Bytes => fromHex(text)!;
const END = "80000000";
const NTPV4 = "800100020000";
const SIV = "80040002000f";
const COOKIE = "00050010" + "11".repeat(16);

function ask(text: string, aeadIds: readonly NtsAeadId[] = [15, 30]) {
  return new KeyExchangeClient({ aeadIds }).feed(hex(text));
}

function clientReason(text: string, aeadIds?: readonly NtsAeadId[]): string {
  const answer = ask(text, aeadIds);
  return answer.ok ? (answer.value === undefined ? "wait" : "ok") : answer.error;
}

const server = (aeadIds: readonly NtsAeadId[] = [15, 16, 17, 30]) =>
  new KeyExchangeServer({ aeadIds, ntpServer: undefined, ntpPort: undefined });

function serverResponse(step: ServerStep): string {
  switch (step.kind) {
    case "wait":
      return "wait";
    case "export-keys":
      return `export ${step.aeadId}`;
    case "refuse":
      return `${step.reason} ${toHex(step.response)}`;
  }
}

const serve = (text: string, aeadIds?: readonly NtsAeadId[]) =>
  serverResponse(server(aeadIds).feed(hex(text)));

const BAD_REQUEST = "bad-request 800200020001" + END;
const UNKNOWN_CRITICAL = "unrecognized-critical-record 800200020000" + END;

Deno.test("the client's request offers NTPv4, its algorithms, and record 1024 with AES-128-GCM-SIV", () => {
  const request = (aeadIds: readonly NtsAeadId[]) =>
    toHex(new KeyExchangeClient({ aeadIds }).request());
  assert.equal(request([15]), NTPV4 + SIV + END);
  assert.equal(request([15, 30]), NTPV4 + "80040004000f001e" + "04000000" + END);
});

Deno.test("a whole answer is understood", () => {
  const answer = ask(
    NTPV4 + SIV + "8006000b" + "6e74702e6578616d706c65" + "80070002" + "1f90" + COOKIE + END,
  );
  assert.deepEqual(answer, {
    ok: true,
    value: {
      aeadId: 15,
      cookies: [hex("11".repeat(16))],
      ntpServer: "ntp.example",
      ntpPort: 8080,
      contexts: {
        clientToServer: hex("0000000f00"),
        serverToClient: hex("0000000f01"),
      },
      alternativeContexts: undefined,
    },
  });
});

Deno.test("the contexts for AES-128-GCM-SIV depend on record 1024", () => {
  const compliant = ask(NTPV4 + "80040002001e" + "04000000" + COOKIE + END);
  assert.ok(compliant.ok && compliant.value !== undefined);
  assert.equal(toHex(compliant.value.contexts.clientToServer), "0000001e00");
  assert.equal(compliant.value.alternativeContexts, undefined);
  const old = ask(NTPV4 + "80040002001e" + COOKIE + END);
  assert.ok(old.ok && old.value?.alternativeContexts !== undefined);
  assert.equal(toHex(old.value.contexts.serverToClient), "0000000f01");
  assert.equal(toHex(old.value.alternativeContexts.serverToClient), "0000001e01");
});

Deno.test("the client refuses what RFC 8915 forbids, each with its reason", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["800200020000" + END, "server-error-unrecognized-critical-record"],
    ["800200020001" + END, "server-error-bad-request"],
    ["800200020002" + END, "server-error-internal"],
    ["800200020003" + END, "server-error-unknown-code"],
    ["80020000" + END, "server-error-unknown-code"],
    [NTPV4 + SIV + COOKIE + "000200020001" + END, "server-error-bad-request"],
    [NTPV4 + SIV + COOKIE + "800300020000" + END, "server-warning"],
    [END, "no-next-protocol"],
    [SIV + COOKIE + END, "no-next-protocol"],
    [NTPV4 + NTPV4 + SIV + COOKIE + END, "duplicate-record"],
    [NTPV4 + SIV + SIV + COOKIE + END, "duplicate-record"],
    ["80010000" + END, "protocol-refused"],
    ["800100028001" + SIV + COOKIE + END, "protocol-not-offered"],
    ["8001000100" + SIV + COOKIE + END, "malformed-record"],
    ["000100020000" + SIV + COOKIE + END, "malformed-record"],
    [NTPV4 + COOKIE + END, "no-aead-algorithm"],
    [NTPV4 + "80040000" + END, "aead-algorithm-refused"],
    [NTPV4 + "800400020010" + COOKIE + END, "aead-algorithm-not-offered"],
    [NTPV4 + "800400020001" + COOKIE + END, "aead-algorithm-not-offered"],
    [NTPV4 + "80040004000f001e" + COOKIE + END, "malformed-record"],
    [NTPV4 + SIV + END, "no-cookies"],
    [NTPV4 + SIV + "00050000" + END, "no-cookies"],
    [NTPV4 + SIV + "0005000d" + "00".repeat(13) + END, "no-cookies"],
    [NTPV4 + SIV + "0005f000" + "00".repeat(0xf000) + END, "no-cookies"],
    [NTPV4 + SIV + "80060000" + COOKIE + END, "bad-ntp-server"],
    [NTPV4 + SIV + "800600035b3a3a" + COOKIE + END, "bad-ntp-server"],
    [NTPV4 + SIV + "80060100" + "61".repeat(256) + COOKIE + END, "bad-ntp-server"],
    [NTPV4 + SIV + "80070002" + "0000" + COOKIE + END, "bad-ntp-port"],
    [NTPV4 + SIV + "80070001" + "7b" + COOKIE + END, "bad-ntp-port"],
    [NTPV4 + SIV + "80070002" + "007b" + "80070002" + "007b" + COOKIE + END, "duplicate-record"],
    [NTPV4 + SIV + COOKIE + "80ff0000" + END, "unknown-critical-record"],
    [NTPV4 + SIV + COOKIE + "00ff0003010203" + END, "ok"],
    [COOKIE + SIV + NTPV4 + END, "ok"],
    [NTPV4 + "00040002000f" + "8005000c" + "22".repeat(12) + END, "ok"],
    [NTPV4 + SIV + COOKIE, "wait"],
    [NTPV4 + SIV + COOKIE + "80000017" + "00".repeat(23), "bad-end-of-message"],
  ];
  for (const [answer, reason] of cases) {
    assert.equal(clientReason(answer), reason, answer.slice(0, 80));
  }
});

Deno.test("of a thousand cookies the client keeps eight, and too much is refused", () => {
  const answer = ask(NTPV4 + SIV + COOKIE.repeat(1000) + END);
  assert.ok(answer.ok && answer.value?.cookies.length === 8);
  assert.equal(clientReason(NTPV4 + SIV + COOKIE.repeat(4000) + END), "message-too-long");
});

Deno.test("a connection that ends early has its reason", () => {
  const client = new KeyExchangeClient({ aeadIds: [15] });
  assert.deepEqual(client.feed(hex(NTPV4)), { ok: true, value: undefined });
  assert.equal(client.closed(), "closed-early");
});

Deno.test("the server answers a good request with eight cookies", () => {
  const machine = server();
  assert.equal(serverResponse(machine.feed(hex(NTPV4 + SIV))), "wait");
  assert.equal(serverResponse(machine.feed(hex(END))), "export 15");
  const cookies = Array.from({ length: 8 }, (_, i) => new Uint8Array(100).fill(i));
  const answer = toHex(machine.complete(cookies));
  assert.ok(answer.startsWith(NTPV4 + SIV + "00050064" + "00".repeat(100) + "00050064" + "01"));
  assert.ok(answer.endsWith("07".repeat(100) + END));
});

Deno.test("the server names the time server when it is another", () => {
  const machine = new KeyExchangeServer({ aeadIds: [15], ntpServer: "192.0.2.1", ntpPort: 4123 });
  machine.feed(hex(NTPV4 + SIV + END));
  const answer = toHex(machine.complete([new Uint8Array(100)]));
  assert.ok(answer.includes("80060009" + "3139322e302e322e31" + "80070002" + "101b"));
});

Deno.test("the server refuses with the Error record that RFC 8915 asks for", () => {
  const cases: readonly (readonly [string, string])[] = [
    [END, BAD_REQUEST],
    [SIV + END, BAD_REQUEST],
    [NTPV4 + END, BAD_REQUEST],
    [NTPV4 + NTPV4 + SIV + END, BAD_REQUEST],
    [NTPV4 + SIV + SIV + END, BAD_REQUEST],
    ["000100020000" + SIV + END, BAD_REQUEST],
    ["80010000" + SIV + END, BAD_REQUEST],
    ["8001000100" + SIV + END, BAD_REQUEST],
    [NTPV4 + "80040000" + END, BAD_REQUEST],
    [NTPV4 + "8004000300000f" + END, BAD_REQUEST],
    [NTPV4 + SIV + "800200020001" + END, BAD_REQUEST],
    [NTPV4 + SIV + "80020000" + END, BAD_REQUEST],
    [NTPV4 + SIV + "800300020001" + END, BAD_REQUEST],
    [NTPV4 + SIV + COOKIE + END, BAD_REQUEST],
    [NTPV4 + SIV + "0007000100" + END, BAD_REQUEST],
    [NTPV4 + SIV + "00060001310006000132" + END, BAD_REQUEST],
    [NTPV4 + SIV + "80000017" + "00".repeat(23), BAD_REQUEST],
    [NTPV4 + SIV + "00000000", BAD_REQUEST],
    [NTPV4 + SIV + END + "00", BAD_REQUEST],
    [NTPV4 + SIV + "80ff0000" + END, UNKNOWN_CRITICAL],
    [NTPV4 + SIV + "80080000" + END, UNKNOWN_CRITICAL],
    ["800100021122" + SIV + END, "no-common-protocol 80010000" + END],
    ["800100021122" + END, "no-common-protocol 80010000" + END],
    [NTPV4 + "800400020001" + END, "no-common-aead-algorithm " + NTPV4 + "80040000" + END],
    ["0010" + "1000" + "00".repeat(0x1000), "request-too-long 800200020001" + END],
    [NTPV4 + SIV + "00ff0004" + "01020304" + END, "export 15"],
    [NTPV4 + SIV + "0006000131" + "00070002007b" + END, "export 15"],
    [NTPV4 + "00040002000f" + END, "export 15"],
    ["8001000480010000" + SIV + END, "export 15"],
    [NTPV4 + "0000", "wait"],
  ];
  for (const [request, answer] of cases) assert.equal(serve(request), answer, request.slice(0, 80));
});

Deno.test("a timeout, an early end and our own failure are answered with Error records", () => {
  const bad = (reason: string, code: number) => `${reason} 80020002000${code}` + END;
  assert.equal(serverResponse(server().timedOut()), bad("timeout", 1));
  assert.equal(serverResponse(server().closed()), bad("closed-early", 1));
  assert.equal(serverResponse(server().internalError()), bad("internal-error", 2));
});

Deno.test("the server chooses by the client's order, and AES-128-GCM-SIV only when it is unambiguous", () => {
  assert.equal(serve(NTPV4 + "8004000400110010" + END), "export 17");
  assert.equal(serve(NTPV4 + "80040004001e000f" + "04000000" + END), "export 30");
  assert.equal(serve(NTPV4 + "80040004001e000f" + END), "export 15");
  assert.equal(serve(NTPV4 + "80040002001e" + END), "export 30");
  assert.equal(serve(NTPV4 + "8004000600010011000f" + END, [15]), "export 15");
});

Deno.test("record 1024 is echoed only when it was asked for and AES-128-GCM-SIV was chosen", () => {
  const answer = (request: string) => {
    const machine = server();
    machine.feed(hex(request));
    return toHex(machine.complete([new Uint8Array(68)]));
  };
  assert.ok(
    answer(NTPV4 + "80040002001e" + "04000000" + END).includes("80040002001e" + "04000000"),
  );
  assert.ok(!answer(NTPV4 + "80040002001e" + END).includes("04000000"));
  assert.ok(!answer(NTPV4 + SIV + "04000000" + END).includes("04000000"));
});

Deno.test("client and server agree with each other on every algorithm", () => {
  for (const aeadId of [15, 16, 17, 30] as const) {
    const client = new KeyExchangeClient({ aeadIds: [aeadId] });
    const machine = server();
    const step = machine.feed(client.request());
    assert.ok(step.kind === "export-keys");
    const answer = client.feed(machine.complete([new Uint8Array(100)]));
    assert.ok(answer.ok && answer.value !== undefined);
    assert.equal(answer.value.aeadId, aeadId);
    assert.deepEqual(answer.value.contexts, step.contexts);
    assert.equal(answer.value.alternativeContexts, undefined);
  }
});

Deno.test("neither side throws on any octets or on any change of a good message", () => {
  const good = hex(NTPV4 + SIV + "80060001310007000200" + "7b" + COOKIE + COOKIE + END);
  const change = fc.record({
    at: fc.nat(good.length - 1),
    to: fc.nat(255),
    cut: fc.nat(good.length),
  });
  const mutated = change.map(({ at, to, cut }) => {
    const bytes = good.slice();
    bytes[at] = to;
    return concatBytes(bytes.slice(0, cut), bytes.slice(Math.min(bytes.length, cut + to % 5)));
  });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 80 })), (bytes) => {
      new KeyExchangeClient({ aeadIds: [15, 30] }).feed(bytes);
      server().feed(bytes);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the wait between exchanges grows as RFC 8915 says and ends only with a success in time requests", () => {
  assert.equal(retryInterval(1), 10);
  assert.equal(retryInterval(2), 15);
  assert.equal(retryInterval(3), 22.5);
  assert.equal(retryInterval(28), 432_000);
  const backoff = new KeyExchangeBackoff();
  const random = new SeededRandom(1);
  assert.equal(backoff.mayStart(0), true);
  for (let n = 1; n < 100; n++) {
    backoff.started(1000, random);
    const wait = (backoff.notBefore ?? 0) - 1000;
    assert.ok(wait >= retryInterval(n) && wait <= 1.1 * retryInterval(n));
    assert.equal(backoff.mayStart(1000 + retryInterval(n) * 0.99), false);
    assert.equal(backoff.mayStart(1000 + retryInterval(n) * 1.11), true);
  }
  backoff.succeeded();
  assert.equal(backoff.mayStart(1000), true);
  assert.equal(backoff.tries, 0);
});
