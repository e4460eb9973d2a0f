import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import "../../../tests/support/libc_opened.ts";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { deepEqual, equal, fail, match, ok } from "node:assert/strict";
import { realtimeNow } from "../../../ffi/clock/clock.ts";
import { OpenSsl } from "../../../ffi/openssl/mod.ts";
import { SeededRandom } from "../../base/random.ts";
import { addSeconds, fromUnixNanoseconds, ZERO_TIMESTAMP } from "../../base/ntp_timestamp.ts";
import type { Result } from "../../base/result.ts";
import { socketAddress } from "../../base/socket_address.ts";
import { decodeHeader, encodeHeader, type NtpHeader } from "../../protocol/header.ts";
import { referenceIdFromAscii } from "../../protocol/reference_id.ts";
import { main } from "../main.ts";
import { askServer } from "./query.ts";
import { QueriedServer, type Sample } from "./queried_server.ts";
import { type QueryResult, renderQuery } from "./report.ts";
import { painter } from "../display/style.ts";
import type { Seconds } from "../../base/units.ts";
import { heldPort } from "../../../tests/support/places.ts";
import { PATIENCE_MS, quickOnce, waitUntil } from "../../../tests/support/wait_until.ts";

/** A port that nobody listens on. */
const NOBODY = await heldPort();

// Libraries are opened at the first use and stay open: no leak of the test that comes first.
OpenSsl.open();
realtimeNow();

interface TestServer {
  /**
   * Makes the responses to the n-th request, counted from 0, out of a good one; none when empty.
   */
  readonly respond: (good: NtpHeader, n: number) => readonly Partial<NtpHeader>[];
  /** How far its clock is ahead, in seconds. */
  readonly ahead?: number;
  /** Octets after the header. */
  readonly tail?: readonly number[];
  /** How often it is asked. */
  readonly requests?: number;
}

/**
 * Asks a server on loopback; returns what came of each request that was sent. A busy machine may
 * take longer for a response than the shortest time.
 */
async function askOften(test: TestServer): Promise<readonly Result<Sample, string>[]> {
  const { samples, isLate } = await askIn(test, 0.25);
  return isLate ? (await askIn(test, 5)).samples : samples;
}

async function askIn(test: TestServer, timeout: Seconds) {
  const socket = createSocket("udp4");
  let received = 0, sent = 0;
  socket.on("message", (packet, from) => {
    const request = decodeHeader(packet);
    if (!request.ok) return;
    const good = goodResponse(request.value, test.ahead ?? 0);
    for (const response of test.respond(good, received++)) {
      sent++;
      const octets = [...encodeHeader({ ...good, ...response }), ...test.tail ?? []];
      socket.send(Buffer.from(octets), from.port, from.address);
    }
  });
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  try {
    const address = socketAddress("127.0.0.1", socket.address().port);
    ok(address !== undefined);
    const server = new QueriedServer({ address, random: new SeededRandom(1) });
    const samples: Result<Sample, string>[] = [];
    for (let n = 0; n < (test.requests ?? 1) && !server.isStopped; n++) {
      samples.push(await server.ask(timeout));
    }
    const isSilent = samples.some((sample) => !sample.ok && sample.error === "No response");
    return { samples, isLate: isSilent && (sent > 0 || received < samples.length) };
  } finally {
    await new Promise<void>((done) => socket.close(() => done()));
  }
}

async function ask(test: TestServer): Promise<Result<Sample, string>> {
  return (await askOften(test))[0] ?? fail("Nothing was asked");
}

async function rejection(response: Partial<NtpHeader>): Promise<string> {
  const asked = await ask({ respond: () => [response] });
  return asked.ok ? "usable" : asked.error;
}

function goodResponse(request: NtpHeader, ahead: number): NtpHeader {
  const now = addSeconds(fromUnixNanoseconds(realtimeNow()), ahead);
  return {
    leapIndicator: 0,
    version: 4,
    mode: 4,
    stratum: 2,
    poll: 6,
    precision: -20,
    rootDelay: 0.25,
    rootDispersion: 0.125,
    referenceId: 0xc0000201,
    referenceTimestamp: now,
    originTimestamp: request.transmitTimestamp,
    receiveTimestamp: now,
    transmitTimestamp: now,
  };
}

