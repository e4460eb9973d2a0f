/**
 * A status document for the tests of what shows it.
 *
 * @module
 */
import type {
  ServerDocument,
  SourceDocument,
  StatusDocument,
} from "../../src/engine/status/snapshot.ts";

/** Makes a source that is all right, with changes. */
export function exampleSource(changes: Partial<SourceDocument> = {}): SourceDocument {
  return {
    name: "time.example.net",
    address: "192.0.2.1:123",
    mode: "server",
    status: "selected",
    reason: "",
    reach: 0o377,
    stratum: 2,
    referenceId: "198.51.100.7",
    pollSeconds: 64,
    lastReplySecondsAgo: 12.3,
    offsetSeconds: 12.34e-6,
    delaySeconds: 3.412e-3,
    dispersionSeconds: 44e-6,
    jitterSeconds: 8.7e-6,
    errorBoundSeconds: 2.1e-3,
    timestamping: "kernel",
    authentication: "none",
    nts: null,
    sent: 1234,
    sendFailures: 0,
    received: 1230,
    dropped: {},
    ...changes,
  };
}

/** Makes a server that nobody has asked, with changes. */
export function exampleServer(changes: Partial<ServerDocument> = {}): ServerDocument {
  return {
    listen: "[::]:123",
    received: 0,
    answered: 0,
    denied: 0,
    rateLimited: 0,
    dropped: {},
    nts: { answered: 0, naks: 0 },
    interleaved: 0,
    kisses: 0,
    controlAnswered: 0,
    ...changes,
  };
}

/** Sources in many states. */
export const EXAMPLE_SOURCES: readonly SourceDocument[] = [
  exampleSource(),
  exampleSource({
    name: "nts.example.org",
    address: "[2001:db8::1]:123",
    mode: "nts",
    status: "combined",
    offsetSeconds: -0.9e-6,
    authentication: "nts",
    nts: {
      cookies: 8,
      aead: 15,
      lastKeyExchange: "2026-11-22T01:00:00Z",
      failures: {},
      provisional: false,
    },
  }),
  exampleSource({
    name: "wrong.example.com",
    address: "192.0.2.66:123",
    status: "falseticker",
    reason:
      "its offset of +501 ms ± 2.3 ms does not meet the interval of -1.2 to +1.9 ms in which 3 others agree",
    offsetSeconds: 0.501,
    delaySeconds: 0.0123,
    sendFailures: 2,
    dropped: { "origin-mismatch": 3, "kiss-rate": 1 },
  }),
  exampleSource({
    name: "a-very-long-name-of-a-server.in-a-far-away-country.example",
    address: null,
    mode: "pool",
    status: "unreachable",
    reason: "no answer to the last 8 requests",
    reach: 0,
    stratum: null,
    referenceId: null,
    pollSeconds: 1024,
    lastReplySecondsAgo: null,
    offsetSeconds: null,
    delaySeconds: null,
    dispersionSeconds: null,
    jitterSeconds: null,
    errorBoundSeconds: null,
    timestamping: null,
    sent: 8,
    sendFailures: 0,
    received: 0,
  }),
];

/** Makes a status document of a synchronised daemon, with changes. */
export function exampleStatus(changes: Partial<StatusDocument> = {}): StatusDocument {
  return {
    version: "0.1.0",
    startedAt: "2026-11-22T00:00:00.000Z",
    state: "synchronized",
    adjusting: true,
    why: "",
    stratum: 3,
    leap: "none",
    referenceId: "192.0.2.1",
    referenceTime: "2026-11-22T02:12:48.000Z",
    offsetSeconds: 12.34e-6,
    frequencyPpm: -12.345,
    skewPpm: 0.0123,
    rootDelaySeconds: 8.41e-3,
    rootDispersionSeconds: 1.2e-3,
    errorBoundSeconds: 4.2e-3,
    updateIntervalSeconds: 64.2,
    steps: { count: 1, accumulatedSeconds: 0.213 },
    sources: EXAMPLE_SOURCES,
    servers: [],
    ntsKe: [],
    http: null,
    functions: [],
    hardwareTimestampFallbacks: {},
    internalErrors: 0,
    ...changes,
  };
}