Deno.test("a good response tells offset and delay", async () => {
  await quickOnce(100, async () => {
    const asked = await ask({ respond: () => [{}], ahead: 3600 });
    ok(asked.ok);
    const { offset, delay, stratum, referenceId, leapIndicator, precision, rootDelay } =
      asked.value;
    // However late the machine is, the offset is wrong by half of the delay at most.
    ok(delay >= 0 && Math.abs(offset - 3600) <= delay / 2 + 1e-6, `${offset} of ${delay}`);
    deepEqual(
      { stratum, referenceId, leapIndicator, precision, rootDelay },
      {
        stratum: 2,
        referenceId: 0xc0000201,
        leapIndicator: "none",
        precision: -20,
        rootDelay: 0.25,
      },
    );
    return 1000 * delay;
  });
});

Deno.test("a host is asked once, for commands that need one response", async () => {
  const socket = createSocket("udp4");
  let received = 0;
  socket.on("message", (packet, from) => {
    const request = decodeHeader(packet);
    if (!request.ok || received++ > 0) return;
    const octets = encodeHeader(goodResponse(request.value, 0));
    socket.send(Buffer.from(octets), from.port, from.address);
  });
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  const host = `127.0.0.1:${socket.address().port}`;
  try {
    const first = await askServer(host, { timeout: PATIENCE_MS / 1000, family: "ipv4" });
    deepEqual([first.ok, first.stratum, first.referenceId], [true, 2, "192.0.2.1"]);
    const second = await askServer(host, { timeout: 0.02, family: undefined });
    deepEqual([second.ok, second.error], [false, "No response"]);
    await waitUntil(() => received === 2, { timeoutMs: PATIENCE_MS, what: () => "a request" });
  } finally {
    await new Promise<void>((done) => socket.close(() => done()));
  }
});

Deno.test("what cannot be used is told with its reason", async () => {
  const kiss = (code: string) => ({
    stratum: 0,
    referenceId: referenceIdFromAscii(code),
    leapIndicator: 3,
  });
  const wanted: readonly (readonly [Partial<NtpHeader>, string])[] = [
    [{ mode: 5 }, "Wanted a response in mode 4, found mode 5"],
    [{ version: 5 }, "Wanted a response of version 1 to 4, found version 5"],
    [{ originTimestamp: fromUnixNanoseconds(1n) }, "The response does not belong to the request"],
    [kiss("DENY"), "The server refuses to answer: kiss code DENY"],
    [kiss("RSTR"), "The server refuses to answer: kiss code RSTR"],
    [kiss("RATE"), "The server refuses to answer: kiss code RATE"],
    [kiss("NTSN"), "The server refuses to answer: kiss code NTSN"],
    [kiss("WHAT"), "The server refuses to answer: kiss code WHAT"],
    [
      { stratum: 0, referenceId: 0, leapIndicator: 3 },
      "The server says that it is not synchronised (leap indicator 3, stratum 0)",
    ],
    [
      kiss("INIT"),
      "The server says that it is not synchronised (leap indicator 3, stratum 0)",
    ],
    [
      { stratum: 16 },
      "The server says that it is not synchronised (leap indicator 0, stratum 16)",
    ],
    [{ rootDispersion: 17 }, "The server's root distance is 16 s or more"],
    [{ transmitTimestamp: ZERO_TIMESTAMP }, "The response has no timestamps"],
    [{ receiveTimestamp: ZERO_TIMESTAMP }, "The response has no timestamps"],
    [
      { transmitTimestamp: fromUnixNanoseconds(0n) },
      "By its own clock, the server responded before the request arrived",
    ],
    [
      { receiveTimestamp: fromUnixNanoseconds(0n) },
      "The timestamps contradict each other",
    ],
  ];
  for (const [response, reason] of wanted) equal(await rejection(response), reason);
  const silent = await ask({ respond: () => [] });
  equal(silent.ok ? "" : silent.error, "No response");
});

Deno.test("a response that the daemon drops is not taken", async () => {
  const tails: readonly (readonly [readonly number[], RegExp])[] = [
    [[0, 0, 0, 0], /crypto-NAK/],
    [[0, 0, 0, 1, ...Array(16).fill(7)], /MAC that was not requested/],
    [[0, 0, 0, 1, ...Array(20).fill(7)], /MAC that was not requested/],
    [[0, 9], /cannot be used \(/],
  ];
  for (const [tail, reason] of tails) {
    const asked = await ask({ respond: () => [{}], tail });
    match(asked.ok ? "usable" : asked.error, reason);
  }
  const future = await ask({
    respond: (good) => [{ referenceTimestamp: addSeconds(good.transmitTimestamp, 9) }],
  });
  match(future.ok ? "usable" : future.error, /set in its own future/);
});

Deno.test("the response to an earlier request counts once", async () => {
  let first: Partial<NtpHeader> = {};
  const [once, again, other] = await askOften({
    requests: 3,
    respond(good, n) {
      const { receiveTimestamp, transmitTimestamp } = good;
      if (n === 0) first = { receiveTimestamp, transmitTimestamp };
      return n === 1 ? [first] : [{}];
    },
  });
  ok(once?.ok && other?.ok);
  equal(again?.ok === false && again.error, "The response repeats the one before it");
});

Deno.test("a server that denies is asked again, but not for ever", async () => {
  const deny = { stratum: 0, referenceId: referenceIdFromAscii("DENY") };
  const asked = await askOften({ requests: 20, respond: () => [deny] });
  equal(asked.length, 8);
  ok(asked.every((sample) => !sample.ok && sample.error.endsWith("kiss code DENY")));
});

Deno.test("a forged answer before the true one does no harm", async () => {
  const forged = [{ originTimestamp: fromUnixNanoseconds(7n) }, { mode: 1 }];
  const asked = await ask({ respond: () => [...forged, {}] });
  ok(asked.ok, asked.ok ? "" : asked.error);
});

Deno.test("a closed port is told at once", async () => {
  const address = socketAddress("127.0.0.1", NOBODY);
  ok(address !== undefined);
  const asked = await new QueriedServer({ address, random: new SeededRandom(1) }).ask(5);
  match(asked.ok ? "" : asked.error, /connection refused/);
});

Deno.test("--timeout bounds the key exchange too", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let printed = "";
  const asked = main(
    ["query", "--nts", "--json", "--timeout", "50ms", `127.0.0.1:${silent.addr.port}`],
    {
      ...IDLE_CONTEXT,
      out: (text) => printed += text,
      err: (text) => printed += text,
      readFile: () => fail("Nothing is read"),
      httpGet: () => fail("Nothing is asked"),
    },
  );
  equal(await asked, 1);
  silent.close();
  match(printed, /The exchange with 127\.0\.0\.1:[0-9]+ took longer than 50 ms/);
});

const GOOD: QueryResult = {
  name: "time.example.net",
  address: "192.0.2.1:123",
  ok: true,
  error: null,
  stratum: 1,
  referenceId: "GPS",
  leap: "none",
  offsetSeconds: 0.0251,
  delaySeconds: 0.0034,
  rootDelaySeconds: 0,
  rootDispersionSeconds: 0.0001,
  errorBoundSeconds: 0.0018,
  authentication: "nts",
  aead: 15,
  timestamping: "kernel",
  samples: 1,
  nts: {
    keyExchange: "192.0.2.1",
    cookies: 8,
    certificateSubject: "CN=time.example.net",
    certificateExpires: "2027-01-01T00:00:00.000Z",
  },
};

const BAD: QueryResult = {
  ...GOOD,
  name: "gone.example.net",
  address: null,
  ok: false,
  error: "Cannot resolve gone.example.net: name or service not known (EAI_NONAME)",
  stratum: null,
  referenceId: null,
  leap: null,
  offsetSeconds: null,
  delaySeconds: null,
  rootDelaySeconds: null,
  rootDispersionSeconds: null,
  errorBoundSeconds: null,
  authentication: "none",
  aead: null,
  timestamping: null,
  samples: 0,
  nts: null,
};

const view = { columns: 80, paint: painter(false) };

Deno.test("one host is told in full", () => {
  equal(
    renderQuery([GOOD], view),
    `time.example.net (192.0.2.1:123)
  Offset          +25.1 ms ±1.80 ms
                  this clock is behind
  Delay           3.40 ms
  Stratum         1, reference GPS
  Root            delay 0 ns, dispersion 100 us
  Leap second     none
  Timestamps      by the kernel
  Authentication  NTS, AEAD 15
  Key exchange    192.0.2.1, 8 cookies
  Certificate     CN=time.example.net
                  expires 2027-01-01T00:00:00.000Z
`,
  );
});

Deno.test("several hosts make a table", () => {
  equal(
    renderQuery([GOOD, BAD], view),
    `  Host              St    Offset    Delay     Error  Timing  Auth  Reference
* time.example.net   1  +25.1 ms  3.40 ms  ±1.80 ms  kernel  nts   GPS
? gone.example.net   -         -        -         -  -       none  -

? gone.example.net: Cannot resolve gone.example.net: name or service not known
    (EAI_NONAME)
`,
  );
});
